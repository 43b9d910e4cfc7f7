"""Slack's markup of what people write → plain text with names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

Json = Mapping[str, Any]

#: Everybody at once, as `<!here>` and so on.
BROADCASTS: Final = frozenset({"here", "channel", "everyone"})
#: `<…>`, which people can't type themselves, and the three characters that Slack escapes.
_MARKUP: Final = re.compile(r"<([^<>\n]*)>|&(amp|lt|gt);")
_ENTITIES: Final = {"amp": "&", "lt": "<", "gt": ">"}
#: What follows a name that somebody is called by.
_AFTER_NAME: Final = " \t\r\n,:;，：；、\N{NO-BREAK SPACE}"


def mentioned(text: str) -> frozenset[str]:
    """Ids of whom a text in Slack's markup calls: people, groups, and the broadcasts' names."""
    found = set()
    for match in _MARKUP.finditer(text):
        target, _, _ = (match[1] or "").partition("|")
        if target[:2] in ("@U", "@W"):
            found.add(target[1:])
        elif target.startswith("!subteam^"):
            found.add(target[len("!subteam^") :])
        elif target[:1] == "!" and target[1:] in BROADCASTS:
            found.add(target[1:])
    return frozenset(found)


def plain(text: str, our_id: str, our_name: str, name_of: Callable[[str], str]) -> str:
    """A text in Slack's markup as people read it: without the mention of us that it begins with, elsewhere by our name;
    others by theirs where it is known (`name_of`; "" where not).
    """

    def shown(match: re.Match[str]) -> str:
        if match[2]:
            return _ENTITIES[match[2]]
        return _shown(match[1], our_id, our_name, name_of)

    return _MARKUP.sub(shown, _without_call(text, our_id)).strip()


def _without_call(text: str, our_id: str) -> str:
    """The text after the mentions of us at its beginning."""
    rest = text.lstrip()
    while (match := _MARKUP.match(rest)) and (match[1] or "").partition("|")[0] == f"@{our_id}":
        rest = rest[match.end() :].lstrip(_AFTER_NAME)
    return rest


def _shown(inside: str, our_id: str, our_name: str, name_of: Callable[[str], str]) -> str:
    target, _, label = inside.partition("|")
    target, label = unescape(target), unescape(label)
    if target[:1] == "@":
        if target[1:] == our_id:
            return our_name
        return f"@{name_of(target[1:]) or label.lstrip('@') or target[1:]}"
    if target[:1] == "#":
        return f"#{label or target[1:]}"
    if target[:1] == "!":
        return _special(target[1:], label)
    return _link(target, label)


def _special(name: str, label: str) -> str:
    if name in BROADCASTS:
        return f"@{name}"
    if name.startswith("subteam^"):
        return f"@{label.lstrip('@') or name.partition('^')[2]}"
    # A date says in its label what people see.
    return label or name


def _link(address: str, label: str) -> str:
    scheme, _, rest = address.partition(":")
    if scheme in ("mailto", "tel"):
        return label or rest
    if not label or label == address or address.rstrip("/") in (f"http://{label}", f"https://{label}"):
        return address
    return f"{label} ({address})"


def unescape(text: str) -> str:
    """The text with Slack's three escapes undone."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escape(text: str) -> str:
    """The text as it stands for itself in Slack's markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def rich_text(blocks: Iterable[Json]) -> str:
    """The text of a message's rich-text blocks, in Slack's markup; a message may have nothing else."""
    lines = [_element(element) for block in blocks if block.get("type") == "rich_text" for element in _inside(block)]
    return "\n".join(lines).strip()


def _inside(element: Json) -> Iterable[Json]:
    return [inner for inner in element.get("elements") or () if isinstance(inner, Mapping)]


def _element(element: Json) -> str:
    kind = element.get("type")
    if kind == "rich_text_list":
        ordered, first = element.get("style") == "ordered", int(element.get("offset") or 0) + 1
        marks = [f"{first + index}." if ordered else "-" for index in range(len(element.get("elements") or ()))]
        indent = "  " * int(element.get("indent") or 0)
        return "\n".join(
            f"{indent}{mark} {_element(item)}" for mark, item in zip(marks, _inside(element), strict=False)
        )
    text = "".join(_piece(piece) for piece in _inside(element))
    if kind == "rich_text_quote":
        return "\n".join(f"&gt; {line}" for line in text.split("\n"))
    if kind == "rich_text_preformatted":
        return f"```\n{text}\n```"
    return text


def _piece(piece: Json) -> str:
    kind = piece.get("type")
    if kind == "text":
        return escape(str(piece.get("text") or ""))
    if kind == "link":
        label, address = escape(str(piece.get("text") or "")), escape(str(piece.get("url") or ""))
        return f"<{address}|{label}>" if label else f"<{address}>"
    if kind == "user":
        return f"<@{piece.get('user_id')}>"
    if kind == "usergroup":
        return f"<!subteam^{piece.get('usergroup_id')}>"
    if kind == "channel":
        return f"<#{piece.get('channel_id')}>"
    if kind == "broadcast":
        return f"<!{piece.get('range')}>"
    if kind == "emoji":
        return _emoji(piece)
    if kind == "date":
        return escape(str(piece.get("fallback") or ""))
    return escape(str(piece.get("value") or ""))


def _emoji(piece: Json) -> str:
    """The character itself where Slack names its code points, else `:name:`."""
    try:
        return "".join(chr(int(code, 16)) for code in str(piece["unicode"]).split("-"))
    except (KeyError, ValueError, OverflowError):
        return f":{piece.get('name')}:"
