"""`calculator`: exact where it can be, rounded where it says so, and bounded whatever it is given.

The expected values were worked out by hand, from the definitions of the units, or with Python's `fractions`.
"""

from __future__ import annotations

import contextlib
import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.language import Lang
from agent.tools.calculator import MAX_EXPRESSION, calculator_tool
from agent.tools.exact import write_exact
from agent.tools.expression import work_out
from agent.tools.registry import ToolContext, ToolError, ToolResult
from agent.tools.tokens import tidy
from agent.tools.units import UNITS, convert
from tests.support.agent import NOW

TOOL = calculator_tool()


async def calculate(expression: str, lang: Lang = "en") -> ToolResult:
    return await TOOL.run({"expression": expression}, ToolContext(NOW, lang))


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("0.1 + 0.2", "0.3"),
        ("(3 + 4) * 2 ** 10", "7168"),
        ("2 ** 3 ** 2", "512"),
        ("-2 ** 2", "-4"),
        ("2 ** -3", "0.125"),
        ("7 // 2", "3"),
        ("-7 // 2", "-4"),
        ("17 % 5", "2"),
        ("17 mod 5", "2"),
        ("-7 mod 3", "2"),
        ("1,234.5 * 2", "2469"),
        ("1e3 + 1", "1001"),
        ("15% of 240", "36"),
        ("10% of 20% of 50", "1"),
        ("240 + 15%", "276"),
        ("240 - 10%", "216"),
        ("10% + 5%", "0.15"),
        ("20% off 80", "64"),
        ("240 * 15%", "36"),
        ("12 x 7", "84"),
        ("６×７＋１", "43"),
        ("100 ÷ 8", "12.5"),
        ("9 − 4", "5"),
        ("125加378", "503"),
        ("100减去1", "99"),
        ("6乘以7", "42"),
        ("100除以8", "12.5"),
        ("1.5万乘以3", "45000"),
        ("240的15%", "36"),
        ("240的百分之15", "36"),
        ("百分之15的240", "36"),
        ("2的10次方", "1024"),
        ("144的平方根", "12"),
        ("5的平方", "25"),
        ("12 plus 30 minus 2", "40"),
        ("84 divided by 7 times 2", "24"),
        ("2 to the power of 10", "1024"),
        ("square root of 144", "12"),
        ("5²", "25"),
        ("2 million / 4", "500000"),
        ("5!", "120"),
        ("sqrt(2.25)", "1.5"),
        ("abs(-3)", "3"),
        ("round(2.675, 2)", "2.68"),
        ("round(-2.5)", "-3"),
        ("floor(-1.5)", "-2"),
        ("ceil(1.2)", "2"),
        ("max(1,234)", "234"),
        ("min(3, 1, 2)", "1"),
        ("log(1000)", "3"),
        ("log(8, 2)", "3"),
        ("log2(0.25)", "-2"),
        ("sin(30°)", "0.5"),
        ("cos(60 degrees)", "0.5"),
        ("tan(45°)", "1"),
        ("sin(-90°)", "-1"),
        ("10 in in cm", "25.4"),
        ("1 mile in feet", "5280"),
        ("5 ft 11 in in cm", "180.34"),
        ("1/2 mile in yards", "880"),
        ("72.5 °F in °C", "22.5"),
        ("-40 F to C", "-40"),
        ("100℃ in K", "373.15"),
        ("8 Mb in MB", "1"),
        ("1 GiB to MiB", "1024"),
        ("90 min in hours", "1.5"),
        ("2.5 acres in m²", "10117.14105600"),
        ("36 km/h in m/s", "10"),
        ("1 gallon in litres", "3.785411784"),
        ("3斤等于多少克", "1500"),
        ("5公里换算成米", "5000"),
        ("100摄氏度是多少华氏度", "212"),
        ("3亩等于多少平方米", "2000"),
    ],
)
async def test_a_calculation_has_its_exact_result(expression: str, value: str) -> None:
    result = await calculate(expression)
    assert Fraction(result.data["value"]) == Fraction(value)
    assert result.data["exact"] is True


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1/3", "0.333333333333"),
        ("2/3", "0.666666666667"),
        ("sqrt(2)", "1.41421356237"),
        ("2 ** 0.3", "1.23114441334"),
        ("pi", "3.14159265359"),
        ("e", "2.71828182846"),
        ("exp(1)", "2.71828182846"),
        ("ln(2)", "0.69314718056"),
        ("log(2)", "0.301029995664"),
        ("sin(1)", "0.841470984808"),
        ("cos(1)", "0.540302305868"),
        ("tan(1)", "1.55740772465"),
        ("sin(pi)", "0"),
        ("sqrt(2) ** 2 - 2", "0"),
        ("1 / 3 ** 100", "1.94032521748e-48"),
        ("5 km in miles", "3.10685596119"),
    ],
)
async def test_what_cannot_be_exact_is_rounded_and_says_so(expression: str, value: str) -> None:
    result = await calculate(expression)
    assert result.data == {"value": value, "exact": False}
    assert "rounded to 12 significant digits" in result.answer


async def test_a_simple_fraction_is_given_exactly_too() -> None:
    assert (await calculate("22 / 7")).answer.endswith("Exactly: 22/7")


async def test_a_result_is_shown_with_its_calculation_and_unit_in_either_language() -> None:
    assert (await calculate("10 in in cm")).answer_md == "`10 in in cm` = **25.4 cm**"
    assert (await calculate("5公里等于多少米?", "zh")).answer_md == "`5公里等于多少米` = **5000 米**"
    assert "保留 12 位有效数字" in (await calculate("5公里等于多少英里", "zh")).answer


@pytest.mark.parametrize(
    ("expression", "english", "chinese"),
    [
        ("", "nothing to work out", "没有可计算的内容"),
        ("= ?", "nothing to work out", "没有可计算的内容"),
        ("3 +", "ends too early", "算式不完整"),
        ("(3 + 4", "closing bracket is missing", "缺少右括号"),
        ("3 + 4)", "“)” can't be read", "无法识别该处的“)”"),
        ("1 / 0", "divided by zero", "除数不能为零"),
        ("1 // 0", "divided by zero", "除数不能为零"),
        ("5 mod 0", "divided by zero", "除数不能为零"),
        ("0 ** -1", "divided by zero", "除数不能为零"),
        ("sqrt(-1)", "`sqrt` has no real value", "没有实数值"),
        ("(-8) ** (1/3)", "`**` has no real value", "没有实数值"),
        ("log(0)", "`log` has no real value", "没有实数值"),
        ("tan(90°)", "`tan` has no real value", "没有实数值"),
        ("9**9**9", "exponents may be at most 1000", "指数最大为 1000"),
        ("1e9999", "about 1200 digits", "最多约 1200 位"),
        ("exp(1e9)", "about 1200 digits", "最多约 1200 位"),
        ("451!", "from 0 to 450", "0 到 450"),
        ("2.5!", "from 0 to 450", "0 到 450"),
        ("sin(1e9)", "at most 1000000 radians", "最多 1000000 弧度"),
        ("(" * 60 + "1" + ")" * 60, "At most 40 brackets", "最多嵌套 40 层"),
        ("2**" * 100 + "1", "At most 40 brackets", "最多嵌套 40 层"),
        ("foo(2)", "“foo” is not known; there are these functions", "不认识“foo”"),
        ("__import__('os')", "can't be read", "无法识别"),
        ("x + 1", "“x” is not known", "不认识“x”"),
        ("sqrt 4", "`sqrt` needs brackets", "`sqrt` 需要括号"),
        ("sqrt(1, 2)", "takes 1 to 1 numbers; here are 2", "需要 1 到 1 个数，现在有 2 个"),
        ("12 13", "“13” can't be read", "无法识别该处的“13”"),
        ("5 of 10", "Only percentages go with", "要与百分数一起使用"),
        ("30° + 1", "Degrees belong inside sin", "角度只能写在"),
        ("½ + 1", "“½” can't be read", "无法识别该处的“½”"),
        ("2⁵", "“⁵” can't be read", "无法识别该处的“⁵”"),
        ("1,23 + 1", "“,” can't be read", "无法识别该处的“,”"),
        ("5 km", "write one amount and the unit wanted", "请写出一个量和目标单位"),
        ("5 km + 3 km", "write one amount and the unit wanted", "请写出一个量和目标单位"),
        ("5 in cm", "write one amount and the unit wanted", "请写出一个量和目标单位"),
        ("5 km to kg", "km measures length and kg measures mass", "公里是长度单位，千克是质量单位"),
        ("20 °C 5 °C in °F", "can't be added up", "不能相加"),
        ("-300 °C in °F", "below absolute zero", "不能低于绝对零度"),
        ("1" * (MAX_EXPRESSION + 1), "at most 500 characters", "最多 500 个字符"),
    ],
)
async def test_what_cannot_be_worked_out_is_told_with_what_would_be_right(
    expression: str, english: str, chinese: str
) -> None:
    with pytest.raises(ToolError) as caught:
        await calculate(expression)
    assert english in caught.value.say("en")
    assert chinese in caught.value.say("zh")


@pytest.mark.parametrize(
    "hostile",
    [
        "9**9**9**9",
        "(" * 10_000 + "1" + ")" * 10_000,
        "-" * 1_000_000 + "1",
        "9" * 1_000_000,
        "!".join(["450"] + [""] * 400),
        "*".join(["1e300"] * 80),
        "+".join(["sin(999999)"] * 40),
        "max(" * 100,
        "1/" * 249 + "3",
        "**0.5" * 99,
    ],
)
async def test_hostile_input_ends_soon(hostile: str) -> None:
    # CPU time, so that a busy machine makes no difference; the bound is some hundred times what these take.
    started = time.process_time()
    with contextlib.suppress(ToolError):
        await calculate(hostile)
    assert time.process_time() - started < 5


NUMBERS = st.decimals(-(10**9), 10**9, places=3)
OPERATORS = st.sampled_from(["+", "-", "*", "/"])


@st.composite
def sums(draw: st.DrawFn) -> tuple[str, Fraction | None]:
    """An expression in full brackets, and its value; None where it divides by zero."""
    text = str(draw(NUMBERS))
    value: Fraction | None = Fraction(text)
    for operator, number in draw(st.lists(st.tuples(OPERATORS, NUMBERS), max_size=8)):
        text = f"({text}){operator}({number})"
        other = Fraction(str(number))
        if value is None or (operator == "/" and other == 0):
            value = None
        else:
            value = {
                "+": lambda a, b: a + b,
                "-": lambda a, b: a - b,
                "*": lambda a, b: a * b,
                "/": lambda a, b: a / b,
            }[operator](value, other)
    return text, value


@given(sums())
def test_arithmetic_agrees_with_exact_fractions(made: tuple[str, Fraction | None]) -> None:
    text, value = made
    if value is None:
        with pytest.raises(ToolError):
            work_out(text)
        return
    found = work_out(text).value
    assert (found.number, found.exact) == (value, True)


@given(st.lists(st.integers(1, 10**6), min_size=2, max_size=6), st.data())
def test_without_brackets_products_bind_tighter(numbers: list[int], data: st.DataObject) -> None:
    operators = [data.draw(OPERATORS) for _ in numbers[1:]]
    text = str(numbers[0]) + "".join(f" {operator} {n}" for operator, n in zip(operators, numbers[1:], strict=True))
    total, term = Fraction(0), Fraction(numbers[0])
    for operator, n in zip(operators, numbers[1:], strict=True):
        if operator in "+-":
            total, term = total + term, Fraction(n if operator == "+" else -n)
        else:
            term = term * n if operator == "*" else term / n
    assert work_out(text).value.number == total + term


@given(st.fractions().filter(lambda f: f.denominator == 1) | st.decimals(-(10**20), 10**20, places=8).map(Fraction))
def test_an_exact_number_is_written_with_all_its_digits(number: Fraction) -> None:
    assert Fraction(write_exact(number)) == number


@given(st.sampled_from(sorted(UNITS)), st.sampled_from(sorted(UNITS)), st.fractions(0, 10**6))
def test_converting_there_and_back_changes_nothing(a: str, b: str, number: Fraction) -> None:
    source, target = UNITS[a], UNITS[b]
    if source.kind == target.kind:
        assert convert(convert(number, source, target), target, source) == number


@pytest.mark.parametrize("name", sorted(UNITS))
def test_every_spelling_of_a_unit_is_read(name: str) -> None:
    outcome = work_out(f"7 {name} in {name}")
    assert outcome.unit == UNITS[name]
    assert outcome.value.number == 7


PIECES = st.sampled_from(
    [*"0123456789.,+-*/%()!°^²=?的x ", "**", "//", "1e9", " in ", "km", "miles", "sqrt(", "log(", "of", "百分之", "加"]
)


@given(st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=40))
def test_any_text_is_worked_out_or_refused_in_a_sentence(text: str) -> None:
    try:
        assert isinstance(work_out(tidy(text)).value.number, Fraction)
    except ToolError as error:
        # Its fields fit the sentence in both languages.
        error.say("en"), error.say("zh")
