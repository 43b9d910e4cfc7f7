"""The tokenizers of the servers that we know: what they are asked, and how they answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from agent.llm.connection import post
from agent.llm.endpoint import Endpoint

if TYPE_CHECKING:
    from openai import AsyncOpenAI

#: Where each server counts, below `Endpoint.root`.
PATHS: Final[Mapping[str, str]] = {
    "vllm": "/tokenize",
    "llama-server": "/tokenize",
    "llama_cpp.server": "/extras/tokenize/count",
    "fastchat": "/api/v1/token_check",
}

#: Where those that can turn tokens into text.
_TEXT_PATHS: Final[Mapping[str, str]] = {
    "vllm": "/detokenize",
    "llama-server": "/detokenize",
    "llama_cpp.server": "/extras/detokenize",
}


async def ask(client: AsyncOpenAI, endpoint: Endpoint, server: str, model: str, text: str) -> object:
    """The answer of a server of this kind to how many tokens `text` has; None if it refuses. Raises for all else."""
    return await post(client, endpoint, f"{endpoint.root}{PATHS[server]}", question(server, model, text))


def question(server: str, model: str, text: str) -> dict[str, Any]:
    """The body of the question how many tokens `text` has, no template added."""
    match server:
        case "vllm":
            return {"model": model, "prompt": text, "add_special_tokens": False}
        case "llama-server":
            return {"content": text, "add_special": False}
        case "fastchat":
            return {"prompts": [{"model": model, "prompt": text, "max_tokens": 0}]}
        case _:
            return {"input": text}


def ids_question(server: str, model: str, text: str) -> tuple[str, dict[str, Any]] | None:
    """Path and body of the question which tokens `text` has; None for a server that only counts."""
    if server == "fastchat" or server not in PATHS:
        return None
    return PATHS[server].removesuffix("/count"), question(server, model, text)


def text_question(server: str, model: str, tokens: Sequence[int]) -> tuple[str, dict[str, Any]] | None:
    """Path and body of the question what text these tokens are; None for a server that doesn't tell."""
    path, body = _TEXT_PATHS.get(server), {"tokens": list(tokens)}
    if path is None:
        return None
    return path, {"model": model, **body} if server == "vllm" else body


def read_ids(answer: object) -> list[int] | None:
    """The tokens in an answer; None for an answer that has none."""
    tokens = answer.get("tokens") if isinstance(answer, Mapping) else None
    if not isinstance(tokens, list) or not all(isinstance(token, int) for token in tokens):
        return None
    return tokens


def read_text(answer: object) -> str | None:
    """The text in an answer; None for an answer that has none."""
    fields = (answer.get(name) for name in ("prompt", "content", "text")) if isinstance(answer, Mapping) else ()
    return next((text for text in fields if isinstance(text, str)), None)


def read_count(answer: object) -> int | None:
    """The number in an answer; None for an answer that has none."""
    if not isinstance(answer, Mapping):
        return None
    checked = answer.get("prompts")
    if isinstance(checked, list) and checked and isinstance(checked[0], Mapping):
        return _number(checked[0].get("tokenCount"))
    counted = _number(answer.get("count"))
    tokens = answer.get("tokens")
    return len(tokens) if counted is None and isinstance(tokens, list) else counted


def read_window(answer: object) -> int | None:
    """The window that some servers (vLLM, FastChat) tell with a count."""
    if not isinstance(answer, Mapping):
        return None
    checked = answer.get("prompts")
    if isinstance(checked, list) and checked and isinstance(checked[0], Mapping):
        return _number(checked[0].get("contextLength"))
    return _number(answer.get("max_model_len"))


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
