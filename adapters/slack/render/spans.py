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

from adapters.slack.markup import escape

BOLD: Final = "*"
ITALIC: Final = "_"
STRIKE: Final = "~"
CODE: Final = "`"

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
_BLANK: Final = r"[\s\u200b\u2060\ufeff]"
_EDGES: Final = re.compile(rf"({_BLANK}*)(.*?)({_BLANK}*)", re.DOTALL)
#: What ends an address in mrkdwn, or isn't taken in one.
_NOT_IN_URL: Final = re.compile(r"[<>|\s\x00-\x1f]")


class Run(NamedTuple):
    """Text that is marked in one way."""

    text: str
    #: From the outermost.
    marks: tuple[str, ...] = ()
    #: Where it leads; "" for text that isn't a link.
    url: str = ""


class _Piece(NamedTuple):
    kind: Literal["text", "code", "open", "close", "link", "glue"]
    #: As people see it; of a link, its escaped address.
    text: str


def line(runs: Iterable[Run]) -> str:
    """One line in mrkdwn."""
    pieces = _glued(_pieces(_tidy(runs)))
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


def _tidy(runs: Iterable[Run]) -> list[Run]:
    """No mark beside a space that it holds, no neighbours that are marked alike."""
    parts = [part for run in runs for part in _parted(run)]
    cores = [part.marks if part.url or not re.fullmatch(rf"{_BLANK}*", part.text) else None for part in parts]
    before: list[tuple[str, ...]] = []
    held: tuple[str, ...] = ()
    for core in cores:
        held = held if core is None else core
        before.append(held)
    behind: tuple[str, ...] = ()
    for index in range(len(parts) - 1, -1, -1):
        core = cores[index]
        if core is not None:
            behind = core
            continue
        marks = _common(_common(parts[index].marks, before[index]), behind)
        parts[index] = parts[index]._replace(marks=marks)
    tidy: list[Run] = []
    for part in parts:
        if tidy and not part.url and not tidy[-1].url and tidy[-1].marks == part.marks:
            tidy[-1] = tidy[-1]._replace(text=tidy[-1].text + part.text)
        else:
            tidy.append(part)
    return tidy


def _parted(run: Run) -> list[Run]:
    if run.url:
        return [run._replace(text=" ".join(run.text.split()))]
    found = _EDGES.fullmatch(run.text)
    parts = found.groups() if found and run.marks else (run.text,)
    return [run._replace(text=part) for part in parts if part]


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    size = 0
    while size < min(len(one), len(other)) and one[size] == other[size]:
        size += 1
    return one[:size]


def _pieces(runs: Sequence[Run]) -> list[_Piece]:
    pieces: list[_Piece] = []
    held: tuple[str, ...] = ()
    for run in runs:
        kept = len(_common(held, run.marks))
        pieces += [_Piece("close", mark) for mark in reversed(held[kept:])]
        pieces += [_Piece("open", mark) for mark in run.marks[kept:]]
        held = run.marks
        if run.url:
            label = run.text if run.text != run.url else ""
            pieces.append(_Piece("link", f"<{_address(run.url)}{'|' if label else ''}"))
            pieces += [_Piece("text", label)] if label else []
            pieces.append(_Piece("link", ">"))
        else:
            pieces.append(_Piece("code" if CODE in run.marks else "text", run.text))
    return pieces + [_Piece("close", mark) for mark in reversed(held)]


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
