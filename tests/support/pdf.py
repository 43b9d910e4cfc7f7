"""PDFs for tests, written by hand: a few objects, a table of them, a trailer."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence


def pdf(*pages: str) -> bytes:
    """A PDF with this text on its pages, line by line; "" is a page without text."""
    streams = [_shown(text) for text in pages]
    return built(
        {
            1: b"<< /Type /Catalog /Pages 2 0 R >>",
            2: _tree(range(10, 10 + len(pages))),
            3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            **{10 + n: _page(100 + n) for n in range(len(pages))},
            **{100 + n: stream(content) for n, content in enumerate(streams)},
        }
    )


def bomb(megabytes: int) -> bytes:
    """A page whose content is a few kilobytes that become so many megabytes."""
    content = zlib.compress(b" " * (megabytes << 20), 9)
    return built(
        {
            1: b"<< /Type /Catalog /Pages 2 0 R >>",
            2: _tree([10]),
            3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            10: _page(100),
            100: stream(content, b"/Filter /FlateDecode "),
        }
    )


def endless() -> bytes:
    """A tree of pages that has itself among its leaves."""
    return built({1: b"<< /Type /Catalog /Pages 2 0 R >>", 2: _tree([4, 2]), 4: _tree([2, 4])})


def costly(count: int, operators: int) -> bytes:
    """One page that takes a while and has no text, so many times in the tree."""
    content = b"q " + b"1 0 0 1 0 0 cm " * operators + b"Q"
    return built(
        {
            1: b"<< /Type /Catalog /Pages 2 0 R >>",
            2: _tree([10] * count),
            3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            10: _page(100),
            100: stream(zlib.compress(content, 9), b"/Filter /FlateDecode "),
        }
    )


def locked(text: str) -> bytes:
    """A PDF that asks for a password."""
    encryption = b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <" + b"41" * 32 + b"> /U <" + b"42" * 32 + b"> >>"
    whole = pdf(text)
    more = b" /Encrypt 9 0 R /ID [<00><00>] >>"
    return whole.replace(b" >>\nstartxref", more + b"\nstartxref").replace(
        b"1 0 obj", b"9 0 obj\n" + encryption + b"\nendobj\n1 0 obj", 1
    )


def stream(content: bytes, more: bytes = b"") -> bytes:
    """A stream object."""
    return b"<< " + more + b"/Length %d >>\nstream\n" % len(content) + content + b"\nendstream"


def built(objects: Mapping[int, bytes]) -> bytes:
    """The file with these objects; object 1 is the catalog."""
    out = bytearray(b"%PDF-1.4\n")
    offsets = {}
    for number, content in objects.items():
        offsets[number] = len(out)
        out += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 1\n0000000000 65535 f \n"
    for number, offset in offsets.items():
        out += b"%d 1\n%010d 00000 n \n" % (number, offset)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (max(objects) + 1, start)
    return bytes(out)


def _shown(text: str) -> bytes:
    lines = [line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)") for line in text.split("\n") if line]
    shown = "".join(f"({line}) Tj 0 -14 Td " for line in lines)
    return f"BT /F1 12 Tf 72 720 Td {shown}ET".encode("latin-1") if lines else b""


def _page(contents: int) -> bytes:
    return (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
        b"/Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>" % contents
    )


def _tree(kids: Sequence[int] | range) -> bytes:
    named = b" ".join(b"%d 0 R" % kid for kid in kids)
    return b"<< /Type /Pages /Kids [" + named + b"] /Count %d >>" % len(kids)
