"""Makes models out of settings: of a configured endpoint, and of the embedded model where there is none."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError

from agent.llm.client import OpenAIChatModel
from agent.llm.embedded import EmbeddedConfig, EmbeddedServer
from agent.llm.embedded_chat import EmbeddedChatModel
from agent.llm.endpoint import Endpoint, Timeouts
from agent.llm.pool import Member
from bot.settings.models import EMBEDDED_NAME, EndpointSettings, ListedEndpoint, ModelSettings

#: Behind all others: it is asked only where there is no other.
_LAST = 10_000
#: Servers whose slots hold each other up: llama.cpp reads one prompt at a time, mostly on a CPU.
_ONE_AT_A_TIME = ("llama-server", "llama_cpp.server")


@dataclass(frozen=True, slots=True)
class Backend:
    """An endpoint with its settings, ready to be called."""

    name: str
    priority: int
    settings: EndpointSettings
    chat: OpenAIChatModel
    #: Whether it was entered on the page.
    entered: bool

    @property
    def host(self) -> str:
        """Fit to be shown."""
        return endpoint_of(self.settings, self.name).host

    @property
    def member(self) -> Member:
        chat = self.chat
        return Member(
            chat,
            self.settings.slots,
            self.name,
            self.priority,
            chat.check,
            lambda: chat.most_slots,
            lambda: chat.facts.server in _ONE_AT_A_TIME,
        )


def endpoint_of(settings: EndpointSettings, name: str) -> Endpoint:
    """What a call needs. The settings have an address."""
    return Endpoint(
        base_url=settings.base_url or "",
        api_key=settings.api_key.get_secret_value() if settings.api_key else "",
        model=settings.model or "",
        context_tokens=settings.context_tokens,
        max_tokens=settings.max_tokens,
        temperature=settings.temperature,
        timeouts=Timeouts.around(settings.timeout),
        chat_format=settings.chat_format,
        reasoning=settings.reasoning,
        reasoning_tokens=settings.reasoning_tokens,
        vision=settings.vision,
        name=name,
    )


def open_backend(settings: EndpointSettings, name: str, priority: int, *, entered: bool = False) -> Backend:
    """Nothing is connected yet."""
    return Backend(name, priority, settings, OpenAIChatModel(endpoint_of(settings, name)), entered)


def configured(models: ModelSettings) -> tuple[Backend, ...]:
    """The endpoints of the settings."""
    return tuple(open_backend(one.settings, one.name, one.priority) for one in models.configured)


@dataclass(frozen=True, slots=True)
class Embedded:
    """The embedded model: its process, and the way to it."""

    server: EmbeddedServer
    chat: EmbeddedChatModel

    @classmethod
    def of(cls, models: ModelSettings) -> Embedded:
        """Not started yet."""
        server = EmbeddedServer(EmbeddedConfig(gguf=models.embedded.gguf, threads=models.embedded.threads))
        return cls(server, EmbeddedChatModel(server))

    @property
    def member(self) -> Member:
        # Its name for people says that it is a demo; lists and profiles call it by these.
        aliases = (EMBEDDED_NAME, self.server.alias)
        return Member(self.chat, self.server.config.slots, priority=_LAST, shared=lambda: True, aliases=aliases)

    async def stop(self) -> None:
        await self.server.stop()
        await self.chat.aclose()


Phase = Literal["starting", "ok", "down"]


def phase_of(server: EmbeddedServer) -> Phase:
    """The embedded model's state, as health has it."""
    match server.state.phase:
        case "ready":
            return "ok"
        case "failed" | "stopped":
            return "down"
        case _:
            return "starting"


def pack(settings: ListedEndpoint) -> str:
    """All of an endpoint, its key included, as text to be encrypted."""
    values = settings.model_dump(mode="json", exclude_none=True, exclude={"api_key"})
    key = {"api_key": settings.api_key.get_secret_value()} if settings.api_key else {}
    return json.dumps(values | key)


def unpack(packed: str) -> ListedEndpoint | None:
    """None for what this version can't read."""
    try:
        return ListedEndpoint(**json.loads(packed))
    except (ValidationError, ValueError, TypeError):
        return None
