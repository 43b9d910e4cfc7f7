"""Nothing of a check stays behind."""

from __future__ import annotations

from adapters.slack.connection.api import SlackRefused
from scripts.live.failing import Failed
from scripts.slack_live.check import Check, Json


async def tidy(check: Check) -> list[str]:
    """Delete all that the check, the bot and the person have written in it; what could not be deleted, as
    `channel/ts`.
    """
    left: list[str] = []
    for channel, root in dict.fromkeys(check.threads):
        try:
            left += await _empty(check, channel, root)
        except Failed:
            left.append(f"{channel}/{root}")
    try:
        left += await _empty_channel(check)
    except Failed:
        left.append(check.channel)
    return list(dict.fromkeys(left))


async def _empty(check: Check, channel: str, root: str) -> list[str]:
    """Delete a thread, its root last: without replies it leaves no tombstone."""
    messages = await check.in_thread(channel, root)
    refused = [await _delete(check, channel, message) for message in reversed(messages)]
    return [name for name in refused if name]


async def _empty_channel(check: Check) -> list[str]:
    """Delete what was said in the channel itself since the check began: shared files, whose ts nobody tells."""
    answer = await check.bot("conversations.history", channel=check.channel, oldest=f"{check.since:.6f}", limit=200)
    mine = [m for m in answer["messages"] if m.get("bot_id") == check.bot_id or m.get("user") == check.user]
    left: list[str] = []
    for message in mine:
        if message.get("subtype") != "tombstone":
            left += await _empty(check, check.channel, str(message["ts"]))
    return left


async def _delete(check: Check, channel: str, message: Json) -> str:
    """Delete one message and its files; its name if that can't be."""
    if message.get("subtype") == "tombstone":
        return ""
    theirs = message.get("user") == check.user
    for file in message.get("files") or ():
        await _refusal(check, "files.delete", theirs=theirs, file=str(file.get("id")))
    code = await _refusal(check, "chat.delete", theirs=theirs, channel=channel, ts=str(message["ts"]))
    return "" if code in ("", "message_not_found") else f"{channel}/{message['ts']} ({code})"


async def _refusal(check: Check, method: str, *, theirs: bool, **arguments: str) -> str:
    """Slack's code for a call by whoever wrote it; "": done."""
    try:
        await (check.person if theirs else check.bot).refusable(method, **arguments)
    except SlackRefused as refused:
        return refused.code
    return ""
