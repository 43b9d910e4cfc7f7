"""Everyday sums: tips, discounts, taxes, bills that are split, raises, percentages of and between amounts.

Sentences before the question may tell the amounts. A rule fires where the question has exactly the amounts that it
needs (`amounts`), asks for exactly one thing, and has no word that could change the sum: "already",
"each", 第二件, 满减.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from agent import texts
from agent.language import Text
from agent.styles.base import ToolCall
from agent.styles.router import leads
from agent.styles.router import sum_words as say
from agent.styles.router.amounts import Amount, Amounts
from agent.styles.router.leads import Lead
from agent.styles.router.routes import Route
from agent.styles.router.signals import any_of
from agent.styles.router.words import is_question
from agent.tools.expression import work_out
from agent.tools.registry import ToolError


@dataclass(frozen=True, slots=True)
class _Question:
    """A question with its amounts, cut into what it tells and what it asks."""

    text: str
    told: str
    asked: str
    amounts: Amounts
    is_chinese: bool
    #: Whether a word asks; without one only a few phrases say what is wanted, such as "18% tip on $50".
    is_asked: bool = True

    @property
    def sum(self) -> Amount:
        """The only amount of money, or the only plain number."""
        return self.amounts.of("A", "B")[0]

    def share(self, percent: str) -> str:
        """A part of the amount, as the calculator reads it."""
        return f"{self.sum.number} * {percent}%" if self.is_chinese else f"{percent}% of {self.sum.number}"


def everyday_sum(amounts: Amounts) -> Route | None:
    """The sum that a question asks for; None where that isn't certain."""
    question = _cut(amounts)
    if question is None or _doubtful(question):
        return None
    make = {"AP": _percent, "AZ": _price, "AH": _split, "AHP": _split, "AA": _compared}.get(
        "".join(sorted(_same_things(amounts).replace("B", "A")))
    )
    return make(question) if make else None


def _same_things(amounts: Amounts) -> str:
    """The letters of the amounts; `AA` for two of the same unit or two numbers of people, which can be compared."""
    kinds = amounts.kinds()
    if kinds == "QQ" and amounts.found[0].unit == amounts.found[1].unit != "°":
        return "AA"
    return "AA" if kinds == "HH" else kinds


_ASKS_EN = re.compile(
    r"(?<![a-z])(?:(?:so |and )?(?:by |at |for |to )?(?:how (?:much|many)|what(?:'s|s)?|which)"
    r"|calculate|work out|compute|find)(?![a-z])"
)
_ASKS_ZH = re.compile(
    "(?:多少|几)(?:个?百分点|块钱?|元钱?|钱|元|块|人民币|美元|美金|欧元|成)?(?:的?(?:小费|税))?(?:才对|合适)?$"
    "|什么价(?:格|钱)?$|啥价(?:格|钱)?$|(?:比例|百分比|占比|[涨跌降增]幅|增长率)(?:是多少|多少)?$"
)
_TRAILING = re.compile(r"[?？!.。,，= ]+$")


_YES_OR_NO = re.compile(
    r"(?:is|are|was|were|am|do|does|did|should|shall|can|could|would|will|has|have|why|who|where)(?![a-z])"
)
_BARE_ASK_ZH = re.compile(
    "(?:那|大概|应该|一共|总共|要付?|得付?|就|是|等于|需要|该|合)*+(?:多少|几)(?:块钱?|元钱?|钱|元|块)?"
)


def _last_clause(text: str, end: int) -> int:
    return max(text.rfind(mark, 0, end) for mark in ",.;:!?。") + 1


def _cut(amounts: Amounts) -> _Question | None:
    text = _TRAILING.sub("", amounts.text.replace("B", "A"))
    if _same_things(amounts) == "AA":
        text = re.sub("[HQ]", "A", text)
    if re.search("[\u4e00-\u9fff]", text):
        found = _ASKS_ZH.search(text)
        if found is None:
            return None
        start = _last_clause(text, found.start())
        if start and _BARE_ASK_ZH.fullmatch(text[start:]):  # "给12%小费,是多少" asks with both
            start = _last_clause(text, start - 1)
        return _Question(text, text[:start], text[start:], amounts, is_chinese=True)
    if _YES_OR_NO.match(text):
        return None
    starts = [match.start() for match in _ASKS_EN.finditer(text)]
    start = starts[0] if starts else 0
    return _Question(text, text[:start], text[start:], amounts, is_chinese=False, is_asked=bool(starts))


#: What is said with these changes nothing.
_HARMLESS = any_of(
    r"before (?:the )?(?:tip|tax)(?![a-z])|(?<=P off )(?:coupon|voucher)(?![a-z])",
    "一双|百分(?=之[几多])|(?:税|小费|打折|折扣)之?前(?=A)|不含税(?:价格?|金额)?(?=[是为:]?A)|(?<!A)满分",
)


def _doubtful(question: _Question) -> bool:
    """Whether a word says that there is more to it than the amounts."""
    text = _HARMLESS.sub(" ", question.text)
    if question.amounts.of("H"):
        text = say.EACH.sub(" ", text)
    if say.CHANGES.search(text) or is_question(question.told):
        return True
    return not question.is_chinese and _has_strangers(question.asked)


def _has_strangers(asked: str) -> bool:
    """Whether an English question has a word without meaning here that isn't the name of a thing ("the red shoes")."""
    before = ("", "")
    for word in re.findall(r"[a-z][a-z'-]*|[A-Z]", asked.replace("'s ", " ")):
        first, second = before
        if second == "A":  # "a $60 sweater"
            names_a_thing = first in say.ARTICLES
        else:
            names_a_thing = second in say.DETERMINERS or (first in say.DETERMINERS and second not in say.KNOWN_EN)
        if len(word) > 1 and word not in say.KNOWN_EN and not names_a_thing:
            return True
        before = (second, word)
    return False


def _percent(question: _Question) -> Route | None:
    """An amount of money and a percentage."""
    if say.PERCENT_ASKED.search(question.text):
        return None
    about = [make for pattern, make in _ABOUT if pattern.search(question.text)]
    if len(about) > 1:
        return None
    return (about[0] if about else _part)(question)


_EXTRA = r"(?:tip|gratuity|tax|vat|gst|service charge)"
_PART_EN = re.compile(
    r"(?:how much|what)(?:'s|s)?(?: (?:is|was|are|would|will|should|of a))?(?: be)?(?: the| a| an| my)?(?: good)?"
    rf"(?: ?P)?(?: sales)? {_EXTRA}(?! (?:included|total))"
    r"|(?:should|do|would|must|can|shall|will) (?:i|we|you|one) (?:tip|leave)"
    rf"|(?:for|as|of|in) (?:a |the )?{_EXTRA}"
    rf"|(?:^|(?<=the )|(?<=a )|(?<=an ))(?: ?P )?(?:sales )?{_EXTRA} (?:on|for|of|at)"
    rf"|P (?:sales )?{_EXTRA}$|^tip P"
)
#: The percentage must be said of the tip or the tax: "I spent 20%. How much is the tip?" doesn't say so.
_TIED = re.compile(
    rf"P[^,.;:!?]{{0,20}}{_EXTRA}|{_EXTRA}[^.;:!?]{{0,30}}P|(?<![a-z])(?:leave|tip|tipping|give)[^,.;:!?]{{0,14}}P"
    r"|(?:tip|tax|vat|gst): ?P|P[^,.;]{0,6}(?:小费|税|服务费)|(?:小费|税|服务费)[^,.;]{0,8}P"
)
_PART_ZH = re.compile(
    r"(?:小费|服务费|税[费款额金]?)[^,]{0,8},?[是要得]?(?:多少|几)|(?:多少|几)(?:块钱?|元钱?|钱|元)?的?(?:小费|税)|P的?(?:小费|[^,]{0,3}税)"
)


def _tip(question: _Question) -> Route | None:
    return _part_or_total(question, texts.LEAD_TIP)


def _service(question: _Question) -> Route | None:
    return _part_or_total(question, texts.LEAD_PART)


def _tax(question: _Question) -> Route | None:
    if re.search(r"(?<![a-z])(?:salary|income|wages?|earn\w*|refund)(?![a-z])|工资|收入|薪", question.text):
        return None  # there a tax is taken away, and in steps
    return _part_or_total(question, texts.LEAD_TAX)


def _part_or_total(question: _Question, lead: Text) -> Route | None:
    """A tip or a tax alone, or together with its amount."""
    if (
        say.INCLUDED.search(_HARMLESS.sub("", question.told))
        or say.OFF.search(question.text)
        or say.ORIGINAL.search(_HARMLESS.sub("", question.asked))
    ):
        return None
    if not _TIED.search(question.text):
        return None
    percent = question.amounts.of("P")[0].number
    is_part = bool((_PART_ZH if question.is_chinese else _PART_EN).search(question.asked))
    is_total = bool(say.TOTAL.search(question.asked) or _ADDED.search(question.asked))
    is_part = is_part and not _ADDED.search(question.asked)
    if question.is_chinese and is_part and not is_total and say.TOTAL.search(question.told):
        return None
    if is_total and question.is_asked and (not is_part or question.is_chinese or _WHOLE.search(question.asked)):
        return _route(question, f"{question.sum.number} + {percent}%", texts.LEAD_TOTAL)
    if _SAID.search(question.told) and _WHAT.fullmatch(question.asked):
        is_part = True  # "I want to tip 20%, how much is that?"
    if not is_part or re.search(r"(?<![a-z])with (?:an? |the )?P", question.told):
        return None  # "it was $60 with a 20% tip": before or after it?
    return _route(question, question.share(percent), lead)


_ADDED = re.compile(r"A (?:plus|\+|and|with|including) (?:an? |the )?P")
_SAID = re.compile(r"(?:(?<![a-z])(?:tip|leave)(?: an?)? ?P(?: tip)?|P tip)[,.;:! ]*(?:so |and )?$")
_WHAT = re.compile(r"(?:so |and )?(?:how much|what)(?:'s|s| is| would| will)?(?: be)?(?: that| it)?(?: be)?")
_WHOLE = re.compile(r"(?<![a-z])(?:total|altogether|in all|overall|all together)(?![a-z])")
_PAYS = any_of(
    r"^(?:so |and )?(?:how much|what)(?![a-z])(?! (?:is|was) the (?:discount|percentage))",
    r"(?:多少钱?|多少元|几块钱?|几元|价|多少块钱?)$",
)


def _off(question: _Question) -> Route | None:
    """20% off: the price that is left, or what is saved."""
    percent = question.amounts.of("P")[0].number
    return _reduced(question, Fraction(100) - Fraction(percent))


def _price(question: _Question) -> Route | None:
    """7折, half price."""
    if say.TIP.search(question.text) or say.TAX.search(question.text):
        return None
    return _reduced(question, Fraction(question.amounts.of("Z")[0].number))


def _reduced(question: _Question, paid: Fraction) -> Route | None:
    if say.REDUCED.search(question.told) or say.ORIGINAL.search(question.asked) or not 0 <= paid <= 100:
        return None
    if re.search("[后完](?:是|只要|为|卖|价)?:?A", question.text):
        return None
    if say.MORE.search(question.asked):
        return None
    if say.SAVED.search(question.asked):
        return _route(question, question.share(_written(100 - paid)), texts.LEAD_SAVED)
    if not _PAYS.search(question.asked) and not re.fullmatch(
        r"(?:P|Z) (?:off|discount)(?: (?:of|on|for))? A", question.text
    ):
        return None
    if question.is_chinese:
        return _route(question, question.share(_written(paid)), texts.LEAD_PRICE)
    return _route(question, f"{_written(100 - paid)}% off {question.sum.number}", texts.LEAD_PRICE)


def _written(number: Fraction) -> str:
    return str(number.numerator) if number.denominator == 1 else str(float(number))


def _beside_percentage(pattern: re.Pattern[str]) -> re.Pattern[str]:
    return re.compile(rf"(?:{pattern.pattern})[^.;!?]{{0,20}}P|P[^,.;!?]{{0,20}}(?:{pattern.pattern})")


#: The percentage must be that of the rise or the fall.
_RISES, _FALLS = _beside_percentage(say.UP), _beside_percentage(say.DOWN)


def _up(question: _Question) -> Route | None:
    return _moved(question, "+", _RISES)


def _down(question: _Question) -> Route | None:
    return _moved(question, "-", _FALLS)


def _moved(question: _Question, sign: str, said: re.Pattern[str]) -> Route | None:
    """An amount that goes up or down by a percentage: the new amount, or the difference."""
    if (
        not said.search(question.text)
        or say.ORIGINAL.search(question.asked)
        or re.search(r"(?<![a-z])(?:to|after|now|became|reached?) A|[到至达成后]了?A|现在[是为]?A|比", question.text)
    ):
        return None
    percent = question.amounts.of("P")[0].number
    if (say.SAVED if sign == "+" else say.MORE).search(question.asked):
        return None
    if (say.MORE if sign == "+" else say.SAVED).search(question.asked):
        return _route(question, question.share(percent), texts.LEAD_DIFFERENCE)
    if not question.is_chinese and not question.asked.startswith(("how much", "what", "so ", "and ", "calculate")):
        return None
    return _route(question, f"{question.sum.number} {sign} {percent}%", texts.LEAD_AFTERWARDS)


_PART = any_of(
    r"^(?:so |and )?(?:(?:how much|what)(?: is| are| would|'s|s)(?: be)?|calculate|work out|find) ?P (?:of|from) ",
    r"^P of A$",
    "P(?:大概|应该|就)?(?:是|等于|有|为|合)?(?:多少|几)(?:钱|元|块钱?|元钱)?$",
)


def _part(question: _Question) -> Route | None:
    """15% of an amount."""
    if not _PART.search(question.asked):
        return None
    return _route(question, question.share(question.amounts.of("P")[0].number), texts.LEAD_PART)


_ABOUT = ((say.TIP, _tip), (say.TAX, _tax), (say.SERVICE, _service), (say.OFF, _off), (say.UP, _up), (say.DOWN, _down))


def _split(question: _Question) -> Route | None:
    """A bill among people, perhaps with a tip."""
    text = question.text
    people = question.amounts.of("H")[0].number
    if (
        not say.SPLIT.search(text)
        or say.AND_ME.search(text)
        or Fraction(people) < 2
        or Fraction(people).denominator != 1
    ):
        return None
    if not (
        say.EACH.search(question.asked)
        or say.SPLIT.search(question.asked)
        or re.search(r"(?:i|we) (?:pay|owe)", question.asked)
    ):
        return None
    if say.TAX.search(text) or say.OFF.search(text) or say.UP.search(text) or say.DOWN.search(text):
        return None
    percent = question.amounts.of("P")
    if bool(percent) != bool(say.TIP.search(text)) or (percent and say.INCLUDED.search(question.text)):
        return None
    whole = f"({question.sum.number} + {percent[0].number}%)" if percent else question.sum.number
    return _route(question, f"{whole} / {people}", texts.LEAD_EACH)


_OF_WHOLE = any_of(
    r"A (?:is )?(?:out )?of (?:a total of )?A|(?:is|are|was) A(?: out)? of A",
    r"A (?:is|are|was) (?:what|how many) (?:percent(?:age)?|%) of A",
    r"A分?[^,A]{0,6}(?:占|是|除以)[^,A]{0,6}A|A分?,?满分[是为]?A",
)
_OF_PART = any_of(
    r"(?:percent(?:age)?|%) of A (?:is|are|was|would be|makes?) A",
    r"(?:out of|of) A,? (?:i |we |he |she )?(?:got|scored|is|are|was) A",
    r"A(?:里面?|中|之中|当中)[^,A]{0,8}A[^A]{0,6}占|满分[是为]?A分?,[^,A]{0,6}(?:考|得|拿)了?A",
)
_FROM_TO = any_of(
    r"from A to A|A to A|(?<![a-z])was A[^A]{0,24}(?<![a-z])(?:is|now|today)[^A]{0,8}A",
    "从?[^,A]{0,4}A[^,A]{0,8}(?:[涨升增降跌减变成到至为][了]?)A"
    "|(?:去年|上个?月|以前|原来|昨天|上次|之前)[^,A]{0,6}A[^,A]{0,2},(?:今年|这个?月|本月|现在|今天|这次)[^,A]{0,6}A",
)
_NOW_AND_THEN = any_of(
    r"(?<![a-z])is A[^A]{0,24}(?<![a-z])was[^A]{0,8}A",
    "(?:今年|这个?月|本月|现在|今天|这次)[^,A]{0,6}A[^,A]{0,2},(?:去年|上个?月|以前|原来|昨天|上次|之前)[^,A]{0,6}A",
)


def _compared(question: _Question) -> Route | None:
    """What percentage one amount is of another, or by how much it changed."""
    first, second = question.amounts.found
    if (first.money and second.money and first.money != second.money) or not say.PERCENT_ASKED.search(question.asked):
        return None
    text = question.text
    if any(pattern.search(text) for pattern in (say.TIP, say.TAX, say.OFF)):
        return None
    moves = say.UP.search(text) or say.DOWN.search(text) or say.CHANGE_ASKED.search(text)
    if moves:
        if _NOW_AND_THEN.search(text):
            first, second = second, first
        elif not _FROM_TO.search(text):
            return None
        return _route(question, f"({second.number} - {first.number}) / {first.number} * 100", texts.LEAD_PERCENT)
    part, whole = (second, first) if _OF_PART.search(text) else (first, second)
    if not _OF_PART.search(text) and not _OF_WHOLE.search(text):
        return None
    return _route(question, f"{part.number} / {whole.number} * 100", texts.LEAD_PERCENT)


def _route(question: _Question, expression: str, lead: Text) -> Route | None:
    try:
        work_out(expression)
    except ToolError:
        return None
    return Route(ToolCall("calculator", {"expression": expression}), _lead(question, lead))


def _lead(question: _Question, lead: Text) -> Lead:
    money = next((amount.money for amount in question.amounts.of("A", "B") if amount.money is not None), None)
    return leads.sum_of(lead, None if lead is texts.LEAD_PERCENT else money)
