"""Streamed messages: chat.startStream, .appendStream, .stopStream (facts 1.4, 2.2, 2.4, 5.8)."""

from __future__ import annotations

from typing import Any

from tests.fakes.slack import sizes
from tests.fakes.slack.state import Slack
from tests.fakes.slack.world import Channel, Install, Message, SlackError, Stream

Chunk = dict[str, Any]

STATUSES = frozenset({"pending", "in_progress", "complete", "error"})
SESSION_STATUSES = frozenset({"processing", "active", "suspended", "closed"})


def start(
    slack: Slack, install: Install, place: Channel, draft: Message, recipient: str, chunks: list[Chunk]
) -> Message:
    """Begin a stream; using streams makes a session of the thread, so that the Stop button is there (facts 2.4)."""
    stream = Stream(recipient, slack.now() + slack.config.stream_ttl)
    draft.stream = stream
    draft.markdown = True
    _feed(slack, draft, chunks)
    message = slack.post(install, place, draft)
    slack.set_session(place.id, message.root, "processing")
    return message


def append(slack: Slack, message: Message, chunks: list[Chunk]) -> None:
    """More of it, as long as it lives."""
    _open(slack, message)
    if not chunks:
        raise SlackError("no_text")
    _feed(slack, message, chunks)
    slack.touched.append(message)


def stop(
    slack: Slack,
    install: Install,
    message: Message,
    chunks: list[Chunk],
    blocks: list[dict[str, Any]],
    metadata: dict[str, Any] | None,
    session_status: str,
) -> None:
    """The end: what is left, blocks below the text, metadata, and the session's status."""
    stream = _open(slack, message)
    if session_status not in SESSION_STATUSES:
        raise SlackError("invalid_arguments", response_metadata={"messages": ["[ERROR] invalid session_status"]})
    sizes.check_message_blocks(blocks)
    slack.check_pictures(install, blocks)
    before = slack.shown_message(message)
    _feed(slack, message, chunks)
    message.blocks = message.blocks + slack.named(blocks)
    message.pings += sizes.block_pings(blocks)
    message.metadata = metadata or message.metadata
    stream.state = "stopped"
    slack.set_session(message.channel, message.root, session_status)
    slack.change(message, before)


def settle(slack: Slack, message: Message) -> None:
    """A stream whose time is over can't be fed any more; nothing tells anybody."""
    stream = message.stream
    if stream is not None and stream.state == "streaming" and slack.now() >= stream.until:
        stream.state = "expired"


def chunks_of(markdown_text: str, chunks: Any) -> list[Chunk]:
    """What a call brings, checked one by one: the text first."""
    given = [] if chunks is None else chunks
    if not isinstance(given, list) or not all(isinstance(chunk, dict) for chunk in given):
        raise SlackError("invalid_chunks")
    first = [{"type": "markdown_text", "text": markdown_text}] if markdown_text else []
    for chunk in [*first, *given]:
        _check(chunk)
    return first + given


def _open(slack: Slack, message: Message) -> Stream:
    """The stream of a message that can be fed."""
    settle(slack, message)
    stream = message.stream
    if stream is not None and stream.state == "stopped_by_user":
        raise SlackError("stopped_by_user")
    if stream is None or stream.state != "streaming":
        raise SlackError("message_not_in_streaming_state")
    return stream


def _check(chunk: Chunk) -> None:
    kind = chunk.get("type")
    if kind == "markdown_text" and isinstance(chunk.get("text"), str):
        sizes.check_markdown(chunk["text"])
    elif kind == "task_update" and chunk.get("id") and chunk.get("title") and chunk.get("status") in STATUSES:
        for name in ("details", "output"):
            if not isinstance(chunk.get(name) or "", str):
                raise SlackError("invalid_chunks")
    elif kind == "blocks" and isinstance(chunk.get("blocks"), list):
        sizes.check_message_blocks(chunk["blocks"])
    elif kind != "plan_update" or not chunk.get("title"):
        raise SlackError("invalid_chunks")


def _feed(slack: Slack, message: Message, chunks: list[Chunk]) -> None:
    """Add chunks, all or none of them."""
    stream = message.stream
    assert stream is not None
    size = stream.size + sum(_size(chunk) for chunk in chunks)
    if size > slack.config.stream_bytes:
        raise SlackError("msg_too_long")
    stream.size = size
    for chunk in chunks:
        if chunk["type"] == "markdown_text":
            message.text += chunk["text"]
            message.pings = sizes.pings([message.text]) + sizes.block_pings(message.blocks)
        elif chunk["type"] == "task_update":
            stream.tasks[chunk["id"]] = stream.tasks.get(chunk["id"], {}) | chunk
        elif chunk["type"] == "plan_update":
            stream.plan = chunk["title"]
        else:
            message.blocks = message.blocks + slack.named(chunk["blocks"])
            message.pings += sizes.block_pings(chunk["blocks"])


def _size(chunk: Chunk) -> int:
    """UTF-8 bytes towards the cap: task rows count, their details and output twice (facts 2.2). Each update of a row
    counts again; what is measured doesn't say that it wouldn't."""
    if chunk["type"] == "blocks":
        return len(sizes.readable(chunk["blocks"]).encode())
    once = sum(len((chunk.get(name) or "").encode()) for name in ("text", "title"))
    twice = sum(len((chunk.get(name) or "").encode()) for name in ("details", "output"))
    sources = sum(len(f"{one.get('text', '')}{one.get('url', '')}".encode()) for one in chunk.get("sources") or ())
    return once + 2 * twice + sources
