"""`docs/state.md` names a test for each transition: that these tests exist."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "state.md").read_text(encoding="utf-8")
TESTS = {
    name
    for path in (ROOT / "tests").rglob("*.py")
    for name in re.findall(r"^\s*(?:async )?def (test_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE)
}
#: Rows of every table whose header ends with a column of tests.
ROWS = [
    line
    for table in re.findall(r"^\|[^\n]*\| test \|\n\|[-|]+\|\n((?:\|[^\n]*\n)+)", PAGE, re.MULTILINE)
    for line in table.splitlines()
]


def test_the_tables_are_found() -> None:
    assert len(ROWS) > 30


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_each_transition_names_a_test(row: str) -> None:
    assert re.search(r"`test_[a-z0-9_*]+`", row.split("|")[-2])


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(test_[a-z0-9_*]+)`", PAGE))))
def test_each_test_that_is_named_exists(name: str) -> None:
    assert any(fnmatchcase(test, name) for test in TESTS)
