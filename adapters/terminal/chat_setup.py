"""`/model` and `/profile`: what holds in this conversation, and how to change it for this conversation alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from rich.table import Table

from adapters.terminal import chat_texts as texts
from adapters.terminal.chat_desk import Desk
from adapters.terminal.console import lines, one_line

#: Takes a value away, so that the one from further up holds again.
_INHERIT = "-"
_AUTO = "auto"
_STATES = {"ok": "green", "starting": "yellow", "degraded": "yellow", "down": "red"}


async def set_model(desk: Desk, name: str) -> None:
    """`/model`, `/model NAME`, `/model auto`."""
    desk.endpoints = await desk.talk.call(lambda client: client.endpoints())
    if not name:
        await _show_models(desk)
        return
    if name != _AUTO and name not in _model_names(desk):
        desk.say(texts.NO_MODEL, "yellow", name=one_line(name, 60))
        return
    if desk.talk.key is None:
        desk.talk.model = "" if name == _AUTO else name
        desk.say(texts.SAVED, "dim")
        return
    await _change(desk, desk.talk.key, "model", None if name == _AUTO else name)


async def _show_models(desk: Desk) -> None:
    table = Table.grid(padding=(0, 2))
    for one in desk.endpoints:
        detail = one_line(one.detail, 80)
        name = "" if one.name == one.model else one_line(one.model, 60)
        table.add_row(
            lines([(one_line(one.name, 60), "bold")]),
            lines([(name, "")]),
            lines([(one_line(one.host, 60), "dim")]),
            lines([(one.state, _STATES.get(one.state, "")), (f" {detail}" if detail else "", "dim")]),
        )
    desk.console.print(table)
    chosen = desk.talk.model or _model_of(await _values(desk))
    desk.say(texts.MODELS, "dim", name=chosen or texts.SERVERS_CHOICE.say(desk.lang))


def complete_model(desk: Desk) -> Iterable[tuple[str, str]]:
    """What may follow `/model`."""
    return [(name, "") for name in (*_model_names(desk), _AUTO)]


def _model_names(desk: Desk) -> list[str]:
    return list(dict.fromkeys(name for one in desk.endpoints for name in (one.name, one.model) if name))


async def set_profile(desk: Desk, rest: str) -> None:
    """`/profile`, `/profile FIELD VALUE`, `/profile FIELD -`."""
    field, _, said = rest.partition(" ")
    values = await _values(desk)
    if not field:
        table = Table.grid(padding=(0, 2))
        for name, (value, scope) in values.items():
            where = texts.SCOPES[scope].say(desk.lang) if scope in texts.SCOPES else scope
            table.add_row(lines([(name, "bold")]), lines([(one_line(_shown(value), 100), "")]), lines([(where, "dim")]))
        desk.console.print(table)
        return
    if field not in values:
        desk.say(texts.NO_FIELD, "yellow", name=one_line(field, 40))
        return
    value = said.strip()
    if not value:
        about = next((one.about for one in desk.values if one.name == field), "")
        desk.console.print(lines([(f"{field} = {_shown(values[field][0])}", "bold"), (f"\n{about}", "dim")]))
        return
    if desk.talk.key is None:
        desk.say(texts.NEEDS_QUESTION, "yellow")
        return
    await _change(desk, desk.talk.key, field, None if value == _INHERIT else _meant(value, values[field][0]))


def complete_profile(desk: Desk) -> Iterable[tuple[str, str]]:
    """What may follow `/profile`."""
    return [(one.name, one_line(one.about, 80)) for one in desk.values]


async def _values(desk: Desk) -> dict[str, tuple[Any, str]]:
    """Name → the value that holds here, and where it was set."""
    key = desk.talk.key
    desk.values = await desk.talk.call(lambda client: client.profile(key))
    return {one.name: (one.value, one.scope) for one in desk.values}


async def _change(desk: Desk, key: str, name: str, value: Any) -> None:
    """Set one value for this conversation; None inherits it again."""
    own = await desk.talk.call(lambda client: client.own_profile(key))
    values = {known: one for known, one in own.values.items() if known != name}
    if value is not None:
        values[name] = value
    saved = await desk.talk.call(lambda client: client.save_profile(key, values, own.version))
    desk.say(texts.SAVED, "dim")
    for warning in saved.warnings:
        desk.console.print(lines([(one_line(warning), "yellow")]))


def _model_of(values: Mapping[str, tuple[Any, str]]) -> str:
    return one_line(str(values["model"][0])) if "model" in values else ""


def _meant(said: str, known: Any) -> Any:
    """What was typed, as the kind of value that it replaces; the server says what is wrong with it."""
    if isinstance(known, list):
        return [word for word in said.replace(",", " ").split() if word]
    if isinstance(known, int) and said.lstrip("-").isdecimal():
        return int(said)
    return said


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
