"""Steps 12 to 17: what Discord takes, and how much of it."""

from __future__ import annotations

import time
import uuid

from adapters.discord import limits
from adapters.discord.replying.look import Look, stop_row
from bot.posting import Refused
from scripts.discord_live import texts
from scripts.discord_live.check import MESSAGE, MESSAGES, Check, Json

#: Two UTF-16 units, one character.
_ASTRAL = "🌊"
#: Seconds within which what was posted has to be listed.
_LISTED_S = 10.0


async def nonce(check: Check) -> str:
    """The same nonce twice: the same message."""
    name = f"live{uuid.uuid4().hex[:12]}"
    content = texts.PROBE.say(check.lang)
    posted = [await check.post(content, nonce=name) for _ in range(2)]
    if posted[0]["id"] != posted[1]["id"]:
        raise check.fail(texts.NOT_ONE, texts.FIX_REPORT)
    check.measured(texts.NONCE_KEPT)
    return ""


async def size(check: Check) -> str:
    """How Discord counts the characters of a message."""
    taken = {}
    for name, letter in (("plain", "a"), ("others", _ASTRAL)):
        taken[name] = await _most(check, letter)
    check.measured(texts.SIZE_TAKEN, **taken)
    if taken["plain"] < limits.CONTENT:
        raise check.fail(texts.TOO_SMALL, texts.FIX_SIZE, size=limits.CONTENT, code="50035")
    return ""


async def _most(check: Check, letter: str) -> int:
    """The longest of a few lengths that Discord takes."""
    for count in (limits.CONTENT, limits.CONTENT // 2):
        try:
            await check.post(letter * count)
        except Refused:
            continue
        return count
    return 0


async def edits(check: Check) -> str:
    """A draft becomes the end: its text is another one, and its button is gone."""
    posted = await check.post("…", components=list(stop_row(0, check.lang)))
    body = Look(texts.PROBE.say(check.lang)).content
    changed: Json = await check.bot("PATCH", MESSAGE, channel_id=check.channel, message_id=posted["id"], json=body)
    if changed.get("components"):
        raise check.fail(texts.KEPT_BUTTONS, texts.FIX_REPORT)
    return ""


async def listed(check: Check) -> str:
    """What the gateway tells of must be in the list: catching up reads it there."""
    begun = time.monotonic()
    posted = await check.post(texts.PROBE.say(check.lang))

    async def look() -> bool:
        return any(one["id"] == posted["id"] for one in await check.messages(check.channel))

    if not await check.until(look, _LISTED_S):
        raise check.fail(texts.UNLISTED, texts.FIX_REPORT)
    check.measured(texts.LISTED_AFTER, seconds=f"{time.monotonic() - begun:.2f}")
    return ""


async def webhook(check: Check) -> str:
    """A webhook of ours posts under another name, changes what it posted, and goes."""
    if not check.webhooks:
        return texts.NO_WEBHOOKS.say(check.lang)
    where = {"channel_id": check.channel}
    made = await check.bot("POST", "/channels/{channel_id}/webhooks", json={"name": texts.WEBHOOK_NAME}, **where)
    hook = {"webhook_id": made["id"], "webhook_token": made["token"]}
    try:
        body = {"content": texts.PROBE.say(check.lang), "username": "Ada"}
        path = "/webhooks/{webhook_id}/{webhook_token}"
        posted = await check.bot("POST", path, json=body, params={"wait": "true"}, **hook)
        one = {"message_id": posted["id"]}
        await check.bot("PATCH", path + "/messages/{message_id}", json={"content": "…"}, **hook, **one)
        await check.bot("DELETE", path + "/messages/{message_id}", **hook, **one)
    finally:
        await check.bot("DELETE", "/webhooks/{webhook_id}", webhook_id=made["id"])
    return str((posted.get("author") or {}).get("username") or "")


async def rates(check: Check) -> str:
    """What Discord's headers say of messages and edits in one channel."""
    posted = await check.post(texts.PROBE.say(check.lang))
    body = Look(texts.PROBE.say(check.lang)).content
    await check.bot("PATCH", MESSAGE, channel_id=check.channel, message_id=posted["id"], json=body)
    pace = check.bot.rest.seconds_per_call
    post = pace("POST", MESSAGES, channel_id=check.channel)
    edit = pace("PATCH", MESSAGE, channel_id=check.channel, message_id=posted["id"])
    check.measured(texts.PACE, post=f"{post:.2f}", edit=f"{edit:.2f}")
    return ""
