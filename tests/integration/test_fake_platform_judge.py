"""Whole bots on the fake platform, honest and not, and what its judge says of them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

from aiohttp import web

from bot.messages import Accepted, Asked, Author, Draft, Event, Final, Incoming
from bot.posting import Ambiguous, Patience
from tests.contracts.ledger import Book, FakeLedger
from tests.fakes.adapter import FakeInbound, FakeOutbound
from tests.fakes.adapter.inbound import PATH
from tests.fakes.platform import FakePlatform, Place
from tests.fakes.platform.replay import MARKER


class TinyBot:
    """Answers each message with its marker, one after the other per conversation. `dedupe=False` is a bot with a
    defect."""

    def __init__(self, fake: FakePlatform, *, dedupe: bool = True, forgets: bool = False) -> None:
        self._fake = fake
        self._dedupe = dedupe
        self._forgets = forgets
        self._outbound = FakeOutbound(
            fake.url, fake.token, read_lag=0.2, timeout=0.5, patience=Patience(tries=30, first=0.01)
        )
        self._seen: set[str] = set()
        self._books: dict[str, Book] = defaultdict(Book)
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns = 0
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> TinyBot:
        inbound = FakeInbound(self._stop, secret=self._fake.secret)
        await inbound.start(self._receive)
        app = web.Application()
        app.router.add_routes(inbound.routes())
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        await self._fake.bot(f"http://127.0.0.1:{self._runner.addresses[0][1]}{PATH}")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._fake.bot(None)
        assert self._runner is not None
        await self._runner.cleanup()
        await self._outbound.close()

    async def done(self) -> None:
        """Wait until everything that was acked has been answered."""
        assert await self._fake.quiesce() == []
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def _receive(self, event: Event) -> Accepted:
        assert isinstance(event, Incoming)
        if not event.address.mentions_us or (self._dedupe and event.message_id in self._seen):
            return Accepted(None, duplicate=True)
        self._seen.add(event.message_id)
        self._turns += 1
        if self._forgets:
            return Accepted(self._turns)
        task = asyncio.create_task(self._answer(event, self._turns))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return Accepted(self._turns)

    async def _answer(self, event: Incoming, turn_id: int) -> None:
        key = event.target.conversation_key
        async with self._locks[key]:
            ledger = FakeLedger(self._books[key], since=event.sent_at, turn_id=turn_id)
            reply = await self._outbound.open(event.target, ledger, Asked(event.author, event.message_id, "en"))
            text = " ".join(MARKER.findall(event.text))
            with suppress(Ambiguous):
                await reply.show(Draft(f"{text} so far"))
            await reply.close(Final("answered", f"{text} and that is all", "en"))

    async def _stop(self, nonce: str, by: Author) -> bool:
        return False


async def test_the_judge_finds_nothing_wrong_with_an_honest_bot_on_a_bad_day(tmp_path: Path) -> None:
    faults = dict.fromkeys(("reset", "error", "done_reset", "done_error", "done_late", "rate_limited"), 0.06)
    platform = FakePlatform(tmp_path / "log", faults=faults, read_lag=0.1, retry_after=0.05, late=0.7, jitter=0.1)
    async with platform as fake, TinyBot(fake) as bot:
        await fake.set(copies=2, twins=True)
        for number in range(30):
            await fake.ask(Place("T1", f"C{number % 10}", "1"), "What is it?")
        await bot.done()
        report = fake.judge(complete=lambda question, answer: answer.endswith("and that is all"))
        assert report.problems == ()
        assert (report.accepted, report.outcomes) == (30, {"answered": 30})
        told = {call["told"] for call in (await fake.replay()).calls if call["fault"]}
        assert {"reset", "429", "internal_error"} <= told
        outcomes = await fake.outcomes()
        assert all(len(replies) == 1 for replies in outcomes.values())


async def test_the_judge_convicts_a_bot_that_does_not_dedupe(tmp_path: Path) -> None:
    async with FakePlatform(tmp_path / "log", copies=2) as fake, TinyBot(fake, dedupe=False) as bot:
        await fake.ask(Place("T1", "C1", "1"), "What is it?")
        await bot.done()
        assert [problem.kind for problem in fake.judge().problems] == ["twice"]


async def test_the_judge_convicts_a_bot_that_acks_and_forgets(tmp_path: Path) -> None:
    async with FakePlatform(tmp_path / "log") as fake, TinyBot(fake, forgets=True) as bot:
        await fake.ask(Place("T1", "C1", "1"), "What is it?")
        await bot.done()
        assert [problem.kind for problem in fake.judge().problems] == ["missing"]
