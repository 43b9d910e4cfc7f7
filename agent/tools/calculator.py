"""`calculator`: exact arithmetic, percentages and conversion of units."""

from __future__ import annotations

import asyncio
from typing import Annotated

from agent import texts
from agent.tools import exact
from agent.tools.expression import work_out
from agent.tools.function import MaxLength, tool
from agent.tools.registry import Tool, ToolContext, ToolResult
from agent.tools.tokens import tidy

#: Characters of a calculation. Longer ones are programs.
MAX_EXPRESSION = 500
#: Digits up to which the denominator of a fraction is worth showing.
_MAX_DENOMINATOR = 10**4


async def calculator(expression: Annotated[str, MaxLength(MAX_EXPRESSION)], context: ToolContext) -> ToolResult:
    """Works out arithmetic exactly, percentages, and conversions between units.

    Args:
        expression: For example 0.1 + 0.2, (3 + 4) * 2 ** 10, 15% of 240, 240 + 15%, 17 mod 5, sqrt(2), max(3, 7),
            log(1000) (base 10; ln is natural), sin(30°), 5 km in miles, 72 °F in °C. Only numbers, operators,
            functions and units; no variables.

    Returns:
        The result; exact, or rounded to 12 significant digits where it says so.
    """
    tidied = tidy(expression)
    # Bounded, but not so fast that the event loop should wait for it.
    outcome = await asyncio.to_thread(work_out, tidied)
    lang, number = context.lang, outcome.value.number
    is_exact = outcome.value.exact and exact.terminates(number)
    value = exact.write_exact(number) if is_exact else exact.write_rounded(number)
    shown = f"{value} {outcome.unit.name.say(lang)}" if outcome.unit else value
    shown_expression = tidied.rstrip(" =?.。")
    says = texts.CALC_EXACT if is_exact else texts.CALC_ROUNDED
    line = says.say(lang, expression=shown_expression, value=shown, digits=exact.DIGITS)
    if not is_exact and outcome.value.exact and outcome.unit is None and number.denominator < _MAX_DENOMINATOR:
        line += "\n\n" + texts.CALC_FRACTION.say(lang, fraction=f"{number.numerator}/{number.denominator}")
    return ToolResult(line, line, data={"value": value, "exact": is_exact})


def calculator_tool() -> Tool:
    """The tool for the registry."""
    return tool(calculator, name_zh="计算器", aliases=("calculate",))
