"""Finding the JSON in a reply and mending it, exactly as the published scorer does.

Every rule here is a quirk that scores depend on; a better repair would give other numbers. What differs is only the
work: the published way copies and parses the whole reply once per fault, this one a fixed number of times.
"""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any, Final

from evals.kagentbench.decode import loads_reply

#: From so many missing brackets on, a reply is not searched for the end of its object.
_MANY_MISSING: Final = 5
#: How an object must end for its end to be found: a bracket, a line break, a bracket.
_END: Final = "}\n}"

_BAD_ESCAPE: Final = "Invalid \\escape"
_BAD_NAME: Final = "Expecting property name enclosed in double quotes"
_OPEN_STRING: Final = "Unterminated string"

#: A word before a colon. It can only begin where a run of word characters does.
_NAME: Final = re.compile(r"\b(\w++):")
#: Text between quotes as far as a quote, a backslash with the next character, or the end.
_INSIDE: Final = re.compile(r'[^"\\]*+')
_FOUR_HEX: Final = re.compile(r"[0-9A-Fa-f]{4}")
_ESCAPED: Final = frozenset('"\\/bfnrt')


def read_json(text: str) -> Any:
    """The JSON value in a reply, found and mended.

    Raises `json.JSONDecodeError` where there is none, `ValueError` for numbers that are too long, `RecursionError`
    for nesting that is too deep (see `decode`).
    """
    return _mended(extract(text))


def extract(text: str) -> str:
    """The part of a reply that is taken for JSON; the whole reply where its end is not found."""
    missing = text.count("{") - text.count("}")
    if missing > 0:
        text = text.rstrip("\n") + "\n}" * missing
        if missing >= _MANY_MISSING:
            return text
    begin, end = text.find("{"), text.rfind(_END)
    if begin < 0 or end < 0:
        return text
    return text[begin : end + len(_END)].strip()


def _mended(text: str) -> Any:
    try:
        return loads_reply(text)
    except json.JSONDecodeError as error:
        first = error
    if first.msg.startswith(_BAD_NAME):
        return loads_reply(_NAME.sub(r'"\1":', text))
    last = first
    if first.msg.startswith(_BAD_ESCAPE):
        text, value, failed = _without_bad_escapes(text, first.pos)
        if failed is None:
            return value
        last = failed
    balanced = _balanced(text)
    if balanced == text:
        raise last
    try:
        return loads_reply(balanced)
    except json.JSONDecodeError:
        raise last from None


def _balanced(text: str) -> str:
    """With as many closing brackets as opening ones; where there are too many, all at the end go."""
    more = text.count("{") - text.count("}")
    if more > 0:
        return text + "}" * more
    return text.rstrip("}") if more < 0 else text


def _without_bad_escapes(text: str, begin: int) -> tuple[str, Any, json.JSONDecodeError | None]:
    """The text without the backslashes of invalid escapes, and its value or the error that remains.

    Published: delete the backslash that the error names, parse again, and so on until the error is another one, which
    takes as many passes as there are backslashes. The same in two: delete all (whatever follows a deleted one was
    inside its string and stays there), parse, and where another error stands at a place, put those behind it back.

    `begin` is where the first bad escape is: within a string.
    """
    bad = _bad_escapes(text, begin)
    cleaned = _without(text, bad)
    try:
        return cleaned, loads_reply(cleaned), None
    except json.JSONDecodeError as error:
        failed = error
    if failed.msg.startswith(_OPEN_STRING):  # it names the beginning, but the string was read to the end
        return cleaned, None, failed
    # The nth of them was at this place when the ones before it were gone.
    reached = [at for n, at in enumerate(bad) if at - n <= failed.pos]
    return _without(text, reached), None, failed


def _bad_escapes(text: str, begin: int) -> list[int]:
    """Places of all backslashes from `begin`, which is inside a string, that begin no valid escape in a string."""
    bad: list[int] = []
    at, end = begin, len(text)
    while True:
        at = _INSIDE.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing, too
        if at >= end:
            return bad
        if text[at] == '"':
            at = text.find('"', at + 1) + 1  # the next string
            if not at:
                return bad
            continue
        after = text[at + 1 : at + 2]
        if after in _ESCAPED or not after:
            at += 2
        elif after == "u":
            # An error of its own, which is not mended; if it is one, nothing behind it counts.
            at += 6 if _FOUR_HEX.match(text, at + 2) else 2
        else:
            bad.append(at)
            at += 1


def _without(text: str, places: list[int]) -> str:
    """The text without the characters at these ascending places."""
    if not places:
        return text
    edges = [-1, *places, len(text)]
    return "".join(text[before + 1 : after] for before, after in pairwise(edges))
