"""The closed JSON Schema of a plan: one alternative per tool, every string bounded, so that no plan can run on without
end; and how many tokens the longest one takes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.tools.registry import Tool

#: Tokens of a character of text in the worst case that is expected: English has 0.25, addresses and digits 1, Chinese
#: up to 1.1 in tokenizers made for it.
_PER_CHARACTER = 1.5
#: Tokens of a character of JSON around it: keys, quotes, brackets and the blanks that a grammar allows.
_PER_SYNTAX = 0.7
#: Characters that are tried for a tool's strings, from the most.
_CAPS = (1000, 500, 300, 200, 150, 100, 60, 40, 20)
#: Most entries of a list argument.
_MAX_ITEMS = 8


@dataclass(frozen=True, slots=True)
class Size:
    """How long a plan may get."""

    #: Characters of `thought` and of `task_name`.
    thought: int
    task_name: int
    #: Characters of all text in one call's arguments.
    args: int
    #: Further calls beside the first.
    more: int


def plan_schema(tools: Sequence[Tool], size: Size) -> dict[str, Any]:
    """The schema for these tools, which must be all that a plan may name."""
    named: dict[str, Any] = {"type": "string", "maxLength": size.task_name}
    command = {"anyOf": [_command(tool, size.args) for tool in tools]}
    task = {"task_name": named, "command": command}
    plan: dict[str, Any] = {"thought": {"type": "string", "maxLength": size.thought}, **task}
    required = list(plan)
    if size.more:
        plan["more"] = {"type": "array", "maxItems": size.more, "items": _object(task, list(task))}
    return _object(plan, required)


def most_tokens(schema: Mapping[str, Any]) -> int:
    """Tokens that the longest reply by this schema has."""
    text, syntax = _longest(schema)
    return math.ceil(text * _PER_CHARACTER + syntax * _PER_SYNTAX)


def _command(tool: Tool, most: int) -> dict[str, Any]:
    sizes = (_bounded(tool.parameters, cap) for cap in _CAPS)
    args = next((size for size in sizes if _longest(size)[0] <= most), _bounded(tool.parameters, _CAPS[-1]))
    return _object({"name": {"type": "string", "enum": [tool.name]}, "args": args}, ["name", "args"])


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _bounded(schema: Mapping[str, Any], cap: int) -> dict[str, Any]:
    """The schema with nothing but what constrains, and nothing unbounded."""
    kind = schema.get("type")
    if "enum" in schema:
        return {"type": kind, "enum": schema["enum"]} if kind else {"enum": schema["enum"]}
    if kind == "object":
        properties = {name: _bounded(inner, cap) for name, inner in schema.get("properties", {}).items()}
        return _object(properties, [name for name in schema.get("required", []) if name in properties])
    if kind == "array":
        items = min(schema.get("maxItems", _MAX_ITEMS), _MAX_ITEMS)
        return {"type": "array", "maxItems": items, "items": _bounded(schema.get("items", {}), cap)}
    if kind in ("integer", "number", "boolean"):
        return {key: schema[key] for key in ("type", "minimum", "maximum") if key in schema}
    return {"type": "string", "maxLength": min(schema.get("maxLength", cap), cap)}


def _longest(schema: Mapping[str, Any]) -> tuple[int, int]:
    """Characters of text, and of the JSON around it, in the longest value."""
    if "anyOf" in schema:
        both = [_longest(inner) for inner in schema["anyOf"]]
        return max(text for text, _ in both), max(syntax for _, syntax in both)
    if "enum" in schema:
        return 0, max(len(str(value)) for value in schema["enum"]) + 2
    match schema["type"]:
        case "object":
            inner = [(name, _longest(value)) for name, value in schema["properties"].items()]
            # Quotes, colon, comma and blanks around each name.
            return sum(text for _, (text, _) in inner), 4 + sum(len(name) + 6 + syntax for name, (_, syntax) in inner)
        case "array":
            text, syntax = _longest(schema["items"])
            return schema["maxItems"] * text, 4 + schema["maxItems"] * (syntax + 2)
        case "string":
            return schema["maxLength"], 2
        case "boolean":
            return 0, 5
        case _:
            return 0, 24
