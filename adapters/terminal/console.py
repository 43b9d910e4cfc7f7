"""What may be written on a terminal: text from elsewhere made harmless, and a console that can't be told otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import IO, Any

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.markdown import Heading, Markdown
from rich.segment import Segment
from rich.text import Text as Styled

#: What a terminal obeys instead of showing, or what turns the order of letters around: C0 without tab and line feed,
#: DEL, C1 (ECMA-48, 5.2 and 5.3), the marks of the bidirectional algorithm (Unicode 16, UAX 9, table 4), the line and
#: paragraph separators, the byte order mark, and halves of surrogate pairs, which no terminal can be sent.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
#: A whole control sequence or string (ECMA-48, 5.4 and 5.6), so that nothing of it is left to read: CSI with its
#: parameters; OSC, DCS, APC, PM and SOS up to their end, at most this many characters and never over a line's end.
_SEQUENCE = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"
    "|(?:\x1b[\\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]{0,2048}(?:\x07|\x1b\\\\|\x9c)"
    "|\x1b[ -/]*[0-~]"
)


def safe(text: str) -> str:
    """The text without anything that a terminal would obey; tabs and line feeds stay."""
    if not _UNSAFE.search(text):
        return text
    return _UNSAFE.sub("", _SEQUENCE.sub("", text.replace("\r\n", "\n")))


def one_line(text: str, most: int = 200) -> str:
    """The text as one harmless line of at most `most` characters."""
    line = " ".join(safe(text).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def safe_json(text: str) -> str:
    """JSON that a terminal may be shown: what it would obey is escaped, which JSON reads back as the same text."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def make_console(file: IO[str] | None = None, **options: Any) -> Console:
    """A console that takes every text literally: no markup, no emoji codes, no guessing at highlights."""
    return Console(file=file, markup=False, emoji=False, highlight=False, **options)


def utf8(console: Console) -> bool:
    """Whether the terminal can show more than ASCII."""
    return console.encoding.lower().replace("-", "").replace("_", "") in ("utf8", "utf16", "utf32", "gb18030")


class _Heading(Heading):
    """A heading at the left margin: a chat is no title page."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self.text.justify = "left"
        yield self.text


class _Markdown(Markdown):
    elements = Markdown.elements | {"heading_open": _Heading}


class Safe:
    """Anything, with every piece of its text made harmless after it was laid out.

    Markdown may write a character as a reference (`&#x202e;`), so cleaning the source alone is not enough.
    """

    def __init__(self, renderable: RenderableType) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self._renderable, options):
            yield segment if segment.control else Segment(safe(segment.text), segment.style)


def markdown(text: str) -> Safe:
    """Markdown of a model. Links show their address: a terminal's own would hide where they lead."""
    return Safe(_Markdown(safe(text), code_theme="ansi_dark", hyperlinks=False))


def lines(parts: Iterable[tuple[str, str]]) -> Styled:
    """One styled text from (text, style) pairs; the texts are made harmless."""
    styled = Styled()
    for text, style in parts:
        styled.append(safe(text), style)
    return styled
