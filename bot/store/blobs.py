"""Blobs: bytes of attachments and reports, stored once by their digest."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select, update

from bot.store.dialect import insert_ignore
from bot.store.tables import blob

#: Largest blob, in bytes (DESIGN.md, Store).
MAX_BYTES = 10 * 1024 * 1024


class Blob(NamedTuple):
    """A stored file."""

    media_type: str
    data: bytes


class TooLarge(ValueError):
    """The file is larger than `MAX_BYTES`, or the quota is used up."""


def put(connection: Connection, data: bytes, media_type: str, now: datetime, *, quota: int) -> str:
    """Store bytes once; their digest (SHA-256, hex). What is there already counts as stored now.

    `quota`: bytes that all blobs may take together. Raises `TooLarge`.
    """
    if len(data) > MAX_BYTES:
        raise TooLarge(f"{len(data)} bytes; a file may have {MAX_BYTES}")
    digest = hashlib.sha256(data).hexdigest()
    if connection.execute(update(blob).where(blob.c.digest == digest).values(created_at=now)).rowcount == 1:
        return digest
    used = connection.execute(select(func.coalesce(func.sum(blob.c.size), 0))).scalar_one()
    if used + len(data) > quota:
        raise TooLarge(f"{used} of {quota} bytes are used")
    values = {"digest": digest, "media_type": media_type, "size": len(data), "data": data, "created_at": now}
    insert_ignore(connection, blob, values)
    return digest


def get(connection: Connection, digest: str) -> Blob | None:
    """The file with this digest."""
    row = connection.execute(select(blob.c.media_type, blob.c.data).where(blob.c.digest == digest)).first()
    return None if row is None else Blob(row[0], row[1])


def forget(connection: Connection, before: datetime, most: int) -> int:
    """Delete at most so many blobs stored before this time; how many."""
    old = select(blob.c.digest).where(blob.c.created_at < before).limit(most)
    return connection.execute(blob.delete().where(blob.c.digest.in_(old))).rowcount
