"""Settings of what answers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from agent.language import Text
from bot.settings.group import Group
from bot.settings.sources import Setting
from bot.settings.values import KEY, File, Number, Secret, WebAddress, Whole, whole

#: Where OpenAI's own models are; taken when there is a key and no address.
OPENAI_URL = "https://api.openai.com/v1"


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
            Text(
                'an address with its path, for example "http://localhost:8000/v1"',
                '带路径的地址，例如 "http://localhost:8000/v1"',
            ),
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
            default=Text("one less than there are cores", "比核心数少一个"),
        ),
    ] = None


class ModelSettings(Group):
    """What answers."""

    endpoint: EndpointSettings = Field(default_factory=EndpointSettings)
    embedded: EmbeddedSettings = Field(default_factory=EmbeddedSettings)
