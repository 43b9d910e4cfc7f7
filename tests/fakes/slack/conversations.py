"""Messages, the threads that they form, and the events that tell the app of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from tests.fakes.slack import shapes, sizes
from tests.fakes.slack.config import Config
from tests.fakes.slack.envelope import Envelope, subject_of
from tests.fakes.slack.log import Log
from tests.fakes.slack.population import Population
from tests.fakes.slack.world import App, Channel, File, Install, Message, SlackError


class Conversations(Population):
    """The part of `Slack` that keeps what was written."""

    def __init__(
        self, emit: Callable[[Envelope], None], log: Log, config: Config, app: App, clock: Callable[[], float]
    ) -> None:
        super().__init__(emit, app, clock)
        self.log = log
        self.config = config
        #: By (channel, ts).
        self.messages: dict[tuple[str, str], Message] = {}
        #: By (channel, thread's ts): everything in a thread but its root, oldest first.
        self._replies: dict[tuple[str, str], list[Message]] = {}
        #: By channel: everything but what is ephemeral.
        self._written: dict[str, list[Message]] = {}
        #: Channel → the last ts given out there, in microseconds.
        self._clocks: dict[str, int] = {}

    # Looking.

    def message(self, channel: str, ts: str) -> Message:
        """A message that exists, ephemeral ones among them."""
        message = self.messages.get((channel, ts))
        if message is None or message.deleted_at is not None:
            raise SlackError("message_not_found")
        return message

    def is_ours(self, message: Message) -> bool:
        """Whether the app wrote it."""
        return message.app_id == self.app.id

    def thread_root(self, channel: str, thread_ts: str) -> Message:
        """The message that a thread hangs on; deleted, it lives on as a tombstone as long as there are replies."""
        root = self.messages.get((channel, thread_ts))
        gone = root is not None and root.deleted_at is not None and not self.replies(channel, thread_ts)
        if root is None or root.ephemeral_to or gone:
            raise SlackError("thread_not_found")
        if root.thread_ts is not None:
            raise SlackError("cannot_reply_to_message")
        return root

    def replies(self, channel: str, ts: str) -> list[Message]:
        """What exists in a thread besides its root, oldest first."""
        return [reply for reply in self._replies.get((channel, ts), ()) if reply.deleted_at is None]

    def thread(self, channel: str, ts: str) -> list[Message]:
        """What exists in a thread, its root first."""
        root = self.messages.get((channel, ts))
        return ([root] if root is not None and root.deleted_at is None else []) + self.replies(channel, ts)

    def listed(self, channel: str) -> Iterable[Message]:
        """Everything that was ever written in a channel for all to see, deleted or not."""
        return self._written.get(channel, ())

    def threaded(self, channel: str, ts: str) -> list[Message]:
        """Everything that was ever in a thread, its root first, deleted or not."""
        root = self.messages.get((channel, ts))
        return ([root] if root is not None else []) + self._replies.get((channel, ts), [])

    def shown_message(self, message: Message, *, metadata: bool = False) -> dict[str, Any]:
        """A message as the Web API shows it, and as events and interactive shapes carry it."""
        files = [shapes.file(self.files[name], self.origin) for name in message.files]
        replies = [] if message.thread_ts else self.replies(message.channel, message.ts)
        return shapes.message(message, files, replies, metadata=metadata)

    def tombstone(self, root: Message) -> dict[str, Any]:
        """What is shown in place of a deleted message with replies."""
        shown = self.shown_message(root)
        kept = {name: value for name, value in shown.items() if name.startswith("reply_") or name == "latest_reply"}
        return {
            "type": "message",
            "subtype": "tombstone",
            "text": "This message was deleted.",
            "user": "USLACKBOT",
            "hidden": True,
            "ts": root.ts,
            "thread_ts": root.ts,
            **kept,
        }

    def named(self, blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """These blocks with a block_id each: Slack makes one up where the app gave none."""
        return [{"block_id": f"b{self.count('block')}", **block} for block in blocks]

    def check_pictures(self, install: Install, blocks: Iterable[dict[str, Any]]) -> None:
        """An image block may name a picture that was uploaded, once Slack has looked into it (facts 1.5)."""
        for number, block in enumerate(blocks):
            named = block.get("slack_file")
            if named is None:
                continue
            file = self.files.get(str(named.get("id")))
            good = file is not None and not file.deleted and file.mimetype.startswith("image/")
            if file is None or not good or self.now() < file.ready_at or not self.sees(install, file.team):
                message = f"invalid slack file [json-pointer:/blocks/{number}/slack_file]"
                raise SlackError(
                    "invalid_blocks", errors=[message], response_metadata={"messages": [f"[ERROR] {message}"]}
                )

    def pictures(self, message: Message) -> list[dict[str, str]]:
        """The uploaded pictures that people see in a message's blocks, in order."""
        named = [block for block in message.blocks if block["type"] == "image" and "slack_file" in block]
        return [_picture(self.files[block["slack_file"]["id"]], block["alt_text"]) for block in named]

    def seen(self, message: Message) -> dict[str, Any]:
        """A message of the app as people see it now, for the log and the control API. A stream that its app never
        ended stays `streaming` (the broken pill of facts 5.8), even when nothing can be appended any more."""
        stream = message.stream
        streamed = stream is not None and not message.rewritten
        visible = [message.text] if streamed or not message.blocks else []
        return {
            "subject": subject_of(message.channel, message.ts),
            "team": message.team,
            "channel": message.channel,
            "ts": message.ts,
            "thread_ts": message.thread_ts,
            "created_at": message.created_at,
            "text": message.text,
            "visible": "\n".join(
                [*visible, sizes.readable(message.blocks), sizes.readable(message.attachments)]
            ).strip(),
            "blocks": message.blocks,
            "buttons": [part["action_id"] for part in sizes.controls(message.blocks)],
            "metadata": message.metadata,
            "pings": list(message.pings),
            "streaming": stream is not None and stream.state in ("streaming", "expired"),
            "stream": stream.state if stream is not None else None,
            "tasks": list(stream.tasks.values()) if stream is not None else [],
            "ephemeral_to": message.ephemeral_to,
            "username": message.username,
            "icon": message.icon,
            "files": message.files,
            "pictures": self.pictures(message),
            "gone": message.deleted_at is not None,
        }

    # Events.

    def event(self, team: str, event: dict[str, Any], subject: str, channel: str = "") -> None:
        """Send an event to the app if it is installed there, subscribed to it and has the scope."""
        install = self.mine(team)
        if install is None:
            return
        name, scope = event["type"], shapes.EVENT_SCOPES.get(event["type"], "")
        place = self.channels.get(channel)
        if name == "message" and place is not None:
            name, scope = shapes.CHANNEL_EVENTS[place.kind]
        if name not in self.app.events or (scope and scope not in install.scopes):
            return
        self.frame(install, team, event, subject, shared=place is not None and len(place.teams) > 1)

    def _send(self, place: Channel, event: dict[str, Any], subject: str, author_team: str = "") -> None:
        """Send an event about a conversation that our bot is in: once, however many of its workspaces have the app."""
        install = self._present(place)
        if install is None:
            return
        if event["type"] == "message":
            name, scope = shapes.CHANNEL_EVENTS[place.kind]
        else:
            name, scope = event["type"], shapes.EVENT_SCOPES.get(event["type"], "")
        if name in self.app.events and (not scope or scope in install.scopes):
            self.frame(install, author_team or place.team, event, subject, shared=len(place.teams) > 1)

    def _announce(self, place: Channel, message: Message, event: dict[str, Any]) -> None:
        event = event | {"channel": place.id, "channel_type": place.kind, "event_ts": message.ts}
        if message.thread_ts:
            event["parent_user_id"] = self.messages[place.id, message.thread_ts].user
        if len(place.teams) > 1:
            event |= {"user_team": message.team, "source_team": message.team}
        self._send(place, event, subject_of(place.id, message.ts), message.team)

    def _mention(self, place: Channel, message: Message, event: dict[str, Any]) -> None:
        """The twin: same ts and client_msg_id, an event_id of its own (facts 2.3)."""
        for install in self._all_present(place):
            if f"<@{install.bot_user}" not in message.text or "app_mentions:read" not in install.scopes:
                continue
            twin = event | {"type": "app_mention", "channel": place.id, "event_ts": message.ts}
            twin.pop("subtype", None)
            if len(place.teams) > 1:
                twin |= {"user_team": message.team, "source_team": message.team}
            subject = subject_of(place.id, message.ts)
            self.frame(install, message.team, twin, subject, shared=len(place.teams) > 1)

    def _tell_parent(self, place: Channel, message: Message) -> None:
        """A reply changes its thread's root, which everybody is told (facts 5.3)."""
        root = self.messages.get((place.id, message.thread_ts or ""))
        if self.config.thread_noise and root is not None and root.deleted_at is None:
            self._changed(root, self.shown_message(root))

    def _changed(self, message: Message, before: dict[str, Any]) -> None:
        self._hidden(message, "message_changed", message=self.shown_message(message), previous_message=before)

    def _gone(self, message: Message) -> None:
        """message_deleted; of a root with replies a tombstone is left instead, which is a change (docs: Slack's own
        clients show "This message was deleted.")."""
        before = self.shown_message(message)
        message.deleted_at = self.now()
        if message.ephemeral_to:
            return
        if message.thread_ts is None and self.replies(message.channel, message.ts):
            self._hidden(message, "message_changed", message=self.tombstone(message), previous_message=before)
        else:
            self._hidden(message, "message_deleted", deleted_ts=message.ts, previous_message=before)

    def _hidden(self, about: Message, subtype: str, **more: Any) -> None:
        place = self.channels[about.channel]
        stamp = f"{self.now():.6f}"
        event = {
            "type": "message",
            "subtype": subtype,
            "hidden": True,
            "channel": place.id,
            "channel_type": place.kind,
            "ts": stamp,
            "event_ts": stamp,
            **more,
        }
        self._send(place, event, subject_of(place.id, about.ts), about.team)

    def _add(self, place: Channel, message: Message) -> Message:
        self.messages[place.id, message.ts] = message
        if message.ephemeral_to:
            return message
        self._written.setdefault(place.id, []).append(message)
        if message.thread_ts:
            self._replies.setdefault((place.id, message.thread_ts), []).append(message)
        return message

    def _ts(self, channel: str, at: float | None = None) -> str:
        """Unique in the channel and increasing; a time of the test's choice is only made unique."""
        micro = int((self.now() if at is None else at) * 1_000_000)
        if at is None:
            micro = self._clocks[channel] = max(micro, self._clocks.get(channel, 0) + 1)
        while (channel, _stamp(micro)) in self.messages:
            micro += 1
        return _stamp(micro)

    def _about(self, message: Message) -> dict[str, Any]:
        """A person's message, for the log."""
        place = self.channels[message.channel]
        return {
            "subject": subject_of(message.channel, message.ts),
            "team": place.team,
            "channel": message.channel,
            "ts": message.ts,
            "thread_ts": message.thread_ts,
            "user": message.user,
            "author_team": message.team,
            "text": message.text,
            "direct": place.direct,
        }


def _stamp(micro: int) -> str:
    return f"{micro // 1_000_000}.{micro % 1_000_000:06d}"


def _picture(file: File, about: str) -> dict[str, str]:
    """One picture, as the log has it: by `digest`, two that look alike are known."""
    digest = hashlib.sha256(file.content).hexdigest()[:16]
    return {"file": file.id, "name": file.name, "about": about, "digest": digest}
