"""Modals as a person meets them: what is filled in, and what the app's answer to a submission does to them."""

from __future__ import annotations

from typing import Any

from tests.fakes.slack import sizes
from tests.fakes.slack.interactive import initial, inputs, state_of
from tests.fakes.slack.state import Slack
from tests.fakes.slack.world import SlackError, View

Block = dict[str, Any]

#: The longest text of an input (facts 2.2).
MOST_TEXT = 3000


def stack(slack: Slack, user: str) -> list[View]:
    """The modals that this person has open, the one in front last."""
    return [view for view in slack.views.values() if view.user == user and view.body["type"] == "modal"]


def front(slack: Slack, user: str) -> View:
    """The modal in front. Raises `SlackError` when there is none."""
    views = stack(slack, user)
    if not views:
        raise SlackError("no_modal")
    return views[-1]


def fill(view: View, given: dict[str, Any], *, submitting: bool = True) -> dict[str, Block]:
    """`state.values` once this was filled in, by action id or block id; the rest is as the app set it.

    Only when it is being submitted, Slack checks it.

    Raises `SlackError` for what Slack doesn't let through: `required`, `too_long`, `too_short`, `no_such_option`,
    `no_such_input`.
    """
    left = dict(given)
    values: dict[str, Block] = {}
    for block in view.body.get("blocks", ()):
        for element in inputs(block):
            action_id = element["action_id"]
            name = action_id if action_id in left else block.get("block_id")
            value = left.pop(name) if name in left else initial(element)
            if submitting and block["type"] == "input":
                _check(block, element, value)
            values.setdefault(block["block_id"], {})[action_id] = state_of(element, value)
    if left:
        raise SlackError("no_such_input", names=sorted(left))
    return values


def apply(slack: Slack, view: View, answer: Any) -> dict[str, Any]:
    """Do what the app answered to a submission: close, show errors, update, push, clear all. What came of it."""
    body = answer if isinstance(answer, dict) else {}
    action = body.get("response_action")
    if action == "errors":
        known = {block.get("block_id") for block in view.body.get("blocks", ())}
        if not body.get("errors") or body["errors"].keys() - known:
            raise SlackError("no_such_block", names=sorted(body.get("errors", {})))
        return {"outcome": "errors", "errors": body["errors"]}
    if action == "update":
        view.body, view.hash = _checked(slack, body["view"]), _hash(slack)
        return {"outcome": "updated", "view_id": view.id}
    if action == "push":
        there = stack(slack, view.user)
        if len(there) >= sizes.VIEW_DEPTH:
            raise SlackError("push_limit_reached")
        name = f"V{slack.count('view'):06d}"
        pushed = View(name, view.team, view.user, _checked(slack, body["view"]), _hash(slack))
        pushed.previous_id, pushed.root_id = view.id, there[0].id
        slack.views[pushed.id] = pushed
        return {"outcome": "pushed", "view_id": pushed.id}
    gone = stack(slack, view.user) if action == "clear" else [view]
    for one in gone:
        del slack.views[one.id]
    return {"outcome": "cleared" if action == "clear" else "closed"}


def _check(block: Block, element: Block, value: Any) -> None:
    if value in (None, "", []):
        if not block.get("optional"):
            raise SlackError("required", block_id=block["block_id"])
        return
    if element["type"] != "plain_text_input":
        return
    if len(value) > element.get("max_length", MOST_TEXT):
        raise SlackError("too_long", block_id=block["block_id"])
    if len(value) < element.get("min_length", 0):
        raise SlackError("too_short", block_id=block["block_id"])


def _checked(slack: Slack, body: Block) -> Block:
    """A view that came with an ack: the same rules as for `views.open`."""
    sizes.check_view(body, "modal")
    return {**body, "blocks": slack.named(body["blocks"])}


def _hash(slack: Slack) -> str:
    return f"{int(slack.now())}.{slack.count('hash')}"
