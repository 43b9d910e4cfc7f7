"""From what somebody typed after a slash to the `data` of an interaction. Discord's client checks all of this before it
sends anything: what it doesn't let through is a `DiscordError` that no app hears of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.fakes.discord import permissions, shapes
from tests.fakes.discord.state import Discord
from tests.fakes.discord.world import Channel, Command, DiscordError

Json = dict[str, Any]

SUB_COMMAND, GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(1, 12)
#: Kind of option → what a value is looked up among.
_RESOLVED = {USER: ("users",), CHANNEL: ("channels",), ROLE: ("roles",), MENTIONABLE: ("users", "roles")}


def refuse(why: str) -> DiscordError:
    """What the client says instead of sending anything."""
    return DiscordError(400, 0, why)


def find(discord: Discord, name: str, place: Channel, user: str) -> Command:
    """The command of this name that this person is offered here."""
    offered = [
        command
        for command in discord.commands.values()
        if called(command.body, name) and command.body.get("type", 1) == 1 and _here(command, place)
    ]
    if not offered:
        raise refuse(f"no command /{name} here")
    # A server's own command goes before a global one of its name.
    command = max(offered, key=lambda one: one.guild_id)
    needed = command.body.get("default_member_permissions")
    allowed = discord.permissions(place, user)
    if place.guild_id and not allowed & permissions.USE_APPLICATION_COMMANDS:
        raise refuse("no slash commands for this person here")
    if place.guild_id and needed is not None and int(needed) & ~allowed:
        raise refuse(f"/{name} is not offered to this person")
    return command


def called(thing: Json, word: str) -> bool:
    """Whether a command or an option goes by this name, in whatever language."""
    return word == thing["name"] or word in (thing.get("name_localizations") or {}).values()


def _here(command: Command, place: Channel) -> bool:
    if command.guild_id:
        return command.guild_id == place.guild_id
    contexts = command.body.get("contexts")
    if contexts is None:
        return bool(place.guild_id) or command.body.get("dm_permission") is not False
    return (0 if place.guild_id else 1) in contexts


def data_of(
    discord: Discord,
    command: Command,
    place: Channel,
    path: Sequence[str],
    values: Mapping[str, Any],
    focused: str = "",
) -> Json:
    """The interaction's data: `path` names subcommand group and subcommand, `values` the options. With `focused`, this
    option is being typed, and the others needn't be there or fit yet."""
    declared: Sequence[Json] = command.body.get("options") or ()
    nested: list[Json] = []
    for word in path:
        found = next((one for one in declared if one["type"] in (SUB_COMMAND, GROUP) and called(one, word)), None)
        if found is None:
            raise refuse(f"/{command.body['name']} has no {word}")
        nested.append(found)
        declared = found.get("options") or ()
    if any(one["type"] in (SUB_COMMAND, GROUP) for one in declared):
        raise refuse(f"/{' '.join((command.body['name'], *path))} needs a subcommand")
    resolved: Json = {}
    options = _options(discord, declared, values, place, resolved, focused)
    for level in reversed(nested):
        options = [{"name": level["name"], "type": level["type"], "options": options}]
    data: Json = {"id": command.id, "name": command.body["name"], "type": 1, "options": options}
    if command.guild_id:
        data["guild_id"] = command.guild_id
    return data | ({"resolved": resolved} if resolved else {})


def _options(
    discord: Discord, declared: Sequence[Json], values: Mapping[str, Any], place: Channel, resolved: Json, focused: str
) -> list[Json]:
    unknown = values.keys() - {one["name"] for one in declared}
    if unknown:
        raise refuse(f"no option {', '.join(sorted(unknown))}")
    found = []
    for one in declared:
        name = one["name"]
        if name not in values:
            if one.get("required") and not focused:
                raise refuse(f"{name} is required")
            continue
        option: Json = {"name": name, "type": one["type"], "value": values[name]}
        if name == focused:
            if not one.get("autocomplete"):
                raise refuse(f"{name} has no suggestions")
            option["focused"] = True
        elif not focused:
            _check(one, values[name])
            _resolve(discord, one["type"], str(values[name]), place, resolved)
        found.append(option)
    return found


def _check(option: Json, value: Any) -> None:
    kind, name = option["type"], option["name"]
    right = {
        STRING: isinstance(value, str),
        INTEGER: isinstance(value, int) and not isinstance(value, bool),
        BOOLEAN: isinstance(value, bool),
        NUMBER: isinstance(value, int | float) and not isinstance(value, bool),
    }
    if not right.get(kind, isinstance(value, str)):
        raise refuse(f"{name} can't be {value!r}")
    if option.get("choices") and value not in [choice["value"] for choice in option["choices"]]:
        raise refuse(f"{name} has no choice {value!r}")
    size = len(value) if kind == STRING else value
    lowest, highest = ("min_length", "max_length") if kind == STRING else ("min_value", "max_value")
    if kind not in (STRING, INTEGER, NUMBER):
        return
    if size < option.get(lowest, size) or size > option.get(highest, size):
        raise refuse(f"{name} is too short, too long, too low or too high")


def _resolve(discord: Discord, kind: int, value: str, place: Channel, resolved: Json) -> None:
    guild = discord.guilds.get(place.guild_id)
    if kind == ATTACHMENT:
        resolved.setdefault("attachments", {})[value] = shapes.attachment(discord, discord.attachments[value])
        return
    for among in _RESOLVED.get(kind, ()):
        if among == "users" and value in discord.users:
            resolved.setdefault("users", {})[value] = shapes.user(discord.users[value])
            if guild is not None and value in guild.members:
                member = shapes.member(discord, guild.members[value], whole=False)
                allowed = str(discord.permissions(place, value))
                resolved.setdefault("members", {})[value] = member | {"permissions": allowed}
            return
        if among == "channels" and value in discord.channels:
            shown = shapes.channel(discord, discord.channels[value])
            resolved.setdefault("channels", {})[value] = shown | {"permissions": "0"}
            return
        if among == "roles" and guild is not None and value in guild.roles:
            resolved.setdefault("roles", {})[value] = shapes.role(guild.roles[value])
            return
    if kind in _RESOLVED:
        raise refuse(f"nothing has the id {value}")
