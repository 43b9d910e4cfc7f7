"""Our own messages as Discord lists them, and what their flags say that they are.

Several kinds of them may stand in one channel. Those of turns ring as Discord's messages do and have no previews of
links. An answer that stands in the channel because its thread couldn't be opened belongs to another conversation: it
may have previews. What jobs post doesn't ring; what is in no ledger (`handing_out`) doesn't, and has no previews.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from adapters.discord import limits
from adapters.discord.connection.listing import listed
from adapters.discord.connection.rest import Rest
from adapters.discord.hearing.parse import Us, is_ours, snowflake_at, time_of
from adapters.discord.replying.look import SUPPRESS_EMBEDS, SUPPRESS_NOTIFICATIONS
from bot.posting import Own

Json = Mapping[str, Any]

#: Flags of a turn's messages; of those beside their conversation; of a job's.
OF_TURN: Final = SUPPRESS_EMBEDS
BESIDE: Final = 0
OF_JOB: Final = SUPPRESS_NOTIFICATIONS
_KINDS: Final = SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS
#: Types of messages that somebody has said, and not Discord.
SAID: Final = frozenset({0, 19})


class Sent(NamedTuple):
    """The id of a message of ours: where it is, and, of a webhook's, which."""

    place: str
    message: str
    hook: str = ""

    @classmethod
    def of(cls, external_id: str) -> Sent:
        """What the ledger has, taken apart."""
        return cls(*external_id.split("/"))

    def __str__(self) -> str:
        return "/".join(self if self.hook else self[:2])


async def list_own(rest: Rest, place: str, since: datetime, wanted: Callable[[Json], bool]) -> list[Own]:
    """Our messages in a channel or thread from `since` on, of these kinds. Raises as `Rest.call` does."""
    await rest.ready()
    us = Us(str(rest.user_id), str(rest.application_id))
    found: list[Own] = []
    after = max(0, snowflake_at(since) - 1)
    while True:
        page = await listed(rest, place, after=after)
        for message in page:
            if message.get("type") in SAID and is_ours(message, us) and wanted(message):
                sent = Sent(place, str(message["id"]), str(message.get("webhook_id") or ""))
                found.append(Own(str(sent), time_of(sent.message)))
        if len(page) < limits.MESSAGES_PER_PAGE:
            return [own for own in found if own.created_at >= since]
        after = int(page[0]["id"])


def is_turns(message: Json) -> bool:
    """Whether it is a turn's, of the conversation of the place where it is."""
    return not _flags(message) & SUPPRESS_NOTIFICATIONS and not _is_beside(message) and not _is_response(message)


def is_jobs(message: Json) -> bool:
    """Whether a job has posted it."""
    return _flags(message) & _KINDS == OF_JOB and not _is_response(message)


def answers_beside(message: Json, question: str) -> bool:
    """Whether it answers this question in the channel although its conversation is a thread."""
    return _is_beside(message) and _answers(message) == question


def _is_beside(message: Json) -> bool:
    return _flags(message) & _KINDS == BESIDE and bool(_answers(message))


def _is_response(message: Json) -> bool:
    """Whether it answers an interaction."""
    return bool(message.get("interaction_metadata") or message.get("interaction"))


def _answers(message: Json) -> str:
    return str((message.get("message_reference") or {}).get("message_id") or "")


def _flags(message: Json) -> int:
    return int(message.get("flags") or 0)
