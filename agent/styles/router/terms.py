"""Questions about the 24 solar terms."""

from __future__ import annotations

import re
from datetime import date

from agent.styles.router import leads, signals
from agent.styles.router.dates import find, lean_of
from agent.styles.router.routes import Route, solar_terms
from agent.styles.router.template import Template
from agent.styles.router.words import is_only
from agent.tools import almanac

_CLOCK = re.compile("(?:几点几分(?:几秒)?|几点钟?|几时几分(?:几秒)?|哪一?刻)")


def named_term(template: Template) -> Route | None:
    """When a term is."""
    mentions = template.of("D")
    if len(mentions) != 1 or template.of("Y") or template.of("M") or template.of("W"):
        return None
    named = mentions[0].named
    if named is None or not named.is_term or mentions[0].shift is not None or signals.LUNAR.search(template.text):
        return None
    text = _CLOCK.sub("时刻", template.text)
    if not is_only(text, signals.WHEN, signals.DATE, signals.WEEKDAY, signals.TIME_OF_DAY):
        return None
    found = find(mentions[0], template.now, lean_of(text, "next"))
    if found is None or found.when is None:
        return None
    return solar_terms(found.when.year, leads.term(named.key))


def terms(template: Template) -> Route | None:
    """The terms of a year or a month, that of a day, the next one."""
    text, mentions = template.text, template.of("D")
    periods = (*template.of("Y"), *template.of("M"))
    if len(mentions) + len(periods) > 1 or template.of("W") or not is_only(text, signals.TERM):
        return None
    today = template.now.date()
    if periods:
        year, month = periods[0].year or today.year, periods[0].month
        return solar_terms(year, leads.terms_in_month(month) if month else None)
    if mentions and mentions[0].named is not None and not (mentions[0].named.is_term and _AFTER.search(text)):
        return None
    day = today
    if mentions:
        found = find(mentions[0], template.now)
        if found is None or found.when is None:
            return None
        day = found.when.date()
    if signals.NEXT.search(text) or (mentions and _AFTER.search(text)):
        return _next(day)
    if mentions:
        return solar_terms(day.year, leads.term_of(day))
    return solar_terms(day.year, None) if _ALL.search(text) else None


_AFTER = re.compile("(?<![a-z])after(?![a-z])|之后|以后")
#: Without a year, "what is a solar term" asks for something else.
_ALL = re.compile("24|二十四|twenty-four|哪些|哪几|所有|全部|列|分别|(?<![a-z])(?:all|list|terms)(?![a-z])")


def _next(day: date) -> Route | None:
    if not almanac.FIRST_YEAR <= day.year < almanac.LAST_YEAR:
        return None
    year_is_over = day >= almanac.solar_terms(day.year)[-1].when.date()
    return solar_terms(day.year + year_is_over, leads.next_term(day))
