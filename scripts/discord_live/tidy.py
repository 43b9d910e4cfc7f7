"""Nothing of a check stays behind, as far as the bot may delete it."""

from __future__ import annotations

from adapters.discord.hearing.parse import time_of
from bot.posting import Refused
from scripts.discord_live.check import MESSAGE, Check
from scripts.live.failing import Failed

#: What is gone already: a message, a channel.
_GONE = frozenset({"10003", "10008"})


async def tidy(check: Check) -> list[str]:
    """Delete all that the check, the bot and the person have written in it; what could not be deleted, as
    `channel/message`.
    """
    left: list[str] = []
    # Threads first: with the message that it was opened from, a thread isn't gone.
    for place in reversed(check.places):
        try:
            left += await _empty(check, place)
        except (Failed, Refused):
            left.append(place)
    return list(dict.fromkeys(left))


async def _empty(check: Check, place: str) -> list[str]:
    """Delete what was said in a place since the check began; a thread of the bot's as a whole, where it may."""
    if place not in (check.channel, check.direct) and not await _refusal(check, "/channels/{channel_id}", place):
        return []
    left = []
    for message in await check.messages(place):
        if time_of(str(message["id"])).timestamp() < check.since - 5.0:
            continue
        # In private everybody deletes their own.
        if place == check.direct and not check.is_ours(message):
            continue
        code = await _refusal(check, MESSAGE, place, message_id=str(message["id"]))
        if code:
            left.append(f"{place}/{message['id']} ({code})")
    return left


async def _refusal(check: Check, path: str, place: str, **ids: str) -> str:
    """Discord's code for a deletion; "": it is gone."""
    try:
        await check.bot.refusable("DELETE", path, channel_id=place, **ids)
    except Refused as refused:
        return "" if refused.code in _GONE else refused.code
    return ""
