"""One call of the REST API: what came with it, and what every route asks of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.fakes.discord import errors, permissions, shapes
from tests.fakes.discord.content import Upload
from tests.fakes.discord.limits import Refusal
from tests.fakes.discord.state import Discord
from tests.fakes.discord.world import Channel, DiscordError, Guild, Message

Json = dict[str, Any]


class TooMany(Exception):
    """A 429 that a route gives by itself, with a code of its own where Discord has one."""

    def __init__(self, refusal: Refusal, code: int = 0, message: str = "") -> None:
        super().__init__(message)
        self.refusal = refusal
        self.code = code
        self.message = message


class Answer(NamedTuple):
    """What a route answers where it isn't plain 200 with JSON."""

    body: Any
    status: int


@dataclass(slots=True)
class Call:
    """A call that is let through."""

    discord: Discord
    #: "POST /channels/{channel}/messages", and what the braces stand for.
    route: str
    ids: dict[str, str]
    query: Mapping[str, str]
    #: Its JSON; of a form, `payload_json`.
    body: Any = None
    uploads: dict[int, Upload] = field(default_factory=dict)
    #: The rate limit's headers.
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def form(self) -> Json:
        """A body that is an object."""
        if self.body is None:
            return {}
        if not isinstance(self.body, dict):
            raise errors.invalid_form("_", "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
        return self.body

    @property
    def bot(self) -> str:
        """The app's bot user."""
        return self.discord.app.id

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number of the query string."""
        given = self.query.get(name)
        if given is None:
            return default
        if not given.isdigit():
            raise errors.invalid_form(name, "NUMBER_TYPE_COERCE", f'Value "{given}" is not int.')
        if not least <= int(given) <= most:
            code = "NUMBER_TYPE_MAX" if int(given) > most else "NUMBER_TYPE_MIN"
            raise errors.invalid_form(name, code, f"int value should be between {least} and {most}.")
        return int(given)

    def flag(self, name: str) -> bool:
        """True or false of the query string."""
        return self.query.get(name, "").lower() in ("1", "true")

    def text(self, name: str, least: int, most: int) -> str:
        """A text of the body that must be there."""
        value = self.form.get(name)
        if not isinstance(value, str):
            raise errors.required(name)
        if not least <= len(value) <= most:
            raise errors.bad_length(name, least, most)
        return value

    def snowflake(self, value: Any, name: str) -> str:
        """An id, as a string or a number."""
        found = str(value)
        if not found.isdigit() or int(found) >= 1 << 63:
            raise errors.invalid_form(name, "NUMBER_TYPE_COERCE", f'Value "{value}" is not snowflake.')
        return found

    def guild(self) -> Guild:
        """A server that the bot is in."""
        guild = self.discord.guilds.get(self.snowflake(self.ids["guild"], "guild_id"))
        if guild is None or self.bot not in guild.members:
            raise errors.missing_access()
        return guild

    def channel(self) -> Channel:
        """A channel that the bot sees."""
        place = self.discord.channel(self.snowflake(self.ids["channel"], "channel_id"))
        if not self.discord.sees(place, self.bot):
            raise errors.missing_access()
        return place

    def thread(self) -> Channel:
        """A thread that the bot sees."""
        place = self.channel()
        if not place.is_thread:
            raise errors.wrong_channel_type()
        return place

    def allowed(self, place: Channel) -> int:
        """What the bot may do there."""
        return self.discord.permissions(place, self.bot)

    def need(self, place: Channel, bits: int) -> None:
        """All of these permissions."""
        if self.allowed(place) & bits != bits:
            raise errors.missing_permissions()

    def message(self, place: Channel) -> Message:
        """A message that the bot can name; private ones have no other way than their interaction."""
        message = self.discord.message(place.id, self.snowflake(self.ids["message"], "message_id"))
        if message.ephemeral_to:
            raise errors.unknown_message()
        return message

    def shown(self, message: Message) -> Json:
        """A message as the app may read it."""
        shown = shapes.message(self.discord, message)
        return shown if self.discord.app.reads_content else shapes.veiled(self.discord, shown)

    def charge(self, limit: str, major: str, code: int = 0, message: str = "") -> None:
        """Count the call against a limit of its own. Raises `TooMany`."""
        refusal = self.discord.limits.charge_within(limit, major, self.discord.config, self.headers)
        if refusal is not None:
            raise TooMany(refusal, code, message)


Run = Callable[[Call], Any]


@dataclass(frozen=True, slots=True)
class Method:
    """What is behind one route. None as its answer is 204."""

    run: Run
    #: One of `config.BUCKETS`.
    bucket: str = "other"
    #: Whether it wants the bot's token.
    token: bool = True
    #: Which of its ids have a limit of their own each.
    major: tuple[str, ...] = ("channel", "guild", "webhook", "token")
    #: Not counted against the 50 calls a second, as everything about interactions (facts "REST rate limits").
    exempt: bool = False


def check_writable(call: Call, place: Channel) -> None:
    """That the bot may write there: in DMs if the other one lets it, in threads with a permission of their own, and
    never in a locked one without Manage Threads. An archived one comes back by it (facts 4.8)."""
    if place.direct:
        check_reachable(call.discord, place.recipients[0])
        return
    if place.type not in (0, 2, 5, 10, 11, 12):
        raise DiscordError(400, 50008, "Cannot send messages in a non-text channel")
    call.need(place, permissions.SEND_MESSAGES_IN_THREADS if place.is_thread else permissions.SEND_MESSAGES)
    if place.is_thread and place.locked and not call.allowed(place) & permissions.MANAGE_THREADS:
        raise errors.archived(403)


def check_reachable(discord: Discord, user: str) -> None:
    """50007: they take no DMs, or share no server with the bot (facts 4.10)."""
    person = discord.user(user)
    shared = any(user in guild.members and discord.app.id in guild.members for guild in discord.guilds.values())
    if person.bot or not person.takes_dms or not shared:
        raise DiscordError(403, 50007, "Cannot send messages to this user")


def check_active(place: Channel) -> None:
    """50083 in the archive."""
    if place.archived:
        raise errors.archived()
