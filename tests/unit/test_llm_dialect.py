from __future__ import annotations

from typing import Any

import pytest

from agent.llm.chat import ChatMessage, ChatRequest
from agent.llm.dialect import Dialect, Wish
from agent.llm.endpoint import ChatFormat, Endpoint
from agent.llm.probe import Probed, ServerKind, Structured

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
PLAIN = ChatRequest((ChatMessage("user", "Hi"),), max_tokens=50)
FORMED = ChatRequest((ChatMessage("user", "Hi"),), max_tokens=50, schema=SCHEMA)
NO_TEMPLATE = (
    "As of transformers v4.44, default chat template is no longer allowed, so you must provide a chat template if the "
    "tokenizer does not define one."
)


def dialect(chat_format: ChatFormat = "auto", **fields: Any) -> Dialect:
    return Dialect(Endpoint("http://models.example/v1", model="m", chat_format=chat_format, **fields))


def body(of: Dialect, wish: Wish, facts: Probed | None = None) -> dict[str, Any]:
    sent: dict[str, Any] = of.parameters(wish, facts or Probed())["extra_body"]
    return sent


def test_a_plain_request_has_its_messages_and_limits():
    sent = body(dialect(temperature=0.5), Wish(PLAIN))
    assert sent == {
        "messages": [{"role": "user", "content": "Hi"}],
        "max_tokens": 50,
        "temperature": 0.5,
        "stream_options": {"include_usage": True},
    }


@pytest.mark.parametrize(
    ("structured", "form"),
    [
        ("json_schema", {"type": "json_schema", "json_schema": {"name": "reply", "schema": SCHEMA, "strict": False}}),
        ("json_object", {"type": "json_object", "schema": SCHEMA}),
        ("", None),
    ],
)
def test_a_schema_is_sent_in_the_form_that_the_probe_saw_at_work(structured: Structured, form: object):
    assert body(dialect(), Wish(FORMED), Probed(structured=structured)).get("response_format") == form


@pytest.mark.parametrize(
    ("server", "first", "second"),
    [("vllm", "json_schema", "json_object"), ("llama_cpp.server", "json_object", "json_schema")],
)
def test_the_likeliest_form_of_a_schema_goes_first_and_a_refusal_is_remembered(
    server: ServerKind, first: str, second: str
):
    facts, speech = Probed(server=server), dialect()
    assert speech.form(facts) == first
    assert speech.adapt(400, {"message": "unknown response_format"}, Wish(FORMED), facts)
    speech.settled(served=True)
    assert speech.form(facts) == second


def test_only_a_server_that_cannot_be_held_to_a_schema_is_reminded_of_its_form():
    wish = Wish(ChatRequest((ChatMessage("user", "Plan!"),), schema={"type": "object"}, reminder="Only JSON."))
    said = {
        form: body(dialect(), wish, Probed(structured=form))["messages"][-1]["content"]
        for form in (None, "json_object", "")
    }
    assert said == {None: "Plan!", "json_object": "Plan!", "": "Plan! Only JSON."}


def test_a_server_that_fails_at_a_form_is_believed_only_when_it_takes_another_one():
    facts, speech = Probed(), dialect()
    assert speech.adapt(500, {"message": "Internal Server Error"}, Wish(FORMED), facts)
    assert speech.form(facts) == "json_object"
    speech.settled(served=False)
    assert speech.form(facts) == "json_schema"
    speech.adapt(500, {"message": "Internal Server Error"}, Wish(FORMED), facts)
    speech.settled(served=True)
    assert speech.form(facts) == "json_object"


def test_what_one_refusal_taught_is_not_blamed_on_the_form_that_came_after_it():
    facts, speech, wish = Probed(), dialect(), Wish(FORMED)
    sent = speech.parameters(wish, facts)
    refusal = {"message": "unknown response_format"}
    # Two calls side by side, both put in the first form.
    assert speech.adapt(400, refusal, wish, facts, sent)
    assert speech.adapt(400, refusal, wish, facts, sent)
    assert speech.form(facts) == "json_object"


@pytest.mark.parametrize("status", [401, 404, 429, 502, 503])
def test_failures_that_are_not_about_the_request_teach_nothing(status: int):
    assert not dialect().adapt(status, "chat template, response_format, stream_options", Wish(FORMED), Probed())


def test_a_prompt_that_is_too_long_is_not_blamed_on_its_form():
    refusal = "This model's maximum context length is 4096 tokens. Your messages and response_format have 5000 tokens."
    assert not dialect().adapt(400, {"message": refusal}, Wish(FORMED), Probed())


def test_a_request_without_a_schema_is_not_blamed_on_it():
    assert not dialect().adapt(500, "response_format", Wish(PLAIN), Probed())


@pytest.mark.parametrize(
    ("refusal", "left_out"),
    [
        ("Unrecognized request argument supplied: stream_options", "stream_options"),
        ("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", "max_tokens"),
        ("Extra inputs are not permitted: chat_template_kwargs", "chat_template_kwargs"),
        ("Unsupported value: 'temperature' does not support 0.5 with this model.", "temperature"),
    ],
)
def test_what_is_refused_is_left_out_from_then_on(refusal: str, left_out: str):
    speech, wish = dialect(temperature=0.5), Wish(PLAIN, quiet=True)
    assert left_out in body(speech, wish)
    assert speech.adapt(400, {"message": refusal}, wish, Probed())
    assert left_out not in body(speech, wish)
    assert not speech.adapt(400, {"message": refusal}, wish, Probed())


def test_asking_for_no_thinking_keeps_what_the_endpoint_s_settings_say():
    speech = dialect(extra_body={"chat_template_kwargs": {"a": 1}})
    assert body(speech, Wish(PLAIN, quiet=True))["chat_template_kwargs"] == {"a": 1, "enable_thinking": False}


@pytest.mark.parametrize(
    "refusal",
    [
        NO_TEMPLATE,
        "Cannot use chat template functions because tokenizer.chat_template is not set",
        "Template error: template not found",
    ],
)
@pytest.mark.parametrize("status", [400, 500])
def test_a_server_without_a_chat_template_gets_prompts_that_are_written_here(status: int, refusal: str):
    speech = dialect()
    assert speech.adapt(status, {"message": refusal}, Wish(PLAIN), Probed())
    assert speech.route == "completions"
    assert body(speech, Wish(PLAIN))["prompt"] == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"


def test_a_format_that_was_set_is_kept_whatever_the_server_says():
    speech = dialect("server")
    assert not speech.adapt(400, {"message": NO_TEMPLATE}, Wish(PLAIN), Probed())


def test_a_refused_switch_for_thinking_is_no_missing_template():
    speech = dialect()
    speech.adapt(400, {"message": "unknown field chat_template_kwargs"}, Wish(PLAIN, quiet=True), Probed())
    assert speech.route == "chat"


def test_the_end_marks_of_a_format_join_those_of_the_endpoint():
    sent = body(dialect("chatml", stop=("END",)), Wish(PLAIN))
    assert sent["stop"] == ["END", "<|im_end|>", "<|im_start|>", "<|endoftext|>"]


def test_a_completion_never_goes_without_a_limit():
    request = ChatRequest((ChatMessage("user", "Hi"),))
    assert body(dialect("chatml"), Wish(request))["max_tokens"] >= 1024
    assert "max_tokens" not in body(dialect("server"), Wish(request))


def test_llama_server_takes_the_schema_of_a_completion_as_it_is():
    facts = Probed(server="llama-server", structured="json_schema")
    assert body(dialect("chatml"), Wish(FORMED), facts)["json_schema"] == SCHEMA


def test_a_reply_by_a_schema_has_room_even_where_the_endpoint_is_set_to_short_answers():
    request = ChatRequest((ChatMessage("user", "Hi"),), schema=SCHEMA)
    assert body(dialect(max_tokens=150), Wish(request))["max_tokens"] >= 1024


def test_thinking_has_tokens_of_its_own():
    assert body(dialect(), Wish(PLAIN, thought_tokens=2000))["max_tokens"] == 2050


def test_what_was_learned_can_be_forgotten():
    speech = dialect()
    speech.adapt(400, {"message": NO_TEMPLATE}, Wish(PLAIN), Probed())
    speech.adapt(400, {"message": "response_format"}, Wish(FORMED), Probed())
    speech.reset()
    assert (speech.route, speech.form(Probed())) == ("chat", "json_schema")


@pytest.mark.parametrize(("window", "most"), [(1024, 256), (4096, 1024), (32768, 1024)])
def test_a_completion_without_a_limit_gets_what_prompts_leave_free(window: int, most: int):
    request = ChatRequest((ChatMessage("user", "Hi"),))
    assert body(dialect("chatml"), Wish(request, window=window))["max_tokens"] == most
