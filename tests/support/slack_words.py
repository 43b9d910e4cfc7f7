"""The texts that people see in Slack: everything of the bot's that the fake's log shows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from tests.fakes.slack.log import Entry
from tests.fakes.slack.replay import Replay

#: Keys under which blocks, views and arguments have text for people.
_TEXTS = frozenset(
    {"text", "title", "label", "placeholder", "hint", "description", "loading_messages", "accessibility_label"}
    | {"alt_text", "initial_comment", "message", "details", "output", "username", "visible"}
)
#: Methods whose arguments are shown as they are; what became of a message's, `shown` has.
_CALLS = ("views.", "assistant.threads.", "files.completeUploadExternal")


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
