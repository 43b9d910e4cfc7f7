from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.events import Usage
from agent.llm.reply import ProtocolError, ReplyReader, ServerError, ThinkFilter


def event(delta: dict[str, Any] | None = None, **fields: Any) -> bytes:
    choices = [{"index": 0, "delta": delta, "finish_reason": fields.pop("finish", None)}] if delta is not None else []
    return b"data: " + json.dumps({"choices": choices, "model": "m", **fields}).encode() + b"\n\n"


def think(*pieces: str) -> str:
    left_out = ThinkFilter()
    return "".join(left_out.feed(piece) for piece in pieces) + left_out.finish()


def test_text_of_several_events_in_one_read_is_one_piece():
    assert ReplyReader().feed(event({"content": "Hel"}) + event({"content": "lo"})) == "Hello"


def test_usage_model_and_the_reason_of_the_end_are_noted():
    reader = ReplyReader()
    reader.feed(event({"content": "x"}) + event({}, finish="length"))
    reader.feed(event(usage={"prompt_tokens": 3, "completion_tokens": 1}) + b"data: [DONE]\n\n")
    assert (reader.finish_reason, reader.usage, reader.model) == ("length", Usage(3, 1), "m")
    assert reader.done


def test_reasoning_counts_as_progress_but_is_not_shown():
    reader = ReplyReader()
    assert reader.feed(event({"reasoning_content": "hm"}) + event({"reasoning": "so"})) == ""
    assert reader.tokens == 2


def test_a_refusal_is_an_answer():
    assert ReplyReader().feed(event({"content": None, "refusal": "I can't."})) == "I can't."


def test_a_completion_in_one_piece_is_read():
    reader = ReplyReader()
    body = {"model": "m", "choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]}
    assert reader.whole(json.dumps(body).encode()) == "Hello"
    assert reader.ended


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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<think>hm</think>\n\nYes", "Yes"),
        ("\n<think>\nhm\n</think>Yes</think>", "Yes</think>"),
        ("<think>never ends", ""),
        ("<thin", "<thin"),
        ("<thinker>", "<thinker>"),
        ("Yes <think>shown</think>", "Yes <think>shown</think>"),
        ("  Yes", "  Yes"),
        ("", ""),
    ],
)
def test_one_leading_think_block_is_left_out(text: str, shown: str):
    assert think(text) == shown
    assert think(*text) == shown


@given(st.text(alphabet="<>/think \nab", max_size=40), st.text(alphabet="ab< ", max_size=20), st.data())
def test_where_a_think_block_is_cut_does_not_matter(thought: str, said: str, data: st.DataObject):
    text = f"<think>{thought}</think>{said}"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)))))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert think(*pieces) == think(text)
