"""Days that are counted from others: "100 days after D", "in three weeks", "D之后100天", "30天后"."""

from __future__ import annotations

import re
from dataclasses import replace

from agent.styles.router.patterns import Mention
from agent.styles.router.template import Joiner, Template, rewrite
from agent.styles.router.text import EN_NUMBER, NUMBER, chinese_number, english_number

_EN = rf"(?P<n>\d+|{EN_NUMBER}) (?P<u>minute|hour|day|week|fortnight|month|year)s?"
_ZH = rf"(?P<n>{NUMBER}|半)(?P<u>分钟|个?小时|个?钟头|天|日|周|个?星期|个?礼拜|个月|年)"
#: How many of the unit that is counted in.
_UNITS: dict[str, tuple[int, str]] = {
    "minute": (1, "minute"),
    "hour": (1, "hour"),
    "day": (1, "day"),
    "week": (7, "day"),
    "fortnight": (14, "day"),
    "month": (1, "month"),
    "year": (12, "month"),
    "分钟": (1, "minute"),
    "小时": (1, "hour"),
    "钟头": (1, "hour"),
    "天": (1, "day"),
    "日": (1, "day"),
    "周": (7, "day"),
    "星期": (7, "day"),
    "礼拜": (7, "day"),
    "月": (1, "month"),
    "年": (12, "month"),
}
#: 半 is exact only of these.
_HALVES: dict[str, tuple[int, str]] = {"年": (6, "month"), "小时": (30, "minute"), "钟头": (30, "minute")}
#: 三四天, some three or four days.
_VAGUE = re.compile("[一二两三四五六七八九]{2,}")
_THE_DAY = r"(?<![a-z\d])(?:exactly )?"
#: Not "in 3 months of", "how many weeks in 3 months does …".
_IN_ONLY = r"(?![a-z])(?! (?:after|from|before|of|does|has|have|do))"
_AFTER, _BEFORE = "(?:之后|以后|过后|后面|后)", "(?:之前|以前|前面|前)"

#: With the direction. A pattern without a `D` counts from the only date in the question, else from now.
_SHIFTS: tuple[tuple[re.Pattern[str], int], ...] = tuple(
    (re.compile(pattern), direction)
    for pattern, direction in (
        (rf"(?<![a-z])(?:add|adding) {_EN} to D", 1),
        (rf"(?<![a-z])(?:subtract|subtracting|take) {_EN} from D", -1),
        (rf"D ?(?:\+|plus) ?{_EN}(?![a-z])", 1),
        (rf"D ?(?:-|minus) ?{_EN}(?![a-z])", -1),
        (
            rf"{_THE_DAY}{_EN} (?:after|from|past|since|following|later than) D",
            1,
        ),
        (
            rf"{_THE_DAY}{_EN} (?:before|prior to|ahead of|earlier than|preceding) D",
            -1,
        ),
        (
            rf"(?:从|自)?D(?:开始|算起|起)?,?(?:再过|过|往后推|往后数|往后|向后|{_AFTER}的?第?|加上|加|\+){_ZH}{_AFTER}?",
            1,
        ),
        (rf"(?:从|自)?D(?:开始|算起|起),?{_ZH}{_AFTER}", 1),
        (rf"D的?{_ZH}{_AFTER}", 1),
        (rf"D(?:往前推|往前数|往前|向前|倒推|{_BEFORE}的?|减去|减|-){_ZH}", -1),
        (rf"D的?{_ZH}{_BEFORE}", -1),
        (
            rf"(?<![a-z])in (?:exactly |another )?{_EN}(?:'s?)?(?: time)?{_IN_ONLY}",
            1,
        ),
        (rf"(?<![a-z\d]){_EN} (?:hence|later|afterwards?)", 1),
        (rf"(?<![a-z\d]){_EN} ago", -1),
        (rf"(?:再过|过){_ZH}{_AFTER}?", 1),
        (rf"{_ZH}{_AFTER}", 1),
        (rf"{_ZH}{_BEFORE}", -1),
    )
)
_BESIDE = re.compile(
    r"(?<![a-z])the day (?P<way>after|before|following|preceding) D|D的?(?P<way_zh>第二天|后一天|次日|前一天)"
)


def join_shifts(template: Template) -> Template:
    """Make one date of each number of days that is counted from a date."""
    template = rewrite(template, _BESIDE, _beside)
    for pattern, direction in _SHIFTS:
        template = rewrite(template, pattern, _counted(direction))
    return template


def _beside(match: re.Match[str], inside: tuple[Mention, ...], _template: Template) -> Mention | None:
    direction = -1 if match["way"] in ("before", "preceding") or match["way_zh"] == "前一天" else 1
    return _shifted(inside[0], direction, "day", match[0])


def _counted(direction: int) -> Joiner:
    def join(match: re.Match[str], inside: tuple[Mention, ...], template: Template) -> Mention | None:
        base = inside[0] if inside else _anchor(template, match)
        unit = match["u"].removeprefix("个")
        if match["n"] == "半":
            if unit not in _HALVES:
                return Mention("X", match[0])
            size, counted = _HALVES[unit]
            return _shifted(base, direction * size, counted, match[0])
        if _VAGUE.fullmatch(match["n"]):
            return Mention("X", match[0])
        number = english_number(match["n"]) if match["n"].isascii() else chinese_number(match["n"])
        size, counted = _UNITS[unit]
        return _shifted(base, direction * number * size, counted, match[0])

    return join


def _anchor(template: Template, match: re.Match[str]) -> Mention:
    """The only date before the words, unless they say "ago" or "in", which count from now."""
    days = template.of("D")
    now = template.now
    if len(days) == 1 and days[0].shift is None and not match[0].startswith("in ") and not match[0].endswith("ago"):
        return days[0]
    return Mention("D", match[0], now.year, now.month, now.day, relative=True, is_now=True)


def _shifted(base: Mention, count: int, unit: str, text: str) -> Mention | None:
    if base.shift is not None:
        return Mention("X", text)
    return replace(base, text=text, shift=(count, unit))
