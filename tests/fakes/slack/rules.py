"""The rules of the Web API and of the events that follow from it: where each was read, and the test that holds it.

README.md shows them as a table. A rule without a test says so by None.
"""

from __future__ import annotations

from tests.fakes.ruling import Rule, parse

__all__ = ["RULES", "Rule", "parse"]

# A rule a pair of lines: id, facts, sentence; then its test, or "-".
_TABLE = """
# Asking
arguments | 1.5, 3.6 | Arguments come as JSON, form or query string, by GET or POST; the token as bearer or argument.
    test_arguments_come_as_json_form_or_query_by_get_or_post
unknown-method | 3.6 | A method that doesn't exist is unknown_method.
    test_a_method_that_slack_does_not_have_is_unknown
token | 3.6 | No token is not_authed, a wrong one invalid_auth.
    test_a_call_needs_a_token_that_exists
token-end | 2.5 | A revoked token is token_revoked, that of a removed app account_inactive.
    test_a_revoked_token_and_a_removed_app_have_errors_of_their_own
token-type | 1.7 | Bot methods take the bot's token, apps.connections.open the app's: not_allowed_token_type.
    test_each_kind_of_token_is_good_for_its_own_methods
personal | 1.8, issue | A person's token writes in their name, and may name its app (config: not verified).
    test_a_persons_token_writes_changes_and_deletes_in_their_name
scopes | 2.5 | missing_scope names what is needed and what is provided.
    test_a_missing_scope_is_named_with_those_that_are_there
auth-test | 3.6 | auth.test says who it is; x-oauth-scopes has the scopes.
    test_auth_test_tells_who_it_is_and_the_scopes_in_a_header
auth-revoke | 3.6, 5.12 | auth.revoke ends the token; tokens_revoked has user ids.
    test_auth_revoke_ends_the_token_and_tells_the_app
org-install | 5.12 | An org install has no team and reaches all workspaces of its organisation.
    test_an_org_install_has_no_team_and_reaches_every_workspace_of_it
sockets-open | 1.7 | apps.connections.open gives an address for one socket.
    test_a_socket_address_is_given_for_the_app_token

# OAuth
oauth-once | 3.6 | A code becomes a token once: code_already_used.
    test_a_code_becomes_a_token_once
oauth-checks | 1.6 | A code dies after ten minutes and is bound to client, secret and redirect.
    test_a_code_dies_and_is_bound_to_its_app_and_redirect
oauth-org | 5.12 | For an organisation, oauth.v2.access answers without a team.
    test_an_org_install_comes_without_a_team
oauth-rotation | 1.6 | Token rotation is off, as in the manifest: a refresh is refused.
    test_a_token_is_not_refreshed_while_rotation_is_off

# Posting
post-twice | 1.5 | The same post again is a second message; ts increase.
    test_a_post_is_not_idempotent_and_its_ts_increase
post-limits | 2.2 | no_text, markdown_text_conflict, msg_too_long, msg_blocks_too_long, thread_not_found, …
    test_what_a_message_may_not_be
markdown-size | 2.2 | markdown_text takes 12,000 characters.
    test_markdown_of_twelve_thousand_characters_fits
text-cut | 2.2 | text is cut at 40,000 characters.
    test_a_long_text_is_cut_at_forty_thousand
block-limits | 2.2, 2.4 | Sizes and shapes of blocks and elements: invalid_blocks.
    test_what_a_block_may_not_be
fifty-blocks | 2.2 | 50 blocks a message.
    test_fifty_blocks_fit_and_one_more_does_not
where | 2.5 | channel_not_found, not_in_channel, is_archived.
    test_where_the_bot_may_not_write
messages-tab | 1.4 | messages_tab_disabled when the Messages tab is off; a person's id stands for their DM.
    test_a_direct_message_needs_the_messages_tab
customize | 2.5 | A name or icon needs chat:write.customize and makes it a bot_message without a user.
    test_a_name_of_its_own_makes_it_a_bot_message_without_a_user
update | docs | chat.update keeps blocks, attachments and metadata that aren't given.
    test_an_update_replaces_text_and_keeps_blocks_that_are_not_named
update-size | 0.9 | chat.update refuses text of more than 4,000 characters; markdown_text takes 12,000.
    test_an_update_takes_less_text_than_a_post
own-only | docs | cant_update_message, cant_delete_message, message_not_found.
    test_only_own_messages_can_be_changed_or_deleted
delete | 2.3 | A deleted message is gone; message_deleted tells of it.
    test_a_deleted_message_is_gone_and_told
ephemeral | 5.16 | An ephemeral message is one person's, is not listed and can't be updated; user_not_in_channel.
    test_an_ephemeral_message_is_for_one_person_and_cannot_be_changed
pings | 5.11 | Mentions in mrkdwn, Markdown and rich text ring; escaped ones don't.
    test_the_log_says_whose_phone_rang

# Reading
replies | 5.15 | conversations.replies has the root on every page; thread_not_found, invalid_cursor.
    test_a_thread_has_its_root_on_every_page
history | docs | conversations.history: newest first, no replies but broadcast ones.
    test_history_is_newest_first_without_threads
read-lag | issue | Listings lag behind writes.
    test_reads_lag_behind_writes
metadata | docs | Metadata is listed with include_all_metadata.
    test_metadata_is_listed_when_asked_for
unlisted | 2.1, 5.15 | An app that is distributed outside the Marketplace reads once a minute, 15 messages.
    test_an_unlisted_app_reads_fifteen_messages_once_a_minute
history-scopes | 2.5 | Each kind of channel has its own history scope; the bot must be in it.
    test_reading_needs_the_scope_of_the_kind_of_channel
channels | 2.1 | conversations.info and .members, in pages.
    test_channels_and_their_members_can_be_looked_up
own-channels | docs | users.conversations: the channels that the bot is in, each kind with its scope.
    test_the_channels_of_the_bot_are_listed_with_the_scope_of_their_kind
open | docs | conversations.open: one person's DM, or a group's.
    test_a_conversation_is_opened_with_one_person_or_several
people | 2.5, 5.12 | users.info: admins, guests, strangers, zone and locale; team.info.
    test_people_are_members_guests_admins_and_strangers

# Limits and faults
post-rate | 2.1 | chat.postMessage: about 1/s a channel after a burst; 429 with Retry-After.
    test_posts_are_about_one_a_second_and_channel_after_a_burst
tiers | 2.1 | A tier is per method and workspace; who comes back too early is noted.
    test_a_tier_is_shared_by_all_channels_of_a_workspace
post-workspace | 2.1 | chat.postMessage: several hundred a minute in a workspace.
    test_the_posts_of_a_whole_workspace_are_limited_too
not-done | 1.5 | 500, 503 with a page, internal_error, fatal_error, 429: nothing was done.
    test_a_call_that_fails_with_nothing_done
reset | 1.5, 3.6 | A connection is reset before the call, or after it was done.
    test_a_connection_breaks_before_or_after_the_call
done-failed | 1.5 | A call is done and answered with an error.
    test_a_call_can_be_done_and_answered_with_an_error
late | 1.5 | A call or its answer comes late.
    test_a_late_call_is_done_before_or_after_the_wait
script | issue | A scripted fault waits for its call and channel.
    test_a_script_can_wait_and_choose_its_channel

# Streams
stream | 1.4, 2.4 | startStream, appendStream, stopStream with blocks, metadata and session_status.
    test_a_stream_is_started_fed_and_stopped
stream-sdk | 1.4 | slack_sdk's chat_stream works: text under its buffer size makes two calls.
    test_slack_sdk_s_own_helper_streams
stream-recipient | 1.4 | missing_recipient_user_id, missing_recipient_team_id in channels.
    test_in_a_channel_the_recipient_must_be_named
stream-team | 5.12 | recipient_team_id is the person's own; Slack's error for another isn't known.
    test_the_recipient_s_team_is_their_own
stream-dm | 1.4 | In a DM no recipient is needed, but a thread.
    test_in_a_direct_message_nobody_need_be_named_but_the_thread
stream-type | 1.4 | channel_type_not_supported: for which channels isn't known; only by script.
    -
stream-ttl | 2.2 | A stream dies five minutes after its start, even when fed.
    test_a_stream_dies_after_five_minutes_even_when_fed
stream-rescue | 1.4, 5.8 | A dead stream is a broken pill until an update ends it.
    test_a_dead_stream_can_be_rescued_by_an_update
stream-conflict | 1.4 | chat.update of a streaming message: streaming_state_conflict.
    test_a_streaming_message_takes_no_update
stream-state | 1.4 | Appending to what doesn't stream: message_not_in_streaming_state.
    test_a_message_that_never_streamed_takes_no_append
stream-owner | docs | Appending to somebody else's message: message_not_owned_by_app.
    test_somebody_else_s_message_takes_no_append
stream-bytes | 2.2 | A streamed message holds about 11,000 bytes of UTF-8.
    test_a_stream_holds_eleven_thousand_bytes_of_utf8
stream-tasks | 2.2 | Task rows count, details and output twice.
    test_task_rows_count_and_their_details_and_output_twice
stream-chunk | 5.8 | 12,000 characters a chunk.
    test_a_chunk_takes_twelve_thousand_characters
chunk-kinds | 1.4 | markdown_text, task_update, plan_update, blocks; anything else is invalid_chunks.
    test_a_chunk_that_slack_does_not_know_is_refused
chunk-atomic | 1.4 | Of a refused call, no chunk is added.
    test_a_refused_chunk_adds_nothing
stream-tiers | 2.1 | Start and stop are Tier 2, append is Tier 4.
    test_starting_and_stopping_is_scarce_appending_less_so

# Sessions
stop | 2.4, 5.9 | Stop ends the streams and leaves the status; then stopped_by_user.
    test_stop_ends_the_streams_and_leaves_the_status
stop-status | 2.4 | stopStream sets the session's status.
    test_stopping_a_stream_ends_the_session_as_it_says
session | 2.4 | setStatus(processing) shows Stop, for an hour at most.
    test_a_status_shows_the_stop_button_until_it_changes_or_an_hour_passes
session-warning | 2.4 | Without the subscription: a warning, and no Stop.
    test_without_the_subscription_there_is_a_warning_and_no_event
session-agent | 2.4 | An app that isn't an agent: not_authorized.
    test_an_app_that_is_no_agent_has_no_sessions
session-title | 2.2 | A title has at most 200 characters.
    test_a_session_s_title_has_two_hundred_characters_at_most
status-line | 1.3 | A thread's status line clears when the app says something; ten loading messages.
    test_a_thread_s_status_line_clears_when_something_is_said
status-timeout | 1.3 | A thread's status line clears after two minutes.
    test_a_thread_s_status_line_clears_by_itself_after_two_minutes
prompts | 1.3, 2.2 | Four suggested prompts, in DMs, without a thread at the top.
    test_four_prompts_can_be_suggested_in_a_direct_message

# Views
trigger-once | 2.3 | A trigger_id opens one view: exchanged_trigger_id.
    test_a_trigger_opens_one_view
trigger-ttl | 2.3 | A trigger_id lives three seconds: expired_trigger_id.
    test_a_trigger_lives_three_seconds
view-limits | 2.2 | Title 24, 100 blocks, private_metadata 3,000, callback_id 255; submit where there is input.
    test_what_a_modal_may_not_be
view-depth | 2.2 | Three modals deep: push_limit_reached.
    test_three_modals_can_be_stacked
view-hash | docs | views.update with an old hash: hash_conflict.
    test_a_view_is_updated_unless_it_changed_meanwhile
home | 2.5 | views.publish for a person of the workspace.
    test_a_home_is_published_for_one_person

# Files
upload | 1.5 | Three steps; shared, it is a file_share message in the thread.
    test_a_file_is_announced_sent_and_completed
upload-bytes | 1.5 | Without its bytes, as many as announced, a file can't be completed.
    test_a_file_without_its_bytes_cannot_be_completed
upload-private | 1.5 | Completed without a channel, a file is nobody's to see, and no message.
    test_a_file_that_is_completed_without_a_channel_is_in_none
upload-processed | 1.5 | After its completion a file is processed for a while: files.info has no mimetype until then.
    test_a_file_is_processed_for_a_while_after_its_completion
slack-file | 1.5 | An image block shows an uploaded picture.
    test_an_uploaded_picture_can_be_part_of_a_message
slack-file-checked | 1.5 | An image block with an unknown file, one that isn't processed or no picture: invalid_blocks.
    test_an_image_block_takes_no_file_that_is_unknown_unprocessed_or_no_picture
alt-text | docs | alt_text has at most 2,000 characters.
    test_what_a_block_may_not_be
download | issue | A download needs the bot's token; otherwise it leads to a sign-in page.
    test_a_download_needs_the_bots_token
download-scope | 2.5 | A download needs files:read.
    test_a_download_needs_its_scope
download-redirect | issue | A download may lead to another host, which must not see the token.
    test_a_download_can_lead_to_another_host_which_notes_a_leaked_token
file-shared | 5.12 | A stranger's file is seen where it is shared.
    test_a_file_of_another_workspace_is_seen_where_it_is_shared

# response_url
response-five | 1.2, 2.3 | Five posts to a response_url, private unless in_channel; the bot need not be there.
    test_a_response_url_takes_five_posts
response-ttl | 1.2, 2.3 | A response_url lives 30 minutes.
    test_a_response_url_lives_half_an_hour
response-replace | 1.2 | in_channel, replace_original, delete_original.
    test_a_response_url_can_speak_to_all_replace_and_delete

# Events
twins | 2.3 | A mention comes as message and app_mention: same ts, two event_ids.
    test_a_mention_comes_twice_with_one_ts_and_two_event_ids
dm-mention | docs | In a DM there is no app_mention.
    test_a_mention_in_a_direct_message_comes_once
dm-root | 2.4, 0.3 | A DM's root has no thread_ts; message.im carries app_context.
    test_the_root_of_a_direct_message_has_no_thread
subscribed | 2.5 | An event needs membership, subscription and scope.
    test_an_event_needs_membership_subscription_and_scope
root-changed | 5.3 | A reply sends message_changed for its root, text unchanged.
    test_a_reply_changes_its_thread_s_root
edited | 5.3 | An edit sends message_changed with both texts, and no app_mention.
    test_an_edit_changes_the_text_and_mentions_nobody_again
unfurl | 5.3 | A preview sends message_changed, unless unfurl_links and unfurl_media are off.
    test_a_link_is_unfurled_unless_the_app_forbids_it
deleted | 2.3 | A deletion sends message_deleted, and its thread is gone.
    test_a_deletion_is_told_and_the_thread_is_gone
tombstone | docs | A deleted root with replies becomes a tombstone: message_changed, and still the root.
    test_a_deleted_root_with_replies_becomes_a_tombstone
bots | 1.8, 5.4 | Messages of bots carry bot_id and app_id, ours too.
    test_bots_are_told_apart
strangers | 5.12 | A stranger's message has their team outside and ours in authorizations.
    test_a_stranger_s_message_names_their_workspace_and_ours
org-events | 5.12 | An org install's events have no team in authorizations.
    test_an_org_install_is_told_without_a_team
home-opened | 2.4 | app_home_opened names the tab and the context.
    test_the_home_tells_which_tab_was_opened
farewell | 1.1, 2.5 | Removal sends tokens_revoked and app_uninstalled; the bot leaves its channels.
    test_an_app_that_is_removed_is_told_twice_and_leaves
"""

RULES = parse(_TABLE)
