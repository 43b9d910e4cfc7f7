"""The published line, and what stands in front of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evals.kagentbench.items import TEMPLATES, Metric
from evals.kagentbench.results import Evaluation
from evals.report.line import line, marks, marks_of
from tests.support.evaluations import drawn, evaluation, item, spec

WHOLE = drawn(1, 3)


def without(template: str) -> Evaluation:
    items = [
        replace(one, templates=tuple(each for each in one.templates if each.template != template))
        for one in WHOLE.items
    ]
    return replace(WHOLE, items=tuple(items))


def test_a_complete_run_has_no_mark_and_the_published_scorers_own_line() -> None:
    scores: dict[Metric, float | None] = {
        "plan": 0.3164,
        "tooluse": 0.433,
        "reflextion": 0.3334,
        "conclusion": 0.4485,
        "profile": 0.4478,
    }
    published = replace(WHOLE, scores=scores, overall=0.39853)
    assert line(published, marks(published)) == (
        "plan : 31.64, tooluse : 43.30, reflextion : 33.34, conclusion : 44.85, profile : 44.78, overall : 39.85"
    )


@pytest.mark.parametrize(
    ("found", "options", "mark"),
    [
        (WHOLE, {"is_sample": True}, "[sample 12] "),
        (WHOLE, {"limited": True}, "[sample 12] "),
        (WHOLE, {"constrained": True}, "[constrained] "),
        (replace(WHOLE, complete=False), {}, "[partial] "),
        (WHOLE, {"narrowed": True}, "[partial] "),
        (without("KuaiAgent"), {}, "[partial] "),
        (evaluation([item("profile", "p", {"prompt": 1})]), {}, "[partial] "),
        (
            replace(WHOLE, complete=False),
            {"is_sample": True, "limited": True, "constrained": True},
            "[sample 12] [partial] [constrained] ",
        ),
    ],
)
def test_whatever_is_not_a_complete_free_run_says_so_in_front(
    found: Evaluation, options: dict[str, bool], mark: str
) -> None:
    assert marks(found, **options) == mark


def test_a_missing_type_is_a_dash_and_so_is_the_overall() -> None:
    found = evaluation([item("conclusion", "c", dict.fromkeys(TEMPLATES, 0.5))])
    assert line(found, marks(found)) == (
        "[partial] plan : -, tooluse : -, reflextion : -, conclusion : 50.00, profile : -, overall : -"
    )


def test_a_runs_own_spec_decides_its_marks() -> None:
    assert marks_of(WHOLE, spec("official")) == ""
    assert marks_of(WHOLE, spec("sample", constrained=True)) == "[sample 12] [constrained] "
    assert marks_of(WHOLE, spec("official", limit=12)) == "[sample 12] "


def test_a_run_over_some_of_the_items_is_partial_although_each_type_and_template_is_there() -> None:
    assert marks_of(WHOLE, spec("official", items=12)) == ""
    assert marks_of(WHOLE, spec("official", items=24, langs=("en",))) == "[partial] "
