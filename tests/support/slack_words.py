"""Which language the texts are in that people see in Slack: everything of the bot's that the fake's log shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from agent.language import Lang
from tests.fakes.slack.log import Entry
from tests.fakes.slack.replay import Replay

#: Keys under which blocks, views and arguments have text for people.
_TEXTS = frozenset(
    {"text", "title", "label", "placeholder", "hint", "description", "loading_messages", "accessibility_label"}
    | {"alt_text", "initial_comment", "message", "details", "output", "username", "visible"}
)
#: Methods whose arguments are shown as they are; what became of a message's, `shown` has.
_CALLS = ("views.", "assistant.threads.", "files.completeUploadExternal")
#: What isn't language: code, addresses, mentions and dates of Slack's, ids of tools, marks of the model of the tests.
_NO_LANGUAGE = re.compile(
    r"```.*?```|`[^`\n]*`|<[^<>\n]*>|https?://\S*|\[(?:fake|m|p|saw):[^\]]*\]|:[a-z_]+:|\([a-z_]+\)"
    # Why that model plans no more.
    r"|All \d+ planned tasks are done\.",
    re.DOTALL,
)
#: Names, and words that Chinese texts about this use as they are.
_NAMES = frozenset(
    (
        *("kagent", "kagentbot", "Slack", "token", "kuaiagent", "noagent", "router", "UTC", "CST"),
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


def seen(entries: Iterable[Entry], user: str) -> list[str]:
    """Every text of the bot's that this person sees, in the order in which it came, each once: messages to all or to
    them, buttons, windows, the App Home, status lines, prompts.
    """
    found: dict[str, None] = {}
    replay = Replay()
    for entry in entries:
        replay.feed(entry)
        for shown in entry.get("shown") or ():
            if shown["ephemeral_to"] in ("", user):
                found |= dict.fromkeys(_texts([shown["visible"], shown["blocks"], shown["tasks"], shown["username"]]))
        if entry["kind"] == "call" and entry["accepted"] and entry["method"].startswith(_CALLS):
            found |= dict.fromkeys(_of_call(entry))
        if entry["kind"] == "acked":
            found |= dict.fromkeys(_texts(entry.get("answer")))
    return [text for text in found if text.strip()]


def _of_call(entry: Entry) -> Iterator[str]:
    arguments = entry["arguments"]
    if entry["method"] == "assistant.threads.setStatus":
        yield str(arguments.get("status", ""))
    for value in arguments.values():
        # Forms carry JSON as text.
        yield from _texts(_parsed(value))
    yield from _texts({"loading_messages": _parsed(arguments.get("loading_messages"))})


def _parsed(value: Any) -> Any:
    if not isinstance(value, str) or value[:1] not in "[{":
        return value if isinstance(value, dict | list) else None
    try:
        return json.loads(value)
    except ValueError:
        return None


def _texts(value: Any, key: str = "text") -> Iterator[str]:
    """All strings under one of the keys that hold text; the sentences at the fields of a form under `errors`."""
    if isinstance(value, str):
        if key in _TEXTS:
            yield value
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one, key)
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _texts(list(one.values()) if name == "errors" else one, "text" if name == "errors" else name)
