"""What is kept of a run: small, whole after a journey through JSON, and with the right numbers in every row."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from evals.kagentbench.items import TEMPLATES
from evals.report.columns import OTHERS, columns_of
from evals.report.rows import Number, Row
from evals.report.summary import Summary, read, summary_of
from evals.runs import Prediction, PredictionKey
from tests.support.evaluations import drawn, evaluation, item, spec, summary


def row(found: Summary, number: Number, template: str = "", lang: str = "") -> Row:
    return next(one for one in found.rows if (one.number, one.template, one.lang) == (number, template, lang))


def value(found: Summary, number: Number, template: str = "", lang: str = "") -> float | None:
    score = row(found, number, template, lang).score
    return None if score is None else score.value


def prediction(**fields: Any) -> Prediction:
    key = PredictionKey("profile", "p", "prompt", "0", "served-name", "how")
    usual: dict[str, Any] = {"text": "hello", "seconds": 2.0, "prompt_tokens": 10, "completion_tokens": 5}
    return Prediction(key, **usual | fields)


PLANS = evaluation(
    [
        item("plantooluse", "a", {"ReACT": (0.2, 0.4), "AutoGPT": (0.6, 0.8)}),
        item("plantooluse", "b", {"ReACT": (0.0, 0.0)}, lang="zh", unreadable=True),
    ],
    complete=False,
)


def test_a_row_per_number_is_the_mean_over_items_of_the_mean_over_templates() -> None:
    found = summary(PLANS)
    assert value(found, "plan") == pytest.approx((0.4 + 0.0) / 2)
    assert value(found, "tooluse") == pytest.approx((0.6 + 0.0) / 2)
    assert row(found, "overall").score is None


def test_a_row_per_template_looks_only_at_replies_with_it() -> None:
    found = summary(PLANS)
    assert value(found, "plan", "ReACT") == pytest.approx(0.1)
    assert value(found, "plan", "AutoGPT") == pytest.approx(0.6)
    assert (row(found, "plan", "ReACT").replies, row(found, "plan", "AutoGPT").replies) == (2, 1)
    assert (row(found, "plan", "ReACT").items, row(found, "plan", "AutoGPT").items) == (2, 1)


def test_a_row_per_language_looks_only_at_queries_in_it() -> None:
    found = summary(PLANS)
    assert value(found, "tooluse", lang="en") == pytest.approx(0.6)
    assert value(found, "tooluse", lang="zh") == 0
    assert row(found, "tooluse", lang="zh").queries == 1


def test_rates_count_replies() -> None:
    found = row(summary(PLANS), "plan")
    assert found.unreadable is not None
    assert found.unreadable.value == pytest.approx(1 / 3)
    assert found.right_tool is not None
    assert found.right_tool.value == pytest.approx(2 / 3)


def test_items_with_one_query_are_one_observation() -> None:
    same = [item("conclusion", str(number), {"ReACT": 0.5}, query="What?") for number in range(8)]
    other = [item("conclusion", f"o{number}", {"ReACT": 0.1}) for number in range(2)]
    found = row(summary(evaluation([*same, *other])), "conclusion")
    assert (found.items, found.queries) == (10, 3)
    assert found.score is not None
    assert found.score.low is None


def test_profiles_and_items_without_a_query_are_observations_of_their_own() -> None:
    profiles = [item("profile", str(number), {"prompt": 0.5}, query="Who are you?") for number in range(3)]
    silent = [item("conclusion", str(number), {"ReACT": 0.5}, query=" ") for number in range(2)]
    found = summary(evaluation([*profiles, *silent]))
    assert (row(found, "profile").queries, row(found, "conclusion").queries) == (3, 2)


def test_the_overall_row_is_the_published_one_to_the_last_digit() -> None:
    result = drawn(4, 12)
    found = summary(result)
    assert value(found, "overall") == result.overall == found.overall
    assert value(found, "plan") == result.scores["plan"]


def test_an_interval_holds_its_value_and_narrows_with_more_queries() -> None:
    widths = []
    for queries in (10, 160):
        score = row(summary(drawn(5, queries)), "overall").score
        assert score is not None
        assert score.low is not None
        assert score.high is not None
        assert score.low < score.value < score.high
        widths.append(score.high - score.low)
    assert 3 < widths[0] / widths[1] < 6


def test_the_same_results_give_the_same_summary() -> None:
    assert summary_of([drawn(6, 9)], spec()) == summary_of([drawn(6, 9)], spec())


def test_repeats_are_averaged_reply_by_reply() -> None:
    one, other = (
        evaluation([item("conclusion", "a", {"ReACT": score}), item("conclusion", "b", {"ReACT": 0.1})])
        for score in (0.2, 0.6)
    )
    found = summary(one, other)
    assert value(found, "conclusion") == pytest.approx((0.4 + 0.1) / 2)
    assert (row(found, "conclusion").items, row(found, "conclusion").replies) == (2, 4)
    assert len(found.repeats) == 2


def test_a_big_run_fits_a_database_row() -> None:
    # Some bytes per reply, whatever the number of repeats.
    once = json.dumps(summary_of([drawn(7, 100)], spec()))
    twice = json.dumps(summary_of([drawn(7, 100), drawn(8, 100)], spec(repeats=2)))
    assert len(once) < 45_000
    assert len(twice) < 1.5 * len(once)


def test_what_is_read_back_is_what_was_kept() -> None:
    result = drawn(9, 4)
    found = summary(result, of=spec("sample", langs=("en", "zh"), limit=9, constrained=True))
    assert found.spec == spec("sample", langs=("en", "zh"), limit=9, constrained=True)
    fresh = columns_of("plantooluse", [result.items])
    assert found.blocks["plantooluse"] == fresh
    assert found.mark == "[sample 16] [constrained] "
    assert found.line.startswith("[sample 16] [constrained] plan : ")
    assert (found.items, found.replies) == (16, 64)


@pytest.mark.parametrize("hurt", ["version", "rows", "blocks", "spec"])
def test_a_broken_summary_is_refused_in_one_way(hurt: str) -> None:
    kept = summary_of([drawn(9, 2)], spec())
    del kept[hurt]
    with pytest.raises(ValueError, match="summary"):
        read(kept)


def test_columns_that_were_tampered_with_are_refused() -> None:
    kept = summary_of([drawn(9, 2)], spec())
    kept["blocks"]["profile"]["names"] = kept["blocks"]["profile"]["queries"]
    with pytest.raises(ValueError, match="different lengths"):
        read(kept)


def test_absurdly_many_templates_share_a_column() -> None:
    letters = random.Random(1)
    names = dict.fromkeys([*TEMPLATES, *(f"T{letters.random()}" for _ in range(500))], 0.5)
    found = columns_of("conclusion", [[item("conclusion", "a", names)]])
    assert set(TEMPLATES) < set(found.templates)
    assert len(found.templates) < 20
    assert found.templates[OTHERS].replies[0] == 255


def test_what_asking_took_is_counted() -> None:
    asked = [
        prediction(),
        prediction(seconds=6.0, cut_tokens=40),
        prediction(cached=True),
        prediction(text="", error="overloaded", prompt_tokens=None, completion_tokens=None, seconds=4.0),
        prediction(finish_reason="length", seconds=3.0),
    ]
    found = summary(drawn(1, 2), predictions=asked)
    calls = found.calls
    assert calls is not None
    assert (calls.asked, calls.cached, calls.failed) == (5, 1, {"overloaded": 1})
    assert (calls.cut, calls.cut_tokens, calls.cut_off) == (1, 40, 1)
    assert (calls.prompt_tokens, calls.completion_tokens) == (30, 15)
    assert (calls.seconds, calls.median_seconds) == (15.0, 3.5)
    assert found.model == "served-name"


def test_only_complete_free_runs_over_an_official_file_are_comparable() -> None:
    assert summary(drawn(1, 3)).comparable
    assert not summary(drawn(1, 3), of=spec("sample")).comparable
    assert not summary(drawn(1, 3), of=spec(constrained=True)).comparable
    assert not summary(drawn(1, 3), of=spec(limit=12)).comparable
    assert not summary(PLANS).comparable
