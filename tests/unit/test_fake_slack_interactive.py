"""What the fake Slack sends when people press, choose, fill in and type, and what it doesn't let them do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.slack import interactive, modals
from tests.fakes.slack.people import may_press
from tests.fakes.slack.prepared import ALICE, BOB, C1, C2, DORA, SHARED, T1, T2, prepare
from tests.fakes.slack.state import Slack
from tests.fakes.slack.world import Message, SlackError, View

BUTTON = {"type": "button", "action_id": "go", "value": "1", "text": {"type": "plain_text", "text": "Go"}}
OPTIONS = [{"text": {"type": "plain_text", "text": word}, "value": word} for word in ("one", "two")]
MENU = {"type": "static_select", "action_id": "menu", "options": OPTIONS, "initial_option": OPTIONS[0]}
FEEDBACK = {
    "type": "feedback_buttons",
    "action_id": "rate",
    "positive_button": {"text": {"type": "plain_text", "text": "Good"}, "value": "good"},
    "negative_button": {"text": {"type": "plain_text", "text": "Bad"}, "value": "bad"},
}
BLOCK = {"type": "actions", "block_id": "b1", "elements": [BUTTON, MENU, FEEDBACK]}


@pytest.fixture
def slack() -> Slack:
    filled = Slack(lambda envelope: None)
    prepare(filled)
    return filled


def _message(slack: Slack, channel: str = C1, *, to: str = "") -> Message:
    install = slack.mine(T1)
    assert install is not None
    draft = Message(channel, "", "", "", "hello", blocks=[BLOCK], ephemeral_to=to)
    return slack.post(install, slack.channels[channel], draft)


def _press(
    slack: Slack, user: str, message: Message, action_id: str = "go", value: str | None = None
) -> dict[str, Any]:
    action = interactive.action_of(*interactive.find(message.blocks, action_id, value), value)
    return interactive.block_actions(slack, slack.users[user], action, message=message, view=None)


def test_a_press_comes_with_the_message_a_trigger_and_a_response_url(slack: Slack) -> None:
    message = _message(slack)
    body = _press(slack, BOB, message)
    assert body["type"] == "block_actions"
    assert body["message"]["ts"] == body["container"]["message_ts"] == message.ts
    assert slack.triggers[body["trigger_id"]].user == BOB
    assert body["response_url"].startswith(slack.origin)
    assert (body["actions"][0]["block_id"], body["actions"][0]["value"]) == ("b1", "1")


def test_the_payload_of_an_ephemeral_message_does_not_carry_it(slack: Slack) -> None:
    body = _press(slack, BOB, _message(slack, to=BOB))
    assert "message" not in body
    assert body["container"]["is_ephemeral"] is True


def test_feedback_carries_the_value_of_the_half_that_was_pressed(slack: Slack) -> None:
    message = _message(slack)
    assert _press(slack, BOB, message, "rate", "bad")["actions"][0]["value"] == "bad"
    with pytest.raises(SlackError, match="no_such_element"):
        _press(slack, BOB, message, "rate", "indifferent")


def test_a_button_for_some_people_can_be_pressed_by_them_only() -> None:
    button = BUTTON | {"visible_to_user_ids": [ALICE]}
    assert may_press(button, ALICE)
    assert not may_press(button, BOB)
    assert may_press(BUTTON, BOB)


def test_a_stranger_has_their_own_team_and_the_payload_ours(slack: Slack) -> None:
    body = _press(slack, DORA, _message(slack, SHARED))
    assert body["user"]["team_id"] == T2
    assert body["team"]["id"] == T1


def test_an_org_installs_presses_have_no_team(slack: Slack) -> None:
    slack.add_workspace("T9", enterprise_id="E1")
    slack.add_user("UEVA", "T9", "eva")
    slack.install("T9", org=True)
    slack.add_channel("C9", "T9", members=["UEVA", "UBOTE1"])
    install = slack.mine("T9")
    assert install is not None
    message = slack.post(install, slack.channels["C9"], Message("C9", "", "", "", "hello", blocks=[BLOCK]))
    body = _press(slack, "UEVA", message)
    assert body["team"] is None
    assert body["enterprise"]["id"] == "E1"
    assert body["is_enterprise_install"] is True


@pytest.mark.parametrize(("channel", "name"), [(C1, "general"), (C2, "privategroup"), ("DT1UALICE", "directmessage")])
def test_a_command_is_flat_and_names_the_channel_as_slack_does(slack: Slack, channel: str, name: str) -> None:
    slack.dm(T1, ALICE)
    body = interactive.slash_command(slack, slack.users[ALICE], slack.channels[channel], "/kagent", "help")
    assert body["channel_name"] == name
    assert all(isinstance(value, str) for value in body.values())


def _view(**input_block: Any) -> View:
    text = {"type": "plain_text_input", "action_id": "text", "min_length": 2, "max_length": 5}
    blocks = [
        {"type": "input", "block_id": "t", "element": text, **input_block},
        {"type": "actions", "block_id": "m", "elements": [MENU, BUTTON]},
    ]
    return View("V1", T1, BOB, {"type": "modal", "callback_id": "x", "blocks": blocks}, "1")


def test_what_is_not_touched_stays_as_the_app_set_it() -> None:
    values = modals.fill(_view(), {"text": "abc"})
    assert values["t"]["text"] == {"type": "plain_text_input", "value": "abc"}
    assert values["m"]["menu"]["selected_option"]["value"] == "one"


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({}, "required"),
        ({"text": "a"}, "too_short"),
        ({"text": "abcdef"}, "too_long"),
        ({"text": "abc", "menu": "three"}, "no_such_option"),
        ({"text": "abc", "other": "x"}, "no_such_input"),
    ],
)
def test_slack_does_not_let_a_wrong_form_through(given: dict[str, str], error: str) -> None:
    with pytest.raises(SlackError, match=error):
        modals.fill(_view(), given)


def test_an_optional_input_may_stay_empty() -> None:
    assert modals.fill(_view(optional=True), {})["t"]["text"]["value"] is None


def test_an_answer_to_a_submission_updates_pushes_or_clears(slack: Slack) -> None:
    view = slack.views["V1"] = _view()
    new = {"type": "modal", "title": {"type": "plain_text", "text": "New"}, "blocks": []}
    assert modals.apply(slack, view, {"response_action": "update", "view": new})["outcome"] == "updated"
    assert view.body["title"]["text"] == "New"
    assert modals.apply(slack, view, {"response_action": "push", "view": new})["outcome"] == "pushed"
    assert modals.front(slack, BOB).previous_id == "V1"
    modals.apply(slack, modals.front(slack, BOB), {"response_action": "push", "view": new})
    with pytest.raises(SlackError, match="push_limit_reached"):
        modals.apply(slack, view, {"response_action": "push", "view": new})
    assert modals.apply(slack, view, {"response_action": "clear"})["outcome"] == "cleared"
    assert modals.stack(slack, BOB) == []


def test_errors_must_name_blocks_that_are_there(slack: Slack) -> None:
    view = slack.views["V1"] = _view()
    with pytest.raises(SlackError, match="no_such_block"):
        modals.apply(slack, view, {"response_action": "errors", "errors": {"elsewhere": "Wrong"}})


def test_nobody_writes_into_an_archived_channel(slack: Slack) -> None:
    slack.archive(C1)
    with pytest.raises(SlackError, match="is_archived"):
        slack.say(T1, C1, ALICE, "hello")
