"""The adapter contract on the fake platform, by edits and by streams. Real adapters bring workbenches of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import count

import pytest
import pytest_asyncio
from aiohttp import web

from bot.messages import Author, Draft, Final, Target
from bot.ports import Outbound, Receive
from bot.posting import Patience
from tests.contracts.adapter import InboundContract, OutboundContract
from tests.contracts.ledger import Book
from tests.contracts.recovery import RecoveryContract
from tests.contracts.workbench import Call, Fault, Place, Seen, Workbench, answer
from tests.fakes import platform
from tests.fakes.adapter import FakeInbound, FakeOutbound
from tests.fakes.adapter.inbound import PATH
from tests.fakes.adapter.outbound import TEXT_LIMIT
from tests.fakes.platform import FakePlatform

# One process of the platform serves all tests of this module; each test has conversations of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")

#: The platform's reads lag by less than what the adapter waits for.
PLATFORM_LAG, READ_LAG = 0.1, 0.2
#: Seconds after which the adapter gives a call up, and what the platform makes of a late one.
TIMEOUT, LATE = 0.5, 1.0
RETRY_AFTER = 0.3

_channels = count(1)


class FakeWorkbench(Workbench):
    """The fake adapter on the fake platform."""

    too_long = TEXT_LIMIT + 100
    rate_limit = RETRY_AFTER

    def __init__(self, fake: FakePlatform, *, streams: bool, read_lag: float = READ_LAG) -> None:
        self._fake = fake
        self._read_lag = read_lag
        self._streams = streams
        self._outbounds: list[FakeOutbound] = []
        self._runner: web.AppRunner | None = None
        self._message = ""

    async def close(self) -> None:
        """Give back all that was opened."""
        for outbound in self._outbounds:
            await outbound.close()
        if self._runner is not None:
            await self._fake.bot(None)
            await self._runner.cleanup()

    def outbound(self) -> Outbound:
        made = FakeOutbound(
            self._fake.url,
            self._fake.token,
            streams=self._streams,
            read_lag=self._read_lag,
            timeout=TIMEOUT,
            patience=Patience(first=0.02),
        )
        self._outbounds.append(made)
        return made

    async def place(self) -> Place:
        where = platform.Place("T1", f"C{next(_channels)}", "1")
        message = await self._fake.say(where, "What is it?")
        replay = await self._fake.replay()
        sent_at = datetime.fromtimestamp(replay.humans[message].sent_at, UTC)
        key = f"fake:{where.workspace}:{where.channel}:{where.thread}"
        return Place(Target("fake", where.workspace, where.channel, where.thread, key), sent_at)

    async def visible(self, place: Place) -> list[Seen]:
        replay = await self._fake.replay()
        return [Seen(message.id, message.text) for message in replay.visible(_where(place))]

    async def created(self, place: Place) -> int:
        return len((await self._fake.replay()).created(_where(place)))

    async def calls(self) -> int:
        return len((await self._fake.replay()).calls)

    async def too_early(self) -> int:
        return sum(call["early"] for call in (await self._fake.replay()).calls)

    async def rang(self, place: Place) -> int:
        return sum(len(message.pings) for message in (await self._fake.replay()).created(_where(place)))

    async def fail(self, call: Call, fault: Fault, times: int = 1) -> None:
        methods = {
            "create": ["start_stream", "post"] if self._streams else ["post"],
            "grow": ["append"] if self._streams else ["edit"],
            "finish": ["edit"],
            "delete": ["delete"],
            "list": ["list"],
        }
        for method in methods[call]:
            await self._fake.script(method, fault, times=times)

    async def plant(self, place: Place, text: str) -> str:
        target = place.target
        method = "start_stream" if self._streams else "post"
        made = await self._fake.call(
            method, workspace=target.workspace, channel=target.channel, thread=target.thread, text=text
        )
        return str(made["message"])

    async def moderate(self, message_id: str) -> None:
        await self._fake.delete(message_id)

    async def listen(self, receive: Receive) -> None:
        async def stop(nonce: str, by: Author) -> bool:
            return False

        inbound = FakeInbound(stop, secret=self._fake.secret)
        await inbound.start(receive)
        app = web.Application()
        app.router.add_routes(inbound.routes())
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        await self._fake.bot(f"http://127.0.0.1:{self._runner.addresses[0][1]}{PATH}")

    async def deliver(self, text: str, times: int) -> str:
        await self._fake.set(copies=times)
        self._message = await self._fake.say(platform.Place("T1", f"C{next(_channels)}"), text)
        return self._message

    async def acks(self, count: int) -> None:
        await self._fake.until(lambda replay: replay.deliveries(self._message, "acked") >= count)

    async def no_ack(self) -> None:
        await self._fake.until(lambda replay: replay.deliveries(self._message, "unacked"))
        assert (await self._fake.replay()).deliveries(self._message, "acked") == 0


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def fake() -> AsyncIterator[FakePlatform]:
    async with FakePlatform() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", params=["edits", "streams"])
async def bench(fake: FakePlatform, request: pytest.FixtureRequest) -> AsyncIterator[FakeWorkbench]:
    await fake.set(reset=True, copies=0, read_lag=PLATFORM_LAG, late=LATE, retry_after=RETRY_AFTER)
    bench = FakeWorkbench(fake, streams=request.param == "streams")
    yield bench
    await bench.close()


class TestOutbound(OutboundContract):
    pass


class TestRecovery(RecoveryContract):
    pass


class TestInbound(InboundContract):
    pass


@pytest.mark.parametrize("bench", ["streams"], indirect=True)
async def test_a_streamed_answer_grows_by_appends(fake: FakePlatform, bench: FakeWorkbench) -> None:
    place = await bench.place()
    reply = await bench.reply(place, Book())
    before = await bench.calls()
    for text in ("a", "a b", "a b c"):
        await reply.show(Draft(text))
    methods = [call["method"] for call in (await fake.replay()).calls[before:]]
    assert methods == ["start_stream", "append", "append"]


@pytest.mark.parametrize("bench", ["streams"], indirect=True)
async def test_a_stream_that_ran_out_is_gone_on_with_by_edits(fake: FakePlatform, bench: FakeWorkbench) -> None:
    await fake.set(stream_ttl=0.0)
    place = await bench.place()
    reply = await bench.reply(place, Book())
    await reply.show(Draft("a"))
    await reply.show(Draft("a b"))
    assert await bench.text(place) == "a b"


@pytest.mark.parametrize("bench", ["streams"], indirect=True)
async def test_a_stream_that_a_person_stopped_still_gets_its_end(fake: FakePlatform, bench: FakeWorkbench) -> None:
    place = await bench.place()
    reply = await bench.reply(place, Book())
    await reply.show(Draft("a"))
    (seen,) = await bench.visible(place)
    await fake.press_stop(seen.id)
    await reply.close(Final("stopped", "a", "en"))
    assert await bench.visible(place) == [Seen(seen.id, "a\n\n[stopped]")]


async def test_what_a_late_call_created_is_deleted_at_the_end(fake: FakePlatform) -> None:
    # Given up after 0.5 s, looked for at 1.5 s, there at 2 s, looked for again at 2.5 s.
    await fake.set(reset=True, copies=0, read_lag=0.1, late=2.0)
    bench = FakeWorkbench(fake, streams=False, read_lag=1.0)
    place = await bench.place()
    reply = await bench.reply(place, Book())
    await fake.script("post", "late")
    await reply.close(answer("42"))
    assert await bench.text(place) == "42"
    assert await bench.created(place) == 2
    await bench.close()


def _where(place: Place) -> platform.Place:
    return platform.Place(place.target.workspace, place.target.channel, place.target.thread)
