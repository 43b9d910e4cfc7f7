"""How each kind of server says no. What is known of each: `kinds.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.fakes.llm import kinds, prompt, schema, wire
from tests.fakes.llm.kinds import Kind

#: FastChat's codes (its `constants.py`).
_INVALID_MODEL, _OVERFLOW = 40301, 40303
#: OpenAI's models that reason take other parameters than the others.
_REASONING_MODELS = ("o1", "o3", "o4", "gpt-5")


def unauthorized(kind: Kind, sent: str) -> bytes:
    """401 for a wrong key."""
    match kind.name:
        case "vllm" | "reasoning":
            return wire.whole_json(401, {"error": "Unauthorized"})
        case "llama.cpp":
            inner = {"message": "Invalid API Key", "type": "authentication_error", "code": 401}
            return wire.whole_json(401, {"error": inner})
        case "llama_cpp.server":
            return wire.whole_json(401, {"detail": "Invalid API key"})
        case "fastchat":
            inner = {"message": "", "type": "invalid_request_error", "param": None, "code": "invalid_api_key"}
            return wire.whole_json(401, {"detail": {"error": inner}})
        case _:
            return wire.error(401, f"Incorrect API key provided: {sent}", code="invalid_api_key")


def not_found(kind: Kind, path: str) -> bytes:
    """404 for a path that this server lacks."""
    if kind.name == "llama.cpp":
        inner = {"message": "File Not Found", "type": "not_found_error", "code": 404}
        return wire.whole_json(404, {"error": inner})
    if kind.name == "openai":
        return wire.error(404, f"Invalid URL (POST {path})")
    return wire.whole_json(404, {"detail": "Not Found"})


def no_embeddings(kind: Kind) -> bytes:
    """What a server with a chat model says when it is asked for embeddings (facts/llm.md, section 5)."""
    match kind.name:
        case "llama.cpp":
            message = "This server does not support embeddings. Start it with `--embeddings`"
            return wire.whole_json(501, {"error": {"code": 501, "message": message, "type": "not_supported_error"}})
        case "llama_cpp.server":
            message = "Llama model must be created with embedding=True to call this method"
            return wire.error(500, message, type="internal_server_error")
        case "fastchat":
            return _fastchat(50001, "the worker has no embeddings")
        case _:
            return wire.error(400, "The model does not support Embeddings API", type="BadRequestError", code=400)


def overflow(name: str, window: int = 4096, asked: int = 4900, limit: int = 100) -> bytes:
    """400 for a prompt that does not fit, as this kind of server says it."""
    longest = f"This model's maximum context length is {window} tokens."
    match name:
        case "llama.cpp":
            message = (
                f"request ({asked} tokens) exceeds the available context size ({window} tokens), try increasing it"
            )
            inner = {"code": 400, "message": message, "type": "exceed_context_size_error"}
            return wire.whole_json(400, {"error": {**inner, "n_prompt_tokens": asked, "n_ctx": window}})
        case "llama_cpp.server":
            message = (
                f"{longest} However, you requested {asked + limit} tokens ({asked} in the messages, {limit} in the "
                "completion). Please reduce the length of the messages or completion."
            )
            return wire.error(400, message, code="context_length_exceeded", param="messages")
        case "openai":
            message = f"{longest} However, your messages resulted in {asked} tokens."
            return wire.error(400, message, code="context_length_exceeded", param="messages")
        case "fastchat":
            message = f"{longest} However, your messages resulted in {asked} tokens."
            return _fastchat(_OVERFLOW, f"{message} Please reduce the length of the messages.")
        case _:
            message = (
                f"{longest} However, you requested {asked + limit} tokens "
                f"({asked} in the messages, {limit} in the completion)."
            )
            return wire.error(400, message, type="BadRequestError", code=400)


def overloaded(seconds: str) -> bytes:
    """429 with the headers that OpenAI sends along."""
    inner = {"message": f"Rate limit reached. Please try again in {seconds}s.", "type": "tokens", "param": None}
    headers = {"retry-after": seconds, "x-ratelimit-remaining-requests": "0"}
    if seconds.isdigit():
        headers["retry-after-ms"] = f"{int(seconds) * 1000}"
    return wire.whole_json(429, {"error": {**inner, "code": "rate_limit_exceeded"}}, headers)


def out_of_money() -> bytes:
    """429 of an account that has used up what it paid for."""
    message = "You exceeded your current quota, please check your plan and billing details."
    inner = {"message": message, "type": "insufficient_quota", "param": None, "code": "insufficient_quota"}
    return wire.whole_json(429, {"error": inner})


def no_template() -> bytes:
    """400 of a vLLM whose model has no chat template (facts/kagentsys.md, "Models and serving")."""
    message = (
        "As of transformers v4.44, default chat template is no longer allowed, so you must provide a chat template if "
        "the tokenizer does not define one."
    )
    return wire.error(400, message, type="BadRequestError", code=400)


def no_images(kind: Kind, model: str) -> bytes | None:
    """The refusal of a picture by a model that doesn't see; None from a server that takes no notice of it."""
    if not kind.refuses_images:
        return None
    match kind.name:
        case "llama.cpp":
            # Seen.
            message = "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"
            return wire.whole_json(500, {"error": {"code": 500, "message": message, "type": "server_error"}})
        case "llama_cpp.server":
            # Seen: the model's chat template breaks.
            return wire.error(500, 'can only concatenate str (not "list") to str', type="internal_server_error")
        case "openai":
            message = "Invalid content type. image_url is only supported by certain models."
            return wire.error(400, message, param="messages.[0].content.[1].type")
        case _:
            return wire.error(400, f"{model} is not a multimodal model", type="BadRequestError", code=400)


def refusal(kind: Kind, body: Mapping[str, Any], models: Sequence[str], window: int | None) -> bytes | None:
    """Why this kind of server would not take this request; None if it would. `window` None: enforces none."""
    if kind.strict_model and body.get("model") not in models:
        return _unknown_model(kind, str(body.get("model")), models)
    match kind.name:
        case "llama_cpp.server" if kind.form(body) in ("json_schema", "flat"):
            # Facts, section 1: HTTP 500. It is a validation error, so it comes at once, also to a stream.
            message = "1 validation error: {'loc': ('body', 'response_format', 'type'), 'input': 'json_schema'}"
            return wire.error(500, message, type="internal_server_error")
        case "openai":
            wrong = _not_openai(body)
            if wrong is not None:
                return wrong
        case "vllm" if body.get("tools") and body.get("tool_choice", "auto") == "auto":
            message = '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
            return wire.error(400, message, type="BadRequestError", code=400)
    if window is None:
        return None
    asked = prompt.count_tokens(prompt.written(body))
    limit = (kind.limit(body) or 0) if kind.limit_must_fit else 0
    if asked + limit <= window - (not limit):
        return None
    return overflow(kind.name, window, asked, limit or kind.limit(body) or 0)


def _unknown_model(kind: Kind, model: str, models: Sequence[str]) -> bytes:
    if kind.name == "fastchat":
        return _fastchat(_INVALID_MODEL, f"Only {'&&'.join(models)} allowed now, your model {model}")
    message = f"The model `{model}` does not exist or you do not have access to it."
    return wire.error(404, message, code="model_not_found")


def _not_openai(body: Mapping[str, Any]) -> bytes | None:
    model = str(body.get("model"))
    if model.startswith(_REASONING_MODELS):
        if "max_tokens" in body:
            return no_max_tokens()
        if body.get("temperature", 1) != 1:
            message = "Unsupported value: 'temperature' does not support this value with this model. Only 1 is."
            return wire.error(400, message, param="temperature", code="unsupported_value")
    form = kinds.KINDS["openai"].form(body)
    wanted = body.get("response_format") or {}
    if form == "object" and "json" not in prompt.written(body).lower():
        message = (
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
        )
        return wire.error(400, message, param="messages")
    if form == "json_object":
        return wire.error(400, "Unknown parameter: 'response_format.schema'.", param="response_format.schema")
    if form == "flat":
        message = "Missing required parameter: 'response_format.json_schema'."
        return wire.error(400, message, param="response_format.json_schema", code="missing_required_parameter")
    if form == "json_schema" and not wanted["json_schema"].get("name"):
        message = "Missing required parameter: 'response_format.json_schema.name'."
        return wire.error(400, message, param="response_format.json_schema.name", code="missing_required_parameter")
    if form == "json_schema" and wanted["json_schema"].get("strict"):
        wrong = schema.not_strict(wanted["json_schema"]["schema"])
        if wrong is not None:
            message = f"Invalid schema for response_format '{wanted['json_schema']['name']}': {wrong}"
            return wire.error(400, message, param="response_format")
    return next((_unknown(name) for name in ("chat_template_kwargs", "top_k", "guided_json") if name in body), None)


def _unknown(name: str) -> bytes:
    return wire.error(400, f"Unrecognized request argument supplied: {name}", param=name)


def no_max_tokens() -> bytes:
    """400 of OpenAI's models that reason."""
    message = (
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    )
    return wire.error(400, message, param="max_tokens", code="unsupported_parameter")


def _fastchat(code: int, message: str) -> bytes:
    return wire.whole_json(400, {"object": "error", "message": message, "code": code})
