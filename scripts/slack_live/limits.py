"""Steps 8 to 12 and 15: what Slack takes, and how much of it."""

from __future__ import annotations

from typing import Any

from adapters.slack import limits
from adapters.slack.connection.api import SlackRefused
from scripts.slack_live import texts
from scripts.slack_live.check import Check

_ENGLISH = "All work and no play. "
_CHINESE = "春江潮水连海平，"
#: Characters of one piece of a stream, and how far the size is tried.
_PIECE_BYTES = 600
_MOST_BYTES = 40_200
#: Calls until the limit of a method is given up; Tier 3 documents "50+".
_MOST_CALLS = 150


async def stream(check: Check) -> str:
    """A stream with a step's row, text, feedback buttons and metadata at its end."""
    ts = await _started(check, [_row("in_progress")])
    where = {"channel": check.channel, "ts": ts}
    await check.bot("chat.appendStream", chunks=[_row("complete"), _text("The **answer**, ")], **where)
    await check.bot("chat.appendStream", markdown_text="a table:\n\n| a | b |\n|---|---|\n| 1 | 2 |\n", **where)
    metadata = {"event_type": "kagentbot_turn", "event_payload": {"turn": "live", "part": 0}}
    ended = await check.bot("chat.stopStream", blocks=[_feedback()], metadata=metadata, **where)
    kept = bool((ended.get("message") or {}).get("metadata"))
    check.measured(texts.STREAM_METADATA if kept else texts.STREAM_NO_METADATA)
    return ""


async def size(check: Check) -> str:
    """How much a streamed message holds; we roll over before."""
    taken = {name: await _fill(check, sample) for name, sample in (("en", _ENGLISH), ("zh", _CHINESE))}
    check.measured(texts.STREAM_SIZE, en=taken["en"], zh=taken["zh"], characters=taken["zh"] // 3)
    if min(taken.values()) < limits.STREAM_BYTES:
        raise check.fail(texts.STREAM_SMALL, texts.FIX_LIMITS, name="STREAM_BYTES", size=min(taken.values()))
    return texts.BYTES.say(check.lang, size=min(taken.values()))


async def _fill(check: Check, sample: str) -> int:
    """Feed a stream until Slack refuses; the bytes that it took."""
    piece = sample * (_PIECE_BYTES // len(sample.encode()))
    ts = await _started(check, [_text(piece)])
    taken = len(piece.encode())
    try:
        while taken < _MOST_BYTES:
            await check.bot.refusable("chat.appendStream", channel=check.channel, ts=ts, markdown_text=piece)
            taken += len(piece.encode())
    except SlackRefused as refused:
        check.measured(texts.STREAM_CODE, code=refused.code, size=taken)
    try:
        await check.bot.refusable("chat.stopStream", channel=check.channel, ts=ts)
    except SlackRefused as refused:
        check.measured(texts.STREAM_END, code=refused.code)
    return taken


async def update(check: Check) -> str:
    """chat.update takes the whole of markdown_text; what it says of more text than it documents is measured."""
    where = {"channel": check.channel, "ts": await check.root()}
    await check.bot("chat.update", markdown_text="x" * (limits.MARKDOWN_TEXT - 100), **where)
    check.measured(texts.UPDATE_TEXT, size=limits.UPDATE_TEXT + 1, code=await _code(check, "y" * 4001, where))
    blocks = [{"type": "markdown", "text": "z" * 7_000} for _ in range(2)]
    code = await _refusal(check, "chat.update", text="z", blocks=blocks, **where)
    check.measured(texts.MARKDOWN_BLOCKS, code=code or "ok")
    return ""


async def _code(check: Check, text: str, where: dict[str, Any]) -> str:
    return await _refusal(check, "chat.update", text=text, **where) or "ok"


async def _refusal(check: Check, method: str, **arguments: Any) -> str:
    """Slack's code for a call; "": it was taken."""
    try:
        await check.bot.refusable(method, **arguments)
    except SlackRefused as refused:
        return refused.code
    return ""


async def feedback(check: Check) -> str:
    """The buttons below an answer."""
    blocks = [{"type": "markdown", "text": "**An answer.**"}, _feedback(), _rating()]
    thread = {"channel": check.channel, "thread_ts": await check.root()}
    posted = await check.bot("chat.postMessage", text="An answer.", blocks=blocks, **thread)
    if "chat:write.customize" in (await check.bot.granted())[1]:
        await _customised(check, thread)
    else:
        check.measured(texts.NOT_CUSTOM)
    return str(len((posted.get("message") or {}).get("blocks") or blocks)) + " " + texts.BLOCKS.say(check.lang)


async def _customised(check: Check, thread: dict[str, Any]) -> None:
    """What still works with a message that has a name and an icon of its own."""
    look = {"username": "Ada", "icon_emoji": ":owl:"}
    posted = await check.bot("chat.postMessage", text="Another name.", **thread, **look)
    where = {"channel": check.channel, "ts": posted["ts"]}
    changed = await _refusal(check, "chat.update", text="Changed.", **where)
    recipient = {"recipient_user_id": check.user, "recipient_team_id": check.team}
    streamed = await _refusal(check, "chat.startStream", markdown_text="x", **thread, **recipient, **look)
    check.measured(texts.CUSTOM, update=changed or "ok", stream=streamed or "ok")


async def ephemeral(check: Check) -> str:
    """What only one person sees, in a thread."""
    where = {"channel": check.channel, "user": check.user, "thread_ts": await check.root()}
    await check.bot("chat.postEphemeral", text=texts.PRIVATE.say(check.lang), **where)
    return ""


async def rates(check: Check) -> str:
    """One method is called until Slack says when to come back."""
    where = {"channel_id": check.channel, "thread_ts": await check.root(), "status": "active"}
    for method, arguments in (("agents.sessions.setStatus", where), ("conversations.list", {"limit": 1})):
        taken, wait = await check.bot.until_limited(method, _MOST_CALLS, **arguments)
        check.measured(texts.TOOK if wait is None else texts.TOOK_UNTIL, method=method, count=taken, wait=wait)
        if wait is None:
            continue
        if not wait:
            raise check.fail(texts.NO_RETRY_AFTER, texts.FIX_PROXY, method=method)
        return f"Retry-After: {wait}"
    raise check.fail(texts.NO_LIMIT, texts.FIX_NO_LIMIT, count=_MOST_CALLS)


async def _started(check: Check, chunks: list[dict[str, Any]]) -> str:
    started = await check.bot(
        "chat.startStream",
        channel=check.channel,
        thread_ts=await check.root(),
        recipient_user_id=check.user,
        recipient_team_id=check.team,
        chunks=chunks,
    )
    return str(started["ts"])


def _row(status: str) -> dict[str, Any]:
    return {"type": "task_update", "id": "t1", "title": "Looking it up", "status": status}


def _text(text: str) -> dict[str, Any]:
    return {"type": "markdown_text", "text": text}


def _feedback() -> dict[str, Any]:
    def half(text: str, value: str) -> dict[str, Any]:
        return {"text": {"type": "plain_text", "text": text}, "value": value}

    element: dict[str, Any] = {"type": "feedback_buttons", "action_id": "live.feedback"}
    element |= {"positive_button": half("Good", "good"), "negative_button": half("Bad", "bad")}
    return {"type": "context_actions", "elements": [element]}


def _rating() -> dict[str, Any]:
    options = [{"text": {"type": "plain_text", "text": str(number)}, "value": str(number)} for number in range(1, 6)]
    element: dict[str, Any] = {"type": "static_select", "action_id": "live.rate", "options": options}
    element["placeholder"] = {"type": "plain_text", "text": "Rate"}
    return {"type": "actions", "elements": [element]}
