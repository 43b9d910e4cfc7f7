"""What can be asked of the chat itself: lines that begin with a slash."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from adapters.terminal import chat_texts as texts
from adapters.terminal.chat_desk import Command, Desk
from adapters.terminal.chat_setup import complete_model, complete_profile, set_model, set_profile
from adapters.terminal.chat_shapes import Conversation
from adapters.terminal.chat_talk import Leave
from adapters.terminal.chat_trace import show_trace
from adapters.terminal.chat_view import closing, step_line
from adapters.terminal.client import Client
from adapters.terminal.console import lines, markdown, one_line
from agent.language import Lang

#: Conversations that /list shows.
_LISTED = 20
#: Turns that are shown of a conversation that is opened.
_SHOWN = 3
_KINDS = {"markdown": "md", "json": "json"}


async def run(desk: Desk, line: str) -> None:
    """Obey a line that begins with a slash. Raises `Leave`, and what a server and its client raise."""
    name, _, rest = line[1:].partition(" ")
    command = find(name)
    if command is None:
        desk.say(texts.UNKNOWN, "yellow", name=f"/{one_line(name, 40)}")
        return
    await command.run(desk, rest.strip())


def find(name: str) -> Command | None:
    """The command of this name, or the only one that begins so."""
    begun = [command for command in COMMANDS if name and command.name.startswith(name.lower())]
    exact = [command for command in begun if command.name == name.lower()]
    return exact[0] if exact else begun[0] if len(begun) == 1 else None


def choices(desk: Desk, text: str) -> Iterable[tuple[str, str]]:
    """What may stand where the line ends: a command, or what it takes."""
    name, space, _ = text[1:].partition(" ")
    if not space:
        return [(f"/{command.name}", command.about.say(desk.lang)) for command in COMMANDS]
    command = find(name)
    return command.choices(desk) if command else ()


# --- The commands


async def _help(desk: Desk, _rest: str) -> None:
    table = Table.grid(padding=(0, 2))
    for command in COMMANDS:
        table.add_row(f"/{command.name} {command.takes}".rstrip(), command.about.say(desk.lang))
    desk.console.print(table)
    desk.console.print()
    desk.say(texts.HELP_KEYS, "dim")


async def _new(desk: Desk, _rest: str) -> None:
    desk.talk.key = desk.talk.last = None
    desk.say(texts.NEW, "dim")


async def _list(desk: Desk, rest: str) -> None:
    found = await desk.talk.call(lambda client: client.conversations(_LISTED, rest))
    desk.listed = found
    if not found:
        desk.say(texts.NONE_FOUND if rest else texts.NONE_YET, "dim", words=one_line(rest, 60))
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right")
    table.add_column(no_wrap=True)
    table.add_column(style="dim", no_wrap=True)
    for number, one in enumerate(found, 1):
        when = _when(one.last_message_at) + (f" · {texts.LIVE.say(desk.lang)}" if one.live else "")
        here = ("*" if one.key == desk.talk.key else "") + str(number)
        table.add_row(here, lines([(_title(one, desk.lang), "")]), when)
    desk.console.print(table)


async def _open(desk: Desk, rest: str) -> None:
    if rest != "last" and not desk.listed:
        desk.listed = await desk.talk.call(lambda client: client.conversations(_LISTED))
    if rest == "last":
        newest = await desk.talk.call(lambda client: client.conversations(1))
        if not newest:
            desk.say(texts.NONE_YET, "yellow")
            return
        await open_conversation(desk, newest[0].key)
        return
    if not rest.isdecimal() or not 1 <= int(rest) <= len(desk.listed):
        desk.say(texts.WHICH, "yellow")
        return
    await open_conversation(desk, desk.listed[int(rest) - 1].key)


async def open_conversation(desk: Desk, key: str) -> None:
    """Go on with a conversation: its last turns, and the one that is being answered."""
    page = await desk.talk.call(lambda client: client.conversation(key, _SHOWN))
    desk.talk.key = page.key
    desk.say(texts.OPENED, "dim", title=one_line(page.title, 60) or texts.UNTITLED.say(desk.lang))
    if page.next is not None:
        desk.say(texts.EARLIER, "dim")
    for turn in page.turns:
        if turn.state in ("merged", "superseded", "withdrawn"):
            continue
        desk.console.print(lines([("> ", "cyan bold"), (turn.question, "bold")]))
        if turn.live:
            await desk.watch(turn)
            continue
        desk.talk.last = turn
        for step in turn.steps:
            desk.console.print(step_line(step))
        if turn.text.strip():
            desk.console.print(markdown(turn.text))
        desk.console.print(closing(turn, desk.lang, None))


async def _stop(desk: Desk, _rest: str) -> None:
    key = desk.talk.key
    page = await desk.talk.call(lambda client: client.conversation(key, 10)) if key else None
    going = [turn for turn in page.turns if turn.live and turn.can_stop] if page else []
    stopped = False
    for turn in going:
        stopped = await desk.talk.call(_stopper(turn.id)) or stopped
    desk.say(texts.STOPPED if stopped else texts.NOTHING_RUNS, "dim")


def _stopper(turn_id: int) -> Callable[[Client], Awaitable[bool]]:
    return lambda client: client.stop(turn_id)


async def _retry(desk: Desk, _rest: str) -> None:
    last = desk.talk.last
    if last is None:
        desk.say(texts.NO_TURN, "yellow")
    elif last.can_retry:
        await desk.retry(last)
    elif last.question:
        desk.say(texts.ASKED_AGAIN, "dim", question=one_line(last.question, 120))
        await desk.ask(last.question)
    else:
        desk.say(texts.WITHDRAWN, "yellow")


async def _steps(desk: Desk, _rest: str) -> None:
    last = desk.talk.last
    if last is None:
        desk.say(texts.NO_TURN, "yellow")
        return
    trace = await desk.talk.call(lambda client: client.trace(last.id))
    show_trace(desk.console, desk.lang, trace)


async def _export(desk: Desk, rest: str) -> None:
    kind = rest or "markdown"
    key = desk.talk.key
    if kind not in _KINDS:
        desk.say(texts.EXPORT_KIND, "yellow")
    elif key is None:
        desk.say(texts.NO_TURN, "yellow")
    else:
        content = await desk.talk.call(lambda client: client.export(key, kind))
        try:
            path = await asyncio.to_thread(_write_new, f"kagentbot-{key[:8]}", _KINDS[kind], content)
        except OSError as error:
            desk.say(texts.NOT_WRITTEN, "red", reason=error.strerror or error)
            return
        desk.say(texts.EXPORTED, path=path)


async def _good(desk: Desk, _rest: str) -> None:
    await _rate(desk, 1)


async def _bad(desk: Desk, _rest: str) -> None:
    await _rate(desk, -1)


async def _rate(desk: Desk, value: int) -> None:
    last = desk.talk.last
    if last is None:
        desk.say(texts.NO_TURN, "yellow")
        return
    await desk.talk.call(lambda client: client.rate(last.id, value))
    desk.say(texts.THANKS, "dim")


async def _quit(_desk: Desk, _rest: str) -> None:
    raise Leave


def _numbered(desk: Desk) -> list[tuple[str, str]]:
    return [(str(n), _title(one, desk.lang)) for n, one in enumerate(desk.listed, 1)] + [("last", "")]


COMMANDS: tuple[Command, ...] = (
    Command("help", "", texts.ABOUT_HELP, _help),
    Command("new", "", texts.ABOUT_NEW, _new),
    Command("list", "[WORDS]", texts.ABOUT_LIST, _list),
    Command("open", "N|last", texts.ABOUT_OPEN, _open, _numbered),
    Command("stop", "", texts.ABOUT_STOP, _stop),
    Command("retry", "", texts.ABOUT_RETRY, _retry),
    Command("steps", "", texts.ABOUT_STEPS, _steps),
    Command("export", "[markdown|json]", texts.ABOUT_EXPORT, _export, lambda desk: [(kind, "") for kind in _KINDS]),
    Command("good", "", texts.ABOUT_GOOD, _good),
    Command("bad", "", texts.ABOUT_BAD, _bad),
    Command("model", "[NAME|auto]", texts.ABOUT_MODEL, set_model, complete_model),
    Command("profile", "[FIELD [VALUE|-]]", texts.ABOUT_PROFILE, set_profile, complete_profile),
    Command("quit", "", texts.ABOUT_QUIT, _quit),
)


def _title(one: Conversation, lang: Lang) -> str:
    return one_line(one.title, 60) or texts.UNTITLED.say(lang)


def _when(at: datetime) -> str:
    """The time here; without the day if it is today."""
    local = at.astimezone()
    same_day = local.date() == datetime.now(UTC).astimezone().date()
    return f"{local:%H:%M}" if same_day else f"{local:%Y-%m-%d %H:%M}"


def _write_new(stem: str, suffix: str, content: bytes) -> Path:
    """Write a file that isn't there yet, in the current folder. Raises `OSError`."""
    for number in range(1, 1000):
        path = Path.cwd() / (f"{stem}.{suffix}" if number == 1 else f"{stem}-{number}.{suffix}")
        with contextlib.suppress(FileExistsError), path.open("xb") as file:
            file.write(content)
            return path
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
