"""What an answer in Discord takes, beside a bare discord.py bot; and what it costs within Discord's limits.

Beside the bot: an open loop, as people are: so many questions a second whether or not the last ones are answered, and
bursts. Times are those of the fake Discord's log, so nothing that we say of ourselves is counted. Two bots with one
token would both answer, so each has a fake of its own; a round with the server is followed by one with the bot, and
medians are compared within each pair. What answers cost, and many at once: `benchmarks.discord_streams`.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import discord_streams, system
from benchmarks.discord_log import Answer, Where, answers, in_words
from benchmarks.discord_servers import WIDE
from benchmarks.figures import Figure, Result, at_most, percentile
from benchmarks.servers import FOREIGN, ROOT, Child, folder_in
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.config import BUCKETS
from tests.fakes.discord.prepared import LIGHTHOUSE
from tests.fakes.discord.saying import Said
from tests.fakes.llm import FakeLLM

#: The fake model: seconds to the first token, and from token to token.
FIRST, GAP, TOKENS = 0.25, 0.005, 50
#: What the server may add to the first message of an answer in place.
ADDED_MOST_MS = 15
#: Calls at the same time that the endpoint takes.
SLOTS = 64
#: Seconds until a round's last question is answered; a bound for broken ones.
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    pairs: int = 3
    #: Where they answer.
    places: Sequence[Where] = ("channel", "thread")
    #: Seconds of each round; questions per second; and a burst of so many at its middle.
    seconds: float = 12.0
    rate: float = 5.0
    burst: int = 10
    warm: int = 20
    #: Channels that people ask in, in turn: in each of them one asks after the other.
    channels: int = 20
    #: Seconds of idleness before memory is read.
    idle: float = 5.0


QUICK = Plan(pairs=1, places=("channel",), seconds=1.0, burst=2, warm=1, channels=4, idle=0.1)


@dataclass(frozen=True, slots=True)
class Round:
    """One round."""

    #: Seconds from each question to the first message of its answer.
    firsts: list[float]
    #: CPU time of the bot's process, in milliseconds for each question.
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class Sizes:
    """Resident memory of a process in MB: idle after its start, and idle after all rounds."""

    idle: float
    after: float


@dataclass(frozen=True, slots=True)
class Compared:
    """The server beside the bare bot."""

    #: Of the server and of the bot, one after the other.
    pairs: Sequence[tuple[Round, Round]]
    ours: Sizes
    bare: Sizes


class Party(Child):
    """One of `benchmarks.discord_servers`."""

    def __init__(self, which: str, folder: Path, settings: Mapping[str, str]) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        environment |= {"KAGENTBOT_DATA_DIR": str(folder / "data"), "KAGENTBOT_SERVER__PORT": "0", "LANG": "C.UTF-8"}
        command = [sys.executable, "-m", "benchmarks.discord_servers", which]
        super().__init__(command, folder / f"{which}.log", ROOT, {**environment, **settings})

    async def __aenter__(self) -> Party:
        await self.start()
        await self.line()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


class Crowd:
    """People who ask in a fake Discord's channels, and what they see."""

    def __init__(self, discord: FakeDiscord) -> None:
        self.discord = discord
        self._channels: list[str] = []
        self._asked = 0

    async def enter(self, channels: int) -> None:
        """Make the channels that they ask in."""
        for number in range(channels):
            made = await self.discord.control("add", kind="channel", guild=LIGHTHOUSE, name=f"room-{number}")
            self._channels.append(str(made["id"]))

    async def ask(self) -> Said:
        """One of them asks, in the channel where nobody has asked for the longest time."""
        self._asked += 1
        channel = self._channels[self._asked % len(self._channels)]
        return await self.discord.mention(f"hello {self._asked}", channel=channel)

    async def keep_asking(self, count: int, rate: float) -> list[Said]:
        """So many questions at this rate, whether or not there are answers."""
        loop = asyncio.get_running_loop()
        began, asked = loop.time(), []
        for number in range(count):
            await asyncio.sleep(max(0.0, began + number / rate - loop.time()))
            asked.append(asyncio.create_task(self.ask()))
        return list(await asyncio.gather(*asked))

    async def answered(self, asked: Sequence[Said]) -> list[Answer]:
        """What came of these questions, as soon as there is an answer to each."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                found = answers((await self.discord.replay()).entries)
                mine = [found[said.message] for said in asked]
                if all(answer.creates for answer in mine):
                    return mine
                await asyncio.sleep(0.2)


async def measure(quick: bool) -> Result:
    """Run all rounds."""
    plan = QUICK if quick else Plan()
    with TemporaryDirectory(prefix="kagentbot-bench-") as scratch:
        found = {where: await _pairs(where, folder_in(scratch, where), plan) for where in plan.places}
        streams = await discord_streams.measure(scratch, quick)
    figures = [figure for where, compared in found.items() for figure in _beside(where, compared)]
    details = {in_words(where): asdict(compared) for where, compared in found.items()}
    return Result([*figures, *streams.figures], {**details, **streams.details})


async def _pairs(where: Where, folder: Path, plan: Plan) -> Compared:
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(FakeLLM(first=FIRST, gap=GAP, tokens=TOKENS))
        crowds, parties = [], []
        for which in ("ours", "bare"):
            discord = await stack.enter_async_context(_wide(folder / f"{which}.jsonl"))
            settings = _settings(discord, model, where)
            if which == "ours":
                # The first start of all is bigger, because it creates the database.
                async with Party(which, folder, settings):
                    await discord.until_connected()
                await discord.until(lambda replay: not replay.connected)
            parties.append(await stack.enter_async_context(Party(which, folder, settings)))
            await discord.until_connected()
            crowds.append(Crowd(discord))
            await crowds[-1].enter(plan.channels)
        await asyncio.sleep(plan.idle)
        idle = [system.memory(party.pid).rss for party in parties]
        rounds = []
        for _ in range(plan.pairs):
            ours, bare = [await _round(crowd, party, plan) for crowd, party in zip(crowds, parties, strict=True)]
            rounds.append((ours, bare))
        await asyncio.sleep(plan.idle)
        after = [system.memory(party.pid).rss for party in parties]
        return Compared(rounds, Sizes(idle[0], after[0]), Sizes(idle[1], after[1]))


async def _round(crowd: Crowd, party: Party, plan: Plan) -> Round:
    await crowd.answered(await crowd.keep_asking(plan.warm, plan.rate))
    before = system.cpu_seconds(party.pid)
    half = int(plan.seconds * plan.rate / 2)
    asked = await crowd.keep_asking(half, plan.rate)
    asked += await asyncio.gather(*(crowd.ask() for _ in range(plan.burst)))
    asked += await crowd.keep_asking(half, plan.rate)
    found = await crowd.answered(asked)
    cpu = system.cpu_seconds(party.pid) - before
    return Round([answer.first for answer in found], 1000 * cpu / len(asked))


def _wide(log: Path) -> FakeDiscord:
    """A fake whose limits don't bind, for a benchmark is denser than a server's channels."""
    return FakeDiscord(log, buckets=dict.fromkeys(BUCKETS, (WIDE, 1.0)), global_rate=WIDE, unfurls=False)


def _settings(discord: FakeDiscord, model: FakeLLM, where: Where) -> dict[str, str]:
    return {
        **discord.environment(),
        "KAGENTBOT_LIMITS__TURNS": "10000",
        "KAGENTBOT_PROFILE__STYLE": "noagent",
        "KAGENTBOT_PROFILE__ANSWER_IN": where,
        "BENCH_ANSWER_IN": where,
        "OPENAI_BASE_URL": model.base_url,
        "OPENAI_MODEL": "fake-model",
        "KAGENTBOT_MODELS__ENDPOINT__SLOTS": str(SLOTS),
    }


def _beside(place: Where, found: Compared) -> list[Figure]:
    where, limit = in_words(place), at_most(ADDED_MOST_MS) if place == "channel" else None
    added = [_share_ms(ours, 0.5) - _share_ms(bare, 0.5) for ours, bare in found.pairs]
    return [
        Figure(f"first message {where}, p50: added to the bare bot's", statistics.median(added), "ms", limit),
        *_of(where, [ours for ours, _ in found.pairs], found.ours),
        *_of(f"{where}, bare bot", [bare for _, bare in found.pairs], found.bare),
    ]


def _of(name: str, rounds: Sequence[Round], sizes: Sizes) -> list[Figure]:
    return [
        Figure(f"first message {name}, p50", statistics.median(_share_ms(one, 0.5) for one in rounds), "ms"),
        Figure(f"first message {name}, p99", statistics.median(_share_ms(one, 0.99) for one in rounds), "ms"),
        Figure(f"CPU per answer {name}", statistics.median(one.cpu_ms for one in rounds), "ms"),
        Figure(f"answers {name}, before them: RSS", sizes.idle, "MB"),
        Figure(f"answers {name}, after them: RSS", sizes.after, "MB"),
    ]


def _share_ms(one: Round, share: float) -> float:
    return 1000 * percentile(one.firsts, share)
