"""The adapter contract on the fake Slack, by streams and by edits."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.messages import Draft
from tests.contracts.adapter import OutboundContract
from tests.contracts.ledger import Book
from tests.contracts.recovery import RecoveryContract
from tests.contracts.workbench import Workbench, answer, long_text
from tests.fakes.slack.harness import FakeSlack
from tests.support.slack_bench import SlackWorkbench

# One process of the fake serves all tests of this module; each test has threads of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def fake() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", params=["streams", "edits"])
async def bench(fake: FakeSlack, request: pytest.FixtureRequest) -> AsyncIterator[SlackWorkbench]:
    bench = SlackWorkbench(fake, streams=request.param == "streams")
    await bench.prepare()
    yield bench
    await bench.close()


class TestOutbound(OutboundContract):
    async def test_a_growing_text_rolls_over_without_removing_what_was_posted(self, bench: Workbench) -> None:
        """A stream can't take anything back, so it holds back what may yet belong to the next part; an edit closes what
        is open."""
        place = await bench.place()
        text = long_text(2 * bench.too_long)
        reply = await bench.reply(place, Book())
        for length in [*range(500, len(text), bench.too_long // 3), len(text)]:
            await reply.show(Draft(text[:length]))
            shown = bench.letters(await bench.text(place))
            assert bench.letters(text[:length]).startswith(shown.rstrip("`*"))
            assert len(shown) > 0.6 * len(bench.letters(text[:length]))
        await reply.close(answer(text))
        messages = await bench.visible(place)
        assert bench.letters("".join(message.text for message in messages)) == bench.letters(text)
        assert await bench.created(place) == len(messages)


class TestRecovery(RecoveryContract):
    pass
