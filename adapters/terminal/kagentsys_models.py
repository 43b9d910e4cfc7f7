"""Which model answers a `kagentsys` call: a local server's, Azure's, the configured ones, or the embedded one."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from agent.language import Text
from agent.llm.chat import ChatMessage, ChatModel, ChatPool, ChatRequest, Prepare, Priority, ReplyItem, Serving
from agent.llm.client import OpenAIChatModel
from agent.llm.endpoint import ChatFormat, Endpoint
from agent.llm.pool import EndpointPool, Member
from agent.styles.fitting import REPLY_TOKENS
from bot.backend import Embedded, endpoint_of
from bot.known import known_endpoints
from bot.settings import Settings
from bot.settings.models import OPENAI_URL

_HOST_NAME = re.compile(r"[\w.-]+|\[[0-9A-Fa-f:.]+\]")
#: What `--llm_name` is when nobody says otherwise.
DEFAULT_LLM = "gpt-3.5-turbo"

_API_TYPE = Text(
    "OPENAI_API_TYPE is {value}, but it can only be open_ai or azure.",
    "OPENAI_API_TYPE 是 {value}，但它只能是 open_ai 或 azure。",
)
_AZURE_LACKS = Text(
    "OPENAI_API_TYPE is azure, and then {names} must be set, too: the key, the address of the resource (for example "
    "https://NAME.openai.azure.com) and the version of its API; --llm_name is the name of the deployment.",
    "OPENAI_API_TYPE 是 azure，因此还必须设置 {names}：密钥、资源地址（例如 https://NAME.openai.azure.com）和 API "
    "版本；--llm_name 是部署的名称。",
)
_ADDRESS = Text(
    "{name} must be an address such as https://example.com/v1, without spaces and with http:// or https:// before it.",
    "{name} 应为 https://example.com/v1 这样的地址，以 http:// 或 https:// 开头，不含空格。",
)
_HOST = Text(
    "--local_llm_host must be a host name or an address, such as localhost.",
    "--local_llm_host 应为主机名或地址，例如 localhost。",
)


class Refused(Exception):
    """The call can't be answered as it stands; `text` is one sentence for whoever typed it."""

    def __init__(self, text: Text, **fields: object) -> None:
        super().__init__(text.say("en", **fields))
        self.text = Text(text.say("en", **fields), text.say("zh", **fields))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command's options say about the model."""

    #: Lower-cased.
    llm_name: str
    #: Whether it was named in so many words.
    named: bool
    local: bool
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Choice:
    """An endpoint that may answer."""

    endpoint: Endpoint
    slots: int = 1
    #: Lower goes first.
    priority: int = 0


async def choose(wanted: Wanted, settings: Settings, environ: Mapping[str, str]) -> list[Choice]:
    """The endpoints to ask; [] for the embedded model.

    Raises `Refused`, and whatever `known_endpoints` raises.
    """
    if wanted.local:
        url = _local_url(wanted)
        return [Choice(Endpoint(url, model=wanted.llm_name, chat_format=_chat_format(wanted.llm_name)))]
    api_type = environ.get("OPENAI_API_TYPE", "").strip().lower() or "open_ai"
    if api_type not in ("open_ai", "openai", "azure"):
        raise Refused(_API_TYPE, value=api_type[:40])
    base = environ.get("OPENAI_API_BASE", "").strip()
    if base and not _is_address(base):
        raise Refused(_ADDRESS, name="OPENAI_API_BASE")
    configured = settings.models.endpoint
    if api_type == "azure":
        key = configured.api_key.get_secret_value() if configured.api_key else ""
        return [Choice(_azure(wanted, key, base, environ.get("OPENAI_API_VERSION", "").strip()))]
    if base and configured.base_url in (None, OPENAI_URL):
        # The name that the address had in the first version of OpenAI's library.
        configured.base_url = base
    known = [
        Choice(endpoint_of(one.settings, one.name), one.settings.slots, one.priority)
        for one in await known_endpoints(settings)
        if one.settings is not None
    ]
    return _named(wanted, known)


def _named(wanted: Wanted, known: list[Choice]) -> list[Choice]:
    """Those that the call means: of the model that it names, else all as they are configured."""
    if not wanted.named:
        return [_with_model(one, wanted.llm_name) if _needs_a_name(one) else one for one in known]
    meant = [one for one in known if wanted.llm_name in (one.endpoint.name.lower(), one.endpoint.model.lower())]
    return meant or [_with_model(one, wanted.llm_name) for one in known[:1]]


def _needs_a_name(one: Choice) -> bool:
    """OpenAI lists dozens of models, and the first of them is none to talk to."""
    return not one.endpoint.model and one.endpoint.base_url == OPENAI_URL


def _with_model(one: Choice, model: str) -> Choice:
    return replace(one, endpoint=replace(one.endpoint, model=model))


def _azure(wanted: Wanted, key: str, base: str, version: str) -> Endpoint:
    given = {"OPENAI_API_KEY": key, "OPENAI_API_BASE": base, "OPENAI_API_VERSION": version}
    missing = [name for name, value in given.items() if not value]
    if missing:
        raise Refused(_AZURE_LACKS, names=", ".join(missing))
    # As the openai package's AzureOpenAI does it: the deployment is a part of the path.
    url = f"{base.rstrip('/')}/openai/deployments/{wanted.llm_name}"
    return Endpoint(url, api_key=key, model=wanted.llm_name, azure_version=version)


def _local_url(wanted: Wanted) -> str:
    host = wanted.host.strip()
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    url = f"http://{host}:{wanted.port}/v1"
    if not _HOST_NAME.fullmatch(host) or not _is_address(url):
        raise Refused(_HOST)
    return url


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and url == url.strip()
    except ValueError:
        return False


def _chat_format(name: str) -> ChatFormat:
    if "qwen" in name:
        return "chatml"
    return "baichuan2" if "baichuan" in name else "auto"


@asynccontextmanager
async def serving(choices: Sequence[Choice], settings: Settings) -> AsyncIterator[ChatPool]:
    """The models of this call, with whatever has to be started and ended for them."""
    if choices:
        chats = [OpenAIChatModel(one.endpoint) for one in choices]
        members = [
            Member(chat, one.slots, one.endpoint.name, one.priority, chat.check)
            for chat, one in zip(chats, choices, strict=True)
        ]
        pool = EndpointPool(members)
        try:
            yield pool
        finally:
            await pool.aclose()
            for chat in chats:
                await chat.aclose()
        return
    embedded = Embedded.of(settings.models)
    await embedded.server.start()
    pool = EndpointPool([embedded.member])
    try:
        yield pool
    finally:
        await pool.aclose()
        await embedded.stop()


class InputLimit:
    """A pool whose prompts have at most so many tokens, whatever the model's window."""

    def __init__(self, pool: ChatPool, tokens: int) -> None:
        self._pool = pool
        self._tokens = tokens

    def serving(self, model: str = "", *, images: bool = False) -> Serving:
        return self._pool.serving(model, images=images)

    def stream(
        self,
        prepare: Prepare,
        *,
        owner: str,
        priority: Priority = Priority.CHAT,
        model: str = "",
        images: bool = False,
    ) -> AsyncGenerator[ReplyItem, None]:
        async def prepare_limited(chosen: ChatModel) -> ChatRequest:
            request = await prepare(_Narrowed(chosen, self._window(None)))
            exact = self._window(request.max_tokens)
            if exact == self._window(None):
                return request
            # The room for the reply is known now, and what is left is the prompt's.
            return await prepare(_Narrowed(chosen, exact))

        return self._pool.stream(prepare_limited, owner=owner, priority=priority, model=model, images=images)

    def _window(self, reply: int | None) -> int:
        """The window in which `fit` leaves exactly our tokens to the prompt."""
        if reply is not None:
            return self._tokens + reply
        # Without a wish, the reply gets REPLY_TOKENS, but never more than a quarter of the window.
        return min(self._tokens + REPLY_TOKENS, -(-self._tokens * 4 // 3))


class _Narrowed:
    """A model with a smaller window than it has."""

    def __init__(self, model: ChatModel, window: int) -> None:
        self._model = model
        self._window = window

    @property
    def name(self) -> str:
        return self._model.name

    @property
    def demo(self) -> bool:
        return self._model.demo

    @property
    def context_tokens(self) -> int:
        return min(self._window, self._model.context_tokens)

    @property
    def sees(self) -> bool | None:
        return self._model.sees

    async def can_see(self) -> bool:
        return await self._model.can_see()

    async def count(self, messages: Sequence[ChatMessage]) -> int:
        return await self._model.count(messages)

    def stream(self, request: ChatRequest) -> AsyncGenerator[ReplyItem, None]:
        return self._model.stream(request)
