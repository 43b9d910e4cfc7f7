"""Two runs side by side: paired reply by reply, and in words that claim no more than the numbers allow."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evals.report import compare
from evals.report.compare import Comparison
from evals.report.paired import Change
from evals.report.summary import Summary
from evals.statistics import Estimate
from tests.support.evaluations import drawn, evaluation, item, spec, summary


def of(scores: dict[str, dict[str, float]]) -> Summary:
    return summary(evaluation([item("conclusion", name, replies) for name, replies in scores.items()], complete=False))


def change(comparison: Comparison, what: str = "conclusion") -> Change:
    return next(one for one in comparison.changes if one.what == what and not one.template)


def test_only_replies_that_both_runs_have_are_compared() -> None:
    a = of({"x": {"ReACT": 0.2, "AutoGPT": 1.0}, "y": {"ReACT": 0.4}, "gone": {"ReACT": 1.0}})
    b = of({"new": {"ReACT": 1.0}, "y": {"ReACT": 0.6}, "x": {"ReACT": 0.3, "ToolLlama": 0.0}})
    found = compare.compare(a, b)
    assert change(found).a.value == pytest.approx(0.3)
    assert change(found).b.value == pytest.approx(0.45)
    assert change(found).difference.value == pytest.approx(0.15)
    assert change(found).queries == 2
    assert (found.only_a, found.only_b) == (2, 2)


def test_the_p_value_of_few_queries_is_exact() -> None:
    a = of({str(number): {"ReACT": 0.2} for number in range(5)})
    b = of({str(number): {"ReACT": 0.3 + number / 100} for number in range(5)})
    assert change(compare.compare(a, b)).p == pytest.approx(2 / 2**5)


def test_a_query_that_is_asked_often_is_flipped_as_one() -> None:
    a, b = (
        summary(
            evaluation([item("conclusion", str(number), {"ReACT": score}, query="Why?") for number in range(20)]),
        )
        for score in (0.2, 0.9)
    )
    found = change(compare.compare(a, b))
    assert (found.queries, found.p) == (1, 1.0)


def test_a_run_compared_with_itself_has_not_changed() -> None:
    run = summary(drawn(1, 8))
    found = compare.compare(run, run)
    assert {(one.difference.value, one.p) for one in found.changes} == {(0.0, 1.0)}
    assert "No difference in overall can be told from n = 32 queries" in compare.text(found, "en")


def test_the_other_way_round_the_signs_are_the_other_way_round() -> None:
    a, b = summary(drawn(1, 12)), summary(drawn(2, 12))
    one, other = compare.compare(a, b), compare.compare(b, a)
    for forth, back in zip(one.changes, other.changes, strict=True):
        assert forth.difference.value == pytest.approx(-back.difference.value)
        assert forth.p == pytest.approx(back.p, abs=0.02)


def test_the_overall_difference_is_the_weighted_one() -> None:
    a, b = drawn(1, 10), drawn(2, 10, skill=0.7)
    assert a.overall is not None
    assert b.overall is not None
    found = change(compare.compare(summary(a), summary(b)), "overall")
    assert found.difference.value == pytest.approx(b.overall - a.overall, abs=1e-6)
    assert found.sure


def test_both_rates_stand_side_by_side_with_and_without_structured_planning() -> None:
    free = summary(drawn(1, 20, trouble=0.4), of=spec("sample"))
    held = summary(drawn(2, 20, trouble=0.0), of=spec("sample", constrained=True))
    found = compare.compare(free, held)
    unreadable, right = change(found, "unreadable"), change(found, "right_tool")
    for one in (unreadable, right):
        for side in (one.a, one.b, one.difference):
            assert side.low is not None
            assert side.high is not None
            assert side.low <= side.value <= side.high
    assert unreadable.b.value == 0
    assert unreadable.difference.value < -0.3
    assert {one.template for one in found.changes if one.what == "right_tool"} > {"AutoGPT", "KuaiAgent"}
    said = compare.text(found, "en")
    assert "[sample 80] qwen-7b → [sample 80] [constrained] qwen-7b" in said
    assert "Fewer replies are unreadable: 0.00 % against " in said
    assert "选对工具的比例" in compare.text(found, "zh")


def test_runs_over_different_data_are_not_compared() -> None:
    other = replace(summary(drawn(1, 4)), data_sha256="e" * 64)
    found = compare.compare(summary(drawn(1, 4)), other)
    assert found.changes == ()
    assert compare.text(found, "en") == "These runs are of different data files, so their numbers can't be compared."
    assert compare.brief(found, "zh") == "- 这两次运行使用的数据文件不同，结果无法比较。"


def test_runs_with_nothing_in_common_say_so() -> None:
    found = compare.compare(of({"x": {"ReACT": 1}}), of({"y": {"ReACT": 1}}))
    assert compare.text(found, "en") == "These runs have no reply in common to compare."


def test_what_is_sure_and_what_is_not_is_said_in_different_words() -> None:
    def moved(p: float, value: float) -> Comparison:
        estimates = (Estimate(0.5), Estimate(0.5 + value), Estimate(value, value - 0.02, value + 0.02))
        return Comparison("a", "b", (Change("tooluse", "", *estimates, p, 320),))

    assert compare.verdict(moved(0.002, 0.0531), "en")[0] == (
        "tooluse is better: 55.31 against 50.00 (+5.31 points, 95 % interval +3.3 to +7.3, p = 0.002, n = 320 queries)."
    )
    assert compare.verdict(moved(0.0004, -0.1), "zh")[0] == (
        "工具使用 tooluse有下降：50.00 → 40.00（−10.00 分，95% 区间 −12.0 至 −8.0，p < 0.001，n = 320 个问题）。"
    )
    assert compare.verdict(moved(0.4, 0.01), "en")[0] == (
        "No difference in tooluse can be told from n = 320 queries (+1.00 points, 95 % interval −1.0 to +3.0, "
        "p = 0.40)."
    )


def test_how_many_would_look_sure_by_luck_is_said() -> None:
    assert "Of 8 numbers looked at, about 0.4 would fall below p = 0.05 by luck." in compare.markdown(
        compare.compare(summary(drawn(1, 6)), summary(drawn(2, 6))), "en"
    )
