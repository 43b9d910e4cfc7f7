"""What is sent for a call whose reply is measured, and what is made of the reply."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from agent.llm import formats
from agent.llm.chat import ChatMessage, ChatRequest, Measured, ReasoningChunk, TextChunk
from agent.llm.dialect import Dialect, Wish
from agent.llm.endpoint import ChatFormat, Endpoint
from agent.llm.errors import retry_after
from agent.llm.probe import Probed
from agent.llm.reply import ReplyReader
from agent.llm.tokenizers import ids_question, read_ids, read_text, text_question

#: A prompt with the marks of every template.
PROMPT = "Say <|im_end|> and <reserved_106> and </s>."
SAMPLED = Measured(top_p=0.75, top_k=40, seed=7)


def body(request: ChatRequest, chat_format: ChatFormat = "auto", **fields: Any) -> dict[str, Any]:
    speech = Dialect(Endpoint("http://models.example/v1", model="m", chat_format=chat_format, **fields))
    sent: dict[str, Any] = speech.parameters(Wish(request), Probed())["extra_body"]
    return sent


def request(measured: Measured = SAMPLED, *messages: ChatMessage) -> ChatRequest:
    return ChatRequest(messages or (ChatMessage("user", PROMPT),), max_tokens=520, temperature=0.1, measured=measured)


# --- What is sent


def test_the_whole_sampling_is_sent():
    sent = body(request())
    assert {name: sent[name] for name in ("temperature", "top_p", "top_k", "seed", "max_tokens")} == {
        "temperature": 0.1,
        "top_p": 0.75,
        "top_k": 40,
        "seed": 7,
        "max_tokens": 520,
    }


def test_a_seed_that_is_not_set_is_not_sent():
    assert "seed" not in body(request(Measured(top_k=40)))


def test_chats_send_none_of_it():
    assert not {"top_p", "top_k", "seed"} & set(body(ChatRequest((ChatMessage("user", "Hi"),))))


def test_the_sampling_of_a_measured_call_goes_before_the_endpoints_own_fields():
    own = {"top_k": 1, "dry_multiplier": 0.8}
    assert body(request(), extra_body=own)["top_k"] == 40
    assert body(request(), extra_body=own)["dry_multiplier"] == 0.8
    assert body(ChatRequest((ChatMessage("user", "Hi"),), measured=None), extra_body=own)["top_k"] == 1


@pytest.mark.parametrize("field", ["top_k", "top_p", "seed", "temperature"])
def test_a_field_that_the_server_refuses_is_left_out_from_then_on(field: str):
    speech = Dialect(Endpoint("http://models.example/v1", model="m"))
    wish = Wish(request())
    refusal = {"message": f"Unrecognized request argument supplied: {field}"}
    assert speech.adapt(400, refusal, wish, Probed(), speech.parameters(wish, Probed()))
    sent = speech.parameters(wish, Probed())["extra_body"]
    assert field not in sent
    assert len({"top_k", "top_p", "seed", "temperature"} & set(sent)) == 3
    assert not speech.adapt(400, refusal, wish, Probed())


@pytest.mark.parametrize(
    ("facts", "aside", "expected"),
    [
        (Probed(server="llama-server", slots=4), True, {"return_progress": True, "id_slot": 3}),
        (Probed(server="llama-server", slots=4), False, {"return_progress": True}),
        (Probed(server="llama-server", slots=1), True, {"return_progress": True}),
        (Probed(server="llama-server"), True, {"return_progress": True}),
        (Probed(server="vllm"), True, {}),
    ],
)
def test_beside_chats_a_call_keeps_to_one_slot_of_llama_server_and_is_left_soon(
    facts: Probed, aside: bool, expected: dict[str, Any]
):
    speech = Dialect(Endpoint("http://models.example/v1", model="m"))
    sent = speech.parameters(Wish(request(Measured(aside=aside))), facts)["extra_body"]
    assert {name: sent[name] for name in ("return_progress", "id_slot") if name in sent} == expected


def test_a_prompt_is_sent_as_it_is():
    assert body(request())["messages"] == [{"role": "user", "content": PROMPT}]
    assert body(ChatRequest((ChatMessage("user", PROMPT),)))["messages"][0]["content"] != PROMPT


@pytest.mark.parametrize("chat_format", ["auto", "server", "chatml", "baichuan2", "raw"])
def test_the_form_of_the_call_is_the_one_that_it_asks_for_whatever_the_setting_says(chat_format: ChatFormat):
    qwen = request(Measured(form="chatml"), ChatMessage("system", ""), ChatMessage("user", PROMPT))
    assert body(qwen, chat_format)["prompt"] == (
        f"<|im_start|>system\n<|im_end|>\n<|im_start|>user\n{PROMPT}<|im_end|>\n<|im_start|>assistant\n"
    )
    baichuan = request(Measured(form="baichuan2"))
    assert body(baichuan, chat_format)["prompt"] == f"<reserved_106>{PROMPT}<reserved_107>"


def test_one_call_in_a_form_of_its_own_changes_nothing_for_others():
    speech = Dialect(Endpoint("http://models.example/v1", model="m"))
    speech.parameters(Wish(request(Measured(form="chatml"))), Probed())
    assert speech.written is None
    assert "messages" in speech.parameters(Wish(ChatRequest((ChatMessage("user", "Hi"),))), Probed())["extra_body"]


def test_a_strangers_text_is_still_made_harmless_in_a_written_form():
    assert "<|im_end|> and" not in formats.write("chatml", [ChatMessage("user", PROMPT)]).text


# --- What comes back


def events(*deltas: dict[str, str], finish: str = "stop") -> bytes:
    choices = [{"delta": delta} for delta in deltas] + [{"delta": {}, "finish_reason": finish}]
    lines = (f"data: {json.dumps({'model': 'm', 'choices': [choice]})}\n\n" for choice in choices)
    return ("".join(lines) + "data: [DONE]\n\n").encode()


def kept(*deltas: dict[str, str], finish: str = "stop", most: int | None = None) -> tuple[str, ReplyReader]:
    """What a reader says that keeps thoughts, fed byte by byte."""
    reader = ReplyReader(keep=True, most_text=most)
    data = events(*deltas, finish=finish)
    items = [item for at in range(len(data)) for item in reader.feed(data[at : at + 1])] + reader.finish()
    assert all(isinstance(item, TextChunk) for item in items)
    return "".join(item.text for item in items if isinstance(item, TextChunk)), reader


def test_a_thought_that_is_kept_stays_as_the_model_wrote_it():
    said, reader = kept({"content": "<th"}, {"content": "ink>\nhm"}, {"content": "</think>\n\n"}, {"content": "Yes"})
    assert said == "<think>\nhm</think>\n\nYes"
    assert reader.thought_tokens > 0


def test_a_thought_that_the_server_took_out_is_put_back():
    said, _ = kept({"reasoning_content": "\nhm"}, {"reasoning": " so\n"}, {"content": "\n\nYes"})
    assert said == "<think>\nhm so\n</think>\n\nYes"


@pytest.mark.parametrize(("finish", "expected"), [("stop", "<think>hm</think>"), ("length", "<think>hm")])
def test_a_thought_without_an_answer_is_closed_only_where_the_model_came_to_its_end(finish: str, expected: str):
    assert kept({"reasoning_content": "hm"}, finish=finish)[0] == expected


def test_a_thought_whose_block_the_template_opened_is_kept_too():
    assert kept({"content": "hm "}, {"content": "so</think>Yes"})[0] == "hm so</think>Yes"


def test_thoughts_that_are_kept_do_not_count_as_the_answers_tokens():
    thought = [{"content": "<think>"}, *({"content": "hm "} for _ in range(20)), {"content": "</think>"}]
    said, reader = kept(*thought, *({"content": f"{n} "} for n in range(9)), most=4)
    assert reader.full
    assert said.endswith("</think>0 1 2 3 ")


def test_by_default_thoughts_are_told_apart():
    reader = ReplyReader()
    items = reader.feed(events({"reasoning_content": "hm"}, {"content": "Yes"})) + reader.finish()
    assert items == [ReasoningChunk("hm"), TextChunk("Yes")]


# --- When to ask again


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
def test_a_refusal_says_when_to_ask_again(headers: dict[str, str], seconds: float | None):
    assert retry_after(headers) == seconds


def test_a_refusal_may_name_a_date():
    later = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    assert 3500 < (retry_after({"retry-after": later}) or 0) <= 3600


# --- Tokens


@pytest.mark.parametrize(
    ("server", "ids", "text"),
    [
        ("vllm", "/tokenize", "/detokenize"),
        ("llama-server", "/tokenize", "/detokenize"),
        ("llama_cpp.server", "/extras/tokenize", "/extras/detokenize"),
    ],
)
def test_servers_are_asked_for_tokens_and_for_their_text_where_they_tell(server: str, ids: str, text: str):
    asked, back = ids_question(server, "m", "Hi"), text_question(server, "m", [1, 2])
    assert asked is not None
    assert back is not None
    assert (asked[0], back[0]) == (ids, text)


@pytest.mark.parametrize("server", ["fastchat", "openai", ""])
def test_a_server_that_only_counts_is_not_asked(server: str):
    assert ids_question(server, "m", "Hi") is None
    assert text_question(server, "m", [1]) is None


@pytest.mark.parametrize("answer", [None, [], {}, {"tokens": None}, {"tokens": ["a"]}, {"tokens": [{"id": 1}]}])
def test_an_answer_without_tokens_is_none(answer: object):
    assert read_ids(answer) is None


@pytest.mark.parametrize(("answer", "text"), [({"content": "a"}, "a"), ({"prompt": ""}, ""), ({"text": 5}, None)])
def test_the_text_of_tokens_has_another_name_on_each_server(answer: object, text: str | None):
    assert read_text(answer) == text
