"""Many answers at once, and long ones: how many calls they cost, and that Discord never has to refuse one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from functools import partial

import pytest
import pytest_asyncio

from adapters.discord.outbound import PACE
from agent.clock import SystemClock
from bot.delivery import Delivery
from bot.messages import Asked, Draft
from bot.ports import Pace
from bot.posting import RetryLater
from tests.contracts.ledger import Book, FakeLedger
from tests.contracts.workbench import Place, answer
from tests.fakes.discord import FakeDiscord, permissions
from tests.fakes.discord.prepared import APP
from tests.support import discord_bench as bench
from tests.support.discord_bench import OPEN, PATCH, POST, Outbound, where

# One process of the fake serves all tests of this module; each test has places of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")

#: The call that posts, as the adapter names it.
POST_ROUTE = ("POST", "/channels/{channel_id}/messages")
#: Text of one answer, and the seconds in which it comes.
WORDS = [f"word{number} " for number in range(200)]
SECONDS = 2.0
#: Drafts come so often here that the limits bind.
EAGER = Pace(0.1, 0.5)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def fake() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as running:
        with bench.pointed_at(running, timeout=5.0):
            yield running


class Answering:
    """An answer that grows word by word, as `bot.turns` shows it."""

    def __init__(self, outbound: Outbound, place: Place, asked: Asked, turn_id: int) -> None:
        self._outbound = outbound
        self._asked = asked
        self._turn_id = turn_id
        self.place = place

    async def run(self) -> None:
        ledger = FakeLedger(Book(), since=self.place.since, turn_id=self._turn_id)
        reply = await self._outbound.open(self.place.target, ledger, self._asked)
        lost: list[BaseException] = []
        delivery = Delivery(reply, self._outbound.pace, SystemClock(), lost.append)
        text = ""
        for word in WORDS:
            text += word
            delivery.show(partial(Draft, text))
            await asyncio.sleep(SECONDS / len(WORDS))
        await delivery.close(answer(text))
        assert lost == []


async def run(answers: Iterable[Answering]) -> None:
    await asyncio.gather(*[each.run() for each in answers])


async def refused(fake: FakeDiscord) -> list[str]:
    """Calls that came too fast."""
    return [call["method"] for call in (await fake.replay()).calls if call["status"] == 429]


async def edits(fake: FakeDiscord, answers: Iterable[Answering]) -> list[int]:
    """How often the messages of each answer were changed."""
    replay = await fake.replay()
    changed = Counter(call["ids"]["message"] for call in replay.called(PATCH, accepted=True))
    return [sum(changed[message.message] for message in replay.visible(where(each.place))) for each in answers]


async def test_twenty_answers_in_twenty_channels_all_grow_and_none_is_refused(fake: FakeDiscord) -> None:
    await fake.set(reset=True)
    outbound = Outbound(fake, pace=EAGER)
    answers = []
    for number in range(20):
        channel = await bench.new_channel(fake)
        answers.append(Answering(outbound, *await bench.asked_for_thread(fake, channel=channel), number))
    await run(answers)
    await outbound.close()
    assert await refused(fake) == []
    assert min(await edits(fake, answers)) >= 2
    shown = [message.text for each in answers for message in (await fake.replay()).visible(where(each.place))]
    assert shown == ["".join(WORDS).strip()] * 20


async def test_four_answers_that_share_a_channel_all_grow_and_none_is_refused(fake: FakeDiscord) -> None:
    # Windows of a second, so that several pass.
    await fake.set(reset=True, buckets={"post": (5, 1.0), "edit": (5, 1.0)})
    outbound = Outbound(fake, pace=EAGER)
    channel = await bench.new_channel(fake)
    await fake.control("overwrite", channel=channel, id=APP, deny=permissions.CREATE_PUBLIC_THREADS)
    asked = [await bench.asked_for_thread(fake, channel=channel) for _ in range(4)]
    answers = [Answering(outbound, place, by, number) for number, (place, by) in enumerate(asked)]
    await run(answers)
    await outbound.close()
    assert await refused(fake) == []
    messages = (await fake.replay()).visible(where(bench.channel_of(asked[0][0])))
    assert {message.reply_to for message in messages} == {by.message_id for _, by in asked}
    assert [message.text for message in messages] == ["".join(WORDS).strip()] * 4
    changed = Counter(call["ids"]["message"] for call in (await fake.replay()).called(PATCH, accepted=True))
    assert min(changed[message.message] for message in messages) >= 2


async def test_a_thousand_tokens_cost_at_most_eight_creates_and_edits(fake: FakeDiscord) -> None:
    """At a hundred tokens a second, with the adapter's own pace and a clock that runs ten times as fast."""
    await fake.set(reset=True, buckets={"post": (5, 0.5), "edit": (5, 0.5)})
    outbound = Outbound(fake, pace=Pace(PACE.first / 10, PACE.every / 10))
    place, asked = await bench.asked_for_thread(fake)
    ledger = FakeLedger(Book(), since=place.since)
    delivery = Delivery(await outbound.open(place.target, ledger, asked), outbound.pace, SystemClock(), lambda _: None)
    begun = asyncio.get_running_loop().time()
    text = ""
    for number in range(1_000):
        text += f"word{number % 7}"[: 3 + number % 3] + " "
        delivery.show(partial(Draft, text))
        if (late := begun + number / 1_000 - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(late)
    await delivery.close(answer(text))
    await outbound.close()
    calls = [call["method"] for call in (await fake.replay()).calls if asked.message_id in call["ids"].values()]
    assert calls.count(OPEN) == 1
    assert 4 <= calls.count(POST) + calls.count(PATCH) <= 7
    messages = (await fake.replay()).visible(where(place))
    assert " ".join(message.text for message in messages).split() == text.split()


async def test_stop_stays_below_a_message_until_the_next_one_can_be_posted(fake: FakeDiscord) -> None:
    await fake.set(reset=True)
    outbound = Outbound(fake)
    place, asked = await bench.asked_in(fake, await bench.new_channel(fake))
    reply = await outbound.open(place.target, FakeLedger(Book(), since=place.since), asked)
    await reply.show(Draft("A beginning"))
    while outbound.rest.left(*POST_ROUTE, channel_id=place.target.channel) >= 1:
        await outbound.rest.call(*POST_ROUTE, json={"content": "Hello"}, channel_id=place.target.channel)
    with pytest.raises(RetryLater) as later:
        await reply.show(Draft("A long text. " * 200))
    assert 0 < later.value.seconds <= 5.1
    first = (await fake.replay()).visible(where(place))[0]
    assert (first.text, first.finished) == ("A beginning", False)
    await outbound.close()
