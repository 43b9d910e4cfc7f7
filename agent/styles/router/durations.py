"""Questions about how long: between two days, until or since one, of a month or a year, of a life."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from agent.language import Text
from agent.styles.router import leads, signals
from agent.styles.router.dates import Found, find, find_pair
from agent.styles.router.patterns import Mention
from agent.styles.router.people import asks_other_age, with_known_person
from agent.styles.router.routes import Route, days, interval
from agent.styles.router.template import Template
from agent.styles.router.words import counts_otherwise, is_only, is_question
from agent.tools.dates import MONTHS_EN

#: Most characters between "between" and the first date for which the words there may be anything.
_NEAR = 80
#: How long did (the war) last, …
_SUBJECT = re.compile(r"(?<![a-z])(did|does|will|has|have) [^,.?!]{1,40} (?=(?:last|lasted|take|run|span)(?![a-z]))")
_UNTIL_YEAR = re.compile(r"(?:until|till|til|to|before|left|away is)(?: the)?(?: year)? Y|[离距到](?:离)?Y")
_IN_BRACKETS = re.compile(
    r"(?P<opens>(?<![a-z])(?:until|till|til|before|since|to)(?![a-z])|距离|离|距|到)[^,.?!()D]{1,40}\(D\)"
)
_CLAUSE_ENDS = re.compile("[,.;!]")
_ABOUT_THE_SECOND = re.compile("^[\u4e00-\u9fff]{1,20}?(?=之?间?(?:相隔|相差|间隔|相距|隔了))")


def duration(template: Template) -> Route | None:
    """How many days (or other units) between two dates, or until or since one."""
    mentions = template.of("D") or _coming_weekday(template)
    text = template.text
    if not mentions and (year := _until_year(template)):
        mentions, text = (year,), text.replace("Y", "D")
    if not 1 <= len(mentions) <= 2:
        return None
    text = _with_free_words_inside(text)
    if re.search("[YM]", text) or (template.of("D") and "W" in text) or not is_only(text, signals.DURATION):
        return None
    if counts_otherwise(template.text):
        return None

    units = signals.asked_units(text)
    timed = bool(units & {"hour", "minute", "second"}) or any(mention.clock for mention in mentions)
    lead = leads.inclusive if signals.INCLUSIVE.search(text) else leads.span(units)
    if len(mentions) == 2:
        pair = _pair(mentions[::-1] if _BACKWARDS.search(text) else mentions, template, timed)
        return interval(*pair, lead) if pair else None
    if not signals.DIRECTION.search(text) or signals.LASTS.search(text):
        return None
    in_past = signals.IN_PAST.search(text) is not None and signals.LEFT.search(text) is None
    there = find(mentions[0], template.now, "last" if in_past else "next", with_time=timed)
    here = find(_this_moment(template.now), template.now, with_time=timed)
    if there is None or here is None:
        return None
    if there.when and here.when and there.when < here.when and not in_past:
        lead = leads.several(leads.past(there.when.date()), lead)
    return interval(here, there, lead)


_BACKWARDS = re.compile("(?<![a-z])(?:before|until|till|to) D (?:is|was|does|will)(?![a-z])")
_UNORDERED = re.compile("D[和与跟]D")


def _pair(mentions: tuple[Mention, ...], template: Template, timed: bool) -> tuple[Found, Found] | None:
    """Both days. Those of 国庆节和中秋节 follow each other, or are of one year: whichever is nearer."""
    pair = find_pair(mentions[0], mentions[1], template.now, with_time=timed)
    if pair is None or any(mention.year or not mention.named for mention in mentions):
        return pair
    same = find(mentions[0], template.now), find(mentions[1], template.now)
    if not _UNORDERED.search(template.text) or same[0] is None or same[1] is None:
        return pair
    return min(pair, (same[0], same[1]), key=_distance)


def _distance(pair: tuple[Found, Found]) -> timedelta:
    return abs(pair[1].when - pair[0].when) if pair[0].when and pair[1].when else timedelta.max


def _coming_weekday(template: Template) -> tuple[Mention, ...]:
    """ "Until Friday" means the next one after today."""
    weekdays = template.of("W")
    if len(weekdays) != 1 or weekdays[0].day is None:
        return ()
    day = template.now + timedelta(days=(weekdays[0].day - template.now.weekday() - 1) % 7 + 1)
    return (Mention("D", weekdays[0].text, day.year, day.month, day.day, relative=True),)


def _until_year(template: Template) -> Mention | None:
    """ "Until 2030" means until it begins."""
    found = _UNTIL_YEAR.search(template.text)
    years = template.of("Y")
    if found is None or len(template.mentions) != 1 or len(years) != 1 or years[0].year is None:
        return None
    return Mention("D", years[0].text, years[0].year, 1, 1)


def _this_moment(now: datetime) -> Mention:
    return Mention("D", "", now.year, now.month, now.day, relative=True, is_now=True)


def _with_free_words_inside(text: str) -> str:
    """An interval may say anything about its dates: "between the start on D and the end on D", "until the game (D)"."""
    text = _IN_BRACKETS.sub(r"\g<opens> D ", text)
    if text.count("D") != 2:
        return text
    first, last = text.index("D"), text.rindex("D")
    head, inner, tail = text[:first], text[first + 1 : last], text[last + 1 :]
    if _CLAUSE_ENDS.search(inner) and not is_question(head):
        head = ""  # "I met her on D, how long is it to D": the first date is told, not asked
    if not signals.CONNECTS.search(inner) or is_question(inner):
        return text
    head = _SUBJECT.sub(r"\1 ", head)
    opening = max(signals.OPENS.finditer(head), key=lambda found: found.end(), default=None)
    if opening and len(head) - opening.end() <= _NEAR and not is_question(head[opening.end() :]):
        told = signals.DURATION.search(tail) and not is_question(head)
        head = f"{opening[0] if told else head[: opening.end()]} "
    # 从…到…下雨多少天 counts something else, while 相隔 always speaks of the two dates.
    return f"{head}D and D{_ABOUT_THE_SECOND.sub('', tail)}"


def age(template: Template) -> Route | None:
    """How old somebody is who was born on a day, now or on another day."""
    mentions, this_year = template.of("D"), template.now.year
    if not signals.AGE.search(template.text) or not 1 <= len(mentions) <= 2 or template.of("M") or template.of("W"):
        return None
    if any(mention.year != this_year for mention in template.of("Y")):
        return None  # 今年多大 means now
    text = with_known_person(template.text)
    if not is_only(text, signals.AGE) or counts_otherwise(text) or asks_other_age(text, len(mentions)):
        return None
    if any(mention.year is None or mention.shift for mention in mentions):
        return None
    pair = find_pair(mentions[0], mentions[1] if len(mentions) == 2 else _this_moment(template.now), template.now)
    return interval(*pair, leads.age) if pair else None


def period(template: Template) -> Route | None:
    """How many days a month or a year has, has left, or has behind it; whether a year is a leap year."""
    periods = (*template.of("Y"), *template.of("M"))
    if len(periods) != 1 or template.of("W") or any(not mention.relative for mention in template.of("D")):
        return None
    start, after, name = _bounds(periods[0], template.now)
    text, today = template.text, template.now.date()
    if periods[0].letter == "Y" and is_only(text, signals.LEAP_YEAR):
        return days(start, after, leads.leap_year(start.year))
    units = signals.asked_units(text)
    if (
        _UNTIL_YEAR.search(text)
        or not units
        or not units <= {"day", "week"}
        or not is_only(text, signals.DURATION)
        or counts_otherwise(text)
    ):
        return None
    if start <= today < after and signals.LEFT.search(text):
        return days(today, after - timedelta(days=1), leads.span(units))
    if start <= today < after and signals.GONE.search(text):
        return days(start, today, leads.span(units))
    if signals.LEFT.search(text) or signals.GONE.search(text) or signals.DIRECTION.search(text):
        return None
    return days(start, after, leads.days_in(name) if units == {"day"} else leads.span(units))


def _bounds(period: Mention, now: datetime) -> tuple[date, date, Text]:
    """The first day, the first day after it, and what it is called."""
    year = period.year or now.year
    if period.month is None:
        return date(year, 1, 1), date(year + 1, 1, 1), Text(str(year), f"{year}年")
    after = date(year + period.month // 12, period.month % 12 + 1, 1)
    return (
        date(year, period.month, 1),
        after,
        Text(f"{MONTHS_EN[period.month - 1]} {year}", f"{year}年{period.month}月"),
    )
