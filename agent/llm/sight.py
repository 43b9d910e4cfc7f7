"""Whether a model looks at pictures: as the setting says, else found out with a tiny one when that matters."""

from __future__ import annotations

import asyncio
import re
import struct
import zlib
from collections.abc import Awaitable, Callable
from typing import Final

from agent.llm.chat import ChatMessage, ChatRequest, ModelError
from agent.llm.endpoint import Vision
from agent.llm.images import Image

#: Seconds for the trial; a CPU takes its time for a picture.
SIGHT_SECONDS = 20.0
#: Seconds between two trials that came to nothing.
_PAUSE = 30.0
#: Pixels along a side; some models take none that is smaller than 28.
_SIDE = 64
#: A colour that a model which can't see it hardly guesses.
_YELLOW: Final = (255, 221, 0)
_NAMED = re.compile(r"yellow|gold|黄", re.IGNORECASE)

#: Asks the model and gives its reply.
Say = Callable[[ChatRequest], Awaitable[str]]


class Sight:
    """What is known of one model's sight."""

    def __init__(self, setting: Vision) -> None:
        self._setting = setting
        self._seen: bool | None = None
        self._after = 0.0
        #: One trial at a time; who comes meanwhile shares what it finds.
        self._trying = asyncio.Lock()

    @property
    def known(self) -> bool | None:
        """Whether it sees; None while nobody knows."""
        return self._seen if self._setting == "auto" else self._setting == "yes"

    def forget(self) -> None:
        """It is another model, perhaps."""
        self._seen, self._after = None, 0.0

    async def find_out(self, say: Say) -> None:
        """Show it a picture, if nobody knows yet. Never raises; after a failure it stays unknown for a while."""
        clock = asyncio.get_running_loop().time
        async with self._trying:
            if self.known is not None or clock() < self._after:
                return
            try:
                self._seen = bool(_NAMED.search(await say(trial())))
            except ModelError as error:
                if error.fault == "rejected":
                    self._seen = False
            except TimeoutError:
                pass
            if self._seen is None:
                self._after = clock() + _PAUSE


def trial() -> ChatRequest:
    """The question that only a model which sees answers rightly: some servers take a picture and leave it out."""
    question = "Which colour is this picture? Answer with the name of the colour only."
    picture = Image("image/png", plain_png(_SIDE, _YELLOW), "trial.png")
    return ChatRequest((ChatMessage("user", question, (picture,)),), max_tokens=48, temperature=0.0)


def plain_png(side: int, colour: tuple[int, int, int]) -> bytes:
    """A square of one colour."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    rows = (b"\0" + bytes(colour) * side) * side
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body
