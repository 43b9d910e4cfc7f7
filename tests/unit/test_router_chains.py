"""Sums in words: in which order they are worked out, and which are left alone."""

from __future__ import annotations

import pytest

from agent.events import StepFinished, StepStarted
from agent.styles.router.rules import route
from agent.styles.router.style import Router
from agent.tools.builtin import builtin_tools
from tests.support.agent import NOW, finished, run, task


@pytest.mark.parametrize(
    ("question", "result"),
    [
        ("12.5乘以64再减去30是多少？", "770"),
        ("12加8再乘以5等于多少", "100"),
        ("12加8乘以5等于多少", "52"),
        ("100减去30再除以7是多少", "10"),
        ("三十七乘以二再加五等于几", "79"),
        ("先用12加8，再乘以5，等于多少", "100"),
        ("12加上8，然后再除以4是多少", "5"),
        ("12加8的和再乘以5是多少", "100"),
        ("1000除以8再除以5再加1等于几", "26"),
        ("50減去8再乘3是多少？", "126"),
        ("100减掉25乘以2是多少", "50"),
        ("what is 12 times 7 minus 4?", "80"),
        ("What's 3 plus 4 times 2?", "11"),
        ("12 plus 8, then times 5?", "100"),
        ("What is 12 plus 8 and then divided by 4?", "5"),
        ("multiply 12 by 8, then subtract 5", "91"),
        ("What is 100 divided by 8 plus 3?", "15.5"),
        ("what is twelve times seven?", "84"),
        ("What's one hundred and twenty plus thirty-five?", "155"),
        ("what is fourteen minus nineteen", "-5"),
    ],
)
async def test_a_sum_in_words_is_worked_out_in_its_order(question: str, result: str) -> None:
    events = await run(task(question), Router(), tools=builtin_tools())
    assert [event.tool for event in events if isinstance(event, StepStarted)] == ["calculator"]
    assert [event.ok for event in events if isinstance(event, StepFinished)] == [True]
    assert f"**{result}**" in finished(events).text


@pytest.mark.parametrize(
    "question",
    [
        # Is only the last number multiplied, or all so far?
        "10减去2再加3乘以4等于多少",
        "10 minus 2, then plus 3 times 4?",
        "2乘以3加4的和再减1等于几",
        "2+(3+4再乘2)等于多少",
        "3公里再加5公里是多少米",
        "3加5再减2等于6吗",
        "500再打八折是多少",
        "一个数乘以3再加5等于20，求这个数",
        "12个苹果再加8个一共几个",
        "今天加班，再加一天就好了",
        "再加5",
        "one plus 12",
        "what is seven-eleven",
        "what is twenty one pilots",
        "what is twenty twenty",
        "take two times a day",
        "what if 12 times 7 and then some",
    ],
)
def test_a_sum_in_words_that_is_not_certain_gets_no_calculator(question: str) -> None:
    assert route(question, NOW) is None
