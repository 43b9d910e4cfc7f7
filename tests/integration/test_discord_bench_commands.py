"""`/kagent-bench` in Discord: which words its options become, and what is offered to whom while they are typed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.bench.words import Said, said, wanted
from bot.store.db import Store
from evals.kagentbench.items import TYPES
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.prepared import CAROL, GENERAL, MONA
from tests.support import discord_clicks as clicks
from tests.support.discord_clicks import Clicking, Orders, clicking

# One process of Discord serves all tests of this module; each test has a bot of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")
discord, store, app = clicks.discord, clicks.store, clicks.app

NAME = "kagent-bench"


@pytest.fixture
def orders() -> Orders:
    return Orders()


@pytest_asyncio.fixture(loop_scope="module")
async def taken(discord: FakeDiscord, store: Store, tmp_path: Path, orders: Orders) -> AsyncIterator[Clicking]:
    """With commands that the test answers."""
    await discord.set(reset=True)
    async with clicking(discord, store, tmp_path, commands=orders) as running:
        yield running


@pytest.mark.parametrize(
    ("command", "options", "meant"),
    [
        ("run", {}, Said("run")),
        (
            "run",
            {"model": "small", "limit": 40, "types": "plantooluse, profile", "lang": "zh", "constrained": True},
            Said("run", ("model=small", "limit=40", "types=plantooluse,profile", "lang=zh", "constrained")),
        ),
        (
            "run",
            {"data": "official", "templates": "ReACT,AutoGPT", "repeats": 3, "preset": "qwen", "reasoning": "off"},
            Said("run", ("data=official", "templates=ReACT,AutoGPT", "repeats=3", "preset=qwen", "reasoning=off")),
        ),
        ("status", {}, Said("status")),
        ("cancel", {"model": "small"}, Said("cancel", ("small",))),
        ("compare", {"a": "1f2e", "b": "3d4c"}, Said("compare", ("1f2e", "3d4c"))),
        ("leaderboard", {}, Said("leaderboard")),
        ("data", {}, Said("data")),
        ("schedule", {"when": "weekly", "model": "small"}, Said("schedule", ("weekly", "small"))),
    ],
)
async def test_options_become_the_words_that_the_core_takes(
    taken: Clicking, orders: Orders, command: str, options: dict[str, Any], meant: Said
) -> None:
    await taken.command(command, options, name=NAME, user=MONA)
    [given] = orders.given
    assert (said(given.words), given.lead) == (meant, "/kagent-bench ")
    if command == "run":
        wanted(meant.args)


async def offered(app: Clicking, command: str, option: str, typed: str = "", **how: Any) -> list[str]:
    how = {"user": CAROL, "channel": ""} | how
    return [str(one["value"]) for one in await app.fake.suggest(command, option, typed, name=NAME, **how)]


async def test_models_and_data_sets_are_offered_to_operators(app: Clicking) -> None:
    assert await offered(app, "run", "model") == ["big", "small"]
    assert await offered(app, "run", "model", "sm") == ["small"]
    assert await offered(app, "run", "data", "sam") == ["sample"]
    assert await offered(app, "compare", "a") == []


async def test_lists_go_on_with_what_may_come_next(app: Clicking) -> None:
    assert await offered(app, "run", "types") == list(TYPES)
    assert await offered(app, "run", "types", "profile, con") == ["profile,conclusion"]
    assert await offered(app, "run", "templates", "react，tool") == ["react,ToolLlama"]


async def test_whoever_may_not_run_benchmarks_is_offered_no_names(app: Clicking) -> None:
    assert await offered(app, "run", "model", user=MONA, channel=GENERAL) == []
    assert await offered(app, "run", "data", user=MONA, channel=GENERAL) == []
