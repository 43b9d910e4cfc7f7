"""Whose turn it is on a server with one context (facts/llm.md, section 3: the lock of llama_cpp.server)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

Go = Callable[[], None]


class Turns:
    """Runs one after the other, in order of arrival."""

    def __init__(self) -> None:
        self._waiting: deque[Go] = deque()
        self._busy = False

    @property
    def wanted(self) -> bool:
        """Whether somebody waits. That is what ends a running stream there, whatever is waiting."""
        return bool(self._waiting)

    @property
    def full(self) -> bool:
        """Whether a call is refused now, since too many wait."""
        return False

    def enter(self, go: Go) -> None:
        """Call `go` when it is its turn; `leave` ends that."""
        if self._busy:
            self._waiting.append(go)
        else:
            self._busy = True
            go()

    def withdraw(self, go: Go) -> bool:
        """Take back one that waits; False if it waits no more."""
        if go not in self._waiting:
            return False
        self._waiting.remove(go)
        return True

    def leave(self) -> None:
        """The next one, please."""
        if self._waiting:
            self._waiting.popleft()()
        else:
            self._busy = False


class Slots(Turns):
    """So many run side by side; the next ones wait in order of arrival, or are refused."""

    def __init__(self, slots: int, queue: int | None = None) -> None:
        """`queue`: how many may wait; None for any number."""
        super().__init__()
        self.slots = slots
        self._queue = queue
        self._running = 0

    @property
    def full(self) -> bool:
        return self._running >= self.slots and self._queue is not None and len(self._waiting) >= self._queue

    def enter(self, go: Go) -> None:
        if self._running >= self.slots:
            self._waiting.append(go)
        else:
            self._running += 1
            go()

    def leave(self) -> None:
        self._running -= 1
        self.resize(self.slots)

    def resize(self, slots: int) -> None:
        """It can do more or less from now on; what runs goes on."""
        self.slots = slots
        while self._waiting and self._running < self.slots:
            self._running += 1
            self._waiting.popleft()()


class NoTurns(Turns):
    """For servers on which everything runs side by side."""

    def enter(self, go: Go) -> None:
        go()

    def leave(self) -> None:
        pass
