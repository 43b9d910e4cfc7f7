"""Tables of a run, as Markdown and lined up for a terminal, in both languages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.language import Lang
from evals.kagentbench.items import WEIGHTS
from evals.report import grid, leaderboard, table, words
from evals.report.grid import Grid
from evals.report.leaderboard import PUBLISHED
from evals.report.summary import Calls
from evals.statistics import Estimate
from tests.support.evaluations import drawn, evaluation, item, spec, summary

RUN = summary(drawn(1, 10))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_columns_line_up_where_chinese_characters_take_two_places(lang: Lang) -> None:
    found = Grid(("名称", "得分"), (("工具使用 tooluse", "1.00"), ("plan", "100.00")))
    assert grid.text(found).splitlines() == [
        "名称                得分",
        "----------------  ------",
        "工具使用 tooluse    1.00",
        "plan              100.00",
    ]
    for one in table.grids(RUN, lang):
        lines = grid.text(one).splitlines()[1:]
        assert len({grid.width(line) for line in lines}) == 1


def test_combining_marks_and_joiners_take_no_place() -> None:
    assert grid.width("e\u0301\u200b中") == 3


def test_a_name_cannot_break_out_of_its_cell() -> None:
    hostile = "a|b\n\n# **x** <@U1> [l](http://e.example) `c` \x1b[31m"
    made = grid.markdown(Grid(("Model",), ((grid.name(hostile),),)))
    assert made.splitlines()[-1] == (
        r"| a\|b # \*\*x\*\* \<\@U1\> [l\](http://e.example) \`c\` [31m |".replace(r"\@", "@")
    )
    assert len(made.splitlines()) == 3
    assert "\x1b" not in grid.text(Grid(("Model",), ((hostile,),)))


def test_what_a_chat_gets_is_narrow_enough_to_stay_a_table_and_short_enough_for_one_message() -> None:
    for lang in ("en", "zh"):
        shown = table.numbers_for_a_chat(RUN, lang)
        assert max(map(grid.width, grid.text(shown).splitlines())) <= 64 - 3
        assert len(shown.rows) == 6
        assert len(table.brief(RUN, lang)) < 1_500


def test_a_long_name_is_cut() -> None:
    assert grid.name("x" * 400) == "x" * 59 + "…"


def test_all_six_numbers_have_a_row_and_missing_ones_a_dash() -> None:
    found = table.by_number(summary(evaluation([item("profile", "p", {"prompt": 0.25})])), "en")
    assert [row[0] for row in found.rows] == ["plan", "tooluse", "reflextion", "conclusion", "profile", "overall"]
    assert found.rows[0][1:] == ("-",) * 7
    assert found.rows[4][1:3] == ("25.00", "-")
    assert found.rows[5][1] == "-"


def test_numbers_are_those_of_the_line() -> None:
    printed = dict(part.split(" : ") for part in RUN.line.split(", "))
    assert {row[0]: row[1] for row in table.by_number(RUN, "en").rows} == printed


def test_templates_and_languages_have_rows_with_scores_rates_and_sizes() -> None:
    found = table.by_template(RUN, "en")
    assert [row[0] for row in found.rows] == ["ReACT", "AutoGPT", "ToolLlama", "ModelScope", "KuaiAgent"]
    assert "profile" not in found.head
    assert found.rows[0][-4:-2] == ("30", "30")
    assert [row[0] for row in table.by_lang(RUN, "zh").rows] == ["英文", "中文"]


def test_published_rows_stand_only_beside_complete_free_runs_over_an_official_file() -> None:
    assert "GPT-3.5-turbo" in table.markdown(RUN, "en")
    for other in (spec("sample"), spec(constrained=True), spec(limit=40)):
        partial = summary(drawn(1, 10), of=other)
        for said in (table.markdown(partial, "en"), table.text(partial, "zh"), table.brief(partial, "en")):
            assert "GPT-3.5-turbo" not in said


def test_the_published_rows_are_consistent_with_their_own_overall() -> None:
    assert len(PUBLISHED) == 11
    for row in PUBLISHED:
        overall = sum(weight * getattr(row, metric) for metric, weight in WEIGHTS.items())
        assert overall == pytest.approx(row.overall, abs=0.011)


def test_a_comparable_run_stands_among_the_published_rows_by_its_score() -> None:
    ranked = leaderboard.leaderboard([replace(RUN, overall=0.45)], "en")
    names = [row[0] for row in ranked.rows]
    assert names[2:5] == ["Baichuan2-13B-MAT", "qwen-7b (this run)", "Qwen-7B-MAT"]


def test_runs_that_are_not_comparable_are_named_below_the_published_rows() -> None:
    said = leaderboard.text([RUN, summary(drawn(1, 10), of=spec("sample"))], "en")
    assert "can be compared with them: [sample 40] qwen-7b." in said
    assert "2024-04-19" in said


def test_what_went_wrong_is_said() -> None:
    calls = Calls(100, 20, {"overloaded": 2, "timeout": 1}, 14, 12345, 300000, 45678, 1234.0, 1.9, 5)
    said = " ".join(table.notes(replace(RUN, calls=calls), "en"))
    assert "The published scorer would have ended at " in said
    assert "(ValueError " in said
    assert "3 replies never came (overloaded 2, timeout 1); they count as empty." in said
    assert "14 prompts were too long and lost 12,345 tokens" in said
    assert "5 replies ended at the limit of 520 tokens." in said
    assert "20 replies were kept from earlier runs." in said
    assert "Tokens: 300,000 read, 45,678 written." in said
    assert "20 min 34 s over 80 calls, half of them within 1.9 s." in said


def test_repeats_say_how_far_they_scatter() -> None:
    runs = [drawn(seed, 10) for seed in (1, 2, 3)]
    said = " ".join(table.notes(summary(*runs, of=spec(repeats=3)), "en"))
    mean = sum(run.overall or 0 for run in runs) / 3
    assert f"3 repeats: every number is their mean, query by query. Overall {100 * mean:.2f} ± " in said


def test_few_queries_are_called_few() -> None:
    assert "the smallest type has 10" in " ".join(table.notes(RUN, "en"))
    assert "fewer than 5 queries" in " ".join(table.notes(summary(drawn(1, 3)), "en"))
    assert "rough" not in " ".join(table.notes(summary(drawn(1, 40)), "en"))


@pytest.mark.parametrize(
    ("seconds", "en", "zh"),
    [(2.34, "2.3 s", "2.3 秒"), (75, "1 min 15 s", "1 分 15 秒"), (7260, "2 h 1 min", "2 小时 1 分")],
)
def test_durations_have_the_units_that_fit(seconds: float, en: str, zh: str) -> None:
    assert (words.duration(seconds, "en"), words.duration(seconds, "zh")) == (en, zh)


def test_an_estimate_without_bounds_shows_its_value_alone() -> None:
    assert words.score(Estimate(0.5)) == "50.00"
    assert words.score(Estimate(0.5, 0.4, 0.61)) == "50.00 (40.0–61.0)"
    assert words.score(None) == "-"
