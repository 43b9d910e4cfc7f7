"""The rules of a fake platform: where each was read, and the test that holds it; its README.md shows them as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

_BEGIN, _END = "<!-- rules: begin -->\n", "<!-- rules: end -->\n"


class Rule(NamedTuple):
    """One thing that the platform does."""

    id: str
    #: Section of the facts, "docs" (the platform's own documentation, not re-read for the facts), "issue" (what the
    #: fake is to offer).
    facts: str
    sentence: str
    #: None: it has no test.
    test: str | None


def parse(table: str) -> tuple[Rule, ...]:
    """The rules of a table: a rule a pair of lines, `id | facts | sentence`, then its test, or "-"."""
    lines = [line for line in table.splitlines() if line and not line.startswith("#")]
    found = []
    for rule, test in zip(lines[::2], lines[1::2], strict=True):
        name, facts, sentence = rule.split(" | ")
        found.append(Rule(name, facts, sentence, None if test.strip() == "-" else test.strip()))
    return tuple(found)


def render(readme: str, tables: Mapping[str, Sequence[Rule]], does: str) -> str:
    """The page with the tables as they should be; `tables` by heading, `does` is the heading of the sentences."""
    head, _, rest = readme.partition(_BEGIN)
    return head + _BEGIN + "\n" + _rendered(tables, does) + "\n" + _END + rest.partition(_END)[2]


def _rendered(tables: Mapping[str, Sequence[Rule]], does: str) -> str:
    everything = [rule for rules in tables.values() for rule in rules]
    untested = [rule for rule in everything if rule.test is None]
    parts = [
        f"{len(everything) - len(untested)} rules have a test, {len(untested)} have none.",
        "### Rules without a test",
        "\n".join(f"- `{rule.id}` ({rule.facts}): {rule.sentence}" for rule in untested),
    ]
    for heading, rules in tables.items():
        parts += [f"### {heading}", _table(rules, does)]
    return "\n\n".join(parts) + "\n"


def _table(rules: Sequence[Rule], does: str) -> str:
    rows = [f"| rule | facts | {does} | test |", "|---|---|---|---|"]
    for rule in rules:
        test = f"`{rule.test}`" if rule.test else "–"
        rows.append(f"| `{rule.id}` | {rule.facts} | {rule.sentence} | {test} |")
    return "\n".join(rows)
