"""Discord as the core sends to it, and asks it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from adapters.chat.abilities import Abilities
from adapters.chat.pacing import Shares
from adapters.chat.sending import NOBODY, Sending
from adapters.chat.tasks import Tasks
from adapters.discord.asking.fetching import Files
from adapters.discord.asking.finding import Finding
from adapters.discord.asking.handing_out import send_file
from adapters.discord.asking.persons import Persons
from adapters.discord.asking.remembering import earlier
from adapters.discord.connection.rest import Rest
from adapters.discord.hearing.parse import Us
from adapters.discord.render.quiet import escaped
from adapters.discord.replying.doing import Ability
from adapters.discord.replying.persona import Personas
from adapters.discord.replying.reply import DiscordReply
from adapters.discord.replying.signs import Signs
from adapters.discord.replying.telling import Telling
from adapters.discord.replying.thread import Thread
from agent.clock import Clock
from agent.language import Text
from bot.messages import Asked, Attachment, Incoming, Person, ReplyFile, Target
from bot.ports import Ledger, Pace
from bot.posting import Patience, tidy

#: A quick answer is one post. A thousand tokens at a hundred a second are three messages then: seven calls at most.
PACE: Final = Pace(first=1.0, every=2.5)
#: Seconds after which the list of a channel's messages certainly has what was posted. Discord documents no lag; this is
#: what a replica may reasonably be behind.
READ_LAG_S: Final = 2.0


class DiscordOutbound(Sending):
    """Sends to Discord, fetches files from it, and asks it for a thread's past and for people: `bot.ports.Outbound`,
    `Fetches`, `Remembers`, `Knows`, `Hands` and `Finds`.
    """

    def __init__(
        self,
        rest: Rest,
        titles: Mapping[str, Text],
        *,
        files: Files,
        persons: Persons,
        us: Callable[[str], Us],
        persona: bool = False,
        serves: Callable[[str], bool] = lambda _: True,
        clock: Clock | None = None,
        pace: Pace = PACE,
        read_lag: float = READ_LAG_S,
        patience: Patience | None = None,
    ) -> None:
        """`titles`: what the steps of each tool are called. `us`: who we are in a server. `persona`: answer under the
        profile's name where that is granted. `serves`: whether a server is served. `rest` and `files` belong to this
        object and are closed with it.
        """
        super().__init__(pace, read_lag, clock=clock, patience=patience)
        self._rest = rest
        self._titles = titles
        self._files = files
        self._persons = persons
        self._finding = Finding(rest, serves)
        self._us = us
        self._tasks = Tasks()
        self._abilities: Abilities[Ability] = Abilities(self._clock.monotonic)
        self._shares = Shares(self._clock.monotonic)
        self._personas = Personas(rest, self._abilities, worn=persona)
        self._signs = Signs(rest, self._abilities)
        self._telling = Telling(rest, self._abilities, self._tasks)

    async def open(self, target: Target, ledger: Ledger, asked: Asked) -> DiscordReply:
        # No call yet: a turn that was taken over can work meanwhile, even if Discord is away.
        thread = self._thread(target, asked, ledger)
        poster = self._poster(ledger, thread)
        return DiscordReply(
            thread,
            ledger,
            poster,
            asked,
            shares=self._shares,
            signs=self._signs,
            telling=self._telling,
            titles=self._titles,
            clock=self._clock,
        )

    async def tidy(
        self, target: Target, since: datetime, known: Callable[[Sequence[str]], Awaitable[set[str]]]
    ) -> None:
        thread = self._thread(target, NOBODY)
        await tidy(thread.list_own, thread.delete, known, since)

    async def working(self, target: Target, asked: Asked) -> None:
        await self._signs.working(target, asked)

    async def idle(self) -> None:
        """Wait until nothing is left to do behind people's backs."""
        await self._tasks.idle()

    async def close(self) -> None:
        """End what was left to do behind people's backs, and close the connections."""
        await self._tasks.close()
        await self._files.close()
        await self._rest.close()

    async def fetch(self, target: Target, attachment: Attachment, most: int) -> bytes:
        """The file's bytes, see `bot.ports.Fetches`."""
        return await self._files.fetch(attachment, most)

    async def earlier(self, target: Target, before: datetime, most: int) -> Sequence[Incoming]:
        """What people have said in a thread before, see `bot.ports.Remembers`."""
        return await earlier(self._rest, self._us(target.workspace), target, before, most)

    async def person(self, workspace: str, user_id: str) -> Person:
        """Who somebody is, see `bot.ports.Knows`."""
        return await self._persons.person(workspace, user_id)

    async def hand(self, target: Target, asked: Asked, file: ReplyFile) -> None:
        """A file in the direct messages of whoever asked, see `bot.ports.Hands`."""
        await send_file(self._rest, asked.author.id, file, escaped(file.name))

    async def find(self, name: str) -> Target:
        """The place with this id, see `bot.ports.Finds`."""
        return await self._finding.find(name)

    async def reach(self, target: Target) -> None:
        """Whether we may post there, see `bot.ports.Finds`."""
        await self._finding.reach(target)

    def _thread(self, target: Target, asked: Asked, ledger: Ledger | None = None) -> Thread:
        return Thread(self._rest, self._abilities, self._personas, target, asked, ledger)
