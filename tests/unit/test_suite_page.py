"""The one-file report of an own suite: safe as that of the benchmark, every case with what each check found."""

from __future__ import annotations

import json

from agent.language import Text
from evals.runs import DataSet, RunSpec
from evals.suites.cases import Case
from evals.suites.chart import drawing
from evals.suites.page import html
from evals.suites.parsing import case_from
from evals.suites.results import Answered, CaseResult, CheckResult, Outcome, SuiteEvaluation
from evals.suites.summary import SuiteSummary, marked, read
from evals.suites.viewing import CaseView, viewer, views
from tests.unit.test_report_page import HOSTILE, Reader, texts_of

SPEC = RunSpec(DataSet("mine", "suite", "0" * 64, 3), model="tester", limit=3)


def a_case(id_: str, query: str = "Why?", text: str = "So.") -> Case:
    checks = [{"type": "exact", "value": text}, {"type": "contains", "all": [text]}]
    return case_from({"id": id_, "query": query, "checks": checks, "notes": text})


def result(case: Case, *outcomes: Outcome, why: Text = Text("So it is.", "就是这样。"), error: str = "") -> CaseResult:  # noqa: B008
    checks = tuple(CheckResult(one.kind, outcome, why) for one, outcome in zip(case.checks, outcomes, strict=True))
    return CaseResult(case.id, case.query, case.lang, Answered("", error=error), checks)


def summary(*results: CaseResult, model: str = "tiny") -> SuiteSummary:
    return read(marked([SuiteEvaluation(results, 3)], SPEC, model=model))


CASES = [a_case("a"), a_case("b", "为什么？"), a_case("c")]
RESULTS = [
    result(CASES[0], "passed", "passed"),
    result(CASES[1], "passed", "failed"),
    result(CASES[2], "undecided", "undecided"),
]


def test_hostile_names_and_replies_stay_text() -> None:
    evil = a_case(HOSTILE, HOSTILE, HOSTILE)
    found = result(evil, "failed", "passed", why=Text(HOSTILE, HOSTILE))
    of = summary(found, model=HOSTILE)
    made = html(of, "en", earlier=of, manifest={HOSTILE: HOSTILE}, views=[CaseView(evil, found, Answered(HOSTILE))])
    shown = Reader(made)
    assert [tag for tag, _ in shown.tags].count("script") == 3
    assert not {"img", "iframe", "link", "object"} & {tag for tag, _ in shown.tags}
    assert not any(name.startswith("on") for _, attributes in shown.tags for name in attributes)
    [opened] = texts_of(json.loads(shown.held["data"]))
    assert opened["reply"] == opened["checks"][0]["why"]["en"] == HOSTILE
    made.encode("utf-8")


def test_a_list_goes_by_the_case_and_by_each_check() -> None:
    data = viewer(views(CASES, RESULTS, {}))
    assert data["templates"] == ["exact", "contains"]
    assert data["index"] == [
        ["suite", "a", "Why?", "en", 1.0, 4, [[0, 1.0, 4], [1, 1.0, 4]]],
        ["suite", "b", "为什么？", "zh", 0.0, 1, [[0, 1.0, 4], [1, 0.0, 1]]],
        ["suite", "c", "Why?", "en", 0.5, 2, [[0, 0.5, 2], [1, 0.5, 2]]],
    ]


def test_an_opened_case_has_its_prompt_its_reply_and_what_each_check_wanted_and_found() -> None:
    [shown] = texts_of(viewer(views(CASES, RESULTS[1:2], {"b": Answered("Because.")})))
    assert (shown["prompt"], shown["reply"], shown["notes"]) == ("为什么？", "Because.", "So.")
    assert shown["checks"][1] == {
        "kind": "contains",
        "outcome": "failed",
        "why": {"en": "So it is.", "zh": "就是这样。"},
        "wanted": [["all", '[\n "So."\n]']],
    }


def test_a_model_that_failed_is_told_from_a_reply_that_is_not_known() -> None:
    failed = result(CASES[0], "failed", "failed", error="timeout")
    [one] = texts_of(viewer(views(CASES, [failed], {"a": Answered("", error="timeout")})))
    [other] = texts_of(viewer(views(CASES, RESULTS[:1], {})))
    assert (one["reply"], one["error"]) == (None, "timeout")
    assert (other["reply"], other["error"]) == (None, "")


def test_line_mark_and_tables_are_there_in_both_languages() -> None:
    made = html(summary(*RESULTS), "zh")
    for text in ("[sample 3] passed : 1, failed : 1, undecided : 1, rate : 50.00", "By check", "按检查"):
        assert text in made
    assert "9.5–90.5" in made
    assert '<main lang="en" data-lang="en" hidden>' in made
    assert 'class="viewer"' not in made


def test_what_is_drawn_is_what_the_tables_say() -> None:
    told = json.loads(json.dumps(drawing(summary(*RESULTS), "en"), allow_nan=False))
    assert told["runs"] == [{"name": "tiny", "mark": "[sample 3] "}]
    cases, checks = (part["en"] for part in told["rates"])
    assert [name for name, _ in cases["rows"]] == ["all (3)", "English (2)", "Chinese (1)"]
    assert [name for name, _ in checks["rows"]] == ["exact (3)", "contains (3)"]
    assert cases["rows"][0][1][0] == 0.5
    assert {"按", "用", "例", "英"} <= set(told["needs"])
