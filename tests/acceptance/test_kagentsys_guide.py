"""`kagentsys` as people type it: the commands of the guide, in a terminal, and beside a running server."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from functools import partial
from pathlib import Path

import pytest

from tests.fakes.llm import FakeLLM
from tests.support.process import ROOT, Done, Kagentbot, serving, with_model

#: As they stand in the guide.
FIRST = 'kagentsys --query="Who is Andy Lau\'s wife?" --llm_name="gpt-3.5-turbo" --lang="en"'
SECOND = (
    'kagentsys --query="Who is Andy Lau\'s wife?" --llm_name="kagentlms_qwen_7b_mat" '
    '--use_local_llm --local_llm_host="localhost" --local_llm_port=8888 --lang="en"'
)
#: Seconds for a command: a bound for a broken one, no measure.
PATIENCE = 60.0


@pytest.fixture
def bot(tmp_path: Path) -> Kagentbot:
    """A home in which `kagentsys` is a command."""
    scripts = tmp_path / "bin"
    scripts.mkdir()
    command = scripts / "kagentsys"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m adapters.terminal.kagentsys "$@"\n')
    command.chmod(0o700)
    return Kagentbot(tmp_path, {"PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"})


async def shell(bot: Kagentbot, line: str, **settings: str) -> Done:
    """A line as it is typed."""
    process = await asyncio.create_subprocess_shell(
        line, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, cwd=bot.home, env=bot.environment(**settings)
    )
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
    return Done(process.returncode or 0, out.decode(), err.decode())


async def typed_in_a_terminal(bot: Kagentbot, line: str, **settings: str) -> str:
    """All that a line shows on a terminal."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_shell(
        line, stdin=theirs, stdout=theirs, stderr=theirs, cwd=bot.home, env=bot.environment(TERM="xterm", **settings)
    )
    os.close(theirs)

    def read() -> bytes:
        shown = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:
                # Linux says so when the other side is closed.
                return shown
            if not piece:
                return shown
            shown += piece

    async with asyncio.timeout(PATIENCE):
        shown = await asyncio.to_thread(read)
        await process.wait()
    os.close(ours)
    return shown.decode()


async def test_the_first_command_of_the_guide_answers_without_a_key(bot: Kagentbot) -> None:
    done = await shell(bot, FIRST)
    assert done.status == 0, done.err
    assert done.err.startswith("No key and no endpoint is configured, so the embedded model answers")
    _, _, response = done.out.partition("Response: ")
    assert response.strip()


async def test_the_second_command_of_the_guide_asks_the_local_server(bot: Kagentbot) -> None:
    async with FakeLLM(model="kagentlms_qwen_7b_mat", kind="vllm") as llm:
        done = await shell(bot, SECOND.replace("8888", str(llm.port)))
        assert (done.status, done.err) == (0, "")
        assert "Response: " in done.out
        assert {call.model for call in llm.calls()} == {"kagentlms_qwen_7b_mat"}


async def test_ctrl_c_ends_the_call_of_the_model(bot: Kagentbot) -> None:
    async with FakeLLM() as llm:
        line = (
            f"exec kagentsys --query='[fake:hang] Hi' --use_local_llm --local_llm_port={llm.port} --llm_name=fake-model"
        )
        process = await asyncio.create_subprocess_shell(
            f"{line} --tool_names='[\"notool\"]'",
            stdin=DEVNULL, stdout=PIPE, stderr=PIPE, cwd=bot.home, env=bot.environment(),
            # Whoever runs the tests in the background ignores it, and what is ignored is inherited.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        await llm.until(lambda calls: bool(calls), timeout=PATIENCE)
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(PATIENCE):
            _, err = await process.communicate()
        assert (process.returncode, b"Traceback" in err) == (130, False), err.decode()
        assert [call.outcome for call in await llm.until(lambda calls: calls[-1].outcome != "open")] == ["aborted"]


async def test_a_terminal_gets_colours_and_no_color_takes_them_away(bot: Kagentbot) -> None:
    line = 'kagentsys --query="How many days are there between 2024-02-28 and 2024-03-01?"'
    async with asyncio.TaskGroup() as group:
        coloured = group.create_task(typed_in_a_terminal(bot, line))
        plain = group.create_task(typed_in_a_terminal(bot, line, NO_COLOR="1"))
    assert "\x1b[1;36mCall: \x1b[0m" in coloured.result()
    assert "\x1b" not in plain.result()
    assert "Call: time_delta" in plain.result()


async def test_it_continues_a_conversation_beside_a_running_server(bot: Kagentbot, tmp_path: Path) -> None:
    line = "kagentsys --query='[fake:say=I see.] {}' --id=mine --json"
    async with FakeLLM() as llm:
        settings = with_model(llm.base_url)
        async with serving(tmp_path / "server", settings) as server:
            beside = settings | {"KAGENTBOT_DATA_DIR": str(server.data)}
            await shell(bot, line.format("One"), **beside)
            done = await shell(bot, line.format("Two"), **beside)
            async with server.client() as client:
                listed = await client.call("GET", "/api/v1/conversations")
            assert await server.run("doctor", "--audit") == (0, "clean\n", "")
    assert [one["answer"] for one in json.loads(json.loads(done.out)["history"])] == ["I see.", "I see."]
    # It is none of the page's conversations.
    assert listed["conversations"] == []


def test_the_program_is_installed_under_its_name() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    assert 'kagentsys = "adapters.terminal.kagentsys:main"' in text
