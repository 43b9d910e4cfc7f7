"""What people do, one control call each: the hands and eyes of a test."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import Any

from tests.fakes.slack import interactive, modals
from tests.fakes.slack.deliver import Deliverer
from tests.fakes.slack.envelope import Envelope, subject_of
from tests.fakes.slack.http import Answer
from tests.fakes.slack.state import Slack
from tests.fakes.slack.world import Message, SlackError, User, View

Body = dict[str, Any]
Control = Callable[[Body], Awaitable[Body]]

#: What a person reads when the app doesn't answer in time.
TIMED_OUT = "operation_timeout"


class People:
    """Everybody in the fake but the app. Raises `SlackError` where Slack lets nobody do that."""

    def __init__(self, slack: Slack, deliverer: Deliverer) -> None:
        self._slack = slack
        self._deliverer = deliverer

    def controls(self) -> dict[str, Control]:
        """Name → what a person can do."""
        return {
            "say": self._say,
            "edit": self._edit,
            "delete": self._delete,
            "unfurl": self._unfurl,
            "upload": self._upload,
            "press": self._press,
            "stop": self._stop,
            "command": self._command,
            "open_home": self._open_home,
            "prompts": self._prompts,
            "view": self._view,
            "submit": self._submit,
            "close": self._close,
            "uninstall": self._uninstall,
            "revoke": self._revoke,
            "archive": self._archive,
            "kick": self._kick,
            "invite": self._invite,
        }

    # Messages.

    async def _say(self, body: Body) -> Body:
        person = self._person(body)
        channel = body.get("channel") or self._slack.dm(body.get("team") or person.team, person.id).id
        message = self._slack.say(
            body.get("team") or person.team,
            channel,
            person.id,
            body["text"],
            body.get("thread_ts"),
            body.get("files") or (),
            broadcast=body.get("broadcast", False),
            sent_at=body.get("sent_at"),
            context=body.get("context"),
        )
        return {"channel": message.channel, "ts": message.ts, "thread_ts": message.thread_ts}

    async def _edit(self, body: Body) -> Body:
        self._slack.edit(body["channel"], body["ts"], body["text"])
        return {}

    async def _delete(self, body: Body) -> Body:
        self._slack.delete(body["channel"], body["ts"])
        return {}

    async def _unfurl(self, body: Body) -> Body:
        self._slack.unfurl(body["channel"], body["ts"])
        return {}

    async def _upload(self, body: Body) -> Body:
        """A file, to be said something with; `content` is base64."""
        person = self._person(body)
        content = base64.b64decode(body["content"])
        file = self._slack.add_file(person.team, person.id, body["name"], content, body.get("mimetype", ""))
        return {"file": file.id}

    # Pressing things.

    async def _press(self, body: Body) -> Body:
        """Press a button, choose from a menu, rate an answer: in a message, in the modal in front, in the App Home.
        `values` is what was filled in there before."""
        person = self._person(body)
        message, view = self._pressed_on(person, body)
        blocks = message.blocks if message is not None else view.body.get("blocks", []) if view is not None else []
        element, block = interactive.find(blocks, body["action_id"], body.get("value"))
        if not may_press(element, person.id):
            raise SlackError("no_such_element", action_id=body["action_id"])
        action = interactive.action_of(element, block, body.get("value"))
        held = modals.fill(view, _held(element, body), submitting=False) if view is not None else None
        payload = interactive.block_actions(self._slack, person, action, message=message, view=view, values=held)
        subject = subject_of(message.channel, message.ts) if message else f"view/{view.id}" if view else ""
        self._slack.log.write(
            "pressed", subject=subject, user=person.id, action_id=body["action_id"], value=_chosen(action)
        )
        answer = await self._ask("interactive", person, payload, subject)
        return {"acked": answer.why is None, "why": answer.why}

    async def _stop(self, body: Body) -> Body:
        """Slack's own Stop in a thread."""
        person = self._person(body)
        return {"streams": self._slack.stop_session(body["channel"], body["thread_ts"], person.id)}

    async def _command(self, body: Body) -> Body:
        """A slash command. What is answered with the ack, the person sees, as what is posted to the response_url."""
        person = self._person(body)
        channel_id = body.get("channel") or self._slack.dm(body.get("team") or person.team, person.id).id
        channel = self._slack.channels[channel_id]
        payload = interactive.slash_command(self._slack, person, channel, body["command"], body.get("text", ""))
        subject = f"{channel.id}/{body['command']}"
        self._slack.log.write(
            "commanded", channel=channel.id, user=person.id, command=body["command"], text=payload["text"]
        )
        answer = await self._ask("slash_commands", person, payload, subject)
        if answer.why is not None:
            return {"acked": False, "shown": TIMED_OUT}
        if answer.body.get("text") or answer.body.get("blocks"):
            self._slack.answer(payload["response_url"], answer.body)
        return {"acked": True, "shown": answer.body.get("text", "")}

    # App Home and modals.

    async def _open_home(self, body: Body) -> Body:
        person = self._person(body)
        self._slack.open_home(body.get("team") or person.team, person.id, body.get("tab", "home"), body.get("context"))
        return {}

    async def _prompts(self, body: Body) -> Body:
        """The suggested prompts that a person sees in the app's Messages tab or in one thread of it."""
        person = self._person(body)
        channel = self._slack.dm(body.get("team") or person.team, person.id)
        return {"prompts": self._slack.prompts.get((channel.id, body.get("thread_ts") or ""), [])}

    async def _view(self, body: Body) -> Body:
        """The modal in front (`home`: the App Home), or None."""
        person = self._person(body)
        if body.get("home"):
            home = self._slack.homes.get((body.get("team") or person.team, person.id))
            return {"view": self._slack.shown_view(home) if home else None}
        views = modals.stack(self._slack, person.id)
        return {"view": self._slack.shown_view(views[-1]) if views else None}

    async def _submit(self, body: Body) -> Body:
        """Fill in the modal in front and submit it."""
        person = self._person(body)
        view = modals.front(self._slack, person.id)
        values = modals.fill(view, body.get("values") or {})
        payload = interactive.view_submission(self._slack, person, view, values)
        answer = await self._ask("interactive", person, payload, f"view/{view.id}")
        if answer.why is not None:
            # "We had some trouble connecting. Try again?": the modal stays.
            return {"outcome": "trouble", "why": answer.why}
        return modals.apply(self._slack, view, answer.body)

    async def _close(self, body: Body) -> Body:
        """Close the modal in front; with `all`, those behind it, too. The app is told when it asked to be."""
        person = self._person(body)
        views = modals.stack(self._slack, person.id)
        closed = views if body.get("all") else [modals.front(self._slack, person.id)]
        for view in closed:
            del self._slack.views[view.id]
            if view.body.get("notify_on_close"):
                payload = interactive.view_closed(self._slack, person, view, cleared=bool(body.get("all")))
                await self._ask("interactive", person, payload, f"view/{view.id}")
        return {"closed": [view.id for view in closed]}

    # What administrators do.

    async def _uninstall(self, body: Body) -> Body:
        self._slack.uninstall(body["team"])
        return {}

    async def _revoke(self, body: Body) -> Body:
        self._slack.revoke(body["team"])
        return {}

    async def _archive(self, body: Body) -> Body:
        self._slack.archive(body["channel"])
        return {}

    async def _kick(self, body: Body) -> Body:
        """Remove somebody from a channel, the bot if nobody is named."""
        self._slack.kick(body["channel"], body.get("user") or self._bot_in(body["channel"]))
        return {}

    async def _invite(self, body: Body) -> Body:
        """Add somebody to a channel, the bot if nobody is named."""
        self._slack.invite(body["channel"], body.get("user") or self._bot_in(body["channel"]))
        return {}

    # Helpers.

    def _person(self, body: Body) -> User:
        return self._slack.users[body["user"]]

    def _bot_in(self, channel: str) -> str:
        install = self._slack.mine(interactive.home_of(self._slack, self._slack.channels[channel]))
        if install is None:
            raise SlackError("not_installed")
        return install.bot_user

    def _pressed_on(self, person: User, body: Body) -> tuple[Message | None, View | None]:
        """The message or the view that is looked at. Raises `SlackError` for one that this person doesn't see."""
        if body.get("home"):
            return None, self._slack.homes.get((body.get("team") or person.team, person.id))
        if "ts" not in body:
            return None, modals.front(self._slack, person.id)
        message = self._slack.messages.get((body["channel"], body["ts"]))
        if message is None or message.deleted_at is not None or message.ephemeral_to not in ("", person.id):
            raise SlackError("message_not_found")
        return message, None

    async def _ask(self, kind: Any, person: User, payload: Body, subject: str) -> Answer:
        team = payload.get("team_id") or (payload.get("team") or {}).get("id") or person.team
        return await self._deliverer.ask(Envelope(kind, team, payload, subject))


def _chosen(action: Body) -> str | None:
    """The value of what was pressed, or of what was chosen."""
    option = action.get("selected_option") or {}
    found = [action.get(name) for name in ("value", "selected_conversation", "selected_channel", "selected_user")]
    return next((value for value in (*found, option.get("value")) if value is not None), None)


def may_press(element: Body, user: str) -> bool:
    """Whether this person sees a button: it may be for some people only."""
    seen_by = element.get("visible_to_user_ids")
    return not seen_by or user in seen_by


def _held(element: Body, body: Body) -> Body:
    """What a view holds when something in it is pressed: what was filled in before, and what is being chosen."""
    chosen = {element["action_id"]: body.get("value")} if interactive.inputs({"element": element}) else {}
    return {**(body.get("values") or {}), **chosen}
