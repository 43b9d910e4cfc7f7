"""What one server understands of the API: how a request is put to it, and what its refusals teach."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from agent.llm import formats
from agent.llm.chat import ChatMessage, ChatRequest, Measured
from agent.llm.endpoint import UNKNOWN_CONTEXT_TOKENS, Endpoint
from agent.llm.errors import is_about_images, of_status
from agent.llm.probe import Probed, Structured

#: Sent where neither the setting nor the server names a model; servers with one model ignore the name.
_ANY_MODEL: Final = "default"
#: A refusal for want of a chat template: transformers' and vLLM's words, text-generation-inference's, llama.cpp's.
_NO_TEMPLATE = re.compile(
    r"chat[ _]template(?!_kwargs)|template (?:error: )?(?:template )?not found|no (?:chat )?template", re.IGNORECASE
)
_ABOUT_SCHEMA = re.compile(
    r"response_format|json_?schema|json_object|grammar|guided|structured|schema|xgrammar|outlines", re.IGNORECASE
)
_THINKING_SWITCH: Final = "chat_template_kwargs"
#: Fields of how a model writes that some server or other refuses. OpenAI's reasoning models have one temperature only,
#: and `top_k` is no field of OpenAI's at all.
_SAMPLING: Final = ("temperature", "top_p", "top_k", "seed")
#: Names that servers are told for a schema; they don't matter.
_SCHEMA_NAME: Final = "reply"
#: Tokens that a reply by a schema gets at least where the request says nothing: cut-off JSON is worth nothing.
_SCHEMA_TOKENS = 1024
#: `/v1/completions` writes 16 tokens where it is told nothing, and takes no limit beyond what the window has left. So
#: many, and at most a quarter of the window: what prompts leave free for the reply.
_COMPLETION_TOKENS = 1024

_WRITTEN: Final[Mapping[str, formats.Written]] = {"chatml": "chatml", "baichuan2": "baichuan2", "raw": "raw"}
#: Statuses that a server may answer to a request whose form it doesn't understand. 502 to 504 are about the server.
_NOT_UNDERSTOOD: Final = (400, 415, 422, 500, 501)

#: Which of the API's two calls a request is for.
Route = Literal["chat", "completions"]


@dataclass(frozen=True, slots=True)
class Wish:
    """One request and how it shall be put."""

    request: ChatRequest
    #: Ask the model not to think first.
    quiet: bool = False
    #: Tokens on top of those of the answer, for what the model thinks.
    thought_tokens: int = 0
    #: Tokens that prompt and reply may have together.
    window: int = UNKNOWN_CONTEXT_TOKENS
    #: Ask for the reply in one piece. llama_cpp.server loses streams when somebody else calls it, and tells only in
    #: this way that a prompt is too long.
    whole: bool = False

    @property
    def keeps(self) -> bool:
        """Whether what the model thinks stays in the reply."""
        measured = self.request.measured
        return measured is not None and measured.thinking == "keep"


class Dialect:
    """Begins with what all servers should understand and leaves out what this one refuses."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self.reset()

    def reset(self) -> None:
        """Forget what was learned: it is another server, or another model."""
        self._stream_options = True
        self._max_tokens_field = "max_tokens"
        self._thinking_switch = True
        #: Fields of `_SAMPLING` that the server refused.
        self._refused_fields: set[str] = set()
        self._format = self._endpoint.chat_format
        #: Forms of `response_format` that the server refused; those that it failed at, perhaps for another reason.
        self._refused: set[Structured] = set()
        self._suspected: set[Structured] = set()

    @property
    def written(self) -> formats.Written | None:
        """The format that is written here; None where the server writes the prompt."""
        return _WRITTEN.get(self._format)

    def written_for(self, request: ChatRequest) -> formats.Written | None:
        """The format in which this request is written here; None where the server writes the prompt."""
        return self.written if request.measured is None else request.measured.form or self.written

    @property
    def route(self) -> Route:
        return "chat" if self.written is None else "completions"

    def form(self, facts: Probed) -> Structured:
        """The form in which a schema is sent: the one that the probe saw at work, else the best not refused yet."""
        not_these = self._refused | self._suspected
        if facts.structured is not None and facts.structured not in not_these:
            return facts.structured
        order: tuple[Structured, ...] = ("json_schema", "json_object")
        if facts.server == "llama_cpp.server":
            order = ("json_object", "json_schema")
        return next((form for form in order if form not in not_these), "")

    def parameters(self, wish: Wish, facts: Probed) -> dict[str, Any]:
        """Arguments for the `create` of the `openai` package."""
        endpoint, request = self._endpoint, wish.request
        optional: dict[str, Any] = {
            "stream_options": {"include_usage": True} if self._stream_options and not wish.whole else None,
            self._max_tokens_field: self._max_tokens(wish),
            **self._sampling(request),
            "stop": list(endpoint.stop) or None,
        }
        body = {name: value for name, value in optional.items() if value is not None}
        written = self.written_for(request)
        body |= self._prompt(wish, self._messages(wish.request, facts))
        if request.schema is not None:
            body |= self._schema(request.schema, facts, written)
        # What is measured is written as the request says; all else as the setting says.
        body = {**endpoint.extra_body, **body} if request.measured is not None else {**body, **endpoint.extra_body}
        if request.measured is not None and facts.server == "llama-server":
            body |= _aside(request.measured, facts)
        if wish.quiet and self._thinking_switch and written is None:
            body[_THINKING_SWITCH] = {**body.get(_THINKING_SWITCH, {}), "enable_thinking": False}
        return {
            "model": endpoint.model or facts.model or _ANY_MODEL,
            "stream": not wish.whole,
            # The package compares `messages` with its types one by one; in `extra_body` it takes them as they are.
            **({"messages": []} if written is None else {"prompt": ""}),
            "extra_body": body,
            "extra_headers": None if endpoint.api_key else {"Authorization": _omit()},
        }

    def adapt(
        self, status: int, body: object, wish: Wish, facts: Probed, refused: Mapping[str, Any] | None = None
    ) -> bool:
        """Whether another request may do better, because it is put in another way than the one just refused.

        `refused`: the `parameters` of the latter, where other calls may run side by side with this one.
        """
        if status not in _NOT_UNDERSTOOD or of_status(status, body, self._endpoint).fault == "context_overflow":
            return False
        if is_about_images(body):
            # Whoever asked has to do without them.
            return False
        if refused is not None and _put(refused) != _put(self.parameters(wish, facts)):
            # Another call has learned meanwhile; what this refusal is about may be mended by that.
            return True
        reason = str(body)
        if self._format == "auto" and _NO_TEMPLATE.search(reason):
            self._format = formats.guessed(self._endpoint.model or facts.model or "")
            return True
        sent = self.form(facts) if wish.request.schema is not None else ""
        if sent and _ABOUT_SCHEMA.search(reason):
            self._refused.add(sent)
            return True
        if sent and status >= 500:
            # llama_cpp.server answers 500 to `json_schema`; but any server may have broken down.
            self._suspected.add(sent)
            return True
        if status >= 500:
            return False
        if self._stream_options and "stream_options" in reason:
            self._stream_options = False
            return True
        if self._max_tokens_field == "max_tokens" and "max_completion_tokens" in reason:
            self._max_tokens_field = "max_completion_tokens"
            return True
        for name, value in self._sampling(wish.request).items():
            if value is not None and name in reason:
                self._refused_fields.add(name)
                return True
        if wish.quiet and self._thinking_switch and _THINKING_SWITCH in reason:
            self._thinking_switch = False
            return True
        return False

    def settled(self, *, served: bool) -> None:
        """How the last of the requests ended that one call needed: whether the server took it in the end."""
        if served:
            self._refused |= self._suspected
        self._suspected = set()

    def does_not_follow(self, form: Structured) -> None:
        """The server takes this form and writes what it likes."""
        self._refused.add(form)

    def _sampling(self, request: ChatRequest) -> dict[str, float | None]:
        """How the model shall write, without what this server refuses; None leaves it to the server."""
        usual, measured = self._endpoint.temperature, request.measured
        wanted: dict[str, float | None] = {"temperature": usual if request.temperature is None else request.temperature}
        if measured is not None:
            wanted |= {name: getattr(measured, name) for name in _SAMPLING if name != "temperature"}
        return {name: value for name, value in wanted.items() if name not in self._refused_fields}

    def _max_tokens(self, wish: Wish) -> int | None:
        request, most = wish.request, wish.request.max_tokens
        if most is None:
            most = self._endpoint.max_tokens
            if request.schema is not None and most is not None:
                most = max(most, _SCHEMA_TOKENS)
        if most is None and self.written_for(request) is not None:
            most = min(_COMPLETION_TOKENS, wish.window // 4)
        return None if most is None else most + wish.thought_tokens

    def most_text(self, wish: Wish) -> int | None:
        """Tokens of text that this request asks for, where the server is told a higher limit; None: it sees to that.

        A reply by a schema ends by itself, and cut off it is worth nothing.
        """
        if not wish.thought_tokens or wish.request.schema is not None:
            return None
        return wish.request.max_tokens or self._endpoint.max_tokens

    def _messages(self, request: ChatRequest, facts: Probed) -> Sequence[ChatMessage]:
        """The request's, with its reminder where the form of the reply can't be enforced."""
        if request.schema is None or not request.reminder or self.form(facts):
            return request.messages
        *before, last = request.messages
        return (*before, replace(last, content=f"{last.content} {request.reminder}"))

    def _prompt(self, wish: Wish, messages: Sequence[ChatMessage]) -> dict[str, Any]:
        written, verbatim = self.written_for(wish.request), wish.request.measured is not None
        if written is None:
            return {"messages": [{"role": one.role, "content": _content(one, verbatim=verbatim)} for one in messages]}
        prompt = formats.write(written, messages, quiet=wish.quiet, verbatim=verbatim)
        stop = [*self._endpoint.stop, *prompt.stop]
        return {"prompt": sendable(prompt.text), **({"stop": stop} if stop else {})}

    def _schema(self, schema: Mapping[str, Any], facts: Probed, written: formats.Written | None) -> dict[str, Any]:
        match self.form(facts):
            case "json_schema":
                # llama.cpp ignores a schema that is not nested.
                nested = {"name": _SCHEMA_NAME, "schema": schema, "strict": False}
                if written is not None and facts.server == "llama-server":
                    # Its `/v1/completions` knows no `response_format`.
                    return {"json_schema": schema}
                return {"response_format": {"type": "json_schema", "json_schema": nested}}
            case "json_object":
                return {"response_format": {"type": "json_object", "schema": schema}}
            case _:
                return {}


def _aside(measured: Measured, facts: Probed) -> dict[str, Any]:
    """What makes llama-server end a call soon that is left, and keep it out of the way of others.

    It looks whether somebody still listens when it has something to say, else once a second. Without a slot of its own
    each call takes the slot that was idle for longest, and with it the prompt that a chat would have gone on from.
    """
    last = {"id_slot": facts.slots - 1} if measured.aside and facts.slots and facts.slots > 1 else {}
    return {"return_progress": True, **last}


def _put(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if name != "extra_headers"}


def _content(message: ChatMessage, *, verbatim: bool) -> str | list[dict[str, Any]]:
    """As the chat call takes it: text, or text and pictures."""
    text = sendable(message.content) if verbatim else formats.neutral(sendable(message.content))
    if not message.images:
        return text
    addresses = (f"data:{one.media_type};base64,{b64encode(one.data).decode()}" for one in message.images)
    pictures = [{"type": "image_url", "image_url": {"url": address}} for address in addresses]
    return [{"type": "text", "text": text}, *pictures]


def sendable(text: str) -> str:
    """`text` without lone surrogates, which UTF-8 can't carry."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return text


def _omit() -> Any:
    import openai

    return openai.Omit()
