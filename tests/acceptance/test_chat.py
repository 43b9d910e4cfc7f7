"""`kagentbot chat` as people use it: on a terminal and from a shell; a server that runs, goes away, or is its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import pytest_asyncio

from tests.fakes.llm import FakeLLM
from tests.support.process import Done, Kagentbot, is_one_sentence, serving, with_model
from tests.support.terminal import ALT_ENTER, CTRL_C, CTRL_D, ENTER, TAB, UP, Terminal, terminal

pytestmark = pytest.mark.asyncio(loop_scope="module")

_CHAT = (sys.executable, "-m", "bot.cli", "chat")
#: The fake stops after three words, so whatever is seen of them was seen while the turn ran.
STALLS = "[fake:stall=3]"
FIRST_WORDS = "the quick brown"
ANSWER = "the quick brown fox jumps over the lazy dog and runs home"
PROMPT = "\n>"
#: A tool that a person has to allow.
NOTES = '''
from agent.tools.custom import options

@options(name_zh="记笔记", writes=True)
def take_note(text: str) -> str:
    """Takes a note.

    Args:
        text: What to write down.

    Returns:
        That it is there.
    """
    return f"noted: {text}"
'''


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def llm() -> AsyncIterator[FakeLLM]:
    async with FakeLLM() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def bot(llm: FakeLLM, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kagentbot]:
    """A server that runs; its rules choose a tool, and the model answers all else."""
    folder = tmp_path_factory.mktemp("chat")
    (folder / "notes.py").write_text(NOTES)
    files = json.dumps([str(folder / "notes.py")])
    settings = with_model(llm.base_url, KAGENTBOT_PROFILE__STYLE="router", KAGENTBOT_TOOLS__FILES=files)
    async with serving(folder, settings) as running:
        yield running


@pytest.fixture
def alone(llm: FakeLLM, tmp_path: Path) -> Kagentbot:
    """Settings and a home, and no server."""
    return Kagentbot(tmp_path, with_model(llm.base_url))


def chatting(bot: Kagentbot, *arguments: str, **settings: str) -> AbstractAsyncContextManager[Terminal]:
    """The chat on a terminal."""
    return terminal((*_CHAT, *arguments), bot.environment(**settings), bot.home)


async def piped(bot: Kagentbot, question: str, *arguments: str) -> Done:
    """The chat with a pipe at its standard input and none of its ends on a terminal."""
    process = await asyncio.create_subprocess_exec(
        *_CHAT, *arguments, env=bot.environment(), cwd=bot.home,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate(question.encode())
    return Done(process.returncode or 0, out.decode(), err.decode())


async def titles(bot: Kagentbot) -> list[str]:
    """The conversations as the page lists them."""
    async with bot.client() as client:
        return [one["title"] for one in (await client.call("GET", "/api/v1/conversations"))["conversations"]]


async def newest(bot: Kagentbot) -> list[str]:
    """The states of the turns of the newest conversation."""
    async with bot.client() as client:
        key = (await client.call("GET", "/api/v1/conversations"))["conversations"][0]["key"]
        return [turn["state"] for turn in (await client.call("GET", f"/api/v1/conversations/{key}"))["turns"]]


def alive(pid: int) -> bool:
    """Whether this process runs; one that waits for its end to be read does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def own_server(bot: Kagentbot) -> int:
    """The process that the server's note names."""
    return int(json.loads((bot.data / "server.json").read_text())["pid"])


async def until_gone(pid: int) -> None:
    async with asyncio.timeout(30):
        while alive(pid):  # noqa: ASYNC110 - it is no child of ours
            await asyncio.sleep(0.02)


# --- At the prompt ---------------------------------------------------------------------------------------------------


async def test_an_answer_streams_and_ctrl_c_stops_the_turn_and_not_the_program(bot: Kagentbot, llm: FakeLLM) -> None:
    async with chatting(bot) as person:
        await person.until(f"Talking to the server that runs at {bot.url}", PROMPT)
        person.type(f"Never ends {STALLS}" + ENTER)
        await person.until(FIRST_WORDS, "Ctrl-C stops")
        person.type(CTRL_C)
        await person.until("Stopped.", PROMPT, after="Never ends")
        assert await newest(bot) == ["stopped"]
        await llm.until(lambda calls: any("Never ends" in c.user and c.outcome == "aborted" for c in calls))
        person.type("Does end" + ENTER)
        await person.until(ANSWER, PROMPT, after="Does end")
        assert await newest(bot) == ["stopped", "answered"]
        person.type(CTRL_D)
        assert await person.ended() == 0
    assert (await titles(bot))[0].startswith("Never ends")


async def test_new_begins_a_conversation_and_list_and_open_go_back(bot: Kagentbot) -> None:
    async with chatting(bot) as person:
        await person.until(PROMPT)
        person.type("First of two" + ENTER)
        await person.until(ANSWER, PROMPT, after="First of two")
        person.type("/new" + ENTER)
        await person.until("A new conversation.", PROMPT, after="/new")
        person.type("Second of two" + ENTER)
        await person.until(ANSWER, PROMPT, after="Second of two")
        assert (await titles(bot))[:2] == ["Second of two", "First of two"]
        person.type("/list of two" + ENTER)
        listed = await person.until("Second of two", "First of two", PROMPT, after="/list of two")
        assert listed.index("Second of two") < listed.index("First of two")
        person.type("/open 2" + ENTER)
        await person.until("Going on with “First of two”.", ANSWER, PROMPT, after="/open 2")
        person.type("Third" + ENTER)
        await person.until(ANSWER, PROMPT, after="Third")
    assert (await titles(bot))[0] == "First of two"


async def test_ctrl_c_twice_at_the_prompt_leaves(bot: Kagentbot) -> None:
    async with chatting(bot) as person:
        await person.until(PROMPT)
        person.type("half a line" + CTRL_C)
        await person.until("Ctrl-C once more leaves.", PROMPT, after="half a line")
        person.type(CTRL_C)
        assert await person.ended() == 0


async def test_an_answer_that_was_asked_for_elsewhere_is_watched_and_stopped_here(bot: Kagentbot) -> None:
    async with bot.client() as page:
        posted = await page.send(f"From the page {STALLS}")
        async with chatting(bot, "--conversation", "last") as person:
            await person.until("> From the page", FIRST_WORDS, "Writing · ")
            person.type(CTRL_C)
            await person.until("Stopped.", PROMPT, after="From the page")
            assert (await page.turn(posted["turn_id"]))["state"] == "stopped"
            again = await page.send(f"Once more {STALLS}", posted["conversation"])
            await page.turn_when(again["turn_id"], lambda turn: turn["state"] == "running")
            person.type("/stop" + ENTER)
            await person.until("Stopped.", PROMPT, after="/stop")
            assert (await page.finished(again["turn_id"]))["state"] == "stopped"


async def test_what_is_typed_while_a_command_runs_waits_for_the_prompt(bot: Kagentbot) -> None:
    async with chatting(bot) as person:
        await person.until(PROMPT)
        person.type("/list" + ENTER + "/new" + ENTER + CTRL_D)
        assert await person.ended() == 0
        assert "A new conversation." in person.text


async def test_a_second_ctrl_c_while_an_answer_stops_leaves(bot: Kagentbot) -> None:
    async with chatting(bot) as person:
        await person.until(PROMPT)
        person.type(f"Leave at once {STALLS}" + ENTER)
        await person.until(FIRST_WORDS, after="Leave at once")
        # A server that is held up can't stop the turn before the second one.
        os.kill(bot.pid, signal.SIGSTOP)
        try:
            person.type(CTRL_C)
            await person.until("Stopping", after="Leave at once")
            person.type(CTRL_C)
            assert await person.ended() == 0
        finally:
            os.kill(bot.pid, signal.SIGCONT)


async def test_several_lines_are_one_question_and_come_back_from_the_history(bot: Kagentbot) -> None:
    async with chatting(bot) as person:
        await person.until(PROMPT)
        person.type("line one\\" + ENTER + "line two" + ALT_ENTER + "line three" + ENTER)
        await person.until(ANSWER, PROMPT, after="line three")
    async with bot.client() as client:
        key = (await client.call("GET", "/api/v1/conversations"))["conversations"][0]["key"]
        turn = (await client.call("GET", f"/api/v1/conversations/{key}"))["turns"][0]
    assert turn["messages"][0]["text"] == "line one\nline two\nline three"
    assert (bot.data / "chat-history").stat().st_mode & 0o777 == 0o600
    async with chatting(bot) as person:
        await person.until(PROMPT)
        person.type(UP)
        await person.until("line one", "line two", "line three")


async def test_commands_complete_and_act_on_the_last_answer(bot: Kagentbot) -> None:
    async with chatting(bot) as person:
        await person.until(PROMPT)
        person.type("/go")
        await person.until("rate the last answer as good")
        person.type(TAB)
        await person.until("> /good")
        person.type(ENTER)
        await person.until("Nothing has been answered here yet", PROMPT, after="/good")
        person.type("To be rated" + ENTER)
        await person.until(ANSWER, PROMPT, after="To be rated")
        person.type("/good" + ENTER)
        await person.until("The rating is kept", PROMPT, after="To be rated")
        person.type("/steps" + ENTER)
        await person.until("Answer · ", "fake-model", PROMPT, after="/steps")
        person.type("/export" + ENTER)
        shown = await person.until("Written to ", ".md", PROMPT, after="/export")
        person.type("/retry" + ENTER)
        await person.until(ANSWER, PROMPT, after="Asking again: To be rated")
    written = list(bot.home.glob("kagentbot-*.md"))
    assert len(written) == 1
    assert written[0].name in shown.replace("\n", "")
    assert ANSWER in written[0].read_text()
    async with bot.client() as client:
        key = (await client.call("GET", "/api/v1/conversations"))["conversations"][0]["key"]
        turns = (await client.call("GET", f"/api/v1/conversations/{key}"))["turns"]
    assert [(turn["state"], turn["feedback"]) for turn in turns] == [("answered", 1), ("answered", 0)]


async def test_a_long_conversation_is_opened_at_its_end_which_is_said(bot: Kagentbot) -> None:
    async with bot.client() as client:
        sent = await client.send("The first of four")
        for question in ("The second", "The third", "The last"):
            await client.finished(sent["turn_id"])
            sent = await client.send(question, sent["conversation"])
        await client.finished(sent["turn_id"])
    async with chatting(bot, "--conversation", "last") as person:
        shown = await person.until("Going on with “The first of four”.", "> The last", ANSWER, PROMPT)
    assert "Earlier turns are on the page." in shown
    assert "> The second" in shown
    assert "> The first" not in shown


async def test_model_and_profile_hold_for_this_conversation(bot: Kagentbot) -> None:
    async with chatting(bot) as person:
        await person.until(PROMPT)
        person.type("/model" + ENTER)
        await person.until("fake-model", "Used here: the server's choice", PROMPT, after="/model")
        person.type("Be somebody" + ENTER)
        await person.until(ANSWER, PROMPT, after="Be somebody")
        person.type("/profile agent_name Ada" + ENTER)
        await person.until("it holds from the next question on", PROMPT, after="/profile")
        person.type("/profile" + ENTER)
        rows = await person.until("max_iter_num", PROMPT, after="next question on")
        row = next(line for line in rows.splitlines() if line.startswith("agent_name"))
        assert row.split() == ["agent_name", "Ada", "this", "conversation"]
        person.type("/profile max_iter_num lots" + ENTER)
        await person.until("max_iter_num", PROMPT, after="/profile max_iter_num lots")
    async with bot.client() as client:
        key = (await client.call("GET", "/api/v1/conversations"))["conversations"][0]["key"]
        saved = await client.call("GET", f"/api/v1/profile/channel?conversation={key}")
    assert saved["values"] == {"agent_name": "Ada"}


@pytest.mark.parametrize(("key", "said", "runs"), [("y", "Allowed.", True), ("n", "Not allowed.", False)])
async def test_a_step_that_needs_permission_asks_for_it(bot: Kagentbot, key: str, said: str, runs: bool) -> None:
    async with chatting(bot) as person:
        await person.until(PROMPT)
        person.type("Anything" + ENTER)
        await person.until(ANSWER, PROMPT, after="Anything")
        person.type("/profile style kuaiagent" + ENTER)
        await person.until("it holds from the next question on", PROMPT, after="/profile")
        person.type('Note it [fake:plan=take_note{"text": "milk"}]' + ENTER)
        await person.until("Your permission is needed:", "take_note", "Allow it? [y/N]", after="Note it")
        person.type(key + ENTER)
        shown = await person.until(said, ANSWER, "fake-model", PROMPT, after="Allow it?")
    assert ("noted: milk" in shown) is runs


async def test_steps_and_everything_else_are_in_chinese_where_the_terminal_is(bot: Kagentbot) -> None:
    async with chatting(bot, LANG="zh_CN.UTF-8") as person:
        await person.until("已连接到正在运行的服务", "Enter 发送", PROMPT)
        person.type("2024年2月28日到2024年3月1日相隔多少天？" + ENTER)
        await person.until("✓ 计算两个日期之间的时间", "2 天", "1 个步骤", PROMPT, after="相隔多少天")
        person.type("/帮助" + ENTER)
        await person.until("没有命令 /帮助", PROMPT, after="/帮助\n")
        person.type("/help" + ENTER)
        await person.until("开始新对话", "按键：", PROMPT, after="/help\n")


async def test_what_a_terminal_would_obey_is_not_passed_on(bot: Kagentbot, llm: FakeLLM) -> None:
    await llm.behave("[fake:say=\x1b[2J\x1b[31mred \x9d0;owned\x07 &#x202e;done]", times=1)
    async with chatting(bot) as person:
        await person.until(PROMPT)
        person.type("Colours please" + ENTER)
        await person.until("red", "done", "fake-model", PROMPT, after="Colours please")
        assert b"\x1b[2J" not in person.raw
        assert b"owned" not in person.raw.replace(b"\x1b[0m", b"") or b"\xc2\x9d" not in person.raw
        assert "\u202e".encode() not in person.raw


# --- From a shell ----------------------------------------------------------------------------------------------------


async def test_one_question_prints_its_answer_and_nothing_else(bot: Kagentbot) -> None:
    done = await bot.run("chat", "One", "question")
    assert (done.status, done.err) == (0, f"Talking to the server that runs at {bot.url}.\n")
    # Below it is what the agent notes about it.
    assert done.out.startswith(f"{ANSWER}\n\n")
    assert "\x1b" not in done.out
    assert (await titles(bot))[0] == "One question"


async def test_a_question_may_come_from_a_pipe_and_go_on_with_the_last_conversation(bot: Kagentbot) -> None:
    first = await piped(bot, "From a pipe\n")
    second = await piped(bot, "the notes", "--conversation", "last", "Summarise:", "-")
    assert (first.status, second.status) == (0, 0)
    assert first.out.startswith(ANSWER)
    async with bot.client() as client:
        key = (await client.call("GET", "/api/v1/conversations"))["conversations"][0]["key"]
        turns = (await client.call("GET", f"/api/v1/conversations/{key}"))["turns"]
    assert [turn["messages"][0]["text"] for turn in turns] == ["From a pipe", "Summarise: \nthe notes"]


async def test_the_outcome_as_json_tells_all_that_a_program_needs(bot: Kagentbot) -> None:
    done = await bot.run("chat", "--json", "How many days are there between 2024-02-28 and 2024-03-01?")
    found = json.loads(done.out)
    assert (done.status, found["state"]) == (0, "answered")
    assert "2 days" in found["text"]
    assert [(step["tool"], step["state"]) for step in found["steps"]] == [("time_delta", "done")]
    async with bot.client() as client:
        turn = await client.turn(found["turn_id"])
    assert turn["conversation"] == found["conversation"]


async def test_without_an_answer_the_status_is_1_and_the_reason_is_on_standard_error(
    bot: Kagentbot, llm: FakeLLM
) -> None:
    done = await bot.run("chat", "Nobody answers [fake:status=401]")
    assert (done.status, done.out) == (1, "")
    assert is_one_sentence(done.err.splitlines()[-1].replace("127.0.0.1", "").replace("models.endpoint.", ""), "en")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--url", "ftp://x", "Hello"), "--url"),
        (("--url", "http://127.0.0.1:1/#token=secret-secret", "Hello"), "KAGENTBOT_SERVER__TOKEN"),
        (("--url", "http://127.0.0.1:1", "Hello"), "http://127.0.0.1:1"),
        (("--conversation", "f" * 32, "Hello"), "`last` means the newest one"),
        (("--conversation", "nowhere", "Hello"), "no conversation nowhere: a key is the last part"),
        (("--conversation", "../info", "Hello"), "no conversation ../info: a key is the last part"),
        (("--conversation", "f" * 32 + "?limit=2", "Hello"), "a key is the last part"),
        (("--json",), "question"),
    ],
)
async def test_what_is_wrong_is_one_sentence_and_no_answer(
    bot: Kagentbot, arguments: tuple[str, ...], named: str
) -> None:
    done = await bot.run("chat", *arguments)
    assert done.status in (1, 2)
    assert done.out == ""
    assert named in done.err
    assert "secret-secret" not in done.err
    assert "Traceback" not in done.err


# --- A server that goes away, and one of its own ---------------------------------------------------------------------


async def test_a_server_that_is_killed_in_mid_answer_is_found_again_and_the_answer_shown_once(
    alone: Kagentbot, llm: FakeLLM
) -> None:
    async with alone as bot:
        await bot.start()
        async with chatting(bot) as person:
            await person.until(PROMPT)
            await llm.behave(STALLS, times=1)
            person.type("Survive this" + ENTER)
            await person.until(FIRST_WORDS, after="Survive this")
            await bot.kill()
            await person.until("The server has gone away.", after="Survive this")
            await bot.start()
            shown = await person.until(ANSWER, "fake-model", PROMPT, after="Survive this")
            assert shown.count("The server has gone away.") == 1
            assert shown.count("Connected again.") == 1
            assert shown.count(FIRST_WORDS) == 1
            person.type(CTRL_D)
            assert await person.ended() == 0
        assert await newest(bot) == ["answered"]


async def test_without_a_server_it_starts_one_that_ends_with_it(alone: Kagentbot) -> None:
    done = await alone.run("chat", "Anybody there?")
    assert (done.status, done.out) == (0, f"{ANSWER}\n")
    log = alone.data / "chat-server.log"
    assert f"Its log: {log}\n" in done.err
    assert log.stat().st_mode & 0o777 == 0o600
    assert not (alone.data / "server.json").exists()


async def test_its_own_server_is_replaced_when_it_dies_and_ends_when_the_window_is_closed(
    alone: Kagentbot, llm: FakeLLM
) -> None:
    async with chatting(alone) as person:
        await person.until("Started a server for this chat", PROMPT)
        await llm.behave(STALLS, times=1)
        person.type("Once more" + ENTER)
        await person.until(FIRST_WORDS, after="Once more")
        first = own_server(alone)
        os.kill(first, signal.SIGKILL)
        shown = await person.until(ANSWER, "fake-model", PROMPT, after="Once more")
        assert shown.count(FIRST_WORDS) == 1
        second = own_server(alone)
        assert second != first
        person.hang_up()
        await person.ended()
        await until_gone(second)
    assert not (alone.data / "server.json").exists()


async def test_its_own_server_ends_when_the_chat_is_killed(alone: Kagentbot) -> None:
    async with chatting(alone) as person:
        await person.until(PROMPT)
        server = own_server(alone)
        os.kill(person.pid, signal.SIGKILL)
        await person.ended()
        await until_gone(server)


async def test_a_server_that_cannot_start_is_told_with_its_reason_and_its_log(alone: Kagentbot) -> None:
    alone.data.mkdir(parents=True)
    (alone.data / "kagentbot.db").write_bytes(b"no database" * 100)
    done = await alone.run("chat", "Hello?")
    assert (done.status, done.out) == (1, "")
    assert str(alone.data / "chat-server.log") in done.err
    assert "Traceback" not in done.err
