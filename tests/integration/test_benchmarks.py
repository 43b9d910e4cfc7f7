"""The benchmarks run: as short as can be, and never judged by their numbers, because a test machine's mean nothing."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import system
from benchmarks.__main__ import BENCHMARKS
from benchmarks.figures import Figure, at_least, at_most, percentile, table
from benchmarks.filling import fill
from benchmarks.servers import ROOT

#: One figure that each benchmark must give.
_CLAIMED = {
    "startup": "ready, database up to date (median)",
    "memory": "server, remote model, after an answer: RSS",
    "context": "p99 at 2,000 messages by p99 at 200 messages",
    "prefix": "tokens read, router, second turn",
    "beside": "ratio of p50, embedded, second turn",
    "slack": "first sign, p50",
    "discord": "first message in place, p50",
    "infer": "part of the capacity used, server that queues all",
    "kagentbench": "CPU of the score",
    "turns": "part of the bare handler's turns/s, 2 at a time",
}


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_quick_run_gives_its_figures_as_a_table_and_as_json(name: str, tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--only", name, "--json", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    figures = {figure["name"]: figure for figure in json.loads(file.read_text())["results"][name]["figures"]}
    assert figures[_CLAIMED[name]]["value"] > 0
    assert all(f"| {figure} |" in done.stdout for figure in figures)


def test_commits_are_counted_as_sqlite_counts_them(tmp_path: Path) -> None:
    database = tmp_path / "some.db"
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE thing (id INTEGER)")
    before = system.commits(database)
    for number in range(3):
        connection.execute("INSERT INTO thing VALUES (?)", (number,))
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM thing WHERE id = 99")
    connection.execute("COMMIT")
    assert system.commits(database) - before == 3
    connection.close()


def test_a_filled_database_has_the_messages_asked_for_and_one_long_conversation(tmp_path: Path) -> None:
    path = tmp_path / "filled.db"
    fill(path, messages=500, longest=100)
    connection = sqlite3.connect(path)
    sizes = connection.execute(
        "SELECT conversation_id, count(*) FROM message GROUP BY conversation_id ORDER BY conversation_id"
    ).fetchall()
    connection.close()
    assert sum(size for _, size in sizes) == 500
    assert sizes[0] == (1, 100)
    assert {size for _, size in sizes[1:]} == {40}


def test_a_figure_beyond_its_limit_is_marked() -> None:
    assert "missed" in table([Figure("slow", 3, "s", at_most(2))])
    assert "missed" in table([Figure("few", 3, "/s", at_least(4))])
    assert "missed" not in table([Figure("just", 3, "s", at_most(3)), Figure("free", 3, "s")])


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile(list(range(1, 101)), 0.99) == 99
    assert percentile([5], 0.99) == 5
