"""What a constrained run holds replies to: the closed JSON Schema of a template whose replies are JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from agent.styles.kuaiagent.schema import most_tokens
from evals.kagentbench.items import Item
from evals.runs import Sampling

#: Types of items whose replies are plans. Conclusions and profiles are prose, whatever the template.
_PLANNED: Final = ("plantooluse", "reflextion")
#: Tokens that the longest reply may have: those of the published runs. Cut-off JSON is worth nothing.
_MOST_TOKENS: Final = Sampling().max_tokens
#: Characters of the thought, which is what is scored of a plan beside its call.
_THOUGHT: Final = 150
#: Characters that are tried for a tool's strings, from the most.
_CAPS: Final = (200, 150, 120, 100, 80, 60, 40, 30, 20, 10)
_MOST_ENTRIES, _MOST_CHOICES, _DEEPEST = 4, 100, 4
#: What authors of tools write for JSON's types.
_TYPES: Final[Mapping[str, str]] = {
    "int": "integer",
    "float": "number",
    "double": "number",
    "bool": "boolean",
    "list": "array",
    "dict": "object",
}


def plan_schema(item: Item, template: str) -> Mapping[str, Any] | None:
    """The schema for replies to this prompt, closed over the item's tools; None where replies aren't JSON.

    Every string is bounded, so that a reply ends within the tokens that it has.
    """
    tools = [tool for tool in item.funcs if isinstance(tool, Mapping) and isinstance(tool.get("name"), str)]
    if item.type not in _PLANNED or template not in ("AutoGPT", "KuaiAgent") or not tools:
        return None
    return _plan(template, [_fitted(template, tool) for tool in tools])


def _fitted(template: str, tool: Mapping[str, Any]) -> dict[str, Any]:
    """The tool's command with as much text in its arguments as a plan has tokens for."""
    sizes = (_command(tool, cap) for cap in _CAPS)
    fitting = (size for size in sizes if most_tokens(_plan(template, [size])) <= _MOST_TOKENS)
    return next(fitting, _command(tool, _CAPS[-1]))


def _plan(template: str, commands: list[dict[str, Any]]) -> dict[str, Any]:
    thought = {"type": "string", "maxLength": _THOUGHT}
    begin = {"thoughts": _object({"text": thought})} if template == "AutoGPT" else {"task_name": thought}
    return _object({**begin, "command": {"anyOf": commands}})


def _command(tool: Mapping[str, Any], cap: int) -> dict[str, Any]:
    parameters = tool.get("parameters")
    found = parameters if isinstance(parameters, Mapping) else {}
    args = _bounded({**found, "type": "object"}, cap, _DEEPEST)
    return _object({"name": {"type": "string", "enum": [tool["name"]]}, "args": args})


def _object(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    wanted = list(properties) if required is None else required
    return {"type": "object", "properties": properties, "required": wanted, "additionalProperties": False}


def _bounded(schema: Mapping[str, Any], cap: int, deep: int) -> dict[str, Any]:
    """What constrains in a tool's schema, whoever wrote it, and nothing unbounded."""
    kind, choices = _type_of(schema), schema.get("enum")
    if isinstance(choices, list) and (named := [one for one in choices if isinstance(one, str | int | float)]):
        return {"enum": named[:_MOST_CHOICES]}
    if kind == "object" and deep > 0:
        found, required = schema.get("properties"), schema.get("required")
        properties = {
            str(name): _bounded(inner if isinstance(inner, Mapping) else {}, cap, deep - 1)
            for name, inner in (found.items() if isinstance(found, Mapping) else ())
        }
        return _object(properties, [one for one in properties if isinstance(required, list) and one in required])
    if kind == "array" and deep > 0:
        inner = schema.get("items")
        items = _bounded(inner if isinstance(inner, Mapping) else {}, cap, deep - 1)
        return {"type": "array", "maxItems": _MOST_ENTRIES, "items": items}
    if kind in ("integer", "number", "boolean"):
        return {"type": kind}
    return {"type": "string", "maxLength": cap}


def _type_of(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if isinstance(one, str) and one != "null"), None)
    if not isinstance(kind, str):
        return "object" if isinstance(schema.get("properties"), Mapping) else "string"
    return _TYPES.get(kind.lower(), kind.lower())
