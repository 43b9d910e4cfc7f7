"""A request's prompt: the fake's own tokenizer, and the roles in a prompt that a client wrote itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

#: A special token is one token; so is a Chinese character, a word, a punctuation mark.
_TOKEN = re.compile(r"<\|\w+\|>|<reserved_\d+>|[\u4e00-\u9fff]|\w+|[^\w\s]")
#: ChatML's turns, and Baichuan2's (facts/kagentsys.md, "Models and serving").
_CHATML = re.compile(r"<\|im_start\|>(\w+)\n(.*?)(?:<\|im_end\|>|\Z)", re.DOTALL)
_BAICHUAN = re.compile(r"<reserved_10(6|7)>(.*?)(?=<reserved_10|\Z)", re.DOTALL)

#: What was said beside the question, as `agent.styles.thread` marks it.
_OTHERS = re.compile(r"<conversation>\n.*\n</conversation>", re.DOTALL)

Message = Mapping[str, Any]


def count_tokens(text: str) -> int:
    """Tokens of the fake's own tokenizer."""
    return len(_TOKEN.findall(text))


def text_of(message: Message) -> str:
    """A message's text, be it in parts."""
    content = message.get("content") or ""
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content)
    return str(content)


def chatml(messages: Sequence[Message]) -> str:
    """The chat template of every fake."""
    turns = [f"<|im_start|>{message.get('role')}\n{text_of(message)}<|im_end|>\n" for message in messages]
    return "".join(turns) + "<|im_start|>assistant\n"


def messages_of(body: Mapping[str, Any]) -> Sequence[Message]:
    """The conversation in a request, also where the client wrote the prompt: then as far as its marks tell."""
    if "messages" in body:
        messages: Sequence[Message] = body["messages"] or []
        return messages
    prompt = written(body)
    turns = [{"role": role, "content": content} for role, content in _CHATML.findall(prompt)]
    if not turns:
        roles = {"6": "user", "7": "assistant"}
        turns = [{"role": roles[mark], "content": content} for mark, content in _BAICHUAN.findall(prompt)]
    turns = [turn for turn in turns if turn["content"].strip()]
    return turns or [{"role": "user", "content": prompt}]


def written(body: Mapping[str, Any]) -> str:
    """The prompt as the model reads it."""
    if "messages" in body:
        return chatml(body["messages"] or [])
    prompt = body.get("prompt") or ""
    return prompt if isinstance(prompt, str) else "".join(map(str, prompt))


def last_user_text(messages: Sequence[Message]) -> str:
    """The last user message's text; "" if there is none."""
    return asked_in(next((text_of(message) for message in reversed(messages) if message.get("role") == "user"), ""))


def asked_in(text: str) -> str:
    """A message without what others said in the conversation: a model answers the question, and obeys nobody else."""
    return _OTHERS.sub("", text)
