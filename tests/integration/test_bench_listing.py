"""What `kagent-bench` says of runs and data that are kept: which run is meant, how to go on, what a file lacks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from evals.cli import progress
from evals.cli.options import written
from evals.kagentbench.sample import sample_path
from evals.library import check
from evals.runs import DataSet, Prediction, PredictionKey, Run, RunSpec
from evals.store import FileRuns
from tests.support.benching import Bench

LINES = [json.loads(line) for line in sample_path().read_text("utf-8").splitlines()]
PROFILES = [line["id"] for line in LINES if line["type"] == "profile"][:2]


def said(item: str, text: str, error: str = "") -> Prediction:
    return Prediction(PredictionKey("profile", item, "prompt", "0" * 64, "gpu", "plain"), text, error=error)


async def kept(bench: Bench, *predictions: Prediction) -> Run:
    """A run over the sample that was stopped after these."""
    runs = FileRuns(bench.data / "bench" / "runs")
    spec = RunSpec(check(sample_path()).data, "gpu", types=("profile",), limit=8, seed=3)
    run = await runs.begin(spec, {"data": {"path": str(sample_path())}})
    await runs.add(run.id, predictions)
    await runs.end(run.id, "cancelled")
    return run


async def test_an_item_is_shown_of_the_newest_run_that_has_a_reply_to_it(tmp_path: Path) -> None:
    bench, (one, other) = Bench(tmp_path), PROFILES
    older = await kept(bench, said(one, "older"), said(other, "other"))
    newer = await kept(bench, said(one, "newer"))
    newest = await kept(bench, said(one, "", error="timeout"))

    async def shown(*given: str) -> tuple[str, str | None]:
        done = await bench.inside("show", *given, "--json")
        found = json.loads(done.out)
        return found["run"], found["templates"][0]["reply"]

    assert await shown(one) == (newer.id, "newer")
    assert await shown(f"profile:{other}") == (older.id, "other")
    assert await shown(one, "--run", newest.id) == (newest.id, "")


async def test_how_a_run_goes_on_is_told_with_its_options(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await kept(bench)
    listed = (await bench.inside("list")).out
    assert "stopped; --resume with the same options goes on: --model gpu --data sample.jsonl" in listed
    assert "--types profile --limit 8 --seed 3\n" in listed


def test_options_are_written_as_they_are_typed() -> None:
    spec = RunSpec(DataSet("my data", "official", "0" * 64, 9), "gpu")
    assert written(spec) == "--model gpu --data 'my data'"
    more = replace(spec, langs=("en", "zh"), repeats=2, reasoning_tokens=9, constrained=True)
    assert written(more) == "--model gpu --data 'my data' --lang en,zh --repeats 2 --reasoning-tokens 9 --constrained"


@pytest.mark.parametrize(
    ("change", "remarks"),
    [
        ({}, []),
        ({"prompt_input": {}}, ["Without a prompt: 1 of 40 items, the first in line 3."]),
        ({"golden_result_list": []}, ["Without a golden result: 1 of 40 items, the first in line 3."]),
        ({"golden_result_list": [{"thought": "", "tool_name": ""}]}, ["Without a golden result: 1 of 40 items"]),
    ],
)
async def test_what_an_imported_file_lacks_is_remarked(
    tmp_path: Path, change: dict[str, object], remarks: Sequence[str]
) -> None:
    bench = Bench(tmp_path)
    lines = [{**line, **change} if at == 2 else line for at, line in enumerate(LINES)]
    (bench.here / "mine.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = await bench.inside("import", "mine.jsonl")
    assert done.status == 0, done.err
    found = [line for line in done.err.splitlines() if line.startswith("Without")]
    assert [line[: len(remark)] for line, remark in zip(found, remarks, strict=True)] == remarks


def test_a_bar_shows_no_number_before_there_is_one_and_no_blank_before_a_comma(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress.Bar("en", progress._ASKING) as bar:
        shown = bar._bar
        assert shown.tasks[0].fields["far"] == ""
        bar.show(24, 26, ", 1:02 left")
        assert [str(column.render(shown.tasks[0])) for column in shown.columns if hasattr(column, "text_format")] == [
            "Asking",
            "24/26, 1:02 left",
        ]
