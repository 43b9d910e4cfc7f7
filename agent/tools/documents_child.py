"""The process in which one attached file becomes text: whatever the file is made to do ends here, with this process.

Its whole protocol: on standard input one line of JSON (`most_chars`, `media_type`, `parent`) and then the file's bytes;
on standard output one line of JSON (`pages` and `cut`, or `problem`) and then the text as UTF-8. It imports nothing of
this project, so that it can be started by its path in an interpreter without the project's environment.
"""

from __future__ import annotations

import codecs
import contextlib
import ctypes
import json
import logging
import os
import re
import signal
import sys
import time
from html.parser import HTMLParser
from io import BytesIO
from typing import Any, NamedTuple

#: Bytes of memory; a PDF of 10 MB takes some 150 MB.
MEMORY = 640 << 20
#: Seconds of CPU after which the kernel ends the process, and after which no further page is begun.
CPU, PATIENCE = 20, 8.0
#: Seconds after which it ends in any case.
WALL = 40
#: Open files: what importing takes.
FILES = 64
#: What PDFs may make the library do; its own limits are for larger machines.
PDF_LIMITS = {
    "maximum_declared_stream_length": 32_000_000,
    "array_based_stream_maximum_output_length": 32_000_000,
    "zlib_maximum_output_length": 32_000_000,
    "lzw_maximum_output_length": 8_000_000,
    "run_length_maximum_output_length": 32_000_000,
    "stream_decoding_work_maximum_length": 64_000_000,
    "stream_parsing_work_maximum_count": 1_000_000,
    "page_tree_maximum_entries": 20_000,
    "page_tree_maximum_depth": 50,
    "page_tree_maximum_page_entries": 200_000,
    "xform_maximum_invocations_per_extraction": 500,
    "jbig2dec_binary": None,
}

_PR_SET_PDEATHSIG = 1
#: A PDF's mark stands within its first so many bytes.
_HEAD = 1024
#: Colours and cursor movements, of which terminals' logs are full.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f]")
#: Most of a text's characters that may be control characters: a log that was cut off has a few.
_MOST_CONTROLS = 0.01
_LONE = re.compile(r"[\ud800-\udfff]")
_HTML = re.compile(rb"\s*(?:<!--.{0,2000}?-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_MARKED = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Bytes by which an encoding is guessed.
_SAMPLE = 1 << 16
#: Two bytes of a Chinese text in GB 2312, which is nearly all of one in GB18030; any byte that isn't ASCII.
_GB_PAIR = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")
_HIGH = re.compile(rb"[\x80-\xff]")
_GB_SHARE = 0.8
_BLANKS = re.compile(r"[ \t]+(?=\n)|(?<=\n)\n{2,}")


class Found(NamedTuple):
    """What was found in a file."""

    text: str
    pages: int | None = None
    cut: bool = False


class Unreadable(Exception):
    """The file gives no text; the message is the problem's code."""


def main() -> None:
    """Read one file, write its text."""
    _confine()
    head = json.loads(sys.stdin.buffer.readline())
    if os.getppid() != head["parent"]:
        # The parent was gone before the kernel was asked to tell.
        return
    data = sys.stdin.buffer.read()
    try:
        found = _read(data, head["media_type"], head["most_chars"])
        report: dict[str, Any] = {"pages": found.pages, "cut": found.cut}
        text = found.text
    except Unreadable as problem:
        report, text = {"problem": str(problem)}, ""
    except (MemoryError, RecursionError):
        report, text = {"problem": "too_hard"}, ""
    sys.stdout.buffer.write(json.dumps(report).encode() + b"\n" + text.encode())
    sys.stdout.buffer.flush()
    # The library's objects may take longer to go than they took to come.
    os._exit(0)


def _confine() -> None:
    """Take from this process what it needn't have."""
    for name in (signal.SIGALRM, signal.SIGXCPU):
        signal.signal(name, signal.SIG_DFL)
    signal.alarm(WALL)
    logging.disable()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    import resource

    limits = {
        resource.RLIMIT_AS: MEMORY,
        resource.RLIMIT_CPU: CPU,
        resource.RLIMIT_NOFILE: FILES,
        resource.RLIMIT_CORE: 0,
        # No file is written, and no process started (as root, that one can't be had).
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NPROC: 0,
    }
    for limit, most in limits.items():
        # macOS doesn't know them all.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(limit, (most, most))


def _read(data: bytes, media_type: str, most_chars: int) -> Found:
    if not data.strip():
        raise Unreadable("empty")
    if b"%PDF-" in data[:_HEAD]:
        return _pdf(data, most_chars)
    text = _decoded(data)
    if media_type == "text/html" or _HTML.match(data[:4096].replace(b"\0", b"")):
        text = _html_text(text, 4 * most_chars)
    text = _tidy(text)
    if not text:
        raise Unreadable("empty")
    return Found(text[:most_chars], cut=len(text) > most_chars)


# --- Text


def _decoded(data: bytes) -> str:
    """The text of these bytes. Raises `Unreadable` for bytes that are none."""
    text = _in(data, _encoding(data))
    if text is None:
        raise Unreadable("unknown")
    text = _ESCAPES.sub("", text)
    plain, controls = _CONTROLS.subn("", text)
    if controls > len(text) * _MOST_CONTROLS:
        raise Unreadable("unknown")
    return plain


def _encoding(data: bytes) -> str:
    marked = next((name for mark, name in _MARKED if data.startswith(mark)), None)
    if marked is not None:
        return marked
    sample = data[:_SAMPLE]
    if b"\0" in sample:
        # In UTF-16, the upper byte of each Latin letter, digit and line break is 0.
        even, odd = sample[0::2].count(0), sample[1::2].count(0)
        if max(even, odd) * 10 > len(sample) and min(even, odd) * 20 < max(even, odd):
            return "utf-16-le" if odd > even else "utf-16-be"
    if _in(data, "utf-8") is not None:
        return "utf-8"
    high = len(_HIGH.findall(sample))
    return "gb18030" if 2 * len(_GB_PAIR.findall(sample)) >= _GB_SHARE * high else "cp1252"


def _in(data: bytes, encoding: str) -> str | None:
    # Western text may have bytes that its code page lacks, Chinese text one that a program has cut in two.
    strict = encoding in ("utf-8", "utf-16-le", "utf-16-be")
    try:
        text = data.decode(encoding, "strict" if strict else "replace")
    except UnicodeError:
        return None
    return None if text.count("\ufffd") > len(text) * _MOST_CONTROLS else text


def _tidy(text: str) -> str:
    text = _LONE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _BLANKS.sub(lambda blanks: "\n" if "\n" in blanks[0] else "", text).strip()


class _Words(HTMLParser):
    """The text of a page: without scripts, with a line for each block."""

    _SILENT = frozenset(("script", "style", "template", "noscript", "svg"))
    _BLOCKS = frozenset(
        (
            *("address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "figcaption", "footer"),
            *("form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "option", "p"),
            *("pre", "section", "table", "title", "tr", "ul"),
        )
    )

    def __init__(self, most: int) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.left = most
        self._silent = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self._silent and tag in self._SILENT:
            self._silent = tag
        elif tag in self._BLOCKS:
            self.pieces.append("\n")
        elif tag in ("td", "th"):
            self.pieces.append("\t")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._silent:
            self._silent = ""
        elif tag in self._BLOCKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(re.sub(r"\s+", " ", data))
            self.left -= len(data)


def _html_text(page: str, most: int) -> str:
    words = _Words(most)
    for start in range(0, len(page), 1 << 16):
        words.feed(page[start : start + (1 << 16)])
        if words.left < 0 or time.process_time() > PATIENCE:
            break
    else:
        words.close()
    return re.sub(r" *\n[ \n]*", "\n", "".join(words.pieces))


# --- PDF


def _pdf(data: bytes, most_chars: int) -> Found:
    import pypdf
    from pypdf.errors import FileNotDecryptedError, LimitReachedError

    pypdf.overwrite_configuration(None, **PDF_LIMITS)
    try:
        reader = pypdf.PdfReader(BytesIO(data))
        # Most are only protected against changes, and open with the empty password.
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("encrypted")
        return _pages(reader, most_chars)
    except (Unreadable, MemoryError, RecursionError):
        raise
    except FileNotDecryptedError:
        raise Unreadable("encrypted") from None
    except LimitReachedError:
        raise Unreadable("too_hard") from None
    except Exception:  # noqa: BLE001 - its own pages say that broken files may cause any exception
        raise Unreadable("broken") from None


def _pages(reader: Any, most_chars: int) -> Found:
    pages = len(reader.pages)
    parts: list[str] = []
    length, cut, failed = 0, False, ""
    for number in range(1, pages + 1):
        try:
            text = _page(reader, number)
        except Unreadable as problem:
            # The other pages may be well.
            cut, failed, text = True, failed or str(problem), ""
        if text:
            parts.append(f"[{number}/{pages}]\n{text}" if pages > 1 else text)
            length += len(parts[-1]) + 2
        if length > most_chars or time.process_time() > PATIENCE:
            cut = cut or length > most_chars or number < pages
            break
    if not parts:
        raise Unreadable(failed or ("too_hard" if cut else "scanned"))
    return Found("\n\n".join(parts)[:most_chars], pages, cut)


def _page(reader: Any, number: int) -> str:
    """The text of a page, the first one being 1."""
    from pypdf.errors import LimitReachedError

    try:
        return _tidy(_CONTROLS.sub("", reader.pages[number - 1].extract_text()))
    except MemoryError:
        raise
    except LimitReachedError:
        raise Unreadable("too_hard") from None
    except Exception:  # noqa: BLE001 - as above
        raise Unreadable("broken") from None


if __name__ == "__main__":
    main()
