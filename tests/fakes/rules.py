"""Tables of what a platform does: where each rule was read, and the test that holds the fake to it."""

from __future__ import annotations

from typing import NamedTuple


class Rule(NamedTuple):
    """One thing that a platform does."""

    id: str
    #: Section of the facts, or another word for where it was read, which the fake's README explains.
    facts: str
    sentence: str
    #: None: no test holds it.
    test: str | None


def parse(table: str) -> tuple[Rule, ...]:
    """The rules of a table with a pair of lines each: "id | facts | sentence", then its test, or "-"."""
    lines = [line for line in table.splitlines() if line and not line.startswith("#")]
    found = []
    for rule, test in zip(lines[::2], lines[1::2], strict=True):
        name, facts, sentence = rule.split(" | ")
        found.append(Rule(name, facts, sentence, None if test.strip() == "-" else test.strip()))
    return tuple(found)
