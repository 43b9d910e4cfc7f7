"""Finding JSON in what a model wrote: in prose, in fences, broken off, spelled wrongly. Bounded for any input."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

#: Characters that are looked at.
MAX_TEXT = 32_768
#: Characters that are repaired, and how deep they may be nested: what takes `json_repair` milliseconds.
MAX_REPAIRED, MAX_DEPTH = 8_192, 40
#: Values that are looked for in one text, and those of them that are repaired: a repair may take a fifth of a second.
_MOST_VALUES, _MOST_REPAIRS = 16, 4
_THINK = re.compile(r"<(/?)think(?:ing)?>", re.IGNORECASE)
_OPENING = re.compile(r"[{\[]")
#: Chinese punctuation in the place of JSON's, between quotes and brackets.
_COLON, _COMMA = re.compile(r'(?<=["”])\s*：\s*(?=["“{\[\d])'), re.compile(r'(?<=["”}\]\d])\s*，\s*(?=["“{\[])')
#: What changes the depth, and strings, in which it doesn't. Possessive: a string without an end is scanned once.
_BRACKET = re.compile(r"[{}\[\]]")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+(?P<closed>")?|[{}\[\]]', re.DOTALL)


class Found(NamedTuple):
    """A JSON object or list that stood in a text."""

    value: Any
    #: Whether it came to its end; otherwise something may be missing.
    whole: bool
    #: As it stood there.
    source: str


def without_thoughts(text: str) -> str:
    """The text without `<think>` blocks; one that never ends takes everything after it along."""
    pieces: list[str] = []
    inside, at = False, 0
    for mark in _THINK.finditer(text):
        if not mark[1]:
            if not inside:
                pieces.append(text[at : mark.start()])
            inside = True
        elif not inside:
            # The prompt had opened the block, so everything up to here was reasoning.
            pieces.clear()
        else:
            inside = False
        at = mark.end()
    if not inside:
        pieces.append(text[at:])
    return "".join(pieces)


def find_json(text: str) -> Iterator[Found]:
    """The objects and lists in `text`, in their order; one that never ends comes last, before what stands inside it."""
    text = text[:MAX_TEXT].strip()
    whole = _load(text)
    if whole is not None:
        yield Found(whole, True, text)
        return
    at = repairs = 0
    for _ in range(_MOST_VALUES):
        opening = _OPENING.search(text, at)
        if opening is None:
            return
        end = _end(text, opening.start())
        source = text[opening.start() : end]
        value = _load(source) if end is not None else None
        if value is None and repairs < _MOST_REPAIRS:
            repairs += 1
            value = _repair(source)
        if value is not None:
            yield Found(value, end is not None, source)
        # What never ends may have swallowed the real one.
        at = opening.end() if end is None else end


def is_closed_behind(text: str, key: re.Pattern[str]) -> bool:
    """Whether an object stands behind the first match of `key` and comes to its end."""
    found = key.search(text)
    if found is None:
        return False
    return text[found.end() : found.end() + 1] == "{" and _end(text, found.end()) is not None


def _end(text: str, start: int) -> int | None:
    """Where the object or list that begins at `start` has ended; None if it doesn't."""
    depth, at, wanted = 0, start, _TOKEN
    while (token := wanted.search(text, at)) is not None:
        mark, at = token[0], token.end()
        if mark in ("{", "["):
            depth += 1
        elif mark in ("}", "]"):
            depth -= 1
            if depth == 0:
                return at
        elif token["closed"] is None:
            # No quote after this one has an end either, so that none of them begins a string.
            at, wanted = token.start() + 1, _BRACKET
    return None


def _load(text: str) -> Any:
    """The object or list that `text` is as JSON (line breaks in strings allowed); None if it is none."""
    if text[:1] not in ("{", "["):
        return None
    try:
        return _plain(json.loads(text, strict=False))
    except (ValueError, RecursionError):
        return None


def _repair(text: str) -> Any:
    """The object or list that `text` was meant to be; None if nobody can tell."""
    if len(text) > MAX_REPAIRED or _depth(text) > MAX_DEPTH:
        return None
    from json_repair import repair_json

    try:
        text = _COMMA.sub(", ", _COLON.sub(": ", text))
        value = repair_json(text, return_objects=True, skip_json_loads=True)
        return _plain(value) if isinstance(value, dict | list) else None
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        # Whatever a parser of broken input may stumble over.
        return None


def _depth(text: str) -> int:
    deepest = depth = 0
    for ch in text:
        if ch in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif ch in "}]":
            depth -= 1
    return deepest


def _plain(value: Any, depth: int = 0) -> Any:
    """The value with nothing in it that a database can't keep. Raises `ValueError` where it is nested too deeply."""
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    match value:
        case dict():
            return {_text(str(key)): _plain(inner, depth + 1) for key, inner in value.items()}
        case list():
            return [_plain(inner, depth + 1) for inner in value]
        case str():
            return _text(value)
        case float():
            return value if math.isfinite(value) else None
        case int() | bool() | None:
            return value
        case _:
            raise ValueError(f"{type(value)} is no JSON")


def _text(text: str) -> str:
    """Without NUL and lone surrogates."""
    return text.replace("\x00", "").encode(errors="replace").decode()
