"""A server's life as others see it: the note that it leaves beside its data, the Procfile, and an end in a hurry."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, STDOUT
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import ClientSession

from tests.fakes.llm import FakeLLM
from tests.support.process import ROOT, Kagentbot, serving, with_model

#: Seconds for things that don't happen by themselves: bounds for a broken server, no measure.
PATIENCE = 60.0


async def test_a_server_says_beside_its_data_where_it_is_reached(tmp_path: Path) -> None:
    async with FakeLLM() as llm, serving(tmp_path, with_model(llm.base_url)) as bot:
        file = bot.data / "server.json"
        note = json.loads(file.read_text())
        assert (note["url"], note["pid"]) == (bot.url, bot.pid)
        assert timedelta() <= datetime.now(UTC) - datetime.fromisoformat(note["started_at"]) < timedelta(minutes=2)
        assert file.stat().st_mode & 0o777 == 0o600
        assert await bot.stop() == 0
        assert not file.exists()


async def test_the_note_of_a_server_that_was_killed_gives_way_to_the_next_ones(tmp_path: Path) -> None:
    async with FakeLLM() as llm, serving(tmp_path, with_model(llm.base_url)) as bot:
        await bot.kill()
        file = bot.data / "server.json"
        assert file.exists()
        await bot.start()
        assert json.loads(file.read_text())["pid"] == bot.pid


async def test_the_token_is_not_in_the_note(tmp_path: Path) -> None:
    settings = {"KAGENTBOT_SERVER__TOKEN": "a-token-to-keep"}
    async with FakeLLM() as llm, serving(tmp_path, with_model(llm.base_url, **settings)) as bot:
        assert bot.token == "a-token-to-keep"
        assert "a-token-to-keep" not in (bot.data / "server.json").read_text()


async def test_a_second_ctrl_c_ends_the_grace_and_the_turn_goes_on_later(tmp_path: Path) -> None:
    async with FakeLLM() as llm:
        settings = with_model(llm.base_url, KAGENTBOT_LIMITS__GRACE="600")
        async with serving(tmp_path, settings) as bot:
            await llm.behave("[fake:stall=3]", times=1)
            async with bot.client() as client:
                sent = await client.send("Take your time")
                await client.turn_when(sent["turn_id"], lambda turn: turn["text"] != "")
            os.kill(bot.pid, signal.SIGINT)
            async with asyncio.timeout(PATIENCE):
                while not bot.lines[-1].startswith("Stopping"):  # noqa: ASYNC110 - another process prints it
                    await asyncio.sleep(0.02)
            # Ten minutes of grace are left; a test that waited for them would end by its time limit.
            assert await bot.stop(signal.SIGINT) == 0
            await bot.start()
            async with bot.client() as client:
                assert (await client.finished(sent["turn_id"]))["state"] == "answered"


async def honcho(bot: Kagentbot, process: str, **settings: str) -> asyncio.subprocess.Process:
    """honcho with one process of our Procfile."""
    scripts = str(Path(sys.executable).parent)
    environment = bot.environment(PYTHONUNBUFFERED="1", **settings)
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "honcho", "--app-root", str(ROOT), "--env", os.devnull, "start", process),
        stdout=PIPE, stderr=STDOUT, cwd=bot.home,
        env=environment | {"PATH": os.pathsep.join([scripts, environment["PATH"]])},
    )  # fmt: skip


async def test_honcho_runs_the_procfile(tmp_path: Path) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    async with FakeLLM() as llm:
        bot = Kagentbot(tmp_path, with_model(llm.base_url))
        async with asyncio.timeout(PATIENCE):
            release = await honcho(bot, "release")
            out, _ = await release.communicate()
            assert (release.returncode, b"migrated" in out) == (0, True), out.decode()
            assert (bot.data / "kagentbot.db").exists()

            web = await honcho(bot, "web", PORT=str(port))
            try:
                assert web.stdout is not None
                said = b""
                while b"kagentbot is ready" not in said:
                    line = await web.stdout.readline()
                    assert line, said.decode()
                    said += line
                assert f"http://127.0.0.1:{port}/".encode() in said
                async with ClientSession() as session, session.get(f"http://127.0.0.1:{port}/healthz") as response:
                    assert (response.status, await response.json()) == (200, {"status": "ok"})
                pid = json.loads((bot.data / "server.json").read_text())["pid"]
                web.terminate()
                await web.communicate()
            finally:
                if web.returncode is None:
                    web.kill()
            # The shell between them may have gone first.
            with contextlib.suppress(ProcessLookupError):
                while True:
                    os.kill(pid, 0)
                    await asyncio.sleep(0.02)
    # What a server leaves that came to its end, its database closed.
    assert sorted(path.name for path in bot.data.iterdir()) == ["kagentbot.db", "kagentbot.db.lock"]
