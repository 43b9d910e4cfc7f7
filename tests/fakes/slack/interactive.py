"""What an app is sent when somebody presses, chooses, submits or types a command."""

from __future__ import annotations

import time
from typing import Any

from tests.fakes.slack.state import Slack
from tests.fakes.slack.world import Channel, Message, SlackError, User, View

#: Slack's old verification token, which nobody should look at any more.
VERIFICATION_TOKEN = "deprecated"

Block = dict[str, Any]

#: Menus of whatever there is in the workspace.
_CHOICES_OF_ALL = ("users_select", "conversations_select", "channels_select")


def block_actions(
    slack: Slack,
    person: User,
    action: Block,
    *,
    message: Message | None = None,
    view: View | None = None,
    values: Block | None = None,
) -> Block:
    """A press on an element of a message, a modal or the App Home; `values` is what the view holds by then.

    `response_url` and `channel` come with messages only. The payload of an ephemeral message doesn't carry it.
    """
    place = slack.channels[message.channel] if message is not None else None
    payload = _common(slack, "block_actions", person, home_of(slack, place) if place else person.team)
    payload |= {"trigger_id": slack.trigger(person.team, person.id), "actions": [action], "state": {"values": {}}}
    if message is not None and place is not None:
        container: Block = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": place.id,
            "is_ephemeral": bool(message.ephemeral_to),
        }
        if message.thread_ts:
            container["thread_ts"] = message.thread_ts
        payload |= {
            "container": container,
            "channel": {"id": place.id, "name": channel_name(place)},
            "response_url": slack.response_url(home_of(slack, place), place.id, person.id, message.ts),
        }
        if not message.ephemeral_to:
            payload["message"] = slack.shown_message(message)
    if view is not None:
        payload |= {"container": {"type": "view", "view_id": view.id}, "view": shown_view(slack, view, values or {})}
    return payload


def view_submission(slack: Slack, person: User, view: View, values: Block) -> Block:
    """A modal that is submitted, with what was filled in."""
    return _common(slack, "view_submission", person, view.team) | {
        "trigger_id": slack.trigger(person.team, person.id),
        "view": shown_view(slack, view, values),
        "response_urls": [],
    }


def view_closed(slack: Slack, person: User, view: View, *, cleared: bool) -> Block:
    """A modal that is closed, for apps that asked to be told (`notify_on_close`)."""
    return _common(slack, "view_closed", person, view.team) | {
        "view": shown_view(slack, view, {}),
        "is_cleared": cleared,
    }


def slash_command(slack: Slack, person: User, channel: Channel, command: str, text: str) -> Block:
    """A slash command: flat, everything a string."""
    team = slack.workspaces[home_of(slack, channel)]
    install = slack.mine(team.id)
    payload = {
        "token": VERIFICATION_TOKEN,
        "team_id": team.id,
        "team_domain": team.domain,
        "channel_id": channel.id,
        "channel_name": channel_name(channel),
        "user_id": person.id,
        "user_name": person.name,
        "command": command,
        "text": text,
        "api_app_id": slack.app.id,
        "is_enterprise_install": "true" if install is not None and not install.team else "false",
        "response_url": slack.response_url(team.id, channel.id, person.id),
        "trigger_id": slack.trigger(team.id, person.id),
    }
    if team.enterprise_id:
        payload |= {"enterprise_id": team.enterprise_id, "enterprise_name": team.enterprise_id}
    return payload


def channel_name(channel: Channel) -> str:
    """A channel's name as payloads give it."""
    return {"im": "directmessage", "group": "privategroup"}.get(channel.kind, channel.name)


def shown_view(slack: Slack, view: View, values: Block) -> Block:
    """A view with what was filled in."""
    return slack.shown_view(view) | {"state": {"values": values}}


def home_of(slack: Slack, channel: Channel) -> str:
    """The workspace of the app's install that sees this channel."""
    return next((team for team in channel.teams if slack.mine(team)), channel.team)


def find(blocks: list[Block], action_id: str, value: str | None = None) -> tuple[Block, Block]:
    """The element with this action id (and this value or with this option), and its block.

    Raises `SlackError` where nobody could press it.
    """
    for block in blocks:
        for element in _elements(block):
            if element.get("action_id") == action_id and (value is None or _takes(element, value)):
                return element, block
    raise SlackError("no_such_element", action_id=action_id, value=value)


def action_of(element: Block, block: Block, value: str | None) -> Block:
    """One entry of `actions`: the element as it was pressed. Raises `SlackError` for a choice that isn't offered."""
    kind = element["type"]
    action: Block = {
        "type": kind,
        "action_id": element.get("action_id", ""),
        "block_id": block.get("block_id", ""),
        "action_ts": f"{time.time():.6f}",
    }
    if kind in ("button", "icon_button"):
        return action | {name: element[name] for name in ("text", "value", "style", "icon") if name in element}
    if kind == "feedback_buttons":
        pressed = next(b for b in _feedback(element) if value in (None, b.get("value")))
        return action | {"value": pressed.get("value"), "text": pressed.get("text")}
    return action | {name: chosen for name, chosen in state_of(element, value).items() if name != "type"}


def state_of(element: Block, value: Any) -> Block:
    """What an input holds, as `state.values` has it. Raises `SlackError` for a choice that isn't offered."""
    kind = element["type"]
    if kind in ("overflow", "static_select", "radio_buttons"):
        return {"type": kind, "selected_option": None if value is None else _option(element, value)}
    if kind in ("multi_static_select", "checkboxes"):
        return {"type": kind, "selected_options": [_option(element, one) for one in value or ()]}
    if kind in ("users_select", "conversations_select", "channels_select"):
        return {"type": kind, f"selected_{kind.split('_')[0][:-1]}": value}
    if kind in ("multi_users_select", "multi_conversations_select", "multi_channels_select"):
        return {"type": kind, f"selected_{kind.split('_')[1]}": list(value or ())}
    return {"type": kind, "value": value}


def initial(element: Block) -> Any:
    """What an input holds before anybody touches it, in the form that `state_of` takes."""
    for name in ("value", "user", "conversation", "channel", "users", "conversations", "channels"):
        if f"initial_{name}" in element:
            return element[f"initial_{name}"]
    if "initial_option" in element:
        return element["initial_option"]["value"]
    return [option["value"] for option in element["initial_options"]] if "initial_options" in element else None


def inputs(block: Block) -> list[Block]:
    """The elements of a block that hold something."""
    return [element for element in _elements(block) if element["type"] not in ("button", "overflow", "image")]


def _option(element: Block, value: str) -> Block:
    for option in _options(element):
        if option.get("value") == value:
            return {"text": option["text"], "value": value}
    raise SlackError("no_such_option", action_id=element.get("action_id"), value=value)


def _options(element: Block) -> list[Block]:
    grouped = [option for group in element.get("option_groups", ()) for option in group["options"]]
    return [*element.get("options", ()), *grouped]


def _takes(element: Block, value: str) -> bool:
    """Whether it has this value, or lets people choose among all channels or people."""
    return element["type"] in _CHOICES_OF_ALL or value in _values(element)


def _values(element: Block) -> list[Any]:
    return [element.get("value"), *(one.get("value") for one in [*_options(element), *_feedback(element)])]


def _feedback(element: Block) -> list[Block]:
    return [element[name] for name in ("positive_button", "negative_button") if name in element]


def _elements(block: Block) -> list[Block]:
    """The interactive elements of a block."""
    found = [*block.get("elements", ())] + [block[name] for name in ("accessory", "element") if name in block]
    return [element for element in found if isinstance(element, dict) and "action_id" in element]


def _common(slack: Slack, kind: str, person: User, team: str) -> Block:
    """What all interactive payloads carry. An org install's have no `team` (facts 5.12)."""
    workspace = slack.workspaces[team]
    install = slack.mine(workspace.id)
    whole_org = install is not None and not install.team
    return {
        "type": kind,
        "user": {"id": person.id, "username": person.name, "name": person.name, "team_id": person.team},
        "api_app_id": slack.app.id,
        "token": VERIFICATION_TOKEN,
        "team": None if whole_org else {"id": workspace.id, "domain": workspace.domain},
        "enterprise": {"id": workspace.enterprise_id, "name": workspace.name} if workspace.enterprise_id else None,
        "is_enterprise_install": whole_org,
    }
