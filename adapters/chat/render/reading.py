"""How Markdown is read: CommonMark with tables and struck text, and what chat models write beside it."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.common.utils import isWhiteSpace
from markdown_it.rules_block import StateBlock, reference
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter

#: A block of lines that stand for themselves.
VERBATIM: Final = "verbatim"

#: Levels of nested quotes and lists (a list counts twice); what is nested deeper is shown as it is.
_MAX_LEVEL: Final = 16
#: Characters and lines in which the end of a formula is looked for.
_FORMULA: Final = 2_000
_FORMULA_LINES: Final = 30

_SAFE_LINK: Final = re.compile(r"https?://|mailto:", re.IGNORECASE)
#: A dollar sign is also money: no space inside, no digit behind, no code.
_DOLLARS: Final = re.compile(rf"\$\$[^`]{{1,{_FORMULA}}}?\$\$|\$(?![\s$])[^$`\n]{{1,500}}(?<![\s\\])\$(?![\d$])")
_ENDS: Final = {"$$": "$$", "\\[": "\\]"}


def make_parser() -> MarkdownIt:
    """A parser. HTML is text, links lead only to http, https and mailto, formulas and footnotes are text."""
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": _MAX_LEVEL + 4})
    parser.enable(["table", "strikethrough"])
    parser.validateLink = lambda url: _SAFE_LINK.match(url) is not None  # type: ignore[method-assign]
    blocks = parser.block.ruler
    blocks.before("table", "too_deep", _too_deep, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    blocks.before("table", "formula", _formula_block, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    blocks.at("reference", _definition)
    parser.inline.ruler.before("escape", "formula", _formula)
    parser.inline.ruler.before("emphasis", "cjk_emphasis", _cjk_emphasis)
    return parser


def _verbatim(state: StateBlock, start: int, end: int) -> None:
    token = state.push(VERBATIM, "", 0)
    token.content = state.getLines(start, end, state.blkIndent, False)
    token.map = [start, end]
    state.line = end


def _too_deep(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Show what is nested too deeply as it is; the parser would drop it."""
    if state.level < _MAX_LEVEL:
        return False
    if not silent:
        _verbatim(state, start, end)
    return True


def _formula_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A formula on lines of its own, which may look like lists, headings and whatever else."""
    if state.is_code_block(start):
        return False
    closing = _ENDS.get(_line(state, start)[:2])
    if closing is None:
        return False
    for number in range(start, min(end, start + _FORMULA_LINES)):
        line = _line(state, number)
        if not line or state.sCount[number] < state.blkIndent:
            return False
        if closing in (line[2:] if number == start else line):
            # What goes on behind it is a paragraph that begins with a formula.
            if not line.endswith(closing):
                return False
            if not silent:
                _verbatim(state, start, number + 1)
            return True
    return False


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]].rstrip()


def _definition(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """`[1]: https://…` is what `[1]` leads to, and is shown: nothing may lead there. A footnote is only shown."""
    if _line(state, start).startswith("[^") or not reference(state, start, end, silent):
        return False
    if not silent:
        _verbatim(state, start, state.line)
    return True


def _formula(state: StateInline, silent: bool) -> bool:
    """A formula within a line."""
    pos, src = state.pos, state.src
    if src[pos] == "$":
        found = _DOLLARS.match(src, pos, state.posMax)
        end = found.end() if found else -1
    elif src.startswith(("\\(", "\\["), pos):
        closing = "\\)" if src[pos + 1] == "(" else "\\]"
        end = src.find(closing, pos + 2, min(pos + _FORMULA, state.posMax))
        end = end + 2 if end >= 0 else -1
    else:
        return False
    if end < 0:
        return False
    if not silent:
        state.append_pending(src[pos:end])
    state.pos = end
    return True


def _cjk_emphasis(state: StateInline, silent: bool) -> bool:
    """`**重点：**后文`: CommonMark takes an asterisk between punctuation and a letter for none, and Chinese puts no
    spaces there.
    """
    pos, src = state.pos, state.src
    if silent or src[pos] != "*":
        return False
    scanned = state.scanDelims(pos, True)
    before = src[pos - 1] if pos else " "
    after = src[pos + scanned.length] if pos + scanned.length < state.posMax else " "
    opens = scanned.can_open or (is_wide(before) and not isWhiteSpace(ord(after)))
    closes = scanned.can_close or (is_wide(after) and not isWhiteSpace(ord(before)))
    for _ in range(scanned.length):
        state.push("text", "", 0).content = "*"
        state.delimiters.append(Delimiter(ord("*"), scanned.length, len(state.tokens) - 1, -1, opens, closes))
    state.pos += scanned.length
    return True


def is_wide(ch: str) -> bool:
    """Whether a character takes two columns in monospace, as Chinese ones do."""
    return unicodedata.east_asian_width(ch) in "WF"


def columns(text: str) -> int:
    """Columns that a text takes in monospace."""
    return sum(0 if unicodedata.category(ch) in ("Mn", "Me", "Cf") else 1 + is_wide(ch) for ch in text)
