"""Tools of your own: typed Python functions with docstrings, from a file or from an installed package.

Every public function that a file defines becomes a tool; one whose name begins with an underscore is a helper.
"""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import inspect
import json
import re
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, TypeVar

from agent import texts
from agent.tools.control import control_tools
from agent.tools.function import tool
from agent.tools.registry import Tool, ToolError, ToolResult, find

#: The group under which a package names its functions, or modules of functions.
GROUP = "kagentbot.tools"
#: What servers of models accept as the name of a function: OpenAI's API reference, `tools[].function.name`.
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OPTIONS = "__kagentbot_options__"

_Function = TypeVar("_Function", bound=Callable[..., Any])


class CustomToolError(ToolError):
    """A tool that can't be loaded; `say` names its place and what is wrong there, in one sentence."""


@dataclass(frozen=True, slots=True)
class _Options:
    name_zh: str = ""
    aliases: tuple[str, ...] = ()
    writes: bool = False
    untrusted_output: bool = False
    network: bool = False


def options(
    *,
    name_zh: str = "",
    aliases: tuple[str, ...] = (),
    writes: bool = False,
    untrusted_output: bool = False,
    network: bool = False,
) -> Callable[[_Function], _Function]:
    """What a signature can't say about a tool; a decorator that changes nothing else.

    `name_zh` and `aliases` are further names for profiles. A tool with `writes` changes something in the outside world:
    it needs a person's consent and never runs twice. `untrusted_output` marks text by others, such as a web page. A
    tool with `network` contacts something beyond this server: profiles with `network` off don't have it.
    """

    def mark(function: _Function) -> _Function:
        setattr(function, _OPTIONS, _Options(name_zh, aliases, writes, untrusted_output, network))
        return function

    return mark


def load(
    files: Sequence[Path], others: Sequence[Tool], installed: Iterable[EntryPoint] | None = None
) -> tuple[Tool, ...]:
    """The tools of these files, then those of the `installed` entry points (by default the group's own).

    Their names must be new among themselves and to `others`. Raises `CustomToolError`.
    """
    found: list[Tool] = []
    for number, file in enumerate(files):
        _add(found, others, str(file), _functions(_module(file, number), str(file)))
    for entry in entry_points(group=GROUP) if installed is None else installed:
        place = f"{entry.name} = {entry.value}"
        _add(found, others, place, _installed(entry, place))
    return tuple(found)


def _add(found: list[Tool], others: Sequence[Tool], place: str, functions: Sequence[FunctionType]) -> None:
    for function in functions:
        made = _tool(function, place)
        for name in {made.name, made.name_zh, *made.aliases}:
            if name.casefold() in ("auto", "notool") or find((*others, *control_tools(), *found), name):
                raise CustomToolError(texts.CUSTOM_CLASH, place=place, function=function.__name__, name=name)
        found.append(made)


def _module(file: Path, number: int) -> ModuleType:
    name = f"kagentbot_custom_tools_{number}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise CustomToolError(texts.CUSTOM_FILE, place=file, error="not a .py file")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and type hints look their module up there.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise CustomToolError(texts.CUSTOM_FILE, place=file, error=_one_line(error)) from error
    return module


def _installed(entry: EntryPoint, place: str) -> Sequence[FunctionType]:
    try:
        loaded = entry.load()
    except (Exception, SystemExit) as error:
        raise CustomToolError(texts.CUSTOM_FILE, place=place, error=_one_line(error)) from error
    if isinstance(loaded, ModuleType):
        return _functions(loaded, place)
    if not isinstance(loaded, FunctionType):
        raise CustomToolError(texts.CUSTOM_FILE, place=place, error="neither a function nor a module")
    return [loaded]


def _functions(module: ModuleType, place: str) -> Sequence[FunctionType]:
    """The public functions that a module itself defines, in their order there."""
    own = [
        value
        for name, value in vars(module).items()
        if isinstance(value, FunctionType) and value.__module__ == module.__name__ and not name.startswith("_")
    ]
    if not own:
        raise CustomToolError(texts.CUSTOM_NOTHING, place=place)
    return own


def _tool(function: FunctionType, place: str) -> Tool:
    chosen: _Options = getattr(function, _OPTIONS, _Options())
    name = function.__name__
    if not _NAME.fullmatch(name):
        raise CustomToolError(texts.CUSTOM_NAME, place=place, function=name)
    try:
        return tool(
            _asynchronous(function),
            name_zh=chosen.name_zh or name,
            aliases=chosen.aliases,
            writes=chosen.writes,
            untrusted_output=chosen.untrusted_output,
            network=chosen.network,
        )
    except (TypeError, ValueError, NameError) as error:
        raise CustomToolError(texts.CUSTOM_FUNCTION, place=place, function=name, error=_one_line(error)) from error


def _asynchronous(function: FunctionType) -> Callable[..., Awaitable[ToolResult | str]]:
    """The function as tools are: awaited, and with text for what it returns. A plain `def` runs in a thread."""

    @functools.wraps(function)
    async def run(*args: Any, **kwargs: Any) -> ToolResult | str:
        if inspect.iscoroutinefunction(function):
            found = await function(*args, **kwargs)
        else:
            found = await asyncio.to_thread(function, *args, **kwargs)
        return found if isinstance(found, ToolResult | str) else json.dumps(found, ensure_ascii=False, default=str)

    return run


def _one_line(error: BaseException) -> str:
    said = " ".join(str(error).split()) or "no message"
    return f"{type(error).__name__}: {said[:300]}"
