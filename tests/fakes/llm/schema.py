"""JSON Schema, as far as servers that follow one need it: find it in a request, and write what follows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from typing import Any

_WORDS = ("alpha", "beta", "gamma", "delta", "epsilon")
_KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "null": (type(None),),
}
#: Characters of a string that a schema leaves free.
_FREE = 12


def of(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The schema in a request, in whatever form it was sent; None for none."""
    wanted = body.get("response_format") or {}
    nested = wanted.get("json_schema") or {}
    outputs = body.get("structured_outputs") or {}
    found = (
        nested.get("schema")
        or wanted.get("schema")
        or body.get("guided_json")
        or outputs.get("json")
        # llama-server's `/v1/completions`.
        or body.get("json_schema")
    )
    return found if isinstance(found, Mapping) else None


def not_strict(schema: Mapping[str, Any], path: tuple[str, ...] = ()) -> str | None:
    """Why OpenAI would not take this schema as `strict` (its guide on structured outputs); None if it would.

    Whether lengths of strings are taken has changed with time; the harder rule is kept here.
    """
    where = f"In context={path!r}, "
    if not path and schema.get("type") != "object":
        return f"{where}schema must have type 'object'."
    for name in ("allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "minLength", "maxLength"):
        if name in schema:
            return f"{where}'{name}' is not permitted."
    properties = schema.get("properties") or {}
    if schema.get("type") == "object":
        if schema.get("additionalProperties") is not False:
            return f"{where}'additionalProperties' is required to be supplied and to be false."
        if set(schema.get("required") or ()) != set(properties):
            return f"{where}'required' is required to be supplied and to be an array including every key in properties."
    below = [(each, (*path, "properties", name)) for name, each in properties.items()]
    below += [(each, (*path, "anyOf", str(at))) for at, each in enumerate(schema.get("anyOf") or ())]
    below += [(schema["items"], (*path, "items"))] if isinstance(schema.get("items"), Mapping) else []
    below += [(each, (*path, "$defs", name)) for name, each in (schema.get("$defs") or {}).items()]
    return next((wrong for each, at in below if (wrong := not_strict(each, at)) is not None), None)


def written(schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> Any:
    """A value that follows the schema, the same for the same schema: the first of all choices, short strings."""
    root = schema if root is None else root
    if "$ref" in schema:
        return written(_resolved(schema["$ref"], root), root)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for choice in ("anyOf", "oneOf", "allOf"):
        if schema.get(choice):
            return written(schema[choice][0], root)
    match _type(schema):
        case "object":
            return {name: written(each, root) for name, each in (schema.get("properties") or {}).items()}
        case "array":
            return [written(schema.get("items") or {}, root) for _ in range(schema.get("minItems", 1))]
        case "integer" | "number":
            return schema.get("minimum", min(1, schema.get("maximum", 1)))
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return _text(schema.get("minLength", 0), schema.get("maxLength", _FREE))


def fitted(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> Any:
    """`value` as a server that follows the schema would have let it be written: its keys and their order, its lengths.

    What the schema demands and `value` lacks is written; a choice that `value` matches is taken.
    """
    root = schema if root is None else root
    if "$ref" in schema:
        return fitted(value, _resolved(schema["$ref"], root), root)
    choices: Sequence[Mapping[str, Any]] = schema.get("anyOf") or schema.get("oneOf") or ()
    if choices:
        return fitted(value, next((each for each in choices if _matches(value, each, root)), choices[0]), root)
    if "const" in schema or schema.get("enum"):
        return value if value in (schema.get("enum") or [schema.get("const")]) else written(schema, root)
    if _type(schema) == "object" and isinstance(value, Mapping):
        properties = schema.get("properties") or {}
        required = schema.get("required") or []
        known = {
            name: fitted(value[name], each, root) if name in value else written(each, root)
            for name, each in properties.items()
            if name in value or name in required
        }
        closed = schema.get("additionalProperties") is False or properties
        return known if closed else {**value, **known}
    if _type(schema) == "array" and isinstance(value, list):
        items = schema.get("items") or {}
        return [fitted(each, items, root) for each in value[: schema.get("maxItems", len(value))]]
    if _type(schema) == "string" and isinstance(value, str):
        return value[: schema.get("maxLength", len(value))]
    return value


def _matches(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any]) -> bool:
    """Whether `value` is meant for this choice: constants agree, and types."""
    if "$ref" in schema:
        return _matches(value, _resolved(schema["$ref"], root), root)
    if "const" in schema or schema.get("enum"):
        return value in (schema.get("enum") or [schema.get("const")])
    if _type(schema) == "object":
        properties = schema.get("properties") or {}
        return isinstance(value, Mapping) and all(
            _matches(value[name], each, root) for name, each in properties.items() if name in value
        )
    return isinstance(value, _KINDS.get(_type(schema), (object,)))


def _type(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    return kind if isinstance(kind, str) else kind[0]


def _resolved(reference: str, root: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Any = root
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


def _text(least: int, most: int) -> str:
    text = " ".join(islice(cycle(_WORDS), 1 + max(least, _FREE) // 4))
    return text[: max(least, min(most, _FREE))]
