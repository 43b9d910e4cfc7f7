"""The endpoints, tried live, and the embedded model."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from agent.language import Lang, Text
from agent.llm import faults, gguf
from agent.llm.chat import ModelError
from bot.backend import endpoint_of
from bot.doctor.lines import Line, line
from bot.known import Known, known_endpoints
from bot.ports import StoreUnavailable
from bot.settings import Settings
from bot.trial import try_endpoint

_ENDPOINT: Final = Text("model {name}: {sentence}", "模型 {name}：{sentence}")
_MODEL_WRONG: Final = Text("model: {sentence}", "模型：{sentence}")
_EMBEDDED: Final = Text("model: the embedded one, {file}", "模型：内置模型 {file}")
_EMBEDDED_DEMO: Final = Text(
    "model: the bundled demo model; for real use set OPENAI_BASE_URL to an endpoint",
    "模型：内置的演示模型；正式使用请把 OPENAI_BASE_URL 设为一个端点",
)
_NO_XLLAMACPP: Final = Text(
    "model: the embedded model can't run, because xllamacpp is not installed here: set OPENAI_BASE_URL to an endpoint",
    "模型：没有安装 xllamacpp，内置模型无法运行：请把 OPENAI_BASE_URL 设为一个端点",
)


async def look_at_models(settings: Settings, lang: Lang) -> list[Line]:
    """Everything that can answer: is it there, what can it do, how fast is it. Asks each endpoint for a few words."""
    try:
        known = await known_endpoints(settings)
    except (StoreUnavailable, SQLAlchemyError):
        # The database has lines of its own; what the settings name can be tried without it.
        known = await known_endpoints(settings, with_entered=False)
    if not known:
        return await asyncio.to_thread(_embedded, settings.models.embedded.gguf, lang)
    tried = await asyncio.gather(*(_try(one, lang) for one in known))
    return [found for lines in tried for found in lines]


async def _try(known: Known, lang: Lang) -> list[Line]:
    if known.settings is None:
        why = known.trouble.say(lang) if known.trouble is not None else ""
        return [line("error", _ENDPOINT, lang, name=known.name, sentence=why)]
    report = await try_endpoint(endpoint_of(known.settings, known.name), lang)
    return [line(one.state, _ENDPOINT, lang, name=known.name, sentence=one.text) for one in report.lines]


def _embedded(file: Path | None, lang: Lang) -> list[Line]:
    if importlib.util.find_spec("xllamacpp") is None:
        return [Line("error", _NO_XLLAMACPP.say(lang))]
    try:
        path = gguf.bundled() if file is None else gguf.check(file)
    except ModelError as error:
        return [Line("error", _MODEL_WRONG.say(lang, sentence=faults.say(error, lang)))]
    return [Line("ok", _EMBEDDED_DEMO.say(lang) if file is None else _EMBEDDED.say(lang, file=path))]
