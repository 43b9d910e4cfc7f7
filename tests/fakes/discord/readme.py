"""`python -m tests.fakes.discord.readme` writes the tables of README.md anew from the rules."""

from __future__ import annotations

from pathlib import Path

from tests.fakes import ruling
from tests.fakes.discord.gateway_rules import RULES as GATEWAY
from tests.fakes.discord.rules import RULES as REST

README = Path(__file__).parent / "README.md"

_TABLES = {"The REST API": REST, "The gateway, and what people do": GATEWAY}


def render(readme: str) -> str:
    """The page with the tables as they should be."""
    return ruling.render(readme, _TABLES, "what Discord does")


if __name__ == "__main__":
    README.write_text(render(README.read_text("utf-8")), "utf-8")
