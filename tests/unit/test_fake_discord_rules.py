"""The fake Discord's REST rules name tests that exist, and every test of them holds a rule."""

from __future__ import annotations

import re
from pathlib import Path

from tests.fakes.discord.rules import RULES

_TESTS = Path(__file__).parents[1] / "integration"
_FILES = [_TESTS / f"test_fake_discord_{name}.py" for name in ("rest", "rooms", "answers", "limits")]


def test_rules_and_tests_name_each_other() -> None:
    there = {name for path in _FILES for name in re.findall(r"def (test_\w+)\(", path.read_text("utf-8"))}
    assert {rule.test for rule in RULES if rule.test} == there


def test_every_rule_has_a_name_of_its_own() -> None:
    names = [rule.id for rule in RULES]
    assert len(names) == len(set(names))
