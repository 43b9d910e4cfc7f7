"""The fake model server as an agent's planner: what tests of the loop rely on."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.fakes.llm import FakeLLM

#: A closed schema, as a planner sends it.
SCHEMA = {
    "type": "object",
    "properties": {
        "thought": {"type": "string", "maxLength": 60},
        "task_name": {"type": "string", "maxLength": 40},
        "command": {
            "anyOf": [
                {
                    "type": "object",
                    "properties": {"name": {"const": name}, "args": args},
                    "required": ["name", "args"],
                    "additionalProperties": False,
                }
                for name, args in (
                    ("calculator", {"type": "object", "properties": {"expression": {"type": "string"}}}),
                    ("task_complete", {"type": "object", "properties": {"reason": {"type": "string"}}}),
                )
            ]
        },
    },
    "required": ["thought", "task_name", "command"],
    "additionalProperties": False,
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "plan", "schema": SCHEMA}}
TWO = '[m:q1] [fake:plan=calculator{"expression": "1 + 1"};calculator{"expression": "#n * [2]"}] How much?'


@pytest.fixture
async def fake() -> AsyncIterator[FakeLLM]:
    async with FakeLLM() as server:
        yield server


async def reply(fake: FakeLLM, *texts: str, **fields: object) -> dict[str, Any]:
    """The choice for a conversation in which user and assistant take turns, the user first."""
    roles = ("user", "assistant")
    messages = [{"role": roles[at % 2], "content": text} for at, text in enumerate(texts)]
    body = json.dumps({"model": "m", "messages": messages, **fields}).encode()

    def call() -> dict[str, Any]:
        with urllib.request.urlopen(f"{fake.base_url}/chat/completions", body, timeout=30) as response:
            choice: dict[str, Any] = json.load(response)["choices"][0]
            return choice

    return await asyncio.to_thread(call)


async def plan(fake: FakeLLM, *texts: str) -> str:
    """The text of a planning call's reply."""
    return str((await reply(fake, *texts, response_format=FORMAT))["message"]["content"])


async def test_plans_come_one_after_the_other_and_then_it_is_complete(fake: FakeLLM):
    commands = []
    prompt = TWO
    for _ in range(3):
        made = json.loads(await plan(fake, prompt))
        commands.append(made["command"])
        prompt += f"\nFinished: {made['task_name']}, 2"
    assert [command["args"].get("expression") for command in commands] == ["1 + 1", "2 * [2]", None]
    assert commands[-1]["name"] == "task_complete"


async def test_a_finished_task_is_known_by_its_call_where_it_has_no_name(fake: FakeLLM):
    finished = json.dumps([{"task_name": "", "command": {"name": "calculator", "args": {"expression": "1 + 1"}}}])
    assert json.loads(await plan(fake, f"{finished}\n{TWO}"))["command"]["args"] == {"expression": "2 * [2]"}


async def test_the_same_prompt_gets_the_same_plan_again(fake: FakeLLM):
    assert await plan(fake, TWO) == await plan(fake, TWO)


async def test_a_call_that_wants_no_plan_is_answered(fake: FakeLLM):
    assert (await reply(fake, TWO))["message"]["content"].startswith("[m:q1] the quick")


async def test_a_question_without_a_script_needs_no_tool(fake: FakeLLM):
    assert json.loads(await plan(fake, "Hi"))["command"]["name"] == "task_complete"


async def test_marks_of_another_question_do_not_count(fake: FakeLLM):
    made = json.loads(await plan(fake, f"Before: [p:q0#1] calculator, [p:q0#2] calculator\n{TWO}"))
    assert made["command"]["args"] == {"expression": "1 + 1"}


async def test_a_question_that_a_prompt_quotes_as_json_is_understood(fake: FakeLLM):
    assert json.loads(await plan(fake, json.dumps({"goal": TWO})))["command"]["args"] == {"expression": "1 + 1"}


async def test_without_a_schema_the_form_in_the_prompt_asks_for_a_plan(fake: FakeLLM):
    form = 'Reply with {"thought": "…", "task_name": "…", "command": {"name": "…", "args": {}}}'
    assert json.loads((await reply(fake, f"{TWO}\n{form}"))["message"]["content"])["command"]["name"] == "calculator"


async def test_plans_follow_the_schema(fake: FakeLLM):
    made = json.loads(await plan(fake, f"{TWO} [fake:thought={'long ' * 30}]"))
    assert (list(made), len(made["thought"])) == (["thought", "task_name", "command"], 60)


@pytest.mark.parametrize("bad", ["cut", "flat", "tool", "args", "tags", "react", "text"])
async def test_a_complaint_about_a_plan_gets_the_same_plan_in_order(fake: FakeLLM, bad: str):
    asked = f"{TWO} [fake:badplan={bad}/1]"
    spoilt = await plan(fake, asked)
    mended = json.loads(await plan(fake, asked, spoilt, "That was no plan. Try again."))
    assert mended["command"] == {"name": "calculator", "args": {"expression": "1 + 1"}}
    assert spoilt != json.dumps(mended)


async def test_a_complaint_may_quote_the_plan_s_beginning(fake: FakeLLM):
    asked = f"{TWO} [fake:badplan=text/1]"
    spoilt = await plan(fake, asked)
    mended = json.loads(await plan(fake, f"{asked}\nYou wrote: {spoilt[:-9]}… That was no plan."))
    assert mended["command"]["args"] == {"expression": "1 + 1"}


async def test_one_plan_only_can_be_spoilt(fake: FakeLLM):
    asked = f"{TWO} [fake:badplan=text] [fake:when=plan2]"
    first = json.loads(await plan(fake, asked))
    assert "rather not" in await plan(fake, f"{asked}\nFinished: {first['task_name']}")


@pytest.mark.parametrize("bad", ["prose", "fence", "think"])
async def test_a_plan_may_be_wrapped(fake: FakeLLM, bad: str):
    spoilt = await plan(fake, f"{TWO} [fake:badplan={bad}]")
    assert "1 + 1" in spoilt
    with pytest.raises(ValueError):
        json.loads(spoilt)


async def test_a_tool_call_may_come_in_place_of_a_plan(fake: FakeLLM):
    choice = await reply(fake, f"{TWO} [fake:badplan=toolcall]", response_format=FORMAT)
    [call] = choice["message"]["tool_calls"]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("tool_calls", None)
    assert call["function"] == {"name": "calculator", "arguments": '{"expression": "1 + 1"}'}


@pytest.mark.parametrize(("bad", "expressions"), [("repeat", ["1 + 1"] * 4), ("endless", ["1 + 1", *"234"])])
async def test_plans_may_never_end(fake: FakeLLM, bad: str, expressions: list[str]):
    prompt = f'[fake:plan=calculator{{"expression": "1 + 1"}};calculator{{"expression": "#n"}}] [fake:badplan={bad}]'
    seen = []
    for _ in range(4):
        made = json.loads(await plan(fake, prompt))
        seen.append(made["command"]["args"]["expression"])
        prompt += f"\nFinished: {made['task_name']}"
    assert seen == expressions


async def test_a_plan_may_have_calls_side_by_side(fake: FakeLLM):
    form = '{"thought": …, "command": {"name": …}}'
    asked = f'[fake:plan=calculator{{"expression": "1"}}&calculator{{"expression": "2"}};task_complete] {form}'
    made = json.loads((await reply(fake, asked))["message"]["content"])
    assert made["command"]["args"] == {"expression": "1"}
    assert [each["command"]["args"] for each in made["more"]] == [{"expression": "2"}]


async def test_faults_are_for_the_answer_unless_the_message_says_otherwise(fake: FakeLLM):
    assert json.loads(await plan(fake, "[fake:say=Yes.] [fake:finish=length] Hi"))
    choice = await reply(fake, "[fake:finish=length] [fake:when=plan] Hi", response_format=FORMAT)
    assert choice["finish_reason"] == "length"
    assert (await reply(fake, "[fake:finish=length] [fake:when=plan] Hi"))["finish_reason"] == "stop"


async def test_the_log_tells_what_a_call_was_for(fake: FakeLLM):
    await plan(fake, "Hi")
    await reply(fake, "Hi")
    assert [call.purpose for call in fake.calls()] == ["plan", "answer"]
