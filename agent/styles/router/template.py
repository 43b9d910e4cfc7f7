"""A question with letters in the place of its dates, and how neighbouring dates become one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from agent.styles.router.patterns import Letter, Mention


@dataclass(frozen=True, slots=True)
class Template:
    """For example "how many days between D and D?" or "D是星期几".

    Normalised text has no capitals, so a letter is never a word.
    """

    text: str
    #: In the order of their letters in the text.
    mentions: tuple[Mention, ...]
    #: Wall-clock time of the asker, kept as if in UTC.
    now: datetime

    def of(self, letter: Letter) -> tuple[Mention, ...]:
        """The mentions with this letter, in order."""
        return tuple(mention for mention in self.mentions if mention.letter == letter)


#: Makes one mention of those in a match, or None to leave them as they are.
Joiner = Callable[[re.Match[str], tuple[Mention, ...], Template], Mention | None]
_LETTERS = re.compile("[DYMWCX]")


def rewrite(template: Template, pattern: re.Pattern[str], join: Joiner) -> Template:
    """Replace each match of `pattern` (a run of text that may hold letters) by the letter of what `join` makes of
    it."""
    pieces: list[str] = []
    mentions: list[Mention] = []
    at = seen = 0
    for match in pattern.finditer(template.text):
        before = template.text[at : match.start()]
        first = seen + len(_LETTERS.findall(before))
        end = first + len(_LETTERS.findall(match[0]))
        joined = join(match, template.mentions[first:end], template)
        mentions += template.mentions[seen:first]
        mentions += template.mentions[first:end] if joined is None else (joined,)
        pieces += [before, match[0] if joined is None else joined.letter]
        at, seen = match.end(), end
    mentions += template.mentions[seen:]
    return Template("".join([*pieces, template.text[at:]]), tuple(mentions), template.now)
