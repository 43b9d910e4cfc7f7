"""What a tool is: a typed async function with a docstring, described to models by a JSON Schema."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent.language import Lang, Text


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What a tool may know about the run that it serves."""

    #: Aware, in the asker's zone.
    now: datetime
    lang: Lang


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool found."""

    #: For the model: compact and complete.
    answer: str
    #: For people, in Markdown.
    answer_md: str
    #: Addresses that the result rests on.
    urls: tuple[str, ...] = ()


class ToolError(Exception):
    """The tool can't do what was asked; `text` says what would be right, to a person and to a model alike."""

    def __init__(self, text: Text, **fields: object) -> None:
        super().__init__(text.say("en", **fields))
        self.text = text
        self.fields = fields

    def say(self, lang: Lang) -> str:
        return self.text.say(lang, **self.fields)


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as the agent sees it."""

    #: Name that models call it by, for example `time_delta`.
    name: str
    #: Its Chinese name, for example 时间差工具.
    name_zh: str
    description: str
    #: JSON Schema (object) of the arguments: closed, every string with a `maxLength`.
    parameters: dict[str, Any]
    run: Callable[[dict[str, Any], ToolContext], Awaitable[ToolResult]]
    #: Whether it changes something in the outside world: then it needs a person's consent and never runs twice.
    writes: bool = False
    #: Whether its output is somebody else's text, to be treated as data and never as instructions.
    untrusted_output: bool = False
