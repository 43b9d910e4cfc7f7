"""A text in a platform's markup, in parts that its messages have room for; each stands alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bot.rendering.split import LEAST_LIMIT, split


@dataclass(frozen=True, slots=True)
class Markup:
    """A platform's markup, as far as texts in it are cut."""

    #: Markdown in this markup.
    render: Callable[[str], str]
    #: Any text so that nothing in it means anything.
    as_it_is: Callable[[str], str]
    #: How long a text in this markup is, as the platform counts.
    length: Callable[[str], int]
    #: About how long Markdown gets by `render`.
    measure: Callable[[str], int]
    #: What isn't cut in the middle, in a text that `as_it_is` gave: all of it is made of these.
    unit: re.Pattern[str]
    #: Such a text so that its beginning means nothing at the beginning of a line either; at most one character longer.
    started: Callable[[str], str]
    #: Whether there is nothing to see in a text in this markup.
    is_blank: Callable[[str], bool]


def fitting(markdown: str, size: int, limit: int, markup: Markup) -> Iterator[str]:
    """The text in parts of at most `limit` characters as the platform counts, aimed at `size`.

    While a text grows, every part but the last stays as it is.
    """
    for part in split(markdown, size, markup.measure):
        made = markup.render(part)
        if markup.length(made) <= limit:
            if not markup.is_blank(made):
                yield made
        elif size > LEAST_LIMIT:
            yield from fitting(part, max(size // 2, LEAST_LIMIT), limit, markup)
        else:
            yield from chopped(part, limit, markup)


def chopped(text: str, limit: int, markup: Markup) -> Iterator[str]:
    """The text as it is, in parts of at most `limit` characters."""
    part: list[str] = []
    # One for what `started` adds.
    room = limit - 1
    for unit in markup.unit.finditer(markup.as_it_is(text)):
        size = markup.length(unit[0])
        if room < size:
            yield markup.started("".join(part))
            part, room = [], limit - 1
        part.append(unit[0])
        room -= size
    if not markup.is_blank("".join(part)):
        yield markup.started("".join(part))
