"""Pictures for models that see: told by their bytes, measured without decoding them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from agent.language import Text

#: Largest picture that is sent, in bytes, and its longest side, in pixels: what the strictest of the hosted APIs take.
MAX_BYTES = 5_000_000
MAX_SIDE = 8_000
#: Pixels, along a side, of what becomes one token (Qwen-VL; others take more pixels for one).
_PATCH = 28
#: Servers scale larger pictures down to something like this many tokens; those that don't refuse a prompt that is too
#: long, and it is sent again without the picture.
_MOST_TOKENS, _LEAST_TOKENS = 1_600, 90
#: Segments of a JPEG before its size, fill bytes among them; cameras and programs write a few dozen, and a file of ten
#: million would keep everybody waiting.
_MOST_SEGMENTS = 10_000

_TOO_LARGE: Final = Text(
    "“{name}” is too large a picture: attach one of at most {megabytes} MB and {side} pixels along each side.",
    "“{name}”这张图片过大：请上传不超过 {megabytes} MB、每边不超过 {side} 像素的图片。",
)
_BROKEN: Final = Text(
    "“{name}” can't be read because the picture is damaged: save it anew and attach it again.",
    "“{name}”这张图片已损坏，无法读取：请重新保存后再上传。",
)


@dataclass(frozen=True, slots=True)
class Image:
    """A picture for a model."""

    #: What its bytes say that it is.
    media_type: str
    data: bytes = field(repr=False)
    #: The file's name, for people and for the model; not to be trusted.
    name: str = ""

    @property
    def tokens(self) -> int:
        """Tokens that it takes in a prompt; an estimate."""
        size = _SIZES[self.media_type](self.data)
        if size is None:
            return _MOST_TOKENS
        width, height = (-(-side // _PATCH) for side in size)
        return max(_LEAST_TOKENS, min(_MOST_TOKENS, width * height))


def media_type_of(data: bytes) -> str | None:
    """Which kind of picture these bytes begin as; None for none that models take."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None


def refusal(data: bytes, media_type: str, name: str) -> Text | None:
    """Why a model would not take this picture; None if it would."""
    size = _SIZES[media_type](data)
    if size is None or min(size) < 1:
        return Text(_BROKEN.say("en", name=name), _BROKEN.say("zh", name=name))
    if len(data) <= MAX_BYTES and max(size) <= MAX_SIDE:
        return None
    fields = {"name": name, "megabytes": MAX_BYTES // 1_000_000, "side": MAX_SIDE}
    return Text(_TOO_LARGE.say("en", **fields), _TOO_LARGE.say("zh", **fields))


Size = tuple[int, int]


def _png(data: bytes) -> Size | None:
    return struct.unpack(">II", data[16:24]) if len(data) >= 24 and data[12:16] == b"IHDR" else None


def _gif(data: bytes) -> Size | None:
    return struct.unpack("<HH", data[6:10]) if len(data) >= 10 else None


def _jpeg(data: bytes) -> Size | None:
    at = 2
    for _ in range(_MOST_SEGMENTS):
        if at + 9 > len(data) or data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        # Start of frame, of whichever coding; C4, C8 and CC are something else.
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
    return None


def _webp(data: bytes) -> Size | None:
    form, body = data[12:16], data[20:30]
    if len(body) < 10:
        return None
    if form == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if form == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if form == b"VP8 ":
        width, height = struct.unpack("<HH", body[6:10])
        return width & 0x3FFF, height & 0x3FFF
    return None


_SIZES: Final[Mapping[str, Callable[[bytes], Size | None]]] = {
    "image/png": _png,
    "image/jpeg": _jpeg,
    "image/gif": _gif,
    "image/webp": _webp,
}
