"""Steps 4 to 7, 13 and 14: people and the running server."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from pathlib import Path

from scripts.live import texts as common
from scripts.live.people import PERSON_S, Favour
from scripts.slack_live import texts
from scripts.slack_live.check import Check


async def mention(check: Check) -> str:
    """A mention gets one answer in its thread, although Slack tells of it twice."""
    mark = check.mark()
    begun = time.monotonic()
    said = await check.asked(f"Are you there? {mark}")
    await check.answered(said, mark)
    check.measured(common.ANSWERED_IN, seconds=f"{time.monotonic() - begun:.1f}")
    check.thread = said.ts
    # Turns of a thread run one after the other: with this answer, a second one to the first message would be there.
    second = check.mark()
    again = await check.asked(f"And once more. {second}", thread=said.ts)
    await check.answered(again, second, thread=said.ts)
    for word in (mark, second):
        count = len(await check.replies(check.channel, said.ts, word))
        if count != 1:
            raise check.fail(common.TWICE, common.FIX_TWICE, count=count)
    return ""


async def direct(check: Check) -> str:
    """A direct message gets its answer in its own thread."""
    opened = await check.bot("conversations.open", users=check.user)
    mark = check.mark()
    said = await check.asked(f"Hello. {mark}", channel=str(opened["channel"]["id"]), mention=False)
    await check.answered(said, mark)
    return ""


async def edit(check: Check) -> str:
    """A question that is changed before it was answered: the new one is."""
    old, new = check.mark(), check.mark()
    said = await check.asked(f"[fake:first={check.at_hand.slowness}] {old}", thread=check.thread)
    await _reached(check, old)
    await check.at_hand.edit(said, f"<@{check.bot_user}> Better: {new}")
    await check.answered(said, new, thread=check.thread)
    if await check.replies(check.channel, check.thread, old):
        raise check.fail(common.OLD_ANSWERED, texts.FIX_EVENTS_OF_CHANNEL)
    return ""


async def delete(check: Check) -> str:
    """A question that is deleted before it was answered: none is, and the model is let go."""
    mark = check.mark()
    said = await check.asked(f"[fake:first={check.at_hand.slowness}] {mark}", thread=check.thread)
    await _reached(check, mark)
    await check.at_hand.delete(said)
    if not await check.model_asked(mark, "aborted"):
        raise check.fail(common.NOT_WITHDRAWN, texts.FIX_EVENTS_OF_CHANNEL)
    if await check.replies(check.channel, check.thread, mark):
        raise check.fail(common.OLD_ANSWERED, texts.FIX_EVENTS_OF_CHANNEL)
    return ""


async def file(check: Check) -> str:
    """A file that comes with a mention is read: its words are in what the model is asked."""
    mark = check.mark()
    word = f"kumquat-{mark[3:-1]}"
    with tempfile.TemporaryDirectory(prefix="kagentbot-live-") as folder:
        path = Path(folder, "kagentbot-check.txt")
        await asyncio.to_thread(path.write_text, f"The secret fruit is a {word}.\n", "utf-8")
        await check.at_hand.share(path, f"<@{check.bot_user}> What does the file say? {mark}", check.channel)
        if not await check.model_asked(mark):
            raise check.fail(common.NO_REPLY, texts.FIX_NO_REPLY, seconds=round(check.patience), log=check.trouble())
    if not any(mark in call.user and word in json.dumps(call.body) for call in check.model.calls()):
        raise check.fail(common.FILE_UNREAD, texts.FIX_FILE, log=check.trouble())
    return ""


async def stop(check: Check) -> str:
    """Slack's own Stop reaches the server, and the model is let go."""
    mark = check.mark()
    await check.asked(f"[fake:tokens=900] [fake:gap=0.2] {mark}", thread=check.thread)
    await _reached(check, mark)
    sentence = texts.PRESS_STOP.say(check.lang, seconds=round(PERSON_S))
    begun = time.monotonic()
    await check.ask(Favour("stop", sentence, check.channel, ts=check.thread))

    async def let_go() -> bool:
        return any(mark in call.user and call.outcome == "aborted" for call in check.model.calls())

    if not await check.until(let_go, PERSON_S):
        raise check.fail(common.NOT_STOPPED, texts.FIX_STOP, seconds=round(PERSON_S))
    return common.STOPPED_AFTER.say(check.lang, seconds=f"{time.monotonic() - begun:.1f}")


async def _reached(check: Check, mark: str) -> None:
    """Wait until the model was asked. Raises `Failed`."""
    if not await check.model_asked(mark):
        raise check.fail(common.NO_REPLY, texts.FIX_NO_REPLY, seconds=round(check.patience), log=check.trouble())
