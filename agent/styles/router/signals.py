"""The words by which a question shows what it asks for, in English and Chinese. For templates
(`agent.styles.router.template`)."""

from __future__ import annotations

import re


def any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


# --- what is asked about a day

#: Asks for the date of something that has a name, a lunar date, or is counted from another date.
WHEN = any_of(r"(?<![a-z])(?:when|when's)(?![a-z])", "什么时候|啥时候|何时|什么时间|几时")
#: Asks for a date, whatever it is of.
DATE = any_of(
    r"(?<![a-z])(?:what|which|what's)(?: (?:is|was|are|will be))?(?: the)?(?: exact)? (?:date|day|dates)(?![a-z])",
    r"(?<![a-z])(?:date|dates) (?:of|for|on)(?![a-z])|D(?:'s)? dates?(?![a-z])",
    "哪一?[天日]|几月几|[几多少][号日]|日期|什么日子|是几月|哪几天",
)
WEEKDAY = any_of(
    r"days? of the week|weekday|(?<![a-z])(?:what|which|what's the) (?:week)?days?(?! of (?:the )?month)(?![a-z])",
    "星期几|周几|礼拜几",
)
LUNAR = any_of(
    r"(?<![a-z])lunar(?! (?:eclipse|landing|new|year|month))(?![a-z])",
    r"(?:traditional )?chinese (?:lunar )?(?:calendar|date)",
    "农历|阴历|旧历|夏历",
)
SOLAR = any_of(r"gregorian|solar (?:date|calendar)|western (?:calendar|date)", "公历|阳历|新历|西历")
ZODIAC = any_of(
    r"chinese (?:zodiac|animal|birth sign)|zodiac animal|zodiac year|animal (?:sign|year|zodiac)|animal of the year",
    r"(?:what|which)(?: zodiac)? animal|year of (?:the )?(?:what|which)|(?<!western )zodiac(?! (?:star )?sign)",
    "生肖|属相|属什么|属啥|属哪|什么属|属[鼠牛虎兔龙蛇马羊猴鸡狗猪]",
)
CONSTELLATION = any_of(
    r"constellation|horoscope|(?:star|sun|birth|astrological|astrology)[ -]sign|(?<!chinese )zodiac (?:star )?sign",
    "星座|什么座|啥座|哪个座",
)
FESTIVAL = any_of(
    r"(?<![a-z])(?:festivals?|holidays?|celebrat\w+)(?![a-z])", "什么节(?!气)|啥节|节日|哪些节(?!气)|过节|哪个节(?!气)"
)
TERM = any_of(r"(?<![a-z])solar terms?(?![a-z])", "节气")
TIME_OF_DAY = any_of(r"(?:what|which|exact|precise) (?:time|moment|hour)(?![a-z])", "几点|时刻|几时几分|具体时间")
CALENDAR = any_of(r"(?<![a-z])calendar(?![a-z])", "日历")
WEEKEND = any_of(r"(?<![a-z])weekend(?![a-z])", "周末")
YES_NO = any_of(r"^(?:so |and )?(?:is|was|will|does|did|are|do)(?![a-z])", "吗|是不是|是否|么$")
NEXT = any_of(r"(?<![a-z])(?:next|upcoming|following|coming)(?![a-z])", "下一?个|接下来|即将")

# --- what is asked about a year or a month

LEAP_YEAR = any_of(r"leap year", "闰年|平年")
LEAP_MONTH = any_of(r"leap month", "闰月|闰几|闰哪|有闰")
ZODIAC_YEAR = any_of(r"what year is|which year is", "什么年|啥年")
#: A year named by its animal.
ANIMAL_YEAR = re.compile(
    r"year of (?:the )?(?P<en>rat|mouse|ox|cow|bull|tiger|rabbit|hare|dragon|snake|horse|goat|sheep|ram|monkey"
    r"|rooster|chicken|cock|dog|pig|boar)s?(?![a-z])|(?P<zh>[鼠牛虎兔龙蛇马羊猴鸡狗猪])年"
)
#: In the order of `almanac.ZODIAC`.
ANIMALS_EN = (
    *({"rat", "mouse"}, {"ox", "cow", "bull"}, {"tiger"}, {"rabbit", "hare"}, {"dragon"}, {"snake"}),
    *({"horse"}, {"goat", "sheep", "ram"}, {"monkey"}, {"rooster", "chicken", "cock"}, {"dog"}, {"pig", "boar"}),
)

# --- how long

_UNITS_EN = "days?|weeks?|months?|years?|hours?|minutes?|seconds?|nights?"
_UNITS_ZH = "天|周|星期|礼拜|月|年|小时|钟头|分钟|秒钟?|晚"
DURATION = any_of(
    rf"how (?:many|much)(?: more| full| whole| total| calendar| exact)* (?:{_UNITS_EN}|time)(?![a-z])",
    r"how (?:long|far|soon)(?![a-z])",
    rf"(?:number|amount|count) of (?:{_UNITS_EN})",
    rf"(?<![a-z])(?:{_UNITS_EN}|time) (?:between|from|until|till|left|remaining|since|elapsed|passed)(?![a-z])",
    r"(?:difference|interval|gap|span|time|duration|length|distance|delta)(?: in \w+)? (?:between|from|of)(?![a-z])",
    r"D (?:minus|-) ?D",
    rf"countdown|count (?:down )?(?:the )?(?:{_UNITS_EN})",
    rf"(?:多少|几)个?(?:{_UNITS_ZH})|多少日(?!期)",
    "多久|多长时间|多长|天数|周数|时间差|时间间隔|时长|差多少|差几|相差|相隔|间隔|相距|倒计时|倒数",
)
#: Without one of these a single date doesn't tell which way to count.
DIRECTION = any_of(
    r"(?<![a-z])(?:until|till|til|to|before|left|remain|remains|remaining|away|countdown|from|since|ago|after|passed"
    r"|elapsed|gone|old|been|lived|alive|past|come|comes|arrive|arrives|due)(?![a-z])",
    "[离距到至还剩今才差]|再过|过去|过了|已经|倒计时|倒数|以来|[久天年月周时]了|之?前|之?后",
)
IN_PAST = any_of(
    r"(?<![a-z])(?:was|were|did|since|ago|elapsed|passed|after|gone|been|lived|alive|born|old|had)(?![a-z])",
    "过去|过了|已经|以来|至今|距今|迄今|出生|[久天年月周时]了|之?前",
)
AGE = any_of(r"how old|(?:my|his|her|their|the) age(?![a-z])|age of", "多大|几岁|多少岁|年龄|周岁|年纪")
INCLUSIVE = any_of(r"inclusive|including|included|both", "包括|包含|含|首尾|两端|头尾")
LEFT = any_of(
    r"(?<![a-z])(?:left|remain|remains|remaining|until the end|to go)(?![a-z])", "还剩|剩下|剩余|还有|剩|还差"
)
GONE = any_of(r"(?<![a-z])(?:passed|elapsed|gone|past|so far|already)(?![a-z])", "过去|过了|已经")
#: How long something lasts needs two dates.
LASTS = any_of(r"(?<![a-z])(?:last|lasts|lasted|take|takes|run|span|spans)(?![a-z])", "持续|历时|历经")
#: What may stand between two dates of an interval.
CONNECTS = any_of(r"(?<![a-z])(?:and|to|until|till|til|through|vs)(?![a-z])", "[到至和与跟~-]")
#: What may stand before the first of them.
OPENS = any_of(r"(?<![a-z])(?:between|from|since|starting)(?![a-z])", "从|自从|自|由")

_ASKED_UNIT = any_of(
    r"(?:how (?:many|much)(?: more| full| whole| total| exact)*|(?:number|amount|count) of|count the|and|or|,|in)"
    r" (?P<en>day|night|week|month|year|hour|minute|second)s(?![a-z])",
    r"(?:多少|几)个?(?P<zh>天|日|晚|周|星期|礼拜|月|年|小时|钟头|分钟|秒)",
)
_UNIT_NAMES = {
    "night": "day",
    "天": "day",
    "日": "day",
    "晚": "day",
    "周": "week",
    "星期": "week",
    "礼拜": "week",
    "月": "month",
    "年": "year",
    "小时": "hour",
    "钟头": "hour",
    "分钟": "minute",
    "秒": "second",
}


def asked_units(text: str) -> frozenset[str]:
    """The units (`year` to `second`) that a duration is asked in; empty when none is named."""
    named = (found["en"] or found["zh"] for found in _ASKED_UNIT.finditer(text))
    return frozenset(_UNIT_NAMES.get(name, name) for name in named)
