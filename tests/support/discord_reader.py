"""A small reader of Discord's Markdown: what people see of a message, whom it calls, where its links lead.

Written from what is widely known of the rules of Discord's clients; it shares nothing with the renderer. A rule is
tried at every place of the text, blocks at the beginning of a line and of what is marked only; marks count in the
middle of a word, and over several lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

_FENCE = re.compile(r"```(?:([a-z0-9_+\-.#]+?)\n)?\n*([^\n][\s\S]*?)\n*```", re.IGNORECASE)
_ESCAPE = re.compile(r"\\([^0-9A-Za-z\s])")
_AUTOLINK = re.compile(r"<([^: >]+:/[^ >]+)>")
_URL = re.compile(r"((?:https?|steam|discord)://[^\s<]+[^<.,:;\"'\]\s])", re.IGNORECASE)
_LINK = re.compile(
    r"\[((?:\[[^\]]*\]|[^\[\]]|\](?=[^\[]*\]))*)\]\(\s*<?((?:\([^)]*\)|[^\s\\]|\\.)*?)>?(?:\s+['\"][\s\S]*?['\"])?\s*\)"
)
_EM = re.compile(
    r"_((?:__|\\[\s\S]|[^\\_])+?)_(?![0-9A-Za-z_])"
    r"|\*(?=\S)((?:\*\*|\\[\s\S]|\s+(?:\\[\s\S]|[^\s*\\]|\*\*)|[^\s*\\])+?)\*(?!\*)"
)
_STRONG = re.compile(r"\*\*((?:\\[\s\S]|[^\\])+?)\*\*(?!\*)")
_UNDER = re.compile(r"__((?:\\[\s\S]|[^\\])+?)__(?!_)")
_STRIKE = re.compile(r"~~([\s\S]+?)~~(?!_)")
_SPOILER = re.compile(r"\|\|([\s\S]+?)\|\|")
_CODE = re.compile(r"(`+)([\s\S]*?[^`])\1(?!`)")
_PADDING = re.compile(r"^ (?= *`)|(?<=`) (?= *$)")
_QUOTE = re.compile(r" *>>> ([\s\S]*)| *> [^\n]*(?:\n *> [^\n]*)*\n?")
_QUOTE_MARK = re.compile(r"^ *>(?:>>)? ?", re.MULTILINE)
_HEADING = re.compile(r" *(#{1,3})\s+((?:\\[^\n]|[^\\\n])+?)#*\s*(?:\n|$)")
_SUBTEXT = re.compile(r" *-# +([^\n]+)(?:\n|$)")
_ITEM = re.compile(r"( *)(?:[-*+]|\d+\.) +")
_SHRUG = re.compile(r"¯\\_\(ツ\)_/¯")
_ODD = {
    "mention": re.compile(r"<@[!&]?\d+>|<#\d+>|@everyone|@here"),
    "emoji": re.compile(r"<a?:\w+:\d+>|:(?:smile|tada|100|1234|a|b):"),
    "time": re.compile(r"<t:-?\d+(?::[tTdDfFR])?>"),
    "command": re.compile(r"</[^:<>\n]+:\d+>"),
    "place": re.compile(r"<id:\w+>"),
}
_TEXT = re.compile(r"[\s\S]+?(?=[^0-9A-Za-z\s\u00c0-\uffff]|\n|\w+:\S|$)")
_PINGS = re.compile(r"@everyone|@here|<@[!&]?\d+>")


@dataclass(slots=True)
class Seen:
    """What a message looks like."""

    text: str = ""
    #: Whom Discord's servers would notify if it were allowed, from the text as it is.
    pings: list[str] = field(default_factory=list)
    #: Text and target.
    links: list[tuple[str, str]] = field(default_factory=list)
    #: Targets that have a preview, because no brackets are around them.
    previews: list[str] = field(default_factory=list)
    #: Kind of mark and the text in it.
    marks: list[tuple[str, str]] = field(default_factory=list)
    #: Language and text of each block of code.
    code: list[tuple[str, str]] = field(default_factory=list)
    #: What Markdown doesn't know: spoilers, underlines, small print, mentions, emoji, times, commands.
    odd: list[tuple[str, str]] = field(default_factory=list)


def seen(message: str) -> Seen:
    """Read a message."""
    found = Seen(pings=_PINGS.findall(message))
    found.text = _Reader(found).read(message, True)
    return found


class _Reader:
    def __init__(self, found: Seen) -> None:
        self._found = found
        self._in_quote = False

    def read(self, text: str, at_start: bool) -> str:
        """What is seen of a text; `at_start`: whether a line begins with it."""
        shown: list[str] = []
        at = 0
        while at < len(text):
            fresh = at_start if at == 0 else re.search(r"\n *$", text[:at]) is not None
            at, made = self._one(text, at, fresh)
            shown.append(made)
        return "".join(shown)

    def _one(self, text: str, at: int, fresh: bool) -> tuple[int, str]:
        if fresh:
            block = self._block(text, at)
            if block is not None:
                return block
        if found := _FENCE.match(text, at):
            self._found.code.append((found[1] or "", found[2]))
            return found.end(), f"\n{found[2]}\n"
        if found := _SHRUG.match(text, at) or _ESCAPE.match(text, at):
            return found.end(), found[1] if found.re is _ESCAPE else found[0]
        if found := _AUTOLINK.match(text, at):
            self._found.links.append((found[1], found[1]))
            return found.end(), found[1]
        if found := _URL.match(text, at):
            self._found.links.append((found[1], found[1]))
            self._found.previews.append(found[1])
            return found.end(), found[1]
        found = _LINK.match(text, at)
        if found and re.match(r"https?://\S", found[2]) and "://" not in found[1]:
            label = self.read(found[1], True)
            self._found.links.append((label, found[2]))
            if not found[0].endswith(">)"):
                self._found.previews.append(found[2])
            return found.end(), label
        if marked := self._marked(text, at):
            return marked
        for kind, rule in _ODD.items():
            if found := rule.match(text, at):
                self._found.odd.append((kind, found[0]))
                return found.end(), f"⟦{kind}⟧"
        if found := _TEXT.match(text, at):
            return found.end(), found[0]
        return at + 1, text[at]

    def _marked(self, text: str, at: int) -> tuple[int, str] | None:
        found = [(rule.match(text, at), kind) for kind, rule in (("em", _EM), ("strong", _STRONG), ("u", _UNDER))]
        longest = max(((match, kind) for match, kind in found if match), key=lambda one: one[0].end(), default=None)
        if longest is None:
            others = (("strike", _STRIKE), ("spoiler", _SPOILER))
            longest = next(((match, kind) for kind, rule in others if (match := rule.match(text, at))), None)
        if longest is not None:
            match, kind = longest
            inner = self.read(next(group for group in match.groups() if group is not None), True)
            (self._found.odd if kind in ("u", "spoiler") else self._found.marks).append((kind, inner))
            return match.end(), inner
        code = _CODE.match(text, at)
        if code is None:
            return None
        self._found.marks.append(("code", _PADDING.sub("", code[2])))
        return code.end(), _PADDING.sub("", code[2])

    def _block(self, text: str, at: int) -> tuple[int, str] | None:
        quote = None if self._in_quote else _QUOTE.match(text, at)
        if quote is not None:
            self._in_quote = True
            shown = self.read(_QUOTE_MARK.sub("", quote[0]), True)
            self._in_quote = False
            self._found.marks.append(("quote", shown))
            return quote.end(), shown
        return (
            self._line(_HEADING, text, at, lambda match, inner: self._found.marks.append((f"h{len(match[1])}", inner)))
            or self._line(_SUBTEXT, text, at, lambda _, inner: self._found.odd.append(("subtext", inner)))
            or self._item(text, at)
        )

    def _line(
        self, rule: re.Pattern[str], text: str, at: int, note: Callable[[re.Match[str], str], None]
    ) -> tuple[int, str] | None:
        match = rule.match(text, at)
        if match is None:
            return None
        inner = self.read(match[match.re.groups], False)
        note(match, inner)
        return match.end(), f"{inner}\n"

    def _item(self, text: str, at: int) -> tuple[int, str] | None:
        item = _ITEM.match(text, at)
        if item is None:
            return None
        end = text.find("\n", item.end())
        end = len(text) if end < 0 else end
        # What an item shows may be a block itself.
        inner = self.read(text[item.end() : end], True)
        self._found.marks.append(("item", inner))
        return end, f"{inner}"
