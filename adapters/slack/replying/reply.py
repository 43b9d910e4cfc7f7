"""One reply in a Slack thread: what its messages shall look like, and in which way it grows.

The ladder: a quick or short answer is one post; a longer one streams, with its steps as rows, where the workspace's
budget has room; else it is posted and edited; else there is nothing but Slack's own sign of work until the answer is
posted at once.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from adapters.chat.drafts import NOTHING, with_question
from adapters.chat.pictures import without
from adapters.chat.tasks import OUTSIDE
from adapters.slack import limits
from adapters.slack.connection.api import SlackApi
from adapters.slack.errors import sentence
from adapters.slack.render.markdown import neutralise, stable
from adapters.slack.render.measures import bytes_of, characters_of
from adapters.slack.replying.look import Block, Look, consent_buttons, end_buttons, stop_button
from adapters.slack.replying.parts import Parts
from adapters.slack.replying.pictures import NOT_TAKEN, Pictures, Unshown
from adapters.slack.replying.signs import Signs
from adapters.slack.replying.stream import TEXT_BYTES, Row, rows_of
from adapters.slack.replying.thread import Thread
from agent.clock import Clock
from agent.language import Text
from bot.messages import Asked, Draft
from bot.messages import Final as End
from bot.ports import Ledger
from bot.posting import Poster, Refused
from bot.rendering.compose import compose, escaped
from bot.rendering.split import closed, split, steady

log = logging.getLogger(__name__)

#: Characters of one message that was never a draft: what Markdown blocks take, less room for buttons.
_POST: Final = limits.MARKDOWN_BLOCKS - 500
#: Seconds between two changes of the status line, and after which it is said again: Slack clears it by itself.
_STATUS_S: Final = 3.0
_STATUS_AGAIN_S: Final = limits.STATUS_CLEARS_S / 2
_SIGNS: Final = {"in_progress": "…", "complete": "✓", "error": "✗"}


class SlackReply:
    """One reply.

    A text is cut in the same way however it is shown, so that a stream that fails is gone on with in the message that
    it was. A shorter draft leaves surplus parts as they are until the end removes them.
    """

    def __init__(
        self,
        thread: Thread,
        parts: Parts,
        ledger: Ledger,
        poster: Poster,
        asked: Asked,
        *,
        pictures: Pictures,
        signs: Signs,
        titles: Mapping[str, Text],
        clock: Clock,
    ) -> None:
        self._thread = thread
        self._parts = parts
        self._ledger = ledger
        self._poster = poster
        self._asked = asked
        self._pictures = pictures
        self._signs = signs
        self._titles = titles
        self._clock = clock
        #: Part → as it is shown.
        self._neutralised: dict[str, str] = {}
        self._status = ""
        self._status_at = float("-inf")

    async def show(self, draft: Draft) -> bool:
        if self._parts.is_stopped:
            return True
        if draft.consent is not None:
            buttons = consent_buttons(self._ledger.turn_id, draft.consent, self._asked.lang)
            await self._parts.settle_all(_looks(with_question(draft.text, draft.consent), buttons))
            self._rest(silent=False)
            return True
        rows = rows_of(draft.steps, self._titles, self._asked.lang)
        if not draft.text.strip() and not rows:
            return await self._say(draft.status)
        self._ledger.check()
        if self._ledger.is_job:
            return await self._note(draft.text, rows)
        api = await self._thread.api()
        if not await self._parts.may_grow(api):
            return False
        text = draft.text
        streaming = self._parts.has_stream
        cut = _steady(text) if streaming else _cut(text)
        last = len(cut) - 1
        if streaming and self._parts.is_stream(last):
            return await self._stream(api, cut, rows)
        if not self._parts.exists(last) and await self._parts.can_stream(api):
            return await self._stream(api, cut if streaming else _steady(text), rows)
        return await self._edit(api, _cut(text) if streaming else cut, rows)

    async def close(self, final: End) -> None:
        self._parts.leave()
        whispers = final.private and not self._thread.is_direct
        if whispers:
            await self._whisper(final)
        else:
            await self._settle(final)
        await self._poster.settle()
        self._rest(silent=whispers, resumed=self._ledger.resumed)

    async def discard(self) -> None:
        self._parts.leave()
        await self._parts.remove_from(0)
        await self._poster.settle()
        self._rest(silent=True, resumed=self._ledger.resumed)

    async def _settle(self, final: End) -> None:
        """Show an end to all; without its pictures where Slack doesn't take them."""
        if final.images:
            try:
                return await self._picture(final)
            except Unshown as unshown:
                log.warning("an answer was posted without its pictures: %s", unshown)
                final = without(final, sentence(unshown.code, final.lang, needed=unshown.needed))
        await self._show_end(final, ())

    async def _picture(self, final: End) -> None:
        """The same with pictures. Raises `Unshown`."""
        blocks = await self._pictures.blocks(final.images)
        for pause in (*self._pictures.waits.again, None):
            try:
                return await self._show_end(final, blocks)
            except Refused as refused:
                if refused.code not in NOT_TAKEN:
                    raise
                if pause is None:
                    raise Unshown.of(refused) from refused
                await self._clock.sleep(pause)

    async def _show_end(self, final: End, pictures: tuple[Block, ...]) -> None:
        # What was shown before was cut for streams, and stays where it is; what a job says never streams.
        looks = _looks if self._ledger.parts and not self._ledger.is_job else _larger_looks
        buttons = end_buttons(self._ledger.turn_id, final)
        *others, last = looks(compose(final), buttons)
        await self._parts.settle_all([*others, replace(last, pictures=pictures)])

    async def _note(self, text: str, rows: Sequence[Row]) -> bool:
        """Show how a job is getting on, which may take hours: in messages that are edited, with no sign of work. It is
        stopped by a command."""
        api = await self._thread.api()
        if not self._parts.may_change(self._parts.edits(api)):
            return False
        return await self._edit(api, _cut(text), rows)

    def _rest(self, *, silent: bool, resumed: bool = False) -> None:
        """End the signs of work, unless this is a job: those that there are belong to a turn."""
        if not self._ledger.is_job:
            self._signs.rest(self._thread.target, silent=silent, resumed=resumed)

    async def _stream(self, api: SlackApi, cut: Sequence[str], rows: Sequence[Row]) -> bool:
        """Show a text, the last part of it as a stream."""
        *before, growing = cut
        for position, part in enumerate(before):
            if not await self._parts.show(self._parts.edits(api), position, Look(self._safe(part))):
                return False
        # The end has no white space behind it.
        last = stable(growing.rstrip())
        position, otherwise = len(before), Look(last or _lines(rows), self._stop())
        if self._parts.is_stream(position):
            return await self._parts.feed(api, position, last, rows, otherwise)
        if self._parts.exists(position):
            return await self._parts.show(self._parts.edits(api), position, otherwise)
        return not otherwise.text or await self._parts.start(api, position, last, rows, otherwise)

    async def _edit(self, api: SlackApi, cut: Sequence[str], rows: Sequence[Row]) -> bool:
        """Show a text in messages that are edited."""
        *before, growing = cut
        last = neutralise(closed(growing)) if growing.strip() else _lines(rows)
        for position, look in enumerate([*(Look(self._safe(part)) for part in before), Look(last, self._stop())]):
            if not await self._parts.show(self._parts.edits(api), position, look):
                return False
        return True

    async def _say(self, status: str) -> bool:
        """Before there is anything to post, what goes on is said in the status line."""
        if self._ledger.is_job:
            return True
        now = self._clock.monotonic()
        since = now - self._status_at
        changed = status != self._status and since >= _STATUS_S
        if not status or self._ledger.parts or not (changed or since >= _STATUS_AGAIN_S):
            return True
        self._status, self._status_at = status, now
        self._ledger.check()
        try:
            await self._signs.say(self._thread.target, self._asked, status)
        except OUTSIDE as error:
            log.debug("the status was not shown: %s", error)
        return True

    async def _whisper(self, final: End) -> None:
        """Tell the asker alone, whatever was shown to all before."""
        await self._parts.whisper_all(
            [partial(self._thread.whisper, look) for look in _larger_looks(compose(final), ())]
        )

    def _safe(self, part: str) -> str:
        """A part that is complete, which is asked for again and again."""
        if part not in self._neutralised:
            self._neutralised[part] = neutralise(part)
        return self._neutralised[part]

    def _stop(self) -> tuple[Block, ...]:
        """A Stop button, where Slack shows none of its own."""
        if self._ledger.is_job or self._signs.can_stop(self._thread.target):
            return ()
        return stop_button(self._ledger.turn_id, self._asked.lang)


def _cut(text: str) -> list[str]:
    """The parts of a draft."""
    return split(text, TEXT_BYTES, bytes_of) or [""]


def _steady(text: str) -> list[str]:
    """The same, as far as a stream may show it."""
    return steady(text, TEXT_BYTES, bytes_of) or [""]


def _looks(text: str, buttons: tuple[Block, ...]) -> list[Look]:
    """What the messages of this text show, each of which may be a stream; the last one has the buttons."""
    return _with_buttons(split(text, TEXT_BYTES, bytes_of), buttons)


def _larger_looks(text: str, buttons: tuple[Block, ...]) -> list[Look]:
    """The same where none of them was ever a stream."""
    return _with_buttons(split(text, _POST, characters_of), buttons)


def _with_buttons(texts: Sequence[str], buttons: tuple[Block, ...]) -> list[Look]:
    *others, last = texts or [NOTHING]
    return [*(Look(neutralise(other)) for other in others), Look(neutralise(last), buttons)]


def _lines(rows: Sequence[Row]) -> str:
    """The steps, where there are no rows."""
    return "\n".join(neutralise(f"- {_SIGNS[row.status]} {escaped(row.title)}") for row in rows)
