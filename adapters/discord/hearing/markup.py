"""Discord's markup of what people write → plain text with names. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

Json = Mapping[str, Any]
#: The name of something by its id; "" where it isn't known.
NameOf = Callable[[str], str]

#: An escaped character, and what Discord puts in angle brackets.
_MARKUP: Final = re.compile(
    r"(?P<escaped>\\[^\w\s])"
    r"|<@!?(?P<user>\d{1,20})>"
    r"|<@&(?P<role>\d{1,20})>"
    r"|<#(?P<channel>\d{1,20})>"
    r"|<a?:(?P<emoji>\w+):\d+>"
    r"|<t:(?P<time>-?\d{1,15})(?::[a-zA-Z])?>"
    r"|</(?P<command>[^:<>\n]+):\d+>"
    r"|<id:(?P<page>\w+)>"
    r"|<(?P<address>https?://[^<>\s]+)>"
)
#: What code begins and ends with, and an escaped character, which does neither.
_TICKS: Final = re.compile(r"\\[^\w\s]|`+")
#: What follows a name that somebody is called by.
_AFTER_NAME: Final = " \t\r\n,:;，：；、\N{NO-BREAK SPACE}"


def _unknown(_: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Words:
    """The names that a text is read with."""

    our_id: str
    our_name: str
    #: The role that the server made for us, whose mention is one of us.
    our_roles: frozenset[str] = frozenset()
    user: NameOf = field(default=_unknown)
    role: NameOf = field(default=_unknown)
    channel: NameOf = field(default=_unknown)

    def is_us(self, found: re.Match[str]) -> bool:
        """Whether a piece of markup mentions us."""
        return found["user"] == self.our_id or (found["role"] is not None and found["role"] in self.our_roles)


def plain(text: str, words: Words) -> str:
    """A text as people read it: without the mention of us that it begins with, elsewhere by our name; code as it is."""

    def shown(piece: str) -> str:
        return _MARKUP.sub(lambda found: _shown(found, words), piece)

    pieces = _pieces(_without_call(text, words))
    return "".join(piece if is_code else shown(piece) for piece, is_code in pieces).strip()


def quoted(text: str) -> str:
    """The text as a quotation."""
    return "\n".join(f"> {line}".rstrip() for line in text.strip().split("\n")) if text.strip() else ""


def emoji(emoji: Json | None) -> str:
    """An emoji as text: the character itself, or `:name:` of a server's own; "" for none."""
    name = str((emoji or {}).get("name") or "")
    return f":{name}:" if name and (emoji or {}).get("id") else name


def embedded(embeds: Iterable[Json]) -> str:
    """The words of cards that a program wrote; not the previews that Discord makes of links."""
    return "\n\n".join(filter(None, (_card(card) for card in embeds if card.get("type", "rich") == "rich")))


def displayed(components: Iterable[Json]) -> str:
    """The words of a message that is made of components alone (Components V2)."""
    return "\n".join(_texts(components))


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """The text in pieces, and which of them are code: from some backticks to the next ones of that number."""
    ticks = [(found.start(), found.end()) for found in _TICKS.finditer(text) if found[0][0] == "`"]
    later: dict[int, list[tuple[int, int]]] = {}
    for start, end in reversed(ticks):
        later.setdefault(end - start, []).append((start, end))
    done = 0
    for start, end in ticks:
        same = later[end - start]
        # Those up to here can't end it.
        while same and same[-1][0] <= start:
            same.pop()
        if start < done or not same:
            continue
        yield text[done:start], False
        done = same[-1][1]
        yield text[start:done], True
    yield text[done:], False


def _without_call(text: str, words: Words) -> str:
    """The text after the mentions of us at its beginning."""
    rest = text.lstrip()
    while (found := _MARKUP.match(rest)) and words.is_us(found):
        rest = rest[found.end() :].lstrip(_AFTER_NAME)
    return rest


def _shown(found: re.Match[str], words: Words) -> str:
    if words.is_us(found):
        return words.our_name
    if user := found["user"]:
        return f"@{words.user(user) or user}"
    if role := found["role"]:
        return f"@{words.role(role) or role}"
    if channel := found["channel"]:
        return f"#{words.channel(channel) or channel}"
    if name := found["emoji"]:
        return f":{name}:"
    if seconds := found["time"]:
        return _time(int(seconds)) or found[0]
    if command := found["command"]:
        return f"/{command}"
    return found["page"] or found["address"] or found[0]


def _time(seconds: int) -> str:
    """A moment, which Discord shows to everybody in their own zone; "" for none that there is."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError, OSError):
        return ""


def _card(card: Json) -> str:
    fields = (f"{each.get('name') or ''}: {each.get('value') or ''}" for each in card.get("fields") or ())
    pieces = (str(card.get("title") or ""), str(card.get("description") or ""), *fields)
    return "\n".join(filter(None, pieces))


def _texts(components: Iterable[Json], depth: int = 5) -> Iterable[str]:
    """Texts of the components, and of those inside of them; Discord nests them less deeply than this."""
    for one in components:
        if isinstance(one.get("content"), str):
            yield one["content"]
        if depth > 0:
            yield from _texts(one.get("components") or (), depth - 1)
