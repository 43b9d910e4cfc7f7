"""`time_delta`: how long it is from one date or time to another."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from agent import texts
from agent.language import Lang, Text
from agent.tools.dates import calendar_span, read_moment
from agent.tools.function import MaxLength, tool
from agent.tools.registry import Tool, ToolContext, ToolResult

_DAY_SECONDS = 86_400
#: The day on which the Gregorian calendar began.
_GREGORIAN = date(1582, 10, 15)

#: One of a unit and several of it; Chinese needs no plural.
UNITS: dict[str, tuple[Text, Text]] = {
    "year": (Text("year", "年"), Text("years", "年")),
    "month": (Text("month", "个月"), Text("months", "个月")),
    "week": (Text("week", "周"), Text("weeks", "周")),
    "day": (Text("day", "天"), Text("days", "天")),
    "hour": (Text("hour", "小时"), Text("hours", "小时")),
    "minute": (Text("minute", "分钟"), Text("minutes", "分钟")),
    "second": (Text("second", "秒"), Text("seconds", "秒")),
}


def amount(number: int | str, unit: str, lang: Lang) -> str:
    """`2 days`, `1 day`, `2 天`."""
    one, several = UNITS[unit]
    return f"{number} {(one if str(number) == '1' else several).say(lang)}"


def spell(parts: list[tuple[int, str]], lang: Lang) -> str:
    """`1 year, 2 months and 3 days`: the parts that are not zero, or the last one if all are."""
    said = [amount(number, unit, lang) for number, unit in parts if number] or [amount(0, parts[-1][1], lang)]
    if lang == "zh":
        return " ".join(said)
    return " and ".join([", ".join(said[:-1]), said[-1]]) if len(said) > 1 else said[0]


def exact(number: int, per: int) -> str:
    """`number / per` with at most two decimals and no trailing zeros."""
    return f"{number / per:.2f}".rstrip("0").rstrip(".")


async def time_delta(
    start_time: Annotated[str, MaxLength(40)], end_time: Annotated[str, MaxLength(40)], context: ToolContext
) -> ToolResult:
    """The exact time between two dates or times: days, calendar years/months/days, and seconds.

    Args:
        start_time: One end of the interval, yyyy-MM-dd HH:mm:ss or yyyy-MM-dd.
        end_time: The other end, yyyy-MM-dd HH:mm:ss or yyyy-MM-dd. The order of the two doesn't matter.

    Returns:
        The difference in days, by the calendar, and in seconds.
    """
    start, end = sorted(
        (read_moment("start_time", start_time), read_moment("end_time", end_time)), key=lambda moment: moment.when
    )
    lang = context.lang
    difference = end.when - start.when
    seconds = difference.days * _DAY_SECONDS + difference.seconds
    timed = start.has_time or end.has_time
    span = calendar_span(start.when, end.when)
    clock = [
        (difference.seconds // 3600, "hour"),
        (difference.seconds // 60 % 60, "minute"),
        (difference.seconds % 60, "second"),
    ]
    days_text = spell([(difference.days, "day"), *clock], lang) if timed else amount(difference.days, "day", lang)
    calendar_text = spell([(span.years, "year"), (span.months, "month"), (span.rest.days, "day"), *clock], lang)

    head = texts.DELTA_DAYS.say(lang, span=days_text, start=start.with_weekday(lang), end=end.with_weekday(lang))
    more = []
    if span.years or span.months:
        more.append(texts.DELTA_CALENDAR.say(lang, span=calendar_text))
    if timed:
        more.append(texts.DELTA_HOURS.say(lang, hours=exact(seconds, 3600), seconds=seconds))
    else:
        more.append(texts.DELTA_INCLUSIVE.say(lang, days=amount(difference.days + 1, "day", lang)))
        more.append(texts.DELTA_SECONDS.say(lang, seconds=seconds))
    if start.day < _GREGORIAN:
        more.append(texts.DELTA_JULIAN.say(lang))

    joined = ("" if lang == "zh" else " ").join(more)
    return ToolResult(
        answer=f"{head.replace('*', '')} {joined}",
        answer_md=f"{head}\n\n{joined}",
        data={
            "start": str(start),
            "end": str(end),
            "timed": timed,
            "days": difference.days,
            "seconds": seconds,
            "years": span.years,
            "months": span.months,
            "month_days": span.rest.days,
        },
    )


def time_delta_tool() -> Tool:
    """The tool for the registry."""
    return tool(time_delta, name_zh="时间差工具")
