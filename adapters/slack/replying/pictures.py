"""The pictures of a reply: uploaded to no channel, so that nobody sees them before the message that shows them.

An upload that came to nothing leaves a file that nobody ever sees, so it needs no ledger and is made anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from adapters.slack import limits
from adapters.slack.asking.handing_out import upload
from adapters.slack.connection.api import CALL_TIMEOUT_S
from adapters.slack.replying.look import Block
from adapters.slack.replying.thread import Thread
from agent.clock import Clock
from bot.messages import ReplyFile
from bot.ports import Ledger
from bot.posting import Ambiguous, Poster, Refused, RetryLater

#: Slack doesn't show these pictures in a message (yet); the message may do without them.
NOT_TAKEN: Final = frozenset({"invalid_blocks", "invalid_blocks_format", "slack_file_not_found"})
#: Characters of what a picture shows: all text of a message's blocks counts against `limits.BLOCKS_TEXT`.
_ABOUT: Final = min(500, limits.ALT_TEXT)
#: Codes that say that a file isn't there yet: its completion was answered before it was known everywhere.
_NOT_YET: Final = frozenset({"file_not_found"})


class Unshown(Exception):
    """The pictures can't be shown, for a reason with a sentence (`errors.sentence`)."""

    def __init__(self, code: str, *, needed: str = "") -> None:
        super().__init__(code)
        self.code = code
        #: With `missing_scope`: the scopes that would do.
        self.needed = needed

    @classmethod
    def of(cls, refused: Refused) -> Unshown:
        """What a refusal means for people."""
        if refused.code in NOT_TAKEN:
            return cls("file_slow")
        return cls(refused.code, needed=getattr(refused, "needed", ""))


@dataclass(frozen=True, slots=True)
class Waits:
    """How long Slack is given to make a picture of a file."""

    #: Seconds between two looks at it; doubled each time.
    first: float = 0.5
    longest: float = 4.0
    #: Seconds in all. A job's lease is a minute.
    most: float = 15.0
    #: Seconds before a message is tried again whose pictures Slack doesn't take.
    again: tuple[float, ...] = (1.0, 3.0)


class Pictures:
    """Those of one reply. What was uploaded is shown again when the end is."""

    def __init__(
        self, thread: Thread, ledger: Ledger, poster: Poster, *, clock: Clock, api_url: str, waits: Waits | None = None
    ) -> None:
        """`api_url`: where the Web API is."""
        self._thread = thread
        self._ledger = ledger
        self._poster = poster
        self._clock = clock
        self._api_url = api_url
        self.waits = waits or Waits()
        self._uploaded: dict[ReplyFile, str] = {}

    async def blocks(self, images: Sequence[ReplyFile]) -> tuple[Block, ...]:
        """Blocks that show these pictures. Raises `Unshown`, and `LostTurn`."""
        try:
            for image in images:
                if image not in self._uploaded:
                    self._uploaded[image] = await self._poster.insist(partial(self._upload, image))
            for image in images:
                await self._await(self._uploaded[image])
        except Refused as refused:
            raise Unshown.of(refused) from refused
        except (Ambiguous, RetryLater) as error:
            raise Unshown("file_unreachable") from error
        return tuple(_block(image, self._uploaded[image]) for image in images)

    async def _upload(self, image: ReplyFile) -> str:
        """All three steps; the caller has checked the lease for the first. The file's id."""
        about = {"alt_txt": image.about[: limits.ALT_TEXT]} if image.about else {}
        api = await self._thread.api()
        ticket = await api.call(
            "files.getUploadURLExternal", urgent=True, filename=image.name, length=len(image.data), **about
        )
        self._ledger.check()
        await upload(api, str(ticket["upload_url"]), image.data, self._api_url, most_s=CALL_TIMEOUT_S)
        self._ledger.check()
        file_id = str(ticket["file_id"])
        await api.call("files.completeUploadExternal", urgent=True, files=[{"id": file_id, "title": image.name}])
        return file_id

    async def _await(self, file_id: str) -> None:
        """Wait until Slack has made a picture of it, as far as we may look: without files:read, the message is tried
        as it is."""
        pause, waited = self.waits.first, 0.0
        while True:
            try:
                if await self._poster.insist(lambda: self._is_ready(file_id)):
                    return
            except Refused as refused:
                if refused.code == "missing_scope":
                    return
                raise
            if waited >= self.waits.most:
                raise Unshown("file_slow")
            await self._clock.sleep(pause)
            waited += pause
            pause = min(2 * pause, self.waits.longest)

    async def _is_ready(self, file_id: str) -> bool:
        """It has a media type when it has been looked into."""
        api = await self._thread.api()
        try:
            answer = await api.call("files.info", urgent=True, file=file_id)
        except Refused as refused:
            if refused.code in _NOT_YET:
                return False
            raise
        return bool((answer.get("file") or {}).get("mimetype"))


def _block(image: ReplyFile, file_id: str) -> dict[str, Any]:
    return {"type": "image", "slack_file": {"id": file_id}, "alt_text": (image.about or image.name)[:_ABOUT]}
