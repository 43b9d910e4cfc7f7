"""Profiles by place and version: what is set where, and what a turn ran with, so that it can be run again later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, literal, select, union_all

from agent.profile import Profile, overlay, to_values
from bot.store.dialect import insert_ignore
from bot.store.tables import profile

#: The profile that holds where no other is set. Its versions come from the settings.
DEFAULT = "default"
#: Who writes those.
SETTINGS = "settings"
#: Scopes whose values people set, from the general to the particular: each is stronger than those before it.
SCOPES = ("workspace", "channel", "thread")


class Row(NamedTuple):
    """One version of what is set at one place."""

    id: int
    scope: str
    key: str
    version: int
    #: Only what is set there.
    values: dict[str, Any]
    author_id: str
    author_name: str
    restores: int | None
    at: datetime


class Layer(NamedTuple):
    """The newest version at one of a conversation's places, as a turn needs it."""

    id: int
    scope: str
    version: int
    values: dict[str, Any]


_COLUMNS = (
    profile.c.id,
    profile.c.scope,
    profile.c.scope_key,
    profile.c.version,
    profile.c.data,
    profile.c.author_id,
    profile.c.author_name,
    profile.c.restores,
    profile.c.created_at,
)
_HERE = (profile.c.scope == bindparam("at_scope"), profile.c.scope_key == bindparam("at_key"))
_VERSIONS = (
    select(*_COLUMNS)
    .where(*_HERE, profile.c.version < bindparam("below"))
    .order_by(profile.c.version.desc())
    .limit(bindparam("most"))
)
_VERSION = select(*_COLUMNS).where(*_HERE, profile.c.version == bindparam("number"))
_BY_IDS = select(profile.c.id, profile.c.data).where(profile.c.id.in_(bindparam("ids", expanding=True)))
#: A number that no version reaches.
_BEYOND = 2**31 - 1


def _newest_at(scope: str) -> Any:
    newest = (
        select(profile.c.id, literal(scope).label("scope"), profile.c.version, profile.c.data)
        .where(profile.c.scope == scope, profile.c.scope_key == bindparam(f"{scope}_key"))
        .order_by(profile.c.version.desc())
        .limit(1)
        .subquery(f"newest_{scope}")
    )
    return select(newest)


#: One step into the unique index for each place, whatever the number of versions; built once.
_LAYERS = union_all(*(_newest_at(scope) for scope in SCOPES))


def layers(connection: Connection, *, workspace: str | None, channel: str | None, thread: str | None) -> list[Layer]:
    """The newest version at each of these places that has one, the general before the particular, in one statement."""
    keys = {"workspace_key": workspace, "channel_key": channel, "thread_key": thread}
    found = [Layer._make(row) for row in connection.execute(_LAYERS, keys)]
    return sorted(found, key=lambda layer: SCOPES.index(layer.scope))


def newest(connection: Connection, scope: str, key: str) -> Row | None:
    """The newest version at a place."""
    return next(iter(versions(connection, scope, key, 1)), None)


def versions(connection: Connection, scope: str, key: str, most: int, below: int | None = None) -> list[Row]:
    """The last versions of a place (below the number `below`), the newest first."""
    values = {"at_scope": scope, "at_key": key, "below": _BEYOND if below is None else below, "most": most}
    return [Row._make(row) for row in connection.execute(_VERSIONS, values)]


def version(connection: Connection, scope: str, key: str, number: int) -> Row | None:
    """One version of a place."""
    row = connection.execute(_VERSION, {"at_scope": scope, "at_key": key, "number": number}).first()
    return None if row is None else Row._make(row)


def insert(connection: Connection, row: Row) -> int | None:
    """A new version (the row's id is not looked at); its id, or None when there is one with this number."""
    values = {
        "scope": row.scope,
        "scope_key": row.key,
        "version": row.version,
        "data": row.values,
        "author_id": row.author_id,
        "author_name": row.author_name,
        "restores": row.restores,
        "created_at": row.at,
    }
    row_id: int | None = insert_ignore(connection, profile, values)
    return row_id


def find(connection: Connection, wanted: Profile) -> int | None:
    """The id of the default profile's newest version if that is `wanted`, else None."""
    row = newest(connection, DEFAULT, "")
    return row.id if row is not None and row.values == to_values(wanted) else None


def add(connection: Connection, wanted: Profile, now: datetime) -> int:
    """A new version of the default profile; its id."""
    while True:
        last = newest(connection, DEFAULT, "")
        number = 1 if last is None else last.version + 1
        row_id = insert(connection, Row(0, DEFAULT, "", number, to_values(wanted), SETTINGS, "", None, now))
        # None: another process was first with that number.
        if row_id is not None:
            return row_id


def merged(connection: Connection, ids: Sequence[int]) -> Profile:
    """The profile that these versions made together, the general first.

    Values that this program doesn't know are left out, new ones have their defaults. Raises `LookupError` when one of
    the versions is gone.
    """
    found = {row[0]: row[1] for row in connection.execute(_BY_IDS, {"ids": list(ids)})}
    made = Profile()
    for id_ in ids:
        if id_ not in found:
            raise LookupError(f"there is no profile {id_}")
        made = overlay(made, found[id_])
    return made


def forget(connection: Connection, scope: str, key: str) -> int:
    """Delete every version of a place; how many there were."""
    return connection.execute(delete(profile).where(profile.c.scope == scope, profile.c.scope_key == key)).rowcount
