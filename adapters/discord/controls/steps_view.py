"""How an answer came about, as pages that only whoever asked for them sees. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from adapters.chat import texts
from adapters.chat.actions import value_of
from adapters.chat.steps import Body, Call, Headline, Label, Listed, Piece, Remark, Rule, Shown, paged, pieces, summary
from adapters.discord import limits
from adapters.discord.render.parts import parts
from adapters.discord.render.quiet import clean, escaped
from adapters.discord.render.spans import code
from adapters.discord.replying.look import Look, Row, button, row
from bot.rendering.split import utf16
from bot.store.traces import Trace

#: The action of the buttons below; their value is `turn:page`, pages from 0.
PAGE: Final = "kagent.steps.page"

#: Characters of the line above a page and of the one below it.
_FRAME: Final = 400
_ROOM: Final = limits.CONTENT - _FRAME
#: Characters of a numbered line.
_LINE: Final = 500
_RULE: Final = "─" * 10
_SMALL: Final = "-# "


def view(trace: Trace, shown: Shown, *, page: int = 0) -> Look:
    """One page of a turn's steps; the nearest where there is no such page."""
    lang = shown.lang
    lines = [line for piece in pieces(trace, shown) for line in _lines(piece)]
    # A line break between two of them.
    pages = paged(lines, lambda line: utf16(line) + 1, most=len(lines) or 1, room=_ROOM)
    page = max(0, min(page, len(pages) - 1))
    said = [_SMALL + _plain(summary(trace, lang).line or texts.STEPS.say(lang)), *_without_rules(pages[page])]
    if len(pages) == 1:
        return Look("\n".join(said))
    said.append(_SMALL + texts.PAGE.say(lang, page=page + 1, pages=len(pages)))
    turn = ((texts.PREVIOUS, page - 1), (texts.NEXT, page + 1))
    buttons = [button(PAGE, value_of(trace.turn_id, to), label, lang) for label, to in turn if 0 <= to < len(pages)]
    below: tuple[Row, ...] = (row(*buttons),)
    return Look("\n".join(said), below)


def _without_rules(lines: list[str]) -> list[str]:
    """Without those that part nothing on this page."""
    first, last = 0, len(lines)
    while first < last and lines[first] == _RULE:
        first += 1
    while last > first and lines[last - 1] == _RULE:
        last -= 1
    return lines[first:last]


def _lines(piece: Piece) -> Iterator[str]:
    """A piece in pieces of its own, none larger than a page."""
    match piece:
        case Rule():
            yield _RULE
        case Headline(title, args, state):
            yield f"**{_plain(title)}**{_args(args)}" + (f"  *{_plain(state)}*" if state else "")
        case Call(title, args):
            yield f"→ **{_plain(title)}**{_args(args)}"
        case Label(label):
            yield _SMALL + _plain(label)
        case Body(markdown):
            yield from parts(markdown, _ROOM)
        case Listed(label, lines):
            yield f"**{_plain(label)}**"
            for number, line in enumerate(lines, 1):
                yield f"{number}. {_plain(_cut(line))}"
        case Remark(text):
            yield _SMALL + _plain(text)


def _args(args: str) -> str:
    return f"  {code(args)}" if args else ""


def _plain(text: str) -> str:
    """On one line, without any meaning."""
    return escaped(clean(" ".join(text.split())))


def _cut(text: str) -> str:
    return text if len(text) <= _LINE else text[: _LINE - 1] + "…"
