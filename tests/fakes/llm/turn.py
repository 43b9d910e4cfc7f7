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


class NoTurns(Turns):
    """For servers on which everything runs side by side."""

    def enter(self, go: Go) -> None:
        go()

    def leave(self) -> None:
        pass
