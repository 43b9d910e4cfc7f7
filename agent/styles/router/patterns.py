"""How dates are written, in English and Chinese: one pattern and one reader for each form.

Patterns are for normalised text (`agent.styles.router.text`). A form that can be read in two ways gives the letter
`X`, so that no rule applies: better no tool than a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date, datetime, time, timedelta
from typing import Literal

from agent.styles.router.names import NAMED_DAYS, NamedDay
from agent.styles.router.text import EN_DAY, NUMBER, chinese_number, ordinal
from agent.tools.dates import MONTHS_EN, WEEKDAYS, add_months

#: A day (perhaps with a time), a year, a month, a weekday alone, a time of day alone, and something that can't be read.
Letter = Literal["D", "Y", "M", "W", "C", "X"]


@dataclass(frozen=True, slots=True)
class Lunar:
    """A lunar month and day."""

    month: int
    day: int
    leap: bool


@dataclass(frozen=True, slots=True)
class Mention:
    """One date in a question, as far as its own words tell."""

    letter: Letter
    #: The words.
    text: str
    year: int | None = None
    month: int | None = None
    #: Day of the month, or the weekday (0 is Monday) of a `W`.
    day: int | None = None
    clock: time | None = None
    named: NamedDay | None = None
    lunar: Lunar | None = None
    #: Later by so many of a unit (`minute`, `hour`, `day`, `month`).
    shift: tuple[int, str] | None = None
    #: Counted from today: today, next Monday, in three days.
    relative: bool = False
    #: The present moment, which has a time of day where that matters.
    is_now: bool = False


Make = Callable[[re.Match[str], datetime], Mention]

_WEEKDAY_EN = {name.lower(): n for n, name in enumerate(WEEKDAYS["en"])}
_WEEKDAY_EN |= {"mon": 0, "tue": 1, "tues": 1, "wed": 2, "thu": 3, "thur": 3, "thurs": 3, "fri": 4, "sat": 5, "sun": 6}
_WEEKDAY_ZH = {c: n for n, c in enumerate("一二三四五六")} | {"日": 6, "天": 6} | {str(n): n - 1 for n in range(1, 8)}
_MONTH_EN = {name.lower(): n for n, name in enumerate(MONTHS_EN, 1)}
_MONTH_EN |= {name.lower()[:3]: n for n, name in enumerate(MONTHS_EN, 1)} | {"sept": 9}
_MONTH_ZH = {"正": 1, "冬": 11, "腊": 12}
_YEARS_ZH = {"今年": 0, "本年": 0, "明年": 1, "来年": 1, "去年": -1}
_YEARS_ZH |= {"大前年": -3, "前年": -2, "后年": 2, "大后年": 3}
_WAYS = {"next": 1, "coming": 1, "last": -1, "previous": -1, "after next": 2, "before last": -2}
_WAYS |= {"下": 1, "上": -1, "下下": 2, "上上": -2}
_DAYS_FROM_TODAY = {
    "今天": 0,
    "今日": 0,
    "明天": 1,
    "明日": 1,
    "后天": 2,
    "大后天": 3,
    "昨天": -1,
    "昨日": -1,
    "前天": -2,
    "大前天": -3,
    "today": 0,
    "tomorrow": 1,
    "yesterday": -1,
    "day after tomorrow": 2,
    "day before yesterday": -2,
    "present day": 0,
    "current date": 0,
}
_NOW = ("right now", "now", "this moment", "the present", "现在", "此刻", "目前", "如今", "当前")


def _number(text: str) -> int:
    return ordinal(text) if re.fullmatch(EN_DAY, text) else chinese_number(text)


def _year_of(found: re.Match[str], now: datetime) -> int | None:
    """From the group y (a year) or ry (今年 and the like)."""
    groups = found.groupdict()
    if groups.get("ry"):
        return now.year + _YEARS_ZH[groups["ry"]]
    return chinese_number(groups["y"]) if groups.get("y") else None


def _month_of(found: re.Match[str]) -> int:
    """From the group m (a number) or mon (an English name)."""
    groups = found.groupdict()
    return _MONTH_EN[groups["mon"]] if groups.get("mon") else _number(groups["m"])


def _day(found: re.Match[str], now: datetime) -> Mention:
    return Mention("D", found[0], _year_of(found, now), _month_of(found), _number(found["d"]))


def _day_of_numbers(found: re.Match[str], _now: datetime) -> Mention:
    """2/28/2024 or 28/2/2024: certain only where one number can't be a month; with dots the day is first."""
    a, b, year = int(found["a"]), int(found["b"]), int(found["y"])
    if found["sep"] == "." or a > 12 >= b:
        return Mention("D", found[0], year, b, a)
    return Mention("D" if b > 12 >= a or a == b else "X", found[0], year, a, b)


def _compact_day(found: re.Match[str], _now: datetime) -> Mention:
    return Mention("D", found[0], int(found[0][:4]), int(found[0][4:6]), int(found[0][6:]))


def _bare_day(found: re.Match[str], _now: datetime) -> Mention:
    return Mention("D", found[0], day=int(found["d"]))


def _day_of_near_month(found: re.Match[str], now: datetime) -> Mention:
    """The 3rd of next month, 下个月3号."""
    month = add_months(now.replace(day=1), _WAYS.get(found["way"], 0))
    return Mention("D", found[0], month.year, month.month, _number(found["d"]))


def _lunar(found: re.Match[str], now: datetime) -> Mention:
    month = _MONTH_ZH.get(found["m"]) or _number(found["m"])
    day = _number(found["d"].removeprefix("初"))
    sure = 1 <= month <= 12 and 1 <= day <= 30
    lunar = Lunar(month, day, leap=bool(found["leap"]))
    return Mention("D" if sure else "X", found[0], _year_of(found, now), lunar=lunar)


def _named(day: NamedDay) -> Make:
    return lambda found, _now: Mention("D", found[0], named=day)


def _at(day: date, text: str, *, is_now: bool = False) -> Mention:
    return Mention("D", text, day.year, day.month, day.day, relative=True, is_now=is_now)


def _near_day(found: re.Match[str], now: datetime) -> Mention:
    return _at(now.date() + timedelta(days=_DAYS_FROM_TODAY[found["w"]]), found[0])


def _now(found: re.Match[str], now: datetime) -> Mention:
    return _at(now.date(), found[0], is_now=True)


def _weekday_near(found: re.Match[str], now: datetime) -> Mention:
    """Next Friday is the one of next week and this Friday that of this week (Monday to Sunday); last and coming
    Friday are the nearest before and after today. The answer names the date, so a different habit shows at once."""
    today, weekday, way = now.date(), _WEEKDAY_EN[found["w"]], found["way"]
    if way in ("coming", "upcoming"):
        return _at(today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1), found[0])
    if way in ("last", "past", "previous"):
        return _at(today - timedelta(days=(today.weekday() - weekday - 1) % 7 + 1), found[0])
    return _weekday_in_week(found[0], weekday, _WAYS.get(way, 0), now)


def _weekday_of_week(found: re.Match[str], now: datetime) -> Mention:
    return _weekday_in_week(found[0], _WEEKDAY_EN[found["w"]], _WAYS.get(found["way"], 0), now)


def _weekday_zh(found: re.Match[str], now: datetime) -> Mention:
    weeks = found["way"].count("下") - found["way"].count("上")
    return _weekday_in_week(found[0], _WEEKDAY_ZH[found["w"]], weeks, now)


def _weekday_in_week(text: str, weekday: int, weeks: int, now: datetime) -> Mention:
    return _at(now.date() + timedelta(days=weekday - now.weekday() + 7 * weeks), text)


def _bare_weekday(found: re.Match[str], _now: datetime) -> Mention:
    word = found["w"]
    return Mention("W", found[0], day=_WEEKDAY_EN[word] if word in _WEEKDAY_EN else _WEEKDAY_ZH[word])


def _year(found: re.Match[str], now: datetime) -> Mention:
    return Mention("Y", found[0], _year_of(found, now))


def _near_year(found: re.Match[str], now: datetime) -> Mention:
    return Mention("Y", found[0], now.year + _WAYS.get(found["way"], 0))


def _year_of_birth(found: re.Match[str], _now: datetime) -> Mention:
    """93年的, 85年出生."""
    return Mention("Y", found[0], 1900 + int(found["yy"]))


def _month(found: re.Match[str], now: datetime) -> Mention:
    month, year = _month_of(found), _year_of(found, now)
    sure = 1 <= month <= 12 and (year is None or MINYEAR <= year < MAXYEAR)
    return Mention("M" if sure else "X", found[0], year, month)


def _near_month(found: re.Match[str], now: datetime) -> Mention:
    month = add_months(now.replace(day=1), _WAYS.get(found["way"], 0))
    return Mention("M", found[0], month.year, month.month)


def _clock(found: re.Match[str], _now: datetime) -> Mention:
    groups = found.groupdict()
    hour, part = chinese_number(groups["h"]), groups.get("part") or groups.get("ampm") or ""
    minute = chinese_number(groups.get("min") or groups.get("min2") or "0")
    if groups.get("half") or groups.get("quarter"):
        minute = {"一": 15, "三": 45}.get(groups["quarter"] or "", 30)
    second = chinese_number(groups.get("sec") or "0")
    if part.startswith("p") or part in ("下午", "晚上", "傍晚", "夜里") or (part == "中午" and hour < 11):
        hour = hour + 12 if hour < 12 else hour
    elif part.startswith("a") and hour == 12:
        hour = 0
    if hour > 23 or minute > 59 or second > 59:
        return Mention("X", found[0])
    return Mention("C", found[0], clock=time(hour, minute, second))


def _noon(found: re.Match[str], _now: datetime) -> Mention:
    return Mention("C", found[0], clock=time(12))


def _unclear(found: re.Match[str], _now: datetime) -> Mention:
    return Mention("X", found[0])


def _any(words: Iterable[str]) -> str:
    """An alternation, the longest first."""
    return "|".join(sorted(words, key=len, reverse=True))


_NEAR_ZH = "这|本|上上|上|下下|下"
_HAN_NUMBERS = "〇零一二两三四五六七八九十百千廿卅"
# Numbers as months and days have them, so that a number beside them isn't drawn in (12月十五一共…).
_DAY_IN_HAN = "(?:三十一?|卅一?|[二廿]?十[一二三四五六七八九]?|廿[一二三四五六七八九]?|[一二三四五六七八九])"
_DAY_ZH_NUMBER = rf"(?:\d{{1,2}}|{_DAY_IN_HAN})"
_MONTH_ZH_NUMBER = r"(?:\d{1,2}|十[一二]?|[一二三四五六七八九])"
_Y4 = r"(?P<y>\d{4}|[〇零一二三四五六七八九]{4})"
_RY = rf"(?P<ry>{_any(_YEARS_ZH)})"
_YEAR_OF = rf"(?:{_Y4}年的?|{_RY}的?)"
_MON = rf"(?P<mon>{_any(_MONTH_EN)})\.?"
#: Month names that are no other word.
_MON_ALONE = _any(name for name in _MONTH_EN if len(name) > 3 and name not in ("march", "sept"))
_D = rf"(?P<d>{EN_DAY})"
_YEAR_EN = r"(?:(?:,| of|-)? ?(?P<y>\d{4})(?!\d))?"
_WEEKDAYS = _any(_WEEKDAY_EN)
_LUNAR = "(?:农历|阴历|旧历|夏历)"
_LUNAR_MONTH = rf"(?P<leap>闰)?(?P<m>正|冬|腊|{_MONTH_ZH_NUMBER})月"
_LUNAR_DAY = rf"(?P<d>初[一二三四五六七八九十]|初?\d{{1,2}}|{_DAY_ZH_NUMBER})[日号]?"
_OF_MONTH_EN = rf"(?:the )?{_D}(?: day)? of (?:the )?(?P<leap>leap )?(?P<m>{EN_DAY})"
_LUNAR_YEAR_EN = r"(?:(?:,| of| in)?(?: the)?(?: lunar)?(?: year)? (?P<y>\d{4})(?!\d))?"
_AMPM = r"(?P<ampm>am|pm|a\.m\.?|p\.m\.?)(?![a-z])"
_PART = "(?P<part>凌晨|早上|早晨|清晨|上午|中午|下午|傍晚|晚上|夜里)"
_MINUTES_ZH = (
    r"(?:(?P<half>半)|整|(?P<quarter>[一三])刻"
    r"|(?P<min>\d{1,2}|[零〇二三四五]?十?[一二三四五六七八九]?)分|(?P<min2>\d{2})(?!\d))?"
)
_UNIT = r"(?: ?(?:days?|weeks?|months?|years?|hours?|minutes?|seconds?)(?![a-z])|天|个|周|小时|分钟|秒|星期)"

_FORMS: tuple[tuple[str, Make], ...] = (
    # 2024-02-28, 2024/2/28, 2024.2.28, 20240228; 2/28/2024, 28.2.2024
    (r"(?<![\d.])(?P<y>\d{4})(?P<sep>[-/.])(?P<m>\d{1,2})(?P=sep)(?P<d>\d{1,2})(?!\d)(?:日(?!期))?", _day),
    (r"(?<![\d.-])(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?![\d.-])", _compact_day),
    (r"(?<![\d./-])(?P<a>\d{1,2})(?P<sep>[-/.])(?P<b>\d{1,2})(?P=sep)(?P<y>\d{4})(?!\d)", _day_of_numbers),
    (r"(?<![\d./-])\d{1,2}/\d{1,2}(?:/\d{2})?(?![\d/])", _unclear),
    (r"(?<![\d./-])\d{1,2}-\d{1,2}-\d{2}(?![\d-])", _unclear),
    # 2024年2月28日, 明年三月八号, 3月8日, 下个月3号, 15号
    (rf"{_YEAR_OF}?(?P<m>{_MONTH_ZH_NUMBER})月(?P<d>{_DAY_ZH_NUMBER})[日号]", _day),
    (rf"{_Y4}年(?P<m>{_MONTH_ZH_NUMBER})月(?P<d>\d{{1,2}})(?!\d)", _day),
    (rf"(?P<way>{_NEAR_ZH})个?月的?(?P<d>{_DAY_ZH_NUMBER})[日号]", _day_of_near_month),
    (r"(?<![\d月])(?P<d>\d{1,2})[日号](?![线楼机店])", _bare_day),
    # Feb 28 2024, February 28th, 28 February 2024, the 1st of May, the 3rd of next month
    (rf"(?<![a-z]){_MON} (?:the )?{_D}(?![\d:a-z]){_YEAR_EN}", _day),
    (rf"(?<![\da-z:.])(?:the )?{_D}(?: day)?(?: of| in)?[ -]{_MON}(?![a-z]){_YEAR_EN}", _day),
    (rf"(?<![\da-z])(?:the )?{_D} (?:day )?of (?P<way>this|next|last) month", _day_of_near_month),
    (rf"(?<![\da-z])(?:the )?{_D} (?:day )?of the month (?P<way>after next|before last)", _day_of_near_month),
    # 农历2025年八月十五, 2025年农历八月十五, 正月初一, 腊月二十三, 八月十五; the 15th day of the 8th lunar month of
    # 2025
    (rf"{_LUNAR}的?{_YEAR_OF}?{_LUNAR_MONTH}{_LUNAR_DAY}", _lunar),
    (rf"{_LUNAR}(?:日期)?的?(?P<leap>闰)?(?P<y>\d{{4}})[-/.](?P<m>\d{{1,2}})[-/.](?P<d>\d{{1,2}})(?!\d)", _lunar),
    (rf"{_YEAR_OF}{_LUNAR}的?{_LUNAR_MONTH}{_LUNAR_DAY}", _lunar),
    (rf"{_YEAR_OF}?{_LUNAR_MONTH}(?P<d>初[一二三四五六七八九十]|廿[一二三四五六七八九]?)", _lunar),
    (rf"{_YEAR_OF}?(?P<leap>闰)?(?P<m>正|冬|腊)月(?P<d>{_DAY_ZH_NUMBER})[日号]?", _lunar),
    (rf"{_YEAR_OF}?(?P<leap>闰)?(?P<m>十[一二]?|[一二三四五六七八九])月(?P<d>{_DAY_IN_HAN})(?![日号\d个])", _lunar),
    (rf"{_OF_MONTH_EN} (?:chinese )?lunar month{_LUNAR_YEAR_EN}", _lunar),
    (rf"{_OF_MONTH_EN} month (?:of|in|on) (?:the )?(?:chinese )?(?:lunar )?calendar{_LUNAR_YEAR_EN}", _lunar),
    # today, next Monday, 下周一, Friday
    (rf"(?<![a-z])(?:the )?(?P<w>{_any(_DAYS_FROM_TODAY)})(?![a-z])", _near_day),
    (rf"(?<![a-z])(?:{_any(_NOW)})(?![a-z])", _now),
    (
        rf"(?<![a-z])(?:the )?(?P<way>this|next|last|coming|upcoming|past|previous) (?P<w>{_WEEKDAYS})(?![a-z])",
        _weekday_near,
    ),
    (rf"(?<![a-z])(?P<w>{_any(_WEEKDAY_EN)}) (?:of )?(?P<way>this|next|last) week(?![a-z])", _weekday_of_week),
    (r"(?P<way>上上|上|这|本|下下|下)个?(?:周|星期|礼拜)(?P<w>[一二三四五六日天1-7])(?!\d)", _weekday_zh),
    (rf"(?<![a-z])(?:an? )?(?P<w>{_any(name.lower() for name in WEEKDAYS['en'])})(?![a-z])", _bare_weekday),
    (r"(?:周|星期|礼拜)(?P<w>[一二三四五六日天])", _bare_weekday),
    # 2024, 2024年, 今年, next year
    (rf"(?<![\d./-])(?P<y>(?:1[5-9]|2[01])\d\d)(?:年度?(?![前后以之内来多底末初]))?(?![\d/-]|[.,]\d|{_UNIT})", _year),
    (r"(?P<y>[〇零一二三四五六七八九]{4})年", _year),
    (_RY, _year),
    (r"(?<![a-z])(?:the )?(?P<way>this|next|last|coming|previous|current) year(?![a-z]| of the)", _near_year),
    (r"(?<![a-z])(?:the )?year (?P<way>after next|before last)(?![a-z])", _near_year),
    (r"(?<!\d)(?P<yy>[3-9]\d)年(?=出?生|的(?![\u4e00-\u9fff]))", _year_of_birth),
    # Counted from what? Or not sure how far.
    (r"(?<![a-z])(?:the )?(?:following|same) (?:year|month|week)(?![a-z])", _unclear),
    (r"(?<![a-z])(?:next next|last last)(?![a-z])", _unclear),
    # 2024年2月, 2月, February 2024, in May, next month
    (rf"{_YEAR_OF}(?P<m>{NUMBER})月份?(?![{_HAN_NUMBERS}\d初])", _month),
    (rf"(?<![\d年个{_HAN_NUMBERS}])(?P<m>{NUMBER})月份?(?![{_HAN_NUMBERS}\d初])", _month),
    (r"(?<![\d./-])(?P<y>\d{4})[-/](?P<m>0[1-9]|1[0-2])(?![-/\d])", _month),
    (rf"(?<![a-z]){_MON}(?:,| of)? (?P<y>\d{{4}})(?!\d)", _month),
    (rf"(?<![a-z])(?P<mon>{_MON_ALONE})(?![a-z])", _month),
    (rf"(?:(?<=in )|(?<=of )|(?<=does ))(?P<mon>{_any(_MONTH_EN)})(?![a-z])", _month),
    (rf"(?P<way>{_NEAR_ZH})个?月(?!\d)", _near_month),
    (r"(?<![a-z])(?:the )?(?P<way>this|next|last|current|previous) month(?![a-z])", _near_month),
    (r"(?<![a-z])(?:the )?month (?P<way>after next|before last)(?![a-z])", _near_month),
    # 08:30, 5 pm, noon, 下午3点半
    (rf"(?<![\d:]){_PART}?(?P<h>\d{{1,2}}):(?P<min>\d{{2}})(?::(?P<sec>\d{{2}}))?(?: ?{_AMPM})?(?![\d:])", _clock),
    (rf"(?<![\d:])(?P<h>\d{{1,2}}) ?{_AMPM}", _clock),
    (r"(?<![a-z])(?:noon|正午|中午(?:12|十二)[点时])(?![a-z])", _noon),
    (
        rf"{_PART}?(?P<h>{NUMBER})(?:点钟?|时){_MINUTES_ZH}(?:(?P<sec>{NUMBER})秒)?(?![间候差期内])",
        _clock,
    ),
)

FORMS: tuple[tuple[re.Pattern[str], Make], ...] = (
    *((re.compile(pattern), make) for pattern, make in _FORMS),
    *((pattern, _named(day)) for pattern, day in NAMED_DAYS),
)
