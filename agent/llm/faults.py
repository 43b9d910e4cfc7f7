"""What people read when a model call failed: one sentence per fault that says what to do, without secrets."""

from __future__ import annotations

from typing import Final

from agent.language import Lang, Text
from agent.llm.chat import ModelError, ModelFault

_SOMEWHERE: Final = Text("The model's server", "模型服务器")
_AT_HOST: Final = Text("The model's server {host}", "模型服务器 {host} ")

#: `{server}` is the server, named where its host is known.
FAULTS: Final[dict[ModelFault, Text]] = {
    "unreachable": Text(
        "{server} can't be reached or is out of order: try again in a minute; if it stays so, the operator should "
        "check that it runs and that the `base_url` of this endpoint is right.",
        "{server}无法连接或出现故障：请稍后重试；如果一直如此，请管理员检查该服务是否在正常运行，以及该端点的 "
        "`base_url` 是否正确。",
    ),
    "unauthorized": Text(
        "{server} does not accept our key: the operator should check the `api_key` of this endpoint (OPENAI_API_KEY).",
        "{server}不接受当前密钥：请管理员检查该端点的 `api_key`（OPENAI_API_KEY）。",
    ),
    "overloaded": Text(
        "{server} has too many requests just now: try again in a minute.", "{server}当前请求过多：请过一分钟再试。"
    ),
    "timeout": Text(
        "{server} did not answer in time: try again, or ask something shorter.",
        "{server}没有及时回答：请重试，或把问题缩短一些。",
    ),
    "empty": Text(
        "The model gave an empty answer: try again, or put the question differently.",
        "模型返回了空的回答：请重试，或换一种问法。",
    ),
    "garbage": Text(
        "{server} sent something that is no chat reply: the operator should check that the `base_url` of this "
        "endpoint is the address of an OpenAI-compatible API (it usually ends in /v1).",
        "{server}返回的内容不是聊天回复：请管理员确认该端点的 `base_url` 是 OpenAI 兼容接口的地址（通常以 /v1 结尾）。",
    ),
    "context_overflow": Text(
        "This is more text than the model can take in at once: shorten the message or start a new conversation.",
        "内容超出了模型一次能读取的长度：请缩短消息，或开始一个新的对话。",
    ),
    "rejected": Text(
        "{server} rejected the request: the operator should check the `model` of this endpoint and look into the log "
        "for the reason.",
        "{server}拒绝了请求：请管理员检查该端点的 `model`，并在日志中查看原因。",
    ),
    "not_started": Text(
        "The embedded model is not ready yet: try again in a moment.", "内置模型尚未就绪：请稍后再试。"
    ),
}

#: A reply of nothing but reasoning; belongs to the fault `empty`.
ONLY_THOUGHT: Final = Text(
    "The model thought about this for too long and came to no answer: put the question more simply, or ask the "
    "operator to raise `reasoning_tokens` or to set `reasoning` to `off`.",
    "模型思考过久，没有给出回答：请把问题问得更简单一些，或请管理员调高 `reasoning_tokens`，"
    "或将 `reasoning` 设为 `off`。",
)


def sentence(fault: ModelFault, lang: Lang, host: str = "") -> str:
    """The sentence for a fault of which only the name is known, and perhaps the endpoint's host."""
    server = _AT_HOST.say(lang, host=host) if host else _SOMEWHERE.say(lang)
    return FAULTS[fault].say(lang, server=server)


def say(error: ModelError, lang: Lang, *, with_host: bool = True) -> str:
    """The sentence for this failure; without the endpoint's host for people who need not know how it is reached."""
    return error.text.say(lang) if error.text is not None else sentence(error.fault, lang, error.host * with_host)
