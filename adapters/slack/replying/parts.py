"""The messages of one reply: what Slack is known to show of them, and the calls that make them look otherwise."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, Literal

from adapters.chat.pacing import Turns
from adapters.chat.parts import Messages, Shown
from adapters.slack.connection.api import SlackApi
from adapters.slack.replying.abilities import Abilities, Ability
from adapters.slack.replying.look import Look
from adapters.slack.replying.pacing import Pacing, Way
from adapters.slack.replying.signs import Signs
from adapters.slack.replying.stream import Row, Stream
from adapters.slack.replying.thread import Thread
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


class Parts(Messages[Look]):
    """Messages that are posted and edited, and streams, which become such when they end."""

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
        super().__init__(thread, ledger, poster, lost=_LOST)
        self._thread = thread
        self._abilities = abilities
        self._pacing = pacing
        self._signs = signs
        self._clock = clock
        self._on_stop = on_stop
        #: External id → the stream that it is, as far as we know; nothing else is known of what it shows then.
        self._streams: dict[str, Stream] = {}
        #: Whether a person has stopped the reply: what comes next is the end.
        self.is_stopped = False

    def is_stream(self, position: int) -> bool:
        """Whether the part is a stream that may be fed."""
        return self.id_of(position) in self._streams

    @property
    def has_stream(self) -> bool:
        """Whether any part is a stream that may be fed."""
        return bool(self._streams)

    def edits(self, api: SlackApi) -> Turns:
        """This reply's turns at being edited, see `show`."""
        return self._turns(api, "chat.update")

    async def may_grow(self, api: SlackApi) -> bool:
        """Whether there is any use in showing something now."""
        if self._begins():
            return await self.can_stream(api) or self.edits(api).may_begin()
        return self._turns(api, "chat.appendStream" if self.has_stream else "chat.update").is_due()

    async def can_stream(self, api: SlackApi) -> bool:
        """Whether a new part may be a stream. Not where Slack shows no Stop for it: an edited message can have ours."""
        channel = self._thread.target.channel
        offered = all(self._abilities.has(api, ability, channel) for ability in _FOR_STREAMS)
        return offered and self._pacing.may_stream(api) and await self._thread.has_recipient()

    # Drafts: each call is made once, and a newer draft makes up for it.

    async def show(self, turns: Turns, position: int, look: Look) -> bool:
        external_id = self.id_of(position)
        if external_id not in self._streams:
            return await super().show(turns, position, look)
        # A stream's end isn't paced.
        return await self._offer(position, external_id, look)

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
            self._shown[external_id], self._streams[external_id] = Shown(), stream
            self._signs.streams(self._thread.target)
            return True
        # An adopted message may be that of an earlier attempt, with another text.
        self._shown[external_id] = Shown(otherwise) if external_id in posted else Shown()
        return external_id in posted

    async def feed(self, api: SlackApi, position: int, text: str, rows: Sequence[Row], otherwise: Look) -> bool:
        """Append to a stream what it lacks; where it can't take that, make it a message that looks like
        `otherwise`."""
        external_id = self.id_of(position) or ""
        # `is_stream`
        stream = self._streams[external_id]
        if stream.is_due(self._clock.monotonic()) and not stream.text and self._pacing.may_stream(api):
            # Nothing but steps so far: they begin anew in another stream, so that the text has its time.
            await self.remove_from(position)
            return await self.start(api, position, text, rows, otherwise)
        if stream.is_due(self._clock.monotonic()) or not stream.takes(text):
            return await self.show(self.edits(api), position, otherwise)
        chunks = stream.lacking(text, rows)
        if not chunks:
            return True
        if not self._turns(api, "chat.appendStream").takes_turn():
            return False
        stream.is_known = False
        try:
            made = await self._poster.offer(partial(self._thread.append, external_id, chunks))
        except Refused as refused:
            return await self._over(refused, external_id, stream)
        stream.is_known = True
        if made:
            stream.has(text, rows)
        return made

    def leave(self) -> None:
        """Nothing grows any more; somebody else may."""
        self._pacing.leaves(self)

    # Inside.

    def _turns(self, api: SlackApi, way: Way) -> Turns:
        return self._pacing.turns(api, way, self._thread.target.channel, self)

    def _unstreamed(self, api: SlackApi, refused: Refused) -> Exception:
        """What a refusal to start a stream comes to: it says something about streams, and a post may do, or not."""
        if refused.code in _NOT_ABOUT_STREAMS:
            return refused
        channel = self._thread.target.channel
        log.info("no streams in %s: %s", channel, refused.code)
        self._abilities.lacks(api, "stream", "" if refused.code in _EVERYWHERE else channel)
        return RetryLater(0.0)

    async def _over(self, refused: Refused, external_id: str, stream: Stream) -> bool:
        """A stream has refused what was appended."""
        if refused.code in _FULL:
            # It is to be stopped and edited; its text isn't in doubt, but it takes nothing more.
            log.warning("a stream took less than expected: %s", refused.code)
            return False
        if refused.code not in _OVER:
            return self._lost(refused, external_id)
        log.info("a stream is over: %s", refused.code)
        self._ended(external_id, Look(stream.text))
        if refused.code != "stopped_by_user":
            return False
        self.is_stopped = True
        await self._on_stop(self._ledger.turn_id)
        return True

    async def _change(self, position: int, external_id: str, look: Look, *, urgent: bool) -> None:
        """Make a message look like this, with no stream open afterwards."""
        stream = self._streams.get(external_id)
        if stream is None or not stream.takes(look.text):
            return await self._edit(position, external_id, look, urgent=urgent)
        stream.is_known = False
        chunks, session = stream.lacking(look.text, ()), _session(urgent=urgent)
        try:
            await self._thread.stop(external_id, position, session=session, chunks=chunks, look=look)
        except RetryLater:
            stream.is_known = True
            raise
        except Refused as refused:
            if refused.code not in _OVER | _FULL:
                raise
            if refused.code in _OVER:
                self._ended(external_id, None)
            self._ledger.check()
            return await self._edit(position, external_id, look, urgent=urgent)
        self._stopped(external_id, look, session)

    async def _edit(self, position: int, external_id: str, look: Look, *, urgent: bool) -> None:
        """One edit, after the end of the stream if the message is one."""
        session = _session(urgent=urgent)
        if external_id in self._streams:
            await self._stop(position, external_id, session)
            self._ledger.check()
        try:
            await super()._edit(position, external_id, look, urgent=urgent)
        except Refused as refused:
            # It was found after a crash.
            if refused.code != "streaming_state_conflict":
                raise
            self._ledger.check()
            await self._stop(position, external_id, session)
            self._ledger.check()
            await super()._edit(position, external_id, look, urgent=urgent)

    async def _stop(self, position: int, external_id: str, session: Session) -> None:
        """End a stream as it is; one that has ended already is no error."""
        try:
            await self._thread.stop(external_id, position, session=session)
        except Refused as refused:
            if refused.code not in _OVER:
                raise
        self._stopped(external_id, None, session)

    def _stopped(self, external_id: str, look: Look | None, session: Session) -> None:
        self._ended(external_id, look)
        if session == "active":
            self._signs.ended(self._thread.target)

    def _ended(self, external_id: str, look: Look | None) -> None:
        """It is no stream any more, and looks like this; None: that isn't known."""
        self._streams.pop(external_id, None)
        self._of(external_id).look = look

    def _lost(self, refused: Refused, external_id: str) -> bool:
        lost = super()._lost(refused, external_id)
        self._streams.pop(external_id, None)
        return lost

    def _forget(self, external_id: str) -> None:
        super()._forget(external_id)
        self._streams.pop(external_id, None)


def _session(*, urgent: bool) -> Session:
    """The end of an answer is the end of the session."""
    return "active" if urgent else "processing"
