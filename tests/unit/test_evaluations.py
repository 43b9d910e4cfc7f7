"""From replies to numbers, and which earlier run they are compared with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from evals.earlier import earlier_than
from evals.evaluations import evaluations, item_result
from evals.kagentbench.items import Item
from evals.report.viewing import views_of
from evals.runs import DataSet, Prediction, PredictionKey, Run, RunSpec

SPEC = RunSpec(DataSet("mine", "official", "aa", 1), "gpu", repeats=2)
ITEM = Item(
    type="profile",
    id=7,
    query="Who are you?",
    prompts={"prompt": "Describe yourself."},
    memory="",
    funcs=(),
    goldens=({"golden_result": "I answer questions."},),
    lang="en",
)
REPLIES = [
    Prediction(PredictionKey("profile", "7", "prompt", "p", "gpu-1", "h", repeat), text)
    for repeat, text in enumerate(("I answer questions.", "Hm"))
]


def test_each_repeat_is_scored_by_its_own_replies() -> None:
    scores = [found.scores["profile"] for found in evaluations([ITEM], REPLIES, SPEC)]
    assert [round(score or 0.0, 6) for score in scores] == [1.0, 0.0]
    by_place = {("prompt", one.key.repeat): one for one in REPLIES}
    alone = item_result(ITEM, by_place, SPEC)
    assert [one and one.scores["profile"] for one in alone] == scores


def test_a_viewer_shows_the_first_repeat() -> None:
    [view] = views_of([ITEM], REPLIES, SPEC)
    assert (view.predicted, round(view.result.scores["profile"], 6)) == ("I answer questions.", 1.0)


def run(id_: str, hours: int, **spec: object) -> Run:
    began = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=hours)
    return Run(id_, replace(SPEC, **spec), "done", began, summary={})  # type: ignore[arg-type]


def test_a_run_is_compared_with_the_last_one_before_it_rather_of_its_model_rather_alike() -> None:
    now = run("now", 9, limit=4)
    newest_first = [
        run("later", 10, limit=4),
        now,
        run("other data", 8, limit=4, data=DataSet("x", "official", "bb", 1)),
        replace(run("no numbers", 7, limit=4), summary=None),
        run("other model", 6, model="cpu", limit=4),
        run("other items", 5),
        run("alike", 4, limit=4),
        run("older", 3, limit=4),
    ]
    order = []
    while (found := earlier_than(now, newest_first)) is not None:
        order.append(found.id)
        newest_first.remove(found)
    assert order == ["alike", "older", "other items", "other model"]
