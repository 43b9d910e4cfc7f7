"""Finds out by one tiny call whether a server really holds a model to a schema: some take one and ignore it."""

from __future__ import annotations

import json
from typing import Any, Final

from agent.llm.chat import ChatMessage, ChatRequest

#: Seconds for the whole trial; a CPU needs one or two.
TRIAL_SECONDS = 10.0
#: Tokens that a model may think for in a trial before it is asked not to.
TRIAL_THOUGHT = 64

#: What no model answers to the question unless it is made to.
_REPLY: Final[dict[str, Any]] = {"colour": "green"}
_SCHEMA: Final[dict[str, Any]] = {
    "title": "Trial",
    "type": "object",
    "properties": {"colour": {"type": "string", "enum": ["green"]}},
    "required": ["colour"],
    "additionalProperties": False,
}
TRIAL: Final = ChatRequest((ChatMessage("user", "Say hello."),), max_tokens=48, temperature=0.0, schema=_SCHEMA)


def follows(text: str) -> bool:
    """Whether this reply to `TRIAL` follows its schema."""
    try:
        # llama-cpp-python's grammars admit raw control characters in strings.
        return bool(json.loads(text, strict=False) == _REPLY)
    except (ValueError, RecursionError):
        return False
