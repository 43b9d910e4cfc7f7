"""The kill test's people on the fake Discord: in channels, threads, a forum and in private, with all that Discord gets
wrong.

Discord tells a server that is down nothing, and doesn't tell it afterwards: what is said meanwhile has to be found.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.chaos.people import People
from tests.chaos.stage import Plan, Stage, Traffic, notice, whole
from tests.fakes.discord.config import BUCKETS
from tests.fakes.discord.harness import Ending, FakeDiscord, Said
from tests.fakes.discord.judge import Report, judge, replies
from tests.fakes.discord.prepared import ALICE, BOB, CAROL, FORUM_CHANNEL, GENERAL, MONA, NEWS_CHANNEL, PLANS, QUESTION
from tests.fakes.discord.replay import BotMessage
from tests.fakes.discord.world import DiscordError
from tests.fakes.judging import STOP_BUTTON

#: Fault probabilities per call of the bot; together about one call in twelve goes wrong.
FAULTS = {
    "reset": 0.01,
    "ratelimited": 0.01,
    "shared": 0.003,
    "global": 0.002,
    "unavailable": 0.005,
    "internal_error": 0.005,
    "bad_gateway": 0.003,
    "html": 0.003,
    "done_reset": 0.015,
    "done_internal_error": 0.005,
    "done_bad_gateway": 0.005,
    "done_late": 0.003,
    "late": 0.003,
    "slow": 0.02,
}
#: What Discord does besides: events twice, late, those of other channels first; short 429s; the
#: buckets are as much wider as the test is denser than a server.
SETTINGS: Mapping[str, Any] = {
    "copies": 2,
    "jitter": 0.1,
    "retry_after": 0.5,
    "late": 2.0,
    "buckets": dict.fromkeys(BUCKETS, (500, 5.0)),
    "global_rate": 5_000,
    "identifies": 100_000,
    # Each killed server leaves a session behind, which the fake goes on telling.
    "resume_ttl": 20.0,
}
#: Before this share of what people do, the connection gets into trouble.
_TROUBLE = 0.03
#: The share of people who say nothing while it is down.
_WAIT = 0.7
#: How it ends: 1001, op 7, op 9 with and without a session that goes on, and without a word.
_ENDINGS: Final[tuple[Ending, ...]] = ("close", "reconnect", "resumable", "invalid", "abort")
#: Everybody, and the channels where they are.
_CHANNELS: Final = {
    ALICE: (GENERAL, PLANS, NEWS_CHANNEL),
    BOB: (GENERAL, NEWS_CHANNEL),
    CAROL: (GENERAL, NEWS_CHANNEL),
    MONA: (GENERAL, PLANS, NEWS_CHANNEL),
}
#: Seconds until a server is connected, at most.
_CONNECTED_S = 1.5
#: Seconds without anything new after which nothing more is to be hoped for.
_QUIET_S = 4.0
#: Seconds until everybody's first words in private are answered.
_ACQUAINTED_S = 30.0


class Asked(NamedTuple):
    """A message of a person, and who that is."""

    said: Said
    user: str
    #: How it was addressed to the bot: a mention, or nothing in private and in a reply.
    prefix: str


class DiscordPeople(People):
    """They mention the bot in channels, go on in its threads by mentions and replies, post in the forum, and write to
    it in private; now and then the gateway's connection ends."""

    slow = 0.15

    def __init__(self, discord: FakeDiscord, chance: random.Random, conversations: int, rate: float) -> None:
        super().__init__(chance, conversations, rate)
        self._discord = discord
        self._most_threads = conversations
        #: First messages of threads.
        self._threads: list[Asked] = []

    async def one(self) -> None:
        # People see that the bot is offline, and most of them wait; otherwise it would have little but the past to do.
        if not (await self._discord.replay()).connected and self.chance.random() < _WAIT:
            return
        if self.chance.random() < _TROUBLE:
            await self._discord.disconnect(self.chance.choice(_ENDINGS))
        await super().one()

    async def acquaint(self) -> None:
        """Everybody says something in private: nobody can find a DM that it has never seen."""
        said = [await self._discord.ask("hello", direct=True, user=user) for user in _CHANNELS]
        places = {one.place for one in said}
        await self._discord.until(lambda replay: places <= {m.place for m in replay.visible()}, _ACQUAINTED_S)

    async def ask(self, text: str) -> Asked:
        while True:
            try:
                return await self._ask(text)
            except DiscordError:
                # The thread is gone with the message that it was opened from, or the message that one replied to.
                self._threads = [one for one in self._threads if await self._is_there(one)]

    async def _ask(self, text: str) -> Asked:
        user = self.chance.choice(tuple(_CHANNELS))
        if self.chance.random() < 0.1:
            return Asked(await self._discord.ask(text, direct=True, user=user), user, "")
        if len(self._threads) < self._most_threads:
            begun = await self._begin(text, user)
            self._threads.append(begun)
            return begun
        return await self._go_on(text, user)

    async def _begin(self, text: str, user: str) -> Asked:
        """Somewhere new."""
        if self.chance.random() < 0.1:
            said = await self._discord.ask(text, post="A question", channel=FORUM_CHANNEL, user=user, tags=[QUESTION])
        else:
            said = await self._discord.ask(text, user=user, channel=self.chance.choice(_CHANNELS[user]))
        return Asked(said, user, self._mention)

    async def _go_on(self, text: str, user: str) -> Asked:
        """In a thread that there is, or below a message in a channel while there is none."""
        begun = self.chance.choice(self._threads)
        if not begun.said.parent and begun.said.channel not in _CHANNELS[user]:
            user = begun.user
        replay = await self._discord.replay()
        human = replay.humans[begun.said.id]
        where = human.place.thread or human.place.channel
        answers = [m for m in replay.visible(human.place) if not m.hooked and not m.webhook]
        if answers and self.chance.random() < 0.3:
            to: BotMessage = self.chance.choice(answers)
            said = await self._discord.ask(text, user=user, channel=where, mention=False, reply_to=to.message)
            return Asked(said, user, "")
        return Asked(await self._discord.ask(text, user=user, channel=where), user, self._mention)

    async def edit(self, said: Any, text: str) -> None:
        await self._tried(self._discord.edit(said.said, f"{said.prefix}{text} {said.said.marker}"))

    async def delete(self, said: Any) -> None:
        await self._tried(self._discord.delete(said.said))

    async def stop(self) -> bool:
        replay = await self._discord.replay()
        running = [
            (message, name)
            for message in replay.visible()
            for name in message.buttons
            if name.partition(":")[0] == STOP_BUTTON
        ]
        if not running:
            return False
        message, name = self.chance.choice(running)
        presser = ALICE if message.place.channel not in _CHANNELS[BOB] else BOB
        try:
            pressed = await self._discord.press(name, on=message, user=presser)
        except DiscordError:  # the button went away in the meantime; a person would shrug
            return False
        return bool(pressed["outcome"] != "failed")

    @property
    def _mention(self) -> str:
        return f"<@{self._discord.application_id}> "

    async def _is_there(self, asked: Asked) -> bool:
        place = asked.said.thread
        known = {one["id"] for one in (await self._discord.world())["channels"]}
        return place in known or (not asked.said.parent and asked.said.channel in known)

    async def _tried(self, doing: Any) -> None:
        """What was said may be gone, with the thread that it was in."""
        try:
            await doing
        except DiscordError:
            return


class DiscordStage:
    """The fake Discord."""

    def __init__(self, discord: FakeDiscord, plan: Plan) -> None:
        self._discord = discord
        self.people = DiscordPeople(discord, random.Random(plan.seed + 1), plan.conversations, plan.rate)
        self.arguments = ["--discord"]
        self.environment = discord.environment() | {"KAGENTBOT_DISCORD__PERSONA": str(plan.named).lower()}
        self._acquainted = False

    async def told(self, port: int) -> None:
        if not self._acquainted:
            await self._discord.until_connected()
            await self.people.acquaint()
            self._acquainted = True
            return
        # One that is to die at a crash point may not come so far.
        with contextlib.suppress(TimeoutError):
            await self._discord.until_connected(timeout=_CONNECTED_S)

    async def waiting(self) -> int:
        # Nothing is acked here: what the server hasn't found yet is no burden to it.
        return 0

    async def settle(self, timeout: float) -> None:
        """Until no message is without an outcome, or nothing happens any more."""
        deadline = time.monotonic() + timeout
        entries: Sequence[Any] = (await self._discord.replay()).entries
        seen, since = len(entries), time.monotonic()
        while judge(entries, notice=notice).count("missing"):
            if time.monotonic() > min(deadline, since + _QUIET_S):
                return
            await asyncio.sleep(0.5)
            entries = (await self._discord.replay()).entries
            if len(entries) > seen:
                seen, since = len(entries), time.monotonic()

    async def traffic(self) -> Traffic:
        entries = (await self._discord.replay()).entries
        done = [e for e in entries if e["kind"] in ("reworded", "erased", "pressed") or _is_said(e)]
        people_s = {entry["subject"] for entry in entries if _is_said(entry)}
        heard = [
            any(session["live"] for session in entry["sessions"])
            for entry in entries
            if entry["kind"] == "told" and entry["subject"] in people_s
        ]
        return Traffic(len(done), sum(heard), len(heard) - sum(heard), ("told to a connection", "while there was none"))

    def judge(self) -> Report:
        return self._discord.judge(whole, notice=notice)

    async def failures(self) -> list[str]:
        shown = replies(await self._discord.replay())
        return [reply.text for reply in shown if notice(reply.text) == "failed"]


def _is_said(entry: Mapping[str, Any]) -> bool:
    return entry["kind"] == "said" and not entry["bot"] and entry["readable"]


@asynccontextmanager
async def discord_stage(plan: Plan, folder: Path) -> AsyncIterator[Stage]:
    """A fake Discord of its own, with its log in this folder."""
    async with FakeDiscord(folder / "discord.jsonl", seed=plan.seed, faults=FAULTS, **SETTINGS) as discord:
        yield DiscordStage(discord, plan)
