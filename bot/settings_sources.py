"""Where settings come from: the environment, `.env`, `kagentbot.toml`. Reads them, and says in one sentence each what is wrong.

Knows the settings only as a list of leaves (`describe`), which `bot.settings` makes from its classes. Values are passed on as
they were found, with their origin; whether they are right is for the classes to say.
"""

from __future__ import annotations

import difflib
import io
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_origin

from dotenv.parser import parse_stream
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from agent.language import Text

#: What every variable of ours begins with.
PREFIX = "KAGENTBOT_"
#: Between the names of a group and of a setting in it.
_NESTING = "__"
#: Names the settings file, so it can't be in one.
CONFIG_VARIABLE = "KAGENTBOT_CONFIG"
#: Variables with our prefix that are for tests alone.
_NOT_SETTINGS = frozenset({"KAGENTBOT_CRASHPOINT", "KAGENTBOT_TEST_BROWSER"})
#: Bytes of the largest file that a setting may be read from; a secret or an address is far smaller, a wrong path may lead anywhere.
_LARGEST_FILE = 1 << 20
#: Characters of a wrong value that are shown.
_SHOWN = 60

_IN_ENVIRONMENT = Text("{name} in the environment", "环境变量 {name}")
_IN_FILE = Text("{name} in {file}", "{file} 中的 {name}")
_FROM_FILE = Text("{file}, named by {name}", "{name} 指定的文件 {file}")

_UNKNOWN = Text("There is no setting {name} (set in {where})", "没有 {name} 这个设置（{where}）")
_DID_YOU_MEAN = Text(": did you mean {other}?", "：是否想写 {other}？")
_SIBLINGS = Text(": `{group}` has only {names}.", "：`{group}` 中只有 {names}。")
_REMOVE = Text(
    ": remove it, or see docs/settings.md for those that exist.", "：请删除，或在 docs/settings.md 中查看所有设置。"
)
_ENVIRONMENT = Text("the environment", "环境变量")
_NOT_A_GROUP = Text(
    "`{name}` in {file} is a group of settings: write [{name}] on a line of its own and {names} below it.",
    "{file} 中的 `{name}` 是一组设置：请单独写一行 [{name}]，再在下面写 {names}。",
)
_TWICE = Text(
    "{name} and {name}_FILE are both set in {where}: keep one of them.",
    "{where}中同时设置了 {name} 和 {name}_FILE：请只保留一个。",
)
_NO_FILE = Text(
    "{name} names the file {file}, which can't be read ({error}): name a file that this user can read.",
    "{name} 指定的文件 {file} 无法读取（{error}）：请指定当前用户可读的文件。",
)
_EMPTY_FILE = Text(
    "{name} names the file {file}, which is empty: put the value into it.",
    "{name} 指定的文件 {file} 是空的：请把值写入其中。",
)
_NOT_TEXT = Text(
    "{name} names the file {file}, which is not a short text in UTF-8: name the file that holds the value.",
    "{name} 指定的文件 {file} 不是 UTF-8 编码的短文本：请指定保存该值的文件。",
)
_UNREADABLE = Text(
    "The settings file {file} can't be read ({error}): name one that this user can read, or leave it out.",
    "无法读取设置文件 {file}（{error}）：请指定当前用户可读的文件，或不指定。",
)
_NOT_UTF8 = Text(
    "The settings file {file} is not text in UTF-8: save it in that encoding.",
    "设置文件 {file} 不是 UTF-8 编码的文本：请用该编码保存。",
)
_NOT_TOML = Text(
    "The settings file {file} is not valid TOML: {error}.",
    "设置文件 {file} 不是有效的 TOML：{error}。",
)
_NOT_DOTENV = Text(
    "Line {line} of {file} can't be read: write NAME=VALUE.",
    "{file} 第 {line} 行无法识别：请写成 NAME=VALUE。",
)
_TOO_LATE = Text(
    "KAGENTBOT_CONFIG in {file} comes too late, because that file lies beside the settings file: set it in the environment, or use "
    "--config.",
    "{file} 中的 KAGENTBOT_CONFIG 不起作用，因为该文件与设置文件放在一起：请在环境变量中设置，或使用 --config。",
)
_WRONG = Text("`{name}` ({where}) must be {right}, not {value}.", "`{name}`（{where}）应为{right}，现在是 {value}。")
_WRONG_HIDDEN = Text("`{name}` ({where}) must be {right}.", "`{name}`（{where}）应为{right}。")


class Problem(NamedTuple):
    """One thing that is wrong with the settings: a sentence that names the setting, where it was set and what would be right."""

    text: Text


class Setting(NamedTuple):
    """What people are told about a setting; written into its annotation."""

    #: What it does.
    meaning: Text
    #: What its value must be, as it follows "must be".
    right: Text
    #: The usual names in the environment that are honoured as they are.
    names: tuple[str, ...] = ()
    #: Whether the value may hold a password and is never shown.
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Leaf:
    """One setting: its place, and what is known of it."""

    #: Group and name, for example ("server", "port").
    path: tuple[str, ...]
    field: FieldInfo
    about: Setting

    @property
    def name(self) -> str:
        """As in `kagentbot.toml`, for example `server.port`."""
        return ".".join(self.path)

    @property
    def variables(self) -> tuple[str, ...]:
        """Names in the environment, the one that wins first."""
        return (PREFIX + _NESTING.join(self.path).upper(), *self.about.names)

    @property
    def secret(self) -> bool:
        return _mentions(self.field.annotation, SecretStr)

    @property
    def hidden(self) -> bool:
        """Whether the value must never be shown."""
        return self.secret or self.about.hidden

    @property
    def is_path(self) -> bool:
        return _mentions(self.field.annotation, Path)

    @property
    def is_list(self) -> bool:
        return get_origin(self.field.annotation) is tuple


class Found(NamedTuple):
    """A value as it was found."""

    value: object
    #: For people: a variable, or a place in a file.
    where: Text
    #: The folder that a relative path in the value starts from.
    base: Path
    #: The file that holds it; None for the environment itself.
    file: Path | None


Values = dict[str, Found]


def describe(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """All settings of a class, those of its groups included, in the order in which they are written."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from describe(kind, (*path, name))
        else:
            about = next(entry for entry in field.metadata if isinstance(entry, Setting))
            yield Leaf((*path, name), field, about)


def fill(text: Text, **fields: object) -> Text:
    """The text with its fields filled in, in both languages; a field may itself be a `Text`."""
    said = {"en": {}, "zh": {}} if not fields else None
    if said is not None:
        return text
    en = {name: value.en if isinstance(value, Text) else value for name, value in fields.items()}
    zh = {name: value.zh if isinstance(value, Text) else value for name, value in fields.items()}
    return Text(text.say("en", **en), text.say("zh", **zh))
