"""The rules of the REST API and of what follows from a call: where each was read, and the test that holds it.

README.md shows them as a table. "facts" is a section of the facts, "4.8" their trap 8; "docs": Discord's documentation,
not re-read for the facts; "seen": other people's reports of it; "issue": what the fake is to offer.
"""

from __future__ import annotations

from tests.fakes.ruling import parse

_TABLE = """
# Asking
token | 1 | Without the bot's token, or with another, every call is 401.
    test_a_call_needs_the_bots_token
json-type | 1 | Answers in JSON have exactly Content-Type: application/json.
    test_json_answers_name_their_type_without_a_charset
unknown-route | docs | A route that doesn't exist is 404, an id that is none 50035.
    test_a_route_that_discord_does_not_have_is_not_found
bad-json | docs | What isn't JSON is 50109.
    test_what_is_not_json_is_refused
application | 1 | The app's flags tell which privileged intents are switched on, before it connects.
    test_the_app_learns_who_it_is_and_which_intents_it_has
login-failure | 1 | discord.py says LoginFailure to a token that is no good (any more).
    test_a_wrong_token_is_discord_pys_login_failure
gateway-address | 1 | /gateway/bot gives the address, shards and how many sessions may begin.
    test_the_gateways_address_comes_with_shards_and_sessions_left
snowflakes | issue | Ids are snowflakes of the fake's clock, and tell the time of a message.
    test_ids_are_made_from_the_fakes_clock
lookups | 1 | Servers, members, roles, channels and users can be looked up.
    test_servers_members_and_roles_can_be_looked_up
unknown | docs | 10004, 10007, 10013, 10003, 10008 for what isn't there; 50001 for another's server.
    test_who_or_what_is_not_there_has_a_code_of_its_own

# Writing
post | 1 | A message is created and told by MESSAGE_CREATE, with its nonce.
    test_a_message_is_posted_and_told
content-size | 1 Limits | content takes 2,000 characters; 50035 names the field and says why.
    test_content_has_two_thousand_characters
empty | docs | Nothing to show, or white space alone: 50006; an edit, too.
    test_an_empty_message_is_refused
trimmed | seen | White space at both ends of content is taken off.
    test_white_space_at_both_ends_is_taken_off
embed-limits | 1 Limits | Description 4,096, 25 fields, 10 embeds, 6,000 characters in all.
    test_embeds_have_limits_one_by_one_and_in_all
component-limits | 1 Limits | 5 rows, 5 buttons, 25 choices, custom_id 100 and unique, label 80.
    test_components_have_limits
components-kept | docs | An edit that names no components leaves them; an empty list takes them off.
    test_components_stay_with_the_message_until_they_are_taken_off
components-v2 | 0.8, 1 Limits | Components V2: 40, 4,000 characters, no content; the flag stays.
    test_components_v2_have_their_own_limits_and_cannot_be_taken_back
reply | 1 | message_reference comes as a number; the reply carries referenced_message.
    test_a_reply_names_what_it_replies_to
reply-gone | 4.10 | A reply to what is deleted is 50035, or a plain message with fail_if_not_exists false.
    test_a_reply_to_what_is_gone_fails_unless_the_app_does_not_mind
reply-system | docs | System messages can't be replied to.
    test_a_system_message_cannot_be_replied_to
nonce | 0.4 | An enforced nonce gives back its message for some minutes; 25 characters at most.
    test_a_repeated_nonce_gives_back_the_message_for_some_minutes
flags | docs | Apps may set SUPPRESS_EMBEDS, SUPPRESS_NOTIFICATIONS, IS_COMPONENTS_V2; others are ignored.
    test_flags_that_an_app_may_set_are_kept
previews | docs | Links get previews by a MESSAGE_UPDATE that has no edited_timestamp.
    test_links_get_a_preview_which_is_told_as_an_update_that_edits_nothing

# Whom it rings
pings-default | 0.5 | Without allowed_mentions everything that looks like a mention rings.
    test_without_allowed_mentions_everything_rings
allowed-mentions | 0.5 | parse, users and roles choose; naming and parsing the same kind is 50035.
    test_allowed_mentions_choose_who_is_rung
ping-permission | docs | @everyone needs Mention Everyone; a role that, or to be mentionable.
    test_everyone_and_roles_need_a_permission_or_consent
ping-reply | docs | A reply rings its author by default, and only with replied_user where allowed_mentions is given.
    test_a_reply_rings_whom_it_answers_unless_it_is_told_not_to
ping-never | docs | Mentions in code and those that an edit brings ring nobody.
    test_code_and_edits_ring_nobody

# Permissions
view | 4.10 | Without View Channel everything is 50001, and nothing is told.
    test_what_the_bot_cannot_see_is_missing_access
overwrites | 4.10 | A channel's overwrites count against roles: 50013.
    test_overwrites_count_against_roles
write-permissions | 4.10 | Send Messages, Embed Links: 50013; a reply without Read Message History: 160002.
    test_writing_embedding_and_replying_need_permissions
file-permission | 4.10 | Attach Files: 50013.
    test_files_need_a_permission
thread-permissions | 4.10 | Send Messages in Threads and Create Public Threads: 50013.
    test_threads_have_permissions_of_their_own
history-permission | docs | Without Read Message History lists are empty, one message is 50001.
    test_without_message_history_nothing_is_read
writable-types | 4.9 | A forum itself can't be written in (50008), a voice channel can.
    test_a_forum_is_not_written_in_and_a_voice_channel_is

# Changing, reading, reacting
edit | docs | An edit sends MESSAGE_UPDATE with edited_timestamp.
    test_an_edit_is_told_with_its_time
authors | docs | Others' messages: editing is 50005, deleting wants Manage Messages.
    test_only_the_author_edits_and_moderators_delete
deleted | 1 | A deleted message is 10008 and in no list.
    test_a_deleted_message_is_unknown
moderated | issue | When somebody deletes a message of the app, the log says so.
    test_a_message_of_the_app_that_somebody_deletes_is_logged
lists | docs | Newest first; before, after, around, limit 1 to 100.
    test_lists_are_cut_by_before_after_around_and_limit
backdated | issue | A message of an earlier time stands where its id belongs.
    test_what_was_said_earlier_stands_where_its_time_says
read-lag | issue | Lists can lag behind (config).
    test_lists_can_lag_behind
content-intent | 1 | Without the intent content is hidden but in DMs, mentions of the bot, own messages.
    test_without_the_intent_content_is_hidden_but_where_it_concerns_the_bot
reactions | 4.10 | Reactions are told; a new one wants Add Reactions.
    test_reactions_are_told_and_need_a_permission
typing | 1 | Typing is told.
    test_typing_is_told

# Direct messages
dm | 1 | POST /users/@me/channels gives the one DM with somebody.
    test_a_dm_is_opened_once_and_written_in
dm-closed | 4.10 | Who takes no DMs, shares no server or is a bot: 50007 on writing.
    test_a_closed_dm_shows_only_when_it_is_written_in

# Threads
thread | 1, 4.1 | A thread from a message has its id; THREAD_CREATE, and a system message (21) in it.
    test_a_thread_from_a_message_has_its_id
thread-once | 4.8 | A second thread from a message is 160004.
    test_a_message_has_one_thread
thread-where | 4.9 | Not from threads, DMs, voice channels (50024), system messages (50021); name 1 to 100.
    test_where_no_thread_can_be_opened
thread-cap | 4.8 | 1,000 active threads in a server: 160006.
    test_active_threads_are_limited
thread-alone | 4.1 | A thread without a message is announced by a system message (18) in its channel.
    test_a_thread_without_a_message_is_announced_in_its_channel
forum | 4.9 | A forum post is a thread with its first message's id; a missing tag is 40067.
    test_a_forum_post_is_a_thread_with_its_first_message
archived | 4.8 | Writing brings a thread back; editing and reacting in the archive is 50083.
    test_writing_brings_a_thread_back_and_editing_does_not
locked | 4.8, seen | In a locked thread writing is 50083 (status 403) without Manage Threads.
    test_a_locked_thread_is_for_moderators
thread-changes | docs | Owners and moderators change a thread; whoever may write may bring it back.
    test_a_thread_is_changed_by_its_owner_and_brought_back_by_all
thread-lists | docs | Members of a thread, active threads of a server, archived ones of a channel.
    test_members_of_threads_and_threads_of_servers_are_listed
thread-private | docs | A private thread is for its members and moderators.
    test_a_private_thread_is_for_who_is_in_it
thread-deleted | docs | Deleting wants Manage Threads, sends THREAD_DELETE, and leaves 10003.
    test_a_deleted_thread_is_unknown

# Files
files | 1, 4.14, seen | Files come as a form, spaces in names become _; addresses are signed and expire.
    test_files_come_with_a_form_and_go_by_a_signed_address
refresh | docs | POST /attachments/refresh-urls makes an address anew.
    test_an_expired_address_can_be_made_anew
file-limits | 1 Limits | 10 MiB a file (40005), more in boosted servers; 10 files.
    test_a_file_has_ten_mebibytes_and_a_message_ten_files
description | 1 | A file's description is kept.
    test_an_edit_keeps_the_files_that_it_names
edit-files | 1, 4.10 | An edit may bring new files, as a form; without Attach Files: 50013.
    test_an_edit_that_brings_files_needs_a_permission
attachments | 1 | An edit's attachments are the whole set; without it all stay.
    test_an_edit_keeps_the_files_that_it_names

# Webhooks
webhooks | docs | Making and listing them wants Manage Webhooks.
    test_webhooks_are_made_and_listed_with_a_permission
webhook-limits | docs | Names have 1 to 80 characters and neither clyde nor discord; 15 a channel; none of threads.
    test_what_a_webhook_may_not_be
webhook-post | docs | A webhook's token writes under any name, without a nonce; `wait` answers the message.
    test_a_webhook_writes_under_any_name_with_nothing_but_its_token
webhook-edit | docs | What it wrote is changed through it alone; the bot's token is 50005.
    test_a_webhook_s_message_is_changed_through_it_alone
webhook-threads | docs | thread_id names a thread of its channel, for posts and edits; a forum wants one.
    test_a_webhook_writes_in_the_threads_of_its_channel
webhook-buttons | docs | Buttons are for webhooks of an application.
    test_a_webhook_of_nobody_s_app_has_no_buttons
webhook-end | docs | It can be renamed, given a picture and deleted: 10015.
    test_a_webhook_can_be_changed_and_deleted

# Interactions
interaction | 1 | INTERACTION_CREATE has token, member or user, permissions, locale.
    test_an_interaction_is_told_with_all_that_an_answer_needs
callback-once | 4.6 | A second callback is 40060; with_response answers the message.
    test_an_interaction_is_answered_once
three-seconds | 1 | A callback after three seconds is 10062.
    test_an_interaction_waits_three_seconds
fifteen-minutes | 0.2, 4.6 | After 15 minutes 50027, before the callback 10015; the bot's token still edits.
    test_a_token_is_good_for_fifteen_minutes
deferred | 1 | A deferred answer is LOADING until it is edited; that rings and isn't an edit.
    test_a_deferred_answer_is_thinking_until_it_is_edited
deferred-followup | docs | The first followup after a deferral takes its place, private if that was.
    test_the_first_followup_takes_the_place_of_a_deferred_answer
ephemeral | docs | A private answer is told to nobody, listed nowhere, reached by its token alone.
    test_a_private_answer_is_seen_by_one_and_reached_by_its_token_alone
press | 1 | A press is answered by an update (7), silently (6), or by a reply.
    test_a_press_can_update_its_message_or_be_acknowledged_silently
answer-gone | docs | What was deleted meanwhile is 10008 to an update; a followup is a message of its own.
    test_what_is_deleted_meanwhile_is_not_updated
callback-types | docs | Each kind of interaction has its callbacks; a form is no answer to a form.
    test_each_kind_of_interaction_has_its_answers
autocomplete | 1 Limits | 25 choices with names of 100 characters.
    test_autocomplete_has_twenty_five_choices
modal | 1 Limits | Title 45, 1 to 5 fields, label 45, description 100, text 4,000.
    test_a_form_has_a_title_and_one_to_five_labelled_fields
answer-limits | 1 Limits | Answers have a message's limits, and a refused one isn't an answer.
    test_an_answer_to_an_interaction_has_the_limits_of_a_message

# Commands
bulk | 4.12 | PUT is the whole set; Discord fills in defaults; ids stay, versions change.
    test_a_bulk_overwrite_is_the_whole_set_and_fills_in_defaults
sync | 4.12 | discord.py's tree.sync() is one PUT.
    test_discord_py_syncs_its_tree
creates | 1 Limits, 4.12 | 200 creates a day: 30034; updates are free, deleting gives none back.
    test_two_hundred_commands_are_created_a_day
command-limits | 1 Limits, 4.12 | Names, descriptions, options, choices, locales; 8,000 characters in all.
    test_what_a_command_may_not_be
single-commands | docs | One command is made, changed, deleted.
    test_single_commands_are_made_changed_and_deleted

# Rate limits
bucket-headers | 1 REST | X-RateLimit-Limit, -Remaining, -Reset, -Reset-After, -Bucket on every answer; Via.
    test_headers_tell_what_is_left_of_a_window
bucket-full | 1 REST | 5 posts in 5 s per channel, then 429 with Retry-After, retry_after, scope, Via.
    test_the_sixth_post_within_five_seconds_is_one_too_many
bucket-window | issue | Windows are fixed, begin with their first call and end as a whole.
    test_a_window_begins_with_its_first_call_and_ends_as_a_whole
bucket-keys | 1 REST | Each route and each channel has a bucket of its own; a thread is a channel.
    test_each_channel_and_each_route_is_counted_apart
bucket-cost | docs | A call that is refused for another reason counts, too.
    test_a_refused_call_counts_too
early | issue | Who comes back before a 429 allows is told apart in the log.
    test_coming_back_too_early_is_told_apart_in_the_log
global | 1 REST | 50 calls a second in all: 429 with global and no bucket.
    test_fifty_calls_a_second_are_all
global-exempt | 1 REST | Interactions aren't counted with them.
    test_interactions_are_not_counted_with_the_fifty
webhook-bucket | issue | 5 calls in 2 s per webhook.
    test_each_webhook_has_five_calls_in_two_seconds
rename | 1 REST | A channel is renamed twice in 10 minutes, which its headers don't tell.
    test_a_thread_is_renamed_twice_in_ten_minutes
old-edits | 1 REST, seen | Edits of messages older than an hour have a limit: 429 with 30046.
    test_old_messages_are_edited_so_many_times_an_hour
limits-config | issue | All numbers can be changed, and limits switched off.
    test_limits_can_be_other_ones_or_none
ban | 1 REST | 10,000 times 401, 403, 429 in 10 minutes: 429 without Via, as a page.
    test_too_many_invalid_requests_ban_the_address
ban-not | docs | 400, 404 and 429 of shared limits don't count.
    test_what_others_used_up_and_what_is_wrong_or_missing_bans_nobody
ban-library | 1 | discord.py raises at a 429 without Via.
    test_discord_py_takes_a_ban_for_an_error_at_once
wait-library | 1 REST | discord.py waits for retry_after, whatever the scope, and tries again.
    test_discord_py_waits_as_a_429_says_and_tries_again
window-library | 1 REST | discord.py stays within windows that it was told of.
    test_discord_py_reads_the_windows_and_stays_within_them

# Faults and the log
cut | issue | A connection is cut before a call is looked at, or after it is done.
    test_the_connection_can_be_cut_before_and_after_a_call_is_done
errors | issue | 500, 502, 503, as JSON and as pages, done or not.
    test_a_server_error_says_nothing_about_what_was_done
late | issue | Answers come late, or the call is done late.
    test_an_answer_can_be_late
late-done | issue | A late call is done though the app has given up.
    test_a_late_call_is_done_though_the_app_has_given_up
safe-repeat | 0.4 | A post that was cut is repeated with its nonce and there once.
    test_a_nonce_makes_a_cut_post_safe_to_repeat
repeat-library | 0.4 | discord.py repeats a 500 by itself, with its own nonce.
    test_discord_py_repeats_a_cut_post_with_the_same_nonce
script | issue | Faults are scripted by route, channel, how many to skip, and with any code.
    test_a_script_waits_chooses_its_channel_and_knows_any_code
download-faults | issue | Downloads fail as scripted.
    test_downloads_fail_as_scripted
chance | issue | Faults by chance repeat with their seed; an edit is never done late by chance.
    test_faults_come_by_chance_and_repeatably_and_edits_are_never_late
log | issue | One line for everything, without a token in it.
    test_the_log_has_everything_but_secrets
log-first | issue | A call is in the log before anybody is told of what follows.
    test_a_call_is_logged_before_it_is_told

# Not played
automod | docs | AutoMod (200000), slow mode for people (20016): only by script.
    -
routes | docs | Crossposts, pins, votes, bulk deletion, private threads of the archive: 404.
    -
count | Not verified | Characters are counted as code points; how Discord counts isn't known.
    -
sub-limits | Not verified | Limits within buckets that nobody has described, and buckets that change while in use.
    -
"""

RULES = parse(_TABLE)
