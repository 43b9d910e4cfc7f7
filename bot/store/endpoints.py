"""Endpoints that were entered on the page. What they hold is encrypted (`bot.secrets`); here it is only text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from bot.store.dialect import insert_ignore
from bot.store.tables import endpoint


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """One endpoint as it is kept."""

    id: int
    name: str
    sealed: str
    #: Raised by every change.
    version: int
    updated_at: datetime

    @property
    def stamp(self) -> tuple[int, int, datetime]:
        """Changes whenever the row does, or another one takes its place."""
        return self.id, self.version, self.updated_at


_ALL = select(endpoint.c.id, endpoint.c.name, endpoint.c.sealed, endpoint.c.version, endpoint.c.updated_at).order_by(
    endpoint.c.id
)
_UPDATE = (
    endpoint.update()
    .where(endpoint.c.name == bindparam("wanted"))
    .values(sealed=bindparam("content"), version=endpoint.c.version + 1)
)
_RESEAL = (
    endpoint.update()
    .where(endpoint.c.id == bindparam("row_id"), endpoint.c.sealed == bindparam("former"))
    .values(sealed=bindparam("content"))
)


def every(connection: Connection) -> list[EndpointRow]:
    """All of them, the oldest first."""
    return [EndpointRow(*row) for row in connection.execute(_ALL)]


def save(connection: Connection, name: str, sealed: str, author_id: str, now: datetime) -> None:
    """Keep this one; it replaces the one with the same name."""
    update = _UPDATE.values(author_id=author_id, updated_at=now)
    values = {"wanted": name, "content": sealed}
    if connection.execute(update, values).rowcount:
        return
    new = {"name": name, "sealed": sealed, "author_id": author_id, "created_at": now, "updated_at": now}
    if insert_ignore(connection, endpoint, new) is None:
        # Another process was first.
        connection.execute(update, values)


def reseal(connection: Connection, row: EndpointRow, sealed: str) -> bool:
    """The same content under another key. False when somebody has changed it meanwhile."""
    return bool(connection.execute(_RESEAL, {"row_id": row.id, "former": row.sealed, "content": sealed}).rowcount)


def remove(connection: Connection, name: str) -> bool:
    """Forget it. False when there is none with this name."""
    return bool(connection.execute(endpoint.delete().where(endpoint.c.name == name)).rowcount)
