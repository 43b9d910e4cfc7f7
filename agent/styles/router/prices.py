"""What so many of a thing cost when the price of one is told, in Chinese: 一瓶水2.5元，买12瓶多少钱."""

from __future__ import annotations

import re
from fractions import Fraction

from agent import texts
from agent.styles.base import ToolCall
from agent.styles.router import leads
from agent.styles.router import sum_words as say
from agent.styles.router.amounts import Amounts
from agent.styles.router.routes import Route
from agent.tools.exact import terminates, write_exact
from agent.tools.units import convert, unit

#: What the price of one may be told of; the number asked for must have the same.
_COUNTED = "(?P<measure>[个只瓶杯本件条双张支盒包袋箱份碗台部套根颗串罐桶块])"
_COST = "[^,.AQX]{0,6}(?:多少钱|多少元|几块钱?|多少块钱?|几元钱?)$"
_THING = "[^,.AQX]{0,8}"
#: 一瓶水2.5元，买12瓶多少钱; 2.5元一瓶，12瓶多少钱
_OF_ONE = tuple(
    re.compile(f"{told}[,.]?{_THING}X(?P=measure){_COST}")
    for told in (f"[一每]{_COUNTED}{_THING}A", f"A/?[一每]{_COUNTED}{_THING}")
)
#: 苹果一斤6元，3斤多少钱; 苹果6元一斤，3斤多少钱
_OF_QUANTITY = re.compile(f"(?:Q{_THING}A|A/?Q)[,.]?{_THING}Q{_COST}")
_EVERY = re.compile(f"每(?={_COUNTED})|一双|双(?=[鞋袜筷])|(?<=X)双")
_TRAILING = re.compile(r"[?？!.。,，= ]+$")


def price_of_many(amounts: Amounts) -> Route | None:
    """The cost of an amount at a price; None where that isn't certain."""
    text = _TRAILING.sub("", amounts.text.replace("B", "A"))
    if say.CHANGES.search(_EVERY.sub("", text)) or any(
        pattern.search(text) for pattern in (say.OFF, say.TIP, say.TAX, say.UP, say.DOWN)
    ):
        return None
    kinds = amounts.kinds().replace("B", "A")
    price = next((amount for amount in amounts.of("A", "B")), None)
    if kinds == "AX" and any(pattern.search(text) for pattern in _OF_ONE) and amounts.found[1].number:
        return _route(f"{amounts.found[0].number} * {amounts.found[1].number}", amounts)
    if kinds not in ("AQQ", "QAQ") or price is None or not _OF_QUANTITY.search(text):
        return None
    told, asked = amounts.of("Q")
    if "°" in (told.unit, asked.unit) or told.more or asked.more or Fraction(told.number) <= 0:
        return None
    source, target = unit(asked.unit), unit(told.unit)
    if source.kind != target.kind or source.offset:
        return None
    times = convert(Fraction(asked.number), source, target)
    if not terminates(times):
        return None
    each = price.number if Fraction(told.number) == 1 else f"{price.number} / {told.number}"
    return _route(f"{each} * {write_exact(times)}", amounts)


def _route(expression: str, amounts: Amounts) -> Route:
    money = next((amount.money for amount in amounts.of("A", "B")), None)
    return Route(ToolCall("calculator", {"expression": expression}), leads.sum_of(texts.LEAD_TOTAL, money))
