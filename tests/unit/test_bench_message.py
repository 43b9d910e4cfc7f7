"""The message of a run: its bar, its pace, its times."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.bench import message
from evals.runs import DataSet, Run, RunSpec

SPEC = RunSpec(DataSet("sample", "sample", "ab" * 32, 40), "qwen", limit=20, types=("profile",))
RUN = Run("1a2b3c4d", SPEC, "running", datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("done", "total", "shown"), [(0, 10, "0 %"), (199, 200, "99 %"), (200, 200, "100 %"), (0, 0, "0 %"), (1, 3, "33 %")]
)
def test_a_bar_is_full_only_when_all_is_done(done: int, total: int, shown: str) -> None:
    bar = message.bar(done, total)
    assert bar.endswith(f" {shown}")
    assert ("░" in bar) == (done < total or not total)
    assert len(bar.split("`")[1]) == 20


def test_the_longer_a_run_takes_the_rarer_its_message_changes() -> None:
    paces = [message.pace(age) for age in (0, 59, 61, 3_000, 10_000)]
    assert paces == sorted(paces)
    assert paces[0] == 5.0


@pytest.mark.parametrize(
    ("seconds", "en", "zh"),
    [
        (0.2, "0 s", "0 秒"),
        (59.6, "1 min", "1 分钟"),
        (65, "1 min 5 s", "1 分钟 5 秒"),
        (3_700, "1 h 1 min", "1 小时 1 分钟"),
        (90_000, "1 d 1 h", "1 天 1 小时"),
    ],
)
def test_a_span_of_time_has_two_units_at_most(seconds: float, en: str, zh: str) -> None:
    assert (message.time_of(seconds, "en"), message.time_of(seconds, "zh")) == (en, zh)


def test_a_message_under_way_tells_rate_time_left_and_scores() -> None:
    progress = {
        "done": 30,
        "total": 80,
        "cached": 2,
        "failed": 1,
        "rate": 2.0,
        "left": 25.0,
        "scores": {"plan": 0.31641, "tooluse": None},
        "scored": 6,
    }
    said = message.running(RUN, progress, "`bench cancel`", "en")
    for words in ("37 %", "30 of 80 replies, 2 kept from earlier runs, 1 failed, 2.0 replies/s, about 25 s left"):
        assert words in said
    assert "over 6 items: plan 31.64" in said
    assert "(20 items) · `types=profile`" in said
    assert "Stop it with `bench cancel`" in said
    slow = message.running(RUN, progress | {"rate": 0.05}, "`评测 取消`", "zh")
    assert "每分钟 3.0 条" in slow


def test_before_the_first_question_there_is_no_bar() -> None:
    said = message.running(RUN, {}, "`bench cancel`", "en")
    assert "Waiting for the model." in said
    assert "█" not in said
    assert "%" not in said
