"""How the servers that we know differ, each as a handful of facts. The sections are those of facts/llm.md.

What stands there as "seen" was seen with llama-cpp-python 0.3.36 and xllamacpp 2026.10.11549, which `make compat` and
the embedded model run for real; FastChat's is read from its source (`serve/openai_api_server.py`), vLLM's and OpenAI's
from their documentation and reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

#: Which server to be.
Name = Literal["vllm", "reasoning", "fastchat", "llama.cpp", "llama_cpp.server", "openai"]
#: In which way a schema was sent, if at all; `object` is JSON without a schema.
Form = Literal["json_schema", "flat", "json_object", "object", "guided", ""]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of server."""

    name: Name
    #: `owned_by` of the models that it lists.
    owner: str
    #: Forms of a schema that it makes the model follow; all others it takes and ignores.
    follows: frozenset[Form]
    #: Fields that limit the reply, the first that is there; others are ignored.
    limits: tuple[str, ...] = ("max_tokens", "max_completion_tokens")
    #: Whether the limit has to fit into the window, too, or is cut.
    limit_must_fit: bool = False
    #: Whether streams tell the usage when asked.
    usage: bool = True
    #: `delta` of a chat stream's first event.
    role: Mapping[str, Any] | None = None
    #: Tokens of a completion that asks for no number; None: until it ends by itself.
    completion_tokens: int | None = 16
    #: Whether `POST /v1/completions` is there.
    completions: bool = True
    #: Whether that call has another form than the chat call.
    own_completions: bool = False
    #: Whether a model that it does not list is refused.
    strict_model: bool = False
    #: Whether one call runs at a time, and everything else waits.
    one_context: bool = False
    #: Whether the model thinks before it answers.
    thinks: bool = False
    #: Whether `tools` are used.
    tools: bool = False
    #: Whether a model without sight refuses pictures, or answers as if there were none.
    refuses_images: bool = True
    #: Whether it closes the connection after a stream, without a word (seen: its response announces keep-alive).
    closes: bool = False

    def form(self, body: Mapping[str, Any]) -> Form:
        """In which way this request wants JSON."""
        wanted = body.get("response_format") or {}
        if "messages" not in body and self.own_completions:
            # Seen: `response_format` is ignored there; llama-server takes the schema as it is.
            return "json_schema" if body.get("json_schema") else ""
        if body.get("guided_json") or (body.get("structured_outputs") or {}).get("json"):
            return "guided"
        if wanted.get("type") == "json_schema":
            return "json_schema" if (wanted.get("json_schema") or {}).get("schema") else "flat"
        if wanted.get("type") == "json_object":
            return "json_object" if wanted.get("schema") else "object"
        return ""

    def is_made_to_follow(self, body: Mapping[str, Any]) -> bool:
        """Whether the reply to this request follows its schema."""
        return self.form(body) in self.follows

    def limit(self, body: Mapping[str, Any]) -> int | None:
        """Most tokens that the request allows; None for no limit."""
        asked = next((int(body[name]) for name in self.limits if body.get(name)), None)
        return self.completion_tokens if asked is None and "messages" not in body else asked


_EMPTY_CONTENT = {"role": "assistant", "content": ""}
_VLLM: frozenset[Form] = frozenset({"json_schema", "object", "guided"})

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        # Section 6: a remote OpenAI-compatible server. Prompt and limit have to fit together. (It refuses a model that
        # it does not list, too; the default kind is more lenient, so that most tests need not name one.)
        Kind("vllm", "vllm", _VLLM, limit_must_fit=True, role=_EMPTY_CONTENT),
        # vLLM with --reasoning-parser: what the model thinks comes as `reasoning_content` and counts as output.
        Kind("reasoning", "vllm", _VLLM, limit_must_fit=True, role=_EMPTY_CONTENT, thinks=True, tools=True),
        # facts/kagentsys.md, "Models and serving": a vLLM worker behind FastChat's own API server, whose requests have
        # no other fields than those of 2023: the rest is dropped without a word. No usage in streams.
        # Pictures go to its worker as a field that a worker without sight drops (`serve/model_worker.py`).
        Kind(
            "fastchat",
            "fastchat",
            frozenset(),
            ("max_tokens",),
            usage=False,
            strict_model=True,
            refuses_images=False,
        ),
        # Section 7: only the nested form; seen: json_object with a schema works as well, the flat form does not.
        Kind(
            "llama.cpp",
            "llamacpp",
            frozenset({"json_schema", "json_object", "object"}),
            role={"role": "assistant", "content": None},
            completion_tokens=None,
            own_completions=True,
            closes=True,
        ),
        # Section 1: one context behind a lock; json_object with a schema only. Section 5: no usage in streams.
        # Seen: max_completion_tokens is ignored.
        Kind(
            "llama_cpp.server",
            "me",
            frozenset({"json_object", "object"}),
            ("max_tokens",),
            usage=False,
            own_completions=True,
            one_context=True,
        ),
        Kind(
            "openai",
            "openai",
            frozenset({"json_schema", "object"}),
            ("max_completion_tokens", "max_tokens"),
            role=_EMPTY_CONTENT,
            completions=False,
            strict_model=True,
            tools=True,
        ),
    )
}
