"""`kagentbot serve` as a process: what it prints, what it answers, how it ends, and what of it survives that."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.fakes.llm import FakeLLM
from tests.support.process import Kagentbot, is_one_sentence, serving, with_model

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = "How many days are there between 2024-02-28 and 2024-03-01?"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kagentbot]:
    """A server without any setting in an empty home."""
    async with serving(tmp_path_factory.mktemp("demo")) as bot:
        yield bot


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def llm() -> AsyncIterator[FakeLLM]:
    async with FakeLLM() as running:
        yield running


def outcomes(llm: FakeLLM, words: str) -> list[str]:
    """How the model's calls about these words ended."""
    return [call.outcome for call in llm.calls() if words in call.user]


# --- Without settings ------------------------------------------------------------------------------------------------


async def test_without_settings_it_says_where_it_is_what_answers_and_where_data_lies(demo: Kagentbot) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", demo.link)
    assert len(demo.lines) == 3
    assert "SmolLM2-135M-Instruct (demo)" in demo.lines[0]
    assert "OPENAI_BASE_URL" in demo.lines[0]
    assert str(demo.data / "kagentbot.db") in demo.lines[1]


async def test_its_data_is_for_its_user_only(demo: Kagentbot) -> None:
    assert demo.data.stat().st_mode & 0o077 == 0
    assert (demo.data / "kagentbot.db").stat().st_mode & 0o077 == 0


async def test_the_first_question_is_answered_by_the_tool(demo: Kagentbot) -> None:
    async with demo.client() as client:
        turn = await client.finished((await client.send(QUESTION))["turn_id"])
    assert turn["state"] == "answered"
    assert "2 days" in turn["text"]
    assert [step["tool"] for step in turn["steps"]] == ["time_delta"]
    assert turn["notes"] == []


async def test_every_offered_question_is_answered_by_a_tool(demo: Kagentbot) -> None:
    async with demo.client() as client:
        info = await client.call("GET", "/api/v1/info")
        offered = info["offered_questions"]
        assert [one["lang"] for one in offered] == ["en", "en", "zh", "zh"]
        sent = [await client.send(one["text"]) for one in offered]
        turns = [await client.finished(one["turn_id"]) for one in sent]
    assert [turn["state"] for turn in turns] == ["answered"] * 4
    assert [turn["lang"] for turn in turns] == ["en", "en", "zh", "zh"]
    assert all(len(turn["steps"]) == 1 for turn in turns)


async def test_chat_is_answered_by_the_embedded_model_with_a_note(demo: Kagentbot) -> None:
    async with demo.client() as client:
        turn = await client.finished((await client.send("What is the capital of France?"))["turn_id"])
    assert turn["state"] == "answered"
    assert turn["text"].strip()
    assert turn["steps"] == []
    assert turn["model"].startswith("SmolLM2-135M-Instruct")
    assert any("demo model" in note for note in turn["notes"])


async def test_it_is_alive_and_ready(demo: Kagentbot) -> None:
    async with demo.client() as client:
        assert await client.call("GET", "/healthz") == {"status": "ok"}
        assert (await client.call("GET", "/readyz"))["status"] in ("ok", "degraded")


# --- Its end ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_when_it_is_stopped_a_page_sees_its_answer_to_the_end(
    number: signal.Signals, llm: FakeLLM, tmp_path: Path
) -> None:
    async with serving(tmp_path, with_model(llm.base_url)) as bot, bot.client() as client:
        sent = await client.send("[fake:gap=0.05][fake:tokens=30] Hello")
        async with client.events(sent["conversation"]) as events:
            await events.until(lambda turn: turn["text"] != "")
            stopping = asyncio.create_task(bot.stop(number))
            turn = await events.until(lambda turn: turn["state"] == "answered")
            assert await stopping == 0
    assert len(turn["text"].split()) == 30
    assert any(line.startswith("Stopping") for line in bot.lines)


async def test_a_turn_that_takes_longer_than_the_grace_is_handed_over(llm: FakeLLM, tmp_path: Path) -> None:
    settings = with_model(llm.base_url, KAGENTBOT_LIMITS__GRACE="0.1")
    async with serving(tmp_path, settings) as bot:
        async with bot.client() as client:
            await llm.behave("[fake:stall=3]", times=1)
            sent = await client.send("Take your time")
            await client.turn_when(sent["turn_id"], lambda turn: turn["text"] != "")
        assert await bot.stop() == 0
        await bot.start()
        async with bot.client() as client:
            turn = await client.finished(sent["turn_id"])
        assert turn["state"] == "answered"
        # What was handed over in order counts as no attempt.
        assert "attempt 1," in (await bot.run("replay", str(sent["turn_id"]))).out
    assert outcomes(llm, "Take your time") == ["aborted", "finished"]


async def test_a_terminal_that_lacks_a_character_keeps_it_from_nothing(llm: FakeLLM, tmp_path: Path) -> None:
    settings = with_model(llm.base_url, KAGENTBOT_LIMITS__GRACE="0.1", PYTHONIOENCODING="ascii")
    async with serving(tmp_path, settings) as bot:
        async with bot.client() as client:
            sent = await client.send("[fake:stall=3] 你好")
            await client.turn_when(sent["turn_id"], lambda turn: turn["text"] != "")
        assert await bot.stop() == 0
        assert bot.lines[-1].startswith("Stopping")
        assert (await bot.run("replay", str(sent["turn_id"]))).err == (
            "The journal ends before step conclude: the turn is running.\n"
        )


async def test_when_nobody_reads_its_output_any_more_it_ends_in_order(llm: FakeLLM, tmp_path: Path) -> None:
    bot = Kagentbot(tmp_path, with_model(llm.base_url, KAGENTBOT_LIMITS__GRACE="0.1"))
    reader, writer = os.pipe()
    command = (sys.executable, "-m", "bot.cli", "serve")
    process = await asyncio.create_subprocess_exec(*command, stdout=writer, cwd=tmp_path, env=bot.environment())
    os.close(writer)
    with os.fdopen(reader) as out:
        lines = [await asyncio.to_thread(out.readline) for _ in range(3)]
    bot.link = lines[-1].split()[-1]
    async with bot.client() as client:
        sent = await client.send("[fake:stall=3] Hello")
        await client.turn_when(sent["turn_id"], lambda turn: turn["text"] != "")
    process.terminate()
    assert await process.wait() == 0


async def test_an_answer_that_was_killed_is_there_once(llm: FakeLLM, tmp_path: Path) -> None:
    async with serving(tmp_path, with_model(llm.base_url)) as bot:
        async with bot.client() as client:
            await llm.behave("[fake:stall=3]", times=1)
            sent = await client.send("Tell me")
            async with client.events(sent["conversation"]) as events:
                seen = await events.until(lambda turn: len(turn["text"].split()) == 3)
                await bot.kill()
        await bot.start()
        async with bot.client() as client, client.events(sent["conversation"]) as events:
            turn = await events.until(lambda turn: turn["state"] == "answered")
            page = await client.call("GET", f"/api/v1/conversations/{sent['conversation']}")
        audit = await bot.run("doctor", "--audit")
    assert [one["id"] for one in page["turns"]] == [sent["turn_id"]]
    assert page["turns"] == [turn]
    assert turn["id"] == seen["id"]
    assert len(turn["text"].split()) == 12
    assert outcomes(llm, "Tell me") == ["aborted", "finished"]
    assert audit == (0, "clean\n", "")


# --- Its port --------------------------------------------------------------------------------------------------------


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock.getsockname()[1]


def free_port() -> int:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


async def test_a_busy_port_gives_the_next_free_one(taken_port: int, llm: FakeLLM, tmp_path: Path) -> None:
    settings = with_model(llm.base_url, PORT=str(taken_port))
    async with serving(tmp_path, settings) as bot, bot.client() as client:
        assert taken_port < bot.port <= taken_port + 20
        assert (await client.call("GET", "/api/v1/info"))["name"] == "kagentbot"


async def test_the_port_may_be_chosen_by_variable_and_by_option(llm: FakeLLM, tmp_path: Path) -> None:
    first, second = free_port(), free_port()
    async with serving(tmp_path, with_model(llm.base_url, PORT=str(first))) as bot:
        assert bot.port == first
        await bot.stop()
        await bot.start("--port", str(second), LANG="zh_CN.UTF-8")
        assert bot.port == second
        assert bot.lines[-1] == f"kagentbot 已就绪：http://127.0.0.1:{second}/"


async def test_beyond_loopback_a_token_is_printed_and_demanded(llm: FakeLLM, tmp_path: Path) -> None:
    settings = with_model(llm.base_url, KAGENTBOT_SERVER__HOST="0.0.0.0")
    async with serving(tmp_path, settings) as bot:
        token, link = bot.token, bot.link
        assert len(token) >= 16
        async with bot.client(Authorization="") as stranger:
            status, refused = await stranger.ask("GET", "/api/v1/info")
            assert (status, refused["error"]["code"]) == (401, "token_needed")
            body = {"conversation": None, "message_id": "6e3f0f1e-0000-4000-8000-000000000001", "text": "Hello"}
            assert (await stranger.ask("POST", "/api/v1/messages", body))[0] == 401
        async with bot.client() as guest:
            assert (await guest.call("GET", "/api/v1/info"))["token_needed"]
        assert await bot.stop() == 0
        assert "token" in bot.lines[-1]
        assert token not in bot.log
        await bot.start()
        assert bot.link == link


# --- Settings and help -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("KAGENTBOT_SERVER__PROT", "80", "KAGENTBOT_SERVER__PORT"),
        ("KAGENTBOT_NONSENSE", "1", "KAGENTBOT_NONSENSE"),
        ("PORT", "eighty", "`server.port`"),
        ("DATABASE_URL", "mysql://localhost/x", "`database_url`"),
        ("OPENAI_BASE_URL", "localhost:8000", "`models.endpoint.base_url`"),
        ("KAGENTBOT_LIMITS__GRACE", "long", "`limits.grace`"),
    ],
)
async def test_a_wrong_setting_is_one_sentence_that_names_it(name: str, value: str, named: str, tmp_path: Path) -> None:
    bot = Kagentbot(tmp_path, {name: value})
    for lang, locale in (("en", "C.UTF-8"), ("zh", "zh_CN.UTF-8")):
        done = await bot.run("serve", LANG=locale)
        assert (done.status, done.out) == (2, "")
        assert named in done.err
        assert is_one_sentence(done.err.removesuffix("\n"), lang), done.err
    assert not bot.data.exists()


async def test_a_wrong_settings_file_is_one_sentence_that_names_it(tmp_path: Path) -> None:
    file = tmp_path / "kagentbot.toml"
    file.write_text("[server]\nport = 70000\n")
    done = await Kagentbot(tmp_path).run("--config", str(file), "serve")
    assert (done.status, done.out) == (2, "")
    assert "`server.port`" in done.err
    assert str(file) in done.err
    assert is_one_sentence(done.err.removesuffix("\n"), "en"), done.err


@pytest.mark.parametrize(
    ("name", "value", "lang"),
    [
        ("KAGENTBOT_SERVER__HOST", "203.0.113.7", "en"),
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none", "zh"),
        ("KAGENTBOT_DATA_DIR", "/proc/nothing/here", "zh"),
    ],
)
async def test_what_keeps_it_from_starting_is_one_sentence(name: str, value: str, lang: str, tmp_path: Path) -> None:
    locale = {"en": "C.UTF-8", "zh": "zh_CN.UTF-8"}[lang]
    done = await Kagentbot(tmp_path, {"PORT": "0", "LANG": locale, name: value}).run("serve")
    assert (done.status, done.out) == (3, "")
    assert is_one_sentence(done.err.removesuffix("\n"), lang), done.err


@pytest.mark.parametrize("command", ["", "serve", "chat", "migrate", "doctor", "replay", "version"])
async def test_every_command_explains_itself(command: str, tmp_path: Path) -> None:
    done = await Kagentbot(tmp_path).run(*command.split(), "--help")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("Usage: ")
    assert len(done.out.splitlines()) > 4
