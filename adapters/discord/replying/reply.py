"""One reply in Discord: what its messages shall look like, and when there is any use in changing them.

The ladder: a quick or short answer is one post; a longer one is posted and edited, as the channel's budget allows; else
there is nothing but the sign of work until the answer is posted at once.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Final

from adapters.chat.pacing import Shares, Turns
from adapters.chat.parts import Messages
from adapters.chat.pictures import without
from adapters.discord import limits
from adapters.discord.errors import NO_FILES, PERMISSION_CODES, sentence
from adapters.discord.hearing.parse import time_of
from adapters.discord.replying.layout import drafted, ended
from adapters.discord.replying.look import Look
from adapters.discord.replying.own import Sent
from adapters.discord.replying.signs import Signs
from adapters.discord.replying.telling import Telling
from adapters.discord.replying.thread import LOST, TOO_OLD, Thread
from agent.clock import Clock
from agent.language import Text
from bot.messages import Asked, Draft, ReplyFile
from bot.messages import Final as End
from bot.ports import Ledger
from bot.posting import Poster, Refused, RetryLater

log = logging.getLogger(__name__)

#: Refusals that people can do something about: a permission, a lock, the words that a server doesn't let through.
_TOLD: Final = PERMISSION_CODES | {"200000"}
#: Refusals that may be about the files of a message: no permission, too much.
_NO_PICTURES: Final = PERMISSION_CODES | {"40005", "413"}


class DiscordReply:
    """One reply. A shorter draft leaves surplus parts as they are until the end removes them."""

    def __init__(
        self,
        thread: Thread,
        ledger: Ledger,
        poster: Poster,
        asked: Asked,
        *,
        shares: Shares,
        signs: Signs,
        telling: Telling,
        titles: Mapping[str, Text],
        clock: Clock,
    ) -> None:
        self._thread = thread
        self._ledger = ledger
        self._poster = poster
        self._asked = asked
        self._signs = signs
        self._telling = telling
        self._titles = titles
        self._clock = clock
        # What a job says may be edited for hours: a draft that comes too soon then is made up for by the next.
        skipped = {TOO_OLD} if ledger.is_job else ()
        self._messages = Messages[Look](thread, ledger, poster, lost=LOST, skipped=skipped)
        #: When an old message was edited, by the monotonic clock.
        self._edited_at = float("-inf")
        self._turns = Turns(shares, self, thread.posts, thread.edits)

    async def show(self, draft: Draft) -> bool:
        shown = await self._show(draft)
        if not shown and not self._poster.quiet:
            # Its turn comes. An answer that asked less often each time would be overtaken by all others.
            raise RetryLater(self._turns.due_in() or self._thread.post_wait() or self._thread.edits().seconds_per_call)
        return shown

    async def _show(self, draft: Draft) -> bool:
        turn_id = 0 if self._ledger.is_job else self._ledger.turn_id
        looks = drafted(draft, turn_id, self._titles, self._asked.lang)
        if not looks:
            # Typing says that we are at work.
            return True
        if draft.consent is not None:
            self._quiet()
            await self._messages.settle_all(looks)
            return True
        self._ledger.check()
        if self._ledger.is_job and self._spares():
            return True
        if not (self._messages.may_change(self._turns) and self._may_begin_another(len(looks))):
            return False
        self._quiet()
        for position, look in enumerate(looks):
            if not await self._messages.show(self._turns, position, look):
                return False
        return True

    async def close(self, final: End) -> None:
        self._rest()
        if final.private:
            self._thread.to_asker()
        try:
            await self._settle(final)
            await self._poster.settle()
        except Refused as refused:
            if refused.code in _TOLD:
                self._telling.unanswered(self._thread.target, self._asked, refused.code)
            raise

    async def discard(self) -> None:
        self._rest()
        await self._messages.remove_from(0)
        await self._poster.settle()
        await self._thread.tidy_up()

    async def _settle(self, final: End) -> None:
        """Show an end; without its pictures where Discord doesn't take them."""
        if final.images and not _fits(final.images):
            final = without(final, sentence("40005", final.lang))
        try:
            return await self._messages.settle_all(ended(final, self._ledger.turn_id))
        except Refused as refused:
            if not final.images or refused.code not in _NO_PICTURES:
                raise
            # Whether it is the pictures, the same without them tells.
            code = NO_FILES if refused.code in PERMISSION_CODES else "40005"
        await self._messages.settle_all(ended(without(final, sentence(code, final.lang)), self._ledger.turn_id))
        log.warning("an answer was posted without its pictures: %s", code)

    def _may_begin_another(self, parts: int) -> bool:
        """Whether there is room for the messages that are missing, if there are any: Stop is below the newest one, and
        is not taken from one before the next can be posted."""
        missing = sum(not self._messages.exists(position) for position in range(parts))
        if missing in (0, parts):
            return True
        return self._turns.may_begin() and self._thread.posts() >= min(missing, 2) and self._thread.edits().left >= 2

    def _spares(self) -> bool:
        """Whether a job's message is so old that Discord counts its edits, and was edited a moment ago."""
        sent = [part.external_id for part in self._ledger.parts if part.external_id]
        age = (self._clock.now() - time_of(Sent.of(sent[-1]).message)).total_seconds() if sent else 0.0
        if age < limits.OLD_AFTER_S:
            return False
        now = self._clock.monotonic()
        if now < self._edited_at + limits.OLD_EVERY_S:
            return True
        self._edited_at = now
        return False

    def _rest(self) -> None:
        """Nothing grows any more."""
        self._turns.leaves()
        self._quiet()

    def _quiet(self) -> None:
        """End the sign of work, unless this is a job: what there is belongs to a turn."""
        if not self._ledger.is_job:
            self._signs.rest(self._thread.target)


def _fits(images: Sequence[ReplyFile]) -> bool:
    """Whether one message takes them, beside the file that a long answer becomes."""
    return len(images) < limits.FILES and sum(len(image.data) for image in images) <= limits.FILE_BYTES
