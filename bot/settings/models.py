"""Settings of what answers."""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field

from agent.language import Text
from agent.llm.endpoint import ChatFormat, Reasoning, Vision
from bot.settings.group import Group
from bot.settings.sources import Setting
from bot.settings.values import KEY, File, Number, Secret, WebAddress, Whole, one_of, text, whole

#: Where OpenAI's own models are; taken when there is a key and no address.
OPENAI_URL = "https://api.openai.com/v1"
#: Name of the endpoint in `[models.endpoint]`, which has none of its own.
DEFAULT_NAME = "default"
#: Name of the embedded model among the endpoints.
EMBEDDED_NAME = "embedded"
#: Between the priorities of endpoints that set none.
PRIORITY_STEP = 10

_NAME = re.compile(r"[\w][\w.-]{0,39}")
_ADDRESS = Text(
    'an address with its path, for example "http://localhost:8000/v1"',
    '带路径的地址，例如 "http://localhost:8000/v1"',
)


def _name(name: str) -> str:
    if not _NAME.fullmatch(name) or name in (DEFAULT_NAME, EMBEDDED_NAME):
        raise ValueError("not a name for an endpoint")
    return name


def _all_different(endpoints: tuple[ListedEndpoint, ...]) -> tuple[ListedEndpoint, ...]:
    if len({endpoint.name for endpoint in endpoints}) < len(endpoints):
        raise ValueError("two endpoints with one name")
    return endpoints


class EndpointSettings(Group):
    """A model behind an OpenAI-compatible API: vLLM, llama.cpp's server, OpenAI itself."""

    api_key: Annotated[
        Secret | None,
        Setting("Key of the endpoint, if it asks for one.", "端点的密钥（如果需要）。", KEY, ("OPENAI_API_KEY",)),
    ] = None
    base_url: Annotated[
        WebAddress | None,
        Setting(
            "Address of the API. Without it and without a key the bundled demo model answers.",
            "API 的地址。既没有地址也没有密钥时，由内置的演示模型回答。",
            _ADDRESS,
            names=("OPENAI_BASE_URL",),
            default=Text(f"{OPENAI_URL} if there is a key, else none", f"有密钥时为 {OPENAI_URL}，否则没有"),
            hidden=True,
        ),
    ] = Field(default_factory=lambda data: OPENAI_URL if data.get("api_key") else None, repr=False)
    model: Annotated[
        str | None,
        Setting(
            "Name of the model.",
            "模型名称。",
            Text("the name of a model, as the endpoint lists it", "端点列出的模型名称"),
            names=("OPENAI_MODEL",),
            default=Text("the first one that the endpoint lists", "端点列出的第一个"),
        ),
    ] = None
    context_tokens: Annotated[
        Annotated[Whole, Field(ge=512, le=10_000_000)] | None,
        Setting(
            "Tokens that prompt and answer may have together.",
            "提示和回答合计的最大 token 数。",
            whole(512, 10_000_000),
            default=Text("what the endpoint says, else 4096", "由端点给出，否则 4096"),
        ),
    ] = None
    slots: Annotated[
        Whole,
        Setting("Calls that run side by side.", "同时进行的调用数。", whole(1, 1024)),
        Field(ge=1, le=1024),
    ] = 8
    temperature: Annotated[
        Annotated[Number, Field(ge=0, le=2)] | None,
        Setting(
            "How freely the model chooses its words.",
            "模型选词的随机程度。",
            Text("a number from 0 to 2", " 0 到 2 之间的数"),
            default=Text("the endpoint's own", "由端点决定"),
        ),
    ] = None
    max_tokens: Annotated[
        Annotated[Whole, Field(ge=1, le=1_000_000)] | None,
        Setting(
            "Tokens of the longest answer.",
            "最长回答的 token 数。",
            whole(1, 1_000_000),
            default=Text("the endpoint's own", "由端点决定"),
        ),
    ] = None
    timeout: Annotated[
        Number,
        Setting(
            "Seconds that the model may take for its first word; between words it has half of that.",
            "等待模型第一个词的秒数；词与词之间为其一半。",
            Text("a number of seconds from 1 to 3600", " 1 到 3600 之间的秒数"),
        ),
        Field(ge=1, le=3600),
    ] = 120.0
    chat_format: Annotated[
        ChatFormat,
        Setting(
            "How messages become a prompt: `server` leaves it to the server's chat template, the others are written "
            "here; `auto` is `server` until the server says that it has none.",
            "消息如何变成提示：`server` 使用服务器的对话模板，其余由本程序生成；`auto` 先用 `server`，"
            "服务器没有模板时自行生成。",
            one_of("auto", "server", "chatml", "baichuan2", "raw"),
        ),
    ] = "auto"
    reasoning: Annotated[
        Reasoning,
        Setting(
            "Whether the model thinks before it answers: `on` knows it, `off` asks it not to, `auto` sees it.",
            "模型回答前是否先思考：`on` 表示会，`off` 要求不思考，`auto` 自动识别。",
            one_of("auto", "on", "off"),
        ),
    ] = "auto"
    reasoning_tokens: Annotated[
        Whole,
        Setting(
            "Tokens that it may think for, on top of those of its answer.",
            "用于思考的 token 数，不含回答本身。",
            whole(0, 1_000_000),
        ),
        Field(ge=0, le=1_000_000),
    ] = 2048
    vision: Annotated[
        Vision,
        Setting(
            "Whether the model looks at pictures: `auto` shows it a tiny one when the first comes.",
            "模型能否看图片：`auto` 会在第一次收到图片时用一张很小的图片试一次。",
            one_of("auto", "yes", "no"),
        ),
    ] = "auto"


class ListedEndpoint(EndpointSettings):
    """One of several endpoints. The first that is well answers; the others stand in for it."""

    api_key: Annotated[
        Secret | None, Setting("Key of the endpoint, if it asks for one.", "端点的密钥（如果需要）。", KEY)
    ] = None
    base_url: Annotated[
        WebAddress,
        Setting("Address of the API.", "API 的地址。", _ADDRESS, hidden=True),
        Field(repr=False),
    ]
    model: Annotated[
        str | None,
        Setting(
            "Name of the model.",
            "模型名称。",
            text(200),
            default=Text("the first one that the endpoint lists", "端点列出的第一个"),
        ),
        Field(max_length=200),
    ] = None
    name: Annotated[
        str,
        Setting(
            "Its name, for people and for `profile.model`.",
            "端点的名称，用于显示和 `profile.model`。",
            Text(
                'a name of its own of at most 40 letters, digits, "-", "_" and ".", other than "default" and '
                '"embedded"',
                '唯一的名称，最多 40 个字母、数字、"-"、"_" 或 "."，不能是 "default" 或 "embedded"',
            ),
        ),
        AfterValidator(_name),
    ]
    priority: Annotated[
        Annotated[Whole, Field(ge=-1000, le=1000)] | None,
        Setting(
            "Lower goes first; of equal ones the one with the most free slots.",
            "数值小的优先；相同时选空闲最多的。",
            whole(-1000, 1000),
            default=Text(
                f"{PRIORITY_STEP} for the first, {2 * PRIORITY_STEP} for the second, …",
                f"第一个为 {PRIORITY_STEP}，第二个为 {2 * PRIORITY_STEP}，依此类推",
            ),
        ),
    ] = None


class EmbeddedSettings(Group):
    """The model that runs inside the server when there is no endpoint."""

    gguf: Annotated[
        File | None,
        Setting(
            "Another model file.",
            "另一个模型文件。",
            Text("the path of a GGUF file", " GGUF 文件的路径"),
            default=Text("the bundled demo model", "内置的演示模型"),
        ),
    ] = None
    threads: Annotated[
        Annotated[Whole, Field(ge=1, le=1024)] | None,
        Setting(
            "Threads that it computes with.",
            "计算使用的线程数。",
            whole(1, 1024),
            default=Text(
                "one less than there are cores, and all cores to read prompts", "比核心数少一个；读取提示词时用全部核心"
            ),
        ),
    ] = None


class Configured(NamedTuple):
    """One endpoint of the settings."""

    name: str
    #: Lower goes first.
    priority: int
    settings: EndpointSettings


class ModelSettings(Group):
    """What answers."""

    endpoint: EndpointSettings = Field(default_factory=EndpointSettings)
    endpoints: Annotated[
        tuple[ListedEndpoint, ...],
        Setting(
            "Several endpoints, each a table of its own; in the environment a JSON list of objects. "
            "`[models.endpoint]`, if it is set, goes before them with the priority 0.",
            "多个端点，每个是一张表；在环境变量中写成 JSON 对象的列表。如果设置了 `[models.endpoint]`，"
            "它的优先级为 0，排在前面。",
            Text(
                "a list of tables [[models.endpoints]], each with a `name` of its own and a `base_url`",
                "由 [[models.endpoints]] 表组成的列表，每张表有各自的 `name` 和 `base_url`",
            ),
            hidden=True,
        ),
        AfterValidator(_all_different),
    ] = ()
    embedded: EmbeddedSettings = Field(default_factory=EmbeddedSettings)

    @property
    def configured(self) -> tuple[Configured, ...]:
        """All endpoints of the settings, in the order in which they stand there."""
        single = () if self.endpoint.base_url is None else (Configured(DEFAULT_NAME, 0, self.endpoint),)
        listed = (
            Configured(one.name, place * PRIORITY_STEP if one.priority is None else one.priority, one)
            for place, one in enumerate(self.endpoints, 1)
        )
        return (*single, *listed)
