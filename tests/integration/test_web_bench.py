"""Benchmarks through the page's API: runs, their numbers, items, charts and files."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select as select_rows

from adapters.web import models_bench
from agent.clock import SystemClock
from bot.bench.beginning import Beginning
from bot.bench.scheduling import schedules
from bot.endpoints import EndpointDraft
from bot.jobs import Progress
from bot.messages import Author, Target
from bot.store import bench, jobs
from bot.store.db import Store
from bot.store.tables import job
from evals.evaluations import evaluations
from evals.kagentbench.data import read_items, sha256_of
from evals.kagentbench.sample import sample_path
from evals.library import Library
from evals.report.summary import summary_of
from evals.running.selecting import select
from evals.runs import DataSet, Prediction, PredictionKey, RunSpec
from evals.suites import read_suite
from evals.suites.evaluating import answers_of, evaluate
from evals.suites.summary import marked
from tests.support.web import Json, Site

RUNS = "/api/v1/bench/runs"
HOSTILE = '<img src=x onerror="alert(1)"> half \ud800 a pair'


class LaterClock(SystemClock):
    """It is some days later."""

    def __init__(self, days: int) -> None:
        self._days = days

    def now(self) -> datetime:
        return super().now() + timedelta(days=self._days)


def spec_of(model: str, sha256: str = "") -> RunSpec:
    return RunSpec(DataSet("sample", "sample", sha256 or sha256_of(sample_path()), 40), model, limit=8)


def replies(spec: RunSpec, text: str) -> list[Prediction]:
    return [
        Prediction(PredictionKey(item.type, str(item.id), template, "00" * 32, spec.model, "how"), text)
        for item in select(read_items(sample_path()), spec)
        for template in item.prompts
    ]


async def done(store: Store, spec: RunSpec, text: str = HOSTILE) -> str:
    """A finished run with its replies; its id."""
    now, said = SystemClock().now(), replies(spec, text)
    items = select(read_items(sample_path()), spec)
    summary = summary_of(evaluations(items, said, spec), spec, predictions=said)
    run = await store.write(lambda c: bench.begin(c, spec, {"rules": "1"}, now))
    await bench.DatabaseRuns(store, bench.unfenced(store, SystemClock())).add(run.id, said)
    await store.write(lambda c: bench.end(c, run.id, "done", now, summary))
    return run.id


def endpoint(site: Site) -> None:
    site.endpoints.saved["gpu"] = EndpointDraft("gpu", "http://127.0.0.1:9/v1", model="qwen")


async def ask(site: Site, path: str, **query: str) -> Json:
    return await site.client.call("GET", path, params=query)


# --- Runs


async def test_a_run_is_started_followed_and_cancelled(store: Store) -> None:
    async with Site(store) as site:
        endpoint(site)
        begun = await site.client.call("POST", RUNS, {"model": "gpu", "limit": 8, "types": ["profile"]})
        [waiting] = (await ask(site, RUNS))["runs"]
        told = {"done": 3, "total": 40, "rate": 1.5, "left": 24.0, "scores": {"plan": 0.5}, "scored": 1}
        [(_, job_id)] = await store.read(bench.with_job)
        now = SystemClock().now()
        row = await store.write(lambda c: jobs.claim_one(c, job_id, "me", now, now))
        assert row is not None
        await store.write(lambda c: jobs.report(c, job_id, row.epoch, told, now))
        [running] = (await ask(site, RUNS))["runs"]
        status, twice = await site.client.ask("POST", RUNS, {"model": "gpu"})
        still, _ = await site.client.ask("DELETE", f"{RUNS}/{begun['id']}")
        await site.client.call("POST", f"{RUNS}/{begun['id']}/cancel")
    models_bench.BenchRun.model_validate(running)
    assert (waiting["id"], waiting["state"], waiting["progress"]["total"]) == (begun["id"], "running", 0)
    assert (waiting["platform"], waiting["author"], waiting["options"]) == ("web", "", "types=profile limit=8")
    assert running["progress"] == {"cached": 0, "failed": 0, "scoring": False, **told}
    assert (status, still) == (409, 409)
    assert "`" not in twice["error"]["message"]
    assert "gpu" in twice["error"]["message"]


async def test_a_waiting_run_that_is_cancelled_is_over_and_can_be_deleted(store: Store) -> None:
    async with Site(store) as site:
        endpoint(site)
        run = f"{RUNS}/{(await site.client.call('POST', RUNS, {}))['id']}"
        await site.client.call("POST", run + "/cancel")
        state = (await ask(site, run))["run"]["state"]
        await site.client.call("DELETE", run)
        await site.client.call("DELETE", run)
        gone, _ = await site.client.ask("GET", run)
        again, _ = await site.client.ask("POST", run + "/cancel")
    assert (state, gone, again) == ("cancelled", 404, 404)


async def test_what_cannot_be_measured_is_said_in_the_readers_language(sqlite_store: Store) -> None:
    async with Site(sqlite_store) as site:
        endpoint(site)
        english = await site.client.ask("POST", RUNS, {"model": "nobody"})
        chinese = await site.client.ask("POST", RUNS, {"data": "nowhere"}, headers={"Accept-Language": "zh"})
        wrong, said = await site.client.ask("POST", RUNS, {"limit": 0})
    assert english[0] == chinese[0] == 409
    assert english[1]["error"]["message"] == "No endpoint or model is called nobody: there are gpu, qwen."
    assert "没有名为 nowhere 的数据集" in chinese[1]["error"]["message"]
    assert wrong == 400
    assert "“limit”" in said["error"]["message"]


async def test_runs_are_listed_page_by_page_without_their_tables(store: Store) -> None:
    ids = [await done(store, spec_of(model)) for model in ("a", "b", "c")]
    async with Site(store) as site:
        first = await ask(site, RUNS, limit="2")
        second = await ask(site, RUNS, limit="2", before=str(first["next"]))
    assert [run["id"] for run in first["runs"] + second["runs"]] == ids[::-1]
    assert second["next"] is None
    assert first["runs"][0]["line"].startswith("[sample 8] plan : ")
    assert first["runs"][0]["overall"] == pytest.approx(0.0, abs=0.2)


async def test_a_run_whose_job_is_lost_is_said_to_be_so(sqlite_store: Store) -> None:
    await sqlite_store.write(lambda c: bench.begin(c, spec_of("a"), {}, SystemClock().now()))
    async with Site(sqlite_store) as site:
        [run] = (await ask(site, RUNS))["runs"]
        await site.client.call("DELETE", f"{RUNS}/{run['id']}")
        left = (await ask(site, RUNS))["runs"]
    assert run["state"] == "lost"
    assert left == []


# --- What came out


async def test_a_report_has_tables_that_are_safe_to_insert(sqlite_store: Store) -> None:
    run_id = await done(sqlite_store, spec_of("<script>x</script>"))
    async with Site(sqlite_store) as site:
        report = await ask(site, f"{RUNS}/{run_id}")
        chinese = await site.client.call("GET", f"{RUNS}/{run_id}", headers={"Accept-Language": "zh"})
    assert "<table>" in report["html"]
    assert "<script" not in report["html"]
    assert "总分" in chinese["html"]
    assert '"rules": "1"' in report["manifest"]
    assert report["earlier"] == ""


async def test_runs_are_compared_and_stand_on_a_leaderboard(sqlite_store: Store) -> None:
    old, new = await done(sqlite_store, spec_of("a")), await done(sqlite_store, spec_of("a"), "tea")
    other = await done(sqlite_store, spec_of("b", "0" * 64))
    data = sha256_of(sample_path())
    async with Site(sqlite_store) as site:
        earlier = (await ask(site, f"{RUNS}/{new}"))["earlier"]
        tables = await ask(site, "/api/v1/bench/comparison", a=old, b=new)
        status, _ = await site.client.ask("GET", "/api/v1/bench/comparison", params={"a": old, "b": other})
        board = await ask(site, "/api/v1/bench/leaderboard", data=data)
        empty = await ask(site, "/api/v1/bench/leaderboard", data="f" * 64)
    assert (earlier, status) == (old, 409)
    assert "<table>" in tables["html"]
    assert new in board["html"]
    assert "GPT-3.5" not in board["html"]
    assert empty == {"html": ""}


async def test_items_are_filtered_paged_and_opened(sqlite_store: Store) -> None:
    run_id = await done(sqlite_store, spec_of("a"))
    async with Site(sqlite_store) as site:
        every = await ask(site, f"{RUNS}/{run_id}/items", limit="3", start="6")
        plans = await ask(site, f"{RUNS}/{run_id}/items", type="plantooluse", template="AutoGPT", show="unreadable")
        named = await ask(site, f"{RUNS}/{run_id}/items", q=plans["items"][0]["id"].upper(), order="worst")
        opened = await ask(site, f"{RUNS}/{run_id}/items/{plans['items'][0]['place']}")
        missing, _ = await site.client.ask("GET", f"{RUNS}/{run_id}/items/999")
    models_bench.BenchItemTexts.model_validate(opened)
    assert (len(every["items"]), every["found"], every["all"]) == (2, 8, 8)
    assert {one["type"] for one in plans["items"]} == {"plantooluse"}
    assert [one["place"] for one in named["items"]] == [plans["items"][0]["place"]]
    assert opened["goldens"]
    assert opened["replies"][0]["prompt"]
    assert opened["replies"][0]["reply"].startswith('<img src=x onerror="alert(1)"> half ')
    assert missing == 404


async def test_items_of_data_that_is_gone_are_refused_with_the_way_out(sqlite_store: Store) -> None:
    run_id = await done(sqlite_store, spec_of("a", "0" * 64))
    async with Site(sqlite_store) as site:
        status, said = await site.client.ask("GET", f"{RUNS}/{run_id}/items")
    assert status == 409
    assert "import it again" in said["error"]["message"]


async def test_files_are_downloads_and_never_pages_of_this_server(sqlite_store: Store) -> None:
    run_id = await done(sqlite_store, spec_of("a"))
    async with Site(sqlite_store) as site:
        got: dict[str, Any] = {}
        for name in ("predictions", "report?lang=zh"):
            async with site.client.session.get(f"{RUNS}/{run_id}/{name}") as response:
                got[name] = (await response.text(), response.headers)
    lines = [json.loads(line) for line in got["predictions"][0].splitlines()]
    page, headers = got["report?lang=zh"]
    assert len(lines) == 8
    assert all(line["model_predict"] for line in lines)
    assert page.startswith("<!doctype html>")
    assert "KAgentBench 报告" in page
    assert "<img src=x" not in page
    assert headers["Content-Disposition"].startswith("attachment;")
    assert f"{run_id}.html" in headers["Content-Disposition"]


async def test_charts_are_drawn_once_for_everybody(sqlite_store: Store) -> None:
    run_id = await done(sqlite_store, spec_of("a"))
    async with Site(sqlite_store) as site:
        pictures = set()
        for name in ("radar", "bars", "radar"):
            async with site.client.session.get(f"{RUNS}/{run_id}/charts/{name}?lang=en") as response:
                assert (response.status, response.content_type) == (200, "image/png")
                pictures.add(await response.read())
        nothing = await sqlite_store.write(lambda c: bench.begin(c, spec_of("a"), {}, SystemClock().now()))
        status, _ = await site.client.ask("GET", f"{RUNS}/{nothing.id}/charts/bars")
    assert len(pictures) == 2
    assert status == 409


async def test_an_own_suite_has_a_report_and_one_chart(sqlite_store: Store, tmp_path: Path) -> None:
    source = tmp_path / "own.jsonl"
    source.write_text(
        json.dumps({"id": "tea", "query": HOSTILE, "checks": [{"type": "contains", "all": ["green"]}]}) + "\n"
    )
    async with Site(sqlite_store) as site:
        kept = Library(Path(site.data.name)).add(source)
        spec, now = RunSpec(kept.data, "gpu"), SystemClock().now()
        key = PredictionKey("suite", "tea", "prompt", "00" * 32, "gpu", "how")
        said = [Prediction(key, HOSTILE)]
        found = [await evaluate(read_suite(source), answers_of(said))]
        run = await sqlite_store.write(lambda c: bench.begin(c, spec, {}, now))
        await bench.DatabaseRuns(sqlite_store, bench.unfenced(sqlite_store, SystemClock())).add(run.id, said)
        await sqlite_store.write(lambda c: bench.end(c, run.id, "done", now, marked(found, spec)))
        async with site.client.session.get(f"{RUNS}/{run.id}/report?lang=en") as response:
            page = await response.text()
        async with site.client.session.get(f"{RUNS}/{run.id}/charts/bars?lang=en") as response:
            assert (response.status, response.content_type) == (200, "image/png")
        status, _ = await site.client.ask("GET", f"{RUNS}/{run.id}/charts/radar")
    assert "passed : 0, failed : 1, undecided : 0, rate : 0.00" in page
    assert "data:image/png;base64," in page
    assert '"index": [["suite", "tea", ' in page
    assert "<img src=x" not in page
    assert status == 404


# --- Models, data sets, schedules


async def test_choices_and_schedules(store: Store) -> None:
    path = "/api/v1/bench/schedules"
    async with Site(store) as site:
        endpoint(site)
        choices = await ask(site, "/api/v1/bench/choices")
        await site.client.call("POST", path, {"model": "gpu", "limit": 8})
        await site.client.call("POST", path, {"model": "gpu", "limit": 9})
        [one] = (await ask(site, path))["schedules"]
        await site.client.call("DELETE", f"{path}/{one['id']}")
        left = (await ask(site, path))["schedules"]
        again, _ = await site.client.ask("DELETE", f"{path}/{one['id']}")
    assert choices["models"] == [{"name": "gpu", "model": "qwen", "state": "ok"}]
    assert [data["name"] for data in choices["data"]] == ["sample"]
    assert (one["model"], one["options"]) == ("gpu", "limit=9")
    assert (left, again) == ([], 404)


async def _everybody(_: Target, __: Author) -> bool:
    return True


async def test_what_is_measured_weekly_from_the_page_begins_without_a_place_to_report_in(sqlite_store: Store) -> None:
    class Reported:
        async def report(self, _: Any) -> None: ...

    async with Site(sqlite_store) as site:
        endpoint(site)
        await site.client.call("POST", "/api/v1/bench/schedules", {"model": "gpu", "limit": 8})
        beginning = Beginning(
            sqlite_store, LaterClock(days=8), Library(Path(site.data.name)), site.endpoints.list, {}, lambda: None
        )
        await schedules(beginning, _everybody).run(None, cast(Progress, Reported()))
        [run] = (await ask(site, RUNS))["runs"]
    [row] = await sqlite_store.read(lambda c: c.execute(select_rows(job.c.payload)).all())
    assert (run["model"], run["options"], run["platform"]) == ("gpu", "limit=8 fresh", "web")
    assert row.payload["target"] is None
