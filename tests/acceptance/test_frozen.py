"""A process that was frozen for longer than its lease comes back and must neither write nor send."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from bot.dispatch.lease import LEASE_SECONDS
from tests.chaos.bot import Bot
from tests.fakes.llm.harness import FakeLLM
from tests.fakes.platform.harness import FakePlatform
from tests.fakes.platform.replay import Replay
from tests.fakes.platform.rules import Place

HERE = Place("W", "C1", "T1")


def server(name: str, url: str, folder: Path, llm: FakeLLM, platform: FakePlatform) -> Bot:
    """One of two servers on one database."""
    place = folder / name
    place.mkdir()
    arguments = ["--platform", platform.url, "--token", platform.token, "--secret", platform.secret]
    return Bot(url, place, {"fake": llm.base_url}, [*arguments, "--effects", str(place / "effects.jsonl")])


async def test_a_frozen_process_that_comes_back_sends_nothing(postgres_url: str, tmp_path: Path) -> None:
    async with FakeLLM(tmp_path / "model.jsonl", first=0.05, gap=0.2, tokens=40) as llm, FakePlatform() as platform:
        frozen = server("frozen", postgres_url, tmp_path, llm, platform)
        other = server("other", postgres_url, tmp_path, llm, platform)
        try:
            await frozen.start()
            await platform.bot(f"http://127.0.0.1:{frozen.port}/fake/events")
            said = await platform.ask(HERE, "question")

            def begun(replay: Replay) -> bool:
                return any(said.marker in message.text for message in replay.bots.values())

            await platform.until(begun)
            assert frozen.process is not None
            os.kill(frozen.process.pid, signal.SIGSTOP)
            await llm.behave("[fake:gap=0.001]")
            await other.start()
            await platform.bot(f"http://127.0.0.1:{other.port}/fake/events")

            def over(replay: Replay) -> bool:
                return any(message.finished for message in replay.bots.values() if not message.gone)

            await platform.until(over, timeout=LEASE_SECONDS + 20)
            before = len((await platform.replay()).bots)
            os.kill(frozen.process.pid, signal.SIGCONT)
            again = await platform.ask(HERE, "next question")

            def answered(replay: Replay) -> bool:
                return any(again.marker in m.text and m.finished for m in replay.bots.values() if not m.gone)

            await platform.until(answered)
            # The frozen one has come back, noticed, and is of use again: it stops in order.
            assert await asyncio.wait_for(frozen.stop(), 20) == 0
            assert await other.stop() == 0
            assert len((await platform.replay()).bots) == before + 1
            report = platform.judge()
            assert report.ok, str(report)
            assert report.outcomes == {"answered": 2}
            status, output = await other.audit()
            assert status == 0, output
        finally:
            await frozen.kill()
            await other.kill()
