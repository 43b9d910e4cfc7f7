"""One line of text with marks, in Discord's Markdown. Pure.

Discord publishes no grammar. What is relied on here are the rules of its clients as they are widely known: `**`, `*`
and `~~` count anywhere, in the middle of a word, too, where the one that closes isn't followed by another of its kind;
code ends at as many backticks as it began with; an address in angle brackets ends at the bracket and has no preview.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, Literal, NamedTuple
from urllib.parse import unquote

from markdown_it.common.normalize_url import normalizeLink

from adapters.chat.render.addresses import INVISIBLE, disguised
from adapters.chat.render.runs import Mark, Run, common, tidy
from adapters.discord.render.quiet import INVITE, PARTING, calm, escaped, started

_SIGNS: Final[dict[Mark, str]] = {"bold": "**", "italic": "*", "strike": "~~"}

#: Code with one of these can't be marked: Discord would take it for the end of the mark.
_FRAGILE: Final = re.compile(r"[*_~|\\`]")
_TICKS: Final = re.compile(r"`{2,}")
_LONG_TICKS: Final = re.compile(r"`{3,}")
#: What Discord takes for the name of a language.
_LANGUAGE: Final = re.compile(r"[A-Za-z0-9_+\-.#]{1,24}")

_IN_URL: Final = r"[!#-'+-;=?-Z_a-z~()@%&$]"
_FOREIGN: Final = r"[^\W\x00-\x7f]"
#: An address in a text. Other letters than ASCII belong to it where they begin something: Chinese puts no space behind.
_URL: Final = re.compile(
    rf"https?://(?:[0-9A-Za-z]|{_FOREIGN}){_IN_URL}*(?:(?<=[/=_#?&-]){_FOREIGN}(?:{_IN_URL}|{_FOREIGN})*)?",
    re.IGNORECASE,
)
_BEHIND_URL: Final = ".,:;!?'_~&"
#: What would end an address early, or be taken for a mark in it.
_UNSAFE_IN_URL: Final = re.compile(rf"[\s<>\\`*|\"{INVISIBLE}]|~(?=~)|@(?=(?i:everyone|here))")
_UNSAFE_IN_TARGET: Final = re.compile(r"[()]")
_ENCODED: Final = re.compile(r"(?:%[89A-Fa-f][0-9A-Fa-f])+")
_HIDES: Final = re.compile(rf"[\[\]]|://|{INVITE}")


class _Piece(NamedTuple):
    kind: Literal["text", "code", "open", "close", "link", "glue"]
    #: As it is written, but for text.
    text: str


def line(runs: Iterable[Run]) -> str:
    """One line; whatever its text begins with, it is a paragraph."""
    pieces = _glued(_pieces(_tidy(runs)))
    made: list[str] = []
    for at, piece in enumerate(pieces):
        if piece.kind != "text":
            made.append(piece.text)
            continue
        before = pieces[at - 1].text[-1:] if at else ""
        after = pieces[at + 1].text[:1] if at + 1 < len(pieces) else ""
        text = escaped(piece.text, before, after)
        # What is in marks is read like a text of its own: a quote in italics is a quote.
        begins = at == 0 or pieces[at - 1].kind in ("open", "glue")
        made.append(started(text) if begins else text)
    return "".join(made)


def code(content: str) -> str:
    """Code within a line."""
    text = calm(content)
    if "`" not in text:
        return f"`{text}`"
    text = _TICKS.sub(lambda ticks: PARTING.join(ticks[0]), text)
    left, right = " " if text[0] == "`" else "", " " if text[-1] == "`" else ""
    return f"``{left}{text}{right}``"


def fence(content: str, info: str = "") -> str:
    """Lines of code; no end of the fence in them."""
    body = _LONG_TICKS.sub(lambda ticks: PARTING.join(ticks[0]), content.strip("\n"))
    word = info.split()[0] if info.strip() else ""
    return f"```{word if _LANGUAGE.fullmatch(word) else ''}\n{calm(body)}\n```"


def hides(label: str, url: str) -> bool:
    """Whether the text of a link must be shown with the address behind it.

    That is so where it shows another address, and where Discord wouldn't make a link of it: with an address or brackets
    in its text, or to a mailbox.
    """
    if _is_same(label, url):
        return False
    return url.startswith("mailto:") or _HIDES.search(label) is not None or disguised(label, url)


def _is_same(label: str, url: str) -> bool:
    return label == url or f"mailto:{label}" == url or normalizeLink(label) == url


def _tidy(runs: Iterable[Run]) -> list[Run]:
    """Runs as Discord can show them: no marks around code that would end them, no links to mailboxes."""
    shown = []
    for run in runs:
        if run.url.startswith("mailto:"):
            run = Run(run.text.removeprefix("mailto:"), run.marks)
        elif "code" in run.marks:
            run = run._replace(marks=("code",) if _FRAGILE.search(run.text) else run.marks)
        shown.append(run)
    return tidy(shown)


def _pieces(runs: Sequence[Run]) -> list[_Piece]:
    pieces: list[_Piece] = []
    held: tuple[Mark, ...] = ()
    for run in runs:
        marks = tuple(mark for mark in run.marks if mark != "code")
        kept = len(common(held, marks))
        pieces += [_Piece("close", _SIGNS[mark]) for mark in reversed(held[kept:])]
        pieces += [_Piece("open", _SIGNS[mark]) for mark in marks[kept:]]
        held = marks
        if run.url:
            pieces.append(_Piece("link", _link(run.text, run.url)))
        elif "code" in run.marks:
            pieces.append(_Piece("code", code(run.text)))
        else:
            pieces += _words(run.text)
    return pieces + [_Piece("close", _SIGNS[mark]) for mark in reversed(held)]


def _words(text: str) -> list[_Piece]:
    """Text, and the addresses in it."""
    pieces, done = [], 0
    for found in _URL.finditer(text):
        url = found[0]
        while url[-1] in _BEHIND_URL or (url[-1] == ")" and url.count(")") > url.count("(")):
            url = url[:-1]
        url = url.partition("~~")[0]
        pieces += [_Piece("text", text[done : found.start()]), _Piece("link", f"<{_safe(url)}>")]
        done = found.start() + len(url)
    pieces.append(_Piece("text", text[done:]))
    return [piece for piece in pieces if piece.text]


def _link(label: str, url: str) -> str:
    if _is_same(label, url):
        found = _URL.fullmatch(label)
        return f"<{_safe(label if found else url)}>"
    target = _UNSAFE_IN_TARGET.sub(_percent, _safe(url))
    return f"[{started(escaped(label, '[', ']'))}](<{target}>)"


def _safe(url: str) -> str:
    """An address with letters as people write them, and without signs that mean something."""
    return _UNSAFE_IN_URL.sub(_percent, _ENCODED.sub(_letters, url))


def _letters(found: re.Match[str]) -> str:
    try:
        text = unquote(found[0], errors="strict")
    except UnicodeDecodeError:
        return found[0]
    return text if all(ch.isalnum() for ch in text) else found[0]


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "replace"))


def _glued(pieces: Sequence[_Piece]) -> list[_Piece]:
    """With what keeps signs apart that Discord would read as one."""
    glued = list(pieces[:1])
    for before, piece in pairwise(pieces):
        touch = before.text[-1:] + piece.text[:1]
        signs = before.kind in ("open", "close") and piece.kind in ("open", "close")
        ticks = piece.kind == "code" and before.text[-1:] == "`"
        if ticks or (signs and touch in ("**", "~~")):
            glued.append(_Piece("glue", PARTING))
        glued.append(piece)
    return glued
