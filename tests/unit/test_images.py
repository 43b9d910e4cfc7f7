"""Pictures are measured by their first bytes, whatever the others are."""

from __future__ import annotations

import struct

from agent.llm.images import Image, refusal

#: A JPEG of 560 × 280 pixels, as far as its size goes: 20 × 10 tokens.
FRAME = b"\xff\xc0\x00\x0b\x08" + struct.pack(">HH", 280, 560) + b"\x01\x01\x11\x00"


def jpeg(before: bytes) -> bytes:
    return b"\xff\xd8" + before + FRAME


def test_a_jpegs_size_is_found_behind_its_other_segments() -> None:
    thumbnail = b"\xff\xe1" + struct.pack(">H", 40_002) + bytes(40_000)
    picture = jpeg(thumbnail * 30 + b"\xff" * 5)
    assert Image("image/jpeg", picture).tokens == 200
    assert refusal(picture, "image/jpeg", "a.jpg") is None


def test_a_jpeg_of_fill_bytes_or_empty_segments_alone_is_damaged() -> None:
    for filling in (b"\xff" * 20_000, b"\xff\xe1\x00\x02" * 20_000):
        assert "damaged" in str(refusal(jpeg(filling), "image/jpeg", "a.jpg"))
