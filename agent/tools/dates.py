"""Dates and times as tools take them, and the exact difference between two of them.

Everything here is wall-clock time on the Gregorian calendar. Values carry UTC only so that arithmetic has no gaps:
whoever counts from one wall-clock time to another means the calendar, not a zone's summer time.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from agent import texts
from agent.language import Lang
from agent.tools.registry import ToolError

WEEKDAYS: dict[Lang, tuple[str, ...]] = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "zh": ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"),
}
MONTHS_EN = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

#: `2024-02-28`, `2024/2/28`, `2024.2.28`, `2024年2月28日`, each with or without a time.
_MOMENT = re.compile(
    r"\s*(?P<year>\d{4})\s*[-/.年]\s*(?P<month>\d{1,2})\s*[-/.月]\s*(?P<day>\d{1,2})\s*日?"
    r"(?:(?:\s+|\s*T\s*)(?P<hour>\d{1,2})[:：](?P<minute>\d{2})(?:[:：](?P<second>\d{2}))?)?\s*",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A date, or a date with a time of day."""

    #: Wall-clock time, kept as if in UTC; midnight when no time was given.
    when: datetime
    has_time: bool

    def __str__(self) -> str:
        return (
            self.when.strftime("%H:%M:%S").join((f"{self.when:%Y-%m-%d} ", ""))
            if self.has_time
            else self.day.isoformat()
        )

    @property
    def day(self) -> date:
        return self.when.date()

    def with_weekday(self, lang: Lang) -> str:
        """For example `2024-02-28 (Wednesday)`."""
        weekday = WEEKDAYS[lang][self.when.weekday()]
        return f"{self}（{weekday}）" if lang == "zh" else f"{self} ({weekday})"


def read_moment(name: str, text: str) -> Moment:
    """Read the argument `name`. Raises `ToolError`, which says what is wrong with it."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ToolError(texts.DATE_FORMAT, name=name, value=_shown(text))
    year, month, day = int(found["year"]), int(found["month"]), int(found["day"])
    if year < 1:
        raise ToolError(texts.DATE_FORMAT, name=name, value=_shown(text))
    if not 1 <= month <= 12:
        raise ToolError(texts.DATE_NO_MONTH, name=name, value=_shown(text), month=month)
    last = calendar.monthrange(year, month)[1]
    if not 1 <= day <= last:
        raise ToolError(texts.DATE_NO_DAY, name=name, value=_shown(text), year=year, month=month, last=last)
    if found["hour"] is None:
        return Moment(datetime(year, month, day, tzinfo=UTC), has_time=False)
    hour, minute, second = int(found["hour"]), int(found["minute"]), int(found["second"] or 0)
    if hour > 23 or minute > 59 or second > 59:
        raise ToolError(texts.TIME_WRONG, name=name, value=_shown(text))
    return Moment(datetime(year, month, day, hour, minute, second, tzinfo=UTC), has_time=True)


def read_date(name: str, text: str) -> date:
    """Read an argument that is a date; a time of day is ignored. Raises `ToolError`."""
    return read_moment(name, text).day


def _shown(text: str) -> str:
    """The value as an error may quote it."""
    return text.strip()[:40]


@dataclass(frozen=True, slots=True)
class CalendarSpan:
    """A difference by the calendar: whole years, then whole months, then the rest."""

    years: int
    months: int
    #: Less than one month.
    rest: timedelta


def add_months(moment: datetime, months: int) -> datetime:
    """The same day and time that many months later; the last day of the month where there is no such day."""
    index = moment.year * 12 + moment.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))


def calendar_span(start: datetime, end: datetime) -> CalendarSpan:
    """The difference by the calendar; `start` must not be after `end`.

    The number of months is the greatest for which `add_months(start, months)` is not after `end`.
    """
    months = (end.year - start.year) * 12 + end.month - start.month
    if months and add_months(start, months) > end:
        months -= 1
    return CalendarSpan(months // 12, months % 12, end - add_months(start, months))
