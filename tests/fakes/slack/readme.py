"""`python -m tests.fakes.slack.readme` writes the tables of README.md anew from the rules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.fakes.slack.delivery_rules import RULES as DELIVERY
from tests.fakes.slack.rules import RULES as API
from tests.fakes.slack.rules import Rule

README = Path(__file__).parent / "README.md"

_BEGIN, _END = "<!-- rules: begin -->\n", "<!-- rules: end -->\n"


def render(readme: str) -> str:
    """The page with the tables as they should be."""
    head, _, rest = readme.partition(_BEGIN)
    return head + _BEGIN + "\n" + _tables() + "\n" + _END + rest.partition(_END)[2]


def _tables() -> str:
    untested = [rule for rule in (*API, *DELIVERY) if rule.test is None]
    held = len(API) + len(DELIVERY) - len(untested)
    parts = [
        f"{held} rules have a test, {len(untested)} have none.",
        "### Rules without a test",
        "\n".join(f"- `{rule.id}` ({rule.facts}): {rule.sentence}" for rule in untested),
        "### The Web API and the events that follow from it",
        _table(API),
        "### Delivery, and what people do",
        _table(DELIVERY),
    ]
    return "\n\n".join(parts) + "\n"


def _table(rules: Sequence[Rule]) -> str:
    rows = ["| rule | facts | what Slack does | test |", "|---|---|---|---|"]
    for rule in rules:
        test = f"`{rule.test}`" if rule.test else "–"
        rows.append(f"| `{rule.id}` | {rule.facts} | {rule.sentence} | {test} |")
    return "\n".join(rows)


if __name__ == "__main__":
    README.write_text(render(README.read_text("utf-8")), "utf-8")
