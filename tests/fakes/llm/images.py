"""Pictures in a request, and what a model that sees makes of them."""

from __future__ import annotations

import struct
import zlib
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any

_COLOURS = {"red": (255, 0, 0), "green": (0, 160, 0), "blue": (0, 0, 255), "yellow": (255, 220, 0), "black": (0, 0, 0)}
#: Tokens of each picture.
TOKENS = 85


def of(body: Mapping[str, Any]) -> list[bytes]:
    """The pictures of a chat request, in order. Raises `ValueError` for a part that no server would take."""
    parts = [part for message in body.get("messages") or [] for part in _parts(message)]
    return [_bytes(part["image_url"]["url"]) for part in parts if part.get("type") == "image_url"]


def seen(pictures: Sequence[bytes]) -> list[str]:
    """What each picture shows, for example `yellow 64x64`; of other kinds than plain PNG, the number of its bytes."""
    return [_look(picture) for picture in pictures]


def _parts(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content = message.get("content")
    return content if isinstance(content, list) else []


def _bytes(url: str) -> bytes:
    head, comma, data = url.partition(",")
    if not comma or not head.startswith("data:image/") or not head.endswith(";base64"):
        raise ValueError(f"no picture: {url[:40]}")
    return b64decode(data, validate=True)


def _look(picture: bytes) -> str:
    if not picture.startswith(b"\x89PNG") or picture[12:16] != b"IHDR":
        return f"{len(picture)} bytes"
    width, height = struct.unpack(">II", picture[16:24])
    at = picture.find(b"IDAT")
    length = int.from_bytes(picture[at - 4 : at], "big")
    try:
        pixel = zlib.decompress(picture[at + 4 : at + 4 + length])[1:4]
    except zlib.error:
        return f"{len(picture)} bytes"
    nearest = min(_COLOURS, key=lambda name: sum(abs(a - b) for a, b in zip(_COLOURS[name], pixel, strict=False)))
    return f"{nearest} {width}x{height}"
