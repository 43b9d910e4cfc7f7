"""Questions that ask for an amount in another unit: "I'm 5'11\", how tall is that in cm?", 120平米的房子是多少平方英尺.

The one quantity of the question is a `Q` (`amounts`), units without a number become `U`. The question must end in one
of the ways in which people ask for a unit; what stands before is told, and may be anything that has no number.
"""

from __future__ import annotations

import re

from agent.styles.base import ToolCall
from agent.styles.router.amounts import LATIN_UNIT, SEVERAL_HAN_UNIT, SINGLE_HAN_UNIT, Amount, Amounts
from agent.styles.router.routes import Route
from agent.styles.router.words import is_question
from agent.tools.expression import work_out
from agent.tools.registry import ToolError
from agent.tools.units import TEMPERATURE, UNITS, unit

_BARE_UNIT = re.compile(
    rf"(?:(?:degrees?|deg|°) )?(?P<latin>(?:(?<=in )|(?<=to )|(?<=into )|(?<=as )|(?<=many )|(?<=much )|(?<![a-z'])"
    rf"(?![a-z](?![a-z]))){LATIN_UNIT})|(?P<han>{SEVERAL_HAN_UNIT}|(?<=[少几个成为转用按换]){SINGLE_HAN_UNIT})",
    re.IGNORECASE,
)

_IT = r"(?:that|it|this|these|those|they)"
_OF = r"(?:(?:a |an |the |my |your )?Q(?: (?![a-z]*ing(?![a-z]))[a-z]{2,15}){0,3}?)"
_THING = rf"(?:{_IT}|{_OF})"
_HOW = r"how (?:much|far|long|tall|heavy|hot|cold|warm|cool|big|large|fast|high|deep|wide|thick|old|light|small)"
_ABOUT = r"(?: (?:about|roughly|approximately|exactly|around))?"
_INTO = r"(?:in|to|into|as)(?: terms of)?"
_WHAT_IS = r"(?:what is |what's |what are |find |calculate |work out )?"
_CONVERTED = (
    r"(?: (?:be|(?:if |when )?(?:it is |it's )?(?:converted|expressed|equal|equivalent)|come|work out|conversion))?"
)

#: How a question may end that asks for a quantity in a unit.
_EN = (
    (
        rf"(?:what|{_HOW})(?: is| are| was| were|'s|'re| will| would)?(?: be)?{_ABOUT}"
        rf" (?:(?:the |its )?[a-z]{{3,12}}(?: of)? )?{_THING}{_CONVERTED} {_INTO} U"
    ),
    (
        rf"(?:what|{_HOW})(?: (?:does|do|would|will|about))? {_THING}"
        rf"(?: (?:be|convert|translate|come|work out|equal|equate|weigh|measure|mean|run|make))? {_INTO} U"
    ),
    rf"(?:what|{_HOW})(?: is|'s)? (?:the )?[a-z]{{3,12}} in U (?:of|for) {_OF}",
    (
        rf"how (?:many|much){_ABOUT} U(?:'s)?(?: is| are| was| were| would| does| do|'s|'re)?(?: there)?(?: be)?"
        rf"(?: in| to)? {_THING}(?: be| make| equal| come to| weigh| measure| have| contain)?"
    ),
    rf"how (?:many|much) U (?:make|makes|make up|equal|equals|go into|fit in|fit into|to) {_OF}",
    rf"(?:convert|change|turn|translate|express|put|switch|give)(?: me)?(?: {_THING})? {_INTO} U",
    rf"{_WHAT_IS}{_OF}{_CONVERTED} (?:{_INTO}|=|->) U",
    rf"{_OF} (?:is|are|equals?|makes?|=)(?: (?:to|about|equal to))? (?:how many|how much|what in|\?|what)(?: in)? U",
    rf"{_WHAT_IS}(?:the )?U (?:equivalent |value )?(?:of|for) {_OF}",
    rf"what(?: is| are|'s) {_THING} (?:in )?U",
    r"(?:what|how much|how many|how about)(?: is| are|'s)?(?: that| it)? in U|in U",
    r"how (?:many|much) U",
)
_ENDS = (
    r"(?: (?:exactly|roughly|approximately|approx|about|instead|then|equivalent|conversion|units?|temperature|scale))*"
)

_SO_ZH = "(?:大概|大约|约|差不多|具体|到底|究竟|一共|总共|也就是|就|那么?|这|它|又|应该|会|能|的话|请问|我?想?知道|,)*+"
_IS_ZH = (
    "(?:等于|相当于|折合成?|换算成|换算为|换算|转换成|转换为|转换|转成|转为|换成|变成|合"
    "|是|有|为|算|=|到|转|化成|大概|大约|约|,)*+"
)
_INTO_ZH = (
    "(?:换算成|换算为|换算到|换算|转换成|转换为|转化成|转化为|转换|转成|转为|换成|折合成|折合|折算成|化成|转|换|变成)"
)
_ZH = (
    rf"{_SO_ZH}{_IS_ZH}(?:多少|几)个?U",
    rf"{_SO_ZH}{_INTO_ZH}U(?:是|等于|有|为)?(?:多少|几)?度?",
    (
        rf"{_SO_ZH}(?:用|按|以|是|换)?U(?:表示|来说|计算|计|来表示|来算|的话|怎么说)*+(?:应该|大概|大约|又)*+"
        "(?:是|等于|就是|合|有)?(?:多少度?|几度|怎么说|怎么表示)"
    ),
    "(?:多少|几)U(?:是|等于|才是|相当于|合)Q",
)

_SURELY_EN = tuple(re.compile(rf"(?:^|(?<=[ ,.;:!?(-]))(?:{form}){_ENDS}$") for form in _EN)
_SURELY_ZH = tuple(re.compile(rf"{form}$") for form in _ZH)
#: What may stand between a quantity and such an ending in Chinese: what it is a quantity of, and a pause.
_SETTLED_ZH = re.compile(
    r"(?:Q(?:的?(?![的还])[^\W\da-zA-Z后前以之内过一两几还再每各共剩差圈次趟跑走]{1,6})?[,.;:!。 ]*|^)"
    r"(?:[把将])?$|^[^Q]*$"
)
#: A difference of temperatures is no temperature, and metres squared are no metres.
_DIFFERENCE = re.compile(
    r"(?<![a-z])(?:r[io]se[ns]?|rising|drop(?:s|ped)?|fell|falls?|increas\w*|decreas\w*|differ\w*|warmer|colder|hotter"
    r"|cooler|higher|lower(?:ed)?|changed?|swing|range|gap|gained?|lost|apart|warmed|cooled|up by|down by)(?![a-z])"
    r"|[升降]|温差|[相差高低热冷暖凉]了?Q|相差|变化"
)
_MANIFOLD = re.compile(
    r"(?<![a-z])(?:half (?:of|the|as)|third|quarter of|twice|double|triple|times|percent|more than|less than)(?![a-z])"
    "|[半倍%]|分之"
)
_POWER = re.compile(
    r"Q ?(?:squared|cubed|square|cubic|by|x|\*|×|\+|/|per(?![a-z]))|Q的?[平立]方|(?:square|cubic|平方|立方)Q"
)
#: 码 is a yard, and on a speedometer kilometres per hour.
_DOUBTFUL = frozenset({"码"})
#: Bits or bytes: their case, which tells, is lost here. Plain conversions keep it (`sums`).
_CASELESS = frozenset({"b", "kb", "mb", "gb"})
_ROADS = frozenset({"公里", "千米", "英里"})
_TRAILING = re.compile(r"[?？!.。 ]+$")


def conversion(amounts: Amounts) -> Route | None:
    """The quantity of a question in the unit that it asks for; None where that isn't certain."""
    if amounts.kinds() != "Q":
        return None
    quantity = amounts.found[0]
    text, units = _bare_units(_TRAILING.sub("", amounts.text))
    for pattern in (*_SURELY_EN, *_SURELY_ZH):
        if found := pattern.search(text):
            told = text[: found.start()]
            if ("Q" in told) == ("Q" in found[0]) or is_question(told):
                continue
            if _MANIFOLD.search(told) or (pattern in _SURELY_ZH and not _SETTLED_ZH.search(told)):
                continue
            into = units[text[: found.end()].count("U") - 1 - found[0][found[0].rindex("U") + 1 :].count("U")]
            return _convert(quantity, into, amounts.text)
    return None


def _bare_units(text: str) -> tuple[str, list[str]]:
    """The text with `U` for each unit that has no number, and those units."""
    units: list[str] = []

    def mark(match: re.Match[str]) -> str:
        units.append(match["latin"] or match["han"])
        return "U"

    return _BARE_UNIT.sub(mark, text), units


def _convert(quantity: Amount, into: str, text: str) -> Route | None:
    target, name = UNITS.get(into) or unit(into), quantity.unit
    if name == "°":
        # Only two scales are counted in degrees: who asks for one of them has the other.
        other = {"°C": "°F", "°F": "°C"}.get(target.name.en)
        if other is None:
            return None
        name = other
    source = unit(name)
    if source.kind != target.kind or source == target or into in _CASELESS or _POWER.search(text):
        return None
    if source.kind == TEMPERATURE and _DIFFERENCE.search(text):
        return None
    if (name in _DOUBTFUL and into in _ROADS) or (into in _DOUBTFUL and name in _ROADS):
        return None
    source_text = f"{quantity.number} {name}{quantity.more}"
    expression = f"{source_text} in {into}" if into.isascii() else f"{source_text}等于多少{into}"
    try:
        work_out(expression)
    except ToolError:
        return None
    return Route(ToolCall("calculator", {"expression": expression}))
