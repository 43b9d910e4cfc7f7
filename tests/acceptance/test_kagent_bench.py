"""`kagent-bench` as people type it: wrong files, places that can't be written, models that are away, Ctrl-C."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from evals.kagentbench.sample import sample_path
from tests.fakes.llm import FakeLLM
from tests.support.benching import Bench, ended
from tests.support.process import ROOT, Done, is_one_sentence

pytestmark = pytest.mark.asyncio(loop_scope="module")

Lines = list[dict[str, Any]]
SAMPLE: Lines = [json.loads(line) for line in sample_path().read_text("utf-8").splitlines()]
#: One item of each type.
FEW: Lines = [
    next(line for line in SAMPLE if line["type"] == kind) for kind in dict.fromkeys(o["type"] for o in SAMPLE)
]
FINAL = "plan : 0.00, tooluse : 0.00, reflextion : 0.00, conclusion : 0.00, profile : 0.00, overall : 0.00"


def predictions(items: Lines) -> Lines:
    """Replies that say nothing, in the official form."""
    return [
        {"type": one["type"], "id": one["id"], "query": one["query"], "model_predict": predicted(one)} for one in items
    ]


def predicted(item: dict[str, Any]) -> Any:
    return "?" if item["type"] == "profile" else dict.fromkeys(item["prompt_input"], "{}")


def write(path: Path, lines: Lines) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    write(made.here / "bench.jsonl", FEW)
    write(made.here / "predictions.jsonl", predictions(FEW))
    return made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def llm() -> AsyncIterator[FakeLLM]:
    async with FakeLLM() as running:
        yield running


def refused(done: Done, status: int, *parts: str) -> None:
    """One sentence, no result, no traceback."""
    assert done.status == status, done
    assert done.out == ""
    said = done.err.strip().splitlines()
    assert "Traceback" not in done.err
    assert is_one_sentence(said[-1], "en"), done.err
    assert [part for part in parts if part not in said[-1]] == []


def spoiled(change: Callable[[Lines], Lines]) -> Callable[[Path], None]:
    return lambda path: write(path, change([json.loads(line) for line in path.read_text().splitlines()]))


def torn(path: Path) -> None:
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:2], lines[2][:40], *lines[3:]]) + "\n")


WRONG_FILES: dict[str, tuple[str, Callable[[Path], None], tuple[str, ...]]] = {
    "no benchmark": ("bench.jsonl", Path.unlink, ("bench.jsonl",)),
    "no predictions": ("predictions.jsonl", Path.unlink, ("predictions.jsonl",)),
    "a line of the benchmark": ("bench.jsonl", torn, ("Line 3 of bench.jsonl",)),
    "a line of the predictions": ("predictions.jsonl", torn, ("Line 3 of predictions.jsonl",)),
    "a missing type": ("bench.jsonl", spoiled(lambda lines: lines[1:]), ("bench.jsonl", "plantooluse", "partial")),
    "an id that comes twice": (
        "bench.jsonl",
        spoiled(lambda lines: [*lines, lines[0]]),
        (FEW[0]["id"], "Lines 1 and 5 of bench.jsonl"),
    ),
    "other counts": (
        "bench.jsonl",
        spoiled(lambda lines: [*lines, SAMPLE[-1]]),
        ("bench.jsonl has 2 items of type profile, predictions.jsonl has 1",),
    ),
    "an unknown id": (
        "predictions.jsonl",
        spoiled(lambda lines: [*lines[:-1], lines[-1] | {"id": "nobody"}]),
        ("nobody",),
    ),
}


@pytest.mark.parametrize("wrong", WRONG_FILES)
async def test_what_is_wrong_with_a_file_is_one_sentence(bench: Bench, wrong: str) -> None:
    name, spoil, parts = WRONG_FILES[wrong]
    spoil(bench.here / name)
    refused(await bench.inside("eval", "bench.jsonl", "predictions.jsonl"), 2, *parts)


async def test_a_file_is_scored_and_bounds_decide_the_exit_status(bench: Bench) -> None:
    done = await bench.run("eval", "bench.jsonl", "predictions.jsonl", "--fail-under", "overall=0")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(FINAL)
    done = await bench.run("eval", "bench.jsonl", "predictions.jsonl", "--json", "--fail-under", "plan=0.01")
    assert done.status == 1
    assert json.loads(done.out)["line"] == FINAL
    assert is_one_sentence(done.err.strip(), "en")


async def test_with_json_an_error_is_an_object_too(bench: Bench) -> None:
    done = await bench.inside("eval", "none.jsonl", "predictions.jsonl", "--json")
    assert done.status == 2
    assert json.loads(done.out) == {"error": done.err.strip(), "status": 2}


async def test_the_published_form_prints_what_the_published_scorer_prints(bench: Bench) -> None:
    done = await bench.run("bench.jsonl", "predictions.jsonl", program=(str(ROOT / "evals" / "score.py"),))
    published = ["load eval file from bench.jsonl", "load predict file from predictions.jsonl", FINAL]
    assert (done.status, done.out.splitlines(), done.err) == (0, published, "")


async def test_nothing_is_asked_where_the_result_could_not_be_written(bench: Bench, llm: FakeLLM) -> None:
    before = len(llm.calls())
    done = await bench.inside("infer", "missing/out.jsonl", "--base-url", llm.base_url)
    refused(done, 4, "missing/out.jsonl")
    done = await bench.inside("run", "--html", "bench.jsonl/report.html", "--base-url", llm.base_url)
    refused(done, 4, "bench.jsonl/report.html")
    assert len(llm.calls()) == before
    assert bench.runs == []


async def test_a_template_that_the_data_has_not_is_named(bench: Bench) -> None:
    refused(await bench.inside("run", "--templates", "Kuaiagent2"), 2, "Kuaiagent2", "KuaiAgent")


async def test_an_endpoint_that_is_down_is_told_and_begins_no_run(bench: Bench) -> None:
    done = await bench.inside("run", "--limit", "1", "--base-url", "http://127.0.0.1:9/v1")
    refused(done, 3, "127.0.0.1:9")
    assert bench.runs == []


async def test_an_endpoint_that_nobody_knows_is_told(bench: Bench) -> None:
    refused(await bench.inside("run", "--model", "gpu"), 2, "gpu", "embedded")


async def test_a_key_is_taken_from_the_variable_that_is_named_and_from_no_other(bench: Bench) -> None:
    done = await bench.inside("run", "--base-url", "http://127.0.0.1:9/v1", "--api-key-env", "MY_KEY")
    refused(done, 2, "MY_KEY")


async def test_a_run_from_its_first_question_to_the_comparison(bench: Bench, llm: FakeLLM) -> None:
    here = bench.here
    model = ("--base-url", llm.base_url, "--model", "fake-model")
    assert (await bench.inside("import", "bench.jsonl", "--name", "mine")).status == 0
    done = await bench.run("run", *model, "--data", "mine", "--json", "--out", "out.jsonl", "--templates", "react")
    assert done.status == 0, done.err
    found = json.loads(done.out)
    assert found["line"].startswith("[partial] plan : ")
    assert found["manifest"]["model"]["name"] == "fake-model"
    lines = [json.loads(line) for line in (here / "out.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == [item["id"] for item in FEW]
    assert list(lines[0]["model_predict"]) == ["ReACT"]
    asked = len(llm.calls())
    # The same once more is there already.
    done = await bench.run("infer", "again.jsonl", *model, "--data", "mine", "--templates", "ReACT")
    assert done.status == 0, done.err
    assert len(llm.calls()) == asked
    # Of other weights by the same name it would be wrong, so it is said.
    assert "4 of 4 replies" in done.err
    assert "--fresh" in done.err
    assert (here / "again.jsonl").read_bytes() == (here / "out.jsonl").read_bytes()
    listed = json.loads((await bench.inside("list", "--json")).out)
    assert [run["state"] for run in listed["runs"]] == ["done", "done"]
    assert [one["name"] for one in listed["data"]] == ["sample", "mine"]
    shown = json.loads((await bench.inside("show", FEW[0]["id"], "--json", "--run", found["run"])).out)
    assert shown["templates"][0]["reply"] == lines[0]["model_predict"]["ReACT"]
    assert shown["goldens"] == FEW[0]["golden_result_list"]
    done = await bench.inside("compare", found["run"], "again.jsonl", "--data", "mine", "--allow-partial", "--json")
    assert done.status == 0, done.err
    assert {change["difference"]["value"] for change in json.loads(done.out)["changes"]} == {0.0}
    assert (await bench.inside("data", "remove", "mine")).status == 0
    refused(await bench.inside("run", *model, "--data", "mine"), 2, "mine", "sample")


async def test_ctrl_c_keeps_what_is_done_and_resume_asks_only_for_the_rest(bench: Bench) -> None:
    async with FakeLLM() as llm:
        await llm.behave("[fake:when=answer][fake:first=0.3]")
        order = ("infer", "out.jsonl", "--base-url", llm.base_url, "--limit", "2", "--concurrency", "1")
        process = await bench.start(*order)
        while not kept_replies(bench):  # noqa: ASYNC110 - a file of another process has no event to wait for
            await asyncio.sleep(0.02)
        process.send_signal(signal.SIGINT)
        done = await ended(process)
        kept = kept_replies(bench)
        assert (done.status, done.out) == (130, "")
        assert "all of them are kept" in done.err
        assert "--resume" in done.err
        assert list(bench.here.glob("out*")) == []
        await llm.behave("")
        other = await bench.inside(*order, "--resume", "--seed", "3")
        refused(other, 2, "seed: 0 there, 3 here")
        asked = answers(llm)
        done = await bench.run(*order, "--resume")
        assert (done.status, len(bench.runs)) == (0, 1), done.err
        total = sum(
            len(line["model_predict"]) if isinstance(line["model_predict"], dict) else 1 for line in written(bench)
        )
        assert answers(llm) - asked <= total - kept
        refused(await bench.inside(*order, "--resume"), 2, "--resume")


def kept_replies(bench: Bench) -> int:
    """Replies that the first run has."""
    return sum((run / "predictions.jsonl").read_bytes().count(b"\n") for run in bench.runs[:1])


def answers(llm: FakeLLM) -> int:
    return sum(call.purpose != "trial" for call in llm.calls())


def written(bench: Bench) -> Lines:
    return [json.loads(line) for line in (bench.here / "out.jsonl").read_text().splitlines()]


async def test_the_published_inference_form_asks_about_the_file_beside_it(bench: Bench, llm: FakeLLM) -> None:
    shutil.copy(bench.here / "bench.jsonl", bench.here / "benchmark_eval.jsonl")
    program = (str(ROOT / "evals" / "infer.py"),)
    done = await bench.run("out.jsonl", "--base-url", llm.base_url, "--types", "profile", program=program)
    assert done.status == 0, done.err
    assert [line["id"] for line in written(bench)] == [one["id"] for one in FEW if one["type"] == "profile"]


async def test_chinese_terminals_are_spoken_to_in_chinese(bench: Bench) -> None:
    done = await bench.run("run", "--model", "gpu", LANG="zh_CN.UTF-8")
    assert done.status == 2
    assert is_one_sentence(done.err.strip().splitlines()[-1], "zh")
