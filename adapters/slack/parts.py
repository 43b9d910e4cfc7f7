"""The messages of one reply: what Slack is known to show of them, and the calls that make them look otherwise."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from adapters.chat.pacing import Turns
from adapters.slack.abilities import Abilities, Ability
from adapters.slack.api import SlackApi
from adapters.slack.look import Look
from adapters.slack.pacing import Pacing, Way
from adapters.slack.signs import Signs
from adapters.slack.stream import Row, Stream
from adapters.slack.thread import PRIVATE, Thread
from agent.clock import Clock
from bot.ports import Ledger
from bot.posting import Poster, Refused, RetryLater

log = logging.getLogger(__name__)

#: What an agent session is said to be when a stream ends.
Session = Literal["processing", "active"]
#: Told when a stream says that a person has pressed Slack's Stop.
OnStop = Callable[[int], Awaitable[object]]

#: A stream takes nothing more, and is no stream any more.
_OVER: Final = frozenset({"message_not_in_streaming_state", "stopped_by_user"})
#: It takes no more of this, but lives.
_FULL: Final = frozenset({"msg_too_long", "msg_blocks_too_long"})
#: The message can't be changed any more; a new one has to take its place.
_LOST: Final = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
#: Refusals to start a stream that a post would get, too.
_NOT_ABOUT_STREAMS: Final = frozenset(
    {"account_inactive", "cannot_reply_to_message", "channel_not_found", "invalid_auth", "is_archived", "not_authed"}
    | {"not_in_channel", "restricted_action", "thread_not_found", "token_expired", "token_revoked"}
)
#: Those that hold in the whole workspace.
_EVERYWHERE: Final = frozenset({"missing_scope", "not_authorized", "unknown_method", "feature_not_enabled"})


#: What a stream needs.
_FOR_STREAMS: Final[tuple[Ability, ...]] = ("stream", "session", "stop")


@dataclass(slots=True)
class _Sent:
    """What we know of one message that exists."""

    #: None when it is unknown: found after a crash, or a call with an unknown outcome since.
    look: Look | None = None
    #: While it is a stream that can be appended to, as far as we know.
    stream: Stream | None = None
    #: Somebody deleted it, or it can't be changed. Drafts leave it so, the end replaces it.
    is_lost: bool = False


class Parts:
    """What Slack shows is remembered, so that only differences are sent."""

    def __init__(
        self,
        thread: Thread,
        ledger: Ledger,
        poster: Poster,
        *,
        abilities: Abilities,
        pacing: Pacing,
        signs: Signs,
        clock: Clock,
        on_stop: OnStop,
    ) -> None:
        self._thread = thread
        self._ledger = ledger
        self._poster = poster
        self._abilities = abilities
        self._pacing = pacing
        self._signs = signs
        self._clock = clock
        self._on_stop = on_stop
        #: External id → what it shows.
        self._sent: dict[str, _Sent] = {}
        #: Whether a person has stopped the reply: what comes next is the end.
        self.is_stopped = False

    def exists(self, position: int) -> bool:
        """Whether the part has a message that we know of."""
        return self._id(position) is not None

    def is_stream(self, position: int) -> bool:
        """Whether the part is a stream that may be fed."""
        sent = self._sent.get(self._id(position) or "")
        return sent is not None and sent.stream is not None

    @property
    def has_stream(self) -> bool:
        """Whether any part is a stream that may be fed."""
        return any(sent.stream is not None for sent in self._sent.values())

    async def may_change(self, api: SlackApi) -> bool:
        """Whether there is any use in showing something now."""
        parts = self._ledger.parts
        if not parts or parts[-1].external_id is None:
            return await self.can_stream(api) or self._turns(api, "chat.update").may_begin()
        return self._turns(api, "chat.appendStream" if self.has_stream else "chat.update").is_due()

    async def can_stream(self, api: SlackApi) -> bool:
        """Whether a new part may be a stream. Not where Slack shows no Stop for it: an edited message can have ours."""
        channel = self._thread.target.channel
        offered = all(self._abilities.has(api, ability, channel) for ability in _FOR_STREAMS)
        return offered and self._pacing.may_stream(api) and await self._thread.has_recipient()

    # Drafts: each call is made once, and a newer draft makes up for it.

    async def show(self, api: SlackApi, position: int, look: Look) -> bool:
        """Make a part a message that looks like this; whether it does now."""
        external_id = self._id(position)
        if external_id is None:
            turns = self._turns(api, "chat.update")
            if not turns.may_begin():
                return False
            turns.begins()
            external_id = await self._create(position, look)
        sent = self._of(external_id)
        if sent.is_lost or (sent.look == look and sent.stream is None):
            return True
        if sent.stream is None and not self._turns(api, "chat.update").takes_turn():
            return False
        try:
            return await self._poster.offer(partial(self._finish, position, external_id, look, "processing"))
        except Refused as refused:
            return self._lost(refused, sent)

    async def start(self, api: SlackApi, position: int, text: str, rows: Sequence[Row], otherwise: Look) -> bool:
        """Create a part as a stream, or, where there are no streams after all, as a message that looks like
        `otherwise`."""
        stream = Stream(self._clock.monotonic())
        chunks = stream.lacking(text, rows)
        streamed: list[str] = []
        posted: list[str] = []

        async def send() -> str:
            if not self._abilities.has(api, "stream", self._thread.target.channel):
                posted.append(await self._thread.post(otherwise, position, urgent=False))
                return posted[-1]
            stream.started_at = self._clock.monotonic()
            try:
                streamed.append(await self._thread.start(chunks))
            except Refused as refused:
                raise self._unstreamed(api, refused) from refused
            return streamed[-1]

        self._turns(api, "chat.appendStream").begins()
        done = self._pacing.starts(api)
        try:
            external_id = await self._poster.create(position, send)
        finally:
            done()
        if external_id in streamed:
            stream.has(text, rows)
            self._sent[external_id] = _Sent(stream=stream)
            self._signs.streams(self._thread.target)
            return True
        # An adopted message may be that of an earlier attempt, with another text.
        self._sent[external_id] = _Sent(otherwise) if external_id in posted else _Sent()
        return external_id in posted

    async def feed(self, api: SlackApi, position: int, text: str, rows: Sequence[Row], otherwise: Look) -> bool:
        """Append to a stream what it lacks; where it can't take that, make it a message that looks like
        `otherwise`."""
        external_id = self._id(position) or ""
        sent = self._of(external_id)
        stream = sent.stream
        assert stream is not None  # noqa: S101 - `is_stream`
        if stream.is_due(self._clock.monotonic()) and not stream.text and self._pacing.may_stream(api):
            # Nothing but steps so far: they begin anew in another stream, so that the text has its time.
            await self.remove_from(position)
            return await self.start(api, position, text, rows, otherwise)
        if stream.is_due(self._clock.monotonic()) or not stream.takes(text):
            return await self.show(api, position, otherwise)
        chunks = stream.lacking(text, rows)
        if not chunks:
            return True
        if not self._turns(api, "chat.appendStream").takes_turn():
            return False
        stream.is_known = False
        try:
            made = await self._poster.offer(partial(self._thread.append, external_id, chunks))
        except Refused as refused:
            return await self._over(refused, sent, stream)
        stream.is_known = True
        if made:
            stream.has(text, rows)
        return made

    # The end: each call is made until it succeeds.

    async def settle(self, position: int, look: Look) -> None:
        """Make a part look like this, whatever it takes."""
        external_id = self._id(position) or await self._create(position, look, urgent=True)
        sent = self._of(external_id)
        if sent.look == look and sent.stream is None:
            return
        try:
            await self._poster.insist(partial(self._finish, position, external_id, look, "active"))
        except Refused as refused:
            if refused.code not in _LOST:
                raise
            # It is posted again, and whatever comes after it, to keep the order.
            await self.remove_from(position)
            await self.settle(position, look)

    async def whisper(self, position: int, look: Look) -> None:
        """Make a part a message that only the asker sees. Once it is told, it is told."""
        if (self._id(position) or "").startswith(PRIVATE):
            return
        send = partial(self._thread.whisper, look)
        while not (await self._poster.create(position, send)).startswith(PRIVATE):
            # What an earlier attempt had posted for all to see was taken for it.
            await self.remove_from(position)

    async def remove_from(self, position: int) -> None:
        """Take back all messages from this position on."""
        for part in reversed([part for part in self._ledger.parts if part.position >= position]):
            external_id = part.external_id or await self._poster.resolve_open()
            if external_id is not None:
                await self._poster.delete(external_id)
                self._sent.pop(external_id, None)
            await self._ledger.removed(part.position)

    def leave(self) -> None:
        """Nothing grows any more; somebody else may."""
        self._pacing.leaves(self)

    # Inside.

    def _id(self, position: int) -> str | None:
        """The id of the part's message; None when it has to be created, or may exist unknown to us."""
        return next((part.external_id for part in self._ledger.parts if part.position == position), None)

    def _turns(self, api: SlackApi, way: Way) -> Turns:
        return self._pacing.turns(api, way, self._thread.target.channel, self)

    def _of(self, external_id: str) -> _Sent:
        return self._sent.setdefault(external_id, _Sent())

    async def _create(self, position: int, look: Look, *, urgent: bool = False) -> str:
        made: list[str] = []

        async def send() -> str:
            made.append(await self._thread.post(look, position, urgent=urgent))
            return made[-1]

        external_id = await self._poster.create(position, send)
        self._sent[external_id] = _Sent(look) if external_id in made else _Sent()
        return external_id

    def _unstreamed(self, api: SlackApi, refused: Refused) -> Exception:
        """What a refusal to start a stream comes to: it says something about streams, and a post may do, or not."""
        if refused.code in _NOT_ABOUT_STREAMS:
            return refused
        channel = self._thread.target.channel
        log.info("no streams in %s: %s", channel, refused.code)
        self._abilities.lacks(api, "stream", "" if refused.code in _EVERYWHERE else channel)
        return RetryLater(0.0)

    async def _over(self, refused: Refused, sent: _Sent, stream: Stream) -> bool:
        """A stream has refused what was appended."""
        if refused.code in _FULL:
            # It is to be stopped and edited; its text isn't in doubt, but it takes nothing more.
            log.warning("a stream took less than expected: %s", refused.code)
            return False
        if refused.code not in _OVER:
            return self._lost(refused, sent)
        log.info("a stream is over: %s", refused.code)
        sent.stream, sent.look = None, Look(stream.text)
        if refused.code != "stopped_by_user":
            return False
        self.is_stopped = True
        await self._on_stop(self._ledger.turn_id)
        return True

    def _lost(self, refused: Refused, sent: _Sent) -> bool:
        """A message that can't be changed is left to the end. Raises every other refusal."""
        if refused.code not in _LOST:
            raise refused
        sent.look, sent.stream, sent.is_lost = None, None, True
        return True

    async def _finish(self, position: int, external_id: str, look: Look, session: Session) -> None:
        """Make a message look like this, with no stream open afterwards. It may be repeated. The caller has checked the
        lease."""
        sent = self._of(external_id)
        stream = sent.stream
        if stream is None or not stream.takes(look.text):
            return await self._edit(position, external_id, look, session)
        stream.is_known = False
        chunks = stream.lacking(look.text, ())
        try:
            await self._thread.stop(external_id, position, session=session, chunks=chunks, look=look)
        except RetryLater:
            stream.is_known = True
            raise
        except Refused as refused:
            if refused.code not in _OVER | _FULL:
                raise
            if refused.code in _OVER:
                sent.stream = None
            self._ledger.check()
            return await self._edit(position, external_id, look, session)
        self._stopped(sent, look, session)

    async def _edit(self, position: int, external_id: str, look: Look, session: Session) -> None:
        """One edit, after the end of the stream if the message is one."""
        sent = self._of(external_id)
        # Until the call is known to have changed everything, nothing is known.
        before, sent.look = sent.look, None
        edit = partial(self._thread.edit, external_id, look, position, urgent=session == "active")
        try:
            if sent.stream is not None:
                await self._stop(position, external_id, session)
                self._ledger.check()
            try:
                await edit()
            except Refused as refused:
                # It was found after a crash.
                if refused.code != "streaming_state_conflict":
                    raise
                self._ledger.check()
                await self._stop(position, external_id, session)
                self._ledger.check()
                await edit()
        except RetryLater:
            sent.look = before
            raise
        sent.look = look

    async def _stop(self, position: int, external_id: str, session: Session) -> None:
        """End a stream as it is; one that has ended already is no error."""
        try:
            await self._thread.stop(external_id, position, session=session)
        except Refused as refused:
            if refused.code not in _OVER:
                raise
        self._stopped(self._of(external_id), None, session)

    def _stopped(self, sent: _Sent, look: Look | None, session: Session) -> None:
        sent.stream, sent.look = None, look
        if session == "active":
            self._signs.ended(self._thread.target)
