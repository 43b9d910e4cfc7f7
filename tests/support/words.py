"""Which language texts are in that people see."""

from __future__ import annotations

import re
from collections.abc import Iterable

from agent.language import Lang

#: What isn't language: code, addresses, mentions, dates of a platform's, ids of tools, marks of the tests' model.
_NO_LANGUAGE = re.compile(
    r"```.*?```|`[^`\n]*`|<[^<>\n]*>|https?\\?://\S*|\[(?:fake|m|p|saw):[^\]]*\]|:[a-z_]+:|\([a-z_]+\)"
    # Why that model plans no more.
    r"|All \d+ planned tasks are done\.",
    re.DOTALL,
)
#: Names, and words that Chinese texts about this use as they are.
_NAMES = frozenset(
    (
        *("kagent", "kagentbot", "Slack", "Discord", "token", "kuaiagent", "noagent", "router", "auto", "UTC", "CST"),
        # Names of the story, and that of its endpoint.
        *("Ada", "Alice", "alice", "Bob", "bob", "Carol", "carol", "Chen", "Rostock", "fake-model", "default"),
        *("notes", "txt"),
    )
)
_LATIN = re.compile(r"[A-Za-z][A-Za-z'’-]+")
_HAN = re.compile(r"[\u3400-\u9fff]+")


def foreign(text: str, lang: Lang) -> list[str]:
    """The words of a text that are in the other language."""
    said = _NO_LANGUAGE.sub(" ", text)
    if lang == "en":
        return _HAN.findall(said)
    return [word for word in _LATIN.findall(said) if word not in _NAMES]


def wrong(texts: Iterable[str], lang: Lang) -> dict[str, list[str]]:
    """The texts that have words of the other language, with these words."""
    return {text: words for text in texts if (words := foreign(text, lang))}
