"""A tool from a function: what the schema says, and what is said about wrong arguments."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Literal

import pytest

from agent.tools.builtin import builtin_tools
from agent.tools.function import DEFAULT_MAX_LENGTH, Between, MaxLength, tool
from agent.tools.registry import Tool, ToolContext, ToolError, ToolResult, find, select, unknown_names
from tests.support.agent import NOW

CONTEXT = ToolContext(NOW, "en")


class Unit(Enum):
    CELSIUS = "c"
    FAHRENHEIT = "f"


async def look_up(
    place: Annotated[str, MaxLength(10)],
    days: Annotated[int, Between(1, 14)] = 3,
    unit: Unit = Unit.CELSIUS,
    detail: Literal["low", "high"] | None = None,
    ratio: float = 0.5,
    quick: bool = False,
    note: str | None = None,
    *,
    context: ToolContext,
) -> ToolResult:
    """Looks something up.

    In two sentences, over
    two lines.

    Args:
        place: Where, for example
            Beijing.
        days: How many days.
        unit: The unit.
        detail: How much.
        ratio: A share.
        quick: Whether to hurry.
        note: A note.

    Returns:
        What was found.
    """
    return ToolResult(f"{place} {days} {unit.name} {detail} {ratio} {quick} {note} {context.lang}", "")


TOOL = tool(look_up, name_zh="查询", aliases=("lookup",))


def test_the_schema_is_closed_and_every_string_is_bounded() -> None:
    assert TOOL.parameters == {
        "type": "object",
        "properties": {
            "place": {"type": "string", "maxLength": 10, "description": "Where, for example Beijing."},
            "days": {"type": "integer", "minimum": 1, "maximum": 14, "description": "How many days.", "default": 3},
            "unit": {"type": "string", "enum": ["c", "f"], "description": "The unit.", "default": "c"},
            "detail": {"type": "string", "enum": ["low", "high"], "description": "How much."},
            "ratio": {"type": "number", "description": "A share.", "default": 0.5},
            "quick": {"type": "boolean", "description": "Whether to hurry.", "default": False},
            "note": {"type": "string", "maxLength": DEFAULT_MAX_LENGTH, "description": "A note."},
        },
        "required": ["place"],
        "additionalProperties": False,
    }


def test_name_and_description_come_from_the_function() -> None:
    assert TOOL.name == "look_up"
    assert TOOL.description == "Looks something up. In two sentences, over two lines. Returns: What was found."


async def test_arguments_reach_the_function_with_defaults_and_context() -> None:
    assert (await TOOL.run({"place": "Rome"}, CONTEXT)).answer == "Rome 3 CELSIUS None 0.5 False None en"
    given = {"place": "Rome", "days": "7", "unit": "f", "detail": "high", "ratio": 1, "quick": True, "note": None}
    assert (await TOOL.run(given, CONTEXT)).answer == "Rome 7 FAHRENHEIT high 1.0 True None en"


@pytest.mark.parametrize(
    ("args", "en", "zh"),
    [
        ({}, "`look_up` needs the argument `place` (Where, for example Beijing).", "缺少参数 `place`"),
        ({"place": None}, "needs the argument `place`", "缺少参数 `place`"),
        ({"place": "Rome", "day": 3}, "has no argument `day`; its arguments are: place, days", "没有参数 `day`"),
        ({"place": ["Rome"]}, "`place` must be text", "必须是文本"),
        ({"place": "x" * 11}, "`place` may have at most 10 characters; this one has 11", "最多 10 个字符"),
        ({"place": "Rome", "days": "many"}, "`days` must be a whole number", "必须是整数"),
        ({"place": "Rome", "days": 2.5}, "`days` must be a whole number", "必须是整数"),
        ({"place": "Rome", "days": True}, "`days` must be a whole number", "必须是整数"),
        ({"place": "Rome", "days": 15}, "`days` must be from 1 to 14", "必须在 1 到 14 之间"),
        ({"place": "Rome", "unit": "k"}, "`unit` must be one of: c, f", "必须是以下之一：c, f"),
        ({"place": "Rome", "ratio": "nan"}, "`ratio` must be a number", "必须是数字"),
        ({"place": "Rome", "quick": "yes"}, "`quick` must be true or false", "必须是 true 或 false"),
    ],
)
async def test_a_wrong_argument_is_told_what_would_be_right(args: dict[str, Any], en: str, zh: str) -> None:
    with pytest.raises(ToolError) as error:
        await TOOL.run(args, CONTEXT)
    assert en in error.value.say("en")
    assert zh in error.value.say("zh")


async def test_a_function_may_return_plain_text() -> None:
    async def hello() -> str:
        """Says hello."""
        return "hello"

    assert await tool(hello, name_zh="问好").run({}, CONTEXT) == ToolResult("hello", "hello")


def test_what_can_not_be_described_is_refused_at_once() -> None:
    def plain(a: str) -> str:
        """Not async."""
        return a

    async def silent(a: str) -> str:
        """Says nothing about a."""
        return a

    async def nameless() -> str:
        return ""

    async def odd(a: bytes) -> str:
        """Takes bytes.

        Args:
            a: Bytes.
        """
        return ""

    with pytest.raises(TypeError, match="not an async function"):
        tool(plain, name_zh="")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="doesn't describe a"):
        tool(silent, name_zh="")
    with pytest.raises(ValueError, match="no docstring"):
        tool(nameless, name_zh="")
    with pytest.raises(TypeError, match="are not supported"):
        tool(odd, name_zh="")


def test_the_built_in_tools_have_the_names_and_arguments_of_kagentsys_and_there_is_a_calculator() -> None:
    described = {
        item.name: (item.name_zh, list(item.parameters["properties"]), item.parameters["required"])
        for item in builtin_tools()
    }
    assert described == {
        "time_delta": ("时间差工具", ["start_time", "end_time"], ["start_time", "end_time"]),
        "get_calendar_info": ("日历查询", ["start_date", "end_date"], ["start_date", "end_date"]),
        "get_solar_terms_info": ("查询节气日期", ["year"], ["year"]),
        "calculator": ("计算器", ["expression"], ["expression"]),
    }


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("auto",), ["time_delta", "get_calendar_info", "get_solar_terms_info", "calculator"]),
        ((), ["time_delta", "get_calendar_info", "get_solar_terms_info", "calculator"]),
        (("notool",), []),
        (("auto", "notool"), []),
        (("日历查询",), ["get_calendar_info"]),
        (("GET_CALENDAR_INFO", "时间差工具"), ["time_delta", "get_calendar_info"]),
        (("nosuch",), []),
    ],
)
def test_a_profile_names_its_tools_in_either_language(names: tuple[str, ...], expected: list[str]) -> None:
    assert [item.name for item in select(builtin_tools(), names)] == expected


def test_an_alias_is_a_name_too() -> None:
    tools: tuple[Tool, ...] = (TOOL,)
    assert find(tools, "lookup") is TOOL
    assert select(tools, ("查询",)) == tools


def test_names_that_mean_nothing_are_found_for_whoever_can_mend_them() -> None:
    assert unknown_names(builtin_tools(), ("auto", "time_delta", "搜索", "nosuch")) == ("搜索", "nosuch")
