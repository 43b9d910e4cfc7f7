"""`get_calendar_info`: what the Chinese calendar says about each day of a range."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Annotated, Any

from agent import texts
from agent.language import Lang
from agent.tools import almanac, almanac_names
from agent.tools.dates import WEEKDAYS, read_date
from agent.tools.function import MaxLength, tool
from agent.tools.registry import Tool, ToolContext, ToolError, ToolResult

#: Most days in one call, as KAgentSys has it.
MAX_DAYS = 101


async def get_calendar_info(
    start_date: Annotated[str, MaxLength(40)], end_date: Annotated[str, MaxLength(40)], context: ToolContext
) -> ToolResult:
    """Looks up days in the Chinese calendar: weekday, lunar date, zodiac, constellation, solar term and festivals.

    Args:
        start_date: The first day, yyyy-MM-dd.
        end_date: The last day, yyyy-MM-dd; the same as start_date for one day. At most 101 days in all.

    Returns:
        A table with one row for each day.
    """
    start, end = sorted((read_date("start_date", start_date), read_date("end_date", end_date)))
    almanac.check_year(start.year)
    almanac.check_year(end.year)
    count = (end - start).days + 1
    if count > MAX_DAYS:
        raise ToolError(texts.RANGE_TOO_LONG, most=MAX_DAYS, start=start, end=end, days=count)
    days = await asyncio.to_thread(_days, start, count)

    lang = context.lang
    columns = [column.say(lang) for column in texts.CALENDAR_COLUMNS]
    rows = [_row(day, lang) for day in days]
    head = texts.CALENDAR_HEAD_DAY if count == 1 else texts.CALENDAR_HEAD
    return ToolResult(
        answer="\n".join(
            ", ".join(f"{name}: {cell or '–'}" for name, cell in zip(columns, row, strict=True)) for row in rows
        ),
        answer_md=f"{head.say(lang, start=start, end=end)}\n\n{table(columns, rows)}",
        data={"days": [_facts(day) for day in days]},
    )


def table(columns: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; an empty cell shows as a dash."""
    lines = [columns, ["---"] * len(columns), *([cell or "–" for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _days(start: date, count: int) -> list[almanac.Day]:
    return [almanac.day(start + timedelta(days=offset)) for offset in range(count)]


def _row(day: almanac.Day, lang: Lang) -> list[str]:
    return [
        f"{day.date} {WEEKDAYS[lang][day.date.weekday()]}",
        almanac_names.lunar_date(day.lunar, lang),
        almanac_names.zodiac(day.zodiac, lang),
        almanac_names.constellation(day.constellation, lang),
        almanac_names.term(day.term, lang),
        ("、" if lang == "zh" else ", ").join(almanac_names.festival(name, lang) for name in day.festivals),
    ]


def _facts(day: almanac.Day) -> dict[str, Any]:
    return {
        "date": day.date.isoformat(),
        "lunar": [day.lunar.year, day.lunar.month, day.lunar.leap, day.lunar.day],
        "zodiac": day.zodiac,
        "constellation": day.constellation,
        "term": day.term,
        "festivals": list(day.festivals),
    }


def calendar_tool() -> Tool:
    """The tool for the registry."""
    return tool(get_calendar_info, name_zh="日历查询")
