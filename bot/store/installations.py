"""Where the app is installed, on platforms where workspaces install it. Tokens are encrypted (`bot.secrets`); here they
are only text.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, bindparam, select

from bot.store.dialect import insert_ignore
from bot.store.tables import installation

State = Literal["active", "revoked"]


@dataclass(frozen=True, slots=True)
class InstallationRow:
    """One installation as it is kept."""

    id: int
    workspace: str
    sealed: str
    #: Raised by every change, so that other processes notice.
    version: int
    state: State
    installed_by: str
    updated_at: datetime

    @property
    def stamp(self) -> tuple[int, int]:
        """Changes whenever the row does, or another one takes its place."""
        return self.id, self.version


_COLUMNS = (
    installation.c.id,
    installation.c.workspace,
    installation.c.sealed,
    installation.c.version,
    installation.c.state,
    installation.c.installed_by,
    installation.c.updated_at,
)
_HERE = (
    installation.c.platform == bindparam("where_platform"),
    installation.c.workspace == bindparam("where_workspace"),
)
_ONE = select(*_COLUMNS).where(*_HERE)
_ALL = (
    select(*_COLUMNS)
    .where(installation.c.platform == bindparam("where_platform"), installation.c.state == "active")
    .order_by(installation.c.workspace)
)
_SAVE = (
    installation.update()
    .where(*_HERE)
    .values(
        sealed=bindparam("content"),
        installed_by=bindparam("author"),
        state="active",
        updated_at=bindparam("now"),
        version=installation.c.version + 1,
    )
)
_RESEAL = (
    installation.update()
    .where(installation.c.id == bindparam("row_id"), installation.c.sealed == bindparam("former"))
    .values(sealed=bindparam("content"))
)
_REVOKE = (
    installation.update()
    .where(
        installation.c.id == bindparam("row_id"),
        installation.c.version == bindparam("seen"),
        installation.c.state == "active",
    )
    # The token is of no use to anybody any more, so it is not kept either.
    .values(state="revoked", sealed="", updated_at=bindparam("now"), version=installation.c.version + 1)
)


def get(connection: Connection, platform: str, workspace: str) -> InstallationRow | None:
    """That of a workspace, revoked or not; None when it never was installed there."""
    row = connection.execute(_ONE, _place(platform, workspace)).first()
    return None if row is None else InstallationRow(*row)


def active(connection: Connection, platform: str) -> list[InstallationRow]:
    """All that work, by workspace."""
    return [InstallationRow(*row) for row in connection.execute(_ALL, {"where_platform": platform})]


def save(connection: Connection, platform: str, workspace: str, sealed: str, installed_by: str, now: datetime) -> None:
    """Keep this one; it replaces an earlier one of the workspace, and makes a revoked one work again."""
    values = {**_place(platform, workspace), "content": sealed, "author": installed_by, "now": now}
    if connection.execute(_SAVE, values).rowcount:
        return
    new = {
        "platform": platform,
        "workspace": workspace,
        "sealed": sealed,
        "state": "active",
        "installed_by": installed_by,
        "created_at": now,
        "updated_at": now,
    }
    if insert_ignore(connection, installation, new) is None:
        # Another process was first.
        connection.execute(_SAVE, values)


def reseal(connection: Connection, row: InstallationRow, sealed: str) -> bool:
    """The same content under another key. False when somebody has changed it meanwhile."""
    return bool(connection.execute(_RESEAL, {"row_id": row.id, "former": row.sealed, "content": sealed}).rowcount)


def revoke(connection: Connection, row: InstallationRow, now: datetime) -> bool:
    """It doesn't work any more, and its token is forgotten. False when it has been made anew meanwhile."""
    return bool(connection.execute(_REVOKE, {"row_id": row.id, "seen": row.version, "now": now}).rowcount)


def _place(platform: str, workspace: str) -> dict[str, str]:
    return {"where_platform": platform, "where_workspace": workspace}
