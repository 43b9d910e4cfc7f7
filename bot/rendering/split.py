"""A Markdown text in parts that a platform takes, without losing a character of it.

A cut depends only on what precedes it (and on there being more): while a text grows, every part but the last stays as
it is. Streams that can't take anything back show `steady`, everything else `split`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from bot.rendering.blocks import MAX_FENCE, MAX_PREFIX, Break, Open, Walk, fence_of, walk

#: How a platform counts a text: characters, UTF-8 bytes, UTF-16 units. Additive, and at least one per character.
Measure = Callable[[str], int]

#: A limit below this leaves no room between the marks that are added.
LEAST_LIMIT = 128
#: A cut is looked for in the last quarter of what fits, so that no part but the last is nearly empty.
_ZONE = 0.75
#: The most that is added behind a part: the end of a fence.
_CLOSING = "\n" + " " * MAX_PREFIX + "`" * MAX_FENCE
#: Characters before a cut in which links and code spans are looked for.
_NEAR = 500
#: Characters that a cluster (an emoji family, a letter with marks) may have.
_CLUSTER = 64
#: Halves of flags in a row that are counted, to tell where one begins.
_FLAGS = 4_096

_BLANK_LINES = re.compile(r"(?:[ \t\r]*\n)*")
_REST_OF_LINE = re.compile(r"[ \t]*(?:[ \t\r]*\n)*")
_SENTENCE = re.compile(r"[.!?…][\"')\]*_”’]*\s+|[。！？；…][\"')\]*_”’」』）》]*\s*")
_CLAUSE = re.compile(r"[,;:]\s+|[，、：]\s*|\s[–—-]\s+")
_SPACE = re.compile(r"\s+")
#: What would be read as the beginning of a block at the beginning of a part.
_LIKE_BLOCK = re.compile(r"[-+*](?:\s|$)|[#>|]|\d{1,9}[.)](?:\s|$)|`{3}|~{3}|={2,}|-{2,}|\*{3}|[ \t]")
_LIKE_FENCE = re.compile(r"[ \t>]*[`~]{3}")
_TICKS_ONLY = re.compile(r"[ \t>]*[`~]*[ \t]*$")
_ATOM = re.compile(
    r"!?\[[^\[\]\n]{0,300}\](?:\([^\s()]{0,300}(?:\([^\s()]{0,100}\)[^\s()]{0,100})?\))?|<[^<>\s]{1,300}>"
)
_TICKS = re.compile(r"`+")
_INLINE = re.compile(r"\\.|`+|\*\*|~~", re.DOTALL)


def utf8(text: str) -> int:
    """Bytes of a text in UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


def utf16(text: str) -> int:
    """UTF-16 units of a text: what JavaScript calls its length."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(frozen=True, slots=True)
class Piece:
    """One part: a range of the text and what is added to it."""

    start: int
    end: int
    #: Added before: the fence that goes on, the header of the table that goes on.
    head: str
    #: Added behind: the end of an open fence.
    tail: str
    #: Spaces that the lines lose on the left, because what they were nested in is in an earlier part.
    dedent: int
    #: Whether more text can't change it.
    settled: bool
    #: What is open at its start.
    opened: Open

    def body(self, text: str, end: int | None = None) -> str:
        """Its range of the text, as it is shown."""
        body = text[self.start : self.end if end is None else end]
        return _dedented(body, self.dedent) if self.dedent else body


def split(text: str, limit: int, measure: Measure = len) -> list[str]:
    """The text in parts of at most `limit` by `measure`; parts of nothing but white space are left out.

    Fences are closed and opened again, tables are kept whole where they fit and else repeat their header. Raises
    `ValueError` for a limit below `LEAST_LIMIT`.
    """
    shown = ((piece, piece.body(text)) for piece in pieces(text, limit, measure))
    return [piece.head + body + piece.tail for piece, body in shown if body.strip()]


def steady(text: str, limit: int, measure: Measure = len) -> list[str]:
    """What of a growing text can be shown where nothing can be taken back, in the parts that `split` will give.

    Each part of an earlier call begins the same part of a later one, and each part begins the same one of `split`. Held
    back are tables until they are complete, headings until there is text below them, and in the last quarter of a part
    whatever is after the last complete block.
    """
    parts = []
    for piece in pieces(text, limit, measure):
        body = piece.body(text, None if piece.settled else _showable(text, piece, limit, measure))
        if body.strip():
            parts.append(piece.head + body + (piece.tail if piece.settled else ""))
    return parts


def fenced(text: str) -> str:
    """The text with the end of a fence that it left open, so that something can follow it."""
    return text + _tail(text, walk(text, 0, len(text), Open()).open, 0)


def closed(text: str) -> str:
    """A text that is still being written, with what it left open closed: a fence, a code span, bold and struck text."""
    whole = fenced(text)
    if len(whole) > len(text):
        return whole
    body = text.rstrip()
    paragraph = body[-4 * _NEAR :].rpartition("\n\n")[2]
    unclosed: list[str] = []
    for found in _INLINE.finditer(paragraph):
        mark = found[0]
        if unclosed and unclosed[-1][0] == "`":
            if mark == unclosed[-1]:
                unclosed.pop()
        elif mark in unclosed:
            del unclosed[unclosed.index(mark) :]
        elif mark[0] != "\\" and _opens(paragraph, found):
            unclosed.append(mark)
    return body + "".join(reversed(unclosed)) + text[len(body) :]


def _opens(paragraph: str, mark: re.Match[str]) -> bool:
    """Whether a mark without a partner is the beginning of something, and not `2**8`."""
    if len(mark[0]) > MAX_FENCE or mark.end() == len(paragraph) or paragraph[mark.end()].isspace():
        return False
    before = paragraph[mark.start() - 1 : mark.start()]
    return mark[0][0] == "`" or not (before.isascii() and before.isalnum())


def pieces(text: str, limit: int, measure: Measure = len) -> list[Piece]:
    """The parts as ranges of the text, in order; what is between two of them is white space."""
    if limit < LEAST_LIMIT:
        raise ValueError(f"a limit of {limit} is too small: at least {LEAST_LIMIT}")
    found: list[Piece] = []
    start, opened = 0, Open()
    while start < len(text):
        head = _head(opened, limit, measure)
        dedent = _indent(text, start, opened)
        room = _room(head, limit, measure)
        end = _reach(text, start, room, measure)
        if end == len(text):
            seen = walk(text, start, end, opened)
            found.append(Piece(start, end, head, _tail(text, seen.open, dedent), dedent, settled=False, opened=opened))
            break
        cut = _cut(text, start, end, _reach(text, start, int(room * _ZONE), measure), opened)
        tail = _tail(text[start : cut.at], cut.open, dedent)
        found.append(Piece(start, cut.at, head, tail, dedent, settled=True, opened=opened))
        opened = cut.open
        start = cut.at
        if opened.fence is None:
            gap = _BLANK_LINES if text[start - 1] == "\n" else _REST_OF_LINE
            start = _end_of(gap.match(text, start), start)
    return found


def _head(opened: Open, limit: int, measure: Measure) -> str:
    if opened.fence is not None:
        return opened.fence.opening()
    head = "".join(line.lstrip(" ") for line in opened.table.splitlines(keepends=True))
    return head if measure(head) <= limit // 4 else ""


def _tail(body: str, opened: Open, dedent: int) -> str:
    if opened.fence is None:
        return ""
    return ("" if body.endswith("\n") else "\n") + opened.fence.closing(dedent)


def _room(head: str, limit: int, measure: Measure) -> int:
    # Room for the end of a fence is kept always: a text that fits only until it opens one would be cut elsewhere then.
    return limit - measure(head) - measure(_CLOSING)


def _indent(text: str, start: int, opened: Open) -> int:
    if opened.fence is not None:
        return len(opened.fence.prefix) - len(opened.fence.prefix.lstrip(" "))
    if start and text[start - 1] != "\n":
        return 0
    spaces = 0
    while start + spaces < len(text) and text[start + spaces] == " ":
        spaces += 1
    return spaces if start and spaces > 1 else 0


def _dedented(body: str, spaces: int) -> str:
    """The lines without what they were indented by, up to the first that is indented less."""
    lines = body.splitlines(keepends=True)
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip(" "))
        lines[number] = line[min(indent, spaces) :]
        if indent < spaces and line.strip():
            break
    return "".join(lines)


def _reach(text: str, start: int, room: int, measure: Measure) -> int:
    """How far from `start` the text fits into `room`; at least one character."""
    low, high = start + 1, min(start + max(room, 1), len(text))
    if measure(text[start:high]) <= room:
        return high
    while low < high:
        middle = (low + high + 1) // 2
        if measure(text[start:middle]) <= room:
            low = middle
        else:
            high = middle - 1
    return low


def _showable(text: str, piece: Piece, limit: int, measure: Measure) -> int:
    """How much of the last piece no later cut can move to another part."""
    seen = walk(text, piece.start, piece.end, piece.opened)
    zone = _reach(text, piece.start, int(_room(piece.head, limit, measure) * _ZONE), measure)
    shown = max((at for at, block, _ in seen.breaks if block and at > zone), default=zone)
    return min(shown, seen.hold, piece.end)


def _cut(text: str, start: int, end: int, zone: int, opened: Open) -> Break:
    """The best place to cut `text[start:end]`, knowing only that and that more follows."""
    seen = walk(text, start, end, opened)
    if seen.table_held and seen.hold > start:
        return Break(seen.hold, True, Open())
    for block in (True, False):
        places = [place for place in seen.breaks if place.block is block and zone < place.at <= end]
        if places:
            return max(places, key=lambda place: place.at)
    at = _inside(text, max(zone, seen.last_line), end, seen)
    return Break(at, False, Open(fence=seen.open.fence))


def _inside(text: str, low: int, end: int, seen: Walk) -> int:
    """The best place within a line, in `(low, end]`."""
    code = seen.open.fence is not None
    atoms = [] if code else _atoms(text, max(seen.last_line, end - _NEAR), end)

    def good(at: int) -> bool:
        if not _is_edge(text, at):
            return False
        if code:
            # Neither half may look like the end of the fence.
            return not (_TICKS_ONLY.match(text[seen.last_line : at]) or _LIKE_FENCE.match(text, at, end + 1))
        return not _LIKE_BLOCK.match(text[at : end + 1]) and fence_of(text[seen.last_line : at]) is None

    for place in (_SPACE,) if code else (_SENTENCE, _CLAUSE, _SPACE):
        for at in reversed([found.end() for found in place.finditer(text, low, end)]):
            if at > low and all(not first < at < last for first, last in atoms) and good(at):
                return at
    for first, last in atoms:
        if last > end and low < first and good(first):
            return first
    for at in range(end, max(low, end - _CLUSTER), -1):
        if good(at):
            return at
    return end


def _atoms(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Ranges of code spans and links near the end; one that the end cuts off is taken to go on."""
    atoms: list[tuple[int, int]] = []
    at = start
    while at < end:
        if text[at] == "`":
            ticks = _TICKS.match(text, at, end)
            after = _end_of(ticks, at)
            mark = text[at:after]
            closing = next((m for m in _TICKS.finditer(text, after, end) if m[0] == mark), None)
            atoms.append((at, end + 1 if closing is None else closing.end()))
            at = after if closing is None else closing.end()
        elif text[at] in "[<!":
            whole = _ATOM.match(text, at, end)
            after = _end_of(whole, at + 1)
            goes_on = whole is None or (text[after - 1] == "]" and text[after] == "(")
            if whole is not None or text[at] == "[":
                atoms.append((at, end + 1 if goes_on else after))
            at = after
        else:
            at += 1
    return atoms


def _is_edge(text: str, at: int) -> bool:
    """Whether a cut here leaves characters whole that belong together."""
    before, after = text[at - 1], text[at]
    if before in "\u200d\\" or after in "\u200d`" or "\ud800" <= before <= "\udbff" or (before + after) == "\r\n":
        return False
    if unicodedata.category(after) in ("Mn", "Mc", "Me") or "\U0001f3fb" <= after <= "\U0001f3ff":
        return False
    if after <= "\U000e007f" and after >= "\U000e0020":
        return False
    if not _is_flag_half(after):
        return True
    halves = 0
    while at - halves > 0 and halves < _FLAGS and _is_flag_half(text[at - halves - 1]):
        halves += 1
    return halves % 2 == 0


def _is_flag_half(ch: str) -> bool:
    return "\U0001f1e6" <= ch <= "\U0001f1ff"


def _end_of(found: re.Match[str] | None, otherwise: int) -> int:
    return otherwise if found is None else found.end()
