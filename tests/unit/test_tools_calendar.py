"""The Chinese calendar against known dates, against the library itself, and at the edges of its range."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lunar_python import Solar
from lunar_python.util import LunarUtil, SolarUtil

from agent.tools import almanac, almanac_names
from agent.tools.builtin import builtin_tools
from agent.tools.registry import ToolContext, ToolError, ToolResult, find
from tests.support.agent import NOW

EN, ZH = ToolContext(NOW, "en"), ToolContext(NOW, "zh")
DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31))

#: Official dates; the two years around the long disputed 2033 included.
NEW_YEARS = [
    *("2020-01-25", "2021-02-12", "2022-02-01", "2023-01-22", "2024-02-10", "2025-01-29", "2026-02-17", "2027-02-06"),
    *("2028-01-26", "2029-02-13", "2030-02-03", "2033-01-31", "2034-02-19"),
]
LEAP_MONTHS = [
    *((2017, 6), (2020, 4), (2023, 2), (2025, 6), (2028, 5), (2031, 3), (2033, 11), (2036, 6), (2039, 5)),
    *((2042, 2), (2044, 7), (2021, None), (2022, None), (2024, None), (2026, None), (2027, None)),
]


async def call(name: str, context: ToolContext = EN, /, **args: object) -> ToolResult:
    tool = find(builtin_tools(), name)
    assert tool is not None
    return await tool.run(args, context)


@pytest.mark.parametrize("official", NEW_YEARS)
def test_chinese_new_year_is_on_its_official_date(official: str) -> None:
    new_year = date.fromisoformat(official)
    assert almanac.from_lunar(new_year.year, 1, 1) == new_year
    assert almanac.day(new_year).festivals[0] == "春节"
    assert almanac.day(new_year - timedelta(days=1)).festivals[0] == "除夕"


@pytest.mark.parametrize(("year", "official"), LEAP_MONTHS)
def test_leap_months_are_the_official_ones(year: int, official: int | None) -> None:
    assert almanac.leap_month(year) == official


@given(DAYS)
def test_a_day_is_what_the_library_says_it_is(when: date) -> None:
    solar = Solar.fromYmd(when.year, when.month, when.day)
    lunar = solar.getLunar()
    day = almanac.day(when)
    assert day.lunar.in_chinese() == lunar.toString()
    assert almanac.ZODIAC[day.zodiac] == lunar.getYearShengXiao()
    assert almanac.CONSTELLATIONS[day.constellation] == f"{solar.getXingZuo()}座"
    assert day.term == lunar.getJieQi()
    expected = [*solar.getFestivals(), *lunar.getFestivals(), *solar.getOtherFestivals(), *lunar.getOtherFestivals()]
    assert sorted(day.festivals) == sorted(expected)


@given(DAYS)
def test_a_lunar_date_leads_back_to_its_day(when: date) -> None:
    lunar = almanac.day(when).lunar
    if lunar.year >= almanac.FIRST_YEAR:
        assert almanac.from_lunar(lunar.year, lunar.month, lunar.day, leap=lunar.leap) == when


@pytest.mark.parametrize("year", range(almanac.FIRST_YEAR, almanac.LAST_YEAR + 1, 10))
def test_a_year_has_its_24_terms_in_order_some_15_days_apart(year: int) -> None:
    terms = almanac.solar_terms(year)
    assert [term.name for term in terms] == list(almanac.TERMS)
    assert all(term.when.year == year for term in terms)
    gaps = [(b.when - a.when).total_seconds() / 86400 for a, b in pairwise(terms)]
    assert all(14.6 < gap < 15.8 for gap in gaps)


@pytest.mark.parametrize(
    ("year", "name", "official"),
    [
        # As almanacs print them, to the minute, in Beijing time.
        (2024, "立春", datetime(2024, 2, 4, 16, 27, tzinfo=UTC)),
        (2024, "春分", datetime(2024, 3, 20, 11, 6, tzinfo=UTC)),
        (2024, "夏至", datetime(2024, 6, 21, 4, 51, tzinfo=UTC)),
        (2024, "秋分", datetime(2024, 9, 22, 20, 44, tzinfo=UTC)),
        (2024, "冬至", datetime(2024, 12, 21, 17, 20, tzinfo=UTC)),
        (2025, "春分", datetime(2025, 3, 20, 17, 1, tzinfo=UTC)),
        (2026, "冬至", datetime(2026, 12, 22, 4, 50, tzinfo=UTC)),
    ],
)
def test_terms_are_within_a_minute_of_the_published_times(year: int, name: str, official: datetime) -> None:
    found = next(term for term in almanac.solar_terms(year) if term.name == name)
    assert abs(found.when - official) <= timedelta(minutes=1)


def test_lunar_dates_that_do_not_exist_are_none() -> None:
    assert almanac.from_lunar(2024, 6, 1, leap=True) is None
    assert almanac.from_lunar(2024, 1, 30) is None
    assert almanac.from_lunar(1850, 1, 1) is None


def test_every_festival_has_an_english_name_and_no_other_has() -> None:
    tables = (SolarUtil.FESTIVAL, SolarUtil.WEEK_FESTIVAL, LunarUtil.FESTIVAL)
    names = {name for table in tables for name in table.values()}
    names |= {
        name
        for table in (SolarUtil.OTHER_FESTIVAL, LunarUtil.OTHER_FESTIVAL)
        for group in table.values()
        for name in group
    }
    assert names | {"除夕", "寒食节", "春社", "秋社"} == set(almanac_names.FESTIVALS_EN)


def test_every_term_has_an_english_name() -> None:
    assert list(almanac_names.TERMS_EN) == list(almanac.TERMS)


async def test_a_calendar_row_has_the_six_columns_in_both_languages() -> None:
    chinese = await call("get_calendar_info", ZH, start_date="2024-02-10", end_date="2024-02-10")
    assert "| 阳历 | 阴历 | 生肖 | 星座 | 节气 | 节日 |" in chinese.answer_md
    assert "| 2024-02-10 星期六 | 二〇二四年正月初一 | 龙 | 水瓶座 | – | 春节、国际气象节 |" in chinese.answer_md
    english = await call("get_calendar_info", EN, start_date="2024-02-10", end_date="2024-02-10")
    assert "| Solar date | Lunar date | Zodiac | Constellation | Solar term | Festivals |" in english.answer_md
    assert "| 2024-02-10 Saturday | month 1, day 1 of 2024 (正月初一) | Dragon | Aquarius |" in english.answer_md


async def test_the_zodiac_changes_at_the_chinese_new_year() -> None:
    result = await call("get_calendar_info", start_date="2024-02-09", end_date="2024-02-10")
    assert [almanac_names.ZODIAC_EN[row["zodiac"]] for row in result.data["days"]] == ["Rabbit", "Dragon"]


async def test_101_days_are_allowed_and_102_are_not() -> None:
    result = await call("get_calendar_info", start_date="2025-01-01", end_date="2025-04-11")
    assert len(result.data["days"]) == 101
    with pytest.raises(ToolError, match="At most 101 days can be looked up at once; 2025-01-01 to 2025-04-12 are 102"):
        await call("get_calendar_info", start_date="2025-01-01", end_date="2025-04-12")


async def test_the_order_of_a_range_does_not_matter() -> None:
    forward = await call("get_calendar_info", start_date="2025-01-01", end_date="2025-01-03")
    backward = await call("get_calendar_info", start_date="2025-01-03", end_date="2025-01-01")
    assert forward == backward


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("2023-02-30", "2023-02 has the days 1 to 28"),
        ("2024-02-30", "2024-02 has the days 1 to 29"),
        ("2023-13-01", "there is no month 13"),
        ("2023-00-10", "there is no month 0"),
        ("2023-04-00", "2023-04 has the days 1 to 30"),
        ("1899-12-31", "for the years 1900 to 2100 only; 1899"),
        ("2101-01-01", "for the years 1900 to 2100 only; 2101"),
        ("soon", "is not a date that I can read"),
        ("", "is not a date that I can read"),
    ],
)
async def test_a_date_that_is_none_is_an_error_that_says_why(value: str, reason: str) -> None:
    with pytest.raises(ToolError, match=reason) as error:
        await call("get_calendar_info", start_date=value, end_date=value)
    assert error.value.say("zh") != error.value.say("en")


async def test_the_terms_of_a_year_come_as_a_table_in_both_languages() -> None:
    chinese = await call("get_solar_terms_info", ZH, year=2027)
    assert chinese.answer_md.count("\n| ") == 1 + 1 + 24
    assert "| 清明 | 2027-04-05 星期一 | 08:17:31 |" in chinese.answer_md
    english = await call("get_solar_terms_info", EN, year="2027")
    assert "| Winter Solstice (冬至) | 2027-12-22 Wednesday |" in english.answer_md
    assert english.data["year"] == 2027


@pytest.mark.parametrize("year", [1899, 2101, "next", 2024.5, True])
async def test_a_year_that_is_unknown_is_an_error(year: object) -> None:
    with pytest.raises(ToolError):
        await call("get_solar_terms_info", year=year)


def test_a_calendar_of_a_hundred_days_computes_each_of_its_years_once() -> None:
    # The library alone computes a year for every day, 7 ms each.
    almanac._year.cache_clear()
    almanac.day.cache_clear()
    for offset in range(100):
        almanac.day(date(2025, 12, 1) + timedelta(days=offset))
    assert almanac._year.cache_info().misses == 2
