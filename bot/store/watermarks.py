"""Watermarks: up to where everything that was said in a place has been handed on (`bot.messages.Incoming.mark`).

They are low-water marks: everything at or below one is in the database, or was none of our business. What is above it
may be there, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, Executable, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from bot.store.dialect import insert_ignore
from bot.store.tables import watermark


def of(connection: Connection, platform: str) -> dict[tuple[str, str], int]:
    """All marks of a platform, by workspace and place."""
    rows = connection.execute(
        select(watermark.c.workspace, watermark.c.place, watermark.c.mark).where(watermark.c.platform == platform)
    )
    return {(row[0], row[1]): row[2] for row in rows}


def advance(connection: Connection, platform: str, workspace: str, place: str, mark: int, now: datetime) -> None:
    """Raise a place's mark; one that is higher already stays."""
    values = {"platform": platform, "workspace": workspace, "place": place, "mark": mark, "updated_at": now}
    connection.execute(_advance(connection.dialect.name), values)


def begin(connection: Connection, platform: str, workspace: str, marks: Mapping[str, int], now: datetime) -> None:
    """Set the marks of places that have none."""
    for place, mark in marks.items():
        values = {"platform": platform, "workspace": workspace, "place": place, "mark": mark, "updated_at": now}
        insert_ignore(connection, watermark, values)


def forget(connection: Connection, platform: str, workspace: str, place: str | None = None) -> None:
    """Remove the mark of a place that is gone, or of a whole workspace."""
    statement = delete(watermark).where(watermark.c.platform == platform, watermark.c.workspace == workspace)
    connection.execute(statement if place is None else statement.where(watermark.c.place == place))


@cache
def _advance(dialect: str) -> Executable:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = insert(watermark)
    return statement.on_conflict_do_update(
        index_elements=["platform", "workspace", "place"],
        set_={"mark": statement.excluded.mark, "updated_at": statement.excluded.updated_at},
        where=watermark.c.mark < statement.excluded.mark,
    )
