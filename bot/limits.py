"""Who is served, and how much: deny lists before allow lists, then limits of a person and of a channel.

Counted are turns that were let in (one per message, commands not) and the tokens of their answers, which are known
when an answer is complete: what is being written counts with the next message.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.messages import Author, Incoming, Target
from bot.settings.access import AccessSettings, LimitSettings
from bot.settings.machine import is_zone
from bot.store import people, usage
from bot.store.dialect import serialise
from bot.store.usage import Whose

_MINUTE: Final = timedelta(minutes=1)
_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class _Allowance:
    """What one person, or one channel, may use; 0 is no limit."""

    who: Literal["user", "channel"]
    minute: int
    minute_tokens: int
    day: int
    day_tokens: int

    @property
    def any(self) -> bool:
        return any((self.minute, self.minute_tokens, self.day, self.day_tokens))


class Limits:
    """`bot.ports.Gate` by the settings."""

    def __init__(
        self,
        access: AccessSettings,
        limits: LimitSettings,
        zone: ZoneInfo,
        *,
        spares: Callable[[str], bool] = lambda text: False,
    ) -> None:
        """`spares`: whether a text is a command that nobody is denied, such as having one's data deleted."""
        self._access = access
        self.zone = zone
        self._spares = spares
        self.user = _Allowance(
            "user",
            limits.user_per_minute,
            limits.user_tokens_per_minute,
            limits.user_per_day,
            limits.user_tokens_per_day,
        )
        self.channel = _Allowance(
            "channel",
            limits.channel_per_minute,
            limits.channel_tokens_per_minute,
            limits.channel_per_day,
            limits.channel_tokens_per_day,
        )

    def is_operator(self, platform: str, workspace: str, user_id: str) -> bool:
        """Whether the settings name somebody as an operator."""
        return _named(self._access.operators, platform, workspace, user_id)

    def may_benchmark(self, platform: str, workspace: str, user_id: str) -> bool:
        """Whether the settings grant somebody who is no operator to run benchmarks."""
        return _named(self._access.benchmark, platform, workspace, user_id)

    def denied(self, target: Target, author: Author, *, direct: bool) -> str | None:
        """Why somebody isn't served here at all, as a code of `bot.texts`; None if they are."""
        access = self._access
        place = (target.platform, target.workspace)
        if _named(access.deny_users, *place, author.id):
            return "denied_user"
        if _named(access.deny_channels, *place, target.channel):
            return "denied_channel"
        if access.allow_users and not _named((*access.allow_users, *access.operators), *place, author.id):
            return "denied_user"
        # Nobody can know beforehand what channel a direct conversation will be.
        if access.allow_channels and not direct and not _named(access.allow_channels, *place, target.channel):
            return "denied_channel"
        return None

    def refusal(self, connection: Connection, incoming: Incoming, now: datetime, *, free: bool) -> str | None:
        """`bot.ports.Gate.refusal`; a limit's code ends with `@` and the Unix time when it is over."""
        target, author = incoming.target, incoming.author
        denied = self.denied(target, author, direct=incoming.address.direct)
        if denied is not None and not (free and self._spares(incoming.text)):
            return denied
        return None if free else self._limited(connection, target, author, now)

    def again(self, connection: Connection, target: Target, author: Author, now: datetime) -> str | None:
        """`bot.ports.Gate.again`. The channel was let in when the question was."""
        if _named(self._access.deny_users, target.platform, target.workspace, author.id):
            return "denied_user"
        return self._limited(connection, target, author, now)

    def admitted_again(
        self, connection: Connection, target: Target, author: Author, old_turn_id: int, turn_id: int, now: datetime
    ) -> None:
        """`bot.ports.Gate.admitted_again`: it counts like another question, of whoever asked for it."""
        usage.move(connection, turn_id, old_turn_id)
        usage.admitted(connection, target, author, turn_id, now)

    def _limited(self, connection: Connection, target: Target, author: Author, now: datetime) -> str | None:
        return self._exhausted(
            connection, self.user, Whose(target.platform, target.workspace, user_id=author.id), now
        ) or self._exhausted(
            connection, self.channel, Whose(target.platform, target.workspace, channel=target.channel), now
        )

    def admitted(self, connection: Connection, incoming: Incoming, turn_id: int, now: datetime) -> None:
        """`bot.ports.Gate.admitted`."""
        usage.admitted(connection, incoming.target, incoming.author, turn_id, now)

    def zone_of(self, connection: Connection, whose: Whose) -> ZoneInfo:
        """The zone whose midnights begin the days: the person's as far as it is known, else the server's."""
        if whose.user_id is None:
            return self.zone
        known = people.known(connection, whose.platform, whose.workspace, [whose.user_id]).get(whose.user_id)
        return ZoneInfo(known.zone) if known is not None and is_zone(known.zone) else self.zone

    def _exhausted(self, connection: Connection, allowance: _Allowance, whose: Whose, now: datetime) -> str | None:
        if not allowance.any:
            return None
        # Of two messages that arrive together the second one shall count the first one.
        serialise(connection, "\0".join(("limits", allowance.who, *whose.key)))
        if allowance.minute or allowance.minute_tokens:
            recent = usage.since(connection, whose, now - _MINUTE)
            over = [
                _until(allowance.minute, [(one.at, 1) for one in recent]),
                _until(allowance.minute_tokens, [(one.at, one.tokens) for one in recent]),
            ]
            for until, kind in zip(over, ("minute", "tokens_minute"), strict=True):
                if until is not None:
                    return _code(allowance.who, kind, until)
        if allowance.day or allowance.day_tokens:
            begun, ends = day(now, self.zone_of(connection, whose))
            total = usage.total(connection, whose, begun)
            if allowance.day and total.turns >= allowance.day:
                return _code(allowance.who, "day", ends)
            if allowance.day_tokens and total.tokens >= allowance.day_tokens:
                return _code(allowance.who, "tokens_day", ends)
        return None


def day(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The midnights before and after this moment in a zone."""
    today = now.astimezone(zone).date()
    begun, ends = (datetime.combine(date, time.min, zone) for date in (today, today + timedelta(days=1)))
    return begun, ends


def _until(most: int, used: Collection[tuple[datetime, int]]) -> datetime | None:
    """When less than `most` of what was used (the newest first) will lie within a minute; None if it does now."""
    total = 0
    for at, amount in used if most else ():
        total += amount
        if total >= most:
            return at + _MINUTE
    return None


def _code(who: str, kind: str, until: datetime) -> str:
    # Whole minutes, because that is how people are told.
    at = math.ceil(until.timestamp() / _SECONDS) * _SECONDS
    return f"limit_{who}_{kind}@{at}"


def _named(entries: Collection[str], platform: str, workspace: str, id_: str) -> bool:
    return f"{platform}:{id_}" in entries or f"{platform}:{workspace}:{id_}" in entries
