"""The first station of a message: dedupe, store, queue a turn, wake. One transaction, before the platform is acked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import Connection

from agent.clock import Clock
from agent.language import Lang, detect
from bot.crashpoints import crashpoint
from bot.live import Live
from bot.messages import LIVE_STATES, Accepted, Deleted, Edited, Event, Incoming, Target
from bot.places import places
from bot.policy import Thread, is_addressed
from bot.ports import Gate, Waker
from bot.store import conversations, messages, people, profiles, steps, turns, watermarks
from bot.store.conversations import IDLE_GENERATION, Place, title_of
from bot.store.db import Store
from bot.store.messages import Stored

#: The command that ends what runs.
_STOP = "stop"
#: Characters of an author's name that are kept; the column's length.
_NAME = 200
#: Control characters (both blocks of them) that no message needs, and halves of surrogate pairs; PostgreSQL can't store
#: NUL, and UTF-8 no surrogates.
_CONTROL = {
    code: None for code in (*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000)) if chr(code) not in "\n\t"
}


def clean(text: str) -> str:
    """The text without control characters and lone surrogates, with one kind of line end."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROL)


Follow = Literal["addressed", "always", "mention"]


def no_command(text: str) -> str | None:
    """For a server without commands."""
    return None


@dataclass(frozen=True, slots=True)
class Rules:
    """What the inbox decides by."""

    #: Longest message that is taken, in characters.
    max_chars: int
    #: The language to answer in; None for that of the message.
    lang: Lang | None = None
    #: Where no profile says otherwise.
    follow: Follow = "addressed"
    answer_in: Literal["thread", "channel"] = "thread"
    #: Who is served, and how much; None for everybody.
    gate: Gate | None = None
    #: The canonical words of the command that a whole message is; None for any other message.
    command_of: Callable[[str], str | None] = no_command


class Inbox:
    """Turns events into queued turns. `receive` is what adapters are handed."""

    def __init__(self, store: Store, clock: Clock, waker: Waker, live: Live, rules: Rules) -> None:
        self._store = store
        self._clock = clock
        self._waker = waker
        self._live = live
        self.rules = rules

    async def receive(self, event: Event) -> Accepted:
        """Take an event in; when this returns it is durable and may be acked. Raises `StoreUnavailable`."""
        result, woken, nudged = await self._store.write(lambda connection: self._apply(connection, event))
        crashpoint("accept.after_commit")
        for turn_id in nudged:
            self._waker.nudge(turn_id)
        for conversation_id, turn_id in woken:
            self._waker.committed(conversation_id)
            self._live.changed(conversation_id, turn_id)
        return result

    def _apply(self, connection: Connection, event: Event) -> tuple[Accepted, list[tuple[int, int]], list[int]]:
        change = _Change(self, connection)
        if isinstance(event, Incoming):
            change.mark(event)
        if not messages.first_delivery(connection, event.target.platform, event.delivery_id, self._clock.now()):
            known = messages.find(connection, event.target, event.message_id)
            return Accepted(known.turn_id if known else None, duplicate=True), [], []
        if isinstance(event, Incoming):
            accepted = change.add(event)
        elif isinstance(event, Edited):
            accepted = change.edit(event)
        else:
            accepted = change.delete(event)
        for conversation_id, _ in change.woken:
            self._waker.in_transaction(connection, conversation_id)
        crashpoint("accept.before_commit")
        return accepted, change.woken, change.nudged

    @property
    def clock(self) -> Clock:
        return self._clock


class _Change:
    """One event applied inside one transaction; collects whom to wake after it."""

    def __init__(self, inbox: Inbox, connection: Connection) -> None:
        self._connection = connection
        self._rules = inbox.rules
        self._now = inbox.clock.now()
        #: (conversation, turn) pairs that have work now.
        self.woken: list[tuple[int, int]] = []
        #: Running turns that shall look at their row.
        self.nudged: list[int] = []

    def mark(self, incoming: Incoming) -> None:
        """Note up to where its place was handed on, also by a message that is seen again, or that is nobody's."""
        target = incoming.target
        if incoming.mark is not None:
            place = target.thread or target.channel
            watermarks.advance(self._connection, target.platform, target.workspace, place, incoming.mark, self._now)

    def add(self, incoming: Incoming) -> Accepted:
        accepted = self._store(incoming)
        if accepted is not None:
            return accepted
        known = messages.find(self._connection, incoming.target, incoming.message_id)
        if known is None or known.erased_at is not None:
            return Accepted(known.turn_id if known else None, duplicate=True)
        calls_us = known.turn_id is None and self._calls_us(incoming)
        brings_files = bool(incoming.attachments) and not known.has_files
        if calls_us or brings_files:
            # A twin that came first as context, or without the files. Two such twins may be at it, so look again under
            # the lock.
            known = self._locked(incoming.target, incoming.message_id)
        if known is None or known.erased_at is not None:
            return Accepted(known.turn_id if known else None, duplicate=True)
        if brings_files and not known.has_files:
            messages.attach(self._connection, known.id, incoming.attachments)
            known = known._replace(has_files=True)
            if known.turn_id is not None:
                return Accepted(self._rerun(known.turn_id, incoming, known))
        if known.turn_id is not None or not calls_us:
            return Accepted(known.turn_id, duplicate=True)
        return Accepted(self._adopt(known, incoming))

    def edit(self, edited: Edited) -> Accepted:
        text = clean(edited.text)
        as_new = Incoming(
            edited.target,
            edited.message_id,
            edited.author,
            text,
            edited.sent_at,
            address=edited.address,
            attachments=edited.attachments,
            earlier=edited.earlier,
            # In place there is no thread that it could be in.
            threaded=edited.target.thread is not None,
            opens=edited.opens,
        )
        if messages.find(self._connection, edited.target, edited.message_id) is None:
            # The edit overtook its message: this text is what its author wants answered. Or the message was none of
            # ours, and isn't now.
            accepted = self._store(as_new, edited=True)
            if accepted is not None:
                return accepted
            # The message arrived meanwhile.
        known = self._locked(edited.target, edited.message_id)
        kept = text[: self._rules.max_chars]
        if known is None or known.erased_at is not None:
            return Accepted(known.turn_id if known else None, duplicate=True)
        mentions = known.turn_id is None and self._calls_us(as_new)
        if known.text == kept and not mentions:
            return Accepted(known.turn_id, duplicate=True)
        messages.revise(self._connection, known.id, kept)
        conversations.retitle(self._connection, known.conversation_id, title_of(known.text), title_of(kept))
        if mentions:
            return Accepted(self._adopt(known, as_new))
        if known.turn_id is None:
            return Accepted(None)
        return Accepted(self._rerun(known.turn_id, as_new, known))

    def delete(self, deleted: Deleted) -> Accepted:
        if messages.find(self._connection, deleted.target, deleted.message_id) is None:
            first = messages.bury(self._connection, deleted.target, deleted.message_id, self._now)
            if messages.find(self._connection, deleted.target, deleted.message_id) is None:
                return Accepted(None, duplicate=not first)
            # The message arrived meanwhile.
        known = self._locked(deleted.target, deleted.message_id)
        if known is None or known.erased_at is not None:
            return Accepted(None, duplicate=True)
        messages.erase(self._connection, known.id, self._now)
        conversations.retitle(self._connection, known.conversation_id, title_of(known.text), "")
        if known.turn_id is not None:
            self._withdraw(known.turn_id)
        return Accepted(None)

    def _calls_us(self, incoming: Incoming) -> bool:
        """Whether a message that is kept as context names the agent after all; of other bots', as far as they may."""
        if not (incoming.address.direct or incoming.address.mentions_us):
            return False
        if incoming.author.kind != "bot":
            return True
        return self._is_addressed(incoming, conversations.hold(self._connection, incoming.target.conversation_key))

    def _store(self, incoming: Incoming, *, edited: bool = False) -> Accepted | None:
        """Store a message that is new, with its turn if it is addressed; None when it is there already. `edited`: it is
        known by an edit, which may have come long after it.

        What is neither addressed nor said where the agent was called is nobody's business: it isn't stored at all. Nor
        where people had the conversation deleted, until the agent is called again.
        """
        author = replace(incoming.author, name=clean(incoming.author.name)[:_NAME])
        incoming = replace(incoming, text=clean(incoming.text), author=author)
        # Held, so that nobody begins it anew or erases it meanwhile, and of two people who speak first at the same time
        # the second one sees the first one.
        place = conversations.hold(self._connection, incoming.target.conversation_key)
        addressed = self._is_addressed(incoming, place)
        if addressed and incoming.opens is not None:
            if messages.find(self._connection, incoming.target, incoming.message_id) is not None:
                # It stays where it went, whatever the profile says by now; nothing is begun elsewhere.
                return None
            if self._opens(incoming):
                incoming = replace(incoming, target=incoming.opens, threaded=True, opens=None)
                place = conversations.hold(self._connection, incoming.target.conversation_key)
        if (place is None or place.erased) and not addressed:
            return Accepted(None)
        if messages.is_buried(self._connection, incoming.target, incoming.message_id):
            return Accepted(None, duplicate=True)
        if place is None:
            place = conversations.create(
                self._connection,
                incoming.target,
                self._now,
                past_wanted=incoming.earlier,
                direct=incoming.address.direct,
            )
        elif place.erased and incoming.earlier:
            # Nobody listened meanwhile.
            conversations.want_past(self._connection, place.id)
        generation = place.generation
        if addressed and self._ends_silence(incoming, place):
            generation = conversations.new_generation(self._connection, place, self._now)
        # What is refused for its size isn't kept either.
        kept = replace(incoming, text=incoming.text[: self._rules.max_chars])
        row_id = messages.insert(self._connection, kept, place.id, generation, self._now, addressed=addressed)
        if row_id is None:
            return None
        if edited:
            messages.revise(self._connection, row_id, kept.text)
        if not addressed:
            conversations.note_overheard(self._connection, place.id)
            return Accepted(None)
        turn_id = self._queue(place.id, generation, incoming, has_files=bool(incoming.attachments))
        messages.assign(self._connection, row_id, turn_id)
        if place.muted:
            # Whoever names it wants it back.
            conversations.mute(self._connection, place.id, muted=False)
        return Accepted(turn_id)

    def _is_addressed(self, incoming: Incoming, place: Place | None) -> bool:
        """Whether the agent shall answer; looks up only what the answer depends on. The conversation is held."""
        address, author = incoming.address, incoming.author
        if (address.direct or address.mentions_us) and author.kind != "bot":
            return True
        if place is None or place.erased:
            return is_addressed(address, author, self._follow(incoming), Thread())
        thread = Thread(
            joined=incoming.threaded,
            muted=place.muted,
            others=messages.others_spoke(self._connection, place.id, author.id),
            past_unknown=place.past_wanted,
            bot_turns=messages.bot_turns(self._connection, place.id) if author.kind == "bot" else 0,
        )
        return is_addressed(address, author, self._follow(incoming), thread)

    def _follow(self, incoming: Incoming) -> Follow:
        """Which messages of its threads the agent answers, by the profile that holds there."""
        follow: Follow = self._profile_value(incoming.target, "follow") or self._rules.follow
        return follow

    def _opens(self, incoming: Incoming) -> bool:
        """Whether an answer opens the thread that it could, by the profile that holds in the channel."""
        return (self._profile_value(incoming.target, "answer_in") or self._rules.answer_in) == "thread"

    def _profile_value(self, target: Target, name: str) -> Any:
        """A value as it is set at the most particular place; None where it isn't set."""
        keys = {place.scope: place.key for place in places(target)}
        found = profiles.layers(
            self._connection, workspace=keys["workspace"], channel=keys["channel"], thread=keys.get("thread")
        )
        return next((layer.values[name] for layer in reversed(found) if name in layer.values), None)

    def _ends_silence(self, incoming: Incoming, place: Place) -> bool:
        """Whether this message, which is addressed, starts a new generation: not one that was seen before."""
        if incoming.threaded or self._now - place.last_message_at <= IDLE_GENERATION:
            return False
        return messages.find(self._connection, incoming.target, incoming.message_id) is None

    def _locked(self, target: Target, message_id: str) -> Stored | None:
        """The message as it is once its conversation is locked: no turn of it starts, merges or is edited meanwhile."""
        known = messages.find(self._connection, target, message_id)
        if known is None:
            return None
        conversations.lock(self._connection, known.conversation_id)
        return messages.find(self._connection, target, message_id)

    def _adopt(self, known: Stored, incoming: Incoming) -> int:
        """Queue a turn for a message that was stored as context."""
        incoming = replace(incoming, text=clean(incoming.text))
        has_files = known.has_files or bool(incoming.attachments)
        turn_id = self._queue(known.conversation_id, known.generation, incoming, has_files=has_files)
        messages.assign(self._connection, known.id, turn_id)
        return turn_id

    def _queue(self, conversation_id: int, generation: int, incoming: Incoming, *, has_files: bool) -> int:
        command = self._rules.command_of(incoming.text)
        # A command is not what a conversation is about.
        title = "" if command else title_of(incoming.text)
        # This locks the row, before the gate's own locks: whoever holds this one may be waiting for them.
        seq = conversations.admit(self._connection, conversation_id, self._now, title)
        refusal = self._refusal(incoming, has_files=has_files, free=command is not None)
        running = turns.live_of(self._connection, conversation_id) if command == _STOP and refusal is None else []
        turn_id = turns.queue(
            self._connection,
            conversation_id=conversation_id,
            generation=generation,
            seq=seq,
            sent_at=incoming.sent_at,
            lang=self._lang(incoming),
            now=self._now,
            reason=refusal,
            command=None if refusal else command,
        )
        for other in running:
            # At once: the command's own turn waits behind them.
            if turns.ask_end(self._connection, other, "stopped", incoming.author.id, self._now):
                self.nudged.append(other)
                self.woken.append((conversation_id, other))
        if refusal is None and command is None:
            self._admitted(incoming, turn_id)
        self.woken.append((conversation_id, turn_id))
        return turn_id

    def _refusal(self, incoming: Incoming, *, has_files: bool, free: bool) -> str | None:
        """Why a message is refused, as a code of `bot.texts`; None if it isn't. The worker tells its author."""
        if not incoming.text.strip() and not has_files:
            return "empty"
        if len(incoming.text) > self._rules.max_chars:
            return "too_long"
        if self._rules.gate is None:
            return None
        return self._rules.gate.refusal(self._connection, incoming, self._now, free=free)

    def _admitted(self, incoming: Incoming, turn_id: int) -> None:
        if self._rules.gate is not None:
            self._rules.gate.admitted(self._connection, incoming, turn_id, self._now)

    def _lang(self, incoming: Incoming) -> Lang:
        if self._rules.lang is not None:
            return self._rules.lang
        if any(ch.isalpha() for ch in incoming.text):
            return detect(incoming.text)
        # A file, a number, nothing at all: as their platform speaks to them, as far as that is known.
        target, author = incoming.target, incoming.author.id
        who = people.known(self._connection, target.platform, target.workspace, [author]).get(author)
        return (who and who.lang) or "en"

    def _rerun(self, turn_id: int, edited: Incoming | None = None, known: Stored | None = None) -> int:
        """Answer a turn's messages anew, one of which (`known`) was edited, or erased; the turn that answers them now.

        A turn that hasn't run reads the new text anyway, and one that is over is history.
        """
        row = turns.get(self._connection, turn_id)
        if row is None or row.state not in LIVE_STATES:
            return turn_id
        covered = messages.of_turn(self._connection, row.id)
        lang, refusal, command, to_count = row.lang, None, None, None
        if edited is not None and known is not None and covered == [known.id]:
            lang = self._lang(edited)
            command = self._rules.command_of(edited.text)
            # A question was counted when it came; a command, or what was refused, was not.
            counted = row.command is None and row.reason is None
            refusal = self._refusal(edited, has_files=known.has_files, free=counted or command is not None)
            to_count = edited if refusal is None and command is None and not counted else None
        if turns.requeue(self._connection, row.id, lang, refusal, None if refusal else command):
            if to_count is not None:
                self._admitted(to_count, turn_id)
            return turn_id
        if not turns.ask_end(self._connection, row.id, "superseded", None, self._now):
            return turn_id
        seq = conversations.take_seq(self._connection, row.conversation_id, self._now)
        new = turns.replace(
            self._connection,
            row,
            covered,
            seq,
            self._now,
            lang=lang,
            reason=refusal,
            command=None if refusal else command,
        )
        if to_count is not None:
            self._admitted(to_count, new)
        self.nudged.append(row.id)
        self.woken.append((row.conversation_id, new))
        return new

    def _withdraw(self, turn_id: int) -> None:
        """End a turn whose message is gone; one that answers other messages too answers those anew."""
        row = turns.get(self._connection, turn_id)
        if row is None:
            return
        if row.state not in LIVE_STATES:
            # The answer stays where people have read it; what was made of the text on the way there does not.
            steps.forget(self._connection, row.id)
            return
        if messages.of_turn(self._connection, row.id):
            self._rerun(turn_id)
            return
        if turns.end_queued(self._connection, row.id, "withdrawn", None, self._now):
            self.woken.append((row.conversation_id, row.id))
            return
        if turns.ask_end(self._connection, row.id, "withdrawn", None, self._now):
            self.nudged.append(row.id)
            self.woken.append((row.conversation_id, row.id))
