"""The first line above a tool's result: what was asked for, read from the result's own data.

Every function takes the tool's `data` last but one and the language last, and makes nothing up: where the data
doesn't hold what was asked, the line is "" and the result speaks for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from agent import texts
from agent.language import Lang, Text
from agent.tools import almanac, almanac_names
from agent.tools.dates import MONTHS_EN, WEEKDAYS
from agent.tools.time_delta import amount, exact, spell

#: Makes the line from a tool's data.
Lead = Callable[[Any, Lang], str]


def say_date(day: date, lang: Lang) -> str:
    """`Monday, 6 October 2025`, `2025年10月6日 星期一`."""
    weekday = WEEKDAYS[lang][day.weekday()]
    if lang == "zh":
        return f"{day.year}年{day.month}月{day.day}日 {weekday}"
    return f"{weekday}, {day.day} {MONTHS_EN[day.month - 1]} {day.year}"


def _short(day: date, lang: Lang) -> str:
    return (
        f"{day.year}年{day.month}月{day.day}日" if lang == "zh" else f"{day.day} {MONTHS_EN[day.month - 1]} {day.year}"
    )


def _only_day(data: Any) -> tuple[date, dict[str, Any]]:
    row = data["days"][0]
    return date.fromisoformat(row["date"]), row


def several(*leads: Lead) -> Lead:
    """One line after another."""
    return lambda data, lang: "\n\n".join(line for lead in leads if (line := lead(data, lang)))


# --- of get_calendar_info


def the_date(name: Text | None) -> Lead:
    """When it is; with the name of the day, if it has one."""

    def lead(data: Any, lang: Lang) -> str:
        day, _ = _only_day(data)
        if name is None:
            return texts.LEAD_DATE.say(lang, date=say_date(day, lang))
        return texts.LEAD_NAMED.say(lang, name=name.say(lang), date=say_date(day, lang))

    return lead


def of_lunar_date(data: Any, lang: Lang) -> str:
    day, row = _only_day(data)
    return texts.LEAD_LUNAR_IS.say(lang, lunar=_lunar(row, lang), date=say_date(day, lang))


def weekday(data: Any, lang: Lang) -> str:
    day, _ = _only_day(data)
    return texts.LEAD_WEEKDAY.say(lang, date=_short(day, lang), weekday=WEEKDAYS[lang][day.weekday()])


def is_weekday(wanted: frozenset[int]) -> Lead:
    """Whether the day is one of these weekdays (0 is Monday)."""

    def lead(data: Any, lang: Lang) -> str:
        day, _ = _only_day(data)
        text = texts.LEAD_YES_WEEKDAY if day.weekday() in wanted else texts.LEAD_NO_WEEKDAY
        return text.say(lang, date=_short(day, lang), weekday=WEEKDAYS[lang][day.weekday()])

    return lead


def is_named(key: str, name: Text) -> Lead:
    """Whether the day is that festival, or the first of that term."""

    def lead(data: Any, lang: Lang) -> str:
        day, row = _only_day(data)
        text = texts.LEAD_YES_NAMED if key in (*row["festivals"], row["term"]) else texts.LEAD_NO_NAMED
        return text.say(lang, date=_short(day, lang), name=name.say(lang))

    return lead


def lunar(data: Any, lang: Lang) -> str:
    day, row = _only_day(data)
    return texts.LEAD_LUNAR.say(lang, date=_short(day, lang), lunar=_lunar(row, lang))


def _lunar(row: dict[str, Any], lang: Lang) -> str:
    year, month, leap, day = row["lunar"]
    return almanac_names.lunar_date(almanac.LunarDate(year, month, leap, day), lang)


def zodiac(data: Any, lang: Lang) -> str:
    day, row = _only_day(data)
    name = almanac_names.zodiac(row["zodiac"], lang)
    return texts.LEAD_ZODIAC.say(lang, date=_short(day, lang), year=row["lunar"][0], zodiac=name)


def zodiac_year(data: Any, lang: Lang) -> str:
    day, row = _only_day(data)
    name = almanac_names.zodiac(row["zodiac"], lang)
    return texts.LEAD_ZODIAC_YEAR.say(lang, year=row["lunar"][0], zodiac=name, date=day)


def constellation(data: Any, lang: Lang) -> str:
    day, row = _only_day(data)
    name = almanac_names.constellation(row["constellation"], lang)
    return texts.LEAD_CONSTELLATION.say(lang, date=_short(day, lang), constellation=name)


def festivals(data: Any, lang: Lang) -> str:
    day, row = _only_day(data)
    if not row["festivals"]:
        return texts.LEAD_NO_FESTIVAL.say(lang, date=_short(day, lang))
    return texts.LEAD_FESTIVALS.say(lang, date=_short(day, lang), festivals=_festivals(row, lang))


def festival_days(data: Any, lang: Lang) -> str:
    """The days of a range that have festivals."""
    days = [f"{row['date']} {_festivals(row, lang)}" for row in data["days"] if row["festivals"]]
    return texts.LEAD_FESTIVAL_DAYS.say(lang, days=("；" if lang == "zh" else "; ").join(days)) if days else ""


def _festivals(row: dict[str, Any], lang: Lang) -> str:
    return ("、" if lang == "zh" else ", ").join(almanac_names.festival(name, lang) for name in row["festivals"])


def leap_month(data: Any, lang: Lang) -> str:
    day, row = _only_day(data)
    year, month, leap, _ = row["lunar"]
    chinese = almanac.LunarDate(year, month, leap, 1).in_chinese().partition("年")[2].removesuffix("初一")
    name = chinese if lang == "zh" else f"leap month {month} ({chinese})"
    return texts.LEAD_LEAP_MONTH.say(lang, year=year, month=name, date=day) if leap else ""


# --- of get_solar_terms_info


def _terms(data: Any) -> list[tuple[str, datetime]]:
    return [(name, datetime.strptime(when, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)) for name, when in data["terms"]]


def term(wanted: str) -> Lead:
    """When one term begins."""

    def lead(data: Any, lang: Lang) -> str:
        for name, when in _terms(data):
            if name == wanted:
                said = almanac_names.term(name, lang)
                date_said = say_date(when.date(), lang)
                return texts.LEAD_TERM.say(lang, name=said, date=date_said, time=f"{when:%H:%M:%S}")
        return ""

    return lead


def term_of(day: date) -> Lead:
    """Which term begins on the day, or between which two it lies."""

    def lead(data: Any, lang: Lang) -> str:
        terms = _terms(data)
        if today := [name for name, when in terms if when.date() == day]:
            name = almanac_names.term(today[0], lang)
            return texts.LEAD_TERM_BEGINS.say(lang, date=_short(day, lang), name=name)
        lines = []
        if before := [item for item in terms if item[1].date() < day]:
            name, since = before[-1]
            said = almanac_names.term(name, lang)
            lines.append(
                texts.LEAD_TERM_AFTER.say(lang, date=_short(day, lang), name=said, since=_short(since.date(), lang))
            )
        return "\n\n".join([*lines, *filter(None, [next_term(day)(data, lang)])])

    return lead


def next_term(day: date) -> Lead:
    """The first term after the day."""

    def lead(data: Any, lang: Lang) -> str:
        after = [item for item in _terms(data) if item[1].date() > day]
        if not after:
            return ""
        name, when = after[0]
        return texts.LEAD_TERM_NEXT.say(lang, name=almanac_names.term(name, lang), date=say_date(when.date(), lang))

    return lead


def terms_in_month(month: int) -> Lead:
    def lead(data: Any, lang: Lang) -> str:
        found = [
            f"**{almanac_names.term(name, lang)}** {_short(when.date(), lang)}"
            for name, when in _terms(data)
            if when.month == month
        ]
        return texts.LEAD_TERMS_IN_MONTH.say(lang, terms=("，" if lang == "zh" else ", ").join(found))

    return lead


# --- of time_delta


def span(units: frozenset[str]) -> Lead:
    """The difference in the units that were asked for; "" for days, with which the result begins anyway."""

    def lead(data: Any, lang: Lang) -> str:
        if not units or units == {"day"}:
            return ""
        return texts.LEAD_SPAN.say(lang, span=_in_units(units, data, lang))

    return lead


def _in_units(units: frozenset[str], data: Any, lang: Lang) -> str:
    days, seconds = data["days"], data["seconds"]
    clock = [(seconds // 3600 % 24, "hour"), (seconds // 60 % 60, "minute"), (seconds % 60, "second")]
    if units <= _CLOCK.keys():
        if len(units) == 1:
            (unit,) = units
            return amount(exact(seconds, _CLOCK[unit]), unit, lang)
        if "hour" not in units:
            return spell([(seconds // 60, "minute"), clock[2]], lang)
        return spell([(seconds // 3600, "hour"), *clock[1:]], lang)
    parts = [(days, "day")]
    if "week" in units:
        parts = [(days // 7, "week"), (days % 7, "day")]
    elif "year" in units:
        parts = [(data["years"], "year"), (data["months"], "month"), (data["month_days"], "day")]
    elif "month" in units:
        parts = [(data["years"] * 12 + data["months"], "month"), (data["month_days"], "day")]
    return spell([*parts, *clock] if data["timed"] else parts, lang)


_CLOCK = {"hour": 3600, "minute": 60, "second": 1}


def inclusive(data: Any, lang: Lang) -> str:
    """Both ends counted."""
    days = amount(data["days"] + 1, "day", lang)
    return "" if data["timed"] else f"**{texts.DELTA_INCLUSIVE.say(lang, days=days)}**"


def past(day: date) -> Lead:
    """Somebody asked how long it is until a day that is over."""
    return lambda _data, lang: texts.LEAD_PAST.say(lang, date=_short(day, lang))


def age(data: Any, lang: Lang) -> str:
    years = str(data["years"]) if lang == "zh" else amount(data["years"], "year", lang)
    return texts.LEAD_AGE.say(lang, years=years)


def days_in(period: Text) -> Lead:
    """How many days a month or a year has; the interval is from its first day to the first of the next."""

    def lead(data: Any, lang: Lang) -> str:
        return texts.LEAD_MONTH_DAYS.say(lang, period=period.say(lang), days=amount(data["days"], "day", lang))

    return lead


def leap_year(year: int) -> Lead:
    """The interval is a whole year."""

    def lead(data: Any, lang: Lang) -> str:
        text = texts.LEAD_LEAP_YEAR if data["days"] == 366 else texts.LEAD_COMMON_YEAR
        return text.say(lang, year=year, days=amount(data["days"], "day", lang))

    return lead


def no_leap_month(year: int) -> Lead:
    """The interval is a lunar year; one with a leap month has 383 days or more."""

    def lead(data: Any, lang: Lang) -> str:
        if data["days"] > 360:
            return ""
        return texts.LEAD_NO_LEAP_MONTH.say(lang, year=year, days=amount(data["days"], "day", lang))

    return lead


# --- of calculator


def sum_of(name: Text, money: Text | None) -> Lead:
    """What the sum stands for, to two decimal places at most; `money` is how amounts of that currency are written."""

    def lead(data: Any, lang: Lang) -> str:
        value = Decimal(data["value"])
        if abs(value) >= _MOST_IN_WORDS:
            return ""
        cents = value.quantize(Decimal("0.01"), ROUND_HALF_UP)
        whole = cents == cents.to_integral_value()
        if money is None:
            return name.say(lang, value=f"{cents.normalize():f}" if not whole else f"{cents:.0f}")
        return name.say(lang, value=money.say(lang).format(f"{cents:.0f}" if whole else f"{cents:f}"))

    return lead


#: Larger sums are left to the result's own line.
_MOST_IN_WORDS = 10**12
