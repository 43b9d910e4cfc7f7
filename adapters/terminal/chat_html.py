"""The safe HTML of a step's result as plain text: a terminal shows no HTML."""

from __future__ import annotations

from html.parser import HTMLParser

_BLOCKS = frozenset({"p", "div", "li", "tr", "pre", "table", "ul", "ol", "blockquote", "h1", "h2", "h3", "h4", "br"})
_CELLS = frozenset({"td", "th"})


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self.pieces.append("\n")
        elif tag in _CELLS:
            self.pieces.append("  ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)


def text_of(html: str) -> str:
    """The words, a line for each block; no empty lines."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    found = "".join(reader.pieces).splitlines()
    return "\n".join(line.strip() for line in found if line.strip())
