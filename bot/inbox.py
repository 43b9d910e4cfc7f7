"""The first station of a message: dedupe, store, queue a turn, wake. One transaction, before the platform is acked."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from agent.clock import Clock
from agent.language import Lang, detect
from bot.crashpoints import crashpoint
from bot.live import Live
from bot.messages import LIVE_STATES, Accepted, Author, Deleted, Edited, Event, Incoming, Target
from bot.ports import Waker
from bot.store import conversations, messages, steps, turns
from bot.store.conversations import IDLE_GENERATION, Place
from bot.store.db import Store
from bot.store.messages import Stored

#: Characters of the first message that name a conversation.
_TITLE = 80
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


class Inbox:
    """Turns events into queued turns. `receive` is what adapters are handed."""

    def __init__(
        self, store: Store, clock: Clock, waker: Waker, live: Live, *, max_chars: int, lang: Lang | None
    ) -> None:
        self._store = store
        self._clock = clock
        self._waker = waker
        self._live = live
        self._max_chars = max_chars
        self._lang = lang

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

    def refusal(self, text: str, has_files: bool) -> str | None:
        """Why a message is refused, as a code of `bot.texts`; None if it isn't. The worker tells its author."""
        if not text.strip() and not has_files:
            return "empty"
        return "too_long" if len(text) > self._max_chars else None

    def lang(self, text: str) -> Lang:
        """The language to answer in."""
        return self._lang or detect(text)

    @property
    def max_chars(self) -> int:
        """Longest message that is taken, in characters."""
        return self._max_chars

    @property
    def clock(self) -> Clock:
        return self._clock


class _Change:
    """One event applied inside one transaction; collects whom to wake after it."""

    def __init__(self, inbox: Inbox, connection: Connection) -> None:
        self._inbox = inbox
        self._connection = connection
        self._now = inbox.clock.now()
        #: (conversation, turn) pairs that have work now.
        self.woken: list[tuple[int, int]] = []
        #: Running turns that shall look at their row.
        self.nudged: list[int] = []

    def add(self, incoming: Incoming) -> Accepted:
        accepted = self._store(incoming)
        if accepted is not None:
            return accepted
        known = messages.find(self._connection, incoming.target, incoming.message_id)
        if known is not None and known.turn_id is None and incoming.addressed:
            # A twin that came first as context. Two such twins may be at it, so look again under the lock.
            known = self._locked(incoming.target, incoming.message_id)
        if known is None or known.turn_id is not None or known.erased_at is not None or not incoming.addressed:
            return Accepted(known.turn_id if known else None, duplicate=True)
        return Accepted(self._adopt(known, incoming))

    def edit(self, edited: Edited) -> Accepted:
        text = clean(edited.text)
        as_new = Incoming(
            edited.target, edited.message_id, edited.author, text, edited.sent_at, addressed=edited.addressed
        )
        if messages.find(self._connection, edited.target, edited.message_id) is None:
            # The edit overtook its message: this text is what its author wants answered.
            accepted = self._store(as_new)
            if accepted is not None:
                return accepted
            # The message arrived meanwhile.
        known = self._locked(edited.target, edited.message_id)
        kept = text[: self._inbox.max_chars]
        if known is None or known.erased_at is not None:
            return Accepted(known.turn_id if known else None, duplicate=True)
        mentions = known.turn_id is None and edited.addressed
        if known.text == kept and not mentions:
            return Accepted(known.turn_id, duplicate=True)
        messages.revise(self._connection, known.id, kept)
        conversations.retitle(self._connection, known.conversation_id, _title(known.text), _title(kept))
        if mentions:
            return Accepted(self._adopt(known, as_new))
        if known.turn_id is None:
            return Accepted(None)
        return Accepted(self._rerun(known.turn_id, known._replace(text=text)))

    def delete(self, deleted: Deleted) -> Accepted:
        known = messages.find(self._connection, deleted.target, deleted.message_id)
        if known is None:
            place = conversations.find_or_create(self._connection, deleted.target, self._now)
            tombstone = Incoming(deleted.target, deleted.message_id, Author(""), "", self._now, addressed=False)
            row_id = messages.insert(self._connection, tombstone, place.id, place.generation, self._now, erased=True)
            if row_id is not None:
                return Accepted(None)
        known = self._locked(deleted.target, deleted.message_id)
        if known is None or known.erased_at is not None:
            return Accepted(None, duplicate=True)
        messages.erase(self._connection, known.id, self._now)
        conversations.retitle(self._connection, known.conversation_id, _title(known.text), "")
        if known.turn_id is not None:
            self._withdraw(known.turn_id)
        return Accepted(None)

    def _store(self, incoming: Incoming) -> Accepted | None:
        """Store a message that is new, with its turn if it is addressed; None when it is there already."""
        author = replace(incoming.author, name=clean(incoming.author.name)[:_NAME])
        incoming = replace(incoming, text=clean(incoming.text), author=author)
        place = conversations.find_or_create(self._connection, incoming.target, self._now)
        generation = place.generation
        if self._ends_silence(incoming, place):
            generation = conversations.new_generation(self._connection, place, self._now)
        # What is refused for its size isn't kept either.
        kept = replace(incoming, text=incoming.text[: self._inbox.max_chars])
        row_id = messages.insert(self._connection, kept, place.id, generation, self._now)
        if row_id is None:
            return None
        if not incoming.addressed:
            return Accepted(None)
        refusal = self._inbox.refusal(incoming.text, bool(incoming.attachments))
        turn_id = self._queue(place.id, generation, incoming, refusal)
        messages.assign(self._connection, row_id, turn_id)
        return Accepted(turn_id)

    def _ends_silence(self, incoming: Incoming, place: Place) -> bool:
        """Whether this message starts a new generation: not one that is only overheard, and not one seen before."""
        if incoming.threaded or not incoming.addressed or self._now - place.last_message_at <= IDLE_GENERATION:
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
        text = clean(incoming.text)
        refusal = self._inbox.refusal(text, known.has_files or bool(incoming.attachments))
        turn_id = self._queue(known.conversation_id, known.generation, replace(incoming, text=text), refusal)
        messages.assign(self._connection, known.id, turn_id)
        return turn_id

    def _queue(self, conversation_id: int, generation: int, incoming: Incoming, refusal: str | None) -> int:
        seq = conversations.admit(self._connection, conversation_id, self._now, _title(incoming.text))
        turn_id = turns.queue(
            self._connection,
            conversation_id=conversation_id,
            generation=generation,
            seq=seq,
            sent_at=incoming.sent_at,
            lang=self._inbox.lang(incoming.text),
            now=self._now,
            reason=refusal,
        )
        self.woken.append((conversation_id, turn_id))
        return turn_id

    def _rerun(self, turn_id: int, edited: Stored | None = None) -> int:
        """Answer a turn's messages anew, one of which was `edited` (None: erased); the turn that answers them now.

        A turn that hasn't run reads the new text anyway, and one that is over is history.
        """
        row = turns.get(self._connection, turn_id)
        if row is None or row.state not in LIVE_STATES:
            return turn_id
        covered = messages.of_turn(self._connection, row.id)
        lang, refusal = row.lang, None
        if edited is not None and covered == [edited.id]:
            lang = self._inbox.lang(edited.text)
            refusal = self._inbox.refusal(edited.text, edited.has_files)
        if turns.requeue(self._connection, row.id, lang, refusal):
            return turn_id
        if not turns.ask_end(self._connection, row.id, "superseded", None, self._now):
            return turn_id
        seq = conversations.take_seq(self._connection, row.conversation_id, self._now)
        new = turns.queue(
            self._connection,
            conversation_id=row.conversation_id,
            generation=row.generation,
            seq=seq,
            sent_at=row.sent_at,
            lang=lang,
            now=self._now,
            reason=refusal,
        )
        turns.reassign(self._connection, row.id, new, covered)
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


def _title(text: str) -> str:
    """What a message names its conversation."""
    return " ".join(text.split())[:_TITLE]
