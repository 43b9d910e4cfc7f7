"""How an answer came about, as a modal. Pure.

What models and tools wrote is shown in Slack's markup by the same renderer as answers, cut into sections without losing
anything; what is too much for one modal is on its next page.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from adapters.chat import steps, texts
from adapters.chat.actions import value_of
from adapters.chat.steps import ARGS, TITLE, Piece, Shown, paged
from adapters.slack import limits
from adapters.slack.controls.block_kit import DIVIDER, Block, actions, button, context, modal, quoted, section
from adapters.slack.render.mrkdwn import sections
from agent.language import Lang
from bot.store.traces import Trace

CALLBACK: Final = "kagent.steps"
#: Action ids of the buttons below; their value is `turn:page`, pages from 0.
PREVIOUS: Final = "kagent.steps.previous"
NEXT: Final = "kagent.steps.next"

#: Room for the line above and the buttons below a page.
_FRAME: Final = 4
#: Characters of all text on one page: a view may have 250 kB (docs.slack.dev, views.open), and a Chinese character
#: takes six bytes of them.
_PAGE_TEXT: Final = 25_000
_URL: Final = 500


def loading(lang: Lang) -> Block:
    """The modal until the steps are there."""
    return modal(texts.STEPS, lang, [section(texts.ONE_MOMENT.say(lang))], close=texts.CLOSE, callback_id=CALLBACK)


def note(text: str, lang: Lang) -> Block:
    """The modal with one sentence instead."""
    return modal(texts.STEPS, lang, [section(quoted(text, limits.SECTION_TEXT))], close=texts.CLOSE)


def view(trace: Trace, shown: Shown, *, page: int = 0, channel: str = "") -> Block:
    """One page of a turn's steps; the nearest where there is no such page. `channel` comes back with the buttons."""
    lang = shown.lang
    blocks = [block for piece in steps.pieces(trace, shown) for block in _blocks(piece)]
    pages = paged(blocks, _size, most=limits.BLOCKS_PER_VIEW - _FRAME, room=_PAGE_TEXT)
    page = max(0, min(page, len(pages) - 1))
    frame = [context(quoted(steps.summary(trace, lang).line, limits.SECTION_TEXT))]
    below: list[Block] = []
    if len(pages) > 1:
        below.append(context(texts.PAGE.say(lang, page=page + 1, pages=len(pages))))
        turn = ((PREVIOUS, texts.PREVIOUS, page - 1), (NEXT, texts.NEXT, page + 1))
        there = [(name, label, to) for name, label, to in turn if 0 <= to < len(pages)]
        below.append(actions(*(button(name, label, lang, value_of(trace.turn_id, to)) for name, label, to in there)))
    return modal(
        texts.STEPS,
        lang,
        [*frame, *pages[page], *below],
        close=texts.CLOSE,
        callback_id=CALLBACK,
        private_metadata=json.dumps({"channel": channel}),
    )


def _size(block: Block) -> int:
    """Characters of its text."""
    own = str(block.get("text", {}).get("text", ""))
    return len(own) + sum(len(element.get("text", "")) for element in block.get("elements", ()))


def _blocks(piece: Piece) -> Iterator[Block]:
    match piece:
        case steps.Rule():
            yield DIVIDER
        case steps.Headline(title, args, state):
            yield section(_call(title, args) + (f"  _{state}_" if state else ""))
        case steps.Call(title, args):
            yield section(f"→ {_call(title, args)}")
        case steps.Label(label):
            yield context(f"*{label}*")
        case steps.Body(markdown):
            yield from (section(text) for text in sections(markdown))
        case steps.Listed(label, lines):
            yield section(f"*{label}*")
            yield from _list(lines)
        case steps.Remark(text):
            yield context(text)


def _call(title: str, args: str) -> str:
    said = f"*{quoted(title, TITLE)}*"
    # As it stands in a code span.
    return f"{said}  `{quoted(args.replace('`', 'ˋ'), ARGS)}`" if args else said


def _list(lines: tuple[str, ...]) -> Iterator[Block]:
    """Numbered lines, in as many sections as they need."""
    said = ""
    for number, line in enumerate(lines, 1):
        item = f"{number}. {quoted(line, _URL)}"
        if len(said) + len(item) >= limits.SECTION_TEXT:
            yield section(said)
            said = ""
        said += f"\n{item}" if said else item
    if said:
        yield section(said)
