"""Markdown to HTML that is safe to insert: model and tool output is somebody else's text.

HTML in the source is shown as text, links lead only to http, https and mailto, images become links (loading one would
tell a stranger that the page was read). There are no inline styles: the page's content security policy forbids them.
"""

from __future__ import annotations

import asyncio
import html
import re
from collections import OrderedDict
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

#: Characters. Longer texts are shown as they are: the parser takes 0.15 s for this much prose, and up to ten times that
#: when it is meant to (deep quotes, rows of brackets).
MAX_MARKDOWN = 100_000
#: Characters; a longer text is rendered in a thread (5,000 characters take about 7 ms on one 2 GHz core).
_SHORT = 20_000
#: Levels of nested quotes and lists (a list counts twice); what is nested deeper is shown as it is.
_MAX_LEVEL = 16
#: Characters of source that the cache of rendered texts may stand for.
_CACHE_CHARS = 1_000_000
#: Texts in the making that are remembered.
_DRAFTS = 64

_SAFE_LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_LINK_ATTRIBUTES = {"target": "_blank", "rel": "noopener noreferrer nofollow"}
_ALIGN = re.compile(r"text-align:\s*(left|center|right)")


def _make_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "xhtmlOut": False, "maxNesting": _MAX_LEVEL + 4})
    parser.enable(["table", "strikethrough"])
    parser.validateLink = lambda url: _SAFE_LINK.match(url) is not None  # type: ignore[method-assign]
    parser.block.ruler.before("table", "too_deep", _too_deep, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    parser.core.ruler.push("harmless", _harmless)
    return parser


def _too_deep(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Show what is nested too deeply as it is; the parser would drop it."""
    if state.level < _MAX_LEVEL:
        return False
    if silent:
        return True
    token = state.push("code_block", "code", 0)
    token.content = state.getLines(start, end, 0, False)
    token.map = [start, end]
    state.line = end
    return True


def _harmless(state: StateCore) -> None:
    """Images become links, links open elsewhere and carry nothing along, table alignment becomes a class."""
    for token in state.tokens:
        if token.type in ("th_open", "td_open") and "style" in token.attrs:
            found = _ALIGN.fullmatch(str(token.attrs.pop("style")))
            if found:
                token.attrSet("class", f"align-{found[1]}")
        if token.children:
            token.children = _inline(token.children)


def _inline(children: list[Token]) -> list[Token]:
    safe: list[Token] = []
    in_link = 0
    for token in children:
        if token.type == "link_open":
            in_link += 1
            token.attrs.update(_LINK_ATTRIBUTES)
        elif token.type == "link_close":
            in_link -= 1
        if token.type != "image":
            safe.append(token)
            continue
        source = str(token.attrs.get("src", ""))
        label = Token("text", "", 0, content=token.content or source)
        if in_link:
            safe.append(label)
        else:
            opening = Token("link_open", "a", 1, attrs={"href": source, **_LINK_ATTRIBUTES})
            safe += [opening, label, Token("link_close", "a", -1)]
    return safe


def as_it_is(text: str) -> str:
    """The text without any markup."""
    return f'<pre class="plain">{html.escape(text)}</pre>\n'


class _Begun(NamedTuple):
    """A text in the making: what of it can't change any more."""

    prefix: str
    html: str


class Renderer:
    """Renders Markdown and remembers what it has rendered."""

    def __init__(self) -> None:
        self._parser = _make_parser()
        self._done: OrderedDict[str, str] = OrderedDict()
        self._done_chars = 0
        self._begun: OrderedDict[object, _Begun] = OrderedDict()

    async def render(self, text: str) -> str:
        """The text as HTML. Long ones are made in a thread."""
        known = self._known(text)
        if known is not None:
            return known
        if len(text) > MAX_MARKDOWN:
            made = as_it_is(text)
        elif len(text) > _SHORT:
            made = await asyncio.to_thread(_make_parser().render, text)
        else:
            made = self._parser.render(text)
        self._remember(text, made)
        return made

    async def render_draft(self, key: object, text: str) -> str:
        """The text so far of the draft `key`, which grows from call to call.

        Only the block that is being written is rendered anew; what comes before it was rendered once. (A link whose
        address is defined further down becomes one when the whole text is rendered at the end.)
        """
        if len(text) > MAX_MARKDOWN:
            return as_it_is(text)
        known = self._known(text)
        if known is not None:
            return known
        begun = self._begun.get(key)
        if begun is None or not text.startswith(begun.prefix):
            begun = _Begun("", "")
        tail = text[len(begun.prefix) :]
        if len(tail) > _SHORT:
            made, self._begun[key] = await asyncio.to_thread(_extend, _make_parser(), begun, tail)
        else:
            made, self._begun[key] = _extend(self._parser, begun, tail)
        self._begun.move_to_end(key)
        if len(self._begun) > _DRAFTS:
            self._begun.popitem(last=False)
        self._remember(text, made)
        return made

    def _known(self, text: str) -> str | None:
        if not text:
            return ""
        made = self._done.get(text)
        if made is not None:
            self._done.move_to_end(text)
        return made

    def _remember(self, text: str, made: str) -> None:
        # A thread may have been as quick.
        if text in self._done or len(text) > _CACHE_CHARS // 4:
            return
        self._done[text] = made
        self._done_chars += len(text)
        while self._done_chars > _CACHE_CHARS:
            old, _ = self._done.popitem(last=False)
            self._done_chars -= len(old)


def _extend(parser: MarkdownIt, begun: _Begun, tail: str) -> tuple[str, _Begun]:
    """HTML of the whole text, and how much of it is settled: all blocks but the last one."""
    environment: dict[str, object] = {}
    tokens = parser.parse(tail, environment)
    last = max((i for i, t in enumerate(tokens) if t.level == 0 and t.nesting >= 0 and t.map), default=0)
    place = tokens[last].map if tokens else None
    if not last or place is None or "\r" in tail:
        return begun.html + parser.renderer.render(tokens, parser.options, environment), begun
    settled = begun.html + parser.renderer.render(tokens[:last], parser.options, environment)
    rest = parser.renderer.render(tokens[last:], parser.options, environment)
    return settled + rest, _Begun(begun.prefix + _lines(tail, place[0]), settled)


def _lines(text: str, count: int) -> str:
    """The first lines of a text."""
    end = 0
    for _ in range(count):
        end = text.index("\n", end) + 1
    return text[:end]
