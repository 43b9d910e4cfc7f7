"""The line that people write on: keys, history, completion."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.styles import Style

#: What was written in the chat, in the data folder.
HISTORY_NAME = "chat-history"
#: Bytes of it that are kept; the older half goes when there are more.
_HISTORY_BYTES = 1 << 20
_STYLE = Style.from_dict({"prompt": "ansicyan bold"})

#: What may follow the text so far: (whole word, what it means).
Choices = Callable[[str], Iterable[tuple[str, str]]]


class _Commands(Completer):
    """Completes commands and what they take; questions are left alone."""

    def __init__(self, choices: Choices) -> None:
        self._choices = choices

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        text = document.text_before_cursor
        if not text.startswith("/") or "\n" in document.text:
            return
        word = text.rpartition(" ")[2]
        for whole, meaning in self._choices(text):
            if whole.startswith(word):
                yield Completion(whole, start_position=-len(word), display_meta=meaning)


def _keys() -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("enter")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.document.is_cursor_at_the_end and buffer.text.endswith("\\"):
            buffer.delete_before_cursor()
            buffer.insert_text("\n")
        else:
            buffer.validate_and_handle()

    @bindings.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return bindings


class Prompt:
    """Asks the person at the terminal."""

    def __init__(self, history: Path, choices: Choices) -> None:
        self._session: PromptSession[str] = PromptSession(
            history=_history(history),
            completer=_Commands(choices),
            complete_while_typing=True,
            multiline=True,
            key_bindings=_keys(),
            prompt_continuation=lambda width, _number, _wrapped: " " * width,
            style=_STYLE,
            # Lines that stay free below for completions.
            reserve_space_for_menu=5,
        )

    async def line(self) -> str:
        """What was written. Raises `KeyboardInterrupt` for Ctrl-C and `EOFError` for Ctrl-D on an empty line."""
        return (await self._session.prompt_async([("class:prompt", "> ")])).strip()

    async def yes(self, question: str) -> bool:
        """Whether the answer to a question is yes. Raises as `line` does."""
        return await ask_yes(question)


async def ask_yes(question: str) -> bool:
    """Whether the answer to a question is yes. Raises `KeyboardInterrupt` for Ctrl-C and `EOFError` for Ctrl-D."""
    session: PromptSession[str] = PromptSession()
    said = (await session.prompt_async(question, handle_sigint=False)).strip().lower()
    return said in ("y", "yes", "是", "好", "允许")


def _history(path: Path) -> History:
    """The history in this file, readable by its user only; in memory where there can be no such file."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        path.chmod(0o600)
        _shorten(path)
        return FileHistory(str(path))
    return InMemoryHistory()


def _shorten(path: Path) -> None:
    """Forget the older half of a file that has grown too long. An entry begins with a comment that tells its time."""
    if path.stat().st_size <= _HISTORY_BYTES:
        return
    newer = path.read_bytes()[-_HISTORY_BYTES // 2 :]
    path.write_bytes(newer[newer.find(b"\n# ") + 1 :])
