"""Endpoints as people see and enter them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from agent.language import Lang, Text
from agent.llm import faults
from agent.llm.chat import ModelError
from bot.backend import Backend, Embedded, phase_of
from bot.ports import Health
from bot.settings.models import EMBEDDED_NAME, PRIORITY_STEP

Source = Literal["settings", "page", "embedded"]


@dataclass(frozen=True, slots=True)
class EndpointView:
    """An endpoint as people may see it: without its key, and of its address only the host."""

    name: str
    #: Host and port; "" for the embedded model.
    host: str
    #: The model's name, as set or as the server told it; "" while unknown.
    model: str
    source: Source
    #: Lower goes first.
    priority: int
    #: Calls that it takes at the same time.
    slots: int
    chat_format: str
    #: Told in the language of whoever asks.
    health: Health
    #: None while unknown; then 4,096 are assumed.
    context_tokens: int | None
    #: What it can be made to follow: "json_schema", "json_object", "" for nothing or not known.
    structured: str
    #: Whether its model thinks before it answers.
    reasoning: bool
    #: Whether it looks at pictures; None while nobody knows.
    sees: bool | None
    #: Whether the server counts tokens for us.
    tokenizer: bool
    demo: bool
    #: Whether `remove` may be asked for it.
    removable: bool


@dataclass(frozen=True, slots=True)
class EndpointDraft:
    """What a person entered. Never logged: address and key may be secret."""

    name: str
    #: http or https, up to where `/chat/completions` begins.
    base_url: str = field(repr=False)
    #: "" sends none.
    api_key: str = field(default="", repr=False)
    #: "" takes the first one that the server lists.
    model: str = ""
    priority: int = 10
    slots: int = 8
    #: None asks the server.
    context_tokens: int | None = None
    chat_format: str = "auto"
    reasoning: str = "auto"
    vision: str = "auto"


class EndpointError(Exception):
    """A draft that can't be used, or an endpoint that can't be removed. `field` is the draft's field that is wrong, ""
    where it is none; `text` is one sentence that says what would be right.
    """

    def __init__(self, field: str, text: Text) -> None:
        super().__init__(text.en)
        self.field = field
        self.text = text


def of_backend(backend: Backend, trouble: ModelError | None, lang: Lang) -> EndpointView:
    """One of the settings or of the page; `trouble` is why it isn't asked just now."""
    settings, facts = backend.settings, backend.chat.facts
    return EndpointView(
        name=backend.name,
        host=backend.host,
        model=settings.model or facts.model or "",
        source="page" if backend.entered else "settings",
        priority=backend.priority,
        slots=settings.slots,
        chat_format=settings.chat_format,
        health=Health("ok") if trouble is None else Health("down", faults.say(trouble, lang)),
        context_tokens=settings.context_tokens or facts.context_tokens,
        structured=facts.structured or "",
        reasoning=facts.reasoning or settings.reasoning == "on",
        sees=backend.chat.sees,
        tokenizer=bool(facts.tokenizer),
        demo=False,
        removable=backend.entered,
    )


def of_embedded(embedded: Embedded, lang: Lang) -> EndpointView:
    """The model inside the server."""
    server = embedded.server
    return EndpointView(
        name=EMBEDDED_NAME,
        host="",
        model=server.alias,
        source="embedded",
        priority=embedded.member.priority,
        slots=server.config.slots,
        chat_format="auto",
        health=embedded_health(embedded, lang),
        context_tokens=embedded.chat.context_tokens,
        # llama.cpp itself: grammars and the tokenizer are part of it.
        structured="json_schema",
        reasoning=False,
        sees=False,
        tokenizer=True,
        demo=server.demo,
        removable=False,
    )


def embedded_health(embedded: Embedded, lang: Lang) -> Health:
    """What its process is doing."""
    reason = embedded.server.state.reason
    return Health(phase_of(embedded.server), reason.say(lang) if reason else "")


def lost(name: str, trouble: Text, lang: Lang) -> EndpointView:
    """One that is kept and can't be read."""
    return EndpointView(
        name=name,
        host="",
        model="",
        source="page",
        priority=PRIORITY_STEP,
        slots=0,
        chat_format="auto",
        health=Health("down", trouble.say(lang)),
        context_tokens=None,
        structured="",
        reasoning=False,
        sees=False,
        tokenizer=False,
        demo=False,
        removable=True,
    )


def filled(text: Text, **fields: object) -> Text:
    """The text with its fields filled in, in both languages; a field may be a `Text`, too."""
    en = {name: value.en if isinstance(value, Text) else value for name, value in fields.items()}
    zh = {name: value.zh if isinstance(value, Text) else value for name, value in fields.items()}
    return Text(text.say("en", **en), text.say("zh", **zh))
