"""Cases of own suites from answers that got a thumbs-down. They go when what they copy is deleted in the chat.

Whoever may measure the server's models may make one: operators, and people whom the settings grant benchmarks; that is
for the caller to see to. Direct conversations of others are never shown here, nor copied.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from agent.language import Text, TextError
from bot.store import feedback
from bot.store.db import Store
from bot.store.feedback import Disliked

if TYPE_CHECKING:
    from evals.library import Library
    from evals.suites.cases import Case

log = logging.getLogger(__name__)

#: Characters of a note.
MOST_NOTE: Final = 2_000
#: In a case, where it is from: erasure looks for it.
SOURCE: Final = "source"

_NO_TURN = Text(
    "No answer with the number {turn} has a thumbs-down and may be copied: direct conversations of others, and what "
    "was deleted, may not.",
    "没有编号为 {turn}、被点踩且可以复制的回答：他人的私聊和已删除的内容不能复制。",
)


class CaseError(TextError):
    """A case that can't be made; `text` is one sentence for people."""


class Cases:
    """Bad answers, and the suites that they go into."""

    def __init__(self, store: Store, library: Library, own: Collection[str]) -> None:
        """`own`: platforms whose direct conversations are those of whoever runs the server."""
        self._store = store
        self._library = library
        self._own = tuple(own)

    async def disliked(self, most: int = 50) -> Sequence[Disliked]:
        """The newest answers that may become cases. Raises `StoreUnavailable`."""
        return await self._store.read(lambda c: feedback.disliked(c, most, self._own))

    def suites(self) -> Sequence[str]:
        """Names of the suites that there are. Blocking; raises `OSError`."""
        return [kept.data.name for kept in self._library.every() if kept.data.kind == "suite"]

    async def make(self, turn_id: int, suite: str, note: str = "") -> Case:
        """Copy a question and its answer into a suite, which is made where there is none; durable on return.

        Raises `CaseError`, `LibraryError` for the suite's name, `DataError` for its file (also where the case is there
        already), `OSError`, `StoreUnavailable`.
        """
        from evals.suites.reading import case_of

        found = await self._store.read(lambda c: feedback.disliked(c, 1, self._own, turn_id))
        if not found:
            raise CaseError(_NO_TURN, turn=turn_id)
        one = found[0]
        made = {**case_of(one.question, one.answer, note[:MOST_NOTE]), SOURCE: {"turn": turn_id}}
        case = await asyncio.to_thread(self._add, suite, made)
        if await self._store.read(lambda c: feedback.erased(c, [turn_id])):
            # Deleted between the two.
            await self.forget_erased()
            raise CaseError(_NO_TURN, turn=turn_id)
        return case

    async def forget_erased(self) -> int:
        """Take those cases out of all suites whose words were deleted in the chat; how many. Raises as `make` does."""
        turns = await asyncio.to_thread(self._turns)
        if not turns:
            return 0
        gone = await self._store.read(lambda c: feedback.erased(c, turns))
        return await asyncio.to_thread(self._drop, gone) if gone else 0

    def _add(self, suite: str, made: Mapping[str, Any]) -> Case:
        from evals.suites.reading import append_case

        path = self._library.suite_file(suite)
        with self._locked(path.parent):
            case = append_case(path, made)
            self._library.changed(suite)
        return case

    def _turns(self) -> set[int]:
        """All turns that suites have cases of."""
        return {
            turn
            for kept in self._library.every()
            if kept.data.kind == "suite"
            for line in _lines(kept.path.read_bytes())
            if (turn := _turn_of(line)) is not None
        }

    def _drop(self, gone: Collection[int]) -> int:
        from evals.files import replace_file

        dropped = 0
        for kept in self._library.every():
            if kept.data.kind != "suite":
                continue
            with self._locked(kept.path.parent):
                lines = list(_lines(kept.path.read_bytes()))
                left = [line for line in lines if _turn_of(line) not in gone]
                if len(left) == len(lines):
                    continue
                dropped += len(lines) - len(left)
                replace_file(kept.path, b"".join(line + b"\n" for line in left))
                self._library.changed(kept.data.name)
        return dropped

    @contextmanager
    def _locked(self, folder: Any) -> Iterator[None]:
        """One process at a time changes suites here."""
        fd = os.open(folder / ".cases.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)


def forgetting(cases: Cases) -> Callable[[], Any]:
    """What erasure does afterwards; a disk that fails is told in the log, and the next look makes up for it."""

    async def forget() -> None:
        try:
            await cases.forget_erased()
        except Exception:
            log.exception("cases of deleted turns could not be taken out of their suites yet")

    return forget


def _lines(content: bytes) -> Iterator[bytes]:
    return (line for line in content.split(b"\n") if line.strip())


def _turn_of(line: bytes) -> int | None:
    """The turn that a case is from."""
    if b'"source"' not in line:
        return None
    try:
        found = json.loads(line)
        turn = found[SOURCE]["turn"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return turn if isinstance(turn, int) else None
