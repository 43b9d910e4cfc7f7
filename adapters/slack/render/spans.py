"""One line of text with marks, in mrkdwn. Pure.

Slack has no escape for its marks, and no published grammar. What is relied on here:

- `&`, `<` and `>` are escaped, so that no text becomes a link, a call or a date.
- A mark counts only at the edge of a word, and Chinese characters are letters to it: where neither a space nor
  punctuation is beside one of ours, a zero-width space (U+200B) is, as other converters to mrkdwn have it.
- Characters of the text that would be read as marks are replaced by others that look alike (`LOOKS`), and only those
  that could have a partner in their line: nothing invisible is known to stop Slack from taking them for marks.
- A word joiner (U+2060) keeps names from ringing (`@\u2060here`) and a line from being a quote.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from adapters.chat.render.runs import Mark, Run, common, tidy
from adapters.slack.hearing.markup import escape

BOLD: Final = "*"
ITALIC: Final = "_"
STRIKE: Final = "~"
CODE: Final = "`"
_SIGNS: Final[dict[Mark, str]] = {"bold": BOLD, "italic": ITALIC, "strike": STRIKE, "code": CODE}

#: The edge of a word that can't be seen.
EDGE: Final = "\u200b"
#: Keeps apart what means something together.
JOINER: Final = "\u2060"
#: What stands for a mark that is none.
LOOKS: Final = {BOLD: "\u2217", ITALIC: "\u02cd", STRIKE: "\u223c", CODE: "\u02cb"}

#: Beside a mark these are the edge of a word, as white space and the edge of the line are.
_BEFORE: Final = frozenset("([{\"'")
_BEHIND: Final = frozenset(".,:;!?)]}\"'")
#: Groups that everybody is in; Slack knows `@group`, too.
_RINGS: Final = re.compile(r"@(?=(?:channel|here|everyone|group)(?![a-z0-9_]))", re.IGNORECASE)
_MARK: Final = re.compile(r"[*_~`]")
_SAME_MARKS: Final = re.compile(r"([*_~`])\1*")
_TICKS: Final = re.compile(r"`{3,}")
_LIKE_QUOTE: Final = re.compile(r"\s*(?:&gt;|\N{FULLWIDTH GREATER-THAN SIGN})")
#: What ends an address in mrkdwn, or isn't taken in one.
_NOT_IN_URL: Final = re.compile(r"[<>|\s\x00-\x1f]")


class _Piece(NamedTuple):
    kind: Literal["text", "code", "open", "close", "link", "glue"]
    #: As people see it; of a link, its escaped address.
    text: str


def line(runs: Iterable[Run]) -> str:
    """One line in mrkdwn."""
    pieces = _glued(_pieces(tidy(runs)))
    looks = _taken_for_marks(pieces)
    made: list[str] = []
    at = 0
    for piece in pieces:
        made.append(_shown(piece, at, looks))
        at += 1 if piece.kind == "link" else len(piece.text)
    return "".join(made)


def unquoted(text: str) -> str:
    """A line that isn't a quote, whatever it begins with."""
    return JOINER + text if _LIKE_QUOTE.match(text) else text


def quiet(text: str) -> str:
    """Text that stands for itself where no marks are read: escaped, and nobody is called."""
    return escape(_RINGS.sub(f"@{JOINER}", text))


def fence(content: str) -> str:
    """Lines in monospace; no end of the fence in them."""
    body = _TICKS.sub(lambda ticks: JOINER.join(ticks[0]), content)
    return f"```\n{quiet(body)}\n```"


def _pieces(runs: Sequence[Run]) -> list[_Piece]:
    pieces: list[_Piece] = []
    held: tuple[Mark, ...] = ()
    for run in runs:
        kept = len(common(held, run.marks))
        pieces += [_Piece("close", _SIGNS[mark]) for mark in reversed(held[kept:])]
        pieces += [_Piece("open", _SIGNS[mark]) for mark in run.marks[kept:]]
        held = run.marks
        if run.url:
            label = run.text if run.text != run.url else ""
            pieces.append(_Piece("link", f"<{_address(run.url)}{'|' if label else ''}"))
            pieces += [_Piece("text", label)] if label else []
            pieces.append(_Piece("link", ">"))
        else:
            pieces.append(_Piece("code" if "code" in run.marks else "text", run.text))
    return pieces + [_Piece("close", _SIGNS[mark]) for mark in reversed(held)]


def _glued(pieces: Sequence[_Piece]) -> list[_Piece]:
    """With what makes each mark stand at the edge of a word."""
    glued = list(pieces[:1])
    for before, piece in pairwise(pieces):
        if piece.kind == "open" and before.kind != "open":
            needs = before.kind != "text" or not (before.text[-1].isspace() or before.text[-1] in _BEFORE)
        else:
            needs = before.kind == "close" and piece.kind != "close"
            needs = needs and (piece.kind != "text" or not (piece.text[0].isspace() or piece.text[0] in _BEHIND))
        if needs:
            glued.append(_Piece("glue", EDGE))
        glued.append(piece)
    return glued


def _taken_for_marks(pieces: Sequence[_Piece]) -> frozenset[int]:
    """Places of characters of the text, as `line` counts them, that Slack could pair with a mark in the line."""
    flat = "".join("|" if piece.kind == "link" else piece.text for piece in pieces)
    places: list[tuple[int, bool, bool, bool]] = []
    taken: set[int] = set()
    at = 0
    for piece in pieces:
        size = 1 if piece.kind == "link" else len(piece.text)
        if piece.kind in ("open", "close"):
            places.append((at, False, piece.kind == "open", piece.kind == "close"))
        elif piece.kind == "text":
            for found in _SAME_MARKS.finditer(flat, at, at + size):
                before, behind = flat[found.start() - 1 : found.start()], flat[found.end() : found.end() + 1]
                opens = bool(behind) and not behind.isspace() and not before.isalnum()
                closes = bool(before) and not before.isspace() and not behind.isalnum()
                places += [(place, True, opens, closes) for place in range(*found.span())]
            for ticks in _TICKS.finditer(flat, at, at + size):
                taken.update(range(ticks.start(), ticks.end()))
        at += size
    opened: set[str] = set()
    for place, literal, opens, closes in places:
        if literal and closes and flat[place] in opened:
            taken.add(place)
        if opens:
            opened.add(flat[place])
    closed: set[str] = set()
    for place, literal, opens, closes in reversed(places):
        if literal and opens and flat[place] in closed:
            taken.add(place)
        if closes:
            closed.add(flat[place])
    return frozenset(taken)


def _shown(piece: _Piece, at: int, looks: frozenset[int]) -> str:
    if piece.kind == "code":
        return quiet(piece.text.replace(CODE, LOOKS[CODE]))
    if piece.kind != "text":
        return piece.text
    text = _MARK.sub(lambda mark: LOOKS[mark[0]] if at + mark.start() in looks else mark[0], piece.text)
    return quiet(text)


def _address(url: str) -> str:
    safe = _NOT_IN_URL.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), url)
    return safe.replace("&", "&amp;")
