"""Which tool a question asks for, if that is certain."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from agent.styles.router import amounts
from agent.styles.router.conversions import conversion
from agent.styles.router.courtesy import unwrap
from agent.styles.router.dates import read
from agent.styles.router.days import is_festival, leap_month, one_day, several_days, today, zodiac_year
from agent.styles.router.durations import age, duration, period
from agent.styles.router.prices import price_of_many
from agent.styles.router.routes import Route
from agent.styles.router.shares import everyday_sum
from agent.styles.router.sums import calculation
from agent.styles.router.template import Template
from agent.styles.router.terms import named_term, terms
from agent.styles.router.text import normalise

#: Longer texts are stories; a date in them is hardly what they ask about.
MAX_QUESTION = 300

#: The first that applies wins.
_RULES: tuple[Callable[[Template], Route | None], ...] = (
    *(named_term, terms, leap_month, age, period, duration),
    *(one_day, is_festival, zodiac_year, several_days, today),
)


def route(question: str, now: datetime) -> Route | None:
    """The route of a question; None when no tool is certain to answer it. `now` is the asker's wall-clock time."""
    if len(question) > MAX_QUESTION:
        return None
    if (sums := calculation(question)) is not None:
        return sums
    template = read(unwrap(normalise(question)), now)
    if not template.of("X") and not template.of("C"):
        for rule in _RULES:
            if (found := rule(template)) is not None:
                return found
    return _everyday(question)


def _everyday(question: str) -> Route | None:
    """A conversion or an everyday sum."""
    found = amounts.read(unwrap(question).rstrip(_PARTICLES))
    return (conversion(found) or everyday_sum(found) or price_of_many(found)) if found is not None else None


#: With these a Chinese question ends softly.
_PARTICLES = " ,，.。?？!！~～啊呀呢吗嘛吧哦喔噢哈啦呐了咯喽"
