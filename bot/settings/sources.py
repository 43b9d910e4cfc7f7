"""Reads the environment, `.env` and `kagentbot.toml`, and says in one sentence each what is wrong there.

Settings are known here only as leaves (`describe`). Values are passed on as they were found, with their origin; whether
a value is right is for the classes to say.
"""

from __future__ import annotations

import difflib
import io
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
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
#: Names the settings file, so it can't be a setting in one.
CONFIG_VARIABLE = "KAGENTBOT_CONFIG"
#: Variables with our prefix that are for tests alone.
_NOT_SETTINGS = frozenset({"KAGENTBOT_CRASHPOINT", "KAGENTBOT_TEST_BROWSER"})
#: What Kubernetes sets in every pod beside a Service called `kagentbot` ("Discovering services" in its documentation).
_SERVICE_LINK = re.compile(r"KAGENTBOT_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)")
_SERVICE_ADDRESS = re.compile(r"(tcp|udp|sctp)://")
#: Bytes of the largest file that a value is read from: far more than a secret, and a wrong path may lead anywhere.
_LARGEST_FILE = 1 << 16
#: Characters of a wrong value that are shown.
_SHOWN = 60

_IN_ENVIRONMENT = Text("{name} in the environment", "环境变量 {name}")
_IN_DOTENV = Text("{name} in {file}", "{file} 中的 {name}")
_IN_NAMED = Text("the file {file}, named by {name}", "{name} 指定的文件 {file}")
_ENVIRONMENT = Text("the environment", "环境变量")
_PLACE = Text("{file}", "{file}")

UNKNOWN_LIKE = Text(
    "There is no setting {name} (in {place}): did you mean {other}?",
    "没有 {name} 这个设置（{place}）：是不是 {other}？",
)
UNKNOWN_IN_GROUP = Text(
    "There is no setting {name} (in {place}): this group has {known}.",
    "没有 {name} 这个设置（{place}）：这一组只有 {known}。",
)
_UNKNOWN = Text(
    "There is no setting {name} (in {place}): remove it; docs/settings.md lists all that exist.",
    "没有 {name} 这个设置（{place}）：请删除；docs/settings.md 列出了全部设置。",
)
_IS_GROUP = Text(
    "`{name}` in {place} is a group of settings: write [{name}] on a line of its own and below it {known}.",
    "{place} 中的 `{name}` 是一组设置：请单独写一行 [{name}]，在下面写 {known}。",
)
_TWICE = Text(
    "{name} and {name}_FILE are both set (in {place}): keep one of them.",
    "同时设置了 {name} 和 {name}_FILE（{place}）：请只保留一个。",
)
_CONFIG_TOO_LATE = Text(
    "KAGENTBOT_CONFIG in {place} comes too late, because that file is looked for beside the settings file: set it in "
    "the environment or use --config.",
    "{place} 中的 KAGENTBOT_CONFIG 太晚了，因为该文件是在设置文件旁边查找的：请在环境变量中设置，或使用 --config。",
)
_VALUE_UNREADABLE = Text(
    "{name} (in {place}) names the file {file}, which can't be read ({error}): name one that this user can read.",
    "{name}（{place}）指定的文件 {file} 无法读取（{error}）：请指定当前用户可读的文件。",
)
_VALUE_NOT_TEXT = Text(
    "{name} (in {place}) names the file {file}, which holds no short UTF-8 text: name the file with the value in it.",
    "{name}（{place}）指定的文件 {file} 中不是一小段 UTF-8 文本：请指定写有该值的文件。",
)
_FILE_UNREADABLE = Text(
    "The settings file {file} can't be read ({error}): name one that exists and that this user can read.",
    "设置文件 {file} 无法读取（{error}）：请指定存在且当前用户可读的文件。",
)
_FILE_NOT_TEXT = Text(
    "The settings file {file} is not UTF-8 text: save it in that encoding.",
    "设置文件 {file} 不是 UTF-8 文本：请用该编码保存。",
)
_NOT_TOML = Text("The settings file {file} is not valid TOML: {error}.", "设置文件 {file} 不是有效的 TOML：{error}。")
_NOT_DOTENV = Text(
    "Line {line} of the settings file {file} is not NAME=VALUE.",
    "设置文件 {file} 的第 {line} 行不是 NAME=VALUE 的形式。",
)
_WRONG = Text("`{name}` ({where}) must be {right}, not {value}.", "`{name}`（{where}）应为{right}，现在是 {value}。")
_WRONG_HIDDEN = Text("`{name}` ({where}) must be {right}.", "`{name}`（{where}）应为{right}。")


class Setting(NamedTuple):
    """What people are told about a setting; stands in its annotation."""

    #: What it does, in both languages.
    en: str
    zh: str
    #: What its value must be, as it follows "must be".
    right: Text
    #: Usual names in the environment that are honoured as they are.
    names: tuple[str, ...] = ()
    #: Says the default where the machine or other settings decide it.
    default: Text | None = None
    #: Whether its value may hold a password though it isn't a secret altogether: then it is never shown.
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Leaf:
    """One setting: its place, its type and what people are told about it."""

    #: Groups and name, for example ("server", "port").
    path: tuple[str, ...]
    field: FieldInfo
    about: Setting

    @property
    def name(self) -> str:
        """As in `kagentbot.toml`, for example `server.port`."""
        return ".".join(self.path)

    @property
    def group(self) -> str:
        """Its table in `kagentbot.toml`; "" above the first one."""
        return ".".join(self.path[:-1])

    @property
    def variables(self) -> tuple[str, ...]:
        """Its names in the environment; the first one that is set wins."""
        return (PREFIX + _NESTING.join(self.path).upper(), *self.about.names)

    @property
    def secret(self) -> bool:
        """Whether it is a token, a key or a password."""
        return _mentions(self.field.annotation, SecretStr)

    @property
    def is_path(self) -> bool:
        return _mentions(self.field.annotation, Path)

    @property
    def is_list(self) -> bool:
        return get_origin(self.field.annotation) is tuple

    @property
    def table(self) -> type[BaseModel] | None:
        """What each entry of a list of tables is; None for all other settings."""
        kind = next(iter(get_args(self.field.annotation)), None) if self.is_list else None
        return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


Leaves = Mapping[str, Leaf]


class Found(NamedTuple):
    """A value as it was found."""

    value: Any
    #: Its origin, for people.
    where: Text
    #: The folder that a relative path in it starts from.
    base: Path
    #: The settings file that it stands in; None for the environment.
    file: Path | None


class Read(NamedTuple):
    """What one source holds: values by the name of the setting, and what is wrong."""

    values: dict[str, Found]
    problems: list[Text]


def describe(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """All settings of a class and of the groups in it, as they stand there."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from describe(kind, (*path, name))
        else:
            about = next(entry for entry in field.metadata if isinstance(entry, Setting))
            yield Leaf((*path, name), field, about)


def read_toml(file: Path, leaves: Leaves) -> Read:
    """The values in a TOML file."""
    read = Read({}, [])
    text = _text_of(file, read.problems)
    try:
        table = tomllib.loads(text or "")
    except tomllib.TOMLDecodeError as error:
        read.problems.append(fill(_NOT_TOML, file=file, error=str(error)[:1].lower() + str(error)[1:]))
        return read
    _read_table(table, (), file, leaves, read)
    return read


def _read_table(table: dict[str, Any], path: tuple[str, ...], file: Path, leaves: Leaves, read: Read) -> None:
    for key, value in table.items():
        here = (*path, key)
        name = ".".join(here)
        known = [leaf for leaf in leaves.values() if leaf.path[: len(here)] == here]
        if name in leaves:
            if value != "":
                read.values[name] = Found(value, fill(_PLACE, file=file), file.parent, file)
        elif known and isinstance(value, dict):
            _read_table(value, here, file, leaves, read)
        elif known:
            names = ", ".join(leaf.path[len(here)] for leaf in known)
            read.problems.append(fill(_IS_GROUP, name=name, place=file, known=names))
        else:
            read.problems.append(_unknown_key(name, path, file, leaves))


def _unknown_key(name: str, group: tuple[str, ...], file: Path, leaves: Leaves) -> Text:
    shown = f"`{name}`"
    if (other := _likely(name, leaves)) is not None:
        return fill(UNKNOWN_LIKE, name=shown, place=file, other=f"`{other.name}`")
    siblings = [f"`{leaf.path[-1]}`" for leaf in leaves.values() if group and leaf.path[:-1] == group]
    if siblings:
        return fill(UNKNOWN_IN_GROUP, name=shown, place=file, known=", ".join(siblings))
    return fill(_UNKNOWN, name=shown, place=file)


def read_dotenv(file: Path, leaves: Leaves) -> Read:
    """The values in a file of NAME=VALUE lines: quotes, comments and `export` as in a shell; nothing is expanded."""
    problems: list[Text] = []
    variables: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(_text_of(file, problems) or "")):
        if binding.error or (binding.key is not None and binding.value is None):
            problems.append(fill(_NOT_DOTENV, line=binding.original.line, file=file))
        elif binding.key is not None and binding.value is not None:
            variables[binding.key] = binding.value
    if variables.pop(CONFIG_VARIABLE, ""):
        problems.append(fill(_CONFIG_TOO_LATE, place=file))
    read = read_variables(variables, leaves, file.parent, file)
    return Read(read.values, problems + read.problems)


def read_variables(variables: Mapping[str, str], leaves: Leaves, base: Path, file: Path | None = None) -> Read:
    """The values in these variables, each under its own name or, as the content of a file, under NAME_FILE.

    `file` is where the variables stand; None for the environment itself.
    """
    place = fill(_PLACE, file=file) if file else _ENVIRONMENT
    read = Read({}, [])
    known = set()
    for leaf in leaves.values():
        for name in leaf.variables:
            known |= {name, f"{name}_FILE"}
            value = _value_of(name, variables, base, place, read.problems)
            if value is None or leaf.name in read.values:
                continue
            where = fill(_IN_DOTENV, name=name, file=file) if file else fill(_IN_ENVIRONMENT, name=name)
            if not variables.get(name):
                where = fill(_IN_NAMED, name=f"{name}_FILE", file=variables[f"{name}_FILE"])
            read.values[leaf.name] = Found(_split(value) if leaf.is_list else value, where, base, file)
    for name, value in variables.items():
        if not name.upper().startswith(PREFIX) or name in known or name in _NOT_SETTINGS or name == CONFIG_VARIABLE:
            continue
        if not _is_service_link(name, value):
            read.problems.append(_unknown_variable(name, place, leaves))
    return read


def _value_of(name: str, variables: Mapping[str, str], base: Path, place: Text, problems: list[Text]) -> str | None:
    """The variable's value, or the content of the file that NAME_FILE names. An empty one is as good as none."""
    value, named = variables.get(name, ""), variables.get(f"{name}_FILE", "")
    if value and named:
        problems.append(fill(_TWICE, name=name, place=place))
        return None
    if not named:
        return value or None
    fields = {"name": f"{name}_FILE", "place": place, "file": named}
    try:
        with (base / named).open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        problems.append(fill(_VALUE_UNREADABLE, error=error.strerror or type(error).__name__, **fields))
        return None
    # Notepad begins with a byte order mark, `echo` ends with a line end.
    value = content.decode("utf-8-sig", "replace").strip()
    if not value or "\ufffd" in value or len(content) > _LARGEST_FILE:
        problems.append(fill(_VALUE_NOT_TEXT, **fields))
        return None
    return value


def _split(value: str) -> object:
    """A list from a variable: JSON, or words between commas."""
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return [word.strip() for word in value.split(",") if word.strip()]


def _is_service_link(name: str, value: str) -> bool:
    if name == f"{PREFIX}PORT":
        return _SERVICE_ADDRESS.match(value) is not None
    return _SERVICE_LINK.fullmatch(name) is not None


def _unknown_variable(name: str, place: Text, leaves: Leaves) -> Text:
    suffix = "_FILE" if name.endswith("_FILE") else ""
    dotted = name[len(PREFIX) :].removesuffix("_FILE").replace(_NESTING, ".").lower()
    if (other := _likely(dotted, leaves)) is not None:
        return fill(UNKNOWN_LIKE, name=name, place=place, other=f"{other.variables[0]}{suffix}")
    return fill(_UNKNOWN, name=name, place=place)


def _likely(name: str, leaves: Leaves) -> Leaf | None:
    """The setting that was meant: by its usual name, by its name without the group, or with a slip of the fingers."""
    by_last: dict[str, Leaf] = {}
    for leaf in leaves.values():
        if name == leaf.name or name.upper() in leaf.about.names:
            return leaf
        by_last.setdefault(leaf.path[-1], leaf)
    last = name.rpartition(".")[2]
    if last in by_last:
        return by_last[last]
    if close := difflib.get_close_matches(name, leaves, 1, cutoff=0.75):
        return leaves[close[0]]
    close = difflib.get_close_matches(last, by_last, 1, cutoff=0.75)
    return by_last[close[0]] if close else None


def _text_of(file: Path, problems: list[Text]) -> str | None:
    try:
        # Notepad writes a byte order mark.
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        problems.append(fill(_FILE_UNREADABLE, file=file, error=error.strerror or type(error).__name__))
    except UnicodeDecodeError:
        problems.append(fill(_FILE_NOT_TEXT, file=file))
    return None


def wrong(leaf: Leaf, found: Found) -> Text:
    """The sentence for a value that isn't right. Never shows one that may be secret."""
    fields = {"name": leaf.name, "where": found.where, "right": leaf.about.right}
    if leaf.secret or leaf.about.hidden:
        return fill(_WRONG_HIDDEN, **fields)
    value = json.dumps(found.value, ensure_ascii=False, default=str)
    return fill(_WRONG, value=value if len(value) <= _SHOWN else f"{value[: _SHOWN - 1]}…", **fields)


def fill(text: Text, **fields: object) -> Text:
    """The text with its fields filled in, in both languages; a field may be a `Text`, too."""
    en = {name: value.en if isinstance(value, Text) else value for name, value in fields.items()}
    zh = {name: value.zh if isinstance(value, Text) else value for name, value in fields.items()}
    return Text(text.say("en", **en), text.say("zh", **zh))


def _mentions(annotation: object, kind: type) -> bool:
    return annotation is kind or any(_mentions(part, kind) for part in get_args(annotation))
