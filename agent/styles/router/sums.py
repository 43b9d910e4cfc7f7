"""Questions that are calculations: arithmetic, percentages, units.

What is left of a question without its polite words must be a calculation, to the last character; the calculator's own
reader decides that. Whatever could be a date, a score or a telephone number is none.
"""

from __future__ import annotations

import re

from agent import texts
from agent.styles.base import ToolCall
from agent.styles.router.chains import in_steps, with_digits
from agent.styles.router.courtesy import unwrap
from agent.styles.router.routes import Route
from agent.styles.router.text import chinese_number
from agent.tools.expression import work_out
from agent.tools.registry import ToolError
from agent.tools.tokens import tidy
from agent.tools.units import UNITS

_POLITE = (
    r"(?:(?:please|ok|okay|so|and|now|then)(?![a-z])|你|能不能|能|可以|告诉我|麻烦|请)?[,，:：!！ ]*+"
    r"(?:i (?:want|need|would like) to know )?"
)
_ASK = (
    r"(?:what(?:'s|s| is| are| does)|how much (?:is|are|does)|how many is"
    r"|(?:calculate|compute|work out|figure out|evaluate|convert|solve)(?: what is| this)?"
    r"|(?:计算|换算|折算|算|求)(?:一?下|一算|算|出|个)?(?:这道题|这个)?|把|将)[:：,， ]*+"
)
_LEAD = re.compile(
    rf"^{_POLITE}(?:{_ASK})?(?:the (?:result|value|sum|product) of |the (?=square root))?", re.IGNORECASE
)
_TAIL = re.compile(
    r"(?:[ ,，]*(?:please|thanks|thank you|谢谢|的?(?:结果|值|得数)|[呢呀啊吗嘛吧哦喔哈啦呐了]"
    r"|equals? what|equal to|equals?|=|make|(?:的(?:结果|值|得数))?(?:等于|得|是|一共|总共)*+(?:多少|几)"
    r"|[?？.。!！]))+$",
    re.IGNORECASE,
)
_UNIT = "|".join(
    re.escape(name) + ("(?![A-Za-z])" if name[-1].isascii() else "")
    for name in sorted(UNITS, key=lambda name: (-len(name), name))
)
#: How many miles is 5 km, how many seconds are there in 2 hours.
_HOW_MANY = re.compile(
    rf"^how (?:many|much) (?P<unit>{_UNIT}) (?:is|are(?: there)? in|are|in|make up|make|does|do|equals?)"
    r" (?P<amount>.+)$",
    re.IGNORECASE,
)
#: 一英里有多少公里, 5公里是几英里: the calculator reads 是多少 itself, 几 and 有几 it need not.
_ZH_MANY = re.compile(rf"(?:有|是|等于|合|为|换算成|转换成|转成)(?:多少个?|几个?)(?={_UNIT})", re.IGNORECASE)
_ONE = re.compile(rf"^(?:a|an|one) (?={_UNIT})", re.IGNORECASE)
_ZH_NUMBER = re.compile("(?:(?!百分之)[零一二两三四五六七八九十百千])+")
_ZH_UNIT_AFTER = re.compile(f"(?:{'|'.join(sorted((n for n in UNITS if not n.isascii()), key=len, reverse=True))})")
#: 2024-02-28, 3.5.2024, 8-9-2024, 3/4, 010-1234567, 2024/25: dates, telephone numbers, seasons.
_NO_SUM = re.compile(
    r"\d+([-./])\d+\1\d+|(?<![\d.])0\d+(?!\.)|\d{4}[-/]\d{1,2}(?!\d)|\d{3,}-\d{3,}|^\d{1,2}[-/]\d{1,2}$"
    # A yard, and on a speedometer kilometres per hour: 120码是多少公里.
    r"|[年月日号]|°$|码.{0,12}(?:公里|千米|英里|km)|(?:公里|千米|英里|km).{0,12}码"
)
#: On their own these are also a range, a date or a part, unless a result is asked for.
_UNSURE = frozenset({"-", "/"})
#: 3 x 4 may be a size.
_TIMES = re.compile(r"\d ?x ?\d", re.IGNORECASE)
#: Five factorial, or a five with emphasis.
_FACTORIAL = re.compile(r"\d ?!+[? ]*$")
_ASKED = re.compile(rf"^{_POLITE}{_ASK}|=|等于|得多少|是多少", re.IGNORECASE)
#: The traditional characters of sums in words.
_SIMPLIFIED = str.maketrans("減於幾請問幫計後著", "减于几请问帮计后着")
#: What is refused only after all of it was read as a calculation.
_READ_TO_THE_END = (texts.CALC_ZERO, texts.CALC_TOO_BIG, texts.CALC_KINDS, texts.CALC_TOO_COLD)


def calculation(question: str) -> Route | None:
    """The calculation that a question is; None when it isn't surely one."""
    try:
        text = unwrap(tidy(question)).translate(_SIMPLIFIED)
    except ToolError:
        return None
    expression = "" if _FACTORIAL.search(text) else _expression(text)
    if not expression or _NO_SUM.search(expression):
        return None
    try:
        outcome = work_out(expression)
    except ToolError as error:
        # A question that is no calculation and one that can't be worked out differ only where it was read to its end.
        return _route(expression) if error.text in _READ_TO_THE_END and _ASKED.search(text) else None
    if not outcome.worked or outcome.used <= {"%"}:
        return None
    if (outcome.used <= _UNSURE or _TIMES.search(expression)) and not _ASKED.search(text):
        return None
    return _route(expression)


def _route(expression: str) -> Route:
    return Route(ToolCall("calculator", {"expression": expression}))


def _expression(text: str) -> str:
    """What is left to work out, as the calculator takes it."""
    bare = _TAIL.sub("", text)
    asked = re.sub(rf"^{_POLITE}", "", bare, flags=re.IGNORECASE)
    if found := _HOW_MANY.match(asked):
        return f"{_ONE.sub('1 ', found['amount'])} in {found['unit']}"
    left = _LEAD.sub("", bare).strip(" ,，:：")
    if _ASKED.search(text):  # "one plus 12" may be a telephone
        left = with_digits(left)
    return _numerals(in_steps(_ZH_MANY.sub("是多少", _ONE.sub("1 ", left))))


def _numerals(text: str) -> str:
    """Chinese numerals as digits; 两 that is the unit stays."""

    def digits(match: re.Match[str]) -> str:
        word = match[0]
        if word == "千" or (word == "两" and not _ZH_UNIT_AFTER.match(text, match.end())):
            return word
        try:
            return str(chinese_number(word))
        except (ValueError, KeyError):
            return word

    return _ZH_NUMBER.sub(digits, text)
