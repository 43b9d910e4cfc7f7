"""The schemas that constrained runs hold replies to."""

from __future__ import annotations

from typing import Any

import pytest

from agent.styles.kuaiagent.schema import most_tokens
from evals.kagentbench.items import TEMPLATES, Item, Type
from evals.running.schemas import plan_schema
from evals.runs import Sampling

WEATHER = {
    "name": "get_weather",
    "parameters": {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "where"},
            "days": {"type": "int"},
            "unit": {"enum": ["C", "F"]},
            "at": {"type": "object", "properties": {"hour": {"type": ["integer", "null"]}}},
            "tags": {"type": "list", "items": {"type": "string"}},
        },
        "required": ["city"],
    },
}
FINISH = {"name": "finish", "parameters": {}}


def item(*tools: Any, kind: Type = "plantooluse") -> Item:
    return Item(kind, "1", "weather?", {}, "", tools, (), "en")


def commands(template: str, *tools: Any) -> dict[str, Any]:
    """The alternatives by the tool's name."""
    schema = plan_schema(item(*tools), template)
    assert schema is not None
    found = schema["properties"]["command"]["anyOf"]
    return {one["properties"]["name"]["enum"][0]: one["properties"]["args"] for one in found}


@pytest.mark.parametrize("template", TEMPLATES)
def test_only_templates_whose_replies_are_json_have_a_schema(template: str):
    assert (plan_schema(item(FINISH), template) is not None) == (template in ("AutoGPT", "KuaiAgent"))


@pytest.mark.parametrize(
    ("kind", "there"), [("plantooluse", True), ("reflextion", True), ("conclusion", False), ("profile", False)]
)
def test_only_plans_have_a_schema(kind: Type, there: bool):
    assert (plan_schema(item(FINISH, kind=kind), "KuaiAgent") is not None) == there


def test_an_item_without_tools_has_none():
    assert plan_schema(item(), "AutoGPT") is None
    assert plan_schema(item("not a tool", {"name": 5}), "AutoGPT") is None


def test_a_reply_of_autogpt_has_a_thought_and_a_command_in_its_places():
    schema = plan_schema(item(FINISH), "AutoGPT")
    assert schema is not None
    assert schema["required"] == ["thoughts", "command"]
    assert list(schema["properties"]["thoughts"]["properties"]) == ["text"]


def test_a_reply_of_kuaiagent_has_a_task_and_a_command():
    schema = plan_schema(item(FINISH), "KuaiAgent")
    assert schema is not None
    assert schema["required"] == ["task_name", "command"]


def test_a_command_is_one_of_the_items_tools_with_its_own_arguments_and_no_others():
    found = commands("KuaiAgent", WEATHER, FINISH)
    assert list(found) == ["get_weather", "finish"]
    args = found["get_weather"]
    assert (args["required"], args["additionalProperties"]) == (["city"], False)
    properties = args["properties"]
    assert properties["city"]["type"] == "string"
    assert properties["days"] == {"type": "integer"}
    assert properties["unit"] == {"enum": ["C", "F"]}
    assert properties["at"]["properties"] == {"hour": {"type": "integer"}}
    assert properties["tags"]["maxItems"] == 4
    assert found["finish"]["properties"] == {}


@pytest.mark.parametrize("template", ["AutoGPT", "KuaiAgent"])
@pytest.mark.parametrize("count", [1, 3, 6])
def test_the_longest_reply_has_fewer_tokens_than_a_run_allows(template: str, count: int):
    many = {f"a{n}": {"type": "string", "maxLength": 9999} for n in range(count)}
    schema = plan_schema(item({"name": "t", "parameters": {"properties": many}}), template)
    assert schema is not None
    assert most_tokens(schema) <= Sampling().max_tokens


def test_a_tool_with_one_argument_may_say_more_in_it_whatever_others_there_are():
    many = {"name": "many", "parameters": {"properties": {f"a{n}": {} for n in range(6)}}}
    one = {"name": "one", "parameters": {"properties": {"query": {"type": "string"}}}}
    found = commands("KuaiAgent", many, one)
    assert found["one"]["properties"]["query"]["maxLength"] >= 100
    assert found["many"]["properties"]["a0"]["maxLength"] < 40


def test_odd_schemas_of_tools_are_read_as_well_as_may_be():
    nested: dict[str, Any] = {}
    for _ in range(500):
        nested = {"type": "object", "properties": {"a": nested}}
    odd = {"properties": {"a": None, "b": {"type": 7}, "c": {"enum": [{}]}, "d": nested}, "required": "a"}
    args = commands("AutoGPT", {"name": "odd", "parameters": odd})["odd"]
    assert args["required"] == []
    assert {args["properties"][name]["type"] for name in "abc"} == {"string"}
    assert commands("AutoGPT", {"name": "none", "parameters": "text"})["none"]["properties"] == {}
