"""What a tool is, and which of them a profile has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

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
    #: The same facts as plain JSON, for code that picks one of them out; None where a tool has nothing but text.
    data: Any = None


class ToolError(Exception):
    """The tool can't do what was asked; `text` says what would be right, to a person and to a model alike.

    A field that is a `Text` is said in the sentence's language.
    """

    def __init__(self, text: Text, **fields: object) -> None:
        self.text = text
        self.fields = fields
        super().__init__(self.say("en"))

    def say(self, lang: Lang) -> str:
        fields = {name: field.say(lang) if isinstance(field, Text) else field for name, field in self.fields.items()}
        return self.text.say(lang, **fields)


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
    #: Further names that profiles may use for it.
    aliases: tuple[str, ...] = ()
    #: Whether it contacts anything but the platform and the model: profiles with `network` off don't have it.
    network: bool = False

    def is_called(self, name: str) -> bool:
        """Whether `name` means this tool: its English or Chinese name or an alias, in any case."""
        return name.strip().casefold() in {n.casefold() for n in (self.name, self.name_zh, *self.aliases)}


def find(tools: Sequence[Tool], name: str) -> Tool | None:
    """The tool that `name` means, or None."""
    return next((tool for tool in tools if tool.is_called(name)), None)


def select(tools: Sequence[Tool], names: Sequence[str], *, network: Literal["on", "off"] = "on") -> tuple[Tool, ...]:
    """The tools that a profile's `tool_names` mean, in the registry's order; those that `network` off allows.

    `auto` anywhere means all, `notool` none (and wins), and no names at all mean `auto`. A name that no tool has is
    left out, so that a profile outlives a tool; `unknown_names` finds such names where a person can still mend them.
    """
    wanted = {name.strip().casefold() for name in names}
    allowed = tuple(tool for tool in tools if network == "on" or not tool.network)
    if "notool" in wanted:
        return ()
    if not wanted or "auto" in wanted:
        return allowed
    return tuple(tool for tool in allowed if any(tool.is_called(name) for name in wanted))


def unknown_names(tools: Sequence[Tool], names: Sequence[str]) -> tuple[str, ...]:
    """The names in a profile's `tool_names` that mean nothing here, as they were written."""
    return tuple(
        name for name in names if name.strip().casefold() not in {"auto", "notool"} and find(tools, name) is None
    )
