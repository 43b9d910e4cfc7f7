"""What a rule finds: a call of one tool, and what to pick out of its result."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from agent.styles.base import ToolCall
from agent.styles.router.dates import Found
from agent.styles.router.leads import Lead
from agent.tools import almanac


@dataclass(frozen=True, slots=True)
class Route:
    """The tool that answers, and the line that picks the answer out of its result (None where the result begins with
    it)."""

    call: ToolCall
    lead: Lead | None = None


def interval(start: Found, end: Found, lead: Lead | None) -> Route:
    """The time between two moments, the earlier first."""
    if start.when and end.when and start.when > end.when:
        start, end = end, start
    return Route(ToolCall("time_delta", {"start_time": start.iso, "end_time": end.iso}), lead)


def days(start: date, end: date, lead: Lead) -> Route:
    """The time between two days."""
    return Route(ToolCall("time_delta", {"start_time": start.isoformat(), "end_time": end.isoformat()}), lead)


def calendar(start: str, end: str, lead: Lead | None) -> Route:
    """What the calendar says about each day from one to the other (both as a tool takes them)."""
    return Route(ToolCall("get_calendar_info", {"start_date": start[:10], "end_date": end[:10]}), lead)


def solar_terms(year: int, lead: Lead | None) -> Route | None:
    """The terms of a year; None for years that the tool doesn't know."""
    if not almanac.FIRST_YEAR <= year <= almanac.LAST_YEAR:
        return None
    return Route(ToolCall("get_solar_terms_info", {"year": year}), lead)
