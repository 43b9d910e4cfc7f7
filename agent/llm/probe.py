"""What a server tells about its model: name and window."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from agent.llm.chat import ModelError
from agent.llm.connection import get, post
from agent.llm.endpoint import Endpoint
from agent.llm.errors import caught, explain, fault
from agent.llm.tokenizers import PATHS, ask, read_count, read_window

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_log = logging.getLogger(__name__)

#: Which program serves the model; "" where it can't be told.
ServerKind = Literal["vllm", "fastchat", "llama-server", "llama_cpp.server", "openai", ""]
#: The form of `response_format` that a server really follows; "" for none, None where it was not tried yet.
Structured = Literal["json_schema", "json_object", ""] | None

#: Seconds for all questions of one probe.
PROBE_SECONDS = 10.0
#: A smaller number is not a window but a misunderstanding.
_SMALLEST_WINDOW = 128
#: A text with at least one token in every tokenizer.
_SAMPLE: Final = "one two three"
#: Servers that count tokens; the most telling ones first.
_KINDS: Final[tuple[ServerKind, ...]] = ("vllm", "llama-server", "llama_cpp.server", "fastchat")
#: Who a model belongs to, as the servers' listings say it.
_OWNERS: Final[Mapping[str, ServerKind]] = {
    "vllm": "vllm",
    "fastchat": "fastchat",
    "llamacpp": "llama-server",
    "me": "llama_cpp.server",
    "system": "openai",
    "openai": "openai",
}


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
    #: Most calls that the server runs side by side, where it tells.
    slots: int | None = None


async def probe(client: AsyncOpenAI, endpoint: Endpoint) -> Probed:
    """Ask the server. Never raises for a server that can't be reached or talks nonsense: then nothing is known.

    Structured output and reasoning aren't asked here: they take a call of the model (`agent.llm.trial`).
    """
    found = Probed()
    trouble: ModelError | None = None
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            # One question after the other: llama_cpp.server has a lock, and some stop a stream for each other request.
            found = read_models(await _listed(client, endpoint), endpoint.model)
            found = await _identified(client, endpoint, found)
            if found.context_tokens is None or found.server == "llama-server":
                props = await _or_none(get(client, endpoint, f"{endpoint.root}/props"))
                found = replace(
                    found,
                    context_tokens=found.context_tokens or read_props(props),
                    slots=found.slots or read_slots(props),
                )
            found = replace(found, embeddings=await _embeddings(client, endpoint, found))
    except TimeoutError:
        trouble = fault("timeout", f"no answer within {PROBE_SECONDS:g} s", endpoint)
    except caught() as error:
        trouble = explain(error, endpoint)
    if trouble is not None:
        _log.info("probe of %s: %s", endpoint.host, trouble)
    return replace(found, trouble=trouble)


async def _listed(client: AsyncOpenAI, endpoint: Endpoint) -> object:
    """The models that the server lists; None from one that has no list."""
    import openai

    try:
        return await get(client, endpoint, "/models")
    except openai.NotFoundError:
        return None


async def _identified(client: AsyncOpenAI, endpoint: Endpoint, found: Probed) -> Probed:
    """With the server's kind and tokenizer, told by which question about tokens it answers.

    Names in a listing are easily another's; only a tokenizer that counts is sure.
    """
    if _is_openai(endpoint):
        return replace(found, server="openai")
    name = endpoint.model or found.model or ""
    guesses = sorted(_KINDS, key=lambda kind: kind != found.server)
    for kind in guesses:
        answer = await _or_none(ask(client, endpoint, kind, name, _SAMPLE))
        if answered_as(kind, answer):
            window = found.context_tokens or _window(read_window(answer))
            slots = 1 if kind == "llama_cpp.server" else None
            return replace(found, server=kind, tokenizer=PATHS[kind], context_tokens=window, slots=slots)
    # It counts nowhere: a key or a proxy may be in between. What the listing says is the best guess.
    return replace(found, slots=1 if found.server == "llama_cpp.server" else None)


def answered_as(kind: ServerKind, answer: object) -> bool:
    """Whether this is how such a server answers a question about tokens."""
    if not read_count(answer) or not isinstance(answer, Mapping):
        return False
    # The same path, two servers: vLLM counts, llama-server only lists.
    return kind not in ("vllm", "llama-server") or ("count" in answer) == (kind == "vllm")


async def _embeddings(client: AsyncOpenAI, endpoint: Endpoint, found: Probed) -> bool | None:
    if found.server in ("openai", ""):
        # There, embeddings have models of their own, and each question costs.
        return None
    body = {"model": endpoint.model or found.model or "", "input": "a"}
    answer = await post(client, endpoint, "/embeddings", body)
    data = answer.get("data") if isinstance(answer, Mapping) else None
    return isinstance(data, list) and bool(data)


async def _or_none(asked: Awaitable[object]) -> object:
    """The answer; None from a server that has none to this question, or breaks off."""
    try:
        return await asked
    except caught():
        return None


def _is_openai(endpoint: Endpoint) -> bool:
    return bool(endpoint.azure_version) or endpoint.host == "openai.com" or endpoint.host.endswith(".openai.com")


def read_models(listed: object, wanted: str) -> Probed:
    """Name and window from `GET /v1/models`: of the model `wanted`, else (or if it is "") of the first one.

    The window is `max_model_len` (vLLM), `meta.n_ctx` (llama.cpp: per slot) or `context_length` (hosted servers).
    """
    data = listed.get("data") if isinstance(listed, Mapping) else None
    entries = [entry for entry in data if isinstance(entry, Mapping)] if isinstance(data, list) else []
    names = tuple(name for entry in entries if isinstance(name := entry.get("id"), str))
    entry = next((entry for entry in entries if entry.get("id") == wanted), entries[0] if entries else {})
    meta = entry.get("meta")
    candidates = (
        entry.get("max_model_len"),
        meta.get("n_ctx") if isinstance(meta, Mapping) else None,
        entry.get("context_length"),
    )
    name, owner = entry.get("id"), entry.get("owned_by")
    return Probed(
        name if isinstance(name, str) else None,
        next(filter(None, map(_window, candidates)), None),
        server=_OWNERS.get(owner, "") if isinstance(owner, str) else "",
        models=names,
    )


def read_slots(props: object) -> int | None:
    """How many calls llama-server runs side by side, from its `GET /props`."""
    slots = props.get("total_slots") if isinstance(props, Mapping) else None
    return slots if isinstance(slots, int) and slots >= 1 else None


def read_props(props: object) -> int | None:
    """The window of one slot from llama.cpp's `GET /props`."""
    settings = props.get("default_generation_settings") if isinstance(props, Mapping) else None
    return _window(settings.get("n_ctx")) if isinstance(settings, Mapping) else None


def _window(value: object) -> int | None:
    return value if isinstance(value, int) and value >= _SMALLEST_WINDOW else None
