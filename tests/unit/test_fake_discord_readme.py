"""The fake Discord's page says what its rules say, and its rules name tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

from tests.fakes.discord.gateway_rules import RULES as GATEWAY
from tests.fakes.discord.readme import README, render
from tests.fakes.discord.rules import RULES as REST

_TESTS = Path(__file__).parents[1]


def test_the_tables_are_up_to_date() -> None:
    page = README.read_text("utf-8")
    assert render(page) == page, "python -m tests.fakes.discord.readme writes them anew"


def test_every_test_that_a_rule_names_exists() -> None:
    files = [path for folder in ("unit", "integration") for path in (_TESTS / folder).glob("test_*discord*.py")]
    there = {name for path in files for name in re.findall(r"def (test_\w+)\(", path.read_text("utf-8"))}
    named = {rule.test for rule in (*REST, *GATEWAY) if rule.test}
    assert named - there == set()


def test_every_rule_has_a_name_of_its_own_in_its_table() -> None:
    for rules in (REST, GATEWAY):
        names = [rule.id for rule in rules]
        assert len(names) == len(set(names))
