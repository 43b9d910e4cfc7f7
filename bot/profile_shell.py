"""What `kagentbot profile` does: finds the place that is meant, reads and changes it, and says what came of it.

`bot.profile_cli` has the commands themselves.
"""

from __future__ import annotations

import asyncio
import difflib
import getpass
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from agent.journal import Json
from agent.language import Lang, Text
from agent.profile import FIELDS
from bot.ports import StoreUnavailable
from bot.settings import Settings, SettingsError, load

if TYPE_CHECKING:
    from bot.messages import Author
    from bot.places import Place
    from bot.profiles import Profiles
    from bot.store.db import Store

#: Exit status for values and places that are wrong, as shells expect of bad usage.
EXIT_USAGE: Final = 2
#: Characters of a value that one line shows.
_SHOWN: Final = 60
#: Times that a change is tried again when somebody else changes the same place meanwhile.
_TRIES: Final = 5
#: Bytes of the largest file that a value is read from; no value may have more characters.
_LARGEST: Final = 64 * 1024
#: Values that are long enough to stand in a file.
_FROM_FILE: Final = ("agent_bio", "agent_instructions")

_NO_DATABASE = Text(
    "There is no database of this version to work on: check `database_url`, or run `kagentbot migrate` once.",
    "没有可使用的当前版本数据库：请检查 `database_url`，或先运行一次 `kagentbot migrate`。",
)
_NO_CONVERSATION = Text(
    "There is no conversation {key}: `kagentbot profile places` lists those of late.",
    "没有对话 {key}：`kagentbot profile places` 会列出最近的对话。",
)
_ONE_PLACE = Text(
    "Name one place: --conversation, or --workspace, or --channel (with --workspace if its key doesn't begin with it).",
    "请只指定一个位置：--conversation、--workspace 或 --channel（若频道的键不含工作区，则加上 --workspace）。",
)
_NOT_A_CHANNEL = Text(
    "{key} is no channel's key: write PLATFORM:WORKSPACE:CHANNEL; `kagentbot profile places` lists those in use.",
    "{key} 不是频道的键：请写成 平台:工作区:频道；`kagentbot profile places` 会列出正在使用的。",
)
_TOO_LONG = Text("A key has at most 255 characters.", "键最多 255 个字符。")
_NEEDS_PLACE = Text(
    "Say where: --workspace, --channel or --conversation (`kagentbot profile places` lists the keys). What holds "
    "everywhere is set in kagentbot.toml under [profile].",
    "请指明位置：--workspace、--channel 或 --conversation（`kagentbot profile places` 会列出键）。"
    "处处生效的值请在 kagentbot.toml 的 [profile] 中设置。",
)
_NOT_A_PAIR = Text(
    "{given} is not FIELD=VALUE: write for example lang=zh or tool_names=calculator,time_delta.",
    "{given} 不是 字段=值 的形式：例如 lang=zh 或 tool_names=calculator,time_delta。",
)
_NO_FIELD = Text("A profile has no `{name}`: it has {known}.", "配置中没有 `{name}`：只有 {known}。")
_NO_FILE = Text(
    "The file {file} can't be read as text: name another.", "文件 {file} 无法作为文本读取：请指定其他文件。"
)
_NO_VERSION = Text(
    "There is no version {number} here: `kagentbot profile versions` lists them.",
    "这里没有版本 {number}：`kagentbot profile versions` 会列出所有版本。",
)
_SAVED = Text("Version {number} of {place}.", "{place}：版本 {number}。")
_AS_BEFORE = Text("Nothing to change: {place} is at version {number}.", "无需更改：{place} 的版本是 {number}。")
NOTHING_SET = Text("Nothing is set at {place}.", "{place} 没有设置任何值。")
SCOPES: Final = {
    "default": Text("the settings", "设置"),
    "workspace": Text("workspace {key}", "工作区 {key}"),
    "channel": Text("channel {key}", "频道 {key}"),
    "thread": Text("thread {key}", "话题 {key}"),
}


class Refused(Exception):
    """The command can't be done; `text` says why and what to do."""

    def __init__(self, text: Text, status: int = EXIT_USAGE, **fields: object) -> None:
        super().__init__(text.en)
        self.text = Text(text.say("en", **fields), text.say("zh", **fields))
        self.status = status


@dataclass(frozen=True, slots=True)
class Where:
    """The place that a command was given, as it was written."""

    workspace: str | None
    channel: str | None
    conversation: str | None


@dataclass(frozen=True, slots=True)
class Desk:
    """What a command works with."""

    settings: Settings
    store: Store
    profiles: Profiles
    lang: Lang

    def say(self, text: Text, **fields: object) -> None:
        """Print a line. People and models may have written anything, also what a terminal would obey."""
        from bot.inbox import clean

        click.echo(clean(text.say(self.lang, **fields)))

    def name(self, place: Place) -> str:
        """A place for people."""
        return SCOPES[place.scope].say(self.lang, key=place.key)


Work = Callable[[Desk], Awaitable[None]]


def run(config: Path | None, work: Work) -> None:
    """Run a command on the settings' database; every refusal is a sentence and a status."""
    try:
        settings = load(config)
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(EXIT_USAGE)
    sys.exit(asyncio.run(_work(settings, work)))


async def _work(settings: Settings, work: Work) -> int:
    # Not before they are needed: every other command would wait for them, too.
    from agent.clock import SystemClock
    from bot.agents import tools_of
    from bot.profiles import NoVersion, ProfileConflict, ProfileError, Profiles
    from bot.store import endpoints, migrate
    from bot.store.db import open_store

    lang = settings.lang
    try:
        tools = tools_of(settings)
        if await asyncio.to_thread(migrate.check, settings.database_url) != "current":
            raise StoreUnavailable(_NO_DATABASE)
        store = open_store(settings.database_url)
        try:
            models = () if await store.read(endpoints.every) else _models(settings)
            profiles = Profiles(store, SystemClock(), settings.profile.build(), tools, models=lambda: models)
            await work(Desk(settings, store, profiles, lang))
        finally:
            await store.close()
    except SettingsError as error:
        click.echo(error.say(lang), err=True)
        return EXIT_USAGE
    except ProfileError as error:
        for _, text in error.problems:
            click.echo(text.say(lang), err=True)
        return EXIT_USAGE
    except NoVersion as error:
        click.echo(_NO_VERSION.say(lang, number=error.number), err=True)
        return EXIT_USAGE
    except Refused as error:
        click.echo(error.text.say(lang), err=True)
        return error.status
    except (ProfileConflict, StoreUnavailable) as error:
        click.echo(error.text.say(lang), err=True)
        return 1
    return 0


def _models(settings: Settings) -> tuple[str, ...]:
    """What a profile's `model` may be; nothing where only the endpoints themselves know their models."""
    used = [(one.name, one.settings.model) for one in settings.models.configured]
    if any(model is None for _, model in used):
        return ()
    return tuple(name for names in used for name in names if name is not None)


async def chain(store: Store, where: Where) -> Sequence[Place]:
    """The places that hold where the command was told to look, the general first."""
    from bot.places import DEFAULT, Place
    from bot.places import places as places_of
    from bot.store import conversations

    if where.conversation is not None:
        if where.workspace is not None or where.channel is not None:
            raise Refused(_ONE_PLACE)
        key = where.conversation
        target = await store.read(lambda c: conversations.target_of(c, key))
        if target is None:
            raise Refused(_NO_CONVERSATION, key=key)
        return places_of(target)
    workspace, channel = where.workspace, where.channel
    if workspace is not None and ":" not in workspace:
        # Of a platform that has no workspaces.
        workspace += ":"
    if channel is not None:
        if workspace is not None and not channel.startswith(f"{workspace}:"):
            channel = f"{workspace}:{channel}"
        if channel.count(":") < 2:
            raise Refused(_NOT_A_CHANNEL, key=channel)
        workspace = workspace or ":".join(channel.split(":")[:2])
    if len(channel or workspace or "") > 255:
        raise Refused(_TOO_LONG)
    found = [DEFAULT]
    if workspace is not None:
        found.append(Place("workspace", workspace))
    if channel is not None:
        found.append(Place("channel", channel))
    return found


async def own_place(store: Store, where: Where) -> Place:
    """The place whose values a command changes."""
    if where == Where(None, None, None):
        raise Refused(_NEEDS_PLACE)
    return (await chain(store, where))[-1]


async def change(desk: Desk, where: Where, made: Callable[[dict[str, Json]], dict[str, Json]]) -> None:
    """Change some values of a place, whatever others change there at the same time."""
    from bot.profiles import ProfileConflict

    place = await own_place(desk.store, where)
    for left in reversed(range(_TRIES)):
        newest = await desk.profiles.newest(place)
        number = newest.number if newest else 0
        # Without what only another version of this program knows.
        wanted = made({name: value for name, value in newest.values.items() if name in FIELDS} if newest else {})
        if newest is None and not wanted:
            desk.say(NOTHING_SET, place=desk.name(place))
            return
        try:
            saved = await desk.profiles.save(place, wanted, author(), based_on=number)
        except ProfileConflict:
            if not left:
                raise
            continue
        report(desk, place, number, saved.number)
        for _, text in desk.profiles.warnings(wanted):
            click.echo(text.say(desk.lang), err=True)
        return


def report(desk: Desk, place: Place, before: int, after: int) -> None:
    """Say what a change came to."""
    desk.say(_SAVED if after > before else _AS_BEFORE, place=desk.name(place), number=after)


def author() -> Author:
    """Whoever sits at the shell."""
    from bot.messages import Author

    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # An id without a name, as in many containers.
        user = "operator"
    return Author(f"shell:{user}"[:128], user)


def pair(text: str) -> tuple[str, Json]:
    """One FIELD=VALUE. Raises `Refused`."""
    name, equals, value = text.partition("=")
    name = name.strip()
    if not equals:
        raise Refused(_NOT_A_PAIR, given=short(text))
    check_name(name)
    if name == "tool_names":
        return name, [part.strip() for part in value.split(",") if part.strip()]
    if name in _FROM_FILE and value.startswith("@"):
        return name, _text_of(Path(value[1:]))
    return name, value


def check_name(name: str) -> None:
    """Raises `Refused` for what no profile has."""
    if name not in FIELDS:
        raise Refused(_NO_FIELD, name=short(name), known=", ".join(FIELDS))


def _text_of(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(_LARGEST).decode()
    except (OSError, UnicodeDecodeError):
        raise Refused(_NO_FILE, file=file) from None


def short(value: Any) -> str:
    """A value on one line."""
    words = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    words = " ".join(words.split()) if words else "–"
    return words if len(words) <= _SHOWN else f"{words[: _SHOWN - 1]}…"


def lines(before: str, after: str) -> list[tuple[str, str]]:
    """The lines that differ, with - for what was and + for what is."""
    found = difflib.ndiff(before.splitlines() or [""], after.splitlines() or [""])
    return [(line[0], line[2:]) for line in found if line[0] in "+-"]


def line(words: str) -> Text:
    """A line that is the same in both languages."""
    return Text(words, words)
