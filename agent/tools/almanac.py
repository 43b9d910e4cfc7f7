"""The Chinese calendar: lunar dates, solar terms, zodiac, constellations and festivals of a day.

Astronomy and festival names come from `lunar_python`; what one day needs is looked up here in one table per year,
because the library computes the year anew for every day (some 7 ms; here 2 ms per year and microseconds per day). A
test compares both over the whole range. Terms are within a minute of an independent ephemeris; times are Beijing time.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from lunar_python import LunarYear
from lunar_python.util import LunarUtil, SolarUtil

from agent import texts
from agent.tools.registry import ToolError

#: The years for which the library was checked against astronomy and other calendars.
FIRST_YEAR, LAST_YEAR = 1900, 2100

#: The 24 terms in the order in which they fall in a solar year.
TERMS = (
    *("小寒", "大寒", "立春", "雨水", "惊蛰", "春分", "清明", "谷雨", "立夏", "小满", "芒种", "夏至"),
    *("小暑", "大暑", "立秋", "处暑", "白露", "秋分", "寒露", "霜降", "立冬", "小雪", "大雪", "冬至"),
)
#: The library's list of terms begins with the 大雪 and 冬至 of the year before.
_FIRST_TERM = 2

#: Rat to Pig; index = (lunar year - 4) mod 12.
ZODIAC: tuple[str, ...] = tuple(LunarUtil.SHENGXIAO[1:])
#: Aries to Pisces.
CONSTELLATIONS: tuple[str, ...] = tuple(f"{name}座" for name in SolarUtil.XING_ZUO)
#: (month, day) on which each constellation begins, in calendar order; the number is its place in `CONSTELLATIONS`.
_CONSTELLATION_STARTS = (
    *((1, 1, 9), (1, 20, 10), (2, 19, 11), (3, 21, 0), (4, 20, 1), (5, 21, 2), (6, 22, 3)),
    *((7, 23, 4), (8, 23, 5), (9, 23, 6), (10, 24, 7), (11, 23, 8), (12, 22, 9)),
)

#: Julian day number (at noon) of 2000-01-01, and the same day as a Python ordinal.
_J2000, _J2000_ORDINAL = 2451545, date(2000, 1, 1).toordinal()
_J2000_NOON = datetime(2000, 1, 1, 12, tzinfo=UTC)
#: Place of 2000-01-07 (a 甲子 day) in the cycle of ten stems is 0; the altar days are the fifth 戊 day after two terms.
_STEM_ORIGIN = date(2000, 1, 7).toordinal()
_WU = 4


@dataclass(frozen=True, slots=True)
class LunarDate:
    """A date of the Chinese calendar."""

    year: int
    #: 1 to 12; a leap month has the number of the month that it follows.
    month: int
    leap: bool
    day: int

    def in_chinese(self) -> str:
        """For example 二〇二四年正月初一."""
        year = "".join(LunarUtil.NUMBER[int(digit)] for digit in str(self.year))
        return f"{year}年{'闰' if self.leap else ''}{LunarUtil.MONTH[self.month]}月{LunarUtil.DAY[self.day]}"


@dataclass(frozen=True, slots=True)
class Term:
    """One of the 24 solar terms."""

    name: str
    #: Beijing wall-clock time, kept as if in UTC; to the second.
    when: datetime


@dataclass(frozen=True, slots=True)
class Day:
    """What the calendar says about one day."""

    date: date
    lunar: LunarDate
    #: Index into `ZODIAC`, by the lunar year.
    zodiac: int
    #: Index into `CONSTELLATIONS`.
    constellation: int
    #: The term that begins on this day, or "".
    term: str
    #: Chinese names, the widely known ones first.
    festivals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Month:
    first: int
    days: int
    year: int
    month: int
    leap: bool


@dataclass(frozen=True, slots=True)
class _Year:
    """The lunar months around a solar year (from the one before its first day to after its last) and its terms."""

    months: tuple[_Month, ...]
    terms: tuple[Term, ...]


def check_year(year: int) -> None:
    """Raises `ToolError` for a year outside the checked range."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ToolError(texts.YEAR_OUT_OF_RANGE, least=FIRST_YEAR, most=LAST_YEAR, year=year)


@lru_cache(maxsize=LAST_YEAR - FIRST_YEAR + 2)
def _year(year: int) -> _Year:
    # Not LunarYear.fromYear: that one keeps a single year and a lock, and thrashes around the turn of the year.
    table = LunarYear(year)
    months = tuple(
        _Month(
            first=_J2000_ORDINAL + int(month.getFirstJulianDay()) - _J2000,
            days=int(month.getDayCount()),
            year=int(month.getYear()),
            month=abs(int(month.getMonth())),
            leap=bool(month.isLeap()),
        )
        for month in table.getMonths()
    )
    julian_days = table.getJieQiJulianDays()[_FIRST_TERM : _FIRST_TERM + len(TERMS)]
    terms = tuple(Term(name, _from_julian(float(jd))) for name, jd in zip(TERMS, julian_days, strict=True))
    return _Year(months, terms)


def _from_julian(julian_day: float) -> datetime:
    moment = _J2000_NOON + timedelta(days=julian_day - _J2000)
    return (moment + timedelta(microseconds=500_000)).replace(microsecond=0)


def solar_terms(year: int) -> tuple[Term, ...]:
    """The 24 terms of a solar year, in order. Raises `ToolError` outside 1900 to 2100."""
    check_year(year)
    return _year(year).terms


@lru_cache(maxsize=4096)
def day(when: date) -> Day:
    """What the calendar says about a day. Raises `ToolError` outside 1900 to 2100."""
    check_year(when.year)
    month = _month_of(when)
    lunar = LunarDate(month.year, month.month, month.leap, when.toordinal() - month.first + 1)
    term = next((term.name for term in solar_terms(when.year) if term.when.date() == when), "")
    return Day(
        date=when,
        lunar=lunar,
        zodiac=(lunar.year - 4) % len(ZODIAC),
        constellation=_constellation(when),
        term=term,
        festivals=_festivals(when, lunar),
    )


def from_lunar(year: int, month: int, day_of_month: int, *, leap: bool = False) -> date | None:
    """The solar date of a lunar one; None when that lunar year has no such month or day, or is out of range."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    for found in (*_year(year).months, *(_year(year + 1).months if year < LAST_YEAR else ())):
        if (found.year, found.month, found.leap) == (year, month, leap):
            inside = 1 <= day_of_month <= found.days
            return date.fromordinal(found.first + day_of_month - 1) if inside else None
    return None


def last_day_of_lunar_year(year: int) -> date | None:
    """The eve of the Chinese New Year that ends the lunar year `year` (it falls in January or February of the next)."""
    new_year = from_lunar(year + 1, 1, 1)
    return new_year - timedelta(days=1) if new_year else None


def leap_month(year: int) -> int | None:
    """The number of the lunar year's leap month, or None. Raises `ToolError` outside 1900 to 2100."""
    check_year(year)
    months = (*_year(year).months, *(_year(year + 1).months if year < LAST_YEAR else ()))
    return next((month.month for month in months if month.year == year and month.leap), None)


def _month_of(when: date) -> _Month:
    months = _year(when.year).months
    return months[bisect_right(months, when.toordinal(), key=lambda month: month.first) - 1]


def _constellation(when: date) -> int:
    starts = [start for start in _CONSTELLATION_STARTS if start[:2] <= (when.month, when.day)]
    return starts[-1][2]


def _festivals(when: date, lunar: LunarDate) -> tuple[str, ...]:
    solar_key = f"{when.month}-{when.day}"
    lunar_key = "" if lunar.leap else f"{lunar.month}-{lunar.day}"
    names: list[str | None] = [
        LunarUtil.FESTIVAL.get(lunar_key),
        "除夕" if _is_new_years_eve(when, lunar) else None,
        SolarUtil.FESTIVAL.get(solar_key),
        *_week_festivals(when),
        *LunarUtil.OTHER_FESTIVAL.get(lunar_key, ()),
        *_moving_festivals(when),
        *SolarUtil.OTHER_FESTIVAL.get(solar_key, ()),
    ]
    return tuple(name for name in names if name)


def _is_new_years_eve(when: date, lunar: LunarDate) -> bool:
    return lunar.month == 12 and lunar.day >= 29 and _lunar_year(when + timedelta(days=1)) != lunar.year


def _lunar_year(when: date) -> int:
    # The day after 2100-12-31 is never asked for: it is not the last of a lunar year.
    return _month_of(when).year


def _week_festivals(when: date) -> tuple[str | None, ...]:
    weekday = when.isoweekday() % 7  # the library counts from Sunday
    nth = (when.day + 6) // 7
    is_last = (when + timedelta(days=7)).month != when.month
    return (
        SolarUtil.WEEK_FESTIVAL.get(f"{when.month}-{nth}-{weekday}"),
        SolarUtil.WEEK_FESTIVAL.get(f"{when.month}-0-{weekday}") if is_last else None,
    )


def _moving_festivals(when: date) -> tuple[str, ...]:
    """Those that hang on a solar term: the day before 清明, and the altar days of spring and autumn."""
    by_name = {term.name: term.when.date() for term in solar_terms(when.year)}
    found = []
    if when == by_name["清明"] - timedelta(days=1):
        found.append("寒食节")
    for term, name in (("立春", "春社"), ("立秋", "秋社")):
        start = by_name[term].toordinal()
        to_first_wu = (_WU - (start - _STEM_ORIGIN)) % 10
        if when.toordinal() == start + to_first_wu + 40:
            found.append(name)
    return tuple(found)
