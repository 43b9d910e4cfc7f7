"""The Discord adapter's sending side on the fake Discord, for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import Any, Literal, TypeAlias
from unittest import mock

import aiohttp
import discord
import pytest_asyncio
from discord.http import Route

from adapters.discord.asking.fetching import Files
from adapters.discord.asking.persons import Persons
from adapters.discord.connection import rest as rest_module
from adapters.discord.connection.rest import Rest
from adapters.discord.hearing.parse import DIRECT, Room, Us, target_of, time_of
from adapters.discord.outbound import DiscordOutbound
from adapters.discord.render.quiet import PARTING
from adapters.discord.replying.look import SUPPRESS_EMBEDS
from agent.language import Text
from bot.messages import Asked, Author, Target
from bot.ports import Pace, Receive, Reply
from bot.posting import Patience
from tests.contracts.ledger import Book, FakeLedger
from tests.contracts.workbench import Call, Fault, Place, Seen, Workbench
from tests.fakes import discord as fakes
from tests.fakes.discord.config import BUCKETS
from tests.fakes.discord.harness import FakeDiscord, Said
from tests.fakes.discord.prepared import ALICE, LIGHTHOUSE
from tests.fakes.discord.replay import BotMessage

#: The fake's reads lag by less than what the adapter waits for.
DISCORD_LAG, READ_LAG = 0.02, 0.04
#: Seconds after which the adapter gives a call up, and what the fake makes of a late one.
TIMEOUT, LATE = 0.25, 0.35
#: Buckets that no test uses up.
PLENTY = dict.fromkeys(BUCKETS, (1000, 5.0))

TITLES = {"search": Text("Search the web", "搜索网页"), "calculator": Text("Calculate", "计算")}

#: The contract's names of faults, where the fake's differ.
FAULTS: dict[Fault, str] = {"rate_limited": "ratelimited", "done_unavailable": "done_bad_gateway"}

#: Calls that are made once, whenever that is: who we are, and the webhook of a channel.
ONCE = frozenset({"GET /users/@me", "GET /applications/@me"})
_HOOKS = frozenset({"GET /channels/{channel}/webhooks", "POST /channels/{channel}/webhooks"})

POST = "POST /channels/{channel}/messages"
PATCH = "PATCH /channels/{channel}/messages/{message}"
DELETE = "DELETE /channels/{channel}/messages/{message}"
LIST = "GET /channels/{channel}/messages"
OPEN = "POST /channels/{channel}/messages/{message}/threads"
TYPING = "POST /channels/{channel}/typing"
POST_AS = "POST /webhooks/{webhook}/{token}"
PATCH_AS = "PATCH /webhooks/{webhook}/{token}/messages/{message}"
DELETE_AS = "DELETE /webhooks/{webhook}/{token}/messages/{message}"

_MARKS = str.maketrans("", "", "*`\\")

Where: TypeAlias = Literal["channel", "persona"]


@contextmanager
def pointed_at(fake: FakeDiscord, timeout: float = TIMEOUT) -> Iterator[None]:
    """The adapter calls this fake, and gives a call up soon."""
    with (
        mock.patch.object(Route, "BASE", fake.api_url),
        mock.patch.object(discord.Asset, "BASE", fake.url),
        mock.patch.object(rest_module, "CALL_TIMEOUT_S", timeout),
    ):
        yield


class Outbound(DiscordOutbound):
    """As in the server."""

    def __init__(self, fake: FakeDiscord, *, rest: Rest | None = None, **how: Any) -> None:
        self.rest = rest or Rest(fake.token)
        defaults: dict[str, Any] = {"pace": Pace(0, 0), "read_lag": READ_LAG, "patience": Patience(first=0.02)}
        super().__init__(
            self.rest,
            TITLES,
            files=Files(self.rest, fake.api_url),
            persons=Persons(self.rest),
            us=lambda _: Us(fake.application_id, fake.application_id),
            **(defaults | how),
        )


class DiscordWorkbench(Workbench):
    """The Discord adapter on the fake Discord: in a channel itself, or in a thread under the profile's name."""

    too_long = 2_100
    shows_pictures = True
    rate_limit = 0.15

    def __init__(self, fake: FakeDiscord, where: Where) -> None:
        self._fake = fake
        self._where = where
        self._outbounds: list[Outbound] = []
        #: Conversation → whom a reply there answers.
        self._asked: dict[str, Asked] = {}

    async def close(self) -> None:
        """Give back all that was opened."""
        for outbound in self._outbounds:
            await outbound.close()

    async def prepare(self) -> None:
        """Set the fake up for one test."""
        await self._fake.set(
            reset=True,
            buckets=PLENTY,
            global_rate=10_000,
            read_lag=DISCORD_LAG,
            late=LATE,
            retry_after=self.rate_limit,
        )

    def outbound(self) -> Outbound:
        made = Outbound(self._fake, persona=self._where == "persona")
        self._outbounds.append(made)
        return made

    async def place(self) -> Place:
        if self._where == "channel":
            place, asked = await asked_in(self._fake, await new_channel(self._fake))
        else:
            place, asked = await asked_in_thread(self._fake)
        self._asked[place.target.conversation_key] = asked
        return place

    async def reply(self, place: Place, book: Book, ledger: FakeLedger | None = None) -> Reply:
        asked = self._asked[place.target.conversation_key]
        if self._where == "persona":
            asked = replace(asked, name="Librarian")
        return await self.outbound().open(place.target, ledger or FakeLedger(book, since=place.since), asked)

    async def visible(self, place: Place) -> list[Seen]:
        replay = await self._fake.replay()
        return [Seen(id_of(message), shown(message.text)) for message in replay.visible(where(place))]

    def letters(self, text: str) -> str:
        # While a text grows, marks without a partner are none yet, or are given one.
        return "".join(text.translate(_MARKS).split())

    async def pictures(self, place: Place) -> list[tuple[str, str]]:
        replay = await self._fake.replay()
        seen = replay.visible(where(place))
        return [(id_of(message), picture["name"]) for message in seen for picture in message.pictures]

    async def created(self, place: Place) -> int:
        return len((await self._fake.replay()).created(where(place)))

    async def calls(self) -> int:
        return sum(call["method"] not in ONCE | _HOOKS for call in (await self._fake.replay()).calls)

    async def too_early(self) -> int:
        return sum(bool(call.get("early")) for call in (await self._fake.replay()).calls)

    async def rang(self, place: Place) -> int:
        return sum(len(message.pings) for message in (await self._fake.replay()).created(where(place)))

    async def fail(self, call: Call, fault: Fault, times: int = 1) -> None:
        as_bot = {"create": POST, "grow": PATCH, "finish": PATCH, "delete": DELETE, "list": LIST}
        as_hook = as_bot | {"create": POST_AS, "grow": PATCH_AS, "finish": PATCH_AS, "delete": DELETE_AS}
        route = (as_hook if self._where == "persona" else as_bot)[call]
        await self._fake.script(route, FAULTS.get(fault, fault), times=times)

    async def plant(self, place: Place, text: str) -> str:
        return await posted(self._fake, place, text)

    async def moderate(self, message_id: str) -> None:
        channel, message, *_ = message_id.split("/")
        await self._fake.control("delete", channel=channel, id=message)

    async def listen(self, receive: Receive) -> None:
        raise NotImplementedError("the receiving side has a workbench of its own")

    async def deliver(self, text: str, times: int) -> str:
        raise NotImplementedError

    async def acks(self, count: int) -> None:
        raise NotImplementedError

    async def no_ack(self) -> None:
        raise NotImplementedError


_channels = count(1)


async def new_channel(fake: FakeDiscord, kind: int = 0) -> str:
    """A channel of its own for a test."""
    made = await fake.control("add", kind="channel", guild=LIGHTHOUSE, name=f"room-{next(_channels)}", **_kind(kind))
    return str(made["id"])


def _kind(kind: int) -> dict[str, int]:
    return {"type": kind} if kind else {}


async def asked_in(fake: FakeDiscord, channel: str, text: str = "What is it?") -> tuple[Place, Asked]:
    """Somebody asks in a channel, where it is answered in place."""
    said = await fake.mention(text, channel=channel)
    return place_of(said), asked_by(said)


async def asked_for_thread(fake: FakeDiscord, text: str = "What is it?", **how: Any) -> tuple[Place, Asked]:
    """Somebody asks in a channel, where the answer opens a thread."""
    said = await fake.mention(text, **how)
    target = target_of(Room(LIGHTHOUSE, said.channel, said.message))
    return Place(target, time_of(said.message)), asked_by(said, text)


async def asked_in_thread(fake: FakeDiscord) -> tuple[Place, Asked]:
    """Somebody asks in a thread."""
    thread = await fake.open_thread("A thread", on=await fake.say("Hello"))
    said = await fake.mention("What is it?", channel=thread)
    return place_of(said), asked_by(said)


async def asked_directly(fake: FakeDiscord, user: str = ALICE) -> tuple[Place, Asked]:
    """Somebody asks in private."""
    said = await fake.dm("What is it?", user=user)
    return Place(target_of(Room(DIRECT, said.channel)), time_of(said.message)), asked_by(said, user=user)


def asked_by(said: Said, about: str = "What is it?", user: str = ALICE) -> Asked:
    """Whom the reply to this message answers."""
    return Asked(Author(user, "Alice"), said.message, "en", "kagentbot", "", about)


def place_of(said: Said) -> Place:
    """Where a message stands."""
    room = Room(LIGHTHOUSE, said.parent or said.channel, said.channel if said.parent else None)
    return Place(target_of(room), time_of(said.message))


def where(place: Place) -> fakes.Place:
    """The same place, as the fake names it."""
    return fakes.Place(place.target.channel, place.target.thread or "")


def channel_of(place: Place) -> Place:
    """The channel that a thread is in."""
    target = place.target
    return Place(Target(target.platform, target.workspace, target.channel, None, ""), place.since)


def id_of(message: BotMessage) -> str:
    """A message's id in the ledger."""
    return f"{message.id}/{message.webhook}" if message.webhook else message.id


def shown(text: str) -> str:
    """A text without what was added so that nothing in it rings."""
    return text.replace(PARTING, "")


async def posted(fake: FakeDiscord, place: Place, text: str, **more: Any) -> str:
    """A message that the app posts behind the adapter's back, as in a turn; its id."""
    channel = place.target.thread or place.target.channel
    body = {"content": text, "flags": SUPPRESS_EMBEDS, "allowed_mentions": {"parse": []}, **more}
    made = await call(fake, "POST", f"/channels/{channel}/messages", body)
    return f"{channel}/{made['id']}"


async def call(fake: FakeDiscord, method: str, path: str, body: Any = None) -> Any:
    """One call with the app's token, behind the adapter's back."""
    headers = {"Authorization": f"Bot {fake.token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, f"{fake.api_url}{path}", json=body) as response,
    ):
        answer = await response.json() if response.status != 204 else None
    assert response.status < 300, answer
    return answer


# Fixtures, for modules whose tests share one process of Discord: `running, fake, start = bench.running, …`.

#: Makes the adapter as a process that has just started.
Start = Callable[..., Outbound]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running() -> AsyncIterator[FakeDiscord]:
    """One process for all tests of a module; each test has places of its own."""
    async with FakeDiscord() as fake:
        with pointed_at(fake, timeout=5.0):
            yield fake


@pytest_asyncio.fixture(loop_scope="module")
async def fake(running: FakeDiscord) -> FakeDiscord:
    """The same, as new, with limits that don't bind."""
    await running.set(reset=True, buckets=PLENTY, global_rate=10_000)
    return running


@pytest_asyncio.fixture(loop_scope="module")
async def start(fake: FakeDiscord) -> AsyncIterator[Start]:
    """Makes the adapter; what was made is closed."""
    made: list[Outbound] = []

    def outbound(**how: Any) -> Outbound:
        made.append(Outbound(fake, **how))
        return made[-1]

    yield outbound
    for each in made:
        await each.close()


async def room(fake: FakeDiscord) -> tuple[Place, Asked]:
    """Somebody asks in a channel of this test's own, where it is answered in place."""
    return await asked_in(fake, await new_channel(fake))
