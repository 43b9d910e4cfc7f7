"""What a server tells about its model: name and window."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from agent.llm.chat import ModelError
from agent.llm.endpoint import Endpoint
from agent.llm.errors import caught, explain, fault

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_log = logging.getLogger(__name__)

#: Seconds for all questions of one probe.
PROBE_SECONDS = 10.0
#: A smaller number is not a window but a misunderstanding.
_SMALLEST_WINDOW = 128


#: Which program serves the model; "" where it can't be told.
ServerKind = Literal["vllm", "fastchat", "llama-server", "llama_cpp.server", "openai", ""]
#: The form of `response_format` that a server really follows; "" for none, None where it was not tried yet.
Structured = Literal["json_schema", "json_object", ""] | None


@dataclass(frozen=True, slots=True)
class Probed:
    """What is known of the model and its server; None where the server does not tell."""

    model: str | None = None
    context_tokens: int | None = None
    server: ServerKind = ""
    #: Path, from `Endpoint.root`, that counts the tokens of a text; "" for none.
    tokenizer: str = ""
    structured: Structured = None
    #: Whether the model was seen to think before it answers.
    reasoning: bool = False
    #: Whether the server computes embeddings with this model.
    embeddings: bool | None = None
    #: Names of all models that the server lists.
    models: tuple[str, ...] = ()
    #: Why it could not be asked; None for a server that answered, whatever it said.
    trouble: ModelError | None = None


async def probe(client: AsyncOpenAI, endpoint: Endpoint) -> Probed:
    """Ask the server. Never raises for a server that can't be reached or talks nonsense: then nothing is known."""
    model: str | None = None
    window: int | None = None
    trouble: ModelError | None = None
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            listed = read_models(await _get(client, endpoint, "/models"), endpoint.model)
            model, window = listed.model, listed.context_tokens
            if window is None:
                window = read_props(await _get(client, endpoint, f"{endpoint.root}/props"))
    except TimeoutError:
        trouble = fault("timeout", f"no answer within {PROBE_SECONDS:g} s", endpoint)
    except caught() as error:
        trouble = explain(error, endpoint)
    if trouble is not None:
        _log.info("probe of %s: %s", endpoint.host, trouble)
    return Probed(model, window, trouble=trouble)


def read_models(listed: object, wanted: str) -> Probed:
    """Name and window from `GET /v1/models`: of the model `wanted`, else (or if it is "") of the first one.

    The window is `max_model_len` (vLLM), `meta.n_ctx` (llama.cpp: per slot) or `context_length` (hosted servers).
    """
    data = listed.get("data") if isinstance(listed, Mapping) else None
    entries = [entry for entry in data if isinstance(entry, Mapping)] if isinstance(data, list) else []
    entry = next((entry for entry in entries if entry.get("id") == wanted), entries[0] if entries else {})
    meta = entry.get("meta")
    candidates = (
        entry.get("max_model_len"),
        meta.get("n_ctx") if isinstance(meta, Mapping) else None,
        entry.get("context_length"),
    )
    name = entry.get("id")
    return Probed(name if isinstance(name, str) else None, next(filter(None, map(_window, candidates)), None))


def read_props(props: object) -> int | None:
    """The window of one slot from llama.cpp's `GET /props`."""
    settings = props.get("default_generation_settings") if isinstance(props, Mapping) else None
    return _window(settings.get("n_ctx")) if isinstance(settings, Mapping) else None


def _window(value: object) -> int | None:
    return value if isinstance(value, int) and value >= _SMALLEST_WINDOW else None


async def _get(client: AsyncOpenAI, endpoint: Endpoint, path: str) -> Any:
    import openai

    headers = {} if endpoint.api_key else {"Authorization": openai.Omit()}
    return await client.get(path, cast_to=object, options={"headers": headers})
