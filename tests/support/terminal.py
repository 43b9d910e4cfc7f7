"""A terminal for tests: a program on a pseudo terminal, and its screen as people see it, with all that scrolled off."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import fcntl
import os
import pty
import re
import struct
import termios
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from rich.cells import get_character_cell_size

#: Seconds for anything to appear: a bound for broken programs on a busy machine, no measure.
_PATIENCE = 20.0
CTRL_C, CTRL_D, ENTER, ALT_ENTER, TAB, UP = "\x03", "\x04", "\r", "\x1b\r", "\t", "\x1b[A"

_ESCAPE = re.compile(
    r"\x1b(?:\[(?P<params>[0-?]*)[ -/]*(?P<final>[@-~])|\](?:[^\x07\x1b]*)(?:\x07|\x1b\\)|[()][0-9A-B]|[ -/]*[0-~])"
)
_WHOLE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()].|[^\[\]()])")


class Screen:
    """Obeys the control sequences that rich and prompt_toolkit write (ECMA-48; xterm for `?`)."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.lines: list[list[str]] = [[]]
        self._row = self._column = 0
        self._pending = ""
        #: What the terminal answers to what it was asked.
        self.replies: list[str] = []

    @property
    def text(self) -> str:
        """Everything, the oldest line first; a wide character stands for two columns."""
        return "\n".join("".join(line).rstrip() for line in self.lines).rstrip()

    @property
    def _top(self) -> int:
        return max(0, len(self.lines) - self.rows)

    def feed(self, text: str) -> None:
        text = self._pending + text
        self._pending = ""
        at = 0
        while at < len(text):
            if text[at] != "\x1b":
                self._write(text[at])
                at += 1
                continue
            if not _WHOLE.match(text, at):
                self._pending = text[at:]
                return
            found = _ESCAPE.match(text, at)
            assert found is not None, f"unknown sequence {text[at : at + 20]!r}"
            if found["final"]:
                self._obey(found["final"], found["params"])
            at = found.end()

    def _write(self, character: str) -> None:
        if character == "\n":
            self._move(self._row + 1, self._column)
        elif character == "\r":
            self._column = 0
        elif character == "\b":
            self._column = max(0, self._column - 1)
        elif character == "\t":
            self._column = (self._column // 8 + 1) * 8
        elif character >= " " and character != "\x7f":
            self._put(character)

    def _put(self, character: str) -> None:
        width = get_character_cell_size(character)
        if self._column + width > self.columns:
            self._move(self._row + 1, 0)
        line = self.lines[self._row]
        line += [" "] * (self._column + width - len(line))
        line[self._column] = character
        for more in range(1, width):
            line[self._column + more] = ""
        self._column += width

    def _move(self, row: int, column: int) -> None:
        self._row, self._column = max(self._top, row), max(0, min(column, self.columns - 1))
        while len(self.lines) <= self._row:
            self.lines.append([])

    def _obey(self, final: str, params: str) -> None:
        if params.startswith("?") or final in "mhlqtcu":
            return
        numbers = [int(number) if number else 0 for number in params.split(";")]
        first = numbers[0] or 1
        line = self.lines[self._row]
        match final:
            case "A":
                self._move(self._row - first, self._column)
            case "B":
                self._move(self._row + first, self._column)
            case "C":
                self._move(self._row, self._column + first)
            case "D":
                self._move(self._row, self._column - first)
            case "G":
                self._move(self._row, first - 1)
            case "H":
                self._move(self._top + first - 1, (numbers[1] if len(numbers) > 1 else 1) - 1)
            case "J":
                if numbers[0] == 2:
                    self.lines[self._top :] = [[]]
                    self._row = len(self.lines) - 1
                else:
                    del line[self._column :]
                    del self.lines[self._row + 1 :]
            case "K":
                if numbers[0] == 2:
                    line.clear()
                else:
                    del line[self._column :]
            case "n":
                self.replies.append(f"\x1b[{self._row - self._top + 1};{self._column + 1}R")
            case _:
                raise AssertionError(f"unknown control sequence {params}{final}")


class Terminal:
    """One program on a terminal."""

    def __init__(self, process: Process, master: int, screen: Screen) -> None:
        self._process = process
        self._master = master
        self._screen = screen
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._changed = asyncio.Event()
        #: Every byte that the program wrote.
        self.raw = b""
        asyncio.get_running_loop().add_reader(master, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._master, 65536)
        except OSError:
            # The program has closed its end.
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._master)
        self.raw += data
        self._screen.feed(self._decoder.decode(data))
        while self._screen.replies:
            os.write(self._master, self._screen.replies.pop(0).encode())
        self._changed.set()

    @property
    def text(self) -> str:
        """What a person can see and scroll back to."""
        return self._screen.text

    @property
    def pid(self) -> int:
        return self._process.pid

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    async def until(self, *texts: str, after: str = "", count: int = 1) -> str:
        """What can be seen after the last `after`, as soon as each of these texts is in it `count` times."""
        try:
            async with asyncio.timeout(_PATIENCE):
                while True:
                    _, known, found = self.text.rpartition(after) if after else ("", True, self.text)
                    if known and all(found.count(text) >= count for text in texts):
                        return found
                    await self._more()
        except TimeoutError:
            raise AssertionError(f"{texts} did not appear:\n{self.text}") from None

    async def without(self, *texts: str) -> str:
        """What can be seen, as soon as none of these texts is in it any more."""
        try:
            async with asyncio.timeout(_PATIENCE):
                while any(text in self.text for text in texts):
                    await self._more()
        except TimeoutError:
            raise AssertionError(f"{texts} did not go away:\n{self.text}") from None
        return self.text

    async def _more(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def ended(self) -> int:
        """The exit status, as soon as there is one."""
        async with asyncio.timeout(_PATIENCE):
            return await self._process.wait()

    def hang_up(self) -> None:
        """The window is closed."""
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)

    async def close(self) -> None:
        """Make sure that it has ended."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        with contextlib.suppress(OSError):
            self.hang_up()


@asynccontextmanager
async def terminal(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, columns: int = 100, rows: int = 40
) -> AsyncIterator[Terminal]:
    """The program on a terminal of its own; killed at the end, if it is still there."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = await asyncio.create_subprocess_exec(
        *command, stdin=slave, stdout=slave, stderr=slave, cwd=folder,
        env={"TERM": "xterm-256color", **environment},
        start_new_session=True, preexec_fn=_take_terminal,
    )  # fmt: skip
    os.close(slave)
    found = Terminal(process, master, Screen(columns, rows))
    try:
        yield found
    finally:
        await found.close()


def _take_terminal() -> None:
    # What makes Ctrl-C a signal for this program.
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
