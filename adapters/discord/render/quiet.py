"""Text that stands for itself in Discord's Markdown: nothing in it is a mark, a mention, an emoji or a link. Pure.

A backslash before any sign takes away its meaning in Discord's clients. Whom a message pings is decided elsewhere, by
Discord's servers, from the text as it is: what they look for is parted by a zero width space (U+200B).
"""

from __future__ import annotations

import re
from typing import Final

from adapters.chat.render.addresses import INVISIBLE

#: Parts what means something together; also put between marks that would be read as one.
PARTING: Final = "\u200b"

#: What may stand between the letters of a mention, if somebody drops it before looking.
_UNSEEN: Final = f"[{INVISIBLE}]*"
_EVERYBODY: Final = "|".join(_UNSEEN.join(name) for name in ("everyone", "here"))
_CALL: Final = rf"@(?={_UNSEEN}(?i:{_EVERYBODY}))|<(?={_UNSEEN}@)"
_CALLS: Final = re.compile(_CALL)
#: In code, where `<@` is also an operator.
_CALLS_IN_CODE: Final = re.compile(rf"@(?={_UNSEEN}(?i:{_EVERYBODY}))|<(?={_UNSEEN}@{_UNSEEN}[!&]?{_UNSEEN}\d)")
#: Shown as a card with a button to join, wherever it stands in a text.
INVITE: Final = r"(?i:discord\.(?:gg|gift|new)|discord(?:app)?\.com/(?:invite|gifts?|events|template))(?=/)"
_MEANS: Final = re.compile(rf"(?P<call>{_CALL})|(?P<invite>{INVITE})|[\\*_`~|<:\]¯]")
_BACKSLASH: Final = "\\"
#: Names of emoji have a letter in them, with two exceptions.
_EMOJI: Final = re.compile(r":(?:[^\s:]{0,64}[^\W\d_][^\s:]{0,64}|100|1234):")
#: What means something at the beginning of a line.
_START: Final = re.compile(
    r"(?P<blank>[\s\u200b\u2060\ufeff]*)(?:(?=#{1,6}(?:\s|$)|>|[-+](?:\s|#|$))|(?P<number>\d{1,9})(?=\.(?:\s|$)))"
)
_UNSENDABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def clean(text: str) -> str:
    """The text without control characters, which people can't see, and with halves of characters replaced."""
    return _UNSENDABLE.sub(lambda found: "\ufffd" if found[0] >= "\ud800" else "", text)


def escaped(text: str, before: str = "", after: str = "") -> str:
    """A piece of a line. `before` and `after`: the character beside it in the finished line, "" at the line's edges."""
    whole = before + text + after
    made: list[str] = []
    done = len(before)
    for found in _MEANS.finditer(whole, done, done + len(text)):
        made += (whole[done : found.start()], _meaningless(found, whole))
        done = found.end()
    return "".join((*made, whole[done : len(before) + len(text)]))


def _meaningless(found: re.Match[str], whole: str) -> str:
    if found["call"] or found["invite"]:
        return f"{_BACKSLASH if found[0] == '<' else ''}{found[0]}{PARTING}"
    sign, at = found[0], found.start()
    left, right = whole[at - 1 : at] if at else "", whole[at + 1 : at + 2]
    match sign:
        case "\\":
            means = right != " " and not (right.isascii() and right.isalnum())
        case "¯":
            # A shrug is read as one, backslash and all.
            means = right in ("\\", "_")
        case "~" | "|":
            means = sign in (left, right)
        case "<":
            means = right != " "
        case ":":
            means = whole.startswith("://", at) or _EMOJI.match(whole, at) is not None
        case "]":
            # A link is only one when both halves touch.
            return "]\\" if right == "(" else "]"
        case _:
            # `_` means something within a word, too: `a_b` and the end of `c_` in code would make italics.
            means = True
    return f"\\{sign}" if means else sign


def started(line: str) -> str:
    """A line, or its first piece, as no heading, quote, item or small print."""
    found = _START.match(line)
    if found is None:
        return line
    return f"{line[: found.end()]}\\{line[found.end() :]}"


def calm(code: str) -> str:
    """Text in code: there is nothing to escape there, but whoever looks for mentions may look there, too."""
    return _CALLS_IN_CODE.sub(lambda found: found[0] + PARTING, code)
