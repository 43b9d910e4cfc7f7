"""Attached files as text: read in a child process that may do nothing else, because files come from anybody."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.language import Text

#: Seconds that one file may take. The child's own limits (`documents_child`) end it soon after.
MOST_SECONDS = 30.0
#: Files that are read at the same time; each takes a core.
AT_ONCE = 2
#: Characters of a name that are shown.
_MOST_NAME = 80
#: Bytes of the child's first line, and of each character of the text.
_FIRST_LINE, _PER_CHARACTER = 4096, 4
_CHILD: Final = Path(__file__).with_name("documents_child.py")

_PROBLEMS: Final[dict[str, Text]] = {
    "empty": Text("“{name}” is empty.", "“{name}”是空文件。"),
    "encrypted": Text(
        "“{name}” is locked with a password: attach a copy without one.",
        "“{name}”有密码保护：请上传没有密码的副本。",
    ),
    "scanned": Text(
        "“{name}” has no text, only pictures of pages: attach a version with text, or the pages as pictures.",
        "“{name}”中没有文字，只有页面图片（可能是扫描件）：请上传带文字的版本，或直接上传页面图片。",
    ),
    "broken": Text(
        "“{name}” can't be read because the file is damaged: export it anew and attach it again.",
        "“{name}”已损坏，无法读取：请重新导出后再上传。",
    ),
    "too_hard": Text(
        "“{name}” is too large or too complicated to be read here: attach a smaller part of it.",
        "“{name}”太大或太复杂，无法读取：请只上传其中一部分。",
    ),
    "unknown": Text(
        "“{name}” is of a kind that can't be read: attach text, a PDF or a picture (PNG, JPEG, GIF, WebP).",
        "“{name}”的格式无法读取：请上传文本、PDF 或图片（PNG、JPEG、GIF、WebP）。",
    ),
    "no_reader": Text(
        "“{name}” could not be read because the server could not start the reader: try again later.",
        "“{name}”未能读取，因为服务器无法启动读取程序：请稍后再试。",
    ),
}


@dataclass(frozen=True, slots=True)
class Document:
    """A file's text."""

    text: str
    #: Pages of a PDF; None for other files.
    pages: int | None = None
    #: Whether there is more than this text.
    cut: bool = False


class DocumentError(Exception):
    """A file gives no text. `text` is one sentence that says what would help."""

    def __init__(self, code: str, name: str) -> None:
        super().__init__(code)
        self.code = code
        self.text = problem(code, name)


def problem(code: str, name: str) -> Text:
    """The sentence for a problem with the file of this name."""
    found, shown = _PROBLEMS[code], shown_name(name)
    return Text(found.say("en", name=shown), found.say("zh", name=shown))


def shown_name(name: str) -> str:
    """A file's name as it can stand in a sentence and in a prompt: one line, not long, without marks of either."""
    plain = "".join(" " if ch in '<>"“”`' or not ch.isprintable() else ch for ch in name)
    line = " ".join(plain.split())
    return line if len(line) <= _MOST_NAME else f"{line[: _MOST_NAME // 2]}…{line[1 - _MOST_NAME // 2 :]}"


class Documents:
    """Reads text files of any encoding, HTML, and PDF; what a file is, its bytes tell and not its name."""

    def __init__(self, *, at_once: int = AT_ONCE, seconds: float = MOST_SECONDS) -> None:
        self._room = asyncio.Semaphore(at_once)
        self._seconds = seconds

    async def extract(self, name: str, media_type: str, data: bytes, *, most_chars: int) -> Document:
        """The file's text, at most so many characters of its beginning. Raises `DocumentError`.

        `media_type` is believed for HTML only, which can't always be told from other text. Takes at most
        `MOST_SECONDS` once it is its turn.
        """
        head = {"media_type": media_type, "most_chars": most_chars, "parent": os.getpid()}
        async with self._room:
            try:
                process = await _start()
            except OSError as error:
                raise DocumentError("no_reader", name) from error
            try:
                async with asyncio.timeout(self._seconds):
                    report = await _talk(process, json.dumps(head).encode() + b"\n" + data, most_chars)
            except TimeoutError:
                raise DocumentError("too_hard", name) from None
            finally:
                if process.returncode is None:
                    with suppress(ProcessLookupError):
                        process.kill()
                await process.wait()
        if report is None:
            # Its limits have ended it (by a signal), or the library has.
            raise DocumentError("too_hard" if process.returncode and process.returncode < 0 else "broken", name)
        first, text = report
        if "problem" in first:
            raise DocumentError(first["problem"], name)
        return Document(text, first["pages"], first["cut"])


async def _start() -> Process:
    # Isolated: no variables, no folder of ours on the path, no descriptors but the pipes, not in our process group
    # (Ctrl-C is for the server, whose turns that drain still need the file).
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-I", "-B", str(_CHILD)),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env={},
        cwd="/",
        close_fds=True,
        start_new_session=True,
    )


async def _talk(process: Process, question: bytes, most_chars: int) -> tuple[dict[str, Any], str] | None:
    """What the child says; None if it ends without having said it all, or says too much."""
    to_child, from_child = process.stdin, process.stdout
    if to_child is None or from_child is None:
        raise AssertionError("started with pipes")
    with suppress(ConnectionError):
        to_child.write(question)
        await to_child.drain()
    to_child.close()
    most = _FIRST_LINE + _PER_CHARACTER * most_chars
    answer = bytearray()
    while piece := await from_child.read(1 << 16):
        answer += piece
        if len(answer) > most:
            return None
    await process.wait()
    first, newline, text = bytes(answer).partition(b"\n")
    if process.returncode or not newline:
        return None
    try:
        return json.loads(first), text.decode()
    except ValueError:
        return None
