"""Chatty wording around questions, and years and months that are counted from now. "Today" is Saturday, 2026-11-21.

Expected weekdays and counts of days come from Python's calendar, festivals from their published dates.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.events import StepStarted
from agent.styles.router.courtesy import unwrap
from agent.styles.router.rules import route
from agent.styles.router.style import Router
from agent.tools.builtin import builtin_tools
from tests.support.agent import NOW, finished, run, task

DELTA, CALENDAR, TERMS = "time_delta", "get_calendar_info", "get_solar_terms_info"


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("hey does anyone know when Easter is?", "when Easter is?"),
        ("Hi! Can you please tell me what is 6 * 7 ? Thanks a lot!!", "what is 6 * 7 ?"),
        ("so, quick question: how many days until Christmas? thx :)", "how many days until Christmas?"),
        ("I was wondering if anyone knows when Easter is 🙏", "when Easter is"),
        ("any idea when thanksgiving is, anyone?", "when thanksgiving is?"),
        ("sorry to bother you, what day is it?", "what day is it?"),
        ("@kagentbot 26.2 miles in km pls", "26.2 miles in km"),
        ("just curious, is 2032 a leap year?", "is 2032 a leap year?"),
        ("Could someone help me convert 10 stone to kg?", "convert 10 stone to kg?"),
        ("26.2 miles in km, does anybody know?", "26.2 miles in km?"),
        ("你好，请问有人知道2027年春节是哪天吗？谢谢啦", "2027年春节是哪天吗？"),
        ("大佬们，5英里是多少公里，在线等", "5英里是多少公里"),
        ("想问下明年中秋节是几号呀，谢谢！", "明年中秋节是几号呀"),
        ("麻烦帮我看一下今天农历几号，辛苦了", "今天农历几号"),
        ("能不能告诉我明年清明是几号", "明年清明是几号"),
        ("急急急，求助，今天星期几，急", "今天星期几"),
    ],
)
def test_courtesies_are_taken_off_both_ends(text: str, rest: str) -> None:
    assert unwrap(text) == rest


@pytest.mark.parametrize(
    "text",
    [
        *("Hello!", "thanks", "谢谢", "请问", "🙏🙏", "hey hey", ""),
        *("hithere 5", "sow 3 seeds", "Thanksgiving 2026", "May 5", "tyre pressure", "你们几个人", "谢安是谁"),
    ],
)
def test_courtesies_alone_and_words_that_only_begin_like_one_stay(text: str) -> None:
    assert unwrap(text) == text


@given(st.text(max_size=80))
def test_what_is_left_is_a_part_of_the_text(text: str) -> None:
    assert unwrap(text).removesuffix("?") in text


@pytest.mark.parametrize(
    ("question", "tool", "content"),
    [
        ("hey does anyone know when mid-autumn festival is next year?", CALENDAR, "**Wednesday, 15 September 2027**"),
        ("Hey team! what's the date of Chinese New Year next year? 🧧", CALENDAR, "**Saturday, 6 February 2027**"),
        ("when's easter next year pls", CALENDAR, "**Sunday, 28 March 2027**"),
        ("when is chinese new year the year after next", CALENDAR, "**Wednesday, 26 January 2028**"),
        ("does anybody remember when the dragon boat festival was last year?", CALENDAR, "**Saturday, 31 May 2025**"),
        ("When was Thanksgiving the year before last?", CALENDAR, "**Thursday, 28 November 2024**"),
        ("When do we celebrate Mid-Autumn Festival this year?", CALENDAR, "**Friday, 25 September 2026**"),
        (
            "Hi! Could you tell me what day Christmas falls on this year? Thanks!",
            CALENDAR,
            "**Friday, 25 December 2026**",
        ),
        ("what day of the week is the 3rd of the month after next", CALENDAR, "**Sunday, 3 January 2027**"),
        ("btw when is father's day next year", CALENDAR, "**Sunday, 20 June 2027**"),
        ("remind me when halloween is", CALENDAR, "**Sunday, 31 October 2027**"),
        ("any idea when the winter solstice is this year? cheers", TERMS, "**Tuesday, 22 December 2026**"),
        ("just curious, is 2032 a leap year?", DELTA, "Yes, 2032 is a leap year"),
        ("ok so how many weeks are left in this year lol", DELTA, "**5 weeks and 5 days**"),
        ("sorry to bother you, what day of the week was 4 July 1976?", CALENDAR, "**Sunday, 4 July 1976**"),
        ("how many days before christmas is thanksgiving", DELTA, "**29 days**"),
        ("My flight was moved to December 24, how many days left?", DELTA, "**33 days**"),
        ("大家好，有人知道明年端午节是几号吗？", CALENDAR, "**2027年6月9日 星期三**"),
        ("请问后年中秋节是哪天呀", CALENDAR, "**2028年10月3日 星期二**"),
        ("去年春节是几月几号来着", CALENDAR, "**2025年1月29日 星期三**"),
        ("大前年春节是哪天", CALENDAR, "**2023年1月22日 星期日**"),
        ("谁知道大后年春节是哪天", CALENDAR, "**2029年2月13日 星期二**"),
        ("今年除夕是哪一天？急！", CALENDAR, "**2027年2月5日 星期五**"),
        ("想问下今年冬至是几号呢，谢谢", TERMS, "**2026年12月22日 星期二**"),
        ("明年清明几号，想提前请假", TERMS, "**2027年4月5日 星期一**"),
        ("下下个月3号是星期几", CALENDAR, "2027年1月3日：**星期日**"),
        ("上上个月5号是星期几啊", CALENDAR, "2026年9月5日：**星期六**"),
        ("下下个月有多少天呢", DELTA, "2027年1月有 **31 天**"),
        ("小助手，帮忙看看2027年元宵节是几号呗", CALENDAR, "**2027年2月20日 星期六**"),
        ("我是93年的，属什么", CALENDAR, "1993 年是**鸡年**"),
        ("老板说12月31日前交，还有多少天", DELTA, "**40 天**"),
        ("我和对象2020年5月20日在一起的，到今天多少天了", DELTA, "**2376 天**"),
        ("国庆节和中秋节今年差几天", DELTA, "**6 天**"),
        ("圣诞节和元旦隔几天", DELTA, "**7 天**"),
        ("国庆节和中秋节隔几天", DELTA, "**6 天**"),
        ("100天后是星期几", CALENDAR, "2027年3月1日：**星期一**"),
        ("这个月最后一天是星期几", CALENDAR, "2026年11月30日：**星期一**"),
        ("急急急，2026年12月31日是农历几号", CALENDAR, "二〇二六年冬月廿三"),
    ],
)
async def test_a_chatty_question_about_days_gets_its_answer(question: str, tool: str, content: str) -> None:
    events = await run(task(question), Router(), tools=builtin_tools())
    assert [event.tool for event in events if isinstance(event, StepStarted)] == [tool]
    assert content in finished(events).text


@pytest.mark.parametrize(
    "question",
    [
        # Counted from what, or how far?
        "when is spring festival the following year",
        "next next friday what date",
        "how many days until next next christmas",
        # The solar year or the lunar one?
        "明年除夕是几号",
        "去年腊八节是哪天",
        # Nothing here counts that.
        "今天是今年的第几天",
        "今天是我出生的第几天，我2000年1月1日出生",
        "how many fridays until christmas",
        "2026年11月有几个星期五",
        "今年清明节是哪天放假",
        "今年高考是哪天",
        "hey does anyone know when the new phone comes out next year?",
        "can you tell me when my meeting is tomorrow? thanks",
        "请问谁知道明天几点开会，谢谢",
        "有人知道明年房价会涨吗",
    ],
)
def test_a_chatty_question_that_is_not_certain_gets_no_tool(question: str) -> None:
    assert route(question, NOW) is None
