"""What a profile takes away from the agent before it runs."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, Literal

import pytest

from agent.events import AgentEvent, Finished, TextDelta
from agent.profile import Profile
from agent.tools.builtin import builtin_tools
from agent.tools.function import tool
from bot.agents import bind_agent
from bot.replay import NoModel, ReplayJournal
from tests.support.agent import task


async def look_up(word: str) -> str:
    """Looks a word up on the network.

    Args:
        word: The word.
    """
    return word


@pytest.mark.parametrize(
    ("network", "names", "expected"),
    [
        ("on", ("auto",), ["time_delta", "get_calendar_info", "get_solar_terms_info", "calculator", "look_up"]),
        ("off", ("auto",), ["time_delta", "get_calendar_info", "get_solar_terms_info", "calculator"]),
        ("off", ("look_up", "calculator"), ["calculator"]),
    ],
)
def test_the_agent_has_the_tools_that_its_profile_allows(
    network: Literal["on", "off"], names: tuple[str, ...], expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def note(_task: object, *, tools: Any, **_: object) -> None:
        seen.extend(item.name for item in tools)

    monkeypatch.setattr("bot.agents.loop.run", note)
    agent = bind_agent(NoModel(demo=False), (*builtin_tools(), tool(look_up, name_zh="查词", network=True)))
    agent(task("?", profile=Profile(tool_names=names, network=network)), ReplayJournal({}), "")
    assert seen == expected


async def test_an_answer_says_which_agent_system_gave_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answers(*_: object, **__: object) -> AsyncGenerator[AgentEvent, None]:
        yield TextDelta("42")
        yield Finished("42")

    monkeypatch.setattr("bot.agents.loop.run", answers)
    agent = bind_agent(NoModel(demo=True), builtin_tools())
    told = [event async for event in agent(task("?"), ReplayJournal({}), "")]
    assert told == [TextDelta("42"), Finished("42", style="router")]
