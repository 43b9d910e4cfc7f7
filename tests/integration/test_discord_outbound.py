"""The adapter contract on the fake Discord: in a channel, and what fails also in a thread under the profile's name."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.contracts.adapter import OutboundContract
from tests.contracts.recovery import RecoveryContract
from tests.fakes.discord import FakeDiscord
from tests.support.discord_bench import DiscordWorkbench, pointed_at

# One process of the fake serves all tests of this module; each test has places of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def fake() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as running:
        with pointed_at(running):
            yield running


@pytest_asyncio.fixture(loop_scope="module", params=["channel", "persona"])
async def bench(fake: FakeDiscord, request: pytest.FixtureRequest) -> AsyncIterator[DiscordWorkbench]:
    bench = DiscordWorkbench(fake, request.param)
    await bench.prepare()
    yield bench
    await bench.close()


@pytest.mark.parametrize("bench", ["channel"], indirect=True)
class TestOutbound(OutboundContract):
    pass


class TestRecovery(RecoveryContract):
    pass
