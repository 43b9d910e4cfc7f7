from __future__ import annotations

import json
from typing import Any

import pytest

from agent.events import Usage
from agent.llm.chat import ReasoningChunk, ReplyItem, TextChunk
from agent.llm.reply import ProtocolError, ReplyReader, ServerError


def event(delta: dict[str, Any] | None = None, **fields: Any) -> bytes:
    choices = [{"index": 0, "delta": delta, "finish_reason": fields.pop("finish", None)}] if delta is not None else []
    return b"data: " + json.dumps({"choices": choices, "model": "m", **fields}).encode() + b"\n\n"


def said(items: list[ReplyItem]) -> str:
    return "".join(item.text for item in items if isinstance(item, TextChunk))


def test_text_of_several_events_in_one_read_is_one_piece():
    assert ReplyReader().feed(event({"content": "Hel"}) + event({"content": "lo"})) == [TextChunk("Hello")]


@pytest.mark.parametrize("tokens", [2**31, 10**30, -1, True, 1.5, "3", None])
def test_counts_that_no_model_can_have_are_unknown(tokens: object):
    reader = ReplyReader()
    reader.feed(event({"content": "x"}, usage={"prompt_tokens": tokens, "completion_tokens": 7}))
    assert reader.usage == Usage(None, 7)


def test_usage_model_and_the_reason_of_the_end_are_noted():
    reader = ReplyReader()
    reader.feed(event({"content": "x"}) + event({}, finish="length"))
    reader.feed(event(usage={"prompt_tokens": 3, "completion_tokens": 1}) + b"data: [DONE]\n\n")
    assert (reader.finish_reason, reader.usage, reader.model) == ("length", Usage(3, 1), "m")
    assert reader.done


def test_reasoning_in_a_field_of_its_own_is_told_from_text():
    reader = ReplyReader()
    thought = reader.feed(event({"reasoning_content": "hm, "}) + event({"reasoning": "so"}))
    assert (thought, reader.tokens, reader.thought_tokens, reader.thinking) == ([ReasoningChunk("hm, so")], 2, 2, True)
    assert reader.feed(event({"content": "Yes"})) == [TextChunk("Yes")]
    assert not reader.thinking


def test_reasoning_and_text_in_one_event_keep_their_order():
    assert ReplyReader().feed(event({"content": "Yes", "reasoning_content": "hm"})) == [
        ReasoningChunk("hm"),
        TextChunk("Yes"),
    ]


def test_a_refusal_is_an_answer():
    assert said(ReplyReader().feed(event({"content": None, "refusal": "I can't."}))) == "I can't."


def test_the_text_of_a_completion_without_chat_is_read():
    reader = ReplyReader()
    stream = b'data: {"choices": [{"index": 0, "text": "Hel"}]}\n\ndata: {"choices": [{"text": "lo"}]}\n\n'
    end = b'data: {"choices": [{"text": "", "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    assert said(reader.feed(stream + end)) == "Hello"
    assert (reader.finish_reason, reader.done) == ("stop", True)


@pytest.mark.parametrize(
    "choice",
    [
        {"message": {"content": "<think>hm</think>Hello"}, "finish_reason": "stop"},
        {"message": {"content": "hm\n</think>\n\nHello"}, "finish_reason": "stop"},
        {"message": {"content": "Hello", "reasoning_content": "hm"}, "finish_reason": "stop"},
        {"text": "<think>hm</think>Hello", "finish_reason": "stop"},
    ],
)
def test_a_completion_in_one_piece_is_read(choice: dict[str, Any]):
    reader = ReplyReader()
    items = reader.whole(json.dumps({"model": "m", "choices": [choice]}).encode())
    assert [type(item) for item in items] == [ReasoningChunk, TextChunk]
    assert said(items) == "Hello"
    assert reader.ended


def test_the_end_gives_out_what_was_held_back():
    reader = ReplyReader()
    assert reader.feed(event({"content": "a < b <"})) == [TextChunk("a < b ")]
    assert reader.finish() == [TextChunk("<")]


@pytest.mark.parametrize(
    "received",
    [
        b'data: {"choices": [\n\n',
        b"data: [1]\n\n",
        b"data: \xff\xfe\n\n",
        b'data: {"choices": 7}\n\n',
        b'data: {"choices": ["x"]}\n\n',
        b"data: " + b"[" * 100_000 + b"\n\n",
    ],
)
def test_what_is_no_completion_is_said_to_be_none(received: bytes):
    with pytest.raises(ProtocolError):
        ReplyReader().feed(received)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"error": {"message": "died", "code": 503}}, 503),
        ({"error": {"message": "died", "code": "internal"}}, 500),
        ({"error": "died"}, 500),
        ({"text": "died", "error_code": 50001}, 500),
    ],
)
def test_an_error_inside_a_stream_is_raised(sent: dict[str, Any], status: int):
    with pytest.raises(ServerError, match="died") as caught:
        ReplyReader().feed(b"data: " + json.dumps(sent).encode() + b"\n\n")
    assert caught.value.status == status
