"""Slack as the core sends to it, and asks it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from adapters.chat.sending import NOBODY, Sending
from adapters.chat.tasks import OUTSIDE, Tasks
from adapters.slack.asking import finding
from adapters.slack.asking.fetching import Files
from adapters.slack.asking.handing_out import send_file
from adapters.slack.asking.persons import person_of
from adapters.slack.connection.api import Identity
from adapters.slack.connection.clients import Clients
from adapters.slack.hearing.markup import escape
from adapters.slack.hearing.parse import Us, parse, time_of
from adapters.slack.replying.abilities import Abilities
from adapters.slack.replying.pacing import Pacing
from adapters.slack.replying.parts import OnStop, Parts
from adapters.slack.replying.pictures import Pictures, Waits
from adapters.slack.replying.reply import SlackReply
from adapters.slack.replying.signs import Signs
from adapters.slack.replying.thread import Thread, messages_of
from agent.clock import Clock
from agent.language import Text
from bot.messages import OVERHEARD, Asked, Attachment, Author, Incoming, Person, ReplyFile, Target
from bot.ports import Ledger, Pace
from bot.posting import Patience, tidy

log = logging.getLogger(__name__)

#: A quick answer is one post; a longer one changes so often while the workspace's budget has plenty.
PACE: Final = Pace(first=1.0, every=1.0)
#: Seconds after which conversations.replies certainly lists what was posted. Slack documents no lag, and none was
#: measured; this is what a replica may reasonably be behind.
READ_LAG_S: Final = 3.0


class SlackOutbound(Sending):
    """Sends to Slack, fetches files from it, and asks it for a thread's past and for people: `bot.ports.Outbound`,
    `Fetches`, `Remembers`, `Knows`, `Hands` and `Finds`.
    """

    def __init__(
        self,
        clients: Clients,
        titles: Mapping[str, Text],
        *,
        stop: Callable[[int, Author], Awaitable[object]],
        clock: Clock | None = None,
        pace: Pace = PACE,
        read_lag: float = READ_LAG_S,
        patience: Patience | None = None,
        picture_waits: Waits | None = None,
    ) -> None:
        """`titles`: what the steps of each tool are called. `stop` ends a turn whose stream a person has stopped: Slack
        sends an event, too, but that may be late. The clients belong to this object and are closed with it.
        """
        super().__init__(pace, read_lag, clock=clock, patience=patience)
        self._clients = clients
        self._titles = titles
        self._stop = stop
        self._picture_waits = picture_waits
        self._tasks = Tasks()
        self._abilities = Abilities(self._clock.monotonic)
        self._pacing = Pacing(self._clock.monotonic)
        self._signs = Signs(clients, self._abilities, self._tasks)
        self._files = Files(clients.api_url)

    async def open(self, target: Target, ledger: Ledger, asked: Asked) -> SlackReply:
        # No call yet: a turn that was taken over can work meanwhile, even if Slack is away.
        thread = Thread(self._clients, self._abilities, target, asked, ledger.nonce, is_job=ledger.is_job)
        poster = self._poster(ledger, thread)
        parts = Parts(
            thread,
            ledger,
            poster,
            abilities=self._abilities,
            pacing=self._pacing,
            signs=self._signs,
            clock=self._clock,
            on_stop=self._stopper(asked),
        )
        pictures = Pictures(
            thread, ledger, poster, clock=self._clock, api_url=self._clients.api_url, waits=self._picture_waits
        )
        return SlackReply(
            thread,
            parts,
            ledger,
            poster,
            asked,
            pictures=pictures,
            signs=self._signs,
            titles=self._titles,
            clock=self._clock,
        )

    async def tidy(
        self, target: Target, since: datetime, known: Callable[[Sequence[str]], Awaitable[set[str]]]
    ) -> None:
        thread = Thread(self._clients, self._abilities, target, NOBODY, "")
        await tidy(thread.list_own, thread.delete, known, since)

    async def working(self, target: Target, asked: Asked) -> None:
        try:
            await self._signs.begin(target, asked)
        except OUTSIDE as error:
            log.debug("no sign of work: %s", error)

    async def close(self) -> None:
        """End what was left to do behind people's backs, and close the connections."""
        await self._tasks.close()
        await self._clients.close()

    async def fetch(self, target: Target, attachment: Attachment, most: int) -> bytes:
        """The file's bytes, see `bot.ports.Fetches`."""
        return await self._files.fetch(await self._clients.api(target.workspace), attachment, most)

    async def earlier(self, target: Target, before: datetime, most: int) -> Sequence[Incoming]:
        """What people have said in a thread before, see `bot.ports.Remembers`. Bots, us among them, are left out."""
        api = await self._clients.api(target.workspace)
        us = us_of(api.identity, target.workspace)
        listed = await messages_of(api, target, latest=before)
        found = [_overheard(message, target, us) for message in listed if time_of(str(message["ts"])) < before]
        people = [one for one in found if one is not None and one.author.kind != "bot"]
        return people[-most:] if most > 0 else []

    async def person(self, workspace: str, user_id: str) -> Person:
        """Who somebody is, see `bot.ports.Knows`."""
        api = await self._clients.api(workspace)
        answer = await api.call("users.info", user=user_id, include_locale=True)
        return person_of(answer["user"], api.identity)

    async def hand(self, target: Target, asked: Asked, file: ReplyFile) -> None:
        """A file in the direct messages of whoever asked, see `bot.ports.Hands`."""
        api = await self._clients.api(target.workspace)
        note = escape(file.name)
        await send_file(api, asked.author.id, file.name, file.data, note, api_url=self._clients.api_url, place=target)

    async def find(self, name: str) -> Target:
        """The channel that people call so, see `bot.ports.Finds`."""
        return await finding.find(self._clients, name)

    async def reach(self, target: Target) -> None:
        """Whether we may post there, see `bot.ports.Finds`."""
        await finding.reach(self._clients, target)

    def _stopper(self, asked: Asked) -> OnStop:
        # Slack doesn't say who has pressed; whom the answer is for may.
        return lambda turn_id: self._stop(turn_id, asked.author)


def us_of(identity: Identity, workspace: str) -> Us:
    """Who we are in a workspace, for `parse`."""
    teams = frozenset(each for each in (identity.team_id, identity.enterprise_id) if each)
    return Us(
        workspace,
        identity.bot_user_id,
        identity.bot_id,
        teams=teams,
        org_wide=identity.org_wide,
    )


def _overheard(message: Mapping[str, Any], target: Target, us: Us) -> Incoming | None:
    """A listed message as if it had been overheard; None for noise, and for ours."""
    parsed = parse({"event": {**message, "type": "message", "channel": target.channel}}, us)
    if not isinstance(parsed, Incoming):
        return None
    return replace(parsed, target=target, address=OVERHEARD, earlier=False)
