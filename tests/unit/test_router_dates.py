"""How dates are written, and which days they mean. "Today" is Saturday, 2026-11-21."""

from __future__ import annotations

import pytest

from agent.styles.router.dates import Lean, find, find_pair, read
from agent.styles.router.text import chinese_number, english_number, normalise, ordinal
from tests.support.agent import NOW

WALL = read("", NOW).now


def only(text: str, lean: Lean = "this") -> str | None:
    """The one day that a text names, as a tool's argument."""
    template = read(text, NOW)
    days = template.of("D")
    assert len(template.mentions) == len(days) == 1, template
    found = find(days[0], WALL, lean)
    return found.iso if found else None


def pair(text: str) -> tuple[str, str]:
    days = read(text, NOW).of("D")
    assert len(days) == 2
    found = find_pair(days[0], days[1], WALL)
    assert found is not None
    return found[0].iso, found[1].iso


@pytest.mark.parametrize(
    "text",
    [
        *("2024-02-28", "2024/2/28", "2024.2.28", "20240228", "2/28/2024", "28/2/2024", "28.02.2024", "28-02-2024"),
        *("Feb 28, 2024", "Feb. 28 2024", "February 28th, 2024", "28 February 2024", "28th of February, 2024"),
        *(
            "the twenty-eighth of February 2024",
            "Wednesday, 28 February 2024",
            "28-Feb-2024",
            "2024年2月28日",
            "2024年2月28号",
        ),
        *(
            "2024 年 2 月 28 日",
            "２０２４年２月２８日",
            "二〇二四年二月二十八日",
            "二零二四年二月二十八号",
            "2024年2月28日（星期三）",
        ),
    ],
)
def test_a_full_date_is_read_in_many_forms(text: str) -> None:
    assert only(text) == "2024-02-28"


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("today", "2026-11-21"),
        ("tomorrow", "2026-11-22"),
        ("the day after tomorrow", "2026-11-23"),
        ("yesterday", "2026-11-20"),
        ("今天", "2026-11-21"),
        ("明天", "2026-11-22"),
        ("后天", "2026-11-23"),
        ("大后天", "2026-11-24"),
        ("昨天", "2026-11-20"),
        ("前天", "2026-11-19"),
        ("next Monday", "2026-11-23"),
        ("this Friday", "2026-11-20"),
        ("coming Saturday", "2026-11-28"),
        ("last Monday", "2026-11-16"),
        ("last Saturday", "2026-11-14"),
        ("Friday next week", "2026-11-27"),
        ("下周一", "2026-11-23"),
        ("上周三", "2026-11-11"),
        ("这周日", "2026-11-22"),
        ("下下个星期天", "2026-12-06"),
        ("本月15号", "2026-11-15"),
        ("下个月3号", "2026-12-03"),
        ("the 3rd of next month", "2026-12-03"),
        ("明年3月8日", "2027-03-08"),
        ("去年12月1号", "2025-12-01"),
        ("in 3 days", "2026-11-24"),
        ("in a week", "2026-11-28"),
        ("two weeks ago", "2026-11-07"),
        ("a hundred and twenty days from now", "2027-03-21"),
        ("30 days before Christmas 2026", "2026-11-25"),
        ("the day after 2024-02-28", "2024-02-29"),
        ("one month after 2024-01-31", "2024-02-29"),
        ("add 30 days to 2024-02-01", "2024-03-02"),
        ("2024-02-28 plus 2 days", "2024-03-01"),
        ("三天后", "2026-11-24"),
        ("两周前", "2026-11-07"),
        ("半年后", "2027-05-21"),
        ("一百天以后", "2027-03-01"),
        ("2024年2月28日后2天", "2024-03-01"),
        ("2024年3月1日的前一天", "2024-02-29"),
        ("2024年1月1日往后推100天", "2024-04-10"),
    ],
)
def test_a_day_is_counted_from_another(text: str, iso: str) -> None:
    assert only(text) == iso


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("Christmas 2025", "2025-12-25"),
        ("next year's Christmas", "2027-12-25"),
        ("Christmas Eve of 2025", "2025-12-24"),
        ("New Year's Eve 2026", "2026-12-31"),
        ("Chinese New Year's Eve 2025", "2025-01-28"),
        ("2026年元旦", "2026-01-01"),
        ("2025年的国庆节", "2025-10-01"),
        ("明年春节", "2027-02-06"),
        ("Mid-Autumn Festival 2025", "2025-10-06"),
        ("七夕 2025", "2025-08-29"),
        ("2025年重阳节", "2025-10-29"),
        ("2025年腊八节", "2025-01-07"),
        ("Winter Solstice in 2026", "2026-12-22"),
        ("Tomb-Sweeping Day 2027", "2027-04-05"),
        ("Mother's Day 2026", "2026-05-10"),
        ("感恩节2026", "2026-11-26"),
        ("Easter 2024", "2024-03-31"),
        ("Easter 2025", "2025-04-20"),
        ("农历2025年八月十五", "2025-10-06"),
        ("2025年农历八月十五", "2025-10-06"),
        ("2025年正月初一", "2025-01-29"),
        ("2025年闰六月初一", "2025-07-25"),
        ("2025年腊月二十三", "2026-02-10"),
        ("the 15th day of the 8th lunar month of 2025", "2025-10-06"),
    ],
)
def test_a_named_day_is_found_in_its_year(text: str, iso: str) -> None:
    assert only(text) == iso


@pytest.mark.parametrize(
    ("text", "lean", "iso"),
    [
        ("March 3", "this", "2026-03-03"),
        ("March 3", "next", "2027-03-03"),
        ("December 3", "last", "2025-12-03"),
        ("November 21", "next", "2026-11-21"),
        ("11月21日", "last", "2026-11-21"),
        ("Christmas", "next", "2026-12-25"),
        ("Christmas", "last", "2025-12-25"),
        ("春节", "next", "2027-02-06"),
        ("春节", "last", "2026-02-17"),
        ("腊月二十三", "next", "2027-01-30"),
    ],
)
def test_a_day_without_a_year_leans_to_one_side_of_today(text: str, lean: Lean, iso: str) -> None:
    assert only(text, lean) == iso


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("from 2024年2月28日 to 3月1日", ("2024-02-28", "2024-03-01")),
        ("from March 3 to June 5, 2024", ("2024-03-03", "2024-06-05")),
        ("from December 20 to January 5, 2025", ("2024-12-20", "2025-01-05")),
        ("between November 1 and February 1", ("2026-11-01", "2027-02-01")),
        ("October 1-7, 2025", ("2025-10-01", "2025-10-07")),
        ("2025年10月1日到7日", ("2025-10-01", "2025-10-07")),
        ("from 8:30 am to 5 pm", ("2026-11-21 08:30:00", "2026-11-21 17:00:00")),
        ("from 22:00 to 06:00", ("2026-11-21 22:00:00", "2026-11-22 06:00:00")),
        ("from 8:00 to 9:30 on 2024-05-01", ("2024-05-01 08:00:00", "2024-05-01 09:30:00")),
        ("2024-01-01 08:30 to 2024-01-02 12:00:05", ("2024-01-01 08:30:00", "2024-01-02 12:00:05")),
        ("明天早上8点到后天下午3点半", ("2026-11-22 08:00:00", "2026-11-23 15:30:00")),
        ("今天中午12点到晚上10点15分", ("2026-11-21 12:00:00", "2026-11-21 22:15:00")),
    ],
)
def test_two_days_lend_each_other_what_one_of_them_lacks(text: str, days: tuple[str, str]) -> None:
    assert pair(text) == days


@pytest.mark.parametrize(
    "text", ["02/03/2024", "3/4", "3/4/24", "03-04-24", "农历13月5日", "25:00", "半天后", "三四天后"]
)
def test_what_can_be_read_in_two_ways_or_none_is_marked(text: str) -> None:
    template = read(text, NOW)
    assert not template.of("D")


@pytest.mark.parametrize(
    ("text", "iso"), [("2023-02-30", "2023-02-30"), ("2023年13月1日", "2023-13-01"), ("Feb 30", "2026-02-30")]
)
def test_a_day_that_does_not_exist_is_handed_on_as_it_is(text: str, iso: str) -> None:
    assert only(text) == iso


@pytest.mark.parametrize(
    "text",
    ["version 3.12", "1,234 people", "in 2000 days of work", "room 12-3", "Mayor May", "first place", "192.168.1.1"],
)
def test_numbers_and_names_that_are_no_dates_stay_words(text: str) -> None:
    assert read(text, NOW).of("D") == ()


def test_the_template_has_letters_in_the_place_of_dates() -> None:
    assert read("How many days between 2024-02-28 and Christmas 2025?", NOW).text == "how many days between D and D?"
    assert read("二〇二四年二月有多少天", NOW).text == "M有多少天"
    assert read("Is 2024-10-01 a Tuesday?", NOW).text == "is D W?"


def test_text_is_brought_to_one_spelling() -> None:
    assert (
        normalise("請問 2024 年 2 月（農曆）離　現在還有幾天？ What’s") == "请问2024年2月(农历)离现在还有几天? what's"
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [("二〇二五", 2025), ("十", 10), ("十五", 15), ("一百二十", 120), ("一百零五", 105), ("廿一", 21), ("两", 2)],
)
def test_chinese_numerals(text: str, value: int) -> None:
    assert chinese_number(text) == value


@pytest.mark.parametrize(
    ("text", "value"), [("a", 1), ("a hundred", 100), ("one hundred and twenty-five", 125), ("42", 42)]
)
def test_english_numerals(text: str, value: int) -> None:
    assert english_number(text) == value


def test_ordinals() -> None:
    assert [ordinal(text) for text in ("3", "3rd", "third", "twenty-first")] == [3, 3, 3, 21]
