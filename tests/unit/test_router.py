"""Whole questions through the router: which get a tool, what the answer says, and which must not get one.

The expected contents were worked out by hand or with Python's own calendar, not with the code under test. "Today" is
Saturday, 2026-11-21, 20:45:30 in Beijing.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import texts
from agent.events import Finished, StepFinished, StepStarted
from agent.language import detect
from agent.styles.base import Ask, Done, Verbatim
from agent.styles.router.rules import MAX_QUESTION, route
from agent.styles.router.style import Router
from agent.tools.builtin import builtin_tools
from agent.tools.registry import ToolResult
from tests.support.agent import NOW, OneModelPool, finished, run, task

DELTA, CALENDAR, TERMS = "time_delta", "get_calendar_info", "get_solar_terms_info"

ENGLISH = [
    ("How many days are there between 2024-02-28 and 2024-03-01?", DELTA, "**2 days**"),
    ("How long is it from 2020-02-28 to 2021-03-01?", DELTA, "**367 days**"),
    ("how many days from Feb 28 2023 to Mar 1 2024 inclusive?", DELTA, "368 days"),
    ("How many days until Christmas?", DELTA, "**34 days**"),
    ("How many days left until New Year's Day 2027?", DELTA, "**41 days**"),
    ("How many days have passed since January 1, 2000?", DELTA, "**9821 days**"),
    ("How many days ago was 2026-01-01?", DELTA, "**324 days**"),
    ("How many weeks are there between 1 May 2025 and 31 August 2025?", DELTA, "**17 weeks and 3 days**"),
    ("How many months and days between 2024-01-31 and 2024-03-01?", DELTA, "**1 month and 1 day**"),
    ("How many hours are there between 2024-01-01 08:30 and 2024-01-02 12:00?", DELTA, "**27.5 hours**"),
    ("How many seconds between 2024-01-01 and 2024-01-02?", DELTA, "**86400 seconds**"),
    ("how many hours and minutes between 8:15 and 17:45", DELTA, "**9 hours and 30 minutes**"),
    ("how many days and hours from 2024-01-01 10:00 to 2024-01-03 12:00", DELTA, "**2 days and 2 hours**"),
    ("How many weeks from 2024-01-01 10:00 to 2024-01-08 12:00?", DELTA, "**1 week and 2 hours**"),
    ("How many days remain until the year 2030?", DELTA, "**1137 days**"),
    (
        "I have a meeting at 2026-11-25 14:00. How long until then?",
        DELTA,
        "**3 days, 17 hours, 14 minutes and 30 seconds**",
    ),
    ("How long have I been working here if I started on 2015-09-01?", DELTA, "**4099 days**"),
    ("What is the difference in days between July 4, 1776 and July 4, 2026?", DELTA, "**91310 days**"),
    ("How many days between Qingming and Dragon Boat Festival in 2026?", DELTA, "**75 days**"),
    ("2024-03-01 minus 2024-02-28", DELTA, "**2 days**"),
    ("How much time between 9:15 am and 5:40 pm?", DELTA, "**8 hours and 25 minutes**"),
    ("how long from 22:00 to 6:00", DELTA, "**8 hours**"),
    ("My passport expires on 2027-03-15. How many days are left?", DELTA, "**114 days**"),
    ("How many days between Christmas and New Year's Day?", DELTA, "**7 days**"),
    ("How many days between Chinese New Year 2025 and Chinese New Year 2026?", DELTA, "**384 days**"),
    (
        "Between the moon landing on 1969-07-20 and the fall of the Berlin Wall on 1989-11-09, how many days passed?",
        *(DELTA, "**7417 days**"),
    ),
    ("How many days did World War II last, from 1 September 1939 to 2 September 1945?", DELTA, "**2193 days**"),
    ("How old is someone born on 1985-06-15?", DELTA, "**41 years** old"),
    ("My dog was born on March 3, 2019. How many months old is he?", DELTA, "**92 months and 18 days**"),
    ("How many days does February 2028 have?", DELTA, "February 2028 has **29 days**"),
    ("How many days are left in this year?", DELTA, "**40 days**"),
    ("how many days until the end of 2026", DELTA, "**40 days**"),
    ("Is 2100 a leap year?", DELTA, "No, 2100 is not a leap year: it has **365 days**"),
    ("Is 2000 a leap year?", DELTA, "Yes, 2000 is a leap year: it has **366 days**"),
    ("How many days until 2020-01-01?", DELTA, "1 January 2020 has already passed."),
    ("What day of the week was July 20, 1969?", CALENDAR, "**Sunday, 20 July 1969**"),
    ("On which weekday does Christmas fall in 2030?", CALENDAR, "25 December 2030: **Wednesday**"),
    ("What's the date three weeks before 2025-03-10?", CALENDAR, "**Monday, 17 February 2025**"),
    ("What day of the week is the first day of 2030?", CALENDAR, "**Tuesday, 1 January 2030**"),
    ("What is the zodiac sign and Chinese zodiac of someone born on 2001-09-11?", CALENDAR, "**Virgo**"),
    ("Between 2024-12-20 and 2024-12-31, which days are festivals?", CALENDAR, "2024-12-25 Christmas"),
    ("Is 2024-10-01 a Tuesday?", CALENDAR, "Yes, 1 October 2024 is a **Tuesday**"),
    ("Is 2026-11-22 on a weekend?", CALENDAR, "Yes, 22 November 2026 is a **Sunday**"),
    ("What is today's date?", CALENDAR, "**Saturday, 21 November 2026**"),
    ("What day is it?", CALENDAR, "**Saturday, 21 November 2026**"),
    ("when is next friday?", CALENDAR, "**Friday, 27 November 2026**"),
    ("What date is 100 days after 2024-01-01?", CALENDAR, "**Wednesday, 10 April 2024**"),
    ("What date will it be in 45 days?", CALENDAR, "**Tuesday, 5 January 2027**"),
    ("What was the date 1000 days ago?", CALENDAR, "**Sunday, 25 February 2024**"),
    ("If today is 2024-01-01, what date is it in 100 days?", CALENDAR, "**Wednesday, 10 April 2024**"),
    ("What is the Chinese lunar date of January 29, 2025?", CALENDAR, "**month 1, day 1 of 2025 (正月初一)**"),
    ("What's the lunar date today?", CALENDAR, "month 10, day 13 of 2026"),
    ("When is the 15th day of the 8th lunar month of 2025?", CALENDAR, "**Monday, 6 October 2025**"),
    ("Which zodiac animal is 1988?", CALENDAR, "1988 is the year of the **Dragon** (from 1988-02-17"),
    ("What is the Chinese zodiac animal for someone born on 1990-01-26?", CALENDAR, "the year of the **Snake**"),
    ("I was born on March 5, 1992. What is my Chinese zodiac sign?", CALENDAR, "the year of the **Monkey**"),
    ("When is the next Year of the Dragon?", CALENDAR, "2036 is the year of the **Dragon** (from 2036-01-28"),
    ("What constellation is someone born on August 15, 1995?", CALENDAR, "15 August 1995: **Leo**"),
    ("What's the star sign for November 23?", CALENDAR, "**Sagittarius**"),
    ("What festivals are on 2025-10-06?", CALENDAR, "**Mid-Autumn Festival"),
    ("When is Chinese New Year 2028?", CALENDAR, "**Wednesday, 26 January 2028**"),
    ("When is the Dragon Boat Festival in 2025?", CALENDAR, "**Saturday, 31 May 2025**"),
    ("When was the Dragon Boat Festival last year?", CALENDAR, "**Saturday, 31 May 2025**"),
    ("When is Easter 2027?", CALENDAR, "Easter Sunday: **Sunday, 28 March 2027**"),
    ("When is Thanksgiving 2026?", CALENDAR, "**Thursday, 26 November 2026**"),
    ("Does 2025 have a leap month?", CALENDAR, "leap month 6 (闰六月)**, from 2025-07-25"),
    ("Show me the calendar from 2025-01-28 to 2025-02-04", CALENDAR, "| 2025-01-29 Wednesday |"),
    ("What does the calendar say about 2026-02-17?", CALENDAR, "Chinese New Year (Spring Festival)"),
    ("When is Qingming in 2027?", TERMS, "**Monday, 5 April 2027**"),
    ("When is the Winter Solstice 2026?", TERMS, "**Tuesday, 22 December 2026**"),
    ("When does spring begin (Lichun) in 2028?", TERMS, "**Friday, 4 February 2028**"),
    ("At what time does the summer solstice 2025 occur?", TERMS, "**Saturday, 21 June 2025**, 10:42"),
    ("List the 24 solar terms of 2025.", TERMS, "| Autumn Equinox (秋分) | 2025-09-23 Tuesday |"),
    ("Which solar term falls on 2024-06-21?", TERMS, "21 June 2024 is the day of **Summer Solstice**"),
    ("Which solar term comes after White Dew?", TERMS, "Next: **Autumn Equinox**, Wednesday, 23 September 2026"),
    ("Is 2026-02-17 Chinese New Year?", CALENDAR, "Yes, 17 February 2026 is **Chinese New Year"),
    ("What's the gap between 2026-01-15 and 2026-03-20 in weeks?", DELTA, "**9 weeks and 1 day**"),
    ("What is the next solar term?", TERMS, "Next: **Minor Snow**, Sunday, 22 November 2026"),
    ("Which solar term comes after 2026-12-25?", TERMS, "Next: **Minor Cold**, Tuesday, 5 January 2027"),
    ("What are the solar terms in April 2025?", TERMS, "**Grain Rain** 20 April 2025"),
]

CHINESE = [
    ("2024年2月28日到3月1日有多少天？", DELTA, "**2 天**"),
    ("从2020年1月1日到今天过了多少天", DELTA, "**2516 天**"),
    ("距离2027年元旦还有多少天？", DELTA, "**41 天**"),
    ("离春节还有几天", DELTA, "**77 天**"),
    ("1949年10月1日距今多少天", DELTA, "**28175 天**"),
    ("2020年1月23日到2020年4月8日一共多少天（含首尾）", DELTA, "77 天"),
    ("请计算2023年12月25日与2024年2月10日之间的天数", DELTA, "**47 天**"),
    ("今天距离2030年1月1日还有多少周", DELTA, "**162 周 3 天**"),
    ("从2024年1月1日8点30分到2024年1月2日12点一共多少小时", DELTA, "**27.5 小时**"),
    ("2024年3月10日 10:00 到 2024年3月12日 15:45 有多少小时多少分钟", DELTA, "**53 小时 45 分钟**"),
    ("早上八点一刻到下午五点半多长时间", DELTA, "**9 小时 15 分钟**"),
    ("我的护照2027年3月15日到期，还有多少天？", DELTA, "**114 天**"),
    ("2008年8月8日北京奥运会开幕到2022年2月4日冬奥会开幕相隔多少天", DELTA, "**4928 天**"),
    ("第二次世界大战从1939年9月1日到1945年9月2日，持续了多少天？", DELTA, "**2193 天**"),
    ("2000年1月1日出生，今年多大了？", DELTA, "**26 岁**"),
    ("2020年2月29日出生的人到2024年2月28日多少岁", DELTA, "**3 岁**"),
    ("2024年2月有多少天", DELTA, "2024年2月有 **29 天**"),
    ("2024年是闰年吗？", DELTA, "是的，2024 年是闰年，有 **366 天**"),
    ("2024年有闰月吗", DELTA, "**没有闰月**"),
    ("今年还剩多少天", DELTA, "**40 天**"),
    ("離 2027 年元旦還有幾天？", DELTA, "**41 天**"),
    ("2025年国庆节距离中秋节多少天", DELTA, "**5 天**"),
    ("距离2030年还有多少天", DELTA, "**1137 天**"),
    ("距离2028年洛杉矶奥运会开幕（2028年7月14日）还有多少天", DELTA, "**601 天**"),
    ("再过多少天是2027年春节", DELTA, "**77 天**"),
    ("冬至到小寒隔几天", DELTA, "**14 天**"),
    ("1997年7月1日香港回归到今天已经多少天了？", DELTA, "**10735 天**"),
    ("离下一个2月29日还有多少天", DELTA, "**465 天**"),
    ("2024年2月的最后一天是几号", CALENDAR, "**2024年2月29日 星期四**"),
    ("2024年6月10日是农历的哪一天？是什么节日？", CALENDAR, "**端午节**"),
    ("2025年5月1日到2025年5月5日每天的农历是什么", CALENDAR, "| 2025-05-05 星期一 | 二〇二五年四月初八 |"),
    ("2026年属马吗", CALENDAR, "2026 年是**马年**"),
    ("2月29日出生的人是什么星座", CALENDAR, "**双鱼座**"),
    ("谷雨是哪一天？（2025年）", TERMS, "**2025年4月20日 星期日**"),
    ("2024年2月9日是不是春节？", CALENDAR, "不是，2024年2月9日**不是**春节"),
    ("2026年10月1日前面30天是几号", CALENDAR, "**2026年9月1日 星期二**"),
    ("生于2012年5月5日的小朋友属相是什么？", CALENDAR, "生肖属**龙**"),
    ("2021年立夏的日期是？", TERMS, "**2021年5月5日 星期三**"),
    ("从2023年3月15日到2023年9月20日，间隔多少个月零多少天？", DELTA, "**6 个月 5 天**"),
    ("今天是星期几？", CALENDAR, "**星期六**"),
    ("今天农历几号", CALENDAR, "**二〇二六年十月十三**"),
    ("二〇二五年十月一日是星期几？", CALENDAR, "2025年10月1日：**星期三**"),
    ("2024年10月1日是星期二吗", CALENDAR, "是的，2024年10月1日是**星期二**"),
    ("下周五是几号", CALENDAR, "**2026年11月27日 星期五**"),
    ("100天后是几月几号？", CALENDAR, "**2027年3月1日 星期一**"),
    ("2024年1月1日之后的100天是哪一天", CALENDAR, "**2024年4月10日 星期三**"),
    ("春节前30天是几号", CALENDAR, "**2027年1月7日 星期四**"),
    ("从今天开始再过1000天是哪年哪月哪日", CALENDAR, "**2029年8月17日 星期五**"),
    ("如果今天是2024年1月1日，100天后是哪天", CALENDAR, "**2024年4月10日 星期三**"),
    ("2025年1月29日的农历是什么", CALENDAR, "**二〇二五年正月初一**"),
    ("农历2025年八月十五是公历哪一天", CALENDAR, "公历 **2025年10月6日 星期一**"),
    ("正月十五是哪天", CALENDAR, "**2027年2月20日 星期六**"),
    ("1988年属什么生肖", CALENDAR, "1988 年是**龙年**（从春节 1988-02-17 起）"),
    ("1990年1月26日出生的人属什么？", CALENDAR, "生肖属**蛇**"),
    ("我是1995年8月15日出生的，是什么星座？", CALENDAR, "**狮子座**"),
    ("小明2015年3月8日出生，请问他属什么，是什么星座？", CALENDAR, "生肖属**羊**"),
    ("下一个龙年是哪一年", CALENDAR, "2036 年是**龙年**"),
    ("2026年是马年吗", CALENDAR, "2026 年是**马年**"),
    ("2025年10月6日是什么节日", CALENDAR, "**中秋节"),
    ("2026年的中秋节是哪一天？", CALENDAR, "中秋节：**2026年9月25日 星期五**"),
    ("2025年除夕是哪天", CALENDAR, "**2025年1月28日 星期二**"),
    ("2025年端午节是星期几", CALENDAR, "**星期六**"),
    ("2025年母亲节是几号", CALENDAR, "**2025年5月11日 星期日**"),
    ("2025年有闰月吗？闰几月？", CALENDAR, "**闰六月**，从 2025-07-25"),
    ("查一下2025年1月28日到2月4日的日历", CALENDAR, "| 2025-01-29 星期三 | 二〇二五年正月初一 |"),
    ("2027年清明节是哪天？", TERMS, "清明：**2027年4月5日 星期一**"),
    ("2026年冬至是几月几号几点", TERMS, "冬至：**2026年12月22日 星期二**，北京时间 04:50"),
    ("2025年冬至是12月几号", TERMS, "**2025年12月21日 星期日**"),
    ("2027年的二十四节气分别是哪几天？", TERMS, "| 冬至 | 2027-12-22 星期三 |"),
    ("下一个节气是什么？", TERMS, "**小雪**，2026年11月22日"),
    ("2026年3月20日是什么节气", TERMS, "2026年3月20日是**春分**"),
    ("2025年4月有哪些节气", TERMS, "**清明** 2025年4月4日，**谷雨** 2025年4月20日"),
]

NO_TOOL = [
    "How many days does it take to learn Python?",
    "I started learning Python on 2024-01-01. How many days does it take to learn it?",
    "What is the capital of France on a map of 2024?",
    "how long is the Great Wall",
    "What's the weather tomorrow?",
    "How many days did it rain between 2024-01-01 and 2024-02-01?",
    "How many working days are there between 2024-01-01 and 2024-02-01?",
    "How many days between 2024-01-01 and 2024-02-01 excluding weekends?",
    "How many hours have I worked since 2024-01-01?",
    "The number of rainy days from 2024-01-01 to 2024-02-01",
    "How many Sundays are in March 2025?",
    "How many days off do we have for Christmas?",
    "How many days should I take off before Christmas?",
    "How many days will the trip last before Christmas?",
    "how long does the Mid-Autumn Festival last",
    "How long is a flight from Paris to Tokyo on 2024-05-01?",
    "How many people were born on 2024-02-28?",
    "Who won the election on 2024-11-05?",
    "What happened on 2024-02-28?",
    "When is the meeting on 2026-12-01?",
    "When is my appointment tomorrow?",
    "When was the Great Wall built?",
    "What is the winter solstice?",
    "What is the meaning of the constellation Leo?",
    "Why is Chinese New Year celebrated?",
    "What should I cook for Christmas 2026?",
    "Aries horoscope for today",
    "What is a solar term?",
    "What's new in Python 3.12?",
    "What time is it in Tokyo?",
    "How many minutes should I boil an egg?",
    "write a poem about spring",
    "Hello!",
    "",
    "春天是什么感觉",
    "距离高考还有多久",
    "2024年国庆节放假几天",
    "从2024年1月1日到2024年2月1日有多少个工作日",
    "从2024年1月1日到2月1日北京有多少天下雨",
    "春节前有几天考试",
    "请问今年的端午节放假吗",
    "清明节有什么习俗",
    "中秋节为什么吃月饼",
    "中秋节是什么节日",
    "二十四节气的由来",
    "什么是闰年",
    "明天会下雪吗",
    "今年雨水多吗",
    "大雪天怎么开车",
    "龙年出生的人性格怎么样",
    "明天什么时候下雨",
    "明天的会议几点开始",
    "现在几点",
    "一年有多少天",
    "讲个笑话",
]

#: Nobody can tell what exactly these ask.
AMBIGUOUS = [
    "How many days between 02/03/2024 and 05/03/2024?",
    "How many days until 3/4?",
    "How many days until 3/4/25?",
    "三四天后是几号",
    "Convert lunar 2025-08-15 to Gregorian",
    "Convert 2025-08-15 from lunar to solar",
    "农历生日是1990年5月1日的人属什么",
    "What is the Chinese zodiac animal for someone born on May 1?",
    "万圣节是哪天",
]


async def answered(question: str) -> tuple[str | None, Finished]:
    """The tool that ran, and the end of the run."""
    events = await run(task(question), Router(), tools=builtin_tools())
    tools = [event.tool for event in events if isinstance(event, StepStarted)]
    assert all(event.ok for event in events if isinstance(event, StepFinished))
    return (tools[0] if tools else None), finished(events)


@pytest.mark.parametrize(("question", "tool", "content"), [*ENGLISH, *CHINESE])
async def test_a_question_that_a_tool_can_answer_gets_that_answer(question: str, tool: str, content: str) -> None:
    ran, end = await answered(question)
    assert ran == tool
    assert content in end.text
    assert end.model is None


@pytest.mark.parametrize("question", [*NO_TOOL, *AMBIGUOUS])
def test_any_other_question_gets_no_tool(question: str) -> None:
    assert route(question, NOW) is None


def test_the_offered_questions_are_four_two_of_them_chinese() -> None:
    assert {lang: len(questions) for lang, questions in texts.OFFERED_QUESTIONS.items()} == {"en": 2, "zh": 2}
    assert "How many days are there between 2024-02-28 and 2024-03-01?" in texts.OFFERED_QUESTIONS["en"]
    assert all(
        detect(question) == lang for lang, questions in texts.OFFERED_QUESTIONS.items() for question in questions
    )


@pytest.mark.parametrize("question", [question for group in texts.OFFERED_QUESTIONS.values() for question in group])
def test_each_offered_question_is_among_those_with_a_checked_answer(question: str) -> None:
    assert question in [known for known, _, _ in [*ENGLISH, *CHINESE]]


@pytest.mark.parametrize(
    ("question", "error"),
    [
        ("How many days between 2023-02-30 and 2023-03-01?", "2023-02 has the days 1 to 28"),
        ("What day of the week is 2023-13-01?", "there is no month 13"),
        ("2023年2月29日是星期几", "2023 年 2 月只有 1 到 28 日"),
        ("What is the lunar date of 1850-01-01?", "1900 to 2100 only"),
        ("Show me the calendar from 2025-01-01 to 2025-12-31", "At most 101 days"),
    ],
)
async def test_a_date_that_does_not_exist_is_named_and_never_answered(question: str, error: str) -> None:
    events = await run(task(question), Router(), tools=builtin_tools())
    assert [event.ok for event in events if isinstance(event, StepFinished)] == [False]
    assert error in finished(events).text


def _documented() -> list[tuple[str, str]]:
    """The examples of docs/router.md, each with the tools of its row."""
    rows = [line.split(" | ") for line in Path("docs/router.md").read_text("utf-8").splitlines() if " · " in line]
    return [(question, tools) for _, examples, tools in rows for question in examples.split(" · ")]


@pytest.mark.parametrize(("question", "tools"), _documented())
def test_each_example_of_the_page_about_the_rules_goes_to_the_tool_of_its_row(question: str, tools: str) -> None:
    found = route(question, NOW)
    assert found is not None
    assert f"`{found.call.tool}`" in tools


async def test_the_answer_is_in_the_turns_language_whatever_the_question_mixes() -> None:
    events = await run(
        task("2026年的 Mid-Autumn Festival is on which day?", lang="zh"), Router(), tools=builtin_tools()
    )
    assert finished(events).text.startswith("中秋节：**2026年9月25日 星期五**")


def test_a_question_that_no_tool_answers_goes_to_the_demo_model_with_a_label() -> None:
    asked = Router().conclude(task("Hello!"), (), demo=True)
    assert isinstance(asked, Ask)
    assert asked.notes == (texts.NOTE_DEMO.en,)


def test_another_model_s_answer_is_labelled_as_one_without_a_tool() -> None:
    asked = Router().conclude(task("你好"), (), demo=False)
    assert isinstance(asked, Ask)
    assert asked.notes == (texts.NOTE_NO_TOOL.zh,)


async def test_a_profile_without_tools_gets_the_model() -> None:
    pool = OneModelPool()
    events = await run(task("How many days until Christmas?"), Router(), pool=pool)
    assert finished(events).model == "scripted-1"


async def test_the_line_above_a_result_is_made_of_the_results_own_data() -> None:
    question = task("When is Chinese New Year 2028?")
    router = Router()
    call = router.plan(question, builtin_tools(), ()).calls[0]
    events = await run(question, router, tools=builtin_tools())
    step = next(event for event in events if isinstance(event, StepFinished))
    assert call.args == {"start_date": "2028-01-26", "end_date": "2028-01-26"}
    assert finished(events).text.endswith(step.result)


def test_a_story_with_a_date_in_it_gets_no_tool() -> None:
    question = "How many days until Christmas? " + "Tell me. " * MAX_QUESTION
    assert route(question, NOW) is None


_PIECES = [question for question, _, _ in [*ENGLISH, *CHINESE]] + NO_TOOL + AMBIGUOUS
_WORDS = [
    *sorted({word for piece in _PIECES for word in piece.split()}),
    *("9999-12-31", "0000-00-00", "9999年", "闰", "2100", "100000 days after", "三千年后", "-", "("),
]


@given(st.lists(st.sampled_from(_WORDS), max_size=12).map(" ".join) | st.text(max_size=60))
def test_no_text_breaks_the_router(question: str) -> None:
    found = route(question, NOW)
    if found is not None:
        assert isinstance(Router().plan(task(question), builtin_tools(), ()).calls[0].tool, str)


def test_a_failed_tool_s_sentence_is_shown_as_it_is() -> None:
    question = task("How many days until Christmas?")
    call = Router().plan(question, builtin_tools(), ()).calls[0]
    shown = Router().conclude(question, (Done(call, ToolResult("No.", "No."), ok=False),), demo=True)
    assert shown == Verbatim("No.")
