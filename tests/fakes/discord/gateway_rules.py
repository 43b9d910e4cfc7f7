"""The rules of the gateway and of what people do: where each was read, and the test that holds it."""

from __future__ import annotations

from tests.fakes.ruling import parse

_TABLE = """
# Connecting
hello | 1 | HELLO comes first and gives the heartbeat's interval; each heartbeat is acked.
    test_the_first_frame_is_hello_and_heartbeats_are_acked
close-codes | docs | 4001 unknown opcode, 4003 not identified, 4004 token, 4010 shard, 4013 and 4014 intents.
    test_what_cannot_be_is_closed_with_a_code_of_its_own
payload | docs | What is no JSON, or more than 4,096 bytes: 4002.
    test_what_is_no_json_or_too_long_is_closed
version | docs | Another version of the API: 4012.
    test_another_version_of_the_api_is_closed
identified-twice | docs | IDENTIFY twice: 4005.
    test_who_identifies_twice_is_closed
sends | 1 | More than 120 sends in a minute: 4008.
    test_a_client_that_sends_too_much_is_closed
heart | docs | Without heartbeats: 4009.
    test_a_client_without_a_heart_is_closed
ready | 1 | READY has the session, resume_gateway_url, user, shard and unavailable servers; a GUILD_CREATE each follows.
    test_ready_is_followed_by_the_servers_of_the_shard
compression | 1 | zlib-stream is one stream of binary frames, and only where it is asked for.
    test_compression_is_one_stream_and_only_where_it_was_asked_for
identify-rate | 1 | One IDENTIFY in five seconds for each of max_concurrency: otherwise op 9.
    test_identifying_again_too_soon_is_an_invalid_session
identify-day | 1 | Not played: after 1,000 IDENTIFYs a day the token is reset.
    -
content-intent | 1 | An intent that isn't switched on is 4014, which discord.py calls PrivilegedIntentsRequired.
    test_a_switched_off_content_intent_is_an_error_with_a_name
token-reset | 1 | A token that is reset ends open connections with 4004.
    test_a_token_that_is_reset_ends_the_connection

# Sessions
resume | 1 | RESUME gives what was missed, in order, then RESUMED.
    test_resume_gives_what_was_missed_and_then_says_so
resume-discord-py | 1 | After a close, op 7, op 9 with true and a break, discord.py resumes at resume_gateway_url.
    test_discord_py_resumes_and_hears_what_it_missed_once
invalid | 1 | An unknown session, or a sequence number that never was: op 9 with false.
    test_what_cannot_be_resumed_is_an_invalid_session
invalid-discord-py | 1 | op 9 with false: discord.py identifies anew, and what was missed is lost.
    test_an_invalid_session_is_begun_anew_and_what_was_missed_is_lost
resume-time | docs | A session can be taken up for a while only.
    test_a_session_cannot_be_resumed_for_ever
goodbye | docs | A client that closes with 1000 or 1001 ends its session.
    test_a_client_that_says_goodbye_has_no_session_any_more
zombie | 1 | A link may be dead and open: discord.py leaves it after heartbeat_timeout.
    test_discord_py_leaves_a_link_that_is_dead
frozen | 1 | On a dead link nothing comes, acks neither.
    test_a_frozen_connection_is_open_and_dead
outage | issue | While the gateway is down nobody gets in; sessions may survive it.
    test_discord_py_comes_back_after_an_outage
malformed | 0.9 | A malformed event ends discord.py's client.
    test_a_malformed_event_ends_discord_py

# Events
shards | 1 | A server's shard is (id >> 22) % count; private messages are shard 0's.
    test_servers_have_their_shard_and_private_messages_have_shard_0
shards-discord-py | 1 | AutoShardedClient hears everything once.
    test_shards_of_one_process_hear_everything_once
intents | 1 | What no intent asks for doesn't come.
    test_only_what_the_intents_ask_for_comes
veil | 1 | Without message_content a message is empty, but in private, where it mentions the bot, and the bot's own.
    test_without_the_content_intent_a_message_is_empty_unless_it_is_for_the_bot
copies | 0.3 | An event may come twice.
    test_events_come_twice_when_they_are_to
order | docs | Events of one channel come in order; those of different channels overtake each other.
    test_events_of_channels_overtake_each_other_those_of_one_do_not
members | docs | Members are sent in chunks when they are asked for.
    test_members_come_when_they_are_asked_for
heard | 1 | A heartbeat carries the last sequence number: what has come.
    test_a_heartbeat_tells_what_has_come
unseen | 4.10 | What happens where the bot may not look is not told.
    test_a_channel_that_the_bot_does_not_see_is_silent
list-sync | docs | A bot that comes to see a channel is told of its threads.
    test_a_bot_that_comes_to_see_a_channel_is_told_of_its_threads
invited | docs | A server that invites the bot comes as GUILD_CREATE; one that removes it as GUILD_DELETE.
    test_a_server_that_invites_the_bot_is_there_and_gone_when_it_kicks_it
bursts | docs | Not played: presences, voice, reactions in super bursts, polls' votes, scheduled events.
    -

# What people write
mention | 4.4 | A mention is of the bot or of its own role.
    test_a_mention_names_the_bot_or_its_role
everyone | 4.4 | @everyone counts only from who may; it mentions no user.
    test_only_who_may_can_mention_everyone
reply | 4.4 | A reply mentions the author of its message unless that is switched off.
    test_a_reply_points_to_its_message_and_rings_unless_that_is_switched_off
edit | 1 | MESSAGE_UPDATE is whole; MESSAGE_DELETE names the message.
    test_an_edit_and_a_deletion_are_told
file | 4.14 | An attachment has a signed address for everybody who has it.
    test_a_file_can_be_downloaded_at_its_address
others | 4.1 | Other bots and webhooks are marked as what they are.
    test_other_bots_and_webhooks_write_as_what_they_are
forward | docs | A forward carries a snapshot.
    test_a_forward_carries_what_it_forwards
may-write | 4.10 | Who doesn't see a channel, or may not write in it, writes nothing.
    test_nobody_writes_where_they_may_not
reaction | docs | A reaction needs its intent.
    test_a_reaction_is_told_to_who_asked_for_it
thread | 4.8 | A thread from a message has its id.
    test_a_thread_from_a_message_has_its_id
post | 4.9 | A forum post is a thread, and its first message has the thread's id.
    test_a_post_in_a_forum_is_a_thread_with_a_first_message_of_its_id
archive | 4.8 | Writing brings an archived thread back; a locked one is for moderators.
    test_writing_in_an_archived_thread_brings_it_back_and_a_locked_one_is_for_moderators
thread-gone | 4.8 | A thread can be deleted.
    test_a_thread_that_is_deleted_is_gone
overwrites | 4.10 | Overwrites of a channel, and new channels, are told.
    test_a_new_channel_and_a_changed_overwrite_are_told
roles | 4.10 | Roles decide what people may do.
    test_roles_change_what_people_may

# What people press
command | 1 | A slash command is answered for everybody or for one person.
    test_a_command_is_answered_for_everybody_or_for_one_person
options | 1 | Options have types, ranges and choices.
    test_a_command_takes_options_that_fit
no-command | 1 | What doesn't exist or fit reaches no app.
    test_a_command_that_does_not_exist_or_fit_reaches_no_app
default-permissions | 1 | default_member_permissions and contexts decide who is offered a command, and where.
    test_a_command_for_managers_is_offered_to_nobody_else_and_not_in_private
suggestions | 1 | Options are suggested while they are typed.
    test_options_are_suggested_while_they_are_typed
deferred | 0.2 | A deferred answer is filled in later, and followed up.
    test_a_deferred_answer_is_filled_in_later_and_followed_up
three-seconds | 1 | Without a first answer within three seconds, the interaction has failed.
    test_what_is_not_answered_in_time_has_failed
who-where | 1 | An interaction says who, where (a thread with its channel), what both may do, and the size of uploads.
    test_an_interaction_says_who_where_and_what_they_may
button | 0.6 | A button is known by its custom_id alone, after a restart, too.
    test_a_button_works_by_its_name_after_a_restart
unknown-button | 1 | A press that nobody takes has failed.
    test_a_press_that_nobody_takes_has_failed
menu | 1 | As many options as a menu says can be chosen, and only those that it offers.
    test_as_many_of_a_menu_can_be_chosen_as_it_says
form | 1 | A modal is filled in within its limits and comes as one interaction.
    test_a_form_is_filled_in_and_submitted
private | 1 | What one person alone sees nobody else can press.
    test_what_one_person_alone_sees_nobody_else_can_press
link-button | docs | A button that is a link tells no app.
    -
"""

RULES = parse(_TABLE)
