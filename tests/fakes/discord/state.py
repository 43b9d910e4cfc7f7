"""The whole fake world: what happens in it, and the events that follow.

Nothing here does I/O but write the log. Every method raises `DiscordError`. It isn't asked here who may do what: REST
(`api/`) asks for the app, `people` for people.
"""

from __future__ import annotations

import re
import secrets
from bisect import insort
from collections import deque
from collections.abc import Iterable
from typing import Any

from tests.fakes.discord import shapes
from tests.fakes.discord.clock import Clock, made_at
from tests.fakes.discord.config import Config
from tests.fakes.discord.events import Events
from tests.fakes.discord.limits import Limits
from tests.fakes.discord.log import Log
from tests.fakes.discord.permissions import EMBED_LINKS
from tests.fakes.discord.population import Population
from tests.fakes.discord.world import (
    FORUM,
    NEWS,
    NEWS_THREAD,
    PUBLIC_THREAD,
    SUPPRESS_EMBEDS,
    THREAD_CREATED,
    THREAD_STARTER,
    Application,
    Channel,
    Interaction,
    Message,
    Reference,
)

#: A link that is shown with a preview: one in angle brackets isn't.
_LINK = re.compile(r"(?<!<)https?://[^\s<>)]+")


class Discord(Population):
    """`events` gets everything that the app may hear of, in the order in which it arises."""

    def __init__(
        self,
        app: Application,
        events: Events | None = None,
        log: Log | None = None,
        config: Config | None = None,
        clock: Clock | None = None,
    ) -> None:
        clock = clock or Clock()
        super().__init__(app, events or Events(), log or Log(now=clock.now), config or Config(), clock)
        #: How much of each rate limit is used up.
        self.limits = Limits(clock.now)
        #: Messages of the app that the call in progress has changed; `web` empties it before each call.
        self.touched: list[Message] = []
        #: Whom the call in progress has rung; likewise.
        self.rung: list[str] = []
        #: Which message a nonce of an author stands for, and until when.
        self._nonces: dict[tuple[str, str], tuple[Message, float]] = {}
        #: When commands were created.
        self._creates: deque[float] = deque()

    def tell(self, place: Channel, event_type: str, data: dict[str, Any]) -> None:
        """Send an event about a channel to the app, if it sees the channel."""
        if not self.sees(place, self.app.id):
            return
        if place.direct:
            self.events.emit(event_type, data, user=self.app.id)
        else:
            self.events.emit(event_type, data, guild=place.guild_id)

    # Messages.

    def add(self, message: Message) -> Message:
        """A message comes to be, and nobody is told yet: write the log, then `announce` it. A thread that was archived
        isn't any more (facts 4.8); whoever writes in a thread has joined it."""
        place = self.channel(message.channel_id)
        self.messages[message.id] = message
        if message.ephemeral_to:
            return message
        insort(place.order, int(message.id))
        if place.last_message_id is None or int(place.last_message_id) < int(message.id):
            place.last_message_id = message.id
        if place.is_thread:
            place.sent += message.id != place.id
            if not message.webhook_id:
                place.joined.setdefault(message.author_id, self.clock.now())
        return message

    def announce(self, message: Message) -> None:
        """Tell the app of a new message, and before it that its thread is not archived any more."""
        if message.ephemeral_to:
            return
        place = self.channels[message.channel_id]
        if place.archived:
            self.archive(place, archived=False)
        self.tell(place, "MESSAGE_CREATE", shapes.message_event(self, message))
        if self.preview(message):
            self.tell(place, "MESSAGE_UPDATE", shapes.message_event(self, message))

    def preview(self, message: Message) -> bool:
        """Show what is behind the links of a message; whether there is anything to show. Discord tells of it by a
        MESSAGE_UPDATE in which nothing is edited."""
        place = self.channels[message.channel_id]
        shown = self.config.unfurls and not message.flags & SUPPRESS_EMBEDS
        links = _LINK.findall(message.content) if shown else []
        if links and not message.webhook_id and not self.permissions(place, message.author_id) & EMBED_LINKS:
            links = []
        message.previews = [{"type": "link", "url": link, "title": "Preview"} for link in dict.fromkeys(links)]
        return bool(links)

    def post(self, message: Message) -> Message:
        """The app writes, as its bot or through a webhook of its own."""
        self.add(message)
        self.touched.append(message)
        self.rung += message.pings
        self.announce(message)
        return message

    def change(self, message: Message, *, ours: bool = False) -> None:
        """A message has changed; `ours`: the app did it."""
        if ours:
            self.touched.append(message)
        self.preview(message)
        if not message.ephemeral_to:
            self.tell(self.channels[message.channel_id], "MESSAGE_UPDATE", shapes.message_event(self, message))

    def remove(self, message: Message, *, ours: bool = False) -> None:
        """A message is deleted; `ours`: the app does it. Otherwise one of the app's is logged as moderated."""
        message.deleted_at = self.clock.now()
        place = self.channels[message.channel_id]
        if ours:
            self.touched.append(message)
        elif self.is_ours(message):
            self.log.write("moderated", subject=message.subject, shown=[shapes.seen(self, message)])
        if message.ephemeral_to:
            return
        data = {"id": message.id, "channel_id": place.id}
        self.tell(place, "MESSAGE_DELETE", data | ({"guild_id": place.guild_id} if place.guild_id else {}))

    def react(self, message: Message, user: str, emoji: str) -> None:
        """Somebody reacts."""
        there = message.reactions.setdefault(emoji, [])
        if user not in there:
            there.append(user)
            self._tell_reaction("MESSAGE_REACTION_ADD", message, user, emoji)

    def unreact(self, message: Message, user: str, emoji: str) -> None:
        """Somebody takes a reaction back."""
        there = message.reactions.get(emoji, [])
        if user not in there:
            return
        there.remove(user)
        if not there:
            del message.reactions[emoji]
        self._tell_reaction("MESSAGE_REACTION_REMOVE", message, user, emoji)

    def _tell_reaction(self, event_type: str, message: Message, user: str, emoji: str) -> None:
        place = self.channels[message.channel_id]
        data = {
            "user_id": user,
            "channel_id": place.id,
            "message_id": message.id,
            "message_author_id": message.author_id,
            "emoji": {"id": None, "name": emoji},
            "burst": False,
            "type": 0,
        }
        self.tell(place, event_type, data | ({"guild_id": place.guild_id} if place.guild_id else {}))

    # What is remembered for a while.

    def by_nonce(self, author: str, nonce: str) -> Message | None:
        """What this author has made with this nonce in the past few minutes (facts 0.4)."""
        message, until = self._nonces.get((author, nonce), (None, 0.0))
        return message if self.clock.now() < until else None

    def remember_nonce(self, author: str, nonce: str, message: Message) -> None:
        """From now on for a few minutes."""
        self._nonces[author, nonce] = message, self.clock.now() + self.config.nonce_life

    def count_creates(self, new: int) -> bool:
        """Whether so many commands more may be created within a day; they are counted if they may."""
        now = self.clock.now()
        while self._creates and self._creates[0] <= now - 86_400:
            self._creates.popleft()
        if new and len(self._creates) + new > self.config.command_creates:
            return False
        self._creates.extend([now] * new)
        return True

    # Threads.

    def open_thread(
        self,
        parent: Channel,
        owner: str,
        name: str,
        *,
        message: Message | None = None,
        kind: int | None = None,
        minutes: int = 1440,
        tags: Iterable[str] = (),
        id_: str = "",
    ) -> Channel:
        """A new thread: from a message, whose id it gets, without one, or as a forum post, whose first message gets the
        thread's id. `announce_thread` says in the channel that there is one that wasn't opened from a message."""
        thread_type = kind if kind is not None else NEWS_THREAD if parent.type == NEWS else PUBLIC_THREAD
        now = self.clock.now()
        thread = Channel(
            message.id if message is not None else id_ or self.clock.snowflake(),
            thread_type,
            parent.guild_id,
            name,
            parent_id=parent.id,
            owner_id=owner,
            auto_archive_minutes=minutes,
            archived_at=now,
            created_at=now,
            joined={owner: now},
            applied_tags=list(tags),
        )
        self.channels[thread.id] = thread
        if message is not None:
            message.thread_id = thread.id
        if parent.type == FORUM:
            parent.last_message_id = thread.id
        self.tell(thread, "THREAD_CREATE", shapes.channel(self, thread) | {"newly_created": True})
        if message is not None:
            self._begin_with(thread, message)
        return thread

    def _begin_with(self, thread: Channel, message: Message) -> None:
        """The first line of a thread that was opened from a message: a system message (type 21) that points to it."""
        starter = Message(
            self.clock.snowflake(),
            thread.id,
            message.author_id,
            type=THREAD_STARTER,
            webhook_id=message.webhook_id,
            username=message.username,
            reference=Reference(message.id, message.channel_id),
        )
        self.add(starter)
        thread.sent -= 1
        self.announce(starter)

    def announce_thread(self, thread: Channel) -> Message:
        """The system message in a channel that says that a thread was opened without a message (type 18)."""
        assert thread.parent_id is not None
        message = Message(
            self.clock.snowflake(),
            thread.parent_id,
            thread.owner_id,
            thread.name,
            type=THREAD_CREATED,
            reference=Reference("", thread.id),
        )
        self.add(message)
        self.announce(message)
        return message

    def archive(self, thread: Channel, *, archived: bool) -> None:
        """A thread goes to the archive, or comes back."""
        thread.archived = archived
        thread.archived_at = self.clock.now()
        self.tell(thread, "THREAD_UPDATE", shapes.channel(self, thread))

    def join(self, thread: Channel, user: str) -> None:
        """Somebody joins a thread."""
        if user not in thread.joined:
            thread.joined[user] = self.clock.now()
            self._tell_members(thread, [user], [])

    def leave(self, thread: Channel, user: str) -> None:
        """Somebody leaves a thread."""
        if thread.joined.pop(user, None) is not None:
            self._tell_members(thread, [], [user])

    def _tell_members(self, thread: Channel, added: list[str], removed: list[str]) -> None:
        data = {
            "id": thread.id,
            "guild_id": thread.guild_id,
            "member_count": len(thread.joined),
            "added_members": [shapes.thread_member(thread, user) for user in added],
            "removed_member_ids": removed,
        }
        self.tell(thread, "THREAD_MEMBERS_UPDATE", data)

    def remove_channel(self, channel: Channel) -> None:
        """A channel or thread is deleted, with the threads in it."""
        for one in [other for other in self.channels.values() if other.parent_id == channel.id and other.is_thread]:
            self.channels.pop(one.id)
        told = shapes.channel(self, channel)
        if channel.is_thread:
            told = {name: told[name] for name in ("id", "guild_id", "parent_id", "type")}
        self.tell(channel, "THREAD_DELETE" if channel.is_thread else "CHANNEL_DELETE", told)
        self.channels.pop(channel.id)

    # Interactions.

    def interact(
        self,
        kind: int,
        user: str,
        channel: str,
        data: dict[str, Any],
        *,
        message: Message | None = None,
    ) -> Interaction:
        """Somebody makes an interaction: it is logged, and the app is told. Whether the command or the component exists
        is asked elsewhere. How the app takes it is in the returned object and in the log's calls."""
        place = self.channel(channel)
        interaction = Interaction(
            self.clock.snowflake(),
            secrets.token_urlsafe(96),
            kind,
            user,
            channel,
            place.guild_id,
            data,
            self.clock.now(),
            message_id=message.id if message is not None else "",
            locale=self.user(user).locale,
        )
        self.interactions[interaction.token] = self.interactions_by_id[interaction.id] = interaction
        name = data.get("name") or data.get("custom_id") or ""
        about = {"id": interaction.id, "type": kind, "user": user, "channel": channel, "guild": place.guild_id}
        self.log.write("interaction", **about, name=name, message=interaction.message_id, data=data)
        told = shapes.interaction(self, interaction, message)
        if place.guild_id:
            self.events.emit("INTERACTION_CREATE", told, guild=place.guild_id)
        else:
            self.events.emit("INTERACTION_CREATE", told, user=self.app.id)
        return interaction

    # Looking.

    def history(self, channel: Channel, *, lag: float = 0.0) -> list[Message]:
        """The messages of a channel that exist now, or existed `lag` seconds ago, oldest first."""
        then = self.clock.now() - lag
        found = []
        for number in channel.order:
            message = self.messages[str(number)]
            if lag and made_at(message.id) > then:
                break
            if message.deleted_at is None or (lag and message.deleted_at > then):
                found.append(message)
        return found
