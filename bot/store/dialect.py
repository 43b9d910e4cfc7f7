"""What differs between the databases: a few statements, and the text that they take."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

#: PostgreSQL can't store NUL, and UTF-8 no halves of surrogate pairs.
_UNSTORABLE = dict.fromkeys((0, *range(0xD800, 0xE000)))


def storable(text: str) -> str:
    """The text without what a text column of either database refuses; models and tools may say anything."""
    return text.translate(_UNSTORABLE)


def insert_ignore(connection: Connection, table: Table, values: dict[str, Any]) -> Any:
    """Insert unless any unique rule objects; the new row's first key column, or None when it was there already."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    key = next(iter(table.primary_key.columns))
    statement = insert(table).values(**values).on_conflict_do_nothing().returning(key)
    row = connection.execute(statement).first()
    return None if row is None else row[0]


def upsert(connection: Connection, table: Table, key: list[str], values: dict[str, Any]) -> None:
    """Insert, or update every other column of the row with this key."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values(**values)
    changed = {name: statement.excluded[name] for name in values if name not in key}
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=changed))
