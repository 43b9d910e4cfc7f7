"""Which model a command asks: an address, an endpoint that the server knows, or the embedded model."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from agent.language import Text
from evals.cli.ending import NO_MODEL, WRONG, Ended
from evals.cli.program import Desk

if TYPE_CHECKING:
    from agent.llm.chat import ModelError
    from agent.llm.endpoint import Endpoint
    from bot.known import Known
    from evals.running.asking import Asker

#: The embedded model's name among the endpoints.
_EMBEDDED: Final = "embedded"

_ADDRESS = Text(
    "--base-url must be an address such as http://localhost:8000/v1, with http:// or https:// before it.",
    "--base-url 应为 http://localhost:8000/v1 这样的地址，以 http:// 或 https:// 开头。",
)
_NO_KEY = Text(
    "--api-key-env {name} names an environment variable that is not set: export it, or name another one.",
    "--api-key-env {name} 所指的环境变量没有设置：请先导出它，或换一个变量名。",
)
_KEY_FOR_WHOM = Text(
    "--api-key-env goes with --base-url: configured endpoints have keys of their own.",
    "--api-key-env 需与 --base-url 一起使用：已配置的端点有自己的密钥。",
)
_KEY_REFUSED = Text(
    "{server} does not accept the key: --api-key-env names the environment variable that holds the right one.",
    "{server} 不接受密钥：请用 --api-key-env 指定存放正确密钥的环境变量。",
)
_REJECTED = Text(
    "{server} rejected the request ({detail}): check --model, and what that server can do.",
    "{server} 拒绝了请求（{detail}）：请检查 --model，以及该服务支持什么。",
)
_UNKNOWN = Text(
    "No endpoint or model is called “{name}”: take one of {known}, or name another server with --base-url.",
    "没有名为“{name}”的端点或模型：请从 {known} 中选择，或用 --base-url 指定其他服务。",
)
_CLOSED = Text("The endpoint “{name}” can't be used: {why}.", "端点“{name}”无法使用：{why}。")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the options say about the model."""

    name: str = ""
    base_url: str = ""
    api_key_env: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """What will be asked."""

    #: As the operator calls it.
    name: str
    #: None for the embedded model.
    endpoint: Endpoint | None
    #: Whether --base-url named it: then options mend what is wrong with it, and no settings.
    by_address: bool = False

    @property
    def server(self) -> str:
        """Host and port, fit to be shown; "" for the embedded model."""
        return self.endpoint.host if self.endpoint else ""


async def choose(desk: Desk, wanted: Wanted) -> Choice:
    """The one model that is meant. Raises `Ended`, and what `known_endpoints` raises."""
    from bot.known import known_endpoints

    if wanted.base_url:
        return _at_address(wanted)
    if wanted.api_key_env:
        raise Ended(WRONG, _KEY_FOR_WHOM)
    if wanted.name == _EMBEDDED:
        return Choice(_EMBEDDED, None)
    known = await known_endpoints(desk.settings)
    if wanted.name:
        return await _named(wanted.name, known)
    return _made(known[0]) if known else Choice(_EMBEDDED, None)


def why(choice: Choice, error: ModelError) -> Text:
    """What people are told who can mend it with options."""
    from agent.llm.faults import say

    if choice.by_address and error.fault == "unauthorized":
        return Text(*(_KEY_REFUSED.say(lang, server=choice.server) for lang in ("en", "zh")))
    if choice.by_address and error.fault == "rejected" and error.text is None:
        # There is no log to look into.
        detail = error.detail.rstrip(".。")
        return Text(*(_REJECTED.say(lang, server=choice.server, detail=detail) for lang in ("en", "zh")))
    return Text(say(error, "en"), say(error, "zh"))


@asynccontextmanager
async def asker_of(choice: Choice, desk: Desk) -> AsyncIterator[Asker]:
    """Whoever asks it, ready: what its server is has been found out. Raises `ModelError` where it can't be asked."""
    from agent.llm.chat import ModelError
    from evals.running.models import EndpointAsker, PoolAsker

    if choice.endpoint is not None:
        asker = EndpointAsker(choice.endpoint)
        try:
            await asker.ready()
            yield asker
        except ModelError as error:
            raise Ended(NO_MODEL, why(choice, error)) from None
        finally:
            await asker.aclose()
        return
    from agent.llm.pool import EndpointPool
    from bot.backend import Embedded

    embedded = Embedded.of(desk.settings.models)
    pool = EndpointPool([embedded.member])
    await embedded.server.start()
    try:
        await embedded.server.ready(embedded.server.config.patience)
        alone = PoolAsker(pool)
        await alone.ready()
        yield alone
    finally:
        await pool.aclose()
        await embedded.stop()


def _at_address(wanted: Wanted) -> Choice:
    from pydantic import TypeAdapter, ValidationError

    from agent.llm.endpoint import Endpoint
    from bot.settings.values import WebAddress

    key = os.environ.get(wanted.api_key_env, "") if wanted.api_key_env else ""
    if wanted.api_key_env and not key:
        raise Ended(WRONG, _NO_KEY, name=wanted.api_key_env[:80])
    try:
        address: str = TypeAdapter(WebAddress).validate_python(wanted.base_url)
    except ValidationError:
        raise Ended(WRONG, _ADDRESS) from None
    endpoint = Endpoint(address, api_key=key, model=wanted.name)
    return Choice(wanted.name or endpoint.host, endpoint, by_address=True)


async def _named(name: str, known: Sequence[Known]) -> Choice:
    from bot.backend import endpoint_of

    for one in known:
        if one.name == name or (one.settings is not None and one.settings.model == name):
            return _made(one)
    for one in known:
        # What such an endpoint's model is called, only its server knows.
        if one.settings is None or one.settings.model is not None:
            continue
        endpoint = endpoint_of(one.settings, one.name)
        if name in await _listed(endpoint):
            return Choice(name, replace(endpoint, model=name))
    names = [*(one.name for one in known), *(m for one in known if one.settings and (m := one.settings.model))]
    raise Ended(WRONG, _UNKNOWN, name=name[:80], known=", ".join(dict.fromkeys([*names, _EMBEDDED])))


async def _listed(endpoint: Endpoint) -> Sequence[str]:
    """The models that an endpoint's server has; none where it doesn't say."""
    from agent.llm.chat import ModelError
    from agent.llm.client import OpenAIChatModel

    chat = OpenAIChatModel(endpoint)
    try:
        with suppress(ModelError):
            await chat.check()
        return chat.facts.models
    finally:
        await chat.aclose()


def _made(one: Known) -> Choice:
    from bot.backend import endpoint_of

    if one.settings is None:
        why = one.trouble or Text("", "")
        said = (_CLOSED.say(lang, name=one.name, why=why.say(lang).rstrip(".。")) for lang in ("en", "zh"))
        raise Ended(NO_MODEL, Text(*said))
    return Choice(one.name, endpoint_of(one.settings, one.name))
