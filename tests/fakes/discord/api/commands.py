"""Application commands: registering them, globally and in one server (facts 4.12)."""

from __future__ import annotations

import re
from typing import Any

from tests.fakes.discord import errors
from tests.fakes.discord.api.call import Answer, Call, Json, Method
from tests.fakes.discord.world import Command, DiscordError

_MOST, _OPTIONS, _CHOICES = 100, 25, 25
#: Characters of a command in all: names, descriptions, choices' values, of everything in it.
_SIZE = 8000
_NAME = re.compile(r"[-_'\w]{1,32}")
#: What Discord fills in (facts 4.12).
_DEFAULTS: Json = {
    "type": 1,
    "description": "",
    "default_member_permissions": None,
    "dm_permission": True,
    "contexts": None,
    "integration_types": [0],
    "nsfw": False,
}
#: Locales that names and descriptions may have.
_LOCALES = frozenset(
    {"id", "da", "de", "en-GB", "en-US", "es-ES", "es-419", "fr", "hr", "it", "lt", "hu", "nl", "no", "pl", "pt-BR"}
    | {"ro", "fi", "sv-SE", "vi", "tr", "cs", "el", "bg", "ru", "uk", "hi", "th", "zh-CN", "ja", "zh-TW", "ko"}
)
_SUBCOMMAND, _GROUP = 1, 2


def read(call: Call) -> list[Json]:
    """All of one place."""
    return [_shown(call, one) for one in _here(call)]


def overwrite(call: Call) -> list[Json]:
    """The whole set: what has a new name is created, the others are updated, the rest is gone."""
    bodies = call.body
    if not isinstance(bodies, list):
        raise errors.invalid_form("_", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    if len(bodies) > _MOST:
        raise errors.too_long("_", _MOST)
    names = [_key(body) for body in bodies]
    for number, body in enumerate(bodies):
        _check(body, str(number))
        if names.index(_key(body)) != number:
            code, words = "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique"
            raise errors.invalid_form(f"{number}.name", code, words)
    known = {_key(one.body): one for one in _here(call)}
    _count(call, sum(1 for name in names if name not in known))
    for command in known.values():
        del call.discord.commands[command.id]
    return [_shown(call, _put(call, body, known.get(_key(body)))) for body in bodies]


def create(call: Call) -> Answer:
    """One; of the same name it is updated."""
    _check(call.form, "")
    known = next((one for one in _here(call) if _key(one.body) == _key(call.form)), None)
    if known is None:
        _count(call, 1)
        if len(_here(call)) >= _MOST:
            raise DiscordError(400, 30032, f"Maximum number of application commands reached ({_MOST})")
    return Answer(_shown(call, _put(call, call.form, known)), 200 if known is not None else 201)


def read_one(call: Call) -> Json:
    """One."""
    return _shown(call, _command(call))


def edit(call: Call) -> Json:
    """Change some of it."""
    command = _command(call)
    body = command.body | call.form
    _check(body, "")
    return _shown(call, _put(call, body, command))


def delete(call: Call) -> None:
    """One less. Creating it again counts."""
    del call.discord.commands[_command(call).id]


def _here(call: Call) -> list[Command]:
    place = _place(call)
    return [one for one in call.discord.commands.values() if one.guild_id == place]


def _place(call: Call) -> str:
    if call.ids["application"] != call.discord.app.id:
        raise DiscordError(403, 20012, "You are not authorized to perform this action on this application")
    return call.guild().id if "guild" in call.ids else ""


def _command(call: Call) -> Command:
    command = call.discord.commands.get(call.ids["command"])
    if command is None or command.guild_id != _place(call):
        raise DiscordError(404, 10063, "Unknown application command")
    return command


def _count(call: Call, new: int) -> None:
    """200 creates a day (facts "Limits")."""
    most = call.discord.config.command_creates
    if not call.discord.count_creates(new):
        words = f"Max number of daily application command creates has been reached ({most})"
        raise DiscordError(400, 30034, words)


def _put(call: Call, body: Json, known: Command | None) -> Command:
    fresh = call.discord.clock.snowflake()
    command = Command(known.id if known is not None else fresh, _place(call), _DEFAULTS | body, fresh)
    call.discord.commands[command.id] = command
    return command


def _shown(call: Call, command: Command) -> Json:
    body = dict(command.body)
    if call.query.get("with_localizations", "").lower() not in ("1", "true") and call.route.startswith("GET"):
        body = {name: value for name, value in body.items() if not name.endswith("_localizations")}
    about = {"id": command.id, "application_id": call.discord.app.id, "version": command.version}
    return body | about | ({"guild_id": command.guild_id} if command.guild_id else {})


def _key(body: Json) -> tuple[Any, Any]:
    return body.get("name"), body.get("type", 1)


def _check(body: Json, path: str) -> None:
    """One command, all in all."""
    slash = body.get("type", 1) == 1
    _check_named(body, path, described=slash, lower=slash)
    _check_options(body.get("options") or [], _at(path, "options"), depth=0)
    if _size(body) > _SIZE:
        code, words = "APPLICATION_COMMAND_TOO_LARGE", f"Command exceeds maximum size ({_SIZE})"
        raise errors.invalid_form(path or "_", code, words)


def _check_named(body: Json, path: str, *, described: bool, lower: bool) -> None:
    for name, most in (("name", 32), ("description", 100)) if described else (("name", 32),):
        texts = {name: body.get(name)} | {
            f"{name}_localizations.{locale}": text for locale, text in (body.get(f"{name}_localizations") or {}).items()
        }
        for field, text in texts.items():
            where = _at(path, field)
            locale = field.partition(".")[2]
            if locale and locale not in _LOCALES:
                raise errors.bad_choice(where, "the locales that there are")
            if not isinstance(text, str) or not 1 <= len(text) <= most:
                raise errors.bad_length(where, 1, most)
            if name == "name" and lower and (not _NAME.fullmatch(text) or text != text.lower()):
                code, words = "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid"
                raise errors.invalid_form(where, code, words)


def _check_options(options: list[Json], path: str, depth: int) -> None:
    if len(options) > _OPTIONS:
        raise errors.too_long(path, _OPTIONS)
    optional, names = False, set()
    for number, option in enumerate(options):
        where = _at(path, str(number))
        _check_named(option, where, described=True, lower=True)
        if option["name"] in names:
            code, words = "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", "Option name already exists"
            raise errors.invalid_form(f"{where}.name", code, words)
        names.add(option["name"])
        nested = option.get("type") in (_SUBCOMMAND, _GROUP)
        if nested and depth > (1 if option["type"] == _SUBCOMMAND else 0):
            raise errors.invalid_form(f"{where}.type", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Too deep")
        if nested:
            _check_options(option.get("options") or [], f"{where}.options", depth + 1)
            continue
        if option.get("required") and optional:
            code = "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID"
            raise errors.invalid_form(where, code, "Required options must be placed before non-required options")
        optional = optional or not option.get("required")
        _check_choices(option, where)


def _check_choices(option: Json, path: str) -> None:
    choices = option.get("choices") or []
    if len(choices) > _CHOICES:
        raise errors.too_long(f"{path}.choices", _CHOICES)
    if choices and option.get("autocomplete"):
        code = "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_AND_CHOICES"
        raise errors.invalid_form(f"{path}.autocomplete", code, "Choices and autocomplete exclude each other")
    for number, choice in enumerate(choices):
        if not 1 <= len(str(choice.get("name", ""))) <= 100:
            raise errors.bad_length(f"{path}.choices.{number}.name", 1, 100)


def _size(body: Json) -> int:
    """Name, description and values of everything in a command; of localisations the longest counts."""
    size = 0
    for name in ("name", "description"):
        texts = [str(body.get(name) or ""), *(body.get(f"{name}_localizations") or {}).values()]
        size += max(len(text) for text in texts)
    size += len(str(body["value"])) if "value" in body else 0
    return size + sum(_size(one) for one in [*(body.get("options") or []), *(body.get("choices") or [])])


def _at(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


_GLOBAL = "/applications/{application}/commands"
_GUILD = "/applications/{application}/guilds/{guild}/commands"
METHODS = {
    f"{verb} {place}{rest}": Method(run, "commands")
    for place in (_GLOBAL, _GUILD)
    for verb, rest, run in (
        ("GET", "", read),
        ("PUT", "", overwrite),
        ("POST", "", create),
        ("GET", "/{command}", read_one),
        ("PATCH", "/{command}", edit),
        ("DELETE", "/{command}", delete),
    )
}
