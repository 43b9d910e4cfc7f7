"""The whole fake world: what people do in it, what the app does to it, and the events that follow from both.

Nothing here does I/O but write the log. Every method raises `SlackError`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from tests.fakes.slack import answering, shapes
from tests.fakes.slack.config import Config
from tests.fakes.slack.conversations import Conversations
from tests.fakes.slack.envelope import Envelope, subject_of
from tests.fakes.slack.log import Log
from tests.fakes.slack.tiers import Tiers
from tests.fakes.slack.world import App, Channel, Install, Message, ResponseHook, Session, SlackError, Trigger, View

_MENTION = re.compile(r"<@([UW]\w+)[^>]*>")
_URL = re.compile(r"https?://[^\s<>|)]+")


class Slack(Conversations):
    """`emit` gets every envelope for the app, in the order in which they arise, while the change is being made."""

    def __init__(
        self,
        emit: Callable[[Envelope], None],
        log: Log | None = None,
        config: Config | None = None,
        app: App | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(emit, log or Log(), config or Config(), app or App(), clock)
        #: Modals by id; App Homes by (team, user).
        self.views: dict[str, View] = {}
        self.homes: dict[tuple[str, str], View] = {}
        #: By (channel, thread_ts); "" as the thread: the channel's own.
        self.sessions: dict[tuple[str, str], Session] = {}
        #: What assistant.threads.setSuggestedPrompts offers, by (channel, thread_ts); "" as the thread: at the top.
        self.prompts: dict[tuple[str, str], list[dict[str, Any]]] = {}
        #: What assistant.threads.setStatus shows and until when, by (channel, thread_ts).
        self._statuses: dict[tuple[str, str], tuple[str, float]] = {}
        self.triggers: dict[str, Trigger] = {}
        #: By the secret part of the response_url.
        self.hooks: dict[str, ResponseHook] = {}
        #: Tickets of apps.connections.open that no socket has used yet.
        self.tickets: set[str] = set()
        #: How much of each rate limit is used up.
        self.tiers = Tiers(clock)
        #: Messages of the app that the call in progress has changed; `web` empties it before each call.
        self.touched: list[Message] = []

    # What people do.

    def say(
        self,
        team: str,
        channel: str,
        user: str,
        text: str,
        thread_ts: str | None = None,
        files: Sequence[str] = (),
        *,
        broadcast: bool = False,
        sent_at: float | None = None,
        context: dict[str, Any] | None = None,
        through: Install | None = None,
    ) -> Message:
        """Somebody writes in a channel that `team` sees; `files` are ids, `sent_at` a time of the test's choice.
        `context`: what they have open, as `app_context` of a DM's message (facts 2.4). `through`: the app that
        wrote it in their name, and is named."""
        place = self.channel(channel)
        author = self.user(user)
        if team not in place.teams or user not in place.members:
            raise SlackError("not_in_channel")
        if place.archived:
            raise SlackError("is_archived")
        if thread_ts is not None:
            self.thread_root(channel, thread_ts)
        message = self._add(
            place,
            Message(
                channel=channel,
                ts=self._ts(channel, sent_at),
                user=user,
                team=author.team,
                text=text,
                thread_ts=thread_ts,
                bot_id=through.bot_id if through else author.bot_id,
                app_id=self.app.id if through else "AOTHER" if author.is_bot else "",
                username=author.name if author.is_bot else "",
                subtype="file_share" if files else "thread_broadcast" if broadcast else "",
                files=list(files),
                client_msg_id="" if author.is_bot else f"{channel}-{len(self.messages)}",
                created_at=self.now() if sent_at is None else sent_at,
            ),
        )
        for name in files:
            self.files[name].channels.add(channel)
        event = self.shown_message(message)
        if context is not None:
            event["app_context"] = context
        mine = self._present(place)
        self.log.write(
            "said",
            **self._about(message),
            sent_at=message.created_at,
            mentions=_MENTION.findall(text),
            mentions_us=mine is not None and mine.bot_user in _MENTION.findall(text),
        )
        self._announce(place, message, event)
        if not place.direct and "app_mention" in self.app.events:
            self._mention(place, message, event)
        self._tell_parent(place, message)
        if self.config.unfurls and _URL.search(text):
            self.unfurl(channel, message.ts)
        return message

    def edit(self, channel: str, ts: str, text: str) -> Message:
        """Somebody edits what they wrote: message_changed, and no second app_mention."""
        message = self.message(channel, ts)
        if self.is_ours(message):
            raise SlackError("cant_update_message")
        before = self.shown_message(message)
        message.text = text
        message.edited_at = self.now()
        self.log.write("reworded", **self._about(message))
        self._changed(message, before)
        return message

    def delete(self, channel: str, ts: str) -> Message:
        """Somebody deletes what they wrote; a message of the app: a moderator does."""
        message = self.message(channel, ts)
        ours = self.is_ours(message)
        self._gone(message)
        if ours:
            self.log.write("moderated", subject=subject_of(channel, ts), shown=[self.seen(message)])
        else:
            self.log.write("erased", **self._about(message))
        return message

    def unfurl(self, channel: str, ts: str) -> None:
        """Slack adds previews to a message: message_changed with the same text (facts 5.3)."""
        message = self.message(channel, ts)
        before = self.shown_message(message)
        message.attachments = message.attachments + [
            {"id": number, "from_url": url, "title": "Preview", "fallback": "Preview"}
            for number, url in enumerate(_URL.findall(message.text), 1)
        ]
        self._changed(message, before)

    def stop_session(self, channel: str, thread_ts: str, user: str) -> list[str]:
        """Somebody presses Slack's Stop: the thread's streams end at once, the status stays as it is, and
        agent_session_stopped tells the app (facts 2.4). The ts of those streams. `no_stop_button`: nothing goes on, or
        the app isn't an agent that would hear of it."""
        place = self.channel(channel)
        self.user(user)
        session = self.session(channel, thread_ts)
        streams = [
            message
            for message in self.thread(channel, thread_ts)
            if message.stream is not None and message.stream.state == "streaming"
        ]
        going = bool(streams) or (session is not None and session.status == "processing")
        if not going or not self.app.agent or "agent_session_stopped" not in self.app.events:
            raise SlackError("no_stop_button")
        for message in streams:
            assert message.stream is not None
            message.stream.state = "stopped_by_user"
        stopped = [message.ts for message in streams]
        shown = [self.seen(message) for message in streams]
        self.log.write("stopped", channel=channel, thread_ts=thread_ts, user=user, shown=shown)
        event = {
            "type": "agent_session_stopped",
            "channel": channel,
            "thread_ts": thread_ts,
            "user": user,
            "streaming_message_ts": stopped,
            "event_ts": f"{self.now():.6f}",
        }
        self._send(place, event, subject_of(channel, thread_ts))
        return stopped

    def open_home(self, team: str, user: str, tab: str = "home", context: dict[str, Any] | None = None) -> None:
        """app_home_opened; the Messages tab is where an agent's conversations begin (facts 2.4)."""
        event: dict[str, Any] = {
            "type": "app_home_opened",
            "user": user,
            "channel": self.dm(team, user).id,
            "tab": tab,
            "event_ts": f"{self.now():.6f}",
        }
        home = self.homes.get((team, user))
        if tab == "home" and home is not None:
            event["view"] = self.shown_view(home)
        if context is not None:
            event["context"] = context
        self.event(team, event, f"app_home_opened/{user}")

    # What the app does.

    def post(self, install: Install, place: Channel, draft: Message) -> Message:
        """The app's bot writes `draft` (its ts is filled in); nothing about it is idempotent."""
        message = replace(
            draft,
            ts=self._ts(place.id),
            user=install.bot_user,
            team=install.team or place.team,
            bot_id=install.bot_id,
            app_id=self.app.id,
            subtype="bot_message" if draft.username or draft.icon else draft.subtype,
            username=draft.username or self.app.name,
            created_at=self.now(),
        )
        self._add(place, message)
        self.touched.append(message)
        # The status line of a thread clears when something is said (facts 1.3).
        self._statuses.pop((place.id, message.thread_ts or ""), None)
        if not message.ephemeral_to:
            self._announce(place, message, self.shown_message(message))
            self._tell_parent(place, message)
        return message

    def change(self, message: Message, before: dict[str, Any]) -> None:
        """The app's bot has changed a message of its own; `before` is what was shown."""
        self.touched.append(message)
        if not message.ephemeral_to:
            self._changed(message, before)

    def remove(self, message: Message) -> None:
        """The app's bot deletes a message of its own."""
        self.touched.append(message)
        self._gone(message)

    # Looking.

    def session(self, channel: str, thread_ts: str) -> Session | None:
        """The session of a thread; a stuck `processing` clears by itself (facts 2.4)."""
        session = self.sessions.get((channel, thread_ts))
        if session is not None and session.status == "processing" and self.now() >= session.until:
            session.status = "active"
        return session

    def set_session(self, channel: str, thread_ts: str, status: str) -> Session:
        """A session gets this status, and is made where there is none."""
        session = self.sessions.setdefault((channel, thread_ts), Session(status))
        session.status = status
        session.until = self.now() + self.config.session_ttl
        return session

    def status(self, channel: str, thread_ts: str) -> str:
        """The status line of a thread; "": none."""
        text, until = self._statuses.get((channel, thread_ts), ("", 0.0))
        return text if self.now() < until else ""

    def set_status(self, channel: str, thread_ts: str, text: str) -> None:
        """A status line; "" clears it."""
        self._statuses[channel, thread_ts] = (text, self.now() + self.config.status_ttl)

    def shown_view(self, view: View) -> dict[str, Any]:
        """A view as Slack sends it back, and as view_submission carries it."""
        install = self.mine(view.team)
        return shapes.view(view, self.app, install.bot_id if install else "")

    # For interactive shapes.

    def trigger(self, team: str, user: str) -> str:
        """A new trigger_id."""
        name = f"{len(self.triggers) + 1}.{team}.{user}"
        self.triggers[name] = Trigger(team, user, self.now() + self.config.trigger_ttl)
        return name

    def response_url(self, team: str, channel: str, user: str, ts: str | None = None) -> str:
        """A new response_url; `ts` is the message that was pressed on."""
        secret = f"{team}-{len(self.hooks) + 1}"
        self.hooks[secret] = ResponseHook(team, channel, user, ts, self.now() + self.config.response_ttl)
        return f"{self.origin}/response/{secret}"

    def answer(self, response_url: str, body: dict[str, Any]) -> None:
        """What the app posts to a response_url, or answers a slash command with."""
        answering.answer(self, response_url, body)
