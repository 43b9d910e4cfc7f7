"""Steps 4 to 11: people and the running server."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from pathlib import Path

from scripts.discord_live import texts
from scripts.discord_live.access import start
from scripts.discord_live.check import Check
from scripts.live import texts as common
from scripts.live.people import PERSON_S, Favour

#: Seconds that the model waits before it answers a question that is changed meanwhile: people look for the menu first.
_SLOWNESS = 240.0


async def mention(check: Check) -> str:
    """A mention gets one answer, in a thread that is opened from it."""
    mark = check.mark()
    said = await check.said(check.mention(f"Are you there? {mark}"), where=check.channel)
    begun = time.monotonic()
    check.thread = said.id
    await check.answered(said.id, mark)
    check.measured(common.ANSWERED_IN, seconds=f"{time.monotonic() - begun:.1f}")
    thread = await check.bot("GET", "/channels/{channel_id}", channel_id=said.id)
    if str(thread.get("parent_id")) != check.channel:
        raise check.fail(texts.NO_THREAD, texts.FIX_THREAD)
    return ""


async def follow(check: Check) -> str:
    """In its thread it answers without a mention; and of each question there is one answer."""
    mark = check.mark()
    await check.said(f"And once more. {mark}", where=check.channel, thread=check.thread)
    await check.answered(check.thread, mark)
    count = len(await check.replies(check.thread, mark))
    if count != 1:
        raise check.fail(common.TWICE, common.FIX_TWICE, count=count)
    return ""


async def direct(check: Check) -> str:
    """A direct message gets its answer."""
    mark = check.mark()
    said = await check.said(f"Hello. {mark}", where="")
    await check.answered(said.channel, mark)
    return ""


async def edit(check: Check) -> str:
    """A question that is changed before it was answered: the new one is."""
    old, new = check.mark(), check.mark()
    words = check.mention(f"[fake:first={_SLOWNESS}] {old}")
    said = await check.said(words, where=check.channel, thread=check.thread)
    await check.reached(old)
    better = check.mention(f"Better: {new}")
    sentence = common.EDIT.say(check.lang, text=better)
    await check.ask(Favour("edit", sentence, said.channel, better, said.id))
    await check.answered(check.thread, new)
    if await check.replies(check.thread, old):
        raise check.fail(common.OLD_ANSWERED, texts.FIX_REPORT)
    return ""


async def delete(check: Check) -> str:
    """A question that is deleted before it was answered: none is, and the model is let go."""
    mark = check.mark()
    words = check.mention(f"[fake:first={_SLOWNESS}] {mark}")
    said = await check.said(words, where=check.channel, thread=check.thread)
    await check.reached(mark)
    await check.ask(Favour("delete", common.DELETE.say(check.lang), said.channel, "", said.id))
    if not await check.model_asked(mark, "aborted"):
        raise check.fail(common.NOT_WITHDRAWN, texts.FIX_REPORT)
    if await check.replies(check.thread, mark):
        raise check.fail(common.OLD_ANSWERED, texts.FIX_REPORT)
    return ""


async def file(check: Check) -> str:
    """A file that comes with a mention is read: its words are in what the model is asked."""
    mark = check.mark()
    word = f"kumquat-{mark[3:-1]}"
    with tempfile.TemporaryDirectory(prefix="kagentbot-live-") as folder:
        path = Path(folder, "kagentbot-check.txt")
        await asyncio.to_thread(path.write_text, f"The secret fruit is a {word}.\n", "utf-8")
        words = check.mention(f"What does the file say? {mark}")
        said = await check.said(words, where=check.channel, file=path)
        check.note(said.id)
        await check.reached(mark)
    if not any(mark in call.user and word in json.dumps(call.body) for call in check.model.calls()):
        raise check.fail(common.FILE_UNREAD, texts.FIX_FILE, log=check.trouble())
    return ""


async def stop(check: Check) -> str:
    """Our Stop button reaches the server, and the model is let go."""
    mark = check.mark()
    words = check.mention(f"[fake:tokens=900] [fake:gap=0.2] {mark}")
    await check.said(words, where=check.channel, thread=check.thread)
    await check.reached(mark)
    sentence = texts.PRESS_STOP.say(check.lang, seconds=round(PERSON_S))
    begun = time.monotonic()
    await check.ask(Favour("stop", sentence, check.thread))

    async def let_go() -> bool:
        return any(mark in call.user and call.outcome == "aborted" for call in check.model.calls())

    if not await check.until(let_go, PERSON_S):
        raise check.fail(common.NOT_STOPPED, texts.FIX_STOP, seconds=round(PERSON_S))
    return common.STOPPED_AFTER.say(check.lang, seconds=f"{time.monotonic() - begun:.1f}")


async def away(check: Check) -> str:
    """Discord tells once: what is said while nobody listens is found afterwards."""
    await check.server.stop()
    mark = check.mark()
    said = await check.said(check.mention(f"Were you away? {mark}"), where=check.channel)
    await start(check)
    await check.answered(said.id, mark)
    return ""
