"""`get_solar_terms_info`: when the 24 solar terms of a year begin."""

from __future__ import annotations

import asyncio
from typing import Annotated

from agent import texts
from agent.language import Lang
from agent.tools import almanac, almanac_names
from agent.tools.calendar_info import table
from agent.tools.dates import WEEKDAYS
from agent.tools.function import Between, tool
from agent.tools.registry import Tool, ToolContext, ToolResult


async def get_solar_terms_info(
    year: Annotated[int, Between(almanac.FIRST_YEAR, almanac.LAST_YEAR)], context: ToolContext
) -> ToolResult:
    """Looks up the dates and times (Beijing time) of the 24 solar terms of a year.

    Args:
        year: The year, for example 2024.

    Returns:
        A table with one row for each term, in order.
    """
    terms = await asyncio.to_thread(almanac.solar_terms, year)
    lang = context.lang
    head = texts.TERMS_HEAD.say(lang, year=year)
    columns = [column.say(lang) for column in texts.TERMS_COLUMNS]
    rows = [_row(term, lang) for term in terms]
    return ToolResult(
        answer="\n".join([head, *(" ".join(row) for row in rows)]),
        answer_md=f"{head}\n\n{table(columns, rows)}",
        data={"year": year, "terms": [[term.name, f"{term.when:%Y-%m-%d %H:%M:%S}"] for term in terms]},
    )


def _row(term: almanac.Term, lang: Lang) -> list[str]:
    name = term.name if lang == "zh" else f"{almanac_names.term(term.name, lang)} ({term.name})"
    return [name, f"{term.when:%Y-%m-%d} {WEEKDAYS[lang][term.when.weekday()]}", f"{term.when:%H:%M:%S}"]


def solar_terms_tool() -> Tool:
    """The tool for the registry."""
    return tool(get_solar_terms_info, name_zh="查询节气日期")
