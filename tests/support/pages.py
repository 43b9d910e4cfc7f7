"""Pages of documentation, read: their blocks, their text, their headings."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: The comment above a block that says how it is checked: tests/acceptance/test_readme.py.
_MARKER = re.compile(r"<!-- (run|syntax)(?:: (.+))? -->")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block of a page."""

    page: str
    #: Of its first line.
    line: int
    language: str
    text: str
    #: `run` or `syntax`; "" without a comment.
    kind: str
    #: What follows in the comment.
    how: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(page: str, *languages: str) -> list[Block]:
    """The page's blocks in these languages, or all of them."""
    lines = (ROOT / page).read_text("utf-8").splitlines()
    found: list[Block] = []
    opened: int | None = None
    for number, line in enumerate(lines):
        if not line.lstrip().startswith("```"):
            continue
        if opened is None:
            opened = number
            continue
        above = _MARKER.fullmatch(lines[opened - 1].strip()) if opened else None
        text = textwrap.dedent("\n".join(lines[opened + 1 : number]))
        kind, how = above.groups(default="") if above else ("", "")
        found.append(Block(page, opened + 2, lines[opened].strip().removeprefix("```"), text, kind, how))
        opened = None
    assert opened is None, f"{page}: a block is not closed"
    return [block for block in found if not languages or block.language in languages]


def prose_of(page: str) -> str:
    """The page's text without its blocks."""
    return re.sub(r"^\s*```.*?^\s*```", "", (ROOT / page).read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def anchors_of(page: str) -> set[str]:
    """The headings as links name them."""
    headings = re.findall(r"^#+ (.+)$", prose_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
