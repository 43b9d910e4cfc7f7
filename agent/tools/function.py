"""Make a tool from a typed async function: its signature becomes the schema, its docstring the description."""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal, Union

from agent import texts
from agent.tools.registry import Tool, ToolContext, ToolError, ToolResult

#: Characters that a string argument may have unless `MaxLength` says otherwise. Bounded, so that a model whose output
#: is constrained by the schema cannot write without end.
DEFAULT_MAX_LENGTH = 1000

_SECTION = re.compile(r"^(Args|Returns|Raises|Yields|Example|Examples|Note):\s*$", re.M)
_ARGUMENT = re.compile(r"^(?P<indent> +)(?P<name>\w+)(?: \([^)]*\))?:\s*(?P<text>.*)$")
_JSON_TYPES: dict[type, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


@dataclass(frozen=True, slots=True)
class MaxLength:
    """Most characters of a string argument: `Annotated[str, MaxLength(40)]`."""

    characters: int


@dataclass(frozen=True, slots=True)
class Between:
    """Smallest and greatest value of a number argument, both allowed: `Annotated[int, Between(1, 12)]`."""

    least: int
    most: int


def tool(
    fn: Callable[..., Awaitable[ToolResult | str]],
    *,
    name_zh: str,
    aliases: tuple[str, ...] = (),
    writes: bool = False,
    untrusted_output: bool = False,
    network: bool = False,
) -> Tool:
    """A tool that runs `fn`.

    `fn` is async and has a Google-style docstring whose `Args` describe every argument. Arguments are `str`, `int`,
    `float`, `bool`, a `Literal` or an `Enum` (by value), each alone or `| None`; those with a default are optional. A
    parameter annotated `ToolContext` gets the run's context and is no argument. A returned string is the result for
    models and people alike.

    Raises `TypeError` or `ValueError` when `fn` can't be described that way: that is a fault of the code, found at
    start.
    """
    if not inspect.iscoroutinefunction(fn):
        raise TypeError(f"{fn!r} is not an async function")
    name = fn.__name__
    description, said = _read_docstring(inspect.getdoc(fn) or "")
    if not description:
        raise ValueError(f"tool {name} has no docstring")

    hints = typing.get_type_hints(fn, include_extras=True)
    properties: dict[str, dict[str, Any]] = {}
    required: list[str] = []
    context_name: str | None = None
    for parameter in inspect.signature(fn).parameters.values():
        hint = hints.get(parameter.name)
        if hint is ToolContext:
            context_name = parameter.name
            continue
        if parameter.name not in said:
            raise ValueError(f"the docstring of tool {name} doesn't describe {parameter.name}")
        schema = {**_schema(hint, f"{name}({parameter.name})"), "description": said[parameter.name]}
        if parameter.default is parameter.empty:
            required.append(parameter.name)
        elif parameter.default is not None:
            default = parameter.default
            schema["default"] = default.value if isinstance(default, Enum) else default
        properties[parameter.name] = schema

    parameters = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    enums = {key: kind for key in properties if (kind := _enum_of(hints[key])) is not None}

    async def run(args: dict[str, Any], context: ToolContext) -> ToolResult:
        given: dict[str, Any] = dict(validate(name, parameters, args))
        given.update({key: kind(given[key]) for key, kind in enums.items() if given.get(key) is not None})
        if context_name is not None:
            given[context_name] = context
        result = await fn(**given)
        return ToolResult(answer=result, answer_md=result) if isinstance(result, str) else result

    return Tool(
        name=name,
        name_zh=name_zh,
        description=description,
        parameters=parameters,
        run=run,
        writes=writes,
        untrusted_output=untrusted_output,
        aliases=aliases,
        network=network,
    )


def validate(tool_name: str, parameters: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    """The arguments as the schema wants them. Numbers that came as text are read as numbers.

    Raises `ToolError` with a sentence that says which argument is wrong and what would be right.
    """
    properties: dict[str, dict[str, Any]] = parameters["properties"]
    for key in args:
        if key not in properties:
            raise ToolError(texts.ARG_UNKNOWN, name=key, tool=tool_name, known=", ".join(properties) or "–")
    for key in parameters["required"]:
        if args.get(key) is None:
            raise ToolError(
                texts.ARG_MISSING, name=key, tool=tool_name, description=properties[key]["description"].rstrip(".")
            )
    return {key: _validated(key, properties[key], value) for key, value in args.items() if value is not None}


def _validated(name: str, schema: dict[str, Any], value: Any) -> Any:
    if "enum" in schema:
        if value not in schema["enum"] or isinstance(value, bool):
            raise ToolError(texts.ARG_NOT_ALLOWED, name=name, allowed=", ".join(map(str, schema["enum"])))
        return value
    kind = schema["type"]
    if kind == "string":
        return _validated_text(name, schema, value)
    if kind == "boolean":
        if not isinstance(value, bool):
            raise ToolError(texts.ARG_NOT_BOOLEAN, name=name)
        return value
    return _validated_number(name, schema, value)


def _validated_text(name: str, schema: dict[str, Any], value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ToolError(texts.ARG_NOT_TEXT, name=name)
    text = str(value)
    if len(text) > schema["maxLength"]:
        raise ToolError(texts.ARG_TOO_LONG, name=name, most=schema["maxLength"], length=len(text))
    return text


def _validated_number(name: str, schema: dict[str, Any], value: Any) -> int | float:
    wrong = ToolError(texts.ARG_NOT_INTEGER if schema["type"] == "integer" else texts.ARG_NOT_NUMBER, name=name)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise wrong
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise wrong from None
    if number != number or number in (float("inf"), float("-inf")):
        raise wrong
    if schema["type"] == "integer":
        if number != int(number):
            raise wrong
        number = int(value) if isinstance(value, int) else int(number)
    if not schema.get("minimum", number) <= number <= schema.get("maximum", number):
        raise ToolError(texts.ARG_OUT_OF_RANGE, name=name, least=schema["minimum"], most=schema["maximum"])
    return number


def _read_docstring(doc: str) -> tuple[str, dict[str, str]]:
    """The description (with what is returned) and the text for each argument."""
    parts = _SECTION.split(doc)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    description = " ".join(parts[0].split())
    if returns := " ".join(sections.get("Returns", "").split()):
        description = f"{description} Returns: {returns}"

    said: dict[str, str] = {}
    last = ""
    outer: str | None = None
    for line in sections.get("Args", "").splitlines():
        found = _ARGUMENT.match(line)
        if found and (outer is None or found["indent"] == outer):
            outer, last = found["indent"], found["name"]
            said[last] = found["text"].strip()
        elif last and line.strip():
            said[last] = f"{said[last]} {line.strip()}"
    return description, said


def _schema(hint: Any, where: str) -> dict[str, Any]:
    """The JSON Schema of one argument's type."""
    limits: tuple[Any, ...] = ()
    if typing.get_origin(hint) is Annotated:
        hint, *rest = typing.get_args(hint)
        limits = tuple(rest)
    hint = _without_none(hint)
    if typing.get_origin(hint) is Annotated:
        hint, *rest = typing.get_args(hint)
        limits = (*limits, *rest)

    if typing.get_origin(hint) is Literal:
        return _enum_schema(list(typing.get_args(hint)), where)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _enum_schema([member.value for member in hint], where)
    if hint not in _JSON_TYPES:
        raise TypeError(f"{where}: arguments of type {hint!r} are not supported")

    schema: dict[str, Any] = {"type": _JSON_TYPES[hint]}
    if hint is str:
        schema["maxLength"] = DEFAULT_MAX_LENGTH
    for limit in limits:
        if isinstance(limit, MaxLength):
            schema["maxLength"] = limit.characters
        if isinstance(limit, Between):
            schema |= {"minimum": limit.least, "maximum": limit.most}
    return schema


def _enum_schema(values: list[Any], where: str) -> dict[str, Any]:
    kinds = {type(value) for value in values}
    if kinds == {str}:
        return {"type": "string", "enum": values}
    if kinds == {int}:
        return {"type": "integer", "enum": values}
    raise TypeError(f"{where}: choices must be all text or all whole numbers")


def _without_none(hint: Any) -> Any:
    if typing.get_origin(hint) not in (Union, types.UnionType):
        return hint
    rest = [arg for arg in typing.get_args(hint) if arg is not type(None)]
    return rest[0] if len(rest) == 1 else hint


def _enum_of(hint: Any) -> type[Enum] | None:
    if typing.get_origin(hint) is Annotated:
        hint = typing.get_args(hint)[0]
    hint = _without_none(hint)
    return hint if isinstance(hint, type) and issubclass(hint, Enum) else None
