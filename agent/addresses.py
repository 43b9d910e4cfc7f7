"""Addresses in a model's answer: those that it was given, and those that it made up."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from agent.styles.base import Done
from agent.task import Task

#: Ends at blanks, quotes, brackets of Markdown and HTML, and anything Chinese (addresses have that percent-encoded).
_ADDRESS = re.compile(
    r"https?://[^\s<>\"'`\\|\[\]{}\u2018-\u201f\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]+", re.IGNORECASE
)
_TRAILING = ".,;:!?*_~"


def addresses(text: str) -> tuple[str, ...]:
    """The web addresses in a text, as they stand there, each once."""
    return tuple(dict.fromkeys(_trimmed(match[0]) for match in _ADDRESS.finditer(text)))


def known_addresses(task: Task, done: Iterable[Done]) -> frozenset[str]:
    """All that people, the profile and tools have named, in a form that can be compared."""
    texts = [task.question, task.profile.agent_bio, task.profile.agent_instructions]
    texts += [file.text for file in task.files]
    for exchange in task.history:
        texts += [exchange.question, exchange.answer]
    for item in done:
        result = item.result
        texts += [result.answer, result.answer_md, " ".join(result.urls)]
        if result.data is not None:
            texts.append(json.dumps(result.data, ensure_ascii=False))
    return frozenset(_comparable(address) for text in texts for address in addresses(text))


def unknown_in(text: str, known: frozenset[str]) -> tuple[str, ...]:
    """The addresses in `text` that nobody has named."""
    return tuple(address for address in addresses(text) if _comparable(address) not in known)


def _trimmed(address: str) -> str:
    while True:
        shorter = address.rstrip(_TRAILING)
        if shorter.endswith(")") and shorter.count(")") > shorter.count("("):
            shorter = shorter[:-1]
        if shorter == address:
            return address
        address = shorter


def _comparable(address: str) -> str:
    """Without what makes no difference: the scheme, capitals in the host, a fragment, a slash at the end."""
    rest = address.partition("://")[2].partition("#")[0]
    host, slash, path = rest.partition("/")
    return f"{host.lower()}{slash}{path}".rstrip("/")
