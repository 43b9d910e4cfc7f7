"""Scoring shares of two files in child processes, or in this one."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Final, Self

from agent.language import Text
from evals.kagentbench.data import DataError
from evals.kagentbench.pairing import Pairing, Scored, Share

#: The folder that the children import this package from.
_ROOT: Final = str(Path(__file__).parents[2])
_CHILD: Final = "import sys; sys.path.insert(0, sys.argv[1]); from evals.kagentbench.working import child; child()"


#: How often a child looks whether its parent lives.
_LOOK_SECONDS: Final = 1.0


class WorkerLost(Exception):
    """A child process has ended: killed for its memory, perhaps. `text` says so for people."""

    text = Text(
        "A process that computed scores was ended by the system: free some memory and try again.",
        "计算得分的进程被系统终止：请释放一些内存后重试。",
    )

    def __init__(self) -> None:
        super().__init__(self.text.en)


class Working:
    """Scores shares of two files with so many child processes; 0 does it here."""

    def __init__(self, bench: Path, predictions: Path, *, strict: bool, workers: int) -> None:
        self._files = bench, predictions, strict
        self._wanted = workers
        self._stack = ExitStack()
        self._here: Pairing | None = None
        self._children: list[_Child] = []

    def __enter__(self) -> Self:
        bench, predictions, strict = self._files
        for _ in range(self._wanted):
            self._children.append(self._stack.enter_context(_Child(bench, predictions, strict)))
        if not self._wanted:
            self._here = self._stack.enter_context(Pairing(bench, predictions, strict=strict))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def score(self, shares: Iterable[Share]) -> Iterator[Scored]:
        """What is found in each share, in any order.

        Raises the `DataError` of the earliest line that is wrong, what else a child raises, and `WorkerLost`.
        """
        if self._here is not None:
            yield from map(self._here.score, shares)
            return
        errors: list[Exception] = []
        for found in self._spread(shares):
            if isinstance(found, Exception):
                errors.append(found)
            elif not errors:
                yield found
        if errors:
            raise min(errors, key=_place)

    def _spread(self, shares: Iterable[Share]) -> Iterator[Scored | Exception]:
        """Each child gets the next share when it has done one; after an error nobody gets another."""
        waiting, guard = iter(shares), Lock()
        done: SimpleQueue[Scored | Exception | None] = SimpleQueue()
        over = Event()

        def drive(child: _Child) -> None:
            while not over.is_set():
                with guard:
                    share = next(waiting, None)
                if share is None:
                    break
                found = child.score(share)
                if isinstance(found, Exception):
                    over.set()
                done.put(found)
            done.put(None)

        for child in self._children:
            Thread(target=drive, args=(child,), daemon=True).start()
        left = len(self._children)
        try:
            while left:
                found = done.get()
                if found is None:
                    left -= 1
                else:
                    yield found
        finally:
            over.set()


class _Child:
    """One child process."""

    def __init__(self, bench: Path, predictions: Path, strict: bool) -> None:
        self._files = bench.absolute(), predictions.absolute(), strict

    def __enter__(self) -> Self:
        # Isolated from variables and the folder that we are in; it ends when its pipe does.
        command = [sys.executable, "-I", "-c", _CHILD, _ROOT]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._send(self._files)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        with suppress(OSError):
            self._process.__exit__(None, None, None)

    def score(self, share: Share) -> Scored | Exception:
        """What the child finds, or the error that it, or its end, was."""
        try:
            self._send(share)
            found: Scored | Exception = pickle.load(self._process.stdout)  # type: ignore[arg-type]  # noqa: S301 - our own child's
        except (EOFError, OSError, pickle.UnpicklingError):
            return WorkerLost()
        return found

    def _send(self, value: object) -> None:
        pipe = self._process.stdin
        if pipe is None:
            raise AssertionError("started with pipes")
        pipe.write(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))
        pipe.flush()


def child() -> None:
    """The child process: files, then shares come in; what is found in each goes out."""
    import gc
    import signal

    Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the parent, whose pipe then ends this one
    gc.freeze()
    gc.disable()  # nothing here has cycles, and looking for some takes a tenth of the time
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    bench, predictions, strict = pickle.load(sys.stdin.buffer)  # noqa: S301 - our own parent's
    with Pairing(bench, predictions, strict=strict) as pairing:
        while True:
            try:
                share = pickle.load(sys.stdin.buffer)  # noqa: S301
            except EOFError:
                return
            found: Scored | Exception
            try:
                found = pairing.score(share)
            except Exception as error:  # noqa: BLE001 - the parent raises it
                found = error
            pickle.dump(found, out, pickle.HIGHEST_PROTOCOL)
            out.flush()


def _end_with(parent: int) -> None:
    """End this process soon after its parent, in the middle of a long share, too."""
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os._exit(1)


def _place(error: Exception) -> tuple[int, int]:
    """Errors of the machine first, then by line."""
    return (1, error.line or 0) if isinstance(error, DataError) else (0, 0)
