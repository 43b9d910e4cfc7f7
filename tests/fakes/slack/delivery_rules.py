"""The rules of delivery and of what people do: where each was read, and the test that holds it. As in `rules`."""

from __future__ import annotations

from tests.fakes.slack.rules import parse

_TABLE = """
# Delivery
deadline | 2.3 | An event that isn't acked in three seconds comes again, with retry number and reason.
    test_an_event_without_an_ack_comes_again_with_its_number_and_the_reason
retries | 2.3 | Three redeliveries, at once, after one minute and after five; then it is given up.
    test_slack_gives_up_after_three_redeliveries
delayed | 2.3 | With Delayed Events it goes on coming, hourly.
    test_delayed_events_go_on_until_the_app_is_back
no-retry | 2.3 | X-Slack-No-Retry: 1 ends the redeliveries.
    test_an_app_can_ask_not_to_be_told_again
at-least-once | 2.3, 5.1 | Copies share their event_id; a lost ack brings the event again.
    test_copies_share_their_event_id_and_a_lost_ack_brings_the_event_again
unordered | 2.3 | Events overtake each other.
    test_with_jitter_events_overtake_each_other
redirects | 2.3 | Redirects are followed twice; more are too_many_redirects.
    test_redirects_are_followed_twice
disabled | 2.3 | Not played: less than 5 % success within an hour disables the subscriptions.
    -
app-rate-limited | 2.1 | Not played: more than 30,000 events an hour: app_rate_limited.
    -
once | 1.2, 1.7 | A command, a press, a submission comes once; without an ack, its author reads of a time-out.
    test_a_command_that_is_not_answered_in_time_tells_its_author_so_and_comes_once
emptiness | 2.5 | Where the bot isn't, nobody tells it anything.
    test_where_the_bot_is_not_nobody_tells_it_anything

# Signed HTTP
signature | 1.7 | v0=HMAC-SHA256 over time stamp and body; what fails that is refused before any work.
    test_what_slack_did_not_sign_just_now_is_refused
verification | 1.1 | url_verification is answered with its challenge.
    test_a_request_url_is_verified_by_its_answer_to_a_challenge
one-path | 1.1 | Events are JSON, interactions and commands forms, all at one path.
    test_a_button_opens_a_modal_that_shows_its_errors_and_closes_when_it_is_right

# Socket Mode
one-socket | 1.7, 2.3 | Each envelope goes to one of the open sockets, by chance.
    test_each_envelope_goes_to_one_of_the_sockets_and_all_of_them_get_some
ticket | 1.7 | An address is good for one socket.
    test_a_ticket_is_good_for_one_socket
ten-sockets | 2.3, 5.14 | Ten sockets; one more is told too_many_websockets.
    test_an_eleventh_socket_is_refused
hello | 3.6 | A socket is greeted with hello, connection_info and the number of sockets.
    test_a_socket_is_greeted_and_its_envelopes_say_what_they_are
envelope | 3.6 | envelope_id, accepts_response_payload; events have retry_attempt and retry_reason.
    test_a_socket_is_greeted_and_its_envelopes_say_what_they_are
refresh | 1.7, 2.3 | A socket is told to go (warning, refresh_requested) and closed a while later.
    test_a_socket_that_is_told_to_go_is_replaced_and_nothing_is_lost
break | 1.7 | What waits for its ack on a socket that breaks comes again on another.
    test_an_envelope_on_a_socket_that_breaks_comes_again_on_another
late-ack | issue | An ack counts only on the socket of its envelope (Slack's own rule isn't known).
    test_an_ack_on_another_socket_does_not_count

# What people do
press | 1.3 | block_actions: message, container, channel, trigger_id, response_url, action.
    test_a_choice_comes_with_all_that_an_app_needs_to_answer_it
ephemeral-press | 5.16 | The payload of an ephemeral message doesn't carry it.
    test_the_payload_of_an_ephemeral_message_does_not_carry_it
feedback | 1.3 | feedback_buttons: the value of the half that was pressed.
    test_feedback_carries_the_value_of_the_half_that_was_pressed
visible-to | 1.3 | visible_to_user_ids: nobody else can press it.
    test_a_button_for_some_people_can_be_pressed_by_them_only
org-press | 5.12 | An org install's presses have no team.
    test_an_org_installs_presses_have_no_team
stranger-press | 5.12 | A stranger has their own team, the payload ours.
    test_a_stranger_has_their_own_team_and_the_payload_ours
stranger | 5.12 | A stranger's message says where they are from.
    test_the_one_who_writes_from_another_workspace_is_told_by_it
replaced | 1.2 | replace_original takes the buttons away.
    test_a_button_can_replace_the_message_that_it_is_in_and_is_gone_then
command | 1.2, 2.3 | A command is flat; the ack's text is private; its response_url can speak to all.
    test_a_commands_answer_is_private_and_its_response_url_can_speak_to_all
command-names | docs | A command names channels as Slack does: directmessage, privategroup.
    test_a_command_is_flat_and_names_the_channel_as_slack_does
submission | 1.2 | view_submission: values, errors, push; without a word it closes.
    test_a_button_opens_a_modal_that_shows_its_errors_and_closes_when_it_is_right
response-action | 1.2 | response_action: update, push (three deep), clear.
    test_an_answer_to_a_submission_updates_pushes_or_clears
modal-press | 1.2 | A choice in a modal comes with view.state.values.
    test_a_choice_in_a_modal_comes_with_what_it_holds_by_then
form | docs | Slack itself checks what is required, too long, too short, not offered.
    test_slack_does_not_let_a_wrong_form_through
closed | docs | view_closed for apps that asked (notify_on_close), with is_cleared.
    test_closing_everything_is_told_once_for_each_modal_as_cleared
home | 1.3 | The Home is published for whoever opens it.
    test_the_app_home_is_published_for_whoever_opens_it
messages-tab | 1.3, 2.4 | Opening the Messages tab is the moment for suggested prompts.
    test_prompts_are_there_once_somebody_has_opened_the_messages_tab
native-stop | 2.4 | agent_session_stopped: who, which thread, which streams.
    test_slacks_stop_ends_the_streams_and_tells_the_app_which
hidden | 5.3 | Edits, previews and deletions are hidden messages about another.
    test_edits_deletions_and_unfurls_are_hidden_messages_about_another
shared-file | 1.5 | A shared file is a file_share message with private addresses.
    test_a_shared_file_comes_with_an_address_that_the_bot_may_read
other-bots | 1.8, 5.4 | Other bots are told by their bot_id.
    test_another_bot_is_told_by_its_bot_id
oauth-pages | 1.6 | Install page, consent or cancel, redirect; the state belongs to one browser.
    test_a_workspace_installs_the_app_through_its_own_pages
uninstalled | 1.1, 2.5 | Uninstalling is told, and the token is worth nothing.
    test_an_uninstalled_app_is_told_and_its_token_is_worth_nothing
typing-in-thread | 2.3, 6 | Slash commands don't work in threads.
    test_commands_are_not_for_threads
"""

RULES = parse(_TABLE)
