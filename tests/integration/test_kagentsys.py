"""`kagentsys` as a function of its command line: what it asks which model, what it gives back, what it keeps."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.terminal.kagentsys import main
from agent.llm.chat import ChatMessage
from agent.llm.tokens import estimate_messages
from bot.doctor import audit
from bot.replay import run_replay
from bot.settings import load
from tests.fakes.llm import FakeLLM
from tests.support.process import is_one_sentence

DAYS = "How many days are there between 2024-02-28 and 2024-03-01?"


class Done(NamedTuple):
    """How a call ended."""

    status: int
    out: str
    err: str

    @property
    def result(self) -> dict[str, Any]:
        """What `--json` printed."""
        found: dict[str, Any] = json.loads(self.out)
        return found


Run = Callable[..., Awaitable[Done]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`kagentsys` with these arguments in an empty home."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_TYPE", "OPENAI_API_BASE", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.chdir(tmp_path)

    async def call(*arguments: str) -> Done:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            await asyncio.to_thread(main, arguments)
        out, err = capsys.readouterr()
        return Done(int(str(ended.value.code)), out, err)

    return call


@pytest.fixture
async def llm(monkeypatch: pytest.MonkeyPatch, run: Run) -> AsyncIterator[FakeLLM]:
    """A model server that the settings name."""
    async with FakeLLM(model="fake-model") as running:
        monkeypatch.setenv("OPENAI_BASE_URL", running.base_url)
        yield running


def databases_in(folder: Path) -> list[Path]:
    return list(folder.rglob("*.db"))


class Recorder:
    """A model server that keeps what it was asked, and answers "Yes."."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], dict[str, Any]]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.path_qs, dict(request.headers), await request.json()))
        choice = {"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}
        return web.json_response({"object": "chat.completion", "model": "m", "choices": [choice]})

    def prompt(self) -> list[ChatMessage]:
        """The messages of the last call."""
        return [ChatMessage(one["role"], one["content"]) for one in self.asked[-1][2]["messages"]]


@asynccontextmanager
async def recording() -> AsyncIterator[tuple[Recorder, int]]:
    """The recorder and its port."""
    recorder = Recorder()
    app = web.Application()
    app.router.add_post("/{rest:.*}", recorder.answer)
    async with TestServer(app, host="127.0.0.1") as server:
        assert server.port is not None
        yield recorder, server.port


# --- What it gives back


async def test_the_result_has_the_keys_of_kagentsys(run: Run, llm: FakeLLM) -> None:
    result = (await run("--query", "[fake:say=Hello there.] Hi", "--tool_names", '["notool"]', "--json")).result
    assert list(result) == ["id", "response", "history", "chain_msg", "chain_msg_str", "more_info"]
    assert (result["id"], result["response"]) == ("test", "Hello there.")
    assert json.loads(result["history"]) == [{"query": "[fake:say=Hello there.] Hi", "answer": "Hello there."}]
    assert [set(one) for one in result["chain_msg"]] == [
        {"index", "action", "text", "short_text", "finish_time"}
    ] * len(result["chain_msg"])
    assert [one["action"] for one in result["chain_msg"]][-2:] == ["conclusion", "chain_end"]
    assert result["chain_msg_str"].endswith("Response: Hello there.\n")
    assert result["more_info"]["model"] == "fake-model"


async def test_json_is_nothing_that_a_terminal_would_obey(run: Run, llm: FakeLLM) -> None:
    said = "\x9b2J and \u202eback"
    done = await run("--query", f"Hi [fake:say={said}]", "--tool_names", '["notool"]', "--json")
    assert not set(done.out) & {"\x9b", "\u202e"}
    assert said in json.loads(done.out)["response"]


async def test_with_json_nothing_else_is_printed(run: Run, llm: FakeLLM) -> None:
    done = await run("--query", "Hi", "--json")
    assert (done.status, done.err) == (0, "")
    assert isinstance(done.result, dict)


async def test_an_error_is_a_result_and_a_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    for lang in ("en", "zh"):
        done = await run("--query", "Hi", "--json", "--id", "mine", "--lang", lang)
        assert done.status == 1
        assert done.result == {"id": "mine", "response": "error"}
        assert is_one_sentence(done.err.removesuffix("\n"), lang), done.err


async def test_steps_and_response_are_printed_without_colour_where_there_is_no_terminal(run: Run, llm: FakeLLM) -> None:
    done = await run("--query", "[fake:say=Hello there.] Hi", "--tool_names", '["notool"]')
    assert done == Done(0, "Response: Hello there.\n", "")


async def test_nothing_that_a_terminal_would_obey_is_printed(run: Run, llm: FakeLLM) -> None:
    done = await run("--query", "[fake:say=a\x1b[31mb\x07c] Hi", "--tool_names", '["notool"]')
    assert "\x1b" not in done.out
    assert "abc" in done.out


# --- History


async def test_the_last_three_exchanges_go_into_the_prompt(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    history = json.dumps([{"query": f"q{n}", "answer": f"a{n}"} for n in range(5)])
    async with recording() as (recorder, port):
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{port}/v1")
        monkeypatch.setenv("OPENAI_MODEL", "m")
        done = await run("--query", "Hi", "--history", history, "--tool_names", '["notool"]', "--json")
    text = " ".join(message.content for message in recorder.prompt())
    assert [n for n in range(5) if f"a{n}" in text] == [2, 3, 4]
    assert len(json.loads(done.result["history"])) == 6


async def test_the_history_of_a_result_can_be_passed_on(run: Run, llm: FakeLLM) -> None:
    first = (await run("--query", "One", "--json")).result
    second = (await run("--query", "Two", "--history", first["history"], "--json")).result
    assert [one["query"] for one in json.loads(second["history"])] == ["One", "Two"]


async def test_without_an_id_nothing_is_continued_and_nothing_is_kept(run: Run, llm: FakeLLM, tmp_path: Path) -> None:
    await run("--query", "One", "--json")
    result = (await run("--query", "Two", "--json")).result
    assert [one["query"] for one in json.loads(result["history"])] == ["Two"]
    assert databases_in(tmp_path) == []


async def test_with_an_id_the_conversation_goes_on(run: Run, llm: FakeLLM, tmp_path: Path) -> None:
    await run("--query", "One", "--id", "mine", "--json")
    await run("--query", "Other", "--id", "another", "--json")
    result = (await run("--query", "Two", "--id", "mine", "--json")).result
    assert [one["query"] for one in json.loads(result["history"])] == ["One", "Two"]
    assert await audit(f"sqlite:///{tmp_path}/.local/share/kagentbot/kagentbot.db") == []


async def test_a_given_history_replaces_the_kept_one_for_that_call(run: Run, llm: FakeLLM) -> None:
    await run("--query", "One", "--id", "mine", "--json")
    instead = '[{"query": "Zero", "answer": "0"}]'
    second = (await run("--query", "Two", "--id", "mine", "--history", instead, "--json")).result
    assert [one["query"] for one in json.loads(second["history"])] == ["Zero", "Two"]
    third = (await run("--query", "Three", "--id", "mine", "--json")).result
    assert [one["query"] for one in json.loads(third["history"])] == ["One", "Two", "Three"]


async def test_an_answer_that_failed_is_not_kept(run: Run, llm: FakeLLM) -> None:
    await run("--query", "[fake:status=500] One", "--id", "mine", "--json")
    result = (await run("--query", "Two", "--id", "mine", "--json")).result
    assert [one["query"] for one in json.loads(result["history"])] == ["Two"]


async def test_the_steps_of_a_kept_answer_are_kept(run: Run, tmp_path: Path, database_url: str) -> None:
    from sqlalchemy import select

    from bot.store.db import open_store
    from bot.store.tables import step

    # The demo model's rules plan this one.
    (tmp_path / ".env").write_text(f"DATABASE_URL={database_url}\n")
    assert (await run("--query", DAYS, "--id", "mine", "--json")).status == 0
    store = open_store(database_url)
    try:
        rows = await store.read(lambda c: c.execute(select(step.c.key, step.c.state).order_by(step.c.id)).all())
    finally:
        await store.close()
    assert ("act/0/0", "done") in [tuple(row) for row in rows]
    assert await audit(database_url) == []


async def test_a_kept_answer_can_be_replayed_with_the_profile_that_it_had(
    run: Run, llm: FakeLLM, capsys: pytest.CaptureFixture[str]
) -> None:
    await run("--query", "One", "--id", "mine", "--agent_name", "Ada")
    await run("--query", PLANNED, "--id", "mine", "--agent_name", "Ada", "--max_iter_num", "3")
    capsys.readouterr()
    assert await run_replay(load(), 2) == 0
    told = capsys.readouterr().out
    assert "act/0/0" in told
    assert "Two days." in told


# --- Which model


async def test_without_a_key_and_an_endpoint_it_says_that_the_embedded_model_answers(run: Run) -> None:
    done = await run("--query", DAYS)
    assert done.status == 0
    assert "the embedded model answers (SmolLM2-135M-Instruct (demo))" in done.err
    assert done.out.startswith('Call: time_delta {"start_time": "2024-02-28", "end_time": "2024-03-01"}\nObservation: ')
    assert "Response: **2 days**" in done.out


async def test_a_local_server_is_asked_by_host_port_and_lower_cased_name(run: Run) -> None:
    async with FakeLLM(model="my-model") as llm:
        arguments = ("--use_local_llm", "--local_llm_host=127.0.0.1", f"--local_llm_port={llm.port}")
        assert (await run("--query", "Hi", "--llm_name", "My-Model", *arguments)).status == 0
        assert {call.model for call in llm.calls()} == {"my-model"}


async def test_a_key_is_not_sent_to_a_local_server(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-mine")
    async with recording() as (recorder, port):
        await run("--query", "Hi", "--llm_name=m", "--use_local_llm", f"--local_llm_port={port}")
    assert recorder.asked
    assert "sk-mine" not in str(recorder.asked)


async def test_a_local_server_that_is_away_is_a_sentence_with_the_options(run: Run) -> None:
    done = await run("--query", "Hi", "--use_local_llm", "--local_llm_port=9")
    assert done.status == 1
    assert done.err == (
        "No model server answers at localhost:9: start it, or say where it is with --local_llm_host and "
        "--local_llm_port.\n"
    )


async def test_a_local_server_that_wants_a_key_is_a_sentence_with_the_way_to_give_one(run: Run) -> None:
    async with FakeLLM(api_key="sk-theirs") as llm:
        done = await run("--query", "Hi", "--use_local_llm", f"--local_llm_port={llm.port}")
    assert done.status == 1
    assert "--use_local_llm sends none" in done.err
    assert "OPENAI_API_KEY" in done.err


async def test_a_model_that_the_server_does_not_have_is_a_sentence_with_the_option(run: Run, llm: FakeLLM) -> None:
    await llm.behave("[fake:status=404]")
    done = await run("--query", "Hi", "--llm_name=nothing")
    assert done.status == 1
    assert "(HTTP 404: " in done.err
    assert "check --llm_name" in done.err


async def test_what_went_wrong_is_said_once(run: Run, llm: FakeLLM) -> None:
    await llm.behave("[fake:status=500]")
    done = await run("--query", "Hi")
    assert (done.status, done.out) == (1, "Thinking…\n")
    assert is_one_sentence(done.err.rstrip(), "en")


async def test_azure_is_asked_in_its_own_form(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async with recording() as (recorder, port):
        monkeypatch.setenv("OPENAI_API_TYPE", "azure")
        monkeypatch.setenv("OPENAI_API_KEY", "azure-key")
        monkeypatch.setenv("OPENAI_API_BASE", f"http://127.0.0.1:{port}/")
        monkeypatch.setenv("OPENAI_API_VERSION", "2024-06-01")
        done = await run("--query", "Hi", "--llm_name", "my-deployment")
    assert done.status == 0, done.err
    path, headers, _ = recorder.asked[-1]
    assert path == "/openai/deployments/my-deployment/chat/completions?api-version=2024-06-01"
    assert (headers["api-key"], "Authorization" in headers) == ("azure-key", False)


async def test_azure_without_its_variables_says_which_are_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_TYPE", "azure")
    monkeypatch.setenv("OPENAI_API_KEY", "azure-key")
    done = await run("--query", "Hi")
    assert (done.status, done.out) == (2, "")
    assert "OPENAI_API_BASE, OPENAI_API_VERSION must be set" in done.err


# --- Its options


async def test_the_prompt_has_at_most_so_many_tokens(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    history = json.dumps([{"query": f"q{n}", "answer": "word " * 500} for n in range(3)])
    async with recording() as (recorder, port):
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{port}/v1")
        monkeypatch.setenv("OPENAI_MODEL", "m")
        await run("--query", "Hi", "--history", history, "--tool_names", '["notool"]', "--max_tokens_num", "1500")
        short = estimate_messages(recorder.prompt())
        await run("--query", "Hi", "--history", history, "--tool_names", '["notool"]')
        whole = estimate_messages(recorder.prompt())
    assert 600 < short <= 1500 < whole


PLANNED = (
    '[m:1] [fake:plan=time_delta{"start_time": "2024-02-28", "end_time": "2024-03-01"}] [fake:say=Two days.] How long?'
)


async def test_plans_calls_observations_and_the_response_are_told(run: Run, llm: FakeLLM) -> None:
    done = await run("--query", PLANNED, "--json", "--max_iter_num", "3")
    assert [one["action"] for one in done.result["chain_msg"]] == [
        "thinking", "thought", "execute", "observation", "thinking", "thought", "finish", "conclusion", "chain_end",
    ]  # fmt: skip
    assert done.result["response"] == "[m:1] Two days."


async def test_tools_may_be_named_in_chinese(run: Run, llm: FakeLLM) -> None:
    named = await run("--query", PLANNED, "--tool_names", '["时间差工具", "task_complete"]')
    assert "Call: time_delta" in named.out
    without = await run("--query", PLANNED, "--tool_names", '["日历查询"]')
    assert "Call: time_delta" not in without.out


async def test_external_knowledge_is_taken_and_said_to_be_ignored(run: Run, llm: FakeLLM) -> None:
    done = await run("--query", "Hi", "--external_knowledge", "https://example.com/")
    assert (done.status, done.err) == (0, "--external_knowledge is taken for compatibility's sake and not read.\n")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), "--query is missing"),
        (("--query", " "), "--query is missing"),
        (("--query", "x", "--history", "nothing"), "--history must be"),
        (("--query", "x", "--history", '[{"query": 1, "answer": ""}]'), "--history must be"),
        (("--query", "x", "--tool_names", "auto"), "--tool_names must be"),
        (("--query", "x", "--tool_names", '["weathr"]'), "(weathr): choose from"),
        (("--query", "x", "--id", ""), "--id must have"),
        (("--query", "x", "--lang", "fr"), "'--lang'"),
        (("--query", "x", "--max_iter_num", "many"), "'--max_iter_num'"),
        (("--query", "x", "--nonsense"), "--nonsense"),
        (("--query", "x", "--use_local_llm", "--local_llm_host", "a b"), "--local_llm_host must be"),
    ],
)
async def test_a_wrong_option_is_one_sentence(run: Run, arguments: tuple[str, ...], named: str) -> None:
    done = await run(*arguments)
    assert (done.status, done.out) == (2, "")
    assert named in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "id_"),
    [
        (("--lang=fr", "--json", "--id", "mine"), "mine"),
        (("--id=mine", "--nonsense", "--json"), "mine"),
        (("--json", "--id"), "test"),
    ],
    ids=["a value", "an option", "a value that is missing"],
)
async def test_with_json_a_wrong_option_is_a_result_and_a_sentence(
    run: Run, arguments: tuple[str, ...], id_: str
) -> None:
    done = await run("--query", "x", *arguments)
    assert (done.status, done.result) == (2, {"id": id_, "response": "error"})
    assert is_one_sentence(done.err.removesuffix("\n"), "en"), done.err


@pytest.mark.parametrize(
    ("names", "planned"),
    [('["web_search"]', False), ('["网页搜索", "get_weather_info"]', False), ('["time_delta", "Search"]', True)],
)
async def test_a_tool_of_kagentsys_that_is_not_here_yet_is_a_warning_and_done_without(
    run: Run, llm: FakeLLM, names: str, planned: bool
) -> None:
    done = await run("--query", PLANNED, "--tool_names", names)
    assert done.status == 0
    assert "not in this version" in done.err
    assert done.err.count("\n") == 1
    assert ("Call: time_delta" in done.out) is planned


async def test_beside_a_tool_that_is_not_here_yet_an_unknown_name_is_still_an_error(run: Run) -> None:
    done = await run("--query", "x", "--tool_names", '["web_search", "weathr"]')
    assert (done.status, done.out) == (2, "")
    assert "(weathr): choose from" in done.err


async def test_every_option_of_the_guide_is_explained_with_its_default(run: Run) -> None:
    done = await run("--help")
    assert done.status == 0
    text = re.sub(r"\s+", " ", done.out)
    for option, default in {
        "--id": "test",
        "--query": "",
        "--history": "[]",
        "--llm_name": "gpt-3.5-turbo",
        "--use_local_llm": "",
        "--local_llm_host": "localhost",
        "--local_llm_port": "8888",
        "--tool_names": '["auto"]',
        "--max_iter_num": "1;",
        "--agent_name": "",
        "--agent_bio": "",
        "--agent_instructions": "",
        "--external_knowledge": "",
        "--lang": "en",
        "--max_tokens_num": "4096;",
    }.items():
        explained = text.partition(f" {option} ")[2].partition(" --")[0]
        assert explained, option
        assert not default or f"[default: {default}" in explained, option
