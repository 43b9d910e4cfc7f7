"""Tries an endpoint before it is used: connects, asks about its model, and lets it answer."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import Final, Literal

from agent.language import Lang, Text
from agent.llm import faults
from agent.llm.chat import ChatMessage, ChatRequest, ModelError, ReasoningChunk, ReplyEnd, TextChunk
from agent.llm.client import OpenAIChatModel
from agent.llm.endpoint import UNKNOWN_CONTEXT_TOKENS, Endpoint, Timeouts
from agent.llm.probe import Probed

#: Seconds for the questions about the model, for the schema, for the picture and for the reply: some 20 in all.
_PROBE_SECONDS = 5.0
_SCHEMA_SECONDS = 4.0
_SIGHT_SECONDS = 3.0
_REPLY_SECONDS = 8.0
#: Characters of a reply, and names of models, that are shown.
_SHOWN, _SHOWN_MODELS = 60, 8
#: Tokens a second, below which people wait noticeably for each answer.
_SLOW = 4.0
#: Fewer tokens, and fewer seconds from the first to the last, tell nothing about the speed.
_ENOUGH_TOKENS, _ENOUGH_SECONDS = 8, 0.05

_COUNT: Final = ChatRequest(
    (ChatMessage("user", "Count from 1 to 20 in digits, with a space between the numbers, and write nothing else."),),
    max_tokens=96,
    temperature=0.0,
)

_REACHED = Text("{host} answers.", "{host} 有响应。")
_UNREACHABLE = Text(
    "{host} can't be reached: check the address, and that the server runs.",
    "无法连接 {host}：请检查地址，并确认服务正在运行。",
)
_UNAUTHORIZED = Text(
    "{host} does not accept the key: enter the one that the server was given.",
    "{host} 不接受该密钥：请填写服务端使用的密钥。",
)
_FAILS = Text(
    "{host} answers with an error ({detail}): its log should tell why.", "{host} 返回错误（{detail}）：请查看它的日志。"
)
_NO_API = Text(
    "{host} answers, but not as an OpenAI-compatible API: the address usually ends in /v1.",
    "{host} 有响应，但不是 OpenAI 兼容接口：地址通常以 /v1 结尾。",
)
_MODEL = Text("The model is “{model}”.", "模型是“{model}”。")
_MODEL_FIRST = Text(
    "The server has several models ({models}) and none is chosen: “{model}” would answer.",
    "该服务有多个模型（{models}），尚未选择：将由“{model}”回答。",
)
_MODEL_UNKNOWN = Text(
    "The server does not list “{model}”; it has {models}.", "该服务的列表中没有“{model}”，可用的有：{models}。"
)
_MODELS_NONE = Text(
    "The server lists no models; enter the name of the model if calls fail.",
    "该服务没有列出模型；如果调用失败，请填写模型名称。",
)
_WINDOW = Text("The window has {tokens} tokens.", "上下文窗口为 {tokens} 个 token。")
_WINDOW_SMALLER = Text(
    "{tokens} tokens are entered as the window, but the server says {real}.",
    "填写的上下文窗口为 {tokens} 个 token，但服务端给出的是 {real}。",
)
_WINDOW_UNKNOWN = Text(
    "The server doesn't tell the window: {tokens} tokens are assumed unless it is set (`context_tokens`).",
    "该服务没有给出上下文窗口：在设置它（`context_tokens`）之前，按 {tokens} 个 token 处理。",
)
_REPLIED = Text("It replied “{text}”.", "它的回复是“{text}”。")
_REJECTED = Text(
    "The server rejects the question ({detail}): check the name of the model.",
    "服务端拒绝了请求（{detail}）：请检查模型名称。",
)
_THINKS = Text(
    "It was still thinking after {seconds:g} seconds; answers will take their time.",
    "{seconds:g} 秒后仍在思考；回答会比较慢。",
)
_SILENT = Text(
    "It began no reply within {seconds:g} seconds: it may be loading, busy or very slow.",
    "{seconds:g} 秒内没有开始回复：可能正在加载、繁忙，或速度很慢。",
)
_SPEED = Text(
    "The first word took {first:.1f} s, then {rate:.0f} tokens a second.",
    "第一个词用时 {first:.1f} 秒，之后每秒 {rate:.0f} 个 token。",
)
_SPEED_UNKNOWN = Text(
    "The first word took {first:.1f} s; the rest was over too soon to tell the speed.",
    "第一个词用时 {first:.1f} 秒；其余部分结束得太快，无法计算速度。",
)
_FOLLOWS = Text(
    "Replies can be held to a JSON Schema, so plans are always valid.", "可以按 JSON Schema 输出，计划总是有效的。"
)
_IGNORES = Text(
    "Replies can't be held to a JSON Schema: plans are repaired where that is needed.",
    "不能按 JSON Schema 输出：计划会在需要时自动修复。",
)
_NOT_TRIED = Text(
    "Whether replies can be held to a JSON Schema was not found out in time.",
    "未能及时确认是否可以按 JSON Schema 输出。",
)
_SEES = Text("It looks at pictures.", "可以看图片。")
_BLIND = Text(
    "It can't look at pictures: answers will say so where one is attached.",
    "不能看图片：有人附上图片时，回答会说明这一点。",
)
_SIGHT_UNKNOWN = Text(
    "Whether it looks at pictures was not found out in time; it is tried again when the first one comes.",
    "未能及时确认能否看图片；收到第一张图片时会再试一次。",
)

State = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class TestLine:
    """One thing that a live test looked at."""

    # Not a test of pytest's.
    __test__ = False

    name: Literal["reach", "models", "context", "structured", "sight", "reply", "speed"]
    state: State
    #: One sentence in the language of whoever asked.
    text: str


@dataclass(frozen=True, slots=True)
class TestReport:
    """What a live test found."""

    __test__ = False

    lines: tuple[TestLine, ...]
    #: Names that the server lists.
    models: tuple[str, ...]
    #: Whether it can be used: no line is an error.
    ok: bool


async def try_endpoint(endpoint: Endpoint, lang: Lang) -> TestReport:
    """Never raises, and ends within some 20 seconds; what took too long is said."""
    impatient = Timeouts(_PROBE_SECONDS, _REPLY_SECONDS, _REPLY_SECONDS, _REPLY_SECONDS)
    chat = OpenAIChatModel(replace(endpoint, timeouts=impatient))
    try:
        trouble = await _reach(chat, endpoint)
        lines = [_reached(trouble, endpoint, lang)]
        if trouble is None:
            lines += [_models(endpoint, chat.facts, lang), _window(endpoint, chat.facts, lang)]
            # Before the reply, whose speed is measured: a server may do one thing at a time.
            lines += [await _structured(chat, lang), await _sight(chat, lang)]
            lines += await _reply(chat, lang)
        return TestReport(tuple(lines), chat.facts.models, all(line.state != "error" for line in lines))
    finally:
        await chat.aclose()


async def _reach(chat: OpenAIChatModel, endpoint: Endpoint) -> ModelError | None:
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            return await chat.check()
    except TimeoutError:
        return ModelError("timeout", f"no answer within {_PROBE_SECONDS:g} s", host=endpoint.host)


def _reached(trouble: ModelError | None, endpoint: Endpoint, lang: Lang) -> TestLine:
    if trouble is None:
        return TestLine("reach", "ok", _REACHED.say(lang, host=endpoint.host))
    texts = {"unauthorized": _UNAUTHORIZED, "garbage": _NO_API, "rejected": _NO_API}
    said = texts.get(trouble.fault, _FAILS if _is_the_servers(trouble) else _UNREACHABLE)
    return TestLine("reach", "error", said.say(lang, host=endpoint.host, detail=trouble.detail))


def _is_the_servers(error: ModelError) -> bool:
    """Whether a server answered, if only with an error of its own (5xx), or that it has had enough (429)."""
    return error.fault in ("unreachable", "overloaded") and error.detail.startswith("HTTP ")


def _models(endpoint: Endpoint, facts: Probed, lang: Lang) -> TestLine:
    listed = ", ".join(facts.models[:_SHOWN_MODELS]) + (", …" if len(facts.models) > _SHOWN_MODELS else "")
    if not facts.models:
        return TestLine("models", "ok" if endpoint.model else "warning", _MODELS_NONE.say(lang))
    if endpoint.model and endpoint.model not in facts.models:
        return TestLine("models", "warning", _MODEL_UNKNOWN.say(lang, model=endpoint.model, models=listed))
    if not endpoint.model and len(facts.models) > 1:
        return TestLine("models", "warning", _MODEL_FIRST.say(lang, model=facts.models[0], models=listed))
    return TestLine("models", "ok", _MODEL.say(lang, model=endpoint.model or facts.models[0]))


def _window(endpoint: Endpoint, facts: Probed, lang: Lang) -> TestLine:
    entered, real = endpoint.context_tokens, facts.context_tokens
    if entered and real and real < entered:
        return TestLine("context", "warning", _WINDOW_SMALLER.say(lang, tokens=entered, real=real))
    if entered or real:
        return TestLine("context", "ok", _WINDOW.say(lang, tokens=entered or real))
    return TestLine("context", "warning", _WINDOW_UNKNOWN.say(lang, tokens=UNKNOWN_CONTEXT_TOKENS))


@dataclass(slots=True)
class _Heard:
    """A reply as far as it came, with loop times."""

    began: float
    first: float | None = None
    last: float = 0.0
    text: str = ""
    tokens: int = 0

    @property
    def rate(self) -> float | None:
        """Tokens a second; None where too few came to tell."""
        if self.first is None or self.tokens < _ENOUGH_TOKENS or self.last - self.first < _ENOUGH_SECONDS:
            return None
        return (self.tokens - 1) / (self.last - self.first)


async def _reply(chat: OpenAIChatModel, lang: Lang) -> list[TestLine]:
    clock = asyncio.get_running_loop().time
    heard = _Heard(clock())
    try:
        async with asyncio.timeout(_REPLY_SECONDS):
            await _listen(chat, heard)
    except TimeoutError:
        pass
    except ModelError as error:
        # Cut off by our own impatience, a model that writes slowly is no broken one.
        if error.fault != "timeout":
            return [TestLine("reply", "error", _refused(error, lang))]
    if heard.first is None:
        return [TestLine("reply", "error", _SILENT.say(lang, seconds=_REPLY_SECONDS))]
    shown = " ".join(heard.text.split())
    shown = shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"
    replied = (
        TestLine("reply", "ok", _REPLIED.say(lang, text=shown))
        if shown
        else TestLine("reply", "warning", _THINKS.say(lang, seconds=_REPLY_SECONDS))
    )
    first, rate = heard.first - heard.began, heard.rate
    if rate is None:
        return [replied, TestLine("speed", "ok", _SPEED_UNKNOWN.say(lang, first=first))]
    return [replied, TestLine("speed", "ok" if rate >= _SLOW else "warning", _SPEED.say(lang, first=first, rate=rate))]


def _refused(error: ModelError, lang: Lang) -> str:
    if error.fault == "rejected":
        return _REJECTED.say(lang, detail=error.detail)
    if _is_the_servers(error):
        return _FAILS.say(lang, host=error.host, detail=error.detail)
    return faults.say(error, lang)


async def _listen(chat: OpenAIChatModel, heard: _Heard) -> None:
    clock = asyncio.get_running_loop().time
    async with aclosing(chat.stream(_COUNT)) as items:
        async for item in items:
            if isinstance(item, ReplyEnd):
                heard.tokens = item.usage.completion_tokens or heard.tokens
            elif isinstance(item, TextChunk | ReasoningChunk):
                heard.last = clock()
                heard.first = heard.last if heard.first is None else heard.first
                heard.tokens += 1
                heard.text += item.text if isinstance(item, TextChunk) else ""


async def _structured(chat: OpenAIChatModel, lang: Lang) -> TestLine:
    with suppress(TimeoutError):
        async with asyncio.timeout(_SCHEMA_SECONDS):
            await chat.warm()
    found = chat.facts.structured
    if found is None:
        return TestLine("structured", "warning", _NOT_TRIED.say(lang))
    return (
        TestLine("structured", "ok", _FOLLOWS.say(lang))
        if found
        else TestLine("structured", "warning", _IGNORES.say(lang))
    )


async def _sight(chat: OpenAIChatModel, lang: Lang) -> TestLine:
    with suppress(TimeoutError):
        async with asyncio.timeout(_SIGHT_SECONDS):
            await chat.can_see()
    said = _SIGHT_UNKNOWN if chat.sees is None else _SEES if chat.sees else _BLIND
    return TestLine("sight", "ok", said.say(lang))
