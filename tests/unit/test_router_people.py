"""Ages of somebody who was born on a day, and the time at which a solar term begins. "Today" is 2026-11-21."""

from __future__ import annotations

import pytest

from agent.styles.router.rules import route
from agent.styles.router.style import Router
from agent.tools.builtin import builtin_tools
from tests.support.agent import NOW, finished, run, task


@pytest.mark.parametrize(
    ("question", "years"),
    [
        ("how old is somebody who was born on 3 March 1984?", "42 years"),
        ("How old is a person that was born on 1 December 2000", "25 years"),
        ("How old would a guy born on December 25, 1979 be today?", "46 years"),
        ("how old is my little sister who was born on 2015-11-20?", "11 years"),
        ("How old is my grandmother, who was born on 3 April 1941?", "85 years"),
        ("What is the age of a man born on June 1, 1950?", "76 years"),
        ("How old was my uncle who was born on 2 May 1990 on 3 June 2000?", "10 years"),
        ("My cousin was born on 5 March 2000, how old is she?", "26 years"),
        ("某人1984年3月3日出生，多大了？", "42 岁"),
        ("某人1984年3月3日出生多大了", "42 岁"),
        ("我妹妹2015年11月20日出生，今年几岁了", "11 岁"),
        ("我表姐是1999年12月1日出生的现在几岁", "26 岁"),
        ("爷爷1941年4月3日出生今年多大了", "85 岁"),
        ("有个人生于1979年12月25日，现在多大岁数", "46 岁"),
        ("2000年12月1日出生的人现在几岁？", "25 岁"),
    ],
)
async def test_the_age_of_whoever_was_born_on_a_day_is_told(question: str, years: str) -> None:
    events = await run(task(question), Router(), tools=builtin_tools())
    text = finished(events).text.replace("**", "")
    assert years.replace(" ", "") in text.replace(" ", "")


@pytest.mark.parametrize(
    "question",
    [
        "My brother is 3 years older than me, I was born on 2 May 1990, how old is he?",
        "My sister was born on 5 March 2000, how old am I?",
        "My brother was born on 5 March 2000, how old is my sister?",
        "How old are my sons born on 2 May 1990 and 3 June 1992?",
        "how old is the daughter of someone born on 2 May 1990?",
        "how old was someone who was born on 2 May 1990?",
        "how old will my sister who was born on 2 May 1990 be next birthday?",
        "How old was my father when my sister who was born on 2 May 1990 married?",
        "how old is someone who was born in Paris?",
        "My grandfather was born on 2 May 1920 and died in the war, how old was he?",
        "我弟弟2008年6月1日出生，我多大了",
        "小明比我大3岁，我1991年2月2日出生，他几岁",
        "我奶奶1930年2月2日出生，已经去世了，她多大",
        "1991年2月2日出生的人的女儿多大了",
        "我1990年5月2日出生，我弟弟1995年3月3日出生，他几岁了",
        "某人出生的时候爸爸多大",
    ],
)
def test_the_age_of_another_or_on_another_day_gets_no_tool(question: str) -> None:
    assert route(question, NOW) is None


@pytest.mark.parametrize(
    ("question", "content"),
    [
        ("At what time does Lixia (Start of Summer) begin in 2025, Beijing time?", "13:57"),
        ("What time does Lixia begin in 2025?", "13:57"),
        ("what time is the Start of Summer in 2025", "13:57"),
        ("When exactly does the winter solstice (Dongzhi) begin in 2025?", "23:03"),
        ("At what time is Dongzhi (冬至) in 2025?", "23:03"),
        ("What is the exact moment of the winter solstice in 2025?", "23:03"),
        ("at what time did the 2025 spring equinox begin", "17:01"),
        ("2025年立夏是几点", "13:57"),
        ("2025年立夏（Start of Summer）是几点？", "13:57"),
        ("2025年冬至具体是几点钟（北京时间）", "23:03"),
        ("2025年冬至是几点几分", "23:03"),
        ("2025年春分几点开始", "17:01"),
    ],
)
async def test_the_time_at_which_a_term_begins_is_told(question: str, content: str) -> None:
    events = await run(task(question), Router(), tools=builtin_tools())
    assert content in finished(events).text.partition("\n")[0]


@pytest.mark.parametrize(
    "question",
    [
        "At what time does Lichun (Winter Solstice) begin in 2027?",
        "What time does Lichun begin in New York in 2027?",
        "At what time is sunrise on the winter solstice?",
        "What time is dinner on the winter solstice?",
        "what time does the shop open on Lichun (Start of Spring)?",
        "what time is it",
        "What time does spring training begin in 2027?",
        "At what time does Lichun begin in 2027 in UTC?",
        "立春几点吃饭",
        "冬至那天几点天黑",
        "立春（冬至）是几点",
        "立春前一天是几点",
    ],
)
def test_another_time_than_that_of_a_term_gets_no_tool(question: str) -> None:
    assert route(question, NOW) is None
