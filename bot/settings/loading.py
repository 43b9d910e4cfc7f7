"""`load`: finds the settings files, reads all sources, the stronger over the weaker, and says what is wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import ValidationError

from agent.language import Lang, Text
from bot.settings import machine
from bot.settings.entries import wrong_entry
from bot.settings.model import Settings, SettingsFile
from bot.settings.sources import (
    CONFIG_VARIABLE,
    Found,
    Leaf,
    Leaves,
    Read,
    describe,
    read_dotenv,
    read_toml,
    read_variables,
    wrong,
)
from bot.settings.values import SQLITE

#: The settings file's name, wherever it is looked for.
FILE_NAME = "kagentbot.toml"
#: Variables beside it, usually secrets.
DOTENV_NAME = ".env"

_NO_HOME = Text(
    "`data_dir` has no default, because this user has no home folder: set KAGENTBOT_DATA_DIR to a folder for the data.",
    "当前用户没有主目录，`data_dir` 没有默认值：请把 KAGENTBOT_DATA_DIR 设为保存数据的目录。",
)
_NO_ZONES = Text(
    "`timezone` can't be set, because this machine has no time zone database: install the system's package `tzdata`.",
    "这台机器没有时区数据库，无法设置 `timezone`：请安装系统软件包 `tzdata`。",
)


class SettingsError(Exception):
    """Settings that can't be used. `str()` has one line, which is one sentence, for each problem."""

    def __init__(self, problems: Sequence[Text], lang: Lang = "en") -> None:
        self.problems = tuple(problems)
        super().__init__(self.say(lang))

    def say(self, lang: Lang) -> str:
        """The lines in one of the languages."""
        return "\n".join(problem.say(lang) for problem in self.problems)


def load(config: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings from the environment, from `.env` and kagentbot.toml; all have defaults.

    The file is `config`, else $KAGENTBOT_CONFIG, else kagentbot.toml in the current or in the user's configuration
    folder. `.env` is looked for beside it, or in the current folder. Raises `SettingsError` with all that is wrong.
    """
    leaves = {leaf.name: leaf for leaf in describe(Settings)}
    here = Path.cwd()
    file = _settings_file(config, environ, here)
    dotenv = dotenv_file(config, environ)
    files = [path for path in (file, dotenv) if path is not None and (path == file or _is_file(path))]
    reads = [read_toml(path, leaves) if path == file else read_dotenv(path, leaves) for path in files]
    reads.append(read_variables(environ, leaves, here))

    problems = [problem for read in reads for problem in read.problems]
    found: dict[str, Found] = {}
    for read in reads:
        found |= read.values
    values = _nested(found, leaves)
    if "data_dir" not in values:
        values["data_dir"] = machine.data_folder(environ)
        problems += [] if values["data_dir"] else [_NO_HOME]
    if "timezone" not in values:
        values["timezone"] = machine.zone(environ)
        problems += [] if machine.is_zone("UTC") else [_NO_ZONES]
    settings = None
    try:
        settings = Settings(**values)
    except ValidationError as error:
        problems += _explain(error, leaves, found)
    locale = machine.language(environ)
    # Raised outside the handler above: a traceback with that error could show values.
    if settings is None or problems:
        raise SettingsError(problems, _language(found, locale))
    read_files = [SettingsFile(path, _holds_secrets(read, leaves)) for path, read in zip(files, reads, strict=False)]
    return settings.read_from(tuple(read_files), locale)


def dotenv_file(config: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """Where `.env` is read from, whether it exists or not."""
    here = Path.cwd()
    file = _settings_file(config, environ, here)
    return (file.parent if file else here) / DOTENV_NAME


def _settings_file(config: Path | None, environ: Mapping[str, str], here: Path) -> Path | None:
    named = config or environ.get(CONFIG_VARIABLE)
    if named:
        return here / named
    folders = (here, machine.config_folder(environ))
    return next((folder / FILE_NAME for folder in folders if folder and _is_file(folder / FILE_NAME)), None)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        # In a folder that we may not look into: not meant for us.
        return False


def _nested(found: Mapping[str, Found], leaves: Leaves) -> dict[str, Any]:
    """The values, nested as the classes are."""
    values: dict[str, Any] = {}
    for name, one in found.items():
        *groups, last = leaves[name].path
        table = values
        for group in groups:
            table = table.setdefault(group, {})
        table[last] = _placed(leaves[name], one)
    return values


def _placed(leaf: Leaf, found: Found) -> Any:
    """The value; a relative path in it begins where it was written: beside the file, or in the current folder."""
    value = found.value
    if leaf.table is not None and isinstance(value, list):
        return [_without_empty(entry) for entry in value]
    if leaf.is_path and isinstance(value, list):
        return [_beside(found, item) for item in value]
    if not isinstance(value, str) or value.startswith("~"):
        return value
    if leaf.is_path:
        return _beside(found, value)
    file = value.removeprefix(SQLITE)
    if leaf.name == "database_url" and file != value and file and file[0] not in "/~:":
        return f"{SQLITE}{quote(str(found.base))}/{file}"
    return value


def _without_empty(entry: Any) -> Any:
    """An empty value in a table is as good as none, as it is everywhere."""
    return {name: value for name, value in entry.items() if value != ""} if isinstance(entry, dict) else entry


def _beside(found: Found, value: Any) -> Any:
    return found.base / value if isinstance(value, str) and not value.startswith("~") else value


def _explain(error: ValidationError, leaves: Leaves, found: Mapping[str, Found]) -> list[Text]:
    """One sentence for each setting that is wrong."""
    problems: list[Text] = []
    for one in error.errors(include_input=False, include_context=False, include_url=False):
        # A place in a list, or a branch of a union, is named below the setting itself.
        path = [str(key) for key in one["loc"]]
        name = next((name for end in range(len(path), 0, -1) if (name := ".".join(path[:end])) in found), None)
        # None: what could not be computed because another setting is wrong.
        if name is None:
            continue
        leaf = leaves[name]
        place = one["loc"][len(leaf.path) :]
        problem = wrong(leaf, found[name]) if leaf.table is None else wrong_entry(leaf, found[name], place[:2])
        if problem not in problems:
            problems.append(problem)
    return problems


def _language(found: Mapping[str, Found], locale: Lang) -> Lang:
    """The language for errors, when there are no settings to tell it."""
    wanted = found["language"].value if "language" in found else "auto"
    return "zh" if wanted == "zh" else "en" if wanted == "en" else locale


def _holds_secrets(read: Read, leaves: Leaves) -> bool:
    return any(
        leaves[name].secret
        or (leaves[name].about.hidden and "@" in str(one.value))
        or (leaves[name].table is not None and "api_key" in str(one.value))
        for name, one in read.values.items()
    )
