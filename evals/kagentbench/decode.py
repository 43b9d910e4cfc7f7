"""JSON as Python's own module reads it, faster where that makes no difference.

`orjson` differs in four ways: it refuses NaN and Infinity, lone surrogates and nesting beyond 1,024 levels, and it
reads whole numbers beyond 64 bits as floats. Whatever it refuses, and whatever holds a float, is read again by
`json`, so that the values, and the errors, are always those of `json`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, Final

#: How deep a reply's JSON may nest. The published scorer raises Python's recursion limit and is killed by the
#: system on deep replies (100,000 levels); ours must stay below the ordinary limit (1,000) with all that is on the
#: stack already, and whatever it reads is printed, compared and sent between processes later, level by level.
MAX_DEPTH: Final = 500

#: A whole string (or one that never ends), or one bracket.
_STRING_OR_BRACKET: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_BLANKS: Final = re.compile(r"[ \t\n\r]*+")
_CLOSING: Final = {"{": "}", "[": "]"}


def loads_reply(text: str) -> Any:
    """The value of a reply's JSON.

    Raises what `json.loads` raises (`JSONDecodeError`, `ValueError` for a number of more than 4,300 digits), and
    `RecursionError` for what nests deeper than `MAX_DEPTH`.
    """
    if text.count("{") + text.count("[") > MAX_DEPTH:
        _check_depth(text)
    try:
        value = _fast()(text)
    except ValueError:
        return json.loads(text)
    return json.loads(text) if holds_float(value) else value


def loads_line(raw: bytes) -> tuple[Any, bool]:
    """The value of a file's line, and whether its numbers are already as `json` reads them.

    Where they are not, floats may stand for whole numbers beyond 64 bits: a caller who finds one among the values
    that it needs calls `loads_exactly`. Raises `ValueError` (`UnicodeDecodeError` is one) and `RecursionError`.
    """
    try:
        return _fast()(raw), False
    except ValueError:
        return loads_exactly(raw), True


def loads_exactly(raw: bytes) -> Any:
    """The value of a file's line as `json` reads it. Raises `ValueError` and `RecursionError`."""
    return json.loads(raw.decode("utf-8"))


def holds_float(value: Any) -> bool:
    """Whether there is a float anywhere in it."""
    if type(value) is str:
        return False
    waiting = [value]
    for one in waiting:
        kind = type(one)
        if kind is dict:
            waiting.extend(part for part in one.values() if type(part) is not str)
        elif kind is list:
            waiting.extend(part for part in one if type(part) is not str)
        elif kind is float:
            return True
    return False


@cache
def _fast() -> Callable[[str | bytes], Any]:
    # Where it is used: a server that measures nothing does without it.
    from orjson import loads

    return loads


def _check_depth(text: str) -> None:
    """Raises where brackets outside strings nest too deeply: the error that `json.loads` would come to, if there is one
    anywhere, else `RecursionError`."""
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        first = text[found.start()]
        if first in "]}":
            depth -= 1
        elif first in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                break
    else:
        return
    _check_form(text)
    raise RecursionError("maximum recursion depth exceeded")


def _check_form(text: str) -> None:
    """Raises the error that `json.loads` would raise if it could nest without end."""
    scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]
    opened: list[str] = []
    at = _after_blanks(text, 0)
    while True:  # a value begins here
        if text.startswith(("{", "["), at):
            opened.append(text[at])
            at = _after_blanks(text, at + 1)
            if not text.startswith(_CLOSING[opened[-1]], at):
                at = _after_name(text, at) if opened[-1] == "{" else at
                continue
        else:
            try:
                at = _after_blanks(text, scan(text, at)[1])
            except StopIteration as none:
                raise json.JSONDecodeError("Expecting value", text, none.value) from None
        while opened and text.startswith(_CLOSING[opened[-1]], at):
            opened.pop()
            at = _after_blanks(text, at + 1)
        if not opened:
            if at < len(text):
                raise json.JSONDecodeError("Extra data", text, at)
            return
        if not text.startswith(",", at):
            raise json.JSONDecodeError("Expecting ',' delimiter", text, at)
        at = _after_blanks(text, at + 1)
        at = _after_name(text, at) if opened[-1] == "{" else at


def _after_name(text: str, at: int) -> int:
    if not text.startswith('"', at):
        raise json.JSONDecodeError("Expecting property name enclosed in double quotes", text, at)
    at = _after_blanks(text, scanstring(text, at + 1, True)[1])
    if not text.startswith(":", at):
        raise json.JSONDecodeError("Expecting ':' delimiter", text, at)
    return _after_blanks(text, at + 1)


def _after_blanks(text: str, at: int) -> int:
    return _BLANKS.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing, too
