"""Arithmetic on exact fractions, and functions whose values are rounded to 50 digits. Everything is bounded in size."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from fractions import Fraction

from agent import texts
from agent.tools.registry import ToolError

#: Bits of a numerator or denominator: about 1,200 decimal digits. Keeps every operation far below a millisecond.
MAX_BITS = 4000
MAX_EXPONENT = 1000
#: 450! just fits `MAX_BITS`.
MAX_FACTORIAL = 450
#: Angles, in radians. Beyond, the 50 digits of pi would no longer reach for the result.
_MAX_ANGLE = 10**6
#: Significant digits of results that can't be exact.
DIGITS = 12
_WORK = Context(prec=50, Emax=5000, Emin=-5000, traps=[InvalidOperation, DivisionByZero, Overflow])
_PI = Fraction("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899")
_E = Fraction("2.71828182845904523536028747135266249775724709369995957496696762772407663035354759")
#: What is left of a difference of rounded numbers below this part of them is rounding.
_NOISE = Fraction(1, 10**35)


@dataclass(frozen=True, slots=True)
class Value:
    """A number on its way through a calculation."""

    number: Fraction
    exact: bool = True
    #: Written as a percentage, for example 15%: adding it to a number means a part of that number.
    percent: bool = False
    #: An angle in degrees.
    degrees: bool = False


PI, E = Value(_PI, exact=False), Value(_E, exact=False)


def bounded(number: Fraction) -> Fraction:
    """The number itself. Raises `ToolError` when it is too large or too finely divided."""
    if max(number.numerator.bit_length(), number.denominator.bit_length()) > MAX_BITS:
        raise _too_big()
    return number


def _too_big() -> ToolError:
    return ToolError(texts.CALC_TOO_BIG, exponent=MAX_EXPONENT)


def plain(value: Value) -> Value:
    """The value where it may not be an angle."""
    if value.degrees:
        raise ToolError(texts.CALC_DEGREES)
    return value


def add(a: Value, b: Value, sign: int = 1) -> Value:
    """a + b, or a - b with the sign -1. A percentage is one of `a`, unless `a` is a percentage, too."""
    plain(a), plain(b)
    share = b.number * a.number if b.percent and not a.percent else b.number
    exact = a.exact and b.exact
    result = bounded(a.number + sign * share)
    if not exact and abs(result) < max(abs(a.number), abs(share)) * _NOISE:
        result = Fraction(0)
    return Value(result, exact, percent=a.percent and b.percent)


def multiply(a: Value, b: Value) -> Value:
    plain(a), plain(b)
    return Value(bounded(a.number * b.number), a.exact and b.exact)


def divide(a: Value, b: Value) -> Value:
    plain(a), plain(b)
    if b.number == 0:
        raise ToolError(texts.CALC_ZERO)
    return Value(bounded(a.number / b.number), a.exact and b.exact)


def floor_divide(a: Value, b: Value) -> Value:
    quotient = divide(a, b)
    return Value(Fraction(math.floor(quotient.number)), quotient.exact)


def modulo(a: Value, b: Value) -> Value:
    """The remainder, with the sign of `b`, as Python has it."""
    return add(a, Value(multiply(b, floor_divide(a, b)).number, b.exact), -1)


def power(a: Value, b: Value) -> Value:
    plain(a), plain(b)
    base, exponent, exact = a.number, b.number, a.exact and b.exact
    if exponent.denominator == 1:
        size = max(base.numerator.bit_length(), base.denominator.bit_length())
        if abs(exponent) > MAX_EXPONENT or (size > 1 and (size - 1) * abs(exponent) > MAX_BITS):
            raise _too_big()
        if base == 0 and exponent < 0:
            raise ToolError(texts.CALC_ZERO)
        return Value(bounded(base**exponent.numerator), exact)
    if exponent == Fraction(1, 2):
        return square_root(a)
    if base < 0 or (base == 0 and exponent < 0):
        raise ToolError(texts.CALC_DOMAIN, name="**")
    return _rounded(lambda: _WORK.power(_decimal(base), _decimal(exponent)), "**")


def square_root(a: Value) -> Value:
    number = plain(a).number
    if number < 0:
        raise ToolError(texts.CALC_DOMAIN, name="sqrt")
    root = Fraction(math.isqrt(number.numerator), math.isqrt(number.denominator))
    if root * root == number:
        return Value(root, a.exact)
    return _rounded(lambda: _WORK.sqrt(_decimal(number)), "sqrt")


def factorial(a: Value) -> Value:
    number = plain(a).number
    if number.denominator != 1 or not 0 <= number <= MAX_FACTORIAL:
        raise ToolError(texts.CALC_FACTORIAL, most=MAX_FACTORIAL)
    return Value(Fraction(math.factorial(int(number))), a.exact)


def logarithm(a: Value, base: Value) -> Value:
    number, to = plain(a).number, plain(base).number
    if number <= 0 or to <= 0 or to == 1:
        raise ToolError(texts.CALC_DOMAIN, name="log")
    found = _rounded(lambda: _WORK.divide(_WORK.ln(_decimal(number)), _WORK.ln(_decimal(to))), "log")
    whole = round(found.number)
    exact = a.exact and base.exact and abs(whole) <= MAX_BITS and abs(found.number - whole) < _NOISE
    if exact and abs(whole) * to.numerator.bit_length() <= 2 * MAX_BITS and to**whole == number:
        return Value(Fraction(whole))
    return found


def exponential(a: Value) -> Value:
    number = plain(a).number
    if number == 0:
        return Value(Fraction(1), a.exact)
    return _rounded(lambda: _WORK.exp(_decimal(number)), "exp")


def sine(a: Value) -> Value:
    return _circle(a, _sine, (Fraction(0), Fraction(1, 2), Fraction(1)))


def cosine(a: Value) -> Value:
    return _circle(a, lambda angle: _sine(angle + _PI / 2), (Fraction(0), Fraction(1, 2), Fraction(1)))


def tangent(a: Value) -> Value:
    below = cosine(a)
    if abs(below.number) < _NOISE:
        raise ToolError(texts.CALC_DOMAIN, name="tan")
    return _circle(a, lambda angle: _sine(angle) / below.number, (Fraction(0), Fraction(1)))


def _circle(a: Value, function: Callable[[Fraction], Fraction], rational: tuple[Fraction, ...]) -> Value:
    """A function of an angle. Of angles that are a rational number of degrees only the values `rational`, with either
    sign, are rational (Niven's theorem); those are exact."""
    angle = a.number * _PI / 180 if a.degrees else a.number
    if abs(angle) > _MAX_ANGLE:
        raise ToolError(texts.CALC_ANGLE, most=_MAX_ANGLE)
    result = function(angle)
    for known in rational:
        if abs(abs(result) - known) < _NOISE:
            return Value(known if result > 0 else -known, a.exact and (a.degrees or angle == 0))
    return Value(result, exact=False)


def _sine(angle: Fraction) -> Fraction:
    """By its series, after reduction to at most half a turn."""
    x = _decimal(angle - 2 * _PI * round(angle / (2 * _PI)))
    term = total = x
    square = _WORK.multiply(x, x)
    k = 1
    while term.copy_abs() > Decimal("1e-55"):
        term = _WORK.divide(_WORK.multiply(term.copy_negate(), square), Decimal((k + 1) * (k + 2)))
        total = _WORK.add(total, term)
        k += 2
    return Fraction(total)


def _decimal(number: Fraction) -> Decimal:
    return _WORK.divide(Decimal(number.numerator), Decimal(number.denominator))


def _rounded(compute: Callable[[], Decimal], name: str) -> Value:
    try:
        return Value(bounded(Fraction(compute())), exact=False)
    except Overflow:
        raise _too_big() from None
    except InvalidOperation:
        raise ToolError(texts.CALC_DOMAIN, name=name) from None


def terminates(number: Fraction) -> bool:
    """Whether it has a finite decimal expansion."""
    rest = number.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def write_exact(number: Fraction) -> str:
    """All digits of a number with a finite decimal expansion."""
    if number.denominator == 1:
        return str(number.numerator)
    digits = number.denominator.bit_length()
    scaled = number * 10**digits
    text = f"{abs(scaled.numerator):0{digits + 1}d}"
    sign = "-" if number < 0 else ""
    return f"{sign}{text[:-digits]}.{text[-digits:]}".rstrip("0").rstrip(".")


def write_rounded(number: Fraction) -> str:
    """To `DIGITS` significant digits, with a power of ten where zeros would fill the line."""
    context = Context(prec=DIGITS, rounding=ROUND_HALF_EVEN, Emax=99999, Emin=-99999)
    value = context.divide(Decimal(number.numerator), Decimal(number.denominator)).normalize(context)
    if value == 0:
        return "0"
    return f"{value:f}" if -9 <= value.adjusted() < 21 else f"{value:e}"
