"""Discord's markup of what people write → plain text with names. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

Json = Mapping[str, Any]
#: The name of something by its id; "" where it isn't known.
NameOf = Callable[[str], str]

#: Code, in which nothing is markup; an escaped character; and what Discord puts in angle brackets.
_MARKUP: Final = re.compile(
    r"(?P<code>(?P<ticks>`++)[\s\S]*?[^`](?P=ticks)(?!`))"
    r"|(?P<escaped>\\[^\w\s])"
    r"|<@!?(?P<user>\d+)>"
    r"|<@&(?P<role>\d+)>"
    r"|<#(?P<channel>\d+)>"
    r"|<a?:(?P<emoji>\w+):\d+>"
    r"|<t:(?P<time>-?\d+)(?::[a-zA-Z])?>"
    r"|</(?P<command>[^:<>\n]+):\d+>"
    r"|<id:(?P<page>\w+)>"
    r"|<(?P<address>https?://[^<>\s]+)>"
)
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
    return _MARKUP.sub(lambda found: _shown(found, words), _without_call(text, words)).strip()


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
