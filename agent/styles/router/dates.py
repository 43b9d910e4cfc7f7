"""Finds the dates in a question, and says which days they mean."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Literal

from agent.styles.router.patterns import FORMS, Mention
from agent.styles.router.shifts import join_shifts
from agent.styles.router.template import Template, rewrite
from agent.styles.router.text import normalise
from agent.tools import almanac
from agent.tools.dates import Moment, add_months

#: Where a day without a year lies: in this year, at or after today, or at or before it.
Lean = Literal["this", "next", "last"]


@dataclass(frozen=True, slots=True)
class Found:
    """A day that a mention means."""

    #: As a tool's argument takes it. It may name a day that doesn't exist; the tool says so.
    iso: str
    #: Wall-clock time, kept as if in UTC; None for a day that doesn't exist.
    when: datetime | None
    mention: Mention

    @property
    def day(self) -> date | None:
        return self.when.date() if self.when else None


def read(question: str, now: datetime) -> Template:
    """The template of a question; `now` is the asker's wall-clock time."""
    text, now = _suppose_today(_write_out_ranges(normalise(question)), now.replace(tzinfo=UTC))
    pieces: list[str] = []
    mentions: list[Mention] = []
    at = 0
    for start, end, mention in _mentions(text, now):
        pieces += [text[at:start], mention.letter]
        mentions.append(mention)
        at = end
    template = Template("".join([*pieces, text[at:]]), tuple(mentions), now)
    for combine in (
        _drop_guessed_months,
        _join_edges,
        _join_years,
        _join_names,
        _join_clocks,
        _drop_weekdays,
        join_shifts,
    ):
        template = combine(template)
    return replace(template, text=" ".join(template.text.split()))


_EN_RANGE = re.compile(
    r"(?<![a-z])(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)([a-z]*\.?) (\d{1,2})(?:st|nd|rd|th)?"
    r" ?(-|to|through|until|and) ?(?:the )?(\d{1,2})(?:st|nd|rd|th)?(?![\d:/.a-z-]| ?[ap]\.?m)"
    r"((?:,| of)? ?\d{4}(?!\d))?"
)
_ZH_RANGE = re.compile(r"(?<!\d)((?:\d{4}年)?\d{1,2}月)(\d{1,2})[日号]?(到|至|-|~|和)(\d{1,2})[日号]")


def _write_out_ranges(text: str) -> str:
    """October 1-7, 2025 and 10月1日到7日: the second day gets its month."""

    def english(m: re.Match[str]) -> str:
        year = m[6] or ""
        return f"{m[1]}{m[2]} {m[3]}{year} {'to' if m[4] == '-' else m[4]} {m[1]}{m[2]} {m[5]}{year}"

    return _ZH_RANGE.sub(r"\1\2日\3\1\4日", _EN_RANGE.sub(english, text))


_IF = re.compile(r"(?:(?:if|suppose|supposing|assume|assuming|given)(?: that)? ?|如果|假如|假设|假定|若|设|已知)?")
_TODAY_IS = re.compile(r"(?:'s date)?(?: is|是|为)(?: the)? ?")


def _suppose_today(text: str, now: datetime) -> tuple[str, datetime]:
    """ "If today is 2024-01-01, what …": the rest of the question, asked on that day."""
    found = list(islice(_mentions(text, now), 2))
    if len(found) < 2:
        return text, now
    (start, end, today), (second_start, second_end, day) = found
    if today.text not in _TODAY or day.letter != "D" or day.year is None or day.relative or day.lunar or day.named:
        return text, now
    if not _IF.fullmatch(text[:start]) or not _TODAY_IS.fullmatch(text[end:second_start]):
        return text, now
    base = _in_year(day, day.year, now.date())
    if not isinstance(base, date):
        return text, now
    return text[second_end:].lstrip(" ,.;那么"), datetime.combine(base, now.timetz())


_TODAY = frozenset({"today", "now", "今天", "今日", "现在"})


def _mentions(text: str, now: datetime) -> Iterator[tuple[int, int, Mention]]:
    """All mentions: of two that overlap the first, of two that begin together the longer."""
    found = [(match, make) for pattern, make in FORMS for match in pattern.finditer(text)]
    found.sort(key=lambda item: (item[0].start(), -item[0].end()))
    at = 0
    for match, make in found:
        if match.start() >= at and match.end() > match.start():
            yield match.start(), match.end(), make(match, now)
            at = match.end()


_GUESSED_MONTH = re.compile("M(?=的?几[号日])")


def _drop_guessed_months(template: Template) -> Template:
    """冬至是12月几号: the month is half of the answer."""
    if not _GUESSED_MONTH.search(template.text) or len(template.of("M")) != 1 or not template.of("D"):
        return template
    rest = tuple(mention for mention in template.mentions if mention.letter != "M")
    return Template(template.text.replace("M", ""), rest, template.now)


_EDGE = re.compile(
    r"(?<![a-z])(?:the )?(?P<en>first|last) day (?:of|in) [YM]|[YM](?:的|份的)?(?P<zh>第一天|头一天|最后一天)"
)


def _join_edges(template: Template) -> Template:
    """The first and the last day of a year or a month."""

    def join(match: re.Match[str], inside: tuple[Mention, ...], template: Template) -> Mention | None:
        year, month = inside[0].year or template.now.year, inside[0].month
        if match["en"] == "first" or match["zh"] in ("第一天", "头一天"):
            return Mention("D", match[0], year, month or 1, 1)
        return Mention("D", match[0], year, month or 12, monthrange(year, month or 12)[1])

    return rewrite(template, _EDGE, join)


_YEAR_BESIDE = re.compile(
    r"Y(?:'s|,)? ?的?[DM]|(?<!D[和与跟])[DM](?:,|的)?(?: (?:of|in|for|on))?(?: the)?(?: year)? ?Y"
)
_CLOCK_BESIDE = re.compile(r"D(?:,| at|的)? ?C|C(?:,| on| of)? ?D")
_WEEKDAY_BESIDE = re.compile(r"W,? ?D|D ?\(W\)|D,W")


def _join_years(template: Template) -> Template:
    template = rewrite(template, _YEAR_BESIDE, _with_year)
    years = template.of("Y")
    if len(years) != 1 or not any(_lacks_year(mention) for mention in template.mentions):
        return template
    # "In 2027, when is Qingming?": one year for all.
    given = tuple(
        replace(mention, year=years[0].year, text=f"{years[0].text} {mention.text}")
        if _lacks_year(mention)
        else mention
        for mention in template.mentions
        if mention.letter != "Y"
    )
    return Template(template.text.replace("Y", ""), given, template.now)


def _lacks_year(mention: Mention) -> bool:
    return mention.letter in "DM" and mention.year is None


def _with_year(_match: re.Match[str], inside: tuple[Mention, ...], _template: Template) -> Mention | None:
    year, day = inside if inside[0].letter == "Y" else inside[::-1]
    return replace(day, year=year.year, text=f"{year.text} {day.text}") if _lacks_year(day) else None


_TWO_NAMES = re.compile(
    r"D,? ?(?:\((?:the |即|也叫|又称|又名)?D\)|(?:/|also called |also known as |aka |即|也叫|又称)D)|D,D(?=,)"
)


def _join_names(template: Template) -> Template:
    """Lichun (Start of Spring), 立春(Lichun): one day by two of its names."""
    return rewrite(template, _TWO_NAMES, _same_day)


def _same_day(_match: re.Match[str], inside: tuple[Mention, ...], _template: Template) -> Mention | None:
    first, second = inside
    if first.named is None or first.named != second.named or first.shift or second.shift:
        return None
    if first.year is not None and second.year is not None and first.year != second.year:
        return None
    return first if first.year is not None else second


def _join_clocks(template: Template) -> Template:
    template = rewrite(template, _CLOCK_BESIDE, _with_clock)
    if not template.of("C"):
        return template
    # Times of day without a date belong to the only date there is, else to today.
    days = {(day.year, day.month, day.day) for day in template.of("D")}
    if len(days) > 1 or any(day.named or day.lunar for day in template.of("D")):
        return template
    now = template.now
    year, month, day = days.pop() if days else (now.year, now.month, now.day)
    given = tuple(
        Mention("D", mention.text, year, month, day, mention.clock, relative=True) if mention.letter == "C" else mention
        for mention in template.mentions
    )
    return Template(template.text.replace("C", "D"), given, template.now)


def _with_clock(_match: re.Match[str], inside: tuple[Mention, ...], _template: Template) -> Mention | None:
    clock, day = inside if inside[0].letter == "C" else inside[::-1]
    return replace(day, clock=clock.clock, is_now=False) if day.clock is None else None


def _drop_weekdays(template: Template) -> Template:
    """Monday, 3 March: the date says it all."""
    return rewrite(template, _WEEKDAY_BESIDE, lambda _match, inside, _: next(m for m in inside if m.letter == "D"))


_LAST = re.compile(r"(?<![a-z])(?:was|were|did|last|previous|had)(?![a-z])|上一?个|上次|过去的")
_NEXT = re.compile(r"(?<![a-z])(?:next|upcoming|coming|will|is)(?![a-z])|下一?个|下次|今后|即将")


def lean_of(text: str, otherwise: Lean) -> Lean:
    """Where the words of a question put a day without a year."""
    if _LAST.search(text):
        return "last"
    return "next" if _NEXT.search(text) else otherwise


def find(mention: Mention, now: datetime, lean: Lean = "this", *, with_time: bool = False) -> Found | None:
    """The day that a mention means; None where it can't be told. `with_time` takes the present moment to the second."""
    base = _base(mention, now.date(), lean)
    if base is None or isinstance(base, str):
        return Found(base, None, mention) if base else None
    timed = mention.clock is not None or (mention.is_now and with_time)
    clock = mention.clock or (now.time().replace(microsecond=0) if timed else time())
    when = datetime.combine(base, clock, UTC)
    if mention.shift is not None:
        count, unit = mention.shift
        if unit in ("hour", "minute"):
            timed = True
            if mention.is_now:
                when = now.replace(microsecond=0)
        try:
            when = add_months(when, count) if unit == "month" else when + timedelta(**{f"{unit}s": count})
        except (ValueError, OverflowError):
            return None
    return Found(str(Moment(when, timed)), when, mention)


def find_pair(first: Mention, second: Mention, now: datetime, *, with_time: bool = False) -> tuple[Found, Found] | None:
    """Two days of one interval: a year that only one of them has, or neither, is filled in so that they follow each
    other."""
    if second.month is None and second.day is not None and second.named is None and second.lunar is None:
        second = replace(second, month=first.month, year=first.year)
    if second.year is None:
        start = find(first, now, with_time=with_time)
        if start is None:
            return None
        year = start.when.year if start.when else now.year
        end = find(replace(second, year=year), now)
        if end and end.when and start.when and end.when < start.when:
            end = find(replace(second, year=year + 1), now)
        return (start, end) if end else None

    end = find(second, now, with_time=with_time)
    if end is None:
        return None
    if first.year is not None:
        start = find(first, now, with_time=with_time)
    else:
        year = end.when.year if end.when else second.year
        start = find(replace(first, year=year), now)
        if start and start.when and end.when and start.when > end.when:
            start = find(replace(first, year=year - 1), now)
    if start is None:
        return None
    if start.when and end.when and start.when > end.when and _over_night(first, second):
        end = find(replace(second, shift=(1, "day")), now)
    return (start, end) if end else None


def _over_night(first: Mention, second: Mention) -> bool:
    """From 22:00 to 6:00, without a date: the second is on the next day."""
    return first.relative and second.relative and first.clock is not None and second.clock is not None


def _base(mention: Mention, today: date, lean: Lean) -> date | str | None:
    """The day without time and shift: as text where there is no such day, None where it can't be told."""
    if mention.year is not None:
        return _late_in_year(mention, today) if _is_late(mention) else _in_year(mention, mention.year, today)
    if mention.month is None and mention.named is None and mention.lunar is None:
        return _in_year(mention, today.year, today)
    if lean == "this" and (mention.month, mention.day) != (2, 29):
        return _in_year(mention, today.year, today)
    # The year before and after, because the lunar year ends later; 29 February can be eight years away.
    for offset in range(-1, 9):
        day = _in_year(mention, today.year + (-offset if lean == "last" else offset), today)
        if isinstance(day, date) and (day <= today if lean == "last" else day >= today):
            return day
    return _in_year(mention, today.year, today)


#: The last festivals of a lunar year fall into the first weeks of the next solar one, so that 明年除夕 may be either.
_LATE = frozenset({"除夕", "腊八节"})
_YEAR_IN_WORDS = re.compile("[今明来去前后]年")


def _is_late(mention: Mention) -> bool:
    return mention.named is not None and mention.named.key in _LATE and bool(_YEAR_IN_WORDS.search(mention.text))


def _late_in_year(mention: Mention, today: date) -> date | str | None:
    """今年除夕 is the one that lies ahead; of another year it isn't certain which."""
    day = _in_year(mention, today.year, today) if mention.year == today.year else None
    return _in_year(mention, today.year + 1, today) if isinstance(day, date) and day < today else day


def _in_year(mention: Mention, year: int, today: date) -> date | str | None:
    if mention.named is not None:
        return mention.named.on(year) if MINYEAR <= year <= MAXYEAR else None
    if mention.lunar is not None:
        return almanac.from_lunar(year, mention.lunar.month, mention.lunar.day, leap=mention.lunar.leap)
    month, day = mention.month or today.month, mention.day or 1
    try:
        return date(year, month, day)
    except ValueError:
        return f"{year:04d}-{month:02d}-{day:02d}"
