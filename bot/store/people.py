"""People as their platforms describe them, so that nobody is looked up for every message."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, select

from bot.messages import Person
from bot.store.dialect import storable, upsert
from bot.store.tables import person

#: Somebody is looked up again after this time: names, roles and zones change seldom.
FRESH = timedelta(hours=12)
#: Characters of a name that are kept; the column's length.
_NAME = 200

_KNOWN = select(
    person.c.user_id,
    person.c.name,
    person.c.kind,
    person.c.team,
    person.c.is_admin,
    person.c.zone,
    person.c.lang,
    person.c.fetched_at,
).where(
    person.c.platform == bindparam("of_platform"),
    person.c.workspace == bindparam("of_workspace"),
    person.c.user_id.in_(bindparam("ids", expanding=True)),
)


def known(
    connection: Connection, platform: str, workspace: str, ids: Collection[str], now: datetime | None = None
) -> dict[str, Person]:
    """Those of these people that were looked up before; with `now`, only those whose description is fresh."""
    values = {"of_platform": platform, "of_workspace": workspace, "ids": list(ids)}
    rows = connection.execute(_KNOWN, values)
    return {row[0]: Person(*row[:7]) for row in rows if now is None or now - row[7] < FRESH}


def looked_up(connection: Connection, platform: str, workspace: str, user_id: str) -> tuple[Person, datetime] | None:
    """Somebody, and when that was looked up."""
    values = {"of_platform": platform, "of_workspace": workspace, "ids": [user_id]}
    row = connection.execute(_KNOWN, values).first()
    return None if row is None else (Person(*row[:7]), row[7])


def names(connection: Connection, platform: str, most: int) -> dict[tuple[str, str], str]:
    """Names by workspace and id, of at most so many people, those who were looked up last."""
    newest = select(person.c.workspace, person.c.user_id, person.c.name).where(person.c.platform == platform)
    return {
        (row[0], row[1]): row[2] for row in connection.execute(newest.order_by(person.c.fetched_at.desc()).limit(most))
    }


def save(connection: Connection, platform: str, workspace: str, who: Person, now: datetime) -> None:
    """Keep what the platform says of somebody, in place of what it said before."""
    values = {
        "platform": platform,
        "workspace": workspace,
        "user_id": who.id,
        "name": storable(who.name)[:_NAME],
        "kind": who.kind,
        "team": who.team,
        "is_admin": who.is_admin,
        "zone": who.zone,
        "lang": who.lang,
        "fetched_at": now,
    }
    upsert(connection, person, ["platform", "workspace", "user_id"], values)


def forget(connection: Connection, platform: str, workspace: str, user_id: str) -> None:
    """Keep nothing of what the platform said of somebody."""
    connection.execute(
        person.delete().where(
            person.c.platform == platform, person.c.workspace == workspace, person.c.user_id == user_id
        )
    )
