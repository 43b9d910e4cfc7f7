"""What differs between the databases: a few statements, and the text that they take."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Executable, Table, text
from sqlalchemy.dialects import postgresql, sqlite

#: PostgreSQL can't store NUL, and UTF-8 no halves of surrogate pairs.
_UNSTORABLE = dict.fromkeys((0, *range(0xD800, 0xE000)))
_SERIALISE = text("SELECT pg_advisory_xact_lock(:key)")


def storable(words: str) -> str:
    """The text without what a text column of either database refuses; models and tools may say anything."""
    return words.translate(_UNSTORABLE)


def insert_ignore(connection: Connection, table: Table, values: dict[str, Any]) -> Any:
    """Insert unless any unique rule objects; the new row's first key column, or None when it was there already."""
    row = connection.execute(_insert_ignore(table, connection.dialect.name), values).first()
    return None if row is None else row[0]


def upsert(connection: Connection, table: Table, key: Sequence[str], values: dict[str, Any]) -> None:
    """Insert, or update every other column of the row with this key."""
    connection.execute(_upsert(table, tuple(key), tuple(values), connection.dialect.name), values)


# Statements are built once: building one costs several times what running it does.


@cache
def _insert_ignore(table: Table, dialect: str) -> Executable:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(table).on_conflict_do_nothing().returning(next(iter(table.primary_key.columns)))


@cache
def _upsert(table: Table, key: tuple[str, ...], names: tuple[str, ...], dialect: str) -> Executable:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = insert(table)
    changed = {name: statement.excluded[name] for name in names if name not in key}
    return statement.on_conflict_do_update(index_elements=key, set_=changed)


def serialise(connection: Connection, key: str) -> None:
    """Let no other transaction pass here with the same key until this one ends. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], signed=True)
        connection.execute(_SERIALISE, {"key": number})
