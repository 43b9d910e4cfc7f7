"""Charts are drawn, in a process of their own."""

from __future__ import annotations

import asyncio
import json
import struct
from pathlib import Path

import pytest

from evals.report import charts, draw
from evals.report.charts import Artist, ChartError, drawing
from tests.support.evaluations import drawn, evaluation, item, spec, summary
from tests.unit.test_layout import ROOT, imports_of, python_files

SAMPLE = summary(drawn(1, 6), of=spec("sample"))


def size(picture: bytes) -> tuple[int, int]:
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


async def test_two_pictures_are_drawn_whatever_a_model_is_called_and_whatever_is_missing() -> None:
    hostile = "$\\frac{x$ 千问 \U0001f916\x00 " + "x" * 500
    lacking = summary(evaluation([item("profile", "p", {"prompt": 0.3})]), of=spec("sample"))
    drawn_ = await charts.charts([(hostile, SAMPLE), ("b", lacking)], "zh")
    for picture in (drawn_.radar, drawn_.bars):
        assert picture is not None
        width, height = size(picture)
        assert 1200 <= width <= 1600
        assert 900 <= height <= 2600
        assert len(picture) < 1_000_000
    assert drawn_.lang in ("en", "zh")


async def test_a_drawing_that_takes_too_long_is_ended() -> None:
    artist = Artist(seconds=0.01)
    with pytest.raises(ChartError) as caught:
        await artist.charts([("a", SAMPLE)], "en")
    assert caught.value.text.en == "The charts could not be drawn; the numbers are complete."


async def test_a_child_that_answers_nonsense_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "draw.py"
    monkeypatch.setattr(charts, "_CHILD", program)
    for said in ("print('hello')", "print('{}')", """print('{"radar": 1, "bars": 1, "lang": "en"}')""", "exit(3)"):
        program.write_text(said)
        with pytest.raises(ChartError):
            await charts.charts([("a", SAMPLE)], "en")


async def test_one_drawing_waits_for_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, log = tmp_path / "draw.py", tmp_path / "log"
    program.write_text(
        f"import sys, time\nlog = open({str(log)!r}, 'a')\nlog.write('begin\\n'); log.flush()\n"
        "sys.stdin.read(); time.sleep(0.05)\nlog.write('end\\n')\n"
    )
    monkeypatch.setattr(charts, "_CHILD", program)
    artist = Artist()
    found = await asyncio.gather(*(artist.charts([("a", SAMPLE)], "en") for _ in range(3)), return_exceptions=True)
    assert all(isinstance(one, ChartError) for one in found)
    assert log.read_text().split() == ["begin", "end"] * 3


def test_published_rows_are_drawn_only_where_a_run_is_comparable_with_them() -> None:
    whole = summary(drawn(1, 3))
    assert [row["name"] for row in drawing([("a", whole)], "en")["references"]] == ["GPT-3.5-turbo", "Qwen1.5-14B-MAT"]
    assert drawing([("a", SAMPLE)], "en")["references"] == []
    assert drawing([("a", whole), ("b", whole)], "en")["references"] == []


def test_what_is_drawn_is_what_the_line_says() -> None:
    told = json.loads(json.dumps(drawing([("a model", SAMPLE)], "en"), allow_nan=False))
    run = told["runs"][0]
    assert run["mark"] == "[sample 24] "
    printed = [part.split(" : ")[1] for part in SAMPLE.line.split(", ")]
    assert [f"{value:.2f}" for value in run["values"]] == printed[:5]
    assert f"{100 * run['estimates'][5][0]:.2f}" == printed[5]


@pytest.mark.parametrize(
    ("values", "end"), [([0.2], 5), ([4.9], 10), ([9.0, 14.0], 20), ([55.0], 60), ([63.0], 80), ([99.9], 100), ([], 5)]
)
def test_a_scale_ends_at_a_round_number_just_above_what_is_shown(values: list[float], end: float) -> None:
    found, step = draw._scale(values)
    assert found == end
    assert found % step == 0


def test_without_a_font_that_has_all_chinese_labels_they_are_english() -> None:
    needs = drawing([("a", SAMPLE)], "zh")["needs"]
    latin = {*range(0x20, 0x250)}
    assert not draw._covers(latin, needs)
    assert draw._covers({*latin, *map(ord, needs)}, needs)
    assert draw._shown("千问 Qwen", latin) == "?? Qwen"


def test_only_the_program_that_draws_knows_matplotlib() -> None:
    knows = [
        path.name
        for room in ("agent", "evals", "bot", "adapters")
        for path in python_files(ROOT / room)
        if "matplotlib" in path.read_text() and any(name.partition(".")[0] == "matplotlib" for name in imports_of(path))
    ]
    assert knows == ["draw.py"]
