"""Questions about days: when, which weekday, lunar date, zodiac animal, constellation, festivals."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date

from agent.styles.router import leads, signals
from agent.styles.router.dates import find, find_pair, lean_of
from agent.styles.router.leads import Lead
from agent.styles.router.patterns import Mention
from agent.styles.router.routes import Route, calendar, days
from agent.styles.router.template import Template
from agent.styles.router.words import asks_for_event, is_only
from agent.tools import almanac

#: What can be asked about one day, in the order in which it is answered.
_ASPECTS: tuple[tuple[re.Pattern[str], Lead], ...] = (
    (signals.WEEKDAY, leads.weekday),
    (signals.LUNAR, leads.lunar),
    (signals.CONSTELLATION, leads.constellation),
    (signals.ZODIAC, leads.zodiac),
    (signals.FESTIVAL, leads.festivals),
)
_SATURDAY, _SUNDAY = 5, 6


def one_day(template: Template) -> Route | None:
    """Any of these about one day."""
    mentions = template.of("D")
    if len(mentions) != 1 or template.of("Y") or template.of("M"):
        return None
    mention, text = mentions[0], template.text
    if template.of("W") or signals.WEEKEND.search(text):
        return _yes_or_no(template)
    asked = (*(pattern for pattern, _ in _ASPECTS), signals.WHEN, signals.DATE, signals.SOLAR, signals.CALENDAR)
    if not is_only(text, *asked):
        return None
    lead = _leads(mention, text)
    if lead is None or _may_be_lunar(mention, text):
        return None
    found = find(mention, template.now, lean_of(text, "next" if mention.named or mention.lunar else "this"))
    return calendar(found.iso, found.iso, lead) if found else None


#: "When is next Friday?"
_WHEN_IS = re.compile(r"when(?: is|'s) D ?\??")


def _may_be_lunar(mention: Mention, text: str) -> bool:
    """Whether the numbers of the date might be meant as a lunar date: then its row would be the wrong one."""
    if mention.lunar is not None or mention.named is not None or mention.relative:
        return False
    if _LUNAR_DATE.search(text):
        return True
    return bool(signals.LUNAR.search(text) and signals.SOLAR.search(text) and not _SOLAR_DATE.search(text))


_LUNAR_DATE = re.compile(
    r"lunar(?: (?:calendar|date|birthday|day|year))*(?: (?:is|was))? ?D|from (?:the )?lunar|lunar to"
    r"|(?:农历|阴历|旧历|夏历)[^,.?!]{0,6}D|(?:农历|阴历|旧历|夏历)(?:转|换|变)"
)
_SOLAR_DATE = re.compile(
    r"(?:gregorian|solar|western)(?: (?:calendar|date))* ?D|(?:公历|阳历|新历|西历)(?:日期)?的?D"
    r"|D ?\(?(?:的)?(?:公历|阳历|新历|gregorian)"
)


def _leads(mention: Mention, text: str) -> Lead | None:
    """The lines that answer; None where the question isn't one that the calendar answers."""
    is_named = mention.named is not None and mention.shift is None
    found = [lead for pattern, lead in _ASPECTS if pattern.search(text)]
    if leads.festivals in found and is_named and signals.WHEN.search(text):
        found.remove(leads.festivals)  # "when is it celebrated" asks for the day
    if leads.zodiac in found and mention.year is None and not is_named:
        return None  # a birthday without its year has no animal
    if leads.festivals in found and is_named:
        return None  # "what festival is 中秋节" asks for its meaning
    is_plain = not is_named and mention.lunar is None and mention.shift is None
    asked = (signals.DATE, signals.SOLAR) if is_plain else (signals.DATE, signals.SOLAR, signals.WHEN)
    wants_date = any(pattern.search(text) for pattern in asked)
    if is_plain and mention.relative and _WHEN_IS.fullmatch(text):
        wants_date = True
    if wants_date and not found and mention.shift is None and asks_for_event(text):
        return None
    if mention.lunar is not None and mention.shift is None and leads.lunar not in found:
        found = [leads.of_lunar_date, *(lead for lead in found if lead is not leads.weekday)]
    elif is_named and wants_date and mention.named is not None:
        found = [leads.the_date(mention.named.name), *(lead for lead in found if lead is not leads.weekday)]
    elif wants_date and not set(found) - {leads.weekday}:
        found = [leads.the_date(None)]
    if found:
        return leads.several(*found)
    return leads.the_date(None) if signals.CALENDAR.search(text) else None


def _yes_or_no(template: Template) -> Route | None:
    """Whether a day is a certain weekday, or on a weekend."""
    weekdays, text = template.of("W"), template.text
    if len(weekdays) > 1 or not is_only(text, signals.YES_NO):
        return None
    if any(pattern.search(text) for pattern, lead in _ASPECTS if lead is not leads.weekday):
        return None
    found = find(template.of("D")[0], template.now, lean_of(template.text, "next"))
    if found is None:
        return None
    wanted = {weekdays[0].day or 0} if weekdays else {_SATURDAY, _SUNDAY}
    return calendar(found.iso, found.iso, leads.is_weekday(frozenset(wanted)))


def is_festival(template: Template) -> Route | None:
    """Whether a day is a certain festival or term."""
    mentions, text = template.of("D"), template.text
    if len(mentions) != 2 or len(template.mentions) != 2 or not _IS.search(text) or not is_only(text, _IS):
        return None
    day, named = mentions if mentions[1].named is not None else mentions[::-1]
    if named.named is None or not named.named.key or named.year or named.shift or day.named or day.lunar:
        return None
    found = find(day, template.now)
    return calendar(found.iso, found.iso, leads.is_named(named.named.key, named.named.name)) if found else None


_IS = re.compile(r"^(?:is|was|will) D (?:be )?(?:the )?D ?\??$|^D(?:是不是|是否是|是)D(?:吗|么)?\??$")


def today(template: Template) -> Route | None:
    """ "What day is it?" without a date."""
    if template.mentions or not _TODAY.fullmatch(template.text.rstrip("?.! ")):
        return None
    iso = template.now.date().isoformat()
    return calendar(iso, iso, leads.the_date(None))


_TODAY = re.compile(
    r"(?:(?:please )?(?:can|could) you )?(?:please )?(?:tell me )?"
    r"(?:what|which) (?:day|date|weekday|day of the week)(?: of the week)? (?:is it|it is)"
    r"|what(?:'s| is) the (?:date|day|weekday)"
    r"|(?:几月)?几[日号]了?|星期几了?|周几了?"
)


def several_days(template: Template) -> Route | None:
    """The calendar of a range or a month, or its festivals."""
    mentions, months, text = template.of("D"), template.of("M"), template.text
    if template.of("Y") or template.of("W"):
        return None
    if not is_only(text, signals.CALENDAR, signals.LUNAR, signals.FESTIVAL):
        return None
    lead = leads.festival_days if signals.FESTIVAL.search(text) else None
    if len(months) == 1 and not mentions:
        year, month = months[0].year or template.now.year, months[0].month or 1
        last = date(year, month, monthrange(year, month)[1])
        return calendar(last.replace(day=1).isoformat(), last.isoformat(), lead)
    if len(mentions) != 2 or months or not signals.CONNECTS.search(text):
        return None
    pair = find_pair(mentions[0], mentions[1], template.now)
    return calendar(pair[0].iso, pair[1].iso, lead) if pair else None


def zodiac_year(template: Template) -> Route | None:
    """The animal of a year, or the next year of an animal. Answered by the row of that lunar year's first day."""
    years, text = template.of("Y"), template.text
    if len(years) > 1 or template.of("D") or template.of("M") or template.of("W"):
        return None
    animal = signals.ANIMAL_YEAR.search(text)
    plain = signals.ANIMAL_YEAR.sub("year", text)
    if years:
        asked = (signals.ZODIAC, signals.ZODIAC_YEAR, signals.CONSTELLATION)
        if not (is_only(text, *asked) or (animal and signals.YES_NO.search(text) and is_only(plain, signals.YES_NO))):
            return None
        year = years[0].year
    else:
        if animal is None or not (signals.NEXT.search(text) or _WHICH_YEAR.search(text)):
            return None
        if not is_only(plain, signals.NEXT, _WHICH_YEAR, signals.WHEN):
            return None
        year = _next_year_of(animal, almanac.day(template.now.date()).lunar.year)
    new_year = almanac.from_lunar(year, 1, 1) if year is not None else None
    return calendar(str(new_year), str(new_year), leads.zodiac_year) if new_year else None


_WHICH_YEAR = re.compile(r"(?:what|which) year|when|哪一?年|是什么时候")


def _next_year_of(animal: re.Match[str], current: int) -> int:
    if animal["zh"]:
        index = almanac.ZODIAC.index(animal["zh"])
    else:
        index = next(n for n, names in enumerate(signals.ANIMALS_EN) if animal["en"] in names)
    return current + 1 + (index + 4 - current - 1) % len(almanac.ZODIAC)


def leap_month(template: Template) -> Route | None:
    """Whether a lunar year has a leap month, and which."""
    years = template.of("Y")
    if len(years) != 1 or len(template.mentions) != 1 or not is_only(template.text, signals.LEAP_MONTH):
        return None
    year = years[0].year
    if year is None or not almanac.FIRST_YEAR <= year < almanac.LAST_YEAR:
        return None
    month = almanac.leap_month(year)
    first = almanac.from_lunar(year, month, 1, leap=True) if month else None
    if first is not None:
        return calendar(first.isoformat(), first.isoformat(), leads.leap_month)
    new_year, next_new_year = almanac.from_lunar(year, 1, 1), almanac.from_lunar(year + 1, 1, 1)
    return days(new_year, next_new_year, leads.no_leap_month(year)) if new_year and next_new_year else None
