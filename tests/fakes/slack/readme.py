"""`python -m tests.fakes.slack.readme` writes the tables of README.md anew from the rules."""

from __future__ import annotations

from pathlib import Path

from tests.fakes import ruling
from tests.fakes.slack.delivery_rules import RULES as DELIVERY
from tests.fakes.slack.rules import RULES as API

README = Path(__file__).parent / "README.md"

_TABLES = {"The Web API and the events that follow from it": API, "Delivery, and what people do": DELIVERY}


def render(readme: str) -> str:
    """The page with the tables as they should be."""
    return ruling.render(readme, _TABLES, "what Slack does")


if __name__ == "__main__":
    README.write_text(render(README.read_text("utf-8")), "utf-8")
