"""`time_delta`: exact over leap years, by the calendar and in seconds, and no answer for a date that is none."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.tools.dates import add_months, calendar_span, read_moment
from agent.tools.registry import ToolContext, ToolError, ToolResult
from agent.tools.time_delta import exact, spell, time_delta_tool
from tests.support.agent import NOW

EN, ZH = ToolContext(NOW, "en"), ToolContext(NOW, "zh")
TOOL = time_delta_tool()
MOMENTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)).map(  # noqa: DTZ001 - bounds
    lambda moment: moment.replace(microsecond=0)
)


async def delta(start: str, end: str, context: ToolContext = EN) -> ToolResult:
    return await TOOL.run({"start_time": start, "end_time": end}, context)


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        ("2024-02-28", "2024-03-01", 2),
        ("2023-02-28", "2023-03-01", 1),
        ("1900-02-28", "1900-03-01", 1),
        ("2000-02-28", "2000-03-01", 2),
        ("2100-02-28", "2100-03-01", 1),
        ("2020-02-29", "2024-02-29", 1461),
        ("2024-01-01", "2025-01-01", 366),
        ("2024-05-05", "2024-05-05", 0),
        ("0001-01-01", "9999-12-31", 3652058),
    ],
)
async def test_days_are_exact_over_leap_years(start: str, end: str, days: int) -> None:
    result = await delta(start, end)
    assert result.data["days"] == days
    assert result.answer_md.startswith(f"**{days} day{'' if days == 1 else 's'}** from {start} (")


@given(MOMENTS, MOMENTS)
async def test_any_two_moments_differ_as_python_says(first: datetime, second: datetime) -> None:
    result = await delta(f"{first:%Y-%m-%d %H:%M:%S}".zfill(19), f"{second:%Y-%m-%d %H:%M:%S}".zfill(19))
    expected = abs(second - first)
    assert result.data["days"] == expected.days
    assert result.data["seconds"] == expected.days * 86400 + expected.seconds


@given(st.dates(), st.dates())
async def test_the_order_of_two_dates_does_not_matter(first: date, second: date) -> None:
    assert await delta(first.isoformat(), second.isoformat()) == await delta(second.isoformat(), first.isoformat())


@given(MOMENTS, MOMENTS)
def test_years_months_and_days_add_up_and_leave_less_than_a_month(first: datetime, second: datetime) -> None:
    start, end = sorted((first, second))
    span = calendar_span(start, end)
    months = span.years * 12 + span.months
    assert add_months(start, months) + span.rest == end
    assert 0 <= span.months < 12
    assert timedelta(0) <= span.rest < timedelta(days=31)
    if (start.year, start.month) < (9999, 11) and (end.year, end.month) < (9999, 12):
        assert add_months(start, months + 1) > end


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("2024-01-31", "2024-02-29", "By the calendar: 1 month."),
        ("2023-01-31", "2023-03-01", "By the calendar: 1 month and 1 day."),
        ("2020-02-29", "2021-02-28", "By the calendar: 1 year."),
        ("2000-05-17", "2026-11-21", "By the calendar: 26 years, 6 months and 4 days."),
    ],
)
async def test_the_calendar_difference_goes_by_real_months(start: str, end: str, said: str) -> None:
    assert said in (await delta(start, end)).answer_md


async def test_times_of_day_count() -> None:
    result = await delta("2024-01-01 08:30:00", "2024-01-02 12:00:05")
    assert result.answer_md.startswith("**1 day, 3 hours, 30 minutes and 5 seconds** from 2024-01-01 08:30:00 (Monday)")
    assert "In all: 27.5 hours, or 99005 seconds." in result.answer_md


async def test_a_date_beside_a_time_begins_at_midnight() -> None:
    result = await delta("2024-01-01", "2024-01-01 06:00")
    assert result.answer_md.startswith("**6 hours** from 2024-01-01 (Monday) to 2024-01-01 06:00:00")


async def test_the_answer_is_in_the_askers_language() -> None:
    result = await delta("2024-02-28", "2024-03-01", ZH)
    assert result.answer_md.startswith("**2 天**：从 2024-02-28（星期三）到 2024-03-01（星期五）。")
    assert "首尾两天都算在内：3 天。" in result.answer_md
    assert "*" not in result.answer


async def test_dates_before_the_gregorian_calendar_say_how_they_are_counted() -> None:
    assert "Julian" in (await delta("1066-10-14", "2024-10-14")).answer
    assert "Julian" not in (await delta("1582-10-15", "2024-10-14")).answer


@pytest.mark.parametrize("text", ["2024-2-8", "2024/02/08", "2024.2.8", "2024年2月8日", " 2024-02-08 "])
def test_dates_are_read_in_the_forms_that_models_write(text: str) -> None:
    moment = read_moment("start_time", text)
    assert (moment.day, moment.has_time) == (date(2024, 2, 8), False)


@pytest.mark.parametrize("text", ["2024-02-08 09:05", "2024-02-08T09:05:00", "2024年2月8日 9:05"])
def test_times_are_read_in_the_forms_that_models_write(text: str) -> None:
    assert str(read_moment("start_time", text)) == "2024-02-08 09:05:00"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("2023-02-30", "2023-02 has the days 1 to 28"),
        ("2023-13-01", "there is no month 13"),
        ("2024-01-01 24:00:00", "no valid time of day"),
        ("2024-01-01 10:60", "no valid time of day"),
        ("2024-01-01 10", "not a date that I can read"),
        ("2024-01-01T10:00:00+08:00", "not a date that I can read"),
        ("0000-01-01", "not a date that I can read"),
        ("tomorrow", "not a date that I can read"),
        ("２０２４-01-01x", "not a date that I can read"),
    ],
)
async def test_what_is_no_date_is_an_error_that_says_what_would_be_right(value: str, reason: str) -> None:
    with pytest.raises(ToolError, match=reason) as error:
        await delta("2024-01-01", value)
    assert "`end_time`" in error.value.say("en")
    assert "`end_time`" in error.value.say("zh")


def test_zero_parts_are_left_out_but_never_all() -> None:
    assert spell([(0, "day"), (0, "hour")], "en") == "0 hours"
    assert spell([(1, "day"), (0, "hour"), (2, "minute")], "zh") == "1 天 2 分钟"


def test_fractions_have_no_trailing_zeros() -> None:
    assert [exact(n, 3600) for n in (3600, 5400, 36000, 0, 100)] == ["1", "1.5", "10", "0", "0.03"]
