"""The Slack adapter's sending side on the fake Slack, for tests."""

from __future__ import annotations

import time
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.connection.clients import Clients, TokenInstallations
from adapters.slack.hearing.parse import target_of, time_of
from adapters.slack.outbound import SlackOutbound
from adapters.slack.render.markdown import PARTING, THIN
from adapters.slack.replying.pictures import Waits
from agent.language import Text
from bot.budget import Rate, RateBudget
from bot.messages import Asked, Author
from bot.ports import Pace, Receive, Reply
from bot.posting import Patience
from tests.contracts.ledger import Book, FakeLedger
from tests.contracts.workbench import Call, Fault, Place, Seen, Workbench
from tests.fakes import slack
from tests.fakes.slack.harness import FakeSlack, Said
from tests.fakes.slack.prepared import ALICE, C1, T1

#: The fake's reads lag by less than what the adapter waits for.
SLACK_LAG, READ_LAG = 0.05, 0.1
#: Seconds after which the adapter gives a call up, and what the fake makes of a late one.
TIMEOUT, LATE = 0.25, 0.35

TITLES = {"search": Text("Search the web", "搜索网页"), "calculator": Text("Calculate", "计算")}

#: The contract's names of faults, where the fake's differ.
FAULTS: dict[Fault, str] = {"rate_limited": "ratelimited"}

#: Whom replies of the contracts answer.
ASKED = Asked(Author(ALICE, "Alice"), "1", "en", "kagentbot")


class QuickClients(Clients):
    """Clients that give a call up soon."""

    def plenty(self) -> None:
        """Let no call wait for the budget."""
        self._budget = RateBudget(lambda _: Rate(60_000, 1_000), time.monotonic)

    def client(self, token: str | None) -> AsyncWebClient:
        made = super().client(token)
        made.timeout = TIMEOUT  # type: ignore[assignment]  # aiohttp takes fractions
        return made


class Outbound(SlackOutbound):
    """As in the server, with a token; keeps what was stopped."""

    def __init__(self, fake: FakeSlack, **how: Any) -> None:
        self.stopped: list[int] = []
        monotonic = {"monotonic": how["clock"].monotonic} if "clock" in how else {}
        self.clients = QuickClients(
            lambda clients: TokenInstallations(clients, fake.bot_token), api_url=fake.api_url, **monotonic
        )
        waits = Waits(first=0.02, longest=0.05, most=0.3, again=(0.02, 0.05))
        defaults: dict[str, Any] = {
            "pace": Pace(0, 0),
            "read_lag": READ_LAG,
            "patience": Patience(first=0.02),
            "picture_waits": waits,
        }
        super().__init__(self.clients, TITLES, stop=self._stopped, **(defaults | how))

    async def _stopped(self, turn_id: int, by: Author) -> None:
        self.stopped.append(turn_id)


class SlackWorkbench(Workbench):
    """The Slack adapter on the fake Slack, with streams or, as where Slack refuses them, with edits."""

    too_long = 7_100
    shows_pictures = True
    rate_limit = 1.0

    def __init__(self, fake: FakeSlack, *, streams: bool) -> None:
        self._fake = fake
        self._streams = streams
        self._outbounds: list[Outbound] = []

    async def close(self) -> None:
        """Give back all that was opened."""
        for outbound in self._outbounds:
            await outbound.close()

    async def prepare(self) -> None:
        """Set the fake up for one test."""
        await self._fake.set(
            reset=True, copies=0, limits=False, read_lag=SLACK_LAG, late=LATE, retry_after=self.rate_limit
        )
        if not self._streams:
            await self._fake.script("chat.startStream", "channel_type_not_supported", times=1_000)

    def outbound(self) -> Outbound:
        made = Outbound(self._fake)
        made.clients.plenty()
        self._outbounds.append(made)
        return made

    async def place(self) -> Place:
        return place_of(await self._fake.say("What is it?"))

    async def reply(self, place: Place, book: Book, ledger: FakeLedger | None = None) -> Reply:
        return await self.outbound().open(place.target, ledger or FakeLedger(book, since=place.since), ASKED)

    async def visible(self, place: Place) -> list[Seen]:
        replay = await self._fake.replay()
        return [Seen(message.ts, shown(message.text)) for message in replay.visible(where(place))]

    def letters(self, text: str) -> str:
        return "".join(text.split())

    async def pictures(self, place: Place) -> list[tuple[str, str]]:
        replay = await self._fake.replay()
        seen = replay.visible(where(place))
        return [(message.ts, picture["name"]) for message in seen for picture in message.pictures]

    async def created(self, place: Place) -> int:
        return len((await self._fake.replay()).created(where(place)))

    async def calls(self) -> int:
        # Who we are is asked once, whenever that is.
        return sum(call["method"] != "auth.test" for call in (await self._fake.replay()).calls)

    async def too_early(self) -> int:
        return sum(call["early"] for call in (await self._fake.replay()).calls)

    async def rang(self, place: Place) -> int:
        return sum(len(message.pings) for message in (await self._fake.replay()).created(where(place)))

    async def fail(self, call: Call, fault: Fault, times: int = 1) -> None:
        for method in self._methods(call):
            await self._fake.script(method, FAULTS.get(fault, fault), times=times)

    async def plant(self, place: Place, text: str) -> str:
        target = place.target
        method = "chat.startStream" if self._streams else "chat.postMessage"
        recipient = {"recipient_user_id": ALICE, "recipient_team_id": T1} if self._streams else {}
        made = await call(
            self._fake, method, channel=target.channel, thread_ts=target.thread, markdown_text=text, **recipient
        )
        return str(made["ts"])

    async def moderate(self, message_id: str) -> None:
        await self._fake.control("delete", channel=C1, ts=message_id)

    async def listen(self, receive: Receive) -> None:
        raise NotImplementedError("the receiving side has a workbench of its own")

    async def deliver(self, text: str, times: int) -> str:
        raise NotImplementedError

    async def acks(self, count: int) -> None:
        raise NotImplementedError

    async def no_ack(self) -> None:
        raise NotImplementedError

    def _methods(self, call: Call) -> tuple[str, ...]:
        if call in ("grow", "finish"):
            streamed = {"grow": "chat.appendStream", "finish": "chat.stopStream"}[call]
            return (streamed,) if self._streams else ("chat.update",)
        if call == "create":
            return ("chat.startStream", "chat.postMessage") if self._streams else ("chat.postMessage",)
        return {"delete": ("chat.delete",), "list": ("conversations.replies",)}[call]


def place_of(said: Said) -> Place:
    """Where the app answers a person's message."""
    return Place(target_of(T1, said.channel, said.thread), time_of(said.ts))


def where(place: Place) -> slack.Place:
    """The same place, as the fake names it."""
    return slack.Place(place.target.channel, place.target.thread or "")


def shown(text: str) -> str:
    """A text without what was added so that nothing in it rings."""
    return text.replace(PARTING, "").replace(THIN, "")


async def call(fake: FakeSlack, method: str, **arguments: Any) -> dict[str, Any]:
    """One call with the app's token, behind the adapter's back."""
    headers = {"Authorization": f"Bearer {fake.bot_token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{fake.api_url}{method}", json=arguments) as response,
    ):
        answer: dict[str, Any] = await response.json()
    assert answer["ok"], answer
    return answer
