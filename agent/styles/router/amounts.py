"""Finds the amounts in a question: money, percentages, quantities with a unit, numbers of people.

As with dates (`template`), letters take their places: the rules for conversions and for everyday sums see
"dinner was A for the table, how much is an P tip?". A number that is none of these becomes an `X`, and a text with an
`X` has no rule: a number that isn't understood may be what matters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from agent.language import Text
from agent.styles.router.text import EN_NUMBER_WORD, chinese_number, english_number, lower, simplify
from agent.tools.exact import terminates, write_exact
from agent.tools.registry import ToolError
from agent.tools.tokens import tidy
from agent.tools.units import UNITS, unit

#: Money, a plain number, a percentage, a share to pay (7折, half price), a quantity with a unit, a number of people, a
#: number that can't be read.
Kind = Literal["A", "B", "P", "Z", "Q", "H", "X"]


@dataclass(frozen=True, slots=True)
class Amount:
    """One number of a question, with what it counts."""

    kind: Kind
    #: As the calculator reads it.
    number: str = ""
    #: The unit of a `Q`, as the calculator reads it; `°` where only "degrees" is said.
    unit: str = ""
    #: What follows the first unit: 11 in, of 5 ft 11 in.
    more: str = ""
    #: How sums of this money are written, with `{}` for the number; None for other amounts.
    money: Text | None = None


@dataclass(frozen=True, slots=True)
class Amounts:
    """A question with letters in the place of its amounts."""

    #: Lower case but for the letters; no spaces beside Chinese.
    text: str
    #: In the order of their letters.
    found: tuple[Amount, ...]

    def kinds(self) -> str:
        """The letters in order, for example `AP`."""
        return "".join(amount.kind for amount in self.found)

    def of(self, *kinds: Kind) -> tuple[Amount, ...]:
        return tuple(amount for amount in self.found if amount.kind in kinds)


_FRACTIONS: dict[str, str | int | None] = {
    "½": "1/2",
    "¼": "1/4",
    "¾": "3/4",
    "⅓": "1/3",
    "⅔": "2/3",
    "⅛": "1/8",
    "⅜": "3/8",
    "⅝": "5/8",
    "⅞": "7/8",
}
_FRACTION = re.compile(f"(?<=[0-9])(?=[{''.join(_FRACTIONS)}])")
_QUOTES = str.maketrans({"’": "'", "‘": "'", "′": "'", "“": '"', "”": '"', "″": '"'})

_HAN_NUMBER = "[零〇一二两三四五六七八九十百千]"
_HAN_DIGIT = "[零〇一二三四五六七八九]"
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,])|\d+(?:\.\d+)?|(?<!\d)\.\d+)"
_SMALL_UNITS = "mile|cup|pound|gallon|inch|teaspoon|tablespoon|hour|kilo|lit(?:er|re)|pint|ounce|acre"
_VALUE = re.compile(
    r"(?P<half_price>(?<![a-z])half[ -](?:price|off)(?![a-z])|半价|打?对折)"
    r"|(?P<junk>\d[\d.,]*(?:[/:.-]\d[\d.]*){2,}|\d+:\d[\d:]*|\d{4}[-/]\d+|\d[\d.]*[-~]\d[\d.]*"
    r"|(?<=[a-z])\d[\d.,]*|(?:no\.?|number|version|page|room|size|第) ?\d+)"
    r"|(?P<sign>(?<![\w.)-])-(?=[\d.])|(?<![a-z])(?:minus|negative) (?=[\d.])|零下|负(?=[\d零一二三四五六七八九十]))?"
    r"(?P<scale_of>华氏|摄氏)?(?:(?P<money>(?<![a-z])(?:us)?\$|[€£¥]|(?<![a-z])(?:rmb|usd|eur|cny)(?![a-z])) ?)?"
    r"(?:"
    r"""(?P<feet>[1-9])' ?(?P<inches>\d{1,2}(?![\d'])(?:\.\d+)?)?(?:"|'')?(?![a-z\d])"""
    r"|(?:(?P<whole>\d{1,4})(?: and | |-))?(?P<top>\d{1,3})/(?P<bottom>[1-9]\d{0,2})(?![\d/.])"
    rf"|百分之(?P<share>{_NUMBER}|{_HAN_NUMBER}+(?:点{_HAN_DIGIT}+)?)"
    rf"|(?P<digits>{_NUMBER})(?: ?(?P<size>thousand|million|billion|k|万|亿|千(?![克米瓦卡焦])|百))?"
    rf"|(?<![a-z])(?P<english>{EN_NUMBER_WORD})(?P<half_more> and a half)?(?![a-z])"
    r"|(?<![a-z])(?P<half>half|(?:an? )?quarter|three[ -]quarters)"
    rf"(?: (?:an?|of an?)(?= )|(?= (?:{_SMALL_UNITS})(?![a-z])))"
    rf"|(?P<han>{_HAN_NUMBER}+(?:点{_HAN_DIGIT}+)?[万亿]?|半)"
    r")",
    re.IGNORECASE,
)
_SIZES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "k": 10**3}
_SIZES |= {"万": 10**4, "亿": 10**8, "千": 10**3, "百": 10**2}

_DOLLARS, _EUROS, _POUNDS = Text("${}", "{} 美元"), Text("€{}", "{} 欧元"), Text("£{}", "{} 英镑")
_YUAN, _YEN = Text("¥{}", "{} 元"), Text("¥{}", "{} 日元")
_CURRENCIES = {
    **dict.fromkeys(("$", "us$", "usd", "us dollar", "us dollars", "dollar", "dollars", "buck", "bucks"), _DOLLARS),
    **dict.fromkeys(("美元", "美金", "刀"), _DOLLARS),
    **dict.fromkeys(("€", "eur", "euro", "euros", "欧元"), _EUROS),
    **dict.fromkeys(("£", "gbp", "quid", "英镑"), _POUNDS),
    **dict.fromkeys(("¥", "rmb", "cny", "yuan", "元", "块", "块钱", "元钱", "人民币", "元人民币"), _YUAN),
    **dict.fromkeys(("日元", "jpy", "yen"), _YEN),
}
#: Of something that can be counted in pieces 块 is no money: 3块蛋糕.
_IS_MONEY = "(?=[,，.。!?？、 打的加涨降减平分按一再共,给付交收和跟除乘需税ap]|$|小费)"
_MONEY_AFTER = re.compile(
    r" ?(?P<money>(?:us )?dollars?|bucks?|usd|euros?|eur|quid|gbp|yuan|rmb|cny|yen|jpy)(?![a-z])"
    rf"|(?P<han>元人民币|元钱?|块钱|人民币|美元|美金|欧元|英镑|日元|刀(?!具|片)|块{_IS_MONEY})(?!/)",
    re.IGNORECASE,
)
_PERCENT_AFTER = re.compile(r"[ -]?(?:%|(?:percent|per cent|pct)(?! points?)(?![a-z])|个百分点(?!.))", re.IGNORECASE)
_DISCOUNT_AFTER = re.compile("折(?!叠|扣|合|算|成)")
_PEOPLE_AFTER = re.compile(
    r"[ -](?:people|persons?|ppl|ways?|guests|diners|friends|roommates|housemates|flatmates|colleagues|coworkers"
    r"|of us|adults|guys)(?![a-z])|个?人(?![民均])|位(?![数置])|个(?:朋友|同学|同事|室友|小伙伴|兄弟)",
    re.IGNORECASE,
)
#: Spellings that only stand for a unit right after a number.
_NOT_ALONE = {"平": "平方米", "平方": "平方米", "立方": "立方米", "个小时": "小时", "里路": "里", "里地": "里"}
_LATIN_UNITS = sorted((name for name in UNITS if name.isascii() and name != "in"), key=lambda n: (-len(n), n))
_HAN_UNITS = sorted({*(n for n in UNITS if not n.isascii()), *_NOT_ALONE}, key=lambda n: (-len(n), n))
#: Latin units are no part of a longer word, nor of a compound unit such as km/l.
LATIN_UNIT = rf"(?<![a-z])(?:{'|'.join(map(re.escape, _LATIN_UNITS))})(?![a-z/²³^\d])"
SEVERAL_HAN_UNIT = rf"(?:{'|'.join(name for name in _HAN_UNITS if len(name) > 1)})(?!/)"
SINGLE_HAN_UNIT = rf"[{''.join(name for name in _HAN_UNITS if len(name) == 1)}](?!/)"
#: Chinese characters after which a unit's character is another word: 里面, 天气, 周末, 两个, 克拉, 节课.
_OTHER_WORD = "(?!里[面程头边外]|天[气空上]|周[年末岁]|两[个位件次人]|克拉|节[课日目]|码[头]|秒杀|米[饭粉]|升[级高])"
_UNIT_AFTER = re.compile(
    rf"(?P<and_half>个半(?=[小钟星礼]))?[ -]?"
    rf"(?P<unit>{_OTHER_WORD}(?:{LATIN_UNIT}|{SEVERAL_HAN_UNIT}|{SINGLE_HAN_UNIT}))(?P<half>半(?!径))?",
    re.IGNORECASE,
)
_METRES_AFTER = re.compile(rf"米(?P<part>\d{{1,2}}|{_HAN_DIGIT}{{1,2}})(?![\d.,多几十百厘公分个]|{_HAN_DIGIT})")
_RUN_AFTER = re.compile(r"k(?= (?:runs?|races?|walks?|jog)(?![a-z]))", re.IGNORECASE)
_INCH_AFTER = re.compile(r" ?in(?=$|[,.;?!]| (?:to|in|into|as|=|->|is|equals)(?![a-z]))", re.IGNORECASE)
_DEGREES_AFTER = re.compile(r" ?(?:°|度|degrees?(?![a-z])|deg(?![a-z]))(?P<scale>华氏|摄氏)?", re.IGNORECASE)
#: What may follow a plain number that is an amount. Before a noun it counts something.
_PLAIN_AFTER = re.compile(
    r" ?(?:$|[,，.;；:：!?？、()=]"
    r"|(?:and|with|before|plus|at|for|tip|bill|meal|on|off|then|in total|is|was|to|of|out|as|by|from|into"
    r"|what|how|after|between|among|split|it|that|so|i|we|gr[eo]w\w*|increase[sd]?|rose|went|goes|decrease[sd]?|fell|drops?)(?![a-z])"
    r"|[打的加涨降减按再除平分占是到和与里中变增跌升跟给付交有在换算等于合]|的|(?=百分之)|(?=[两二三四五六七八九十]个?人))",
    re.IGNORECASE,
)


#: What may stand before it.
_PLAIN_BEFORE = re.compile(
    r"(?:^|[,，.。;；:：!！?？(=]|(?<![a-z])(?:is|was|are|were|be|costs?|priced?|bill|totals?|for|of|at|on|from|to|off|and"
    r"|out|between|split|divide|tip|than|by|amount|salary|rent|check|tab|percent|percentage|scored?|scores|got|get|sold"
    r"|saved|spent|have|has|had|earned|earns?|paid|pay|made|now|what|into|in|add)"
    r"|[考得拿花付]了|个月|[去今]年|[昨今]天|现在|原来|[以之]前|[上这]次"
    r"|[租餐饭票账价格钱资薪单费花考得分是为的和与占里从到卖要共把将给比在涨降少加付款额入金])[:： ]*$"
)


def read(question: str) -> Amounts | None:
    """The amounts of a question; None where it has characters that lose their meaning."""
    marked = _FRACTION.sub(" ", question).translate(str.maketrans(_FRACTIONS)).translate(_QUOTES)
    try:
        text = simplify(tidy(marked))
    except ToolError:
        return None
    low = lower(text)
    pieces: list[str] = []
    found: list[Amount] = []
    at = 0
    while match := _VALUE.search(text, at):
        amount, end = _amount(match, text, low)
        pieces += [low[at : match.start()], low[match.start() : end] if amount is None else amount.kind]
        if amount is not None:
            found.append(amount)
        at = end
    return _join(Amounts("".join([*pieces, low[at:]]), tuple(found)))


def _amount(match: re.Match[str], text: str, low: str) -> tuple[Amount | None, int]:
    """The amount that begins with this number, and where it ends; None for a numeral that is part of a word."""
    end = match.end()
    if match["junk"]:
        return Amount("X"), end
    if match["feet"]:
        return Amount("Q", match["feet"], "ft", f" {match['inches']} in" if match["inches"] else ""), end
    if match["half_price"]:
        return Amount("Z", "50"), end
    number = _value(match)
    written = write_exact(number) if terminates(number) else f"({number.numerator}/{number.denominator})"
    if match["sign"]:
        written = f"-{written}"
    if match["share"]:
        return Amount("P", written), end
    if after := _PERCENT_AFTER.match(text, end):
        return Amount("P", written), after.end()
    if after := _DISCOUNT_AFTER.match(text, end):
        return _of_price(number), after.end()
    if match["scale_of"]:
        after = _DEGREES_AFTER.match(text, end)
        return Amount("Q", written, f"{match['scale_of']}度"), after.end() if after else end
    if match["money"]:
        return Amount("A", written, money=_CURRENCIES[match["money"].strip().casefold()]), end
    if (match["size"] or "").casefold() == "k":  # 5k may be a run, and 300 K a temperature
        end = match.end("digits")
    if (after := _MONEY_AFTER.match(text, end)) and not match["sign"]:
        return Amount("A", written, money=_CURRENCIES[(after["money"] or after["han"]).casefold()]), after.end()
    if after := _METRES_AFTER.match(text, end):  # 1米75, 一米八
        return Amount("Q", f"{written}.{chinese_number(after['part'])}", "米"), after.end()
    if (after := _PEOPLE_AFTER.match(text, end)) and match["han"] != "一":
        return Amount("H", written), after.end()
    return _measured(match, number, written, text, low, end)


def _measured(
    match: re.Match[str], number: Fraction, written: str, text: str, low: str, end: int
) -> tuple[Amount | None, int]:
    han = match["han"] or ""
    if len(han) > 1 and han.endswith("两"):  # 二两
        return Amount("Q", str(chinese_number(han[:-1])), "两"), end
    if after := _RUN_AFTER.match(text, end):
        return Amount("Q", written, "km"), after.end()
    if (after := _UNIT_AFTER.match(text, end)) and after["unit"] != "k":
        name = _NOT_ALONE.get(after["unit"], after["unit"])
        if after["half"] or after["and_half"]:
            written = write_exact(number + Fraction(1, 2)) if terminates(number) else ""
        return Amount("Q" if written else "X", written, name), after.end()
    if after := _INCH_AFTER.match(text, end):
        return Amount("Q", written, "in"), after.end()
    if after := _DEGREES_AFTER.match(text, end):
        return Amount("Q", written, f"{after['scale']}度" if after["scale"] else "°"), after.end()
    if (han and (len(han) == 1 or han == "十分")) or match["english"] in ("one", "One"):
        return None, end
    is_amount = _PLAIN_AFTER.match(text, end) and _PLAIN_BEFORE.search(low[max(0, match.start() - 20) : match.start()])
    return Amount("B" if is_amount and not match["sign"] else "X", written), end


def _value(match: re.Match[str]) -> Fraction:
    if match["top"]:
        return Fraction(match["whole"] or 0) + Fraction(int(match["top"]), int(match["bottom"]))
    if match["digits"]:
        size = (match["size"] or "").casefold()
        if size == "k" and not match["money"]:
            size = ""
        return Fraction(match["digits"].replace(",", "")) * _SIZES.get(size, 1)
    if match["english"]:
        return english_number(match["english"].casefold()) + Fraction(1 if match["half_more"] else 0, 2)
    if match["half"] or match["han"] == "半":
        part = match["half"] or ""
        return Fraction(1, 2) if "quarter" not in part else Fraction(3 if part.startswith("three") else 1, 4)
    written = match["share"] or match["han"]
    size = _SIZES[written[-1]] if written[-1] in "万亿" else 1
    whole, _, digits = written.rstrip("万亿").partition("点")
    number = Fraction(whole.replace(",", "")) if whole[0] in "0123456789." else Fraction(chinese_number(whole))
    if digits:
        number += Fraction(chinese_number(digits), 10 ** len(digits))
    return number * size


def _of_price(number: Fraction) -> Amount:
    """7折, 8.5折, 85折, 八五折: the part of the price that is paid, as a percentage."""
    if not 0 < number < 100 or number == 10 or (number > 10 and number.denominator > 1):
        return Amount("X")
    return Amount("Z", write_exact(number * 10 if number < 10 else number))


_TOGETHER = re.compile("Q(?:,? ?(?:and )?|又|零|加)Q")


def _join(amounts: Amounts) -> Amounts:
    """5 ft 11 in and 1小时30分钟 are one quantity each."""
    found = list(amounts.found)
    text = amounts.text
    at = 0
    while match := _TOGETHER.search(text, at):
        index = len(re.findall("[ABPZQHX]", text[: match.start()]))
        first, second = found[index], found[index + 1]
        if not _goes_on(first, second):
            at = match.end() - 1
            continue
        more = f"{first.more} {second.number} {second.unit}"
        found[index : index + 2] = [Amount("Q", first.number, first.unit, more)]
        text = f"{text[: match.start()]}Q{text[match.end() :]}"
        at = match.start()
    return Amounts(text, tuple(found))


def _goes_on(first: Amount, second: Amount) -> bool:
    if "°" in (first.unit, second.unit) or second.more or second.number.startswith("-"):
        return False
    large, small = unit(first.unit), unit(second.unit)
    return large.kind == small.kind and large.factor > small.factor and not (large.offset or small.offset)
