"""Which questions are calculations, and which only look like one."""

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
        ("what is 12.5% of 80?", "10"),
        ("What's 7 times 8?", "56"),
        ("what's 10 - 3?", "7"),
        ("Calculate 100 / 8, please", "12.5"),
        ("Could you please calculate (3 + 4) * 2?", "14"),
        ("what is 2000 + 24", "2024"),
        ("2+2=?", "4"),
        ("Solve 3 + 4", "7"),
        ("Hi! Can you please tell me what is 6 * 7 ?", "42"),
        ("0.1 + 0.2", "0.3"),
        ("What is the square root of 144?", "12"),
        ("What is 2 to the power of 10?", "1024"),
        ("how much is 20% off 80", "64"),
        ("what is 3 x 4", "12"),
        ("convert 10 in to cm", "25.4 cm"),
        ("Convert 212 degrees Fahrenheit to Celsius", "100 °C"),
        ("What is 5 feet 11 inches in cm?", "180.34 cm"),
        ("How many metres is 26.2 km?", "26200 m"),
        ("how many seconds are there in a day?", "86400 seconds"),
        ("90 minutes in hours", "1.5 hours"),
        ("125加378等于多少", "503"),
        ("一百二十五加三百等于几？", "425"),
        ("请问 100 除以 8 等于多少？", "12.5"),
        ("帮我算一下 23 乘以 47", "1081"),
        ("计算 (3+4)×2", "14"),
        ("240的15%是多少", "36"),
        ("500的百分之二十是多少", "100"),
        ("百分之二十的500是多少", "100"),
        ("2的10次方是多少", "1024"),
        ("144的平方根是多少", "12"),
        ("3.5 km 是多少米", "3500 米"),
        ("一公里等于多少米", "1000 米"),
        ("两斤是多少克", "1000 克"),
        ("把100摄氏度换算成华氏度", "212 华氏度"),
        ("5公斤有多少斤", "10 斤"),
        ("3小时是多少分钟", "180 分钟"),
    ],
)
async def test_a_clear_calculation_goes_to_the_calculator(question: str, result: str) -> None:
    events = await run(task(question), Router(), tools=builtin_tools())
    assert [event.tool for event in events if isinstance(event, StepStarted)] == ["calculator"]
    assert [event.ok for event in events if isinstance(event, StepFinished)] == [True]
    assert f"**{result}**" in finished(events).text
    assert finished(events).model is None


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("what is 100 / 0?", "Nothing can be divided by zero."),
        ("calculate 9**9**9", "The result would be too large"),
        ("convert 5 km to kg", "one can't be converted into the other"),
        ("计算 100 除以 0", "除数不能为零"),
    ],
)
async def test_a_calculation_without_a_result_is_told_as_one(question: str, said: str) -> None:
    assert said in finished(await run(task(question), Router(), tools=builtin_tools())).text


@pytest.mark.parametrize(
    "question",
    [
        "+1",
        "-5",
        "50%",
        "what is 50%",
        "100",
        "1984",
        "pi",
        "what is e",
        "24/7",
        "3/4",
        "what is 12/25?",
        "9-5",
        "3-1",
        "3 x 4",
        "1080x1920",
        "2024/25",
        "010-1234567",
        "555-1234",
        "10:30 - 11:45",
        "9 to 5",
        "what is 3 + 5!",
        "C++",
        "If I have 3 apples and buy 2 more, how many do I have?",
        "How do I convert km to miles?",
        "100 usd in eur",
        "What is 15% of my salary?",
        "How many calories are in 100 g of rice?",
        "How many people live within 5 km?",
        "3斤苹果多少钱",
        "一年有多少天",
        "8月加班多少小时",
        "二加二等于五吗，为什么",
        "加班",
        "三心二意是什么意思",
        "一米阳光",
        ", " * 140 + "x",
        "? " * 140 + "x",
        "so " * 90 + "x",
        "请" * 290 + "x",
        "(" * 299,
    ],
)
def test_what_only_looks_like_one_gets_no_calculator(question: str) -> None:
    found = route(question, NOW)
    assert found is None or found.call.tool != "calculator"


@pytest.mark.parametrize(
    "question", ["2024-03-01 minus 2024-02-28", "How many days between 2024-02-28 and 2024-03-01?"]
)
def test_a_question_about_dates_stays_one(question: str) -> None:
    found = route(question, NOW)
    assert found is not None
    assert found.call.tool == "time_delta"
