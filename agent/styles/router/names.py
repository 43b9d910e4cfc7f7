"""Days that have a name: festivals and solar terms, what people call them, and when they fall."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from agent.language import Text
from agent.tools import almanac, almanac_names


@dataclass(frozen=True, slots=True)
class NamedDay:
    """A festival or a solar term."""

    name: Text
    #: As the calendar lists it among festivals or terms; "" where it doesn't.
    key: str
    is_term: bool
    #: The day in a solar year; None where that year has none, or is outside the checked range.
    on: Callable[[int], date | None]


def _fixed(month: int, day: int) -> Callable[[int], date | None]:
    return lambda year: date(year, month, day)


def _nth_weekday(month: int, nth: int, weekday: int) -> Callable[[int], date | None]:
    """The n-th weekday (0 is Monday) of a month."""

    def on(year: int) -> date | None:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))

    return on


def _lunar(month: int, day: int) -> Callable[[int], date | None]:
    """The first such lunar date inside the solar year: the twelfth month may begin before it."""

    def on(year: int) -> date | None:
        found = (almanac.from_lunar(lunar_year, month, day) for lunar_year in (year - 1, year))
        return next((day for day in found if day is not None and day.year == year), None)

    return on


def _eve(year: int) -> date | None:
    return almanac.last_day_of_lunar_year(year - 1)


def _term(name: str) -> Callable[[int], date | None]:
    def on(year: int) -> date | None:
        if not almanac.FIRST_YEAR <= year <= almanac.LAST_YEAR:
            return None
        return almanac.solar_terms(year)[almanac.TERMS.index(name)].when.date()

    return on


def _either(*patterns: str) -> str:
    return "|".join(patterns)


def _easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar, by the anonymous algorithm (Nature, 20 April 1876)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e, g = b // 4, b % 4, (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = c // 4, c % 4
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


#: Chinese name in the calendar, when, and patterns of what people call it. Where a name means different days to
#: different people (Labor Day, 万圣节, plain "National Day" and "Teachers' Day" in English) it is left out.
_FESTIVALS: tuple[tuple[str, Callable[[int], date | None], str], ...] = (
    ("元旦节", _fixed(1, 1), r"(?<!chinese )(?<!lunar )new year(?:'?s? day)?(?!'?s?'? eve)|元旦节?|阳历新年|公历新年"),
    ("情人节", _fixed(2, 14), r"(?<!chinese )(?:saint |st\.? )?valentine'?s?'? day|(?<!白色)(?<!中国)情人节"),
    ("妇女节", _fixed(3, 8), r"(?:international )?women'?s'? day|(?:三八)?妇女节|三八节|女神节"),
    ("植树节", _fixed(3, 12), r"(?:china|chinese)(?:'s)? arbor day|植树节"),
    ("消费者权益日", _fixed(3, 15), r"(?:world )?consumer rights day|(?:国际)?消费者权益(?:保护)?日"),
    ("愚人节", _fixed(4, 1), r"april fools?'?s?'?(?: day)?|愚人节"),
    (
        "劳动节",
        _fixed(5, 1),
        r"(?:international )?workers'? day|may day|五一(?:国际)?(?:劳动)?节?(?!月)|(?:国际)?劳动节",
    ),
    ("青年节", _fixed(5, 4), r"(?:china|chinese)(?:'s)? youth day|五四(?:青年)?节|(?<!国际)青年节"),
    ("儿童节", _fixed(6, 1), r"international children'?s'? day|(?:六一|国际)?儿童节"),
    ("建党节", _fixed(7, 1), r"(?:七一)?建党节"),
    ("建军节", _fixed(8, 1), r"(?:八一)?建军节"),
    ("教师节", _fixed(9, 10), r"(?:china|chinese)(?:'s)? teachers?'?s?'? day|teachers?'?s?'? day in china|教师节"),
    (
        "国庆节",
        _fixed(10, 1),
        _either(
            r"(?:china|chinese|prc)(?:'s)? national day|national day (?:of|in) (?:the )?(?:china|prc)",
            "(?:中国)?国庆节?",
        ),
    ),
    ("万圣节前夜", _fixed(10, 31), r"hallowe'?en|万圣节?前夕|万圣节?前夜|万圣夜"),
    ("光棍节", _fixed(11, 11), r"singles'?s? day|double eleven|光棍节|双十一|双11"),
    ("平安夜", _fixed(12, 24), r"christmas eve|平安夜"),
    ("圣诞节", _fixed(12, 25), r"christmas(?: day)?|xmas(?: day)?|圣诞节?"),
    ("母亲节", _nth_weekday(5, 2, 6), r"(?<!uk )(?<!british )mother'?s'? day|母亲节"),
    ("父亲节", _nth_weekday(6, 3, 6), r"father'?s'? day|父亲节"),
    (
        "感恩节",
        _nth_weekday(11, 4, 3),
        r"(?:u\.?s\.? |american )?(?<!canadian )thanksgiving(?: day)?|(?<!加拿大)感恩节",
    ),
    (
        "春节",
        _lunar(1, 1),
        _either(
            r"(?:chinese|lunar)(?: lunar)? new year(?:'?s? day)?(?!'?s? eve)|spring festival",
            "春节|大年初一|农历新年|农历年初一|中国(?:农历)?(?:新年|年)|过年",
        ),
    ),
    ("元宵节", _lunar(1, 15), r"lantern festival|元宵节?|上元节"),
    ("龙头节", _lunar(2, 2), r"longtaitou(?: festival)?|龙抬头|龙头节"),
    ("端午节", _lunar(5, 5), r"(?:dragon[ -]?boat|duan ?wu|double fifth)(?: festival)?(?: day)?|端午节?|端阳节?"),
    (
        "七夕节",
        _lunar(7, 7),
        r"qi ?xi(?: festival)?|double seventh(?: festival)?|chinese valentine'?s? day|七夕节?|中国情人节",
    ),
    ("中元节", _lunar(7, 15), r"(?:hungry )?ghost festival|zhong ?yuan festival|中元节?|鬼节"),
    (
        "中秋节",
        _lunar(8, 15),
        r"(?:mid[ -]?autumn|zhong ?qiu|moon ?cake|moon)(?: moon)? (?:festival|day)|mid[ -]?autumn|中秋节?",
    ),
    ("重阳节", _lunar(9, 9), r"(?:double ninth|chong ?yang)(?: festival)?|重阳节?"),
    ("腊八节", _lunar(12, 8), r"laba(?: festival)?|腊八节?"),
    (
        "除夕",
        _eve,
        _either(
            r"(?:chinese|lunar)(?: lunar)? new year'?s? eve|spring festival eve",
            r"eve of (?:the )?(?:chinese new year|spring festival)|(?:大年)?除夕(?:夜)?|大年三十|年三十",
        ),
    ),
    ("寒食节", lambda year: _day_before(_term("清明")(year)), r"cold food festival|寒食节?"),
)
_OTHERS: tuple[tuple[Text, Callable[[int], date | None], str], ...] = (
    (Text("New Year's Eve", "跨年夜"), _fixed(12, 31), r"(?<!chinese )(?<!lunar )new year'?s'? eve|跨年夜?|阳历除夕"),
    (
        Text("The end of the year", "年底"),
        _fixed(12, 31),
        r"(?:the )?end of (?:the |this )?year|(?:the )?end of(?= \d{4}(?!\d))|年底|年末",
    ),
    (Text("New Year's Day", "元旦节"), _fixed(1, 1), r"(?:the )?(?:start|beginning) of(?= \d{4}(?!\d))"),
    (Text("Easter Sunday", "复活节"), _easter, r"(?<!orthodox )easter(?: sunday| day)?(?! monday| egg)|复活节"),
    (Text("Good Friday", "耶稣受难日"), lambda year: _easter(year) - timedelta(days=2), "good friday|耶稣受难日"),
    (Text("Easter Monday", "复活节星期一"), lambda year: _easter(year) + timedelta(days=1), "easter monday"),
    (
        Text("Independence Day (United States)", "美国独立日"),
        _fixed(7, 4),
        r"fourth of july|(?:us|american) independence day",
    ),
)
_TERM_PATTERNS: dict[str, str] = {
    "小寒": r"xiao ?han|(?:minor|lesser|slight|small) cold",
    "大寒": r"da ?han|(?:major|greater|great|severe) cold",
    "立春": r"li ?chun|(?:start|beginning|commencement|onset) of spring",
    "雨水": r"yu ?shui|rain ?water",
    "惊蛰": r"jing ?zhe|awakening of (?:the )?insects|waking of (?:the )?insects|insects? awaken(?:s|ing)?",
    "春分": r"chun ?fen|(?:spring|vernal|march) equinox",
    "清明": r"qing ?ming(?: festival| day)?|tomb[ -]?sweeping(?: day| festival)?|pure brightness|clear and bright",
    "谷雨": r"gu ?yu|grain rain",
    "立夏": r"li ?xia|(?:start|beginning|commencement|onset) of summer",
    "小满": r"xiao ?man|grain (?:buds?|full|fills)|lesser fullness",
    "芒种": r"mang ?zhong|grain in (?:the )?ear",
    "夏至": r"xia ?zhi|(?:summer|june) solstice",
    "小暑": r"xiao ?shu|(?:minor|lesser|slight|small) heat",
    "大暑": r"da ?shu|(?:major|greater|great) heat",
    "立秋": r"li ?qiu|(?:start|beginning|commencement|onset) of (?:autumn|fall)",
    "处暑": r"chu ?shu|(?:end|limit) of heat",
    "白露": r"bai ?lu|white dew",
    "秋分": r"qiu ?fen|(?:autumn|autumnal|fall|september) equinox",
    "寒露": r"han ?lu|cold dew",
    "霜降": r"shuang ?jiang|frost'?s? descent|descent of frost|first frost",
    "立冬": r"li ?dong|(?:start|beginning|commencement|onset) of winter",
    "小雪": r"xiao ?xue|(?:minor|lesser|light|slight) snow",
    "大雪": r"da ?xue|(?:major|greater|heavy|great) snow",
    "冬至": r"dong ?zhi(?: festival)?|(?:winter|december) solstice",
}


def _day_before(day: date | None) -> date | None:
    return day - timedelta(days=1) if day else None


def _compile() -> tuple[tuple[re.Pattern[str], NamedDay], ...]:
    found: list[tuple[str, NamedDay]] = [
        (pattern, NamedDay(Text(almanac_names.FESTIVALS_EN[key], key), key, is_term=False, on=on))
        for key, on, pattern in _FESTIVALS
    ]
    found += [(pattern, NamedDay(name, "", is_term=False, on=on)) for name, on, pattern in _OTHERS]
    found += [
        (
            rf"{pattern}|{key}(?:节气|节)?",
            NamedDay(Text(almanac_names.TERMS_EN[key], key), key, is_term=True, on=_term(key)),
        )
        for key, pattern in _TERM_PATTERNS.items()
    ]
    # An English name is not part of a longer word; Chinese has no word boundaries.
    return tuple((re.compile(rf"(?<![a-z])(?:{pattern})(?![a-z])"), day) for pattern, day in found)


#: What to look for in normalised text (`agent.styles.router.text.normalise`).
NAMED_DAYS = _compile()
