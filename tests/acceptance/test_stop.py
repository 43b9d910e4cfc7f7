"""Stop reaches a model call that is under way, from the same process and from another one.

The call would go on for a minute, so an end within seconds can only be Stop's. The promise is one second (DESIGN.md);
it is not asserted here, because a loaded machine may take longer without being wrong.
"""

from __future__ import annotations

from pathlib import Path

from tests.chaos.bot import Bot
from tests.fakes.llm.harness import FakeLLM
from tests.fakes.platform.harness import FakePlatform
from tests.fakes.platform.replay import BotMessage, Replay
from tests.fakes.platform.rules import Place

HERE = Place("W", "C1", "T1")


def server(name: str, url: str, folder: Path, llm: FakeLLM, platform: FakePlatform) -> Bot:
    """A server on the fake platform."""
    place = folder / name
    place.mkdir()
    arguments = ["--platform", platform.url, "--token", platform.token, "--secret", platform.secret]
    return Bot(url, place, {"fake": llm.base_url}, [*arguments, "--effects", str(place / "effects.jsonl")])


async def stop_is_obeyed(taker: Bot, runner: Bot, llm: FakeLLM, platform: FakePlatform) -> None:
    """Ask through `runner`, press Stop through `taker`: the model call ends, the answer says so."""
    await platform.bot(f"http://127.0.0.1:{runner.port}/fake/events")
    said = await platform.ask(HERE, "question")

    def running(replay: Replay) -> BotMessage | None:
        return next((m for m in replay.bots.values() if said.marker in m.text and "stop" in m.buttons), None)

    message = await platform.until(running)
    assert message is not None
    await platform.bot(f"http://127.0.0.1:{taker.port}/fake/events")
    await platform.press_stop(message.id)
    calls = await llm.until(lambda calls: calls[-1].outcome != "open", timeout=10.0)
    assert calls[-1].outcome == "aborted"

    def stopped(replay: Replay) -> bool:
        return "[stopped]" in replay.bots[message.id].text

    await platform.until(stopped)
    assert platform.judge().outcomes == {"stopped": 1}


async def test_stop_ends_a_model_call(tmp_path: Path) -> None:
    async with FakeLLM(tmp_path / "model.jsonl", gap=0.3, tokens=200) as llm, FakePlatform() as platform:
        bot = server("one", f"sqlite:///{tmp_path}/kagentbot.db", tmp_path, llm, platform)
        try:
            await bot.start()
            await stop_is_obeyed(bot, bot, llm, platform)
        finally:
            await bot.kill()


async def test_stop_reaches_a_turn_in_another_process(postgres_url: str, tmp_path: Path) -> None:
    async with FakeLLM(tmp_path / "model.jsonl", gap=0.3, tokens=200) as llm, FakePlatform() as platform:
        one = server("one", postgres_url, tmp_path, llm, platform)
        two = server("two", postgres_url, tmp_path, llm, platform)
        try:
            await one.start()
            await two.start()
            await stop_is_obeyed(two, one, llm, platform)
        finally:
            await one.kill()
            await two.kill()
