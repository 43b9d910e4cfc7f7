"""Profiles by version: what a turn ran with can be looked up, and run again, after the settings have changed."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from agent.profile import Profile
from bot.store.dialect import insert_ignore
from bot.store.tables import profile

#: The profile that holds where no other is set. Its versions come from the settings.
DEFAULT = "default"
_SETTINGS = "settings"

_NEWEST = (
    select(profile.c.id, profile.c.version, profile.c.data)
    .where(profile.c.scope == bindparam("scope"), profile.c.scope_key == "")
    .order_by(profile.c.version.desc())
    .limit(1)
)
_BY_ID = select(profile.c.data).where(profile.c.id == bindparam("profile_id"))
_NAMES = frozenset(field.name for field in fields(Profile))


def find(connection: Connection, wanted: Profile) -> int | None:
    """The id of the default profile's newest version if that is `wanted`, else None."""
    newest = connection.execute(_NEWEST, {"scope": DEFAULT}).first()
    return int(newest.id) if newest is not None and newest.data == _to_json(wanted) else None


def add(connection: Connection, wanted: Profile, now: datetime) -> int:
    """A new version of the default profile; its id."""
    while True:
        newest = connection.execute(_NEWEST, {"scope": DEFAULT}).first()
        values = {
            "scope": DEFAULT,
            "scope_key": "",
            "version": 1 if newest is None else newest.version + 1,
            "data": _to_json(wanted),
            "author_id": _SETTINGS,
            "created_at": now,
        }
        row_id: int | None = insert_ignore(connection, profile, values)
        # None: another process was first with that number.
        if row_id is not None:
            return row_id


def get(connection: Connection, profile_id: int) -> Profile:
    """The profile as it was; values that this program doesn't know are left out, new ones have their defaults.

    Raises `LookupError` when there is none with this id.
    """
    data: dict[str, Any] | None = connection.execute(_BY_ID, {"profile_id": profile_id}).scalar()
    if data is None:
        raise LookupError(f"there is no profile {profile_id}")
    known: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in data.items() if name in _NAMES
    }
    return Profile(**known)


def _to_json(wanted: Profile) -> dict[str, object]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(wanted).items()}
