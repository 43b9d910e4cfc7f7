"""Endpoints that are entered at run time: tried live, kept encrypted, in use at once, gone when they are removed."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import select

from agent.clock import SystemClock
from agent.llm.chat import ChatModel, ChatRequest, ReplyEnd
from bot import trial
from bot.endpoints import EndpointDraft, EndpointError, Endpoints, TestReport
from bot.messages import Author
from bot.secrets import Secrets
from bot.settings.models import EndpointSettings, ListedEndpoint, ModelSettings
from bot.store import endpoints as rows
from bot.store.db import Store
from bot.store.tables import endpoint
from tests.fakes.llm import FakeLLM
from tests.support.llm import question
from tests.support.server import until

ANN = Author("ann", "Ann")
KEY = "k" * 32
SECRET = "sk-do-not-show-me-anywhere"


@asynccontextmanager
async def service(
    store: Store, folder: Path, models: ModelSettings | None = None, *keys: str, poll: float = 3600.0
) -> AsyncIterator[Endpoints]:
    """A process with these settings, running."""
    made = Endpoints(models or ModelSettings(), store, SystemClock(), Secrets(keys or (KEY,), folder), poll=poll)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


@pytest.fixture
async def llm() -> AsyncIterator[FakeLLM]:
    async with FakeLLM(model="big", context=8192, api_key=SECRET) as fake:
        yield fake


def configured(*listed: ListedEndpoint) -> ModelSettings:
    """Settings with endpoints, so that no embedded model is started."""
    return ModelSettings(endpoints=listed or (ListedEndpoint(name="fixed", base_url="http://127.0.0.1:9/v1"),))


def draft(llm: FakeLLM, **values: Any) -> EndpointDraft:
    return EndpointDraft(**{"name": "gpu", "base_url": llm.base_url, "api_key": SECRET, "priority": 1, **values})


async def ask(endpoints: Endpoints, text: str = "Hello") -> ReplyEnd:
    async def prepare(_model: ChatModel) -> ChatRequest:
        return question(text)

    async with aclosing(endpoints.pool.stream(prepare, owner="test")) as items:
        async for item in items:
            if isinstance(item, ReplyEnd):
                return item
    raise AssertionError("no end")


async def refused(work: Any) -> EndpointError:
    with pytest.raises(EndpointError) as caught:
        await work
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    return caught.value


# --- Saved, used, removed


async def test_what_is_saved_is_in_use_at_once(store: Store, tmp_path: Path, llm: FakeLLM):
    async with service(store, tmp_path, configured()) as endpoints:
        view = await endpoints.save(draft(llm), ANN)
        assert (view.name, view.source, view.removable, view.demo) == ("gpu", "page", True, False)
        assert (view.model, view.context_tokens, view.health.state) == ("big", 8192, "ok")
        assert (await ask(endpoints)).endpoint == "gpu"


async def test_it_takes_over_from_the_demo_model_and_gives_back(sqlite_store: Store, tmp_path: Path, llm: FakeLLM):
    async with service(sqlite_store, tmp_path) as endpoints:
        assert endpoints.demo
        (embedded,) = endpoints.list("en")
        assert (embedded.name, embedded.source, embedded.host, embedded.demo) == ("embedded", "embedded", "", True)

        await endpoints.save(draft(llm), ANN)
        assert (endpoints.name, endpoints.demo) == ("big", False)
        assert [view.name for view in endpoints.list("en")] == ["gpu"]
        server = endpoints._embedded.server

        async def stopped() -> bool:
            return server.state.phase == "stopped"

        await until(stopped)

        await endpoints.remove("gpu", ANN)
        assert endpoints.demo
        assert server.state.phase != "stopped"
        assert [view.source for view in endpoints.list("en")] == ["embedded"]


async def test_a_restart_finds_it_again(store: Store, tmp_path: Path, llm: FakeLLM):
    async with service(store, tmp_path, configured()) as endpoints:
        await endpoints.save(draft(llm, slots=3, chat_format="server", reasoning="off"), ANN)
    async with service(store, tmp_path, configured()) as endpoints:
        (view,) = [view for view in endpoints.list("en") if view.name == "gpu"]
        assert (view.slots, view.chat_format, view.source) == (3, "server", "page")
        assert (await ask(endpoints)).endpoint == "gpu"


async def test_nothing_of_it_can_be_read_in_the_database(sqlite_store: Store, tmp_path: Path, llm: FakeLLM):
    async with service(sqlite_store, tmp_path, configured()) as endpoints:
        await endpoints.save(draft(llm, model="secret-model"), ANN)
    (row,) = await sqlite_store.read(lambda c: list(c.execute(select(endpoint))))
    for hidden in (SECRET, llm.base_url, "secret-model", "base_url"):
        assert all(hidden not in str(value) for value in row)
    assert (row.name, row.author_id) == ("gpu", "ann")


async def test_neither_address_nor_key_is_in_a_view_or_a_representation(
    sqlite_store: Store, tmp_path: Path, llm: FakeLLM
):
    address = llm.base_url.replace("http://", f"http://user:{SECRET}@")
    async with service(sqlite_store, tmp_path, configured()) as endpoints:
        view = await endpoints.save(draft(llm, base_url=address), ANN)
        assert view.host == f"127.0.0.1:{llm.port}"
        for shown in (repr(view), repr(endpoints.list("zh")), repr(draft(llm, base_url=address)), repr(endpoints)):
            assert SECRET not in shown


async def test_saving_again_replaces_it_and_leaves_running_calls_alone(
    sqlite_store: Store, tmp_path: Path, llm: FakeLLM
):
    async with FakeLLM(model="other") as other, service(sqlite_store, tmp_path, configured()) as endpoints:
        await endpoints.save(draft(llm), ANN)
        running = asyncio.create_task(ask(endpoints, "[fake:first=0.3] Hello"))
        await llm.until(lambda calls: any("Hello" in call.user for call in calls))
        await endpoints.save(draft(other, api_key=""), ANN)
        assert (await ask(endpoints)).model == "other"
        assert (await running).model == "big"
        assert [view.model for view in endpoints.list("en") if view.name == "gpu"] == ["other"]


async def test_what_was_removed_can_be_brought_back(store: Store, tmp_path: Path, llm: FakeLLM):
    async with service(store, tmp_path, configured()) as endpoints:
        await endpoints.save(draft(llm), ANN)
        await endpoints.remove("gpu", ANN)
        assert [view.name for view in endpoints.list("en")] == ["fixed"]
        assert await store.read(rows.every) == []
        await endpoints.restore("gpu", ANN)
        assert (await ask(endpoints)).endpoint == "gpu"
        assert (await refused(endpoints.restore("gpu", ANN))).field == "name"


async def test_only_what_was_entered_here_can_be_removed(sqlite_store: Store, tmp_path: Path):
    async with service(sqlite_store, tmp_path, configured()) as endpoints:
        assert "settings" in (await refused(endpoints.remove("fixed", ANN))).text.en
        assert "no endpoint" in (await refused(endpoints.remove("nobody", ANN))).text.en


async def test_another_process_notices(store: Store, tmp_path: Path, llm: FakeLLM):
    async with (
        service(store, tmp_path, configured()) as one,
        service(store, tmp_path, configured(), poll=0.02) as two,
    ):

        def known() -> list[tuple[str, int]]:
            return [(view.name, view.slots) for view in two.list("en") if view.source == "page"]

        async def sees(*wanted: tuple[str, int]) -> None:
            async def look() -> bool:
                return known() == list(wanted)

            await until(look)

        await one.save(draft(llm), ANN)
        await sees(("gpu", 8))
        assert (await ask(two)).endpoint == "gpu"
        await one.save(draft(llm, slots=2), ANN)
        await sees(("gpu", 2))
        await one.remove("gpu", ANN)
        await sees()


async def test_the_settings_go_before_what_was_entered_under_the_same_name(
    sqlite_store: Store, tmp_path: Path, llm: FakeLLM
):
    async with service(sqlite_store, tmp_path, configured()) as endpoints:
        await endpoints.save(draft(llm), ANN)
    mine = ListedEndpoint(name="gpu", base_url="http://127.0.0.1:9/v1")
    async with service(sqlite_store, tmp_path, configured(mine)) as endpoints:
        assert [(view.name, view.source) for view in endpoints.list("en")] == [("gpu", "settings")]
        error = await refused(endpoints.save(draft(llm), ANN))
        assert (error.field, "in the settings" in error.text.en) == ("name", True)


# --- Order and health


async def test_they_are_listed_in_the_order_in_which_they_are_asked(sqlite_store: Store, tmp_path: Path, llm: FakeLLM):
    nowhere = "http://127.0.0.1:9/v1"
    models = ModelSettings(
        endpoint=EndpointSettings(base_url=nowhere),
        endpoints=(
            ListedEndpoint(name="first", base_url=nowhere),
            ListedEndpoint(name="second", base_url=nowhere),
            ListedEndpoint(name="last", base_url=nowhere, priority=900),
        ),
    )
    async with service(sqlite_store, tmp_path, models) as endpoints:
        await endpoints.save(draft(llm, priority=15), ANN)
        order = [(view.name, view.priority) for view in endpoints.list("en")]
    assert order == [("default", 0), ("first", 10), ("gpu", 15), ("second", 20), ("last", 900)]


async def test_health_says_who_stands_in_for_whom(sqlite_store: Store, tmp_path: Path, llm: FakeLLM):
    async with service(sqlite_store, tmp_path, configured()) as endpoints:
        await endpoints.save(draft(llm, priority=99), ANN)

        async def found_out() -> bool:
            return endpoints.list("en")[0].health.state == "down"

        await until(found_out)
        for lang, words in (("en", "“fixed” can't be asked just now; “gpu” answers."), ("zh", "由“gpu”回答")):
            health = endpoints.health(lang)  # type: ignore[arg-type]
            assert health.state == "degraded"
            assert words in health.detail
        assert endpoints.name == "big"
        await endpoints.remove("gpu", ANN)
        assert endpoints.health("en").state == "down"
        assert "127.0.0.1:9" in endpoints.health("en").detail


async def test_profiles_may_name_endpoints_and_models(sqlite_store: Store, tmp_path: Path, llm: FakeLLM):
    async with service(sqlite_store, tmp_path, configured()) as endpoints:
        await endpoints.save(draft(llm), ANN)
        assert {"gpu", "big", "fixed"} <= set(endpoints.names())


# --- Keys


async def test_with_a_wrong_key_it_is_listed_with_what_to_do_and_can_be_removed(
    store: Store, tmp_path: Path, llm: FakeLLM
):
    async with service(store, tmp_path, configured()) as endpoints:
        await endpoints.save(draft(llm), ANN)
    async with service(store, tmp_path, configured(), "w" * 32) as endpoints:
        (lost,) = [view for view in endpoints.list("en") if view.name == "gpu"]
        assert (lost.health.state, lost.host, lost.removable) == ("down", "", True)
        assert "KAGENTBOT_SECRET_KEY" in lost.health.detail
        assert [member.name for member in endpoints.pool.members] == ["fixed"]
        await endpoints.remove("gpu", ANN)
        assert [view.name for view in endpoints.list("en")] == ["fixed"]


async def test_after_a_change_of_the_key_the_old_one_is_not_needed_any_more(store: Store, tmp_path: Path, llm: FakeLLM):
    new = "n" * 32
    async with service(store, tmp_path, configured()) as endpoints:
        await endpoints.save(draft(llm), ANN)
    async with service(store, tmp_path, configured(), new, KEY):
        pass
    async with service(store, tmp_path, configured(), new) as endpoints:
        assert (await ask(endpoints)).endpoint == "gpu"


async def test_what_another_version_has_saved_is_no_crash(sqlite_store: Store, tmp_path: Path):
    sealed = Secrets([KEY], tmp_path).seal(json.dumps({"name": "new", "base_url": "http://a/v1", "teleport": True}))
    now = SystemClock().now()
    await sqlite_store.write(lambda c: rows.save(c, "new", sealed, "ann", now))
    async with service(sqlite_store, tmp_path, configured()) as endpoints:
        (lost,) = [view for view in endpoints.list("zh") if view.name == "new"]
        assert "请重新填写" in lost.health.detail


# --- Drafts that are wrong


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a b"}, "name"),
        ({"name": "embedded"}, "name"),
        ({"base_url": f"file:///{SECRET}"}, "base_url"),
        ({"base_url": ""}, "base_url"),
        ({"base_url": f"http://{SECRET} x/v1"}, "base_url"),
        ({"api_key": f"{SECRET} {SECRET}"}, "api_key"),
        ({"slots": 0}, "slots"),
        ({"context_tokens": 1}, "context_tokens"),
        ({"chat_format": "other"}, "chat_format"),
        ({"reasoning": "maybe"}, "reasoning"),
        ({"vision": "maybe"}, "vision"),
        ({"priority": 5000}, "priority"),
        ({"model": "m" * 300}, "model"),
    ],
)
async def test_a_draft_that_is_wrong_is_one_sentence_about_one_field(
    sqlite_store: Store, tmp_path: Path, values: dict[str, Any], field: str
):
    wrong = EndpointDraft(**{"name": "gpu", "base_url": "http://127.0.0.1:9/v1", **values})
    endpoints = Endpoints(configured(), sqlite_store, SystemClock(), Secrets([KEY], tmp_path))
    error = await refused(endpoints.save(wrong, ANN))
    assert error.field == field
    assert error.text.en.startswith(f"`{field}` must be ")
    assert error.text.zh.startswith(f"`{field}` 应为")
    if values != {"name": ""}:
        assert (await refused(endpoints.test(wrong, "en"))).field == field
    assert await sqlite_store.read(rows.every) == []


# --- The live test


async def tried(store: Store, folder: Path, entered: EndpointDraft, lang: Any = "en") -> TestReport:
    endpoints = Endpoints(configured(), store, SystemClock(), Secrets([KEY], folder))
    report = await endpoints.test(entered, lang)
    assert SECRET not in repr(report)
    return report


def states(report: TestReport) -> dict[str, str]:
    return {line.name: line.state for line in report.lines}


async def test_a_good_endpoint_passes_every_line(sqlite_store: Store, tmp_path: Path, llm: FakeLLM):
    report = await tried(sqlite_store, tmp_path, draft(llm, name=""))
    assert report.ok
    assert states(report) == dict.fromkeys(
        ["reach", "models", "context", "structured", "sight", "reply", "speed"], "ok"
    )
    assert report.models == ("big",)
    said = {line.name: line.text for line in report.lines}
    assert f"127.0.0.1:{llm.port}" in said["reach"]
    assert "8192" in said["context"]
    # Nothing is kept, and nothing is used.
    assert await sqlite_store.read(rows.every) == []


async def test_the_live_test_says_whether_the_model_looks_at_pictures(sqlite_store: Store, tmp_path: Path):
    async with FakeLLM(vision=True) as fake:
        seeing = await tried(sqlite_store, tmp_path, draft(fake, api_key=""))
    async with FakeLLM() as fake:
        blind = await tried(sqlite_store, tmp_path, draft(fake, api_key=""))
    said = [line.text for report in (seeing, blind) for line in report.lines if line.name == "sight"]
    assert said[0] == "It looks at pictures."
    assert said[1].startswith("It can't look at pictures")


async def test_the_live_test_speaks_chinese(sqlite_store: Store, tmp_path: Path, llm: FakeLLM):
    report = await tried(sqlite_store, tmp_path, draft(llm), "zh")
    assert all(any("\u4e00" <= char <= "\u9fff" for char in line.text) for line in report.lines)


async def test_a_server_that_is_not_there_is_said(sqlite_store: Store, tmp_path: Path, llm: FakeLLM):
    await llm.stop()
    report = await tried(sqlite_store, tmp_path, draft(llm))
    assert (report.ok, states(report)) == (False, {"reach": "error"})
    assert "can't be reached" in report.lines[0].text


async def test_a_wrong_key_is_said(sqlite_store: Store, tmp_path: Path, llm: FakeLLM):
    report = await tried(sqlite_store, tmp_path, draft(llm, api_key="wrong"))
    assert (report.ok, states(report)) == (False, {"reach": "error"})
    assert "does not accept the key" in report.lines[0].text


async def test_a_wrong_model_is_said_with_those_that_there_are(sqlite_store: Store, tmp_path: Path, llm: FakeLLM):
    report = await tried(sqlite_store, tmp_path, draft(llm, model="bigger"))
    line = next(line for line in report.lines if line.name == "models")
    assert (line.state, "it has big" in line.text) == ("warning", True)


async def test_a_window_that_is_entered_too_large_is_said(sqlite_store: Store, tmp_path: Path, llm: FakeLLM):
    report = await tried(sqlite_store, tmp_path, draft(llm, context_tokens=32768))
    assert states(report)["context"] == "warning"


async def test_a_window_that_nobody_tells_is_said(sqlite_store: Store, tmp_path: Path):
    async with FakeLLM(kind="openai") as fake:
        report = await tried(sqlite_store, tmp_path, draft(fake, api_key=""))
    assert states(report)["context"] == "warning"


async def test_a_server_that_fails_when_it_shall_answer_is_said(sqlite_store: Store, tmp_path: Path, llm: FakeLLM):
    await llm.behave("[fake:status=500]")
    report = await tried(sqlite_store, tmp_path, draft(llm))
    assert not report.ok
    assert states(report)["reply"] == "error"
    assert "answers with an error (HTTP 500" in report.lines[-1].text


async def test_a_server_that_is_out_of_order_is_not_called_away(sqlite_store: Store, tmp_path: Path, llm: FakeLLM):
    async def broken(_request: web.Request) -> web.Response:
        return web.json_response({"error": {"message": "no GPU is left"}}, status=503)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", broken)
    async with TestServer(app) as server:
        report = await tried(sqlite_store, tmp_path, replace(draft(llm), base_url=str(server.make_url("/v1"))))
    assert (report.ok, states(report)) == (False, {"reach": "error"})
    assert "answers with an error (HTTP 503: no GPU is left)" in report.lines[0].text


async def test_a_reply_that_comes_at_once_has_no_speed(
    sqlite_store: Store, tmp_path: Path, llm: FakeLLM, monkeypatch: pytest.MonkeyPatch
):
    # However slow this machine is just now.
    monkeypatch.setattr(trial, "_ENOUGH_SECONDS", 60.0)
    report = await tried(sqlite_store, tmp_path, draft(llm))
    assert report.lines[-1].text.endswith("the rest was over too soon to tell the speed.")


async def test_a_server_that_says_nothing_does_not_hold_the_test_up(
    sqlite_store: Store, tmp_path: Path, llm: FakeLLM, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(trial, "_REPLY_SECONDS", 0.2)
    monkeypatch.setattr(trial, "_SCHEMA_SECONDS", 0.2)
    await llm.behave("[fake:hang]")
    report = await tried(sqlite_store, tmp_path, draft(llm))
    assert (report.ok, states(report)["reply"]) == (False, "error")


async def test_a_slow_reply_is_judged_by_what_came_in_time(
    sqlite_store: Store, tmp_path: Path, llm: FakeLLM, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(trial, "_REPLY_SECONDS", 0.5)
    await llm.behave("[fake:stall=3][fake:when=answer]")
    report = await tried(sqlite_store, tmp_path, replace(draft(llm), model="big"))
    assert (report.ok, states(report)["reply"]) == (True, "ok")
