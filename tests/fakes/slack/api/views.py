"""views.open, .push, .update, .publish."""

from __future__ import annotations

from typing import Any

from tests.fakes.slack import sizes
from tests.fakes.slack.api.call import Answer, Call, Method, invalid
from tests.fakes.slack.tiers import TIER4
from tests.fakes.slack.world import SlackError, Trigger, View


def open_view(call: Call) -> Answer:
    """A modal in front of whoever pressed, within three seconds (facts 2.3)."""
    body = _body(call, "modal")
    trigger = _trigger(call)
    return _keep(call, _view(call, trigger.team, trigger.user, body))


def push(call: Call) -> Answer:
    """One more modal on top, three at most (facts 2.2)."""
    body = _body(call, "modal")
    trigger = _trigger(call)
    stack = [view for view in call.slack.views.values() if view.user == trigger.user]
    if not stack:
        raise SlackError("not_found")
    if len(stack) >= sizes.VIEW_DEPTH:
        raise SlackError("push_limit_reached")
    view = _view(call, trigger.team, trigger.user, body)
    view.previous_id, view.root_id = stack[-1].id, stack[0].id
    return _keep(call, view)


def update(call: Call) -> Answer:
    """By id or external id; with `hash`, only what nobody has changed since."""
    name, external = call.text("view_id"), call.text("external_id")
    known = [*call.slack.views.values(), *call.slack.homes.values()]
    found = [view for view in known if view.id == name or (external and view.external_id == external)]
    if not found or not call.slack.sees(call.install, found[0].team):
        raise SlackError("not_found")
    body = _body(call, found[0].body["type"])
    _check_hash(call, found[0])
    found[0].body = body
    found[0].hash = _hash(call)
    return {"view": call.slack.shown_view(found[0])}


def publish(call: Call) -> Answer:
    """Somebody's App Home."""
    body = _body(call, "home")
    person = call.slack.user(call.required("user_id"))
    if not call.slack.sees(call.install, person.team):
        raise SlackError("user_not_found")
    there = call.slack.homes.get((person.team, person.id))
    if there is not None:
        _check_hash(call, there)
        there.body, there.hash = body, _hash(call)
    else:
        there = call.slack.homes[person.team, person.id] = _view(call, person.team, person.id, body)
    return {"view": call.slack.shown_view(there)}


def _body(call: Call, kind: str) -> dict[str, Any]:
    body = call.structure("view")
    if not isinstance(body, dict):
        raise invalid("missing required field: view")
    sizes.check_view(body, kind)
    call.slack.check_pictures(call.install, body["blocks"])
    return body | {"blocks": call.slack.named(body["blocks"])}


def _trigger(call: Call) -> Trigger:
    """Each is good for one view and for three seconds."""
    trigger = call.slack.triggers.get(call.required("trigger_id"))
    if trigger is None or not call.slack.sees(call.install, trigger.team):
        raise SlackError("invalid_trigger_id")
    if trigger.used:
        raise SlackError("exchanged_trigger_id")
    if call.slack.now() >= trigger.until:
        raise SlackError("expired_trigger_id")
    trigger.used = True
    return trigger


def _view(call: Call, team: str, user: str, body: dict[str, Any]) -> View:
    name = f"V{call.slack.count('view'):06d}"
    return View(name, team, user, body, _hash(call), external_id=body.get("external_id") or "")


def _keep(call: Call, view: View) -> Answer:
    call.slack.views[view.id] = view
    return {"view": call.slack.shown_view(view)}


def _check_hash(call: Call, view: View) -> None:
    if call.has("hash") and call.text("hash") != view.hash:
        raise SlackError("hash_conflict")


def _hash(call: Call) -> str:
    return f"{int(call.slack.now())}.{call.slack.count('hash')}"


METHODS = {
    "views.open": Method(open_view, TIER4),
    "views.push": Method(push, TIER4),
    "views.update": Method(update, TIER4),
    "views.publish": Method(publish, TIER4),
}
