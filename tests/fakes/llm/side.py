"""What servers answer besides replies: their models, their health, their properties, their tokenizers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.fakes.llm import prompt, refusals, wire
from tests.fakes.llm.config import Config

Body = Mapping[str, Any]


def health(config: Config) -> bytes | None:
    """GET /health, which needs no key; None where there is none (facts/llm.md, section 5)."""
    match config.kind.name:
        case "llama.cpp":
            return wire.whole_json(200, {"status": "ok"})
        case "vllm" | "reasoning":
            return wire.whole(200, b"")
        case _:
            return None


def answer(config: Config, method: str, path: str, body: Body) -> bytes | None:
    """The response to a question that takes no call of the model; None where this server lacks the path."""
    kind = config.kind.name
    match (method, path):
        case ("GET", "/v1/models"):
            return wire.whole_json(200, models(config))
        case ("POST", "/v1/embeddings"):
            return refusals.no_embeddings(config.kind)
        case ("GET", "/version") if kind in ("vllm", "reasoning"):
            return wire.whole_json(200, {"version": "0.19.0"})
        case ("POST", "/tokenize") if kind in ("vllm", "reasoning"):
            return _vllm_tokenize(config, body)
        case ("POST", "/tokenize") if kind == "llama.cpp":
            # Section 5: a text, never a conversation.
            return wire.whole_json(200, {"tokens": list(range(prompt.count_tokens(str(body.get("content") or ""))))})
        case ("GET", "/props") if kind == "llama.cpp":
            settings: dict[str, Any] = {"n_ctx": config.context, "params": {}}
            props = {"default_generation_settings": settings, "total_slots": 4, "model_alias": config.model}
            return wire.whole_json(200, {**props, "model_path": "/models/model.gguf", "chat_template": "{{ chatml }}"})
        case ("POST", "/apply-template") if kind == "llama.cpp":
            return wire.whole_json(200, {"prompt": prompt.chatml(body.get("messages") or [])})
        case ("POST", "/v1/chat/completions/input_tokens") if kind == "llama.cpp":
            counted = prompt.count_tokens(prompt.written(body))
            return wire.whole_json(200, {"input_tokens": counted, "object": "response.input_tokens"})
        case ("POST", "/extras/tokenize") if kind == "llama_cpp.server":
            # Section 5: raw text, no template.
            return wire.whole_json(200, {"tokens": list(range(prompt.count_tokens(str(body.get("input") or ""))))})
        case ("POST", "/extras/tokenize/count") if kind == "llama_cpp.server":
            return wire.whole_json(200, {"count": prompt.count_tokens(str(body.get("input") or ""))})
        case ("POST", "/api/v1/token_check") if kind == "fastchat":
            return wire.whole_json(200, {"prompts": [_checked(config, each) for each in body.get("prompts") or []]})
        case _:
            return None


def models(config: Config) -> dict[str, Any]:
    """The models, with the window where this server tells it."""
    kind = config.kind
    model: dict[str, Any] = {"id": config.model, "object": "model", "owned_by": kind.owner}
    match kind.name:
        case "vllm" | "reasoning" if config.context is not None:
            model["max_model_len"] = config.context
        case "llama.cpp" if config.context is not None:
            model["meta"] = {"n_ctx": config.context, "n_ctx_train": 4 * config.context}
        case "llama_cpp.server":
            model["permissions"] = []
        case "fastchat":
            model |= {"root": config.model, "parent": None, "permission": [{"object": "model_permission"}]}
    return {"object": "list", "data": [model]}


def _vllm_tokenize(config: Config, body: Body) -> bytes:
    if "messages" in body and not config.template:
        return refusals.no_template()
    count = prompt.count_tokens(prompt.written(body))
    tokens = list(range(count))
    return wire.whole_json(200, {"count": count, "max_model_len": config.context, "tokens": tokens, "token_strs": None})


def _checked(config: Config, asked: Body) -> dict[str, Any]:
    count, window = prompt.count_tokens(str(asked.get("prompt") or "")), config.context or 4096
    return {"fits": count + int(asked.get("max_tokens") or 0) <= window, "tokenCount": count, "contextLength": window}
