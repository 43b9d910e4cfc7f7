"""What answers cost in Discord, and many of them at once, within its real limits: the server as it is shipped.

Everything is read from the fakes' logs: calls and their times from Discord's, the end of the model's text from the
model's. A change is a message created or edited; that something shows for the last time is the last change of all.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.discord_log import OPEN, Answer, Where, answers, in_words, refused, typed
from benchmarks.figures import Figure, Result, at_most
from benchmarks.servers import Kagentbot, folder_in
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.prepared import LIGHTHOUSE
from tests.fakes.discord.replay import BotMessage, Replay
from tests.fakes.discord.saying import Said, newest
from tests.fakes.llm import FakeLLM
from tests.fakes.llm.harness import Call

#: Seconds from token to token, of the long answers and of the many.
GAP = 0.01
#: What an answer of a thousand tokens at a hundred a second may cost: creates and edits, and seconds from the model's
#: last character until all is shown.
CALLS_MOST, LAG_MOST_S = 8, 1.5
#: Seconds without a change after which an answer starves: what the adapter promises (`adapters.chat.pacing`).
STILL_MOST_S = 10.0
#: Seconds until an answer is whole; a bound for broken ones.
_PATIENCE = 120.0
#: Discord's code where a server has as many open threads as it may have.
_TOO_MANY_THREADS = "160006"
#: Calls at the same time that the endpoint takes.
_SLOTS = 64


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    #: Instant answers, and where.
    instant: int = 10
    instant_in: Sequence[Where] = ("channel", "thread")
    #: Long answers one after the other, and their tokens.
    alone: int = 5
    tokens: int = 1_000
    #: Answers at once: in a channel each, and in one that takes no threads.
    apart: int = 20
    together: int = 4
    #: Seconds after which Stop is pressed below them, and between two presses.
    stop_after: float = 5.0
    stop_every: float = 0.2


QUICK = Plan(instant=1, instant_in=(), alone=1, tokens=150, apart=1, together=1, stop_after=1.5)


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer of the model's that was long in coming."""

    answer: Answer
    #: When the model had sent its last character.
    model_ended_at: float

    @property
    def lag(self) -> float:
        """Seconds from the model's last character until all is shown."""
        return self.answer.last_at - self.model_ended_at

    @property
    def stopped(self) -> float:
        """Seconds from the press on Stop until nothing changes any more."""
        return self.answer.last_at - (self.answer.pressed_at or 0.0)


class Stage:
    """A fake Discord with its real limits, a fake model and the server between them."""

    def __init__(self, discord: FakeDiscord, model: FakeLLM) -> None:
        self.discord = discord
        self.model = model
        self._rooms = 0

    async def room(self) -> str:
        """A new channel."""
        self._rooms += 1
        made = await self.discord.control("add", kind="channel", guild=LIGHTHOUSE, name=f"stage-{self._rooms}")
        return str(made["id"])

    async def full_room(self) -> str:
        """A new channel in which no further thread can be opened: answers share its bucket of calls."""
        channel = await self.room()
        await self.discord.script(OPEN, _TOO_MANY_THREADS, major=channel, times=1_000)
        return channel

    async def ask(self, text: str, channel: str) -> Said:
        """Somebody asks."""
        return await self.discord.ask(text, channel=channel)

    async def over(self, asked: Sequence[Said]) -> list[Answer]:
        """The answers to these questions, as soon as all are whole."""
        async with asyncio.timeout(_PATIENCE):
            for said in asked:
                await self.discord.reply(said, timeout=_PATIENCE)
        found = answers((await self.discord.replay()).entries)
        return [found[said.message] for said in asked]

    async def streamed(self, asked: Sequence[Said]) -> list[Streamed]:
        """The same with the end of the model's part."""
        found = await self.over(asked)
        calls = self.model.calls()
        return [Streamed(answer, _call(calls, said).ended_at) for said, answer in zip(asked, found, strict=True)]


async def measure(scratch: str, quick: bool) -> Result:
    """Run everything."""
    plan = QUICK if quick else Plan()
    async with FakeDiscord(Path(scratch, "streams.jsonl"), unfurls=False) as discord, FakeLLM() as model:
        stage = Stage(discord, model)
        figures: list[Figure] = []
        for where in plan.instant_in:
            async with _server(stage, folder_in(scratch, f"instant-{where}"), where):
                figures += await _instant(stage, where, plan)
        async with _server(stage, folder_in(scratch, "streams"), "thread"):
            await _warm(stage)
            alone = [await _alone(stage, plan) for _ in range(plan.alone)]
            apart, together = await _many(stage, plan)
            stopped_alone = [one for _ in range(plan.alone) for one in await _stops(stage, plan, 1, 0)]
            stopped = await _stops(stage, plan, plan.apart, plan.together)
        too_fast = refused((await discord.replay()).entries)
    figures += _long_figures(alone, plan)
    figures += _many_figures(f"{plan.apart} in a channel each", apart)
    figures += _many_figures(f"{plan.together} in one channel", together)
    figures += [
        Figure("Stop to the visible end, alone, median", _middle(one.stopped for one in stopped_alone), "s"),
        Figure(
            f"Stop to the visible end, {len(stopped)} at once, median", _middle(one.stopped for one in stopped), "s"
        ),
        Figure(f"Stop to the visible end, {len(stopped)} at once, longest", max(one.stopped for one in stopped), "s"),
        Figure("calls that Discord refused as too many (429)", too_fast, "", at_most(0)),
    ]
    rounds = {"alone": alone, "apart": apart, "together": together, "stopped": [*stopped_alone, *stopped]}
    return Result(figures, {name: [asdict(one) for one in found] for name, found in rounds.items()})


def _server(stage: Stage, folder: Path, where: Where) -> Kagentbot:
    settings = {
        **stage.discord.environment(),
        "KAGENTBOT_PROFILE__STYLE": "noagent",
        "KAGENTBOT_PROFILE__ANSWER_IN": where,
        "OPENAI_BASE_URL": stage.model.base_url,
        "OPENAI_MODEL": "fake-model",
        "KAGENTBOT_MODELS__ENDPOINT__SLOTS": str(_SLOTS),
    }
    return Kagentbot(folder, settings)


async def _warm(stage: Stage) -> None:
    """The first answer is slower, for what it takes is loaded with it."""
    await stage.discord.until_connected()
    await stage.over([await stage.ask("Hello", await stage.room())])


async def _instant(stage: Stage, where: Where, plan: Plan) -> list[Figure]:
    """Answers of a model that takes no time, one after the other, each in a channel of its own."""
    await _warm(stage)
    found: list[Answer] = []
    for _ in range(plan.instant):
        found += await stage.over([await stage.ask("Hello", await stage.room())])
    places = {place for one in found for place in (one.channel, one.question)}
    signs = typed((await stage.discord.replay()).entries, places)
    name = f"instant answer {in_words(where)}"
    return [
        Figure(f"{name}: creates and edits, most", max(one.calls for one in found), "", at_most(1)),
        Figure(f"{name}: threads opened, most", max(one.threads for one in found), ""),
        Figure(f"{name}: calls that show typing, all {len(found)} together", signs, ""),
        Figure(f"{name}: first message, median", 1000 * _middle(one.first for one in found), "ms"),
    ]


async def _alone(stage: Stage, plan: Plan) -> Streamed:
    """A long answer with nothing beside it."""
    said = await stage.ask(_long(plan.tokens), await stage.room())
    await asyncio.sleep(plan.tokens * GAP)
    return (await stage.streamed([said]))[0]


async def _many(stage: Stage, plan: Plan) -> tuple[list[Streamed], list[Streamed]]:
    """Long answers at once: those in a channel each, and those that share one."""
    asked = await _ask_all(stage, plan.apart, plan.together, plan.tokens)
    await asyncio.sleep(plan.tokens * GAP)
    found = await stage.streamed(asked)
    return found[: plan.apart], found[plan.apart :]


async def _stops(stage: Stage, plan: Plan, apart: int, together: int) -> list[Streamed]:
    """Long answers at once, all of which are stopped, one after the other."""
    asked = await _ask_all(stage, apart, together, 100 * plan.tokens)
    await asyncio.sleep(plan.stop_after)
    presses = []
    for said in asked:
        draft = await _draft(stage, said)
        presses.append(asyncio.create_task(stage.discord.press("kagent.stop", on=draft)))
        await asyncio.sleep(plan.stop_every)
    await asyncio.gather(*presses)
    return await stage.streamed(asked)


async def _ask_all(stage: Stage, apart: int, together: int, tokens: int) -> list[Said]:
    rooms = [await stage.room() for _ in range(apart)]
    rooms += [await stage.full_room()] * together
    return list(await asyncio.gather(*(stage.ask(_long(tokens), room) for room in rooms)))


async def _draft(stage: Stage, said: Said) -> BotMessage:
    """What there is of this answer with Stop below it, as soon as it can be pressed."""

    def draft(replay: Replay) -> BotMessage | None:
        found = newest(replay, said)
        return next((one for one in found.messages if not one.finished), None) if found is not None else None

    message = await stage.discord.until(draft)
    assert message is not None
    return message


def _long(tokens: int) -> str:
    return f"Tell me everything [fake:tokens={tokens}] [fake:gap={GAP}]"


def _call(calls: Sequence[Call], said: Said) -> Call:
    """The call of the model that answers this question."""
    return next(call for call in calls if said.marker in call.user)


def _long_figures(found: Sequence[Streamed], plan: Plan) -> list[Figure]:
    name = f"{plan.tokens} tokens at {1 / GAP:.0f}/s"
    return [
        Figure(f"{name}: creates and edits, median", _middle(one.answer.calls for one in found), ""),
        Figure(f"{name}: creates and edits, most", max(one.answer.calls for one in found), "", at_most(CALLS_MOST)),
        Figure(f"{name}: first message, median", _middle(one.answer.first for one in found), "s"),
        Figure(f"{name}: last token to all shown, median", _middle(one.lag for one in found), "s"),
        Figure(f"{name}: last token to all shown, longest", max(one.lag for one in found), "s", at_most(LAG_MOST_S)),
    ]


def _many_figures(name: str, found: Sequence[Streamed]) -> list[Figure]:
    still = [one.answer.longest_still for one in found]
    return [
        Figure(f"{name}: first message, longest", max(one.answer.first for one in found), "s"),
        Figure(f"{name}: longest time without a change, median", _middle(still), "s"),
        Figure(f"{name}: longest time without a change, longest", max(still), "s", at_most(STILL_MOST_S)),
        Figure(f"{name}: last token to all shown, median", _middle(one.lag for one in found), "s"),
        Figure(f"{name}: last token to all shown, longest", max(one.lag for one in found), "s"),
    ]


def _middle(values: Iterable[float]) -> float:
    return float(statistics.median(values))
