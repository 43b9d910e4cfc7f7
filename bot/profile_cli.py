"""`kagentbot profile`: look at profiles and change them from a shell, also beside a running server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import click

from agent.journal import Json
from agent.language import Lang, Text
from agent.profile import to_values
from bot import profile_help as texts
from bot import profile_shell as shell
from bot.cli_help import LANG
from bot.profile_shell import Desk, Where

if TYPE_CHECKING:
    from bot.places import Place

#: Most versions that are listed.
_VERSIONS: Final = 50

_SAME = Text("No difference.", "没有差异。")
_INHERITED = Text("(inherited)", "（继承）")
_FROM = Text("{place}, version {number}", "{place}，版本 {number}")
_SETTINGS = Text("settings", "设置")
_RESTORES = Text("brings back version {number}", "恢复版本 {number}")
_NOBODY = Text("No conversation yet.", "还没有对话。")


def _at_place(command: Callable[..., None]) -> Callable[..., None]:
    """The options that name a place; the command gets a `Where`."""
    for option, about in (
        ("--conversation", texts.CONVERSATION),
        ("--channel", texts.CHANNEL),
        ("--workspace", texts.WORKSPACE),
    ):
        command = click.option(option, metavar="KEY", default=None, help=about.say(LANG))(command)
    return command


@click.group(help=texts.PROFILE.say(LANG), short_help=texts.PROFILE_SHORT.say(LANG))
def profile() -> None:
    """Show and change who the agent is in each place; what it says of itself is in `bot.profile_help`."""


@profile.command(help=texts.SHOW.say(LANG))
@_at_place
@click.option("--json", "as_json", is_flag=True, help=texts.SHOW_JSON.say(LANG))
@click.pass_obj
def show(config: Path | None, /, as_json: bool, **where: str | None) -> None:
    """What holds at a place, each value with where it comes from."""

    async def work(desk: Desk) -> None:
        effective = await desk.profiles.effective_at(await shell.chain(desk.store, Where(**where)))
        values = to_values(effective.profile)
        if as_json:
            shown = {
                name: {"value": value, "scope": origin.place.scope, "key": origin.place.key, "version": origin.version}
                for name, value in values.items()
                if (origin := effective.origins[name])
            }
            click.echo(json.dumps({"values": shown, "rows": effective.rows}, ensure_ascii=False, indent=2))
            return
        wide = max(map(len, values))
        for name, value in values.items():
            origin = effective.origins[name]
            number, place = origin.version, desk.name(origin.place)
            came = _FROM.say(desk.lang, place=place, number=number) if origin.place.key else _SETTINGS.say(desk.lang)
            desk.say(shell.line(f"{name:<{wide}}  {shell.short(value)}  [{came}]"))

    shell.run(config, work)


@profile.command("set", help=texts.SET.say(LANG), short_help=texts.SET_SHORT.say(LANG))
@_at_place
@click.argument("values", metavar="FIELD=VALUE…", nargs=-1, required=True)
@click.pass_obj
def set_values(config: Path | None, /, values: tuple[str, ...], **where: str | None) -> None:
    """Set values at a place; the others there stay as they are."""

    async def work(desk: Desk) -> None:
        given = dict(shell.pair(text) for text in values)
        await shell.change(desk, Where(**where), lambda old: {**old, **given})

    shell.run(config, work)


@profile.command(help=texts.UNSET.say(LANG))
@_at_place
@click.argument("fields", metavar="FIELD…", nargs=-1, required=True)
@click.pass_obj
def unset(config: Path | None, /, fields: tuple[str, ...], **where: str | None) -> None:
    """Let values of a place be inherited again."""

    async def work(desk: Desk) -> None:
        for name in fields:
            shell.check_name(name)
        await shell.change(desk, Where(**where), lambda old: {k: v for k, v in old.items() if k not in fields})

    shell.run(config, work)


@profile.command(help=texts.VERSIONS.say(LANG))
@_at_place
@click.pass_obj
def versions(config: Path | None, /, **where: str | None) -> None:
    """Who changed what at a place, and when; the newest first."""

    async def work(desk: Desk) -> None:
        place = (await shell.chain(desk.store, Where(**where)))[-1]
        zone = ZoneInfo(desk.settings.timezone)
        found = await desk.profiles.versions(place, _VERSIONS)
        if not found:
            desk.say(shell.NOTHING_SET, place=desk.name(place))
        for one in found:
            author = one.author.name or one.author.id
            words = f"{one.number:>4}  {one.at.astimezone(zone):%Y-%m-%d %H:%M:%S}  {author}  {', '.join(one.changed)}"
            if one.restores is not None:
                words += f"  ({_RESTORES.say(desk.lang, number=one.restores)})"
            desk.say(shell.line(words))

    shell.run(config, work)


@profile.command(help=texts.DIFF.say(LANG))
@_at_place
@click.argument("a", type=click.IntRange(0))
@click.argument("b", type=click.IntRange(0))
@click.pass_obj
def diff(config: Path | None, /, a: int, b: int, **where: str | None) -> None:
    """What changed at a place from version A to version B; 0 is before the first."""

    async def work(desk: Desk) -> None:
        place = (await shell.chain(desk.store, Where(**where)))[-1]
        found = await desk.profiles.compare(place, a, b)
        if not found:
            desk.say(_SAME)
        for name, before, after in found:
            desk.say(shell.line(name))
            for sign, words in shell.lines(_said(before, desk.lang), _said(after, desk.lang)):
                desk.say(shell.line(f"  {sign} {words}"))

    shell.run(config, work)


@profile.command(help=texts.ROLLBACK.say(LANG))
@_at_place
@click.argument("number", type=click.IntRange(0))
@click.pass_obj
def rollback(config: Path | None, /, number: int, **where: str | None) -> None:
    """Bring version NUMBER of a place back, as a new version; 0 unsets everything there."""

    async def work(desk: Desk) -> None:
        place = await shell.own_place(desk.store, Where(**where))
        before = await desk.profiles.newest(place)
        now = await desk.profiles.restore(place, number, shell.author())
        shell.report(desk, place, before.number if before else 0, now.number)

    shell.run(config, work)


@profile.command(help=texts.PLACES.say(LANG))
@click.pass_obj
def places(config: Path | None, /) -> None:
    """The keys of workspaces, channels and conversations in use, the latest first."""

    async def work(desk: Desk) -> None:
        from bot.places import places as places_of
        from bot.store import conversations

        found: dict[Place, str] = {}
        for target, title in await desk.store.read(conversations.latest):
            *wider, own = places_of(target)[1:]
            found |= {own: title} | {place: "" for place in wider if place not in found}
        if not found:
            desk.say(_NOBODY)
        for place in sorted(found, key=lambda place: list(shell.SCOPES).index(place.scope)):
            option = "conversation" if place.scope == "thread" else place.scope
            desk.say(shell.line(f"--{option} {place.key}  {shell.short(found[place])}".removesuffix("  –")))

    shell.run(config, work)


def _said(value: Json, lang: Lang) -> str:
    if value is None:
        return _INHERITED.say(lang)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
