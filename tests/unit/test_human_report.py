"""The table of a rated set: who passed, how sure that is, and what is said beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from evals.human.questions import read_questions
from evals.human.rating import order
from evals.human.report import Report, as_json, report_of
from evals.human.sets import Answer, AnswerKey, HumanSet, Rater, Rating, SetSpec, spec_json, spec_of
from evals.human.table import markdown, page, text
from evals.kagentbench.data import DataError

SPEC = SetSpec("Set <b>", "0" * 64, ("noagent", "kuaiagent"), ("gpu|x",), "2026-03-01T12:00:00+00:00")
QUESTIONS = 12
SET = HumanSet("ab12cd34", SPEC, "closed", "seed", QUESTIONS, datetime(2026, 3, 1, tzinfo=UTC))


def reported(
    values: Mapping[str, Mapping[str, Sequence[int | None]]],
    *,
    failed: Sequence[tuple[str, str]] = (),
    raters: Sequence[Rater] = (),
    passed: int = 4,
    made: HumanSet = SET,
) -> Report:
    """`values`: system → rater → rating of each question's answer."""
    answers, ratings = [], []
    for system in SPEC.systems:
        for number in range(QUESTIONS):
            key = AnswerKey(f"q{number}", system, "gpu|x")
            bad = (system, key.question) in failed
            answer = Answer(key, "" if bad else f"{system} on {number}", error="timeout" if bad else "")
            answers.append(answer)
            for rater, given in values.get(system, {}).items():
                if not bad and number < len(given):
                    ratings.append(Rating(key.question, answer.digest, rater, given[number]))
    return report_of(made, answers, ratings, raters, passed)


BETTER = {"noagent": {"ann": [2] * 9 + [4] * 3}, "kuaiagent": {"ann": [4] * 9 + [5] * 3}}


def test_a_cell_has_the_published_form_and_its_n() -> None:
    said = markdown(reported(BETTER), "en")
    assert "| gpu\\|x | 25.00 (2.50) n=12 | 100.00 (4.25) n=12 |" in said
    assert "Pass: rating ≥ 4 of 1–5. n = 12 questions; 1 rater; 0 answers skipped." in said


def test_the_pass_mark_can_be_another_one_and_is_printed() -> None:
    found = reported(BETTER, passed=5)
    assert [cell.passed.value for cell in found.cells if cell.passed] == [0.0, 0.25]
    assert "rating ≥ 5" in text(found, "en")


def test_an_interval_lies_around_its_number_and_within_what_it_can_be() -> None:
    for cell in reported(BETTER).cells:
        for estimate, least, most in ((cell.passed, 0, 1), (cell.score, 1, 5)):
            assert estimate is not None
            assert estimate.low is not None
            assert estimate.high is not None
            assert least <= estimate.low <= estimate.value <= estimate.high <= most


def test_systems_are_compared_on_the_same_questions_and_raters() -> None:
    (found,) = reported(BETTER).differences
    assert (found.system, found.other, found.questions) == ("kuaiagent", "noagent", 12)
    assert (found.passed.value, found.score.value) == (0.75, 1.75)
    assert found.score_p < 0.01
    # A strict rater of one system and a mild one of the other say nothing about the systems.
    assert reported({"noagent": {"ann": [1] * 12}, "kuaiagent": {"bea": [5] * 12}}).differences == ()


def test_equal_systems_have_no_difference_worth_a_word() -> None:
    (found,) = reported({"noagent": {"ann": [3] * 12}, "kuaiagent": {"ann": [3] * 12}}).differences
    assert (found.score.value, found.score_p, found.passed_p) == (0, 1, 1)


def test_an_answer_that_never_came_counts_as_the_lowest() -> None:
    found = reported(BETTER, failed=[("kuaiagent", "q0"), ("kuaiagent", "q1")])
    cell = found.cell("gpu|x", "kuaiagent")
    assert (cell.questions, cell.ratings, cell.failed) == (12, 10, 2)
    assert cell.passed is not None
    assert round(cell.passed.value, 4) == round(10 / 12, 4)
    assert "2 answers never came; each counts as rated 1." in text(found, "en")
    assert found.differences[0].questions == 12


def test_every_answer_weighs_the_same_however_many_have_rated_it() -> None:
    found = reported({"noagent": {"ann": [5, 1], "bea": [5], "cid": [5]}})
    cell = found.cell("gpu|x", "noagent")
    assert cell.passed is not None
    assert cell.score is not None
    assert (cell.passed.value, cell.score.value, cell.ratings) == (0.5, 3.0, 4)


def test_skipped_answers_count_nowhere_and_are_told() -> None:
    found = reported({"noagent": {"ann": [None, 4]}})
    assert (found.skipped, found.cell("gpu|x", "noagent").questions) == (1, 1)
    assert "1 answer skipped" in text(found, "en")


def test_answers_that_look_the_same_are_rated_at_once() -> None:
    answers = [Answer(AnswerKey("q0", system, "gpu|x"), "Same") for system in SPEC.systems]
    found = report_of(SET, answers, [Rating("q0", answers[0].digest, "ann", 4)], [])
    assert [(cell.ratings, cell.score.value) for cell in found.cells if cell.score] == [(1, 4.0), (1, 4.0)]
    assert found.agreement.pairs == 0


def test_ratings_of_a_test_driver_are_marked_as_such() -> None:
    driver = Rater("ann", driver=True)
    assert text(reported(BETTER, raters=[driver]), "en").startswith("Ratings made by a test driver")
    assert text(reported(BETTER, raters=[driver]), "zh").startswith("评分由测试程序生成")
    both = {**BETTER, "noagent": {**BETTER["noagent"], "bea": [3]}}
    assert text(reported(both, raters=[driver]), "en").startswith("Some of these ratings were made by a test driver")
    assert "test driver" not in text(reported(BETTER), "en")


@pytest.mark.parametrize(
    ("raters", "said"),
    [
        ({}, "Nobody has rated anything yet."),
        ({"ann": [4]}, "One rater: agreement can't be told."),
        ({"ann": [4], "bea": [None, 4]}, "No answer has two ratings"),
        ({"ann": [4, 4], "bea": [4, 4]}, "all 2 pairs of ratings are one and the same value"),
        ({"ann": [1, 4, 5], "bea": [2, 4, 5]}, "Krippendorff's alpha (ordinal) 0."),
    ],
)
def test_agreement_is_told_or_why_not(raters: Mapping[str, Sequence[int | None]], said: str) -> None:
    assert said in text(reported({"noagent": raters}), "en")


def test_the_page_shows_names_as_they_are_and_nothing_from_outside() -> None:
    made = page(reported(BETTER), "zh")
    assert "Set &lt;b&gt;" in made
    assert "<b>" not in made
    assert "http" not in made


def test_an_open_set_says_that_its_numbers_change() -> None:
    assert "still open" in text(reported(BETTER, made=replace(SET, state="open")), "en")


def test_the_report_is_json() -> None:
    found = as_json(reported(BETTER))
    assert (found["passed"], found["cells"][0]["model"], found["created_at"][:4]) == (4, "gpu|x", "2026")


def test_a_spec_survives_being_json_and_what_another_version_added() -> None:
    assert spec_of({**spec_json(SPEC), "colour": "blue"}) == SPEC


def test_orders_are_permutations_that_differ_by_rater_and_question() -> None:
    names = [str(number) for number in range(8)]
    orders = [order("seed", rater, question, names) for rater in "ab" for question in "xyz"]
    assert all(sorted(one) == names for one in orders)
    assert len({tuple(one) for one in orders}) == 6
    assert order("seed", "a", "x", reversed(names)) == orders[0]
    assert order("other", "a", "x", names) != orders[0]


def test_every_place_is_as_likely_for_every_answer() -> None:
    firsts = [order("seed", f"rater {number}", "q", ["a", "b", "c", "d"])[0] for number in range(4_000)]
    assert [name for name in "abcd" if not 900 < firsts.count(name) < 1_100] == []


GOOD = '{"id": "1", "question": "What?"}\n'


def test_questions_are_read_with_their_language_and_line(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text('\ufeff{"id": 7, "question": "法国的首都？"}\n\n{"id": "b", "question": "你好 hi", "lang": "en"}\n')
    assert [(one.id, one.lang, one.line) for one in read_questions(path)] == [("7", "zh", 1), ("b", "en", 3)]


@pytest.mark.parametrize(
    ("content", "line", "word"),
    [
        (b"", None, "has no questions"),
        (b"\n \n", None, "has no questions"),
        (GOOD.encode() + b"{", 2, "not valid JSON"),
        (b"[1]", 1, "not a JSON object"),
        (b'{"id": "\xff"}', 1, "UTF-8"),
        (b'{"question": "x"}', 1, "\u201cid\u201d is missing"),
        (b'{"id": true, "question": "x"}', 1, "\u201cid\u201d is missing"),
        (b'{"id": "a\\u0000", "question": "x"}', 1, "can't be shown"),
        (b'{"id": "a", "question": " "}', 1, "\u201cquestion\u201d is missing"),
        (b'{"id": "a", "question": "\\ud800"}', 1, "can't be shown"),
        (b'{"id": "a", "question": "x", "lang": "fr"}', 1, "\u201clang\u201d is"),
        (b'{"id": "a", "question": "x", "answer": "y"}', 1, "\u201canswer\u201d is unknown"),
        (GOOD.encode() * 2, 2, "stands in line 1"),
        (b"[" * 100_000, 1, "not valid JSON"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_line(
    tmp_path: Path, content: bytes, line: int | None, word: str
) -> None:
    path = tmp_path / "q.jsonl"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_questions(path)
    assert caught.value.line == line
    assert word in caught.value.text.en
    assert caught.value.text.zh
