"""How a step says that something isn't well."""

from __future__ import annotations


class Failed(Exception):
    """A step that did not go well: one sentence that says what was seen, one that says how to mend it."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix
