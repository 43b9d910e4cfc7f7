"""The kill test's people on the fake Slack: in threads of a channel and in DMs, with all that Slack gets wrong."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.chaos.people import People
from tests.chaos.stage import Plan, Stage, Traffic, notice, whole
from tests.fakes.slack.deliver import Mode
from tests.fakes.slack.harness import FakeSlack, Said
from tests.fakes.slack.judge import Report, replies
from tests.fakes.slack.prepared import ALICE, BOB, C1, C2, CAROL
from tests.fakes.slack.socket import Goodbye
from tests.fakes.slack.world import SlackError

#: Fault probabilities per call of the bot; together about one call in twelve goes wrong.
FAULTS = {
    "reset": 0.01,
    "ratelimited": 0.01,
    "unavailable": 0.005,
    "internal_error": 0.005,
    "fatal_error": 0.003,
    "html": 0.003,
    "done_reset": 0.015,
    "done_unavailable": 0.01,
    "done_internal_error": 0.005,
    "done_late": 0.003,
    "late": 0.003,
    "slow": 0.02,
}
#: What Slack does besides: events twice, late, in another order, acks that get lost, reads that lag, short 429s; the
#: tiers are as much wider as the test is denser than a workspace.
SETTINGS: Mapping[str, Any] = {
    "copies": 2,
    "jitter": 0.1,
    "lost_ack": 0.05,
    "read_lag": 0.3,
    "retry_after": 0.5,
    "late": 2.0,
    "tier_factor": 100.0,
    "post_rate": 100.0,
    "post_burst": 100.0,
    "workspace_posts": 30_000.0,
    "stream_ttl": 20.0,
    # Slack gives an event up after three redeliveries; while a server is down, hourly ones would follow for a day.
    "delayed_every": 0.5,
}
#: Before this share of what people do, a socket gets into trouble.
_SOCKET_TROUBLE = 0.05
#: Why Slack tells a socket to go.
_GOODBYES: tuple[Goodbye, ...] = ("warning", "refresh_requested")


class Asked(NamedTuple):
    """A message of a person, and who that is."""

    said: Said
    user: str
    direct: bool


class SlackPeople(People):
    """Alice, Bob and Carol: they mention the bot in channels, go on in its threads, and write to it in private."""

    def __init__(
        self, slack: FakeSlack, chance: random.Random, conversations: int, rate: float, *, sockets: bool
    ) -> None:
        """`sockets`: now and then one of the app's sockets is told to go, or breaks."""
        super().__init__(chance, conversations, rate)
        self._slack = slack
        self._sockets = sockets
        self._most_threads = conversations
        self._threads: list[Asked] = []
        #: Messages that were deleted.
        self._gone: set[str] = set()

    async def one(self) -> None:
        if self._sockets and self.chance.random() < _SOCKET_TROUBLE:
            await self._trouble()
        await super().one()

    async def _trouble(self) -> None:
        open_ones = [one["id"] for one in await self._slack.sockets()]
        if not open_ones:
            return
        socket = self.chance.choice(open_ones)
        if self.chance.random() < 0.5:
            await self._slack.abort(socket)
        else:
            await self._slack.disconnect(self.chance.choice(_GOODBYES), socket)

    async def ask(self, text: str) -> Asked:
        while True:
            try:
                return await self._ask(text)
            except SlackError:
                # Whoever began the thread has deleted it.
                self._threads = [one for one in self._threads if one.said.id not in self._gone]

    async def _ask(self, text: str) -> Asked:
        user = self.chance.choice((ALICE, BOB, CAROL))
        if len(self._threads) >= self._most_threads:
            thread = self.chance.choice(self._threads)
            if thread.direct:
                # Only its person is there.
                said = await self._slack.ask(text, direct=True, user=thread.user, thread=thread.said.thread)
                return Asked(said, thread.user, direct=True)
            user = user if thread.said.channel == C1 or user != CAROL else BOB
            said = await self._slack.ask(text, user=user, channel=thread.said.channel, thread=thread.said.thread)
            return Asked(said, user, direct=False)
        if self.chance.random() < 0.3:
            asked = Asked(await self._slack.ask(text, direct=True, user=user), user, direct=True)
        else:
            channel = C1 if user == CAROL else self.chance.choice((C1, C2))
            asked = Asked(await self._slack.ask(text, user=user, channel=channel), user, direct=False)
        self._threads.append(asked)
        return asked

    async def edit(self, said: Any, text: str) -> None:
        mention = "" if said.direct else f"<@{self._slack.bot_user}> "
        await self._slack.edit(said.said, f"{mention}{text} {said.said.marker}")

    async def delete(self, said: Any) -> None:
        self._gone.add(said.said.id)
        await self._slack.delete(said.said)

    async def stop(self) -> bool:
        thread = self.chance.choice(self._threads)
        try:
            await self._slack.press_stop(thread.said.place, thread.user)
        except SlackError:  # nothing runs there; a person would have seen that
            return False
        return True


class SlackStage:
    """The fake Slack, reached over HTTP or by Socket Mode."""

    def __init__(self, slack: FakeSlack, plan: Plan) -> None:
        self._slack = slack
        self._socket = plan.sockets
        self.people = SlackPeople(
            slack, random.Random(plan.seed + 1), plan.conversations, plan.rate, sockets=plan.sockets
        )
        self.arguments = ["--slack"]
        self.environment = {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "KAGENTBOT_SLACK__API_URL": slack.api_url,
            "KAGENTBOT_SLACK__MODE": "socket" if plan.sockets else "http",
        }

    async def told(self, port: int) -> None:
        if not self._socket:
            await self._slack.app(url=f"http://127.0.0.1:{port}/slack/events")

    async def waiting(self) -> int:
        return len(await self._slack.quiesce(0.0))

    async def settle(self, timeout: float) -> None:
        await self._slack.quiesce(timeout)

    async def traffic(self) -> Traffic:
        return Traffic.of((await self._slack.replay()).entries)

    def judge(self) -> Report:
        return self._slack.judge(whole, notice=notice)

    async def failures(self) -> list[str]:
        shown = replies(await self._slack.replay())
        return [reply.text for reply in shown if notice(reply.text) == "failed"]


@asynccontextmanager
async def slack_stage(plan: Plan, folder: Path) -> AsyncIterator[Stage]:
    """A fake Slack of its own, with its log in this folder."""
    mode: Mode = "socket" if plan.sockets else "http"
    async with FakeSlack(folder / "slack.jsonl", mode=mode, seed=plan.seed, faults=FAULTS, **SETTINGS) as slack:
        yield SlackStage(slack, plan)
