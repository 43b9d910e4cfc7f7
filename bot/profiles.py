"""Who the agent is in each place: what is set where, by whom and when, and what holds in a conversation.

Values are set at places and inherited from the general to the particular: default (the settings), workspace, channel,
thread. Every change is a new version of its place, and none is ever overwritten, so a turn can name what it ran with.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from pydantic import ValidationError
from sqlalchemy import Connection

from agent.clock import Clock
from agent.journal import Json
from agent.language import Text
from agent.profile import FIELDS, Profile, overlay, to_values
from agent.tools.registry import Tool, unknown_names
from bot.inbox import clean
from bot.messages import Author, Target
from bot.places import DEFAULT, Place, places
from bot.settings.profile import ProfileSettings
from bot.settings.sources import describe
from bot.store import profiles as rows
from bot.store.db import Store
from bot.store.profiles import Layer, Row

_WRONG = Text("`{name}` must be {right}.", "`{name}` 应为{right}。")
_UNKNOWN = Text("A profile has no `{name}`: it has {known}.", "配置中没有 `{name}`：只有 {known}。")
_NO_TOOL = Text(
    "`tool_names` names {names}, which is no tool here: there are {known}, and `auto` (all) and `notool` (none).",
    "`tool_names` 中的 {names} 不是可用的工具：可用的有 {known}，以及 `auto`（全部）和 `notool`（不用）。",
)
_NO_MODEL = Text(
    "No endpoint or model is called {name} at present: until there is one, the usual order of the endpoints holds.",
    "目前没有名为 {name} 的端点或模型：在它出现之前，仍按端点的通常顺序。",
)
_DEFAULT = Text(
    "The default profile comes from the settings: change it in kagentbot.toml, or set the value for a workspace or a "
    "channel.",
    "默认配置来自设置文件：请修改 kagentbot.toml，或在工作区或频道中设置。",
)
_CONFLICT = Text(
    "Somebody else has changed this profile meanwhile: look at the new version, then save again.",
    "其他人刚刚修改了这份配置：请查看新版本后再保存。",
)

#: Values of more than one line.
_LONG: Final = {"agent_bio", "agent_instructions"}
#: Characters of an author's name that are kept; the column's length.
_NAME: Final = 200
#: Marks that turn the direction of whatever follows, also of text around the value; no value needs them.
_DIRECTIONS: Final = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
#: What is right for each value, as it follows "must be".
_RIGHT: Final = {leaf.name: leaf.about.right for leaf in describe(ProfileSettings)}


@dataclass(frozen=True, slots=True)
class Version:
    """What was set at a place, from one change to the next."""

    place: Place
    #: Counts from 1 at each place.
    number: int
    #: Only what is set at this place; the rest is inherited.
    values: Mapping[str, Json]
    author: Author
    at: datetime
    #: The version whose values this one brought back.
    restores: int | None = None
    #: Names of the values that differ from the version before.
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an effective value comes from."""

    place: Place
    #: Number of the version; 0 for settings that no turn has run with yet.
    version: int


@dataclass(frozen=True, slots=True)
class Effective:
    """What holds in a conversation."""

    profile: Profile
    #: By the name of the value; each has one.
    origins: Mapping[str, Origin]
    #: Ids of the versions that made it, the general first; settings that no turn has run with yet have none.
    rows: tuple[int, ...]


class Difference(NamedTuple):
    """A value in two versions; None where it was inherited."""

    field: str
    before: Json
    after: Json


class ProfileError(Exception):
    """Values that can't be set. `problems` has one sentence for each of them; `field` and `text` are the first."""

    def __init__(self, problems: Sequence[tuple[str, Text]]) -> None:
        self.problems = tuple(problems)
        self.field, self.text = self.problems[0]
        super().__init__(" ".join(text.en for _, text in self.problems))


class NoVersion(LookupError):
    """A place has no version with this number."""

    def __init__(self, place: Place, number: int) -> None:
        super().__init__(f"there is no version {number} at {place.scope} {place.key}")
        self.number = number


class ProfileConflict(Exception):
    """Somebody else saved meanwhile; nothing was saved. `text` is the sentence for people."""

    def __init__(self) -> None:
        self.text = _CONFLICT
        super().__init__(_CONFLICT.en)


class Profiles:
    """Looks profiles up and changes them. `default` is that of the settings and can't be changed through this."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        default: Profile,
        tools: Sequence[Tool],
        *,
        models: Callable[[], Collection[str]] = tuple,
    ) -> None:
        """`models`: names that `model` may have just now, of endpoints and of models; none means that nobody knows."""
        self._store = store
        self._clock = clock
        self._default = default
        self._tools = tuple(tools)
        self._models = models

    async def effective(self, target: Target) -> Effective:
        """What holds in a conversation now, each value with its origin. Raises `StoreUnavailable`."""
        return await self.effective_at(places(target))

    async def effective_at(self, chain: Sequence[Place]) -> Effective:
        """What holds where these places meet (general first, as `places` gives them)."""
        keys = {str(place.scope): place.key for place in chain}

        def query(connection: Connection) -> tuple[Row | None, list[Layer]]:
            return rows.newest(connection, rows.DEFAULT, ""), rows.layers(
                connection,
                workspace=keys.get("workspace"),
                channel=keys.get("channel"),
                thread=keys.get("thread"),
            )

        settings, layers = await self._store.read(query)
        # Another server's settings, or older ones, are not ours.
        if settings is not None and settings.values != to_values(self._default):
            settings = None
        origins = dict.fromkeys(FIELDS, Origin(DEFAULT, 0 if settings is None else settings.version))
        profile = self._default
        by_scope = {str(place.scope): place for place in chain}
        for layer in layers:
            profile = overlay(profile, layer.values)
            origin = Origin(by_scope[layer.scope], layer.version)
            origins |= {name: origin for name in layer.values if name in origins}
        ids = (() if settings is None else (settings.id,)) + tuple(layer.id for layer in layers)
        return Effective(profile, origins, ids)

    async def newest(self, place: Place) -> Version | None:
        """What is set at a place; None if nothing ever was."""
        return next(iter(await self.versions(place, limit=1)), None)

    async def save(self, place: Place, values: Mapping[str, Json], author: Author, *, based_on: int) -> Version:
        """Make `values` all that is set at a place (None: not set); the new version.

        `based_on` is the number of the newest version that the author has seen, 0 for none. Values that are set
        already make no new version. Raises `ProfileError`, `ProfileConflict`, `StoreUnavailable`.
        """
        return await self._save(place, self.checked(values), author, based_on, None)

    async def versions(self, place: Place, limit: int = 50, before: int | None = None) -> list[Version]:
        """The last versions of a place (before the number `before`), the newest first."""
        # One more, so that the last one's changes are known.
        found = await self._store.read(lambda c: rows.versions(c, place.scope, place.key, limit + 1, before))
        older: list[Row | None] = [*found[1:], None]
        # Where nothing was ever set there is one more of these.
        return [_version(place, row, old) for row, old in zip(found, older, strict=False)][:limit]

    async def compare(self, place: Place, a: int, b: int) -> list[Difference]:
        """What changed at a place from version `a` to version `b`; 0 is the time before the first one.

        Raises `NoVersion`.
        """

        def query(connection: Connection) -> tuple[Mapping[str, Json], Mapping[str, Json]]:
            return _values(connection, place, a), _values(connection, place, b)

        before, after = await self._store.read(query)
        changed = _changed(before, after)
        return [Difference(name, before.get(name), after.get(name)) for name in changed]

    async def restore(self, place: Place, number: int, author: Author) -> Version:
        """Roll back: a new version with the values of an old one (0: nothing is set here any more).

        Raises `NoVersion`, and whatever `save` raises: a tool of that time may be gone.
        """
        newest = await self.newest(place)
        old = await self._store.read(lambda c: _values(c, place, number))
        known = {name: value for name, value in old.items() if name in FIELDS}
        return await self._save(place, self.checked(known), author, newest.number if newest else 0, number)

    def checked(self, values: Mapping[str, Json]) -> dict[str, Json]:
        """The values as they are stored: cleaned, and without those that are None. Raises `ProfileError`."""
        given = {name: _clean(name, value) for name, value in values.items() if value is not None}
        known = {name: value for name, value in given.items() if name in FIELDS}
        problems = [(name, _fill(_UNKNOWN, name=name, known=_listed(FIELDS))) for name in given if name not in known]
        made: dict[str, Json] = {}
        try:
            made = to_values(ProfileSettings(**known).build())
        except ValidationError as error:
            wrong = dict.fromkeys(str(one["loc"][0]) for one in error.errors(include_input=False, include_url=False))
            problems += [(name, _fill(_WRONG, name=name, right=_RIGHT[name])) for name in wrong]
        named = known.get("tool_names")
        names = [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
        if unknown := unknown_names(self._tools, names):
            tools = _listed([tool.name for tool in self._tools])
            problems.append(("tool_names", _fill(_NO_TOOL, names=_listed(unknown), known=tools)))
        if problems:
            # Raised outside the handler above: a traceback with that error could show values.
            raise ProfileError(problems)
        return {name: made[name] for name in FIELDS if name in known}

    def warnings(self, values: Mapping[str, Json]) -> list[tuple[str, Text]]:
        """What may be set, but has no effect at present: (name of the value, sentence)."""
        wanted, known = values.get("model"), self._models()
        if not wanted or not known or wanted in known:
            return []
        return [("model", _fill(_NO_MODEL, name=wanted))]

    async def _save(
        self, place: Place, values: dict[str, Json], author: Author, based_on: int, restores: int | None
    ) -> Version:
        if place.scope == "default":
            raise ProfileError([("", _DEFAULT)])
        now = self._clock.now()
        name = clean(author.name)[:_NAME]

        def query(connection: Connection) -> Version:
            last, before = [*rows.versions(connection, place.scope, place.key, 2), None, None][:2]
            if last is not None and last.values == values:
                # Also what a second click, or a request that was sent twice, asks for.
                return _version(place, last, before)
            if based_on != (0 if last is None else last.version):
                raise ProfileConflict
            row = Row(0, place.scope, place.key, based_on + 1, values, author.id, name, restores, now)
            # Of two that save at the same time, the unique number lets one through.
            if rows.insert(connection, row) is None:
                raise ProfileConflict
            return _version(place, row, last)

        return await self._store.write(query)


def _values(connection: Connection, place: Place, number: int) -> Mapping[str, Json]:
    if number == 0:
        return {}
    row = rows.version(connection, place.scope, place.key, number)
    if row is None:
        raise NoVersion(place, number)
    return row.values


def _version(place: Place, row: Row, before: Row | None) -> Version:
    author = Author(row.author_id, row.author_name)
    changed = _changed({} if before is None else before.values, row.values)
    return Version(place, row.version, row.values, author, row.at, row.restores, changed)


def _changed(before: Mapping[str, Json], after: Mapping[str, Json]) -> tuple[str, ...]:
    """Names of the values that differ, in the profile's order; names of another version of this program at the end."""
    names = dict.fromkeys([*FIELDS, *sorted({*before, *after})])
    return tuple(name for name in names if before.get(name) != after.get(name))


def _clean(name: str, value: Json) -> Json:
    """The value without what no text needs; names and the like on one line."""
    if isinstance(value, list | tuple):
        return [_clean(name, item) for item in value]
    if not isinstance(value, str):
        return value
    text = clean(value).translate(_DIRECTIONS).strip()
    return text if name in _LONG else " ".join(text.split())


def _listed(names: Collection[str]) -> Text:
    """Names as code, in a row."""
    coded = [f"`{name}`" for name in names]
    return Text(", ".join(coded), "、".join(coded))


def _fill(text: Text, **fields: object) -> Text:
    """The sentence with its fields filled in, in both languages; a field may be a `Text`, too."""
    en = {name: value.en if isinstance(value, Text) else value for name, value in fields.items()}
    zh = {name: value.zh if isinstance(value, Text) else value for name, value in fields.items()}
    return Text(text.say("en", **en), text.say("zh", **zh))
