"""`kagentbot replay TURN`: the same answer from the journal alone, with the server and the model gone."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio

from tests.fakes.llm import FakeLLM
from tests.support.process import Kagentbot, serving, with_model

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = "How many days are there between 2024-02-28 and 2024-03-01?"


class Journal(NamedTuple):
    """What a server has left, and its turns by what they are."""

    bot: Kagentbot
    turns: dict[str, int]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def journal(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Journal]:
    """A server's data, when neither it nor its model run any more."""
    turns: dict[str, int] = {}
    folder: Path = tmp_path_factory.mktemp("replay")
    async with FakeLLM() as llm:
        settings = with_model(llm.base_url, KAGENTBOT_PROFILE__STYLE="router", KAGENTBOT_LIMITS__GRACE="0")
        async with serving(folder, settings) as bot:
            async with bot.client() as client:

                async def ask(name: str, text: str, conversation: str | None = None) -> str:
                    sent = await client.send(text, conversation)
                    turns[name] = sent["turn_id"]
                    return sent["conversation"]

                async def finish(name: str, state: str) -> None:
                    assert (await client.finished(turns[name]))["state"] == state

                talk = await ask("tool", QUESTION)
                await finish("tool", "answered")
                await ask("chat", "Good morning", talk)
                await finish("chat", "answered")
                # What the database can't keep as it came.
                await llm.behave("[fake:say=one\r\ntwo\rthree \x00 four \ud800 \x1b[31mfive]", times=1)
                await ask("odd", "Something odd, please")
                await finish("odd", "answered")
                await llm.behave("[fake:status=500]", times=1)
                await ask("failed", "Will you fail?")
                await finish("failed", "failed")
                await ask("stopped", "[fake:stall=3] Write a little")
                await client.turn_when(turns["stopped"], lambda turn: turn["text"] != "")
                await client.call("POST", f"/api/v1/turns/{turns['stopped']}/stop")
                await finish("stopped", "stopped")
                await ask("recovered", "[fake:gap=0.02][fake:tokens=30] A long answer, please", talk)
                await client.turn_when(turns["recovered"], lambda turn: turn["text"] != "")
            await bot.kill()
            await bot.start()
            async with bot.client() as client:
                await finish("recovered", "answered")
                talk = await ask("hanging", "[fake:hang] Are you there?")
                await ask("waiting", "And are you?", talk)
                await llm.until(lambda calls: calls[-1].outcome == "open")
            assert await bot.stop() == 0
            yield Journal(bot, turns)


async def test_a_turn_with_a_tool_comes_out_the_same(journal: Journal) -> None:
    done = await journal.bot.run("replay", str(journal.turns["tool"]))
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert f"question: {QUESTION}" in lines
    step = next(n for n, line in enumerate(lines) if line.startswith("step act/0/0: time_delta {"))
    assert lines[step + 1].startswith("  ok: ")
    assert "**2 days**" in lines[lines.index("answer:") + 1]
    assert lines[-1] == "the same answer as was given"


async def test_a_turn_with_history_comes_out_the_same(journal: Journal) -> None:
    done = await journal.bot.run("replay", str(journal.turns["chat"]))
    assert (done.status, done.err) == (0, "")
    assert "history: 1 earlier exchanges\n" in done.out
    assert done.out.endswith("\nthe same answer as was given\n")


async def test_a_turn_that_was_recovered_after_a_kill_comes_out_the_same(journal: Journal) -> None:
    done = await journal.bot.run("replay", str(journal.turns["recovered"]))
    assert (done.status, done.err) == (0, "")
    assert f"turn {journal.turns['recovered']}: answered, attempt 2, " in done.out
    assert done.out.endswith("\nthe same answer as was given\n")


async def test_an_answer_with_odd_characters_comes_out_the_same(journal: Journal) -> None:
    done = await journal.bot.run("replay", str(journal.turns["odd"]))
    assert (done.status, done.err) == (0, "")
    assert done.out.endswith("\nthe same answer as was given\n")
    # Nothing that a terminal would obey.
    assert "\x1b" not in done.out


@pytest.mark.parametrize(("name", "state"), [("failed", "failed"), ("stopped", "stopped"), ("hanging", "running")])
async def test_of_a_turn_without_an_answer_it_says_how_far_it_came(journal: Journal, name: str, state: str) -> None:
    done = await journal.bot.run("replay", str(journal.turns[name]))
    assert done.status == 1
    assert done.err == f"The journal ends before step conclude: the turn is {state}.\n"


async def test_a_turns_state_is_said_in_the_language_of_the_reader(journal: Journal) -> None:
    answered, stopped = journal.turns["tool"], journal.turns["stopped"]
    assert f"轮次 {answered}：已回答，" in (await journal.bot.run("replay", str(answered), LANG="zh_CN.UTF-8")).out
    done = await journal.bot.run("replay", str(stopped), LANG="zh_CN.UTF-8")
    assert done.err == "日志在步骤 conclude 之前结束：该轮的状态是“已停止”。\n"


async def test_plans_that_a_model_wrote_come_out_the_same(tmp_path: Path) -> None:
    async with FakeLLM() as llm:
        settings = with_model(llm.base_url, KAGENTBOT_PROFILE__STYLE="auto")
        async with serving(tmp_path, settings) as bot:
            async with bot.client() as client:
                script = (
                    '[m:q] [fake:plan=calculator{"expression": "6 * 7"}] [fake:thought=Multiply.] [fake:say=It is 42.]'
                )
                sent = await client.send(f"{script} How much?")
                assert (await client.finished(sent["turn_id"]))["state"] == "answered"
            assert await bot.stop() == 0
    done = await bot.run("replay", str(sent["turn_id"]))
    assert (done.status, done.err) == (0, "")
    assert "step plan/0: plan\n  thought: Multiply.\nstep act/0/0: calculator" in done.out
    assert "step plan/1: plan\n" in done.out
    assert "  ends: The task is complete" in done.out
    assert done.out.endswith("\nthe same answer as was given\n")


async def test_a_context_that_another_version_froze_is_one_sentence(journal: Journal, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    shutil.copy(journal.bot.data / "kagentbot.db", copy)
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("UPDATE step SET result = '{}' WHERE key = 'context'")
        connection.commit()
    turn = journal.turns["tool"]
    done = await Kagentbot(tmp_path, {"DATABASE_URL": f"sqlite:///{copy}"}).run("replay", str(turn))
    sentence = f"The frozen context of turn {turn} can't be read, since another version of this program wrote it.\n"
    assert done == (1, "", sentence)


async def test_a_turn_that_never_ran_is_one_sentence(journal: Journal) -> None:
    done = await journal.bot.run("replay", str(journal.turns["waiting"]))
    assert (done.status, done.out) == (1, "")
    assert done.err == f"Turn {journal.turns['waiting']} (queued) never ran, so there is nothing to replay.\n"


async def test_a_turn_that_does_not_exist_is_one_sentence(journal: Journal) -> None:
    assert await journal.bot.run("replay", "4711") == (1, "", "There is no turn 4711.\n")
    assert await journal.bot.run("replay", "4711", LANG="zh_CN.UTF-8") == (1, "", "没有第 4711 轮对话。\n")


async def test_a_database_that_does_not_exist_is_one_sentence(tmp_path: Path) -> None:
    bot = Kagentbot(tmp_path)
    done = await bot.run("replay", "1")
    assert (done.status, done.out) == (1, "")
    assert len(done.err.splitlines()) == 1
    assert not bot.data.exists()


async def test_a_replay_writes_nothing(journal: Journal) -> None:
    before = (journal.bot.data / "kagentbot.db").read_bytes()
    assert (await journal.bot.run("replay", str(journal.turns["tool"]))).status == 0
    assert (journal.bot.data / "kagentbot.db").read_bytes() == before
