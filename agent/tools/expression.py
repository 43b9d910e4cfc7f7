"""Reads calculations as people write them, in English and Chinese, and works them out while reading.

A parser of its own, because percentages, units and Chinese operators are no Python, and nothing is ever evaluated but
what stands in this file. From the loosest: `+ -`, `* / // mod of 的`, signs, `**` (from the right), what follows a
number (`%`, `!`, `°`, `squared`), brackets and functions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from agent import texts
from agent.tools import exact
from agent.tools.exact import Value
from agent.tools.registry import ToolError
from agent.tools.tokens import SCALES, Token, tokens
from agent.tools.units import Unit, convert, unit

#: Brackets, powers and functions inside each other.
MAX_DEPTH = 40


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a calculation comes to."""

    value: Value
    #: Of the value; None for a plain number.
    unit: Unit | None
    #: Whether anything was worked out at all: a lone number is no calculation.
    worked: bool
    #: Operators, functions and postfixes that it used, each in its one spelling.
    used: frozenset[str]


_VALUES = ("number", "name")
_SIGNS = (Token("operator", "-"), Token("operator", "+"))
_FUNCTIONS: dict[str, tuple[range, Callable[..., Value]]] = {}


class _Parser:
    """Works out one expression."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self.used: set[str] = set()

    def all(self) -> Value:
        """The value of all the tokens."""
        value = self._sum()
        if self._at < len(self._tokens):
            raise self._unexpected()
        return exact.plain(value) if len(self._tokens) > 1 else value

    def quantity(self) -> tuple[Value, Unit]:
        """Numbers with units of one kind, in the first one's unit: 5 ft 11 in."""
        total, first = self._measure()
        while self._at < len(self._tokens):
            value, other = self._measure()
            if first.offset or other.offset or value.number < 0:
                raise ToolError(texts.CALC_ONE_UNIT)
            total = exact.add(total, Value(convert(value.number, other, first), value.exact))
            self.used.add("+")
        return total, first

    def _measure(self) -> tuple[Value, Unit]:
        value = self._term()
        token = self._peek()
        if token is None:
            raise ToolError(texts.CALC_UNIT_ALONE)
        if token.kind != "unit":
            raise self._unexpected()
        self._at += 1
        return Value(exact.plain(value).number, value.exact), unit(token.text)

    def _peek(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _take(self, *operators: str) -> str | None:
        token = self._peek()
        if token is None or token.kind != "operator" or token.text not in operators:
            return None
        self._at += 1
        if token.text not in "(),":
            self.used.add(token.text)
        return token.text

    def _unexpected(self) -> ToolError:
        token = self._peek()
        if token is None:
            return ToolError(texts.CALC_ENDS)
        if token.kind == "name":
            return ToolError(texts.CALC_NAME, name=token.text[:40], known=", ".join(sorted({*_FUNCTIONS, "pi", "e"})))
        return ToolError(texts.CALC_UNREADABLE, part=token.text[:40])

    def _sum(self) -> Value:
        value = self._term()
        while operator := self._take("+", "-"):
            value = exact.add(value, self._term(), 1 if operator == "+" else -1)
        return value

    def _term(self) -> Value:
        value = self._signed()
        while True:
            if operator := self._take("*", "/", "//", "mod", "of", "off", "的"):
                value = self._product(operator, value)
            elif self._is_remainder():
                self._at += 1
                self.used.add("mod")
                value = exact.modulo(value, self._signed())
            else:
                return value

    def _product(self, operator: str, value: Value) -> Value:
        other = self._signed()
        if operator == "*":
            return exact.multiply(value, other)
        if operator == "/":
            return exact.divide(value, other)
        if operator == "//":
            return exact.floor_divide(value, other)
        if operator == "mod":
            return exact.modulo(value, other)
        share, whole = (other, value) if operator == "的" and other.percent else (value, other)
        if not share.percent:
            raise ToolError(texts.CALC_SHARE)
        if operator == "off":
            return exact.add(whole, share, -1)
        result = exact.multiply(share, whole)
        return Value(result.number, result.exact, percent=whole.percent)

    def _is_remainder(self) -> bool:
        """17 % 5: a percent sign between two operands."""
        if self._peek() != Token("operator", "%") or self._at + 1 == len(self._tokens):
            return False
        after = self._tokens[self._at + 1]
        return after.kind in _VALUES or after.text == "("

    def _signed(self) -> Value:
        negative = False
        # A sign alone works nothing out: it doesn't count as used.
        while self._peek() in _SIGNS:
            negative ^= self._peek() == _SIGNS[0]
            self._at += 1
        value = self._power()
        return Value(-value.number, value.exact, value.percent, value.degrees) if negative else value

    def _power(self) -> Value:
        value = self._postfixed()
        if not self._take("**"):
            return value
        with_depth = self._deeper(self._signed)
        return exact.power(value, with_depth)

    def _deeper(self, read: Callable[[], Value]) -> Value:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ToolError(texts.CALC_DEEP, most=MAX_DEPTH)
        value = read()
        self._depth -= 1
        return value

    def _postfixed(self) -> Value:
        value = self._primary()
        while True:
            token = self._peek()
            if token is not None and token.kind == "scale":
                self._at += 1
                value = exact.multiply(value, Value(Fraction(SCALES[token.text])))
            elif self._is_remainder():
                return value
            elif operator := self._take("%", "!", "°", "^2", "^3", "的sqrt"):
                value = _postfix(operator, value)
            else:
                return value

    def _primary(self) -> Value:
        token = self._peek()
        if token is None:
            raise ToolError(texts.CALC_ENDS)
        if token.kind == "number":
            self._at += 1
            return Value(exact.bounded(Fraction(token.text)))
        if self._take("("):
            value = self._deeper(self._sum)
            self._close()
            return Value(value.number, value.exact, percent=value.percent, degrees=value.degrees)
        if self._take("sqrt"):
            return exact.square_root(self._deeper(self._postfixed))
        if token.kind != "name":
            raise self._unexpected()
        if token.text in ("pi", "π", "e"):
            self._at += 1
            return exact.E if token.text == "e" else exact.PI
        return self._call(token.text)

    def _close(self) -> None:
        if self._take(")"):
            return
        raise ToolError(texts.CALC_BRACKET) if self._peek() is None else self._unexpected()

    def _call(self, name: str) -> Value:
        if name not in _FUNCTIONS:
            raise self._unexpected()
        self._at += 1
        if not self._take("("):
            raise ToolError(texts.CALC_CALL, name=name)
        args = [self._deeper(self._sum)]
        while self._take(","):
            args.append(self._deeper(self._sum))
        self._close()
        counts, function = _FUNCTIONS[name]
        if len(args) not in counts:
            raise ToolError(texts.CALC_ARGS, name=name, least=counts[0], most=counts[-1], given=len(args))
        self.used.add(name)
        return function(*args)


def _postfix(operator: str, value: Value) -> Value:
    if operator == "%":
        share = exact.divide(value, Value(Fraction(100)))
        return Value(share.number, share.exact, percent=True)
    if operator == "!":
        return exact.factorial(value)
    if operator == "°":
        return Value(exact.plain(value).number, value.exact, degrees=True)
    if operator == "的sqrt":
        return exact.square_root(value)
    return exact.power(value, Value(Fraction(int(operator[1:]))))


def _whole(function: Callable[[Fraction], int]) -> Callable[[Value], Value]:
    return lambda a: Value(Fraction(function(exact.plain(a).number)), a.exact)


def _round(a: Value, digits: Value | None = None) -> Value:
    """To so many places after the point; a half goes away from zero, as at school."""
    places = exact.plain(digits).number if digits else Fraction(0)
    if places.denominator != 1 or abs(places) > 100:
        raise ToolError(texts.CALC_DOMAIN, name="round")
    step = Fraction(10) ** int(places)
    whole = (abs(exact.plain(a).number) * step + Fraction(1, 2)).__floor__()
    return Value((whole if a.number > 0 else -whole) / step, a.exact)


def _log(a: Value, base: Value | None = None) -> Value:
    return exact.logarithm(a, base or Value(Fraction(10)))


def _pick(choose: Callable[..., Value]) -> Callable[..., Value]:
    return lambda *args: choose(args, key=lambda a: exact.plain(a).number)


_ONE, _MANY = range(1, 2), range(1, 51)
_FUNCTIONS.update(
    {
        "sqrt": (_ONE, exact.square_root),
        "abs": (_ONE, lambda a: Value(abs(exact.plain(a).number), a.exact)),
        "round": (range(1, 3), _round),
        "floor": (_ONE, _whole(lambda number: number.__floor__())),
        "ceil": (_ONE, _whole(lambda number: number.__ceil__())),
        "min": (_MANY, _pick(min)),
        "max": (_MANY, _pick(max)),
        "log": (range(1, 3), _log),
        "ln": (_ONE, lambda a: exact.logarithm(a, exact.E)),
        "log10": (_ONE, lambda a: exact.logarithm(a, Value(Fraction(10)))),
        "log2": (_ONE, lambda a: exact.logarithm(a, Value(Fraction(2)))),
        "exp": (_ONE, exact.exponential),
        "sin": (_ONE, exact.sine),
        "cos": (_ONE, exact.cosine),
        "tan": (_ONE, exact.tangent),
        "factorial": (_ONE, exact.factorial),
    }
)


def work_out(text: str) -> Outcome:
    """What a tidy text comes to. Raises `ToolError`, which says what would be right."""
    found = tokens(text.rstrip(" =?.。").removesuffix("等于多少").removesuffix("是多少").removesuffix("等于几"))
    if not found:
        raise ToolError(texts.CALC_EMPTY)
    into = len(found) - 2
    if len(found) >= 3 and found[-1].kind == "unit" and found[into].kind == "into":
        parser = _Parser(found[:into])
        value, source = parser.quantity()
        target = unit(found[-1].text)
        number = exact.bounded(convert(value.number, source, target))
        return Outcome(Value(number, value.exact), target, True, frozenset(parser.used | {"unit"}))
    if any(token.kind == "unit" for token in found):
        raise ToolError(texts.CALC_UNIT_ALONE)
    parser = _Parser(found)
    value = parser.all()
    return Outcome(value, None, bool(parser.used), frozenset(parser.used))
