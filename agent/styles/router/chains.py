"""Sums in words: "twelve times 7, then minus 4", 12加8再乘以5.

Without "then" or 再 the usual order of operations holds, as in signs. With it the sum is worked out step by step: what
stands before is one value, so it gets brackets.
"""

from __future__ import annotations

import re

from agent.styles.router.text import EN_SMALL, EN_TENS

_TIMES = ("multiplied by", "multiply(?: (?:it|that|this|the result))? by", "times", "乘以", "乘上", "乘")
_OVER = ("divided by", "divide(?: (?:it|that|this|the result))? by", "除以")
_PLUS = ("plus", "add(?:ing)?", "加上", "加")
_MINUS = ("minus", "subtract(?:ing)?", "take away", "减去", "减掉", "减")
_SIGNS = {"*": (*_TIMES, "[*×]"), "/": (*_OVER, "[/÷]"), "+": (*_PLUS, r"\+"), "-": (*_MINUS, "-")}
_WORD = "|".join(word + ("(?![a-z])" if word.isascii() else "") for word in (*_TIMES, *_OVER, *_PLUS, *_MINUS))
_HARD = re.compile("|".join((*_SIGNS["*"], *_SIGNS["/"])), re.IGNORECASE)
_SOFT = re.compile("|".join((*_SIGNS["+"], *_SIGNS["-"])), re.IGNORECASE)
#: Between two steps, where the next one begins with what is done.
_STEP = re.compile(
    rf"[ ,，;；]*(?:(?:and )?(?<![a-z])then,?|(?:然后|接着|之?后)?再|[,，;；](?:然后|接着)) ?(?={_WORD})",
    re.IGNORECASE,
)
#: "First 12 plus 8, then …", 先用12加8，再….
_FIRST = re.compile(r"^(?:first(?:ly)?,? (?=\d)|先?(?:用|拿)|先(?:计?算|把|将)?)[:：,， ]?", re.IGNORECASE)
#: 12加8的和: what one operation comes to.
_NAMED_RESULT = re.compile("的(?:和|差|积|商)$")
_BY = re.compile(r"^(?P<what>multiply|divide) (?P<a>-?[\d.,]*\d) by (?=-?\d)", re.IGNORECASE)


def in_steps(text: str) -> str:
    """The sum with brackets around what comes first; "" where the order of its steps can't be told."""
    text = _BY.sub(lambda found: f"{found['a']} {'*' if found['what'].lower() == 'multiply' else '/'} ", text)
    first, *steps = _STEP.split(text)
    if not steps:
        return text
    first = _FIRST.sub("", first)
    if _NAMED_RESULT.search(first):
        first = _NAMED_RESULT.sub("", first)
        if len(_HARD.findall(first)) + len(_SOFT.findall(first)) != 1:
            return ""
    done = first
    for step in steps:
        if not _is_one_step(step) or not _is_balanced(done):
            return ""
        done = f"({done}) {_with_sign(step)}"
    return done


def _is_one_step(step: str) -> bool:
    """Not 再加3乘以4: whether 3 or all so far is to be multiplied isn't certain."""
    soft = _SOFT.match(step)
    return _is_balanced(step) and not (soft and _HARD.search(_BRACKETS.sub("", step)))


_BRACKETS = re.compile(r"\([^()]*\)")


def _is_balanced(text: str) -> bool:
    return text.count("(") == text.count(")")


def _with_sign(step: str) -> str:
    for sign, words in _SIGNS.items():
        if found := re.match("|".join(words), step, re.IGNORECASE):
            return f"{sign} {step[found.end() :].strip()}"
    return step


_ONES = {word: n for n, word in enumerate(EN_SMALL)}
_TENS = {word: 10 * n for n, word in enumerate(EN_TENS, 2)}
_BELOW_HUNDRED = rf"(?:(?:{'|'.join(_TENS)})(?:[ -](?:{'|'.join(EN_SMALL[1:10])}))?|{'|'.join(EN_SMALL[::-1])})"
#: One number below a thousand. Not beside a dash or a stroke: seven-eleven, twenty/twenty.
_NUMBER = re.compile(
    rf"(?<![a-z0-9/-])(?:(?P<hundreds>{'|'.join(EN_SMALL[1:10])}|an?) hundred(?: (?:and )?(?P<rest>{_BELOW_HUNDRED}))?"
    rf"|(?P<small>{_BELOW_HUNDRED}))(?![a-z0-9/-])",
    re.IGNORECASE,
)


def with_digits(text: str) -> str:
    """English numbers below a thousand in digits."""

    def digits(found: re.Match[str]) -> str:
        if found["small"]:
            return str(_below_hundred(found["small"]))
        hundreds = found["hundreds"].lower()
        return str(100 * _ONES.get(hundreds, 1) + (_below_hundred(found["rest"]) if found["rest"] else 0))

    return _NUMBER.sub(digits, text)


def _below_hundred(words: str) -> int:
    return sum(_TENS.get(word, 0) or _ONES[word] for word in re.split("[ -]", words.lower()))
