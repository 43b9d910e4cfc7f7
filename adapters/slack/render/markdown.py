"""Model Markdown for Slack's `markdown_text`: nothing in it pings or leads elsewhere than it says.

What Slack would read as a mention is parted by a zero width space, in code as well, since nobody but Slack knows what
it reads there: the sign stays readable, it only does nothing. Where the text of a link shows another address than its
target, a space between the two makes both visible. Images become links.

All of it depends on what was read so far and a few characters more, so that a growing text can be sent piece by piece
(`stable`), and a mention can't come together from two pieces.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import NamedTuple

from adapters.chat.render.addresses import INVISIBLE, MAX_LABEL, SCHEMES, disguised, scheme, shows_address
from bot.rendering.blocks import Fence, fence_of

#: Parts a mention.
PARTING = "\u200b"
#: Beside emphasis that Markdown would not see: between a Chinese quote or colon and the next character.
THIN = "\u200a"
#: Shown for an image without a text.
PICTURE = "🖼"
#: What Slack makes of `@` and a word, in any case of letters.
_EVERYBODY = ("here", "channel", "everyone")
#: Characters; a longer target of a link is not read to its end.
_MAX_TARGET = 2_048

_TRIGGER = re.compile(r"[<&@!\[\]`\\*\n]")
#: What may stand between the letters of a mention and be gone when Slack looks: invisible characters, Markdown's marks.
_JUNK = re.compile(f"[{INVISIBLE}\x00-\x08\x0b\x0c\x0e-\x1f\x7f*_~`\\\\]*")
_UNSEEN = re.compile(f"[{INVISIBLE}]*")
_ENTITY = re.compile(
    r"&(?:amp;){0,8}(?:(?:#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,7}|lt|LT|gt|GT|amp|AMP);?|[A-Za-z][A-Za-z0-9]{1,31};)"
)
_MAYBE_ENTITY = re.compile(r"&(?:amp;){0,8}[#0-9A-Za-z]{0,33}\Z")
_HARMLESS = re.compile(r"!(?:doctype|element|entity|attlist|notation)\b", re.IGNORECASE)
_HARMLESS_WORDS = ("!doctype", "!element", "!entity", "!attlist", "!notation")
_AUTOLINK = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30}):([^\s<>|]*+)")
_MAYBE_AUTOLINK = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}\Z")
_IN_URL = re.compile(r"[a-z]+://[^\s<>\"|]*\Z", re.IGNORECASE)

_DESTINATION = r"(?:<([^<>\n]*+)>|([^\s()<>]*+(?:\([^\s()<>]*+\)[^\s()<>]*+)*+))"
_LINK = re.compile(rf"\s*+{_DESTINATION}(?:\s++(?:\"[^\"]*+\"|'[^']*+'|\([^()]*+\)))?+\s*+\)")
_MAYBE_LINK = re.compile(
    r"\s*+(?:<[^<>\n]*+>?+|[^\s()<>]*+(?:\([^\s()<>]*+\)[^\s()<>]*+)*+(?:\([^\s()<>]*+)?+)"
    r"(?:\s++(?:\"[^\"]*+\"?+|'[^']*+'?+|\([^()]*+\)?+)?+)?+\s*+\Z"
)
_LOOSE_TARGET = re.compile(r"\s*+<?([^\s<>()]*+)")
_ALT = re.compile(r"\[([^\[\]\n]{0,300})\]\(")
_MAYBE_ALT = re.compile(r"\[[^\[\]\n]{0,300}(?:\])?\Z")
_LABEL_START = re.compile(r"[ \t>*+\-0-9.)]*")
_DEFINED = re.compile(r":[ \t]*\n?[ \t]*<?([^\s:/?#]{0,40}:?)")


def neutralise(text: str) -> str:
    """The whole text, safe to send as `markdown_text`. Doing it again changes nothing."""
    return _Scan(text, final=True).scan()


def stable(text: str) -> str:
    """As much of a text in the making as can be sent now: the same beginning that `neutralise` gives for whatever the
    text becomes.
    """
    return _Scan(text, final=False).scan()


class _More(Exception):
    """What follows decides."""


class _Bracket(NamedTuple):
    at: int
    outer: _Bracket | None


class _Ticks(NamedTuple):
    """A row of backticks that may begin a code span."""

    size: int
    brackets: _Bracket | None


class _Scan:
    def __init__(self, text: str, *, final: bool) -> None:
        self._text = text
        self._final = final
        self._out: list[str] = []
        #: Up to here the text is in `_out`.
        self._done = 0
        self._line = 0
        self._fence: Fence | None = None
        #: The character that a backslash stands before.
        self._escaped = -1
        self._clear()

    def _clear(self) -> None:
        """A new paragraph."""
        #: Brackets as Markdown pairs them (not those in code or behind a backslash), and as a simpler reader would.
        self._brackets: _Bracket | None = None
        self._all_brackets: _Bracket | None = None
        self._ticks: list[_Ticks] = []
        #: Rows of asterisks, by size, that have opened emphasis.
        self._open: set[int] = set()

    def scan(self) -> str:
        at, end = 0, len(self._text)
        while at < end:
            found = _TRIGGER.search(self._text, at)
            if found is None:
                break
            at = found.start()
            try:
                at = self._take(at, found[0])
            except _More:
                end = at
        self._out.append(self._text[self._done : end])
        return "".join(self._out)

    def _insert(self, at: int, mark: str) -> None:
        self._out += (self._text[self._done : at], mark)
        self._done = at

    def _take(self, at: int, sign: str) -> int:
        """Take what begins at `at`; where to go on. Raises `_More` when that is not known yet."""
        after = at + 1
        if sign == "&":
            sign, after = self._entity(at)
            if sign not in ("@", "<"):
                return after
        match sign:
            case "@":
                self._mention(at, after)
            case "<":
                self._control(after)
            case "!":
                self._image(at)
            case "[":
                self._all_brackets = _Bracket(at, self._all_brackets)
                if self._escaped != at:
                    self._brackets = _Bracket(at, self._brackets)
            case "]":
                self._close(at)
            case "`":
                return self._backticks(at)
            case "\\":
                self._escaped = -1 if self._escaped == at else after
            case "*":
                return self._asterisks(at)
            case "\n":
                self._end_line(at)
        return after

    # --- Mentions -----------------------------------------------------------------------------------------------------

    def _entity(self, at: int) -> tuple[str, int]:
        """The character that an entity stands for, and its end; the ampersand itself where there is no entity."""
        found = _ENTITY.match(self._text, at)
        if not self._final and _MAYBE_ENTITY.match(self._text, at):
            raise _More
        if found is None:
            return "&", at + 1
        decoded = found[0]
        while (again := html.unescape(decoded)) != decoded:
            decoded = again
        return (decoded, found.end()) if len(decoded) == 1 else ("&", at + 1)

    def _next(self, at: int) -> tuple[str, int]:
        """The next character as somebody might read it who drops marks and decodes entities; "" at the end."""
        junk = _JUNK.match(self._text, at)
        at = junk.end() if junk else at
        if at == len(self._text):
            if self._final:
                return "", at
            raise _More
        return self._entity(at) if self._text[at] == "&" else (self._text[at], at + 1)

    def _mention(self, at: int, after: int) -> None:
        word, place = "", after
        while any(name.startswith(word) for name in _EVERYBODY):
            letter, place = self._next(place)
            if not letter:
                return
            word += letter.lower()
            if word in _EVERYBODY:
                break
        else:
            return
        if self._text[at] == "@" and _IN_URL.search(self._text, max(self._line, at - 300), at):
            # The address still leads there.
            self._insert(at, "%40")
            self._done = after
        else:
            self._insert(after, PARTING)

    def _control(self, after: int) -> None:
        """`<` and what makes it one of Slack's sequences: `<!here>`, `<@U1>`, `<#C1>`, `<address|other text>`."""
        sign, place = self._next(after)
        if sign in ("!", "@", "#"):
            letter, _ = self._next(place)
            if not (letter.isalnum() if sign != "!" else letter.isalpha()):
                return
            rest = self._text[after : after + 10].lower()
            if not self._final and any(word.startswith(rest) for word in _HARMLESS_WORDS):
                raise _More
            if sign == "!" and _HARMLESS.match(rest):
                return
            self._insert(after, PARTING)
        elif sign.isalpha():
            self._autolink(after)

    def _autolink(self, after: int) -> None:
        if not self._final and _MAYBE_AUTOLINK.match(self._text, after):
            raise _More
        found = _AUTOLINK.match(self._text, after)
        if found is None:
            return
        end = found.end()
        if end == len(self._text) and not self._final and end - after < _MAX_TARGET:
            raise _More
        follows = self._text[end : end + 1]
        parted = follows == "|" or "|" in html.unescape(found[2]) or (end - after >= _MAX_TARGET)
        other = found[1].lower() not in SCHEMES and follows == ">" and not found[2].startswith(":")
        if parted or (other and not self._in_code()):
            self._insert(after, PARTING)

    # --- Links --------------------------------------------------------------------------------------------------------

    def _in_code(self) -> bool:
        return self._fence is not None or bool(self._ticks)

    def _char(self, at: int) -> str:
        if at < len(self._text):
            return self._text[at]
        if self._final:
            return ""
        raise _More

    def _image(self, at: int) -> None:
        if self._char(at + 1) != "[" or self._in_code() or self._escaped == at:
            return
        if not self._final and _MAYBE_ALT.match(self._text, at + 1):
            raise _More
        found = _ALT.match(self._text, at + 1)
        if found is None or self._target(found.end())[1] is False:
            return
        if self._text[at - 1 : at] == "!":
            self._insert(at + 1, PARTING)
        else:
            self._insert(at, "")
            self._done = at + 1
        if not found[1].strip():
            self._insert(at + 2, PICTURE)

    def _target(self, at: int) -> tuple[str, bool]:
        """The target of a link behind `](`, and whether it is well formed."""
        window = self._text[at : at + _MAX_TARGET]
        found = _LINK.match(window)
        if found is not None:
            return found[1] or found[2] or "", True
        if not self._final and len(window) < _MAX_TARGET and _MAYBE_LINK.match(window):
            raise _More
        loose = _LOOSE_TARGET.match(window)
        return loose[1] if loose else "", False

    def _close(self, at: int) -> None:
        """A closing bracket: the end of a link's text, if the right thing follows."""
        starts = {bracket.at for bracket in (self._all_brackets, self._brackets) if bracket is not None}
        if self._all_brackets is not None:
            self._all_brackets = self._all_brackets.outer
        if self._brackets is not None and self._escaped != at:
            self._brackets = self._brackets.outer
        unseen = _UNSEEN.match(self._text, at + 1)
        follows = unseen.end() if unseen else at + 1
        sign = self._char(follows)
        if sign not in ("(", "[", ":") or not starts:
            return
        labels = [self._text[max(start + 1, at - MAX_LABEL - 1) : at] for start in starts]
        if self._fence is not None:
            labels = [label for label in labels if len(label) <= MAX_LABEL]
        if sign == "(":
            target, whole = self._target(follows + 1)
            elsewhere = whole and not self._in_code() and scheme(target) not in SCHEMES | {""}
            if elsewhere or any(disguised(label, target) for label in labels):
                self._insert(at + 1, " ")
        elif any(map(shows_address, labels)):
            self._insert(at + 1, " " if sign == "[" else PARTING)
        elif sign == ":" and not self._in_code() and self._defines_elsewhere(min(starts), follows):
            self._insert(at + 1, PARTING)

    def _defines_elsewhere(self, start: int, colon: int) -> bool:
        """Whether a line defines a link (`[1]: address`) that leads where none may."""
        if _LABEL_START.fullmatch(self._text, self._line, start) is None:
            return False
        found = _DEFINED.match(self._text, colon)
        if found is None:
            return False
        if found.end() == len(self._text) and not self._final:
            raise _More
        return "&" in found[1] or "\\" in found[1] or (":" in found[1] and scheme(found[1]) not in SCHEMES | {""})

    # --- Where we are -------------------------------------------------------------------------------------------------

    def _backticks(self, at: int) -> int:
        after = at
        while after < len(self._text) and self._text[after] == "`":
            after += 1
        if after == len(self._text) and not self._final:
            raise _More
        if self._fence is not None:
            return after
        size = after - at
        for number, ticks in enumerate(self._ticks):
            if ticks.size == size:
                # What is between the two is code, and so are its brackets.
                self._brackets = ticks.brackets
                del self._ticks[number:]
                return after
        size -= self._escaped == at
        if size:
            self._ticks.append(_Ticks(size, self._brackets))
        return after

    def _asterisks(self, at: int) -> int:
        after = at
        while after < len(self._text) and self._text[after] == "*":
            after += 1
        following = self._char(after)
        if self._in_code() or self._escaped == at or after - at > 3:
            return after
        size, before = after - at, self._text[at - 1] if at else ""
        chinese = any(not ch.isascii() and (_is_sign(ch) or _is_word(ch)) for ch in (before, following))
        if size in self._open and before.strip():
            self._open.discard(size)
            if chinese and _is_sign(before) and _is_word(following):
                self._insert(after, THIN)
        elif following.strip():
            self._open.add(size)
            if chinese and _is_sign(following) and _is_word(before):
                self._insert(at, THIN)
        return after

    def _end_line(self, at: int) -> None:
        line = self._text[self._line : at]
        self._line = at + 1
        if not line.strip():
            self._clear()
        elif self._fence is not None:
            self._fence = None if self._fence.ends_with(line) else self._fence
        else:
            self._fence = fence_of(line)
            if self._fence is not None:
                self._clear()


def _is_sign(ch: str) -> bool:
    """Punctuation and symbols, as emphasis counts them."""
    return ch != "" and unicodedata.category(ch)[0] in "PS"


def _is_word(ch: str) -> bool:
    return ch != "" and unicodedata.category(ch)[0] in "LNM"
