"""Splits a calculation, as people write it in English and Chinese, into tokens."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal, NamedTuple

from agent import texts
from agent.tools.registry import ToolError
from agent.tools.units import UNITS

Kind = Literal["number", "scale", "operator", "unit", "into", "name", "other"]


class Token(NamedTuple):
    kind: Kind
    #: The operator in its one spelling, or the text as it stands.
    text: str


_OPERATORS = {
    "**": ("**", "^", "to the power of", "raised to the power of", "raised to"),
    "//": ("//",),
    "*": ("*", "×", "·", "∙", "⋅", "multiplied by", "times", "乘以", "乘上", "乘"),
    "/": ("/", "÷", "divided by", "除以"),
    "+": ("+", "plus", "加上", "加"),
    "-": ("-", "−", "–", "minus", "减去", "减掉", "减"),
    "%": ("%", "percent", "per cent"),
    "mod": ("mod", "modulo"),
    "of": ("of",),
    "的": ("的",),
    "off": ("off",),
    "(": ("(", "["),
    ")": (")", "]"),
    ",": (",",),
    "!": ("!", "的阶乘"),
    "°": ("°", "deg", "degree", "degrees", "度"),
    "^2": ("squared", "的平方"),
    "^3": ("cubed", "的立方"),
    "的sqrt": ("的平方根", "的算术平方根"),
    "sqrt": ("√", "square root of", "the square root of", "根号"),
}
_SPELLINGS = {spelling: operator for operator, spellings in _OPERATORS.items() for spelling in spellings}
_INTO = (
    *(
        "in",
        "to",
        "into",
        "as",
        "->",
        "→",
        "=",
        "equals",
        "等于多少",
        "等于几",
        "等于",
        "是多少",
        "是几",
        "合多少",
        "合几",
    ),
    *(
        "换算成多少",
        "换算成",
        "换算为",
        "转换成",
        "转换为",
        "转成",
        "换成",
        "折合成",
        "折合",
        "有多少",
        "相当于多少",
        "相当于",
    ),
)
SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "万": 10**4, "亿": 10**8}
_UNITS = {name.casefold() for name in UNITS}


def _alternatives(words: set[str]) -> str:
    """Longest first; a word in Latin letters is not the beginning of another."""
    return "|".join(
        re.escape(word).replace(r"\ ", r"\s+") + (r"(?![a-z])" if re.search("[a-z]$", word) else "")
        for word in sorted(words, key=lambda word: (-len(word), word))
    )


_PLAIN = r"(?:\d+(?:\.\d+)?|\.\d+)"
_EXPONENT = r"(?:e[+-]?\d{1,4}(?![\d.a-z]))?"
_TOKEN = re.compile(
    rf"\s+|(?P<grouped>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?(?![\d.]))|(?P<number>{_PLAIN}{_EXPONENT})"
    rf"|百分之(?P<percent>{_PLAIN})|的(?P<power>\d{{1,6}})次[方幂]"
    rf"|(?P<word>{_alternatives({*_SPELLINGS, *_INTO, *SCALES, *_UNITS})})"
    r"|(?P<name>[a-zπ][a-z0-9]*)|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_NUMBER = re.compile(rf"(?P<number>{_PLAIN})")
_SUPERSCRIPTS = str.maketrans({"²": "^2", "³": "^3"})


def tidy(text: str) -> str:
    """One width for all characters. Raises `ToolError` for those whose meaning would be lost, such as ½ and ⁵."""
    text = text.translate(_SUPERSCRIPTS)
    for character in text:
        if unicodedata.decomposition(character).startswith(("<fraction>", "<super>", "<sub>", "<circle>")):
            raise ToolError(texts.CALC_UNREADABLE, part=character)
    return " ".join(unicodedata.normalize("NFKC", text).split())


def tokens(text: str) -> list[Token]:
    """The tokens of a tidy text."""
    found: list[Token] = []
    #: For each open bracket whether it belongs to a function: there a comma separates, elsewhere it groups thousands.
    calls: list[bool] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:  # the last alternative takes any character
            raise ToolError(texts.CALC_UNREADABLE, part=text[at])
        if match["grouped"] and any(calls[-1:]):
            match = _NUMBER.match(text, at) or match
        at = match.end()
        made = _token(match, found)
        if made and made[-1].text == "(":
            calls.append(bool(found) and found[-1].kind == "name")
        elif made and made[-1].text == ")" and calls:
            calls.pop()
        found += made
    return found


def _token(match: re.Match[str], before: list[Token]) -> list[Token]:
    groups = match.groupdict()
    if groups.get("grouped"):
        return [Token("number", match[0].replace(",", ""))]
    if groups.get("number"):
        return [Token("number", match[0])]
    if groups.get("percent"):
        return [Token("number", match["percent"]), Token("operator", "%")]
    if groups.get("power"):
        return [Token("operator", "**"), Token("number", match["power"])]
    if groups.get("name"):
        # 12 x 7; anywhere else an x is nothing that can be worked out.
        is_times = match[0] in ("x", "X") and bool(before) and before[-1] != Token("number", "0")
        return [Token("operator", "*") if is_times else Token("name", match[0].casefold())]
    if not groups.get("word"):
        return [Token("other", match[0])] if match[0].strip() else []
    return [_word(" ".join(match[0].split()), match, before)]


def _word(word: str, match: re.Match[str], before: list[Token]) -> Token:
    low = word.casefold()
    is_call = match.string[match.end() :].lstrip().startswith("(")
    after_value = bool(before) and (before[-1].kind in ("number", "scale") or before[-1].text in (")", "°"))
    if low == "in":
        # Inch right after a number and at the end of a conversion; 5 cm in in.
        ends = not match.string[match.end() :].strip(" ?=")
        return Token("unit" if ends or (after_value and not _goes_on(match)) else "into", word)
    if low in _SPELLINGS and not (is_call and low in _UNITS):
        return Token("operator", _SPELLINGS[low])
    if low in _INTO:
        return Token("into", low)
    if low in SCALES:
        return Token("scale", low)
    return Token("name", low) if is_call else Token("unit", word)


def _goes_on(match: re.Match[str]) -> bool:
    """Whether a unit is all that follows: "5 in cm" converts nothing, so its "in" is no inch either."""
    return match.string[match.end() :].strip(" ?=") in UNITS
