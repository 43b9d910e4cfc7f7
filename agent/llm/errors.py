"""Every way in which a call can fail, told apart once: exceptions and error bodies in, `ModelError` out."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from agent.llm.chat import ModelError, ModelFault
from agent.llm.endpoint import Endpoint
from agent.llm.reply import ProtocolError, ServerError

#: Longest detail, in characters; servers like to quote the whole request.
DETAIL_LENGTH = 300

_OVERFLOW_CODES = {"context_length_exceeded", "exceed_context_size_error"}
#: vLLM and FastChat; vLLM's engine; llama.cpp before it had a code; hosted servers.
_OVERFLOW = re.compile(
    r"maximum context length|maximum model length|max_model_len|available context size|prompt is too long"
    r"|context (window|length) (is |was )?exceeded|exceeds? (the |its )?(model's )?(maximum )?context",
    re.IGNORECASE,
)
#: Refusals of pictures: vLLM's, llama-server's (with status 500), OpenAI's; what llama_cpp.server says (500, too) when
#: a chat template that knows only text breaks.
_IMAGES = re.compile(
    r"not a multimodal model|at most \d+ image|image input is not supported|mmproj|image_url is only supported"
    r"|(?:does not|doesn't|not) support (?:images?|image input|vision)|(?:invalid|unsupported) image"
    r"|failed to load image|can only concatenate str \(not .list.\) to str",
    re.IGNORECASE,
)
_WINDOW = re.compile(r"maximum (?:context|model) length (?:is|of) (\d+)|context size \((\d+) tokens\)", re.IGNORECASE)
#: What looks like a credential, whoever's it may be.
_SECRET = re.compile(r"(?<=://)[^/@\s]+(?=@)|\b(?:sk|pk|hf|gsk|xai)[-_][\w*.-]{4,}|(?<=Bearer )\S+", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


def caught() -> tuple[type[Exception], ...]:
    """What a call through the `openai` package may raise for reasons outside of this program.

    A function, because the packages are imported only when a model is called. `ValueError` is what the HTTP layers
    raise for addresses and keys that can't be sent.
    """
    import aiohttp
    import httpx2
    import openai

    return (
        openai.OpenAIError,
        httpx2.HTTPError,
        httpx2.InvalidURL,
        httpx2.StreamError,
        aiohttp.ClientError,
        OSError,
        ValueError,
        ServerError,
        ProtocolError,
    )


def explain(error: Exception, endpoint: Endpoint) -> ModelError:
    """The fault that `error` (one of `caught()`) is."""
    import aiohttp
    import httpx2
    import openai

    match error:
        case openai.APIStatusError():
            explained = of_status(error.status_code, error.body, endpoint)
            explained.retry_after = retry_after(error.response.headers)
            return explained
        case ServerError():
            return of_status(error.status, error.body, endpoint)
        case ProtocolError():
            return fault("garbage", str(error), endpoint)
        case aiohttp.ClientResponseError() | httpx2.DecodingError():
            return fault("garbage", f"not HTTP as we know it: {error}", endpoint)
        case _:
            # The transport calls a lost connection a connect time-out; both are the same to us.
            root = _root(error)
            return fault("unreachable", str(root) or type(root).__name__, endpoint)


def of_status(status: int, body: object, endpoint: Endpoint) -> ModelError:
    """The fault that this HTTP status with this error body is."""
    return fault(_kind(status, body), f"HTTP {status}: {_message(body)}", endpoint)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds after which the server wants to be asked again; None where it does not say. Never negative."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        with suppress(KeyError, ValueError):
            seconds = float(headers[name]) / unit
            return max(0.0, seconds) if math.isfinite(seconds) else None
    try:
        when = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    # Without a zone it is UTC: HTTP knows no other.
    when = when if when.tzinfo is not None else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


def is_about_images(body: object) -> bool:
    """Whether an error body says that pictures are not taken, or not this one."""
    return bool(_IMAGES.search(_message(body)))


def window(error: Exception) -> int | None:
    """The window in tokens, where the refusal of a prompt that was too long names it."""
    body = error.body if hasattr(error, "body") else None
    if isinstance(body, Mapping) and isinstance(body.get("n_ctx"), int):
        return int(body["n_ctx"])
    found = _WINDOW.search(_message(body))
    return int(found[1] or found[2]) if found else None


def fault(kind: ModelFault, detail: str, endpoint: Endpoint) -> ModelError:
    """A `ModelError` whose detail is one short line without secrets."""
    if endpoint.api_key:
        detail = detail.replace(endpoint.api_key, "***")
    detail = _SECRET.sub("***", _CONTROL.sub(" ", detail)).strip()
    if len(detail) > DETAIL_LENGTH:
        detail = detail[: DETAIL_LENGTH - 1] + "…"
    return ModelError(kind, detail, host=endpoint.host)


def _kind(status: int, body: object) -> ModelFault:
    if status in (401, 403):
        return "unauthorized"
    if status == 429:
        return "overloaded"
    if _is_overflow(status, body):
        return "context_overflow"
    if is_about_images(body):
        return "rejected"
    if status >= 500 or status == 408:
        return "unreachable"
    # A redirect is no answer: the address is wrong, and following it could carry the key elsewhere.
    return "garbage" if status < 400 else "rejected"


def _is_overflow(status: int, body: object) -> bool:
    codes = {body.get("code"), body.get("type")} if isinstance(body, Mapping) else set[Any]()
    return status == 413 or bool(codes & _OVERFLOW_CODES) or bool(_OVERFLOW.search(_message(body)))


def _message(body: object) -> str:
    """The readable part of an error body: OpenAI's `message`, FastAPI's `detail`, or the text as it is."""
    if isinstance(body, Mapping):
        return str(body.get("message") or body.get("detail") or dict(body))
    if isinstance(body, str) and body.lstrip().startswith("<"):
        return "an HTML page"
    return str(body or "no reason given")


def _root(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error
