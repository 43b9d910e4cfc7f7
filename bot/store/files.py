"""Which stored files the messages name: kept with the message, gone with the last one that names them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, String, cast, delete, select, update

from bot.messages import Attachment, Target
from bot.store import blobs, conversations
from bot.store.tables import blob, conversation, message

#: Messages with files, the newest of a conversation, among which a file is looked for.
_MOST = 500
#: Messages of people in which a question looks for files that it may be about.
_RECENT = 20
#: What `Attachment` knows of a file's row.
_FILE = tuple(field.name for field in fields(Attachment))

_HAS_FILES = cast(message.c.attachments, String).not_in(("[]", "null"))


def keep(
    connection: Connection, target: Target, file_id: str, data: bytes, media_type: str, now: datetime, *, quota: int
) -> str | None:
    """Store a file and note its digest at the messages of this conversation that name it; the digest.

    None where no message names it (any more): then nothing is stored. Raises `blobs.TooLarge`.
    """
    place = conversations.find(connection, target.conversation_key)
    if place is None:
        return None
    # So that nobody erases it meanwhile.
    conversations.lock(connection, place.id)
    digest = hashlib.sha256(data).hexdigest()
    noted = 0
    for row_id, files in _with_files(connection, target):
        if not any(file["id"] == file_id for file in files):
            continue
        changed = [file | {"digest": digest} if file["id"] == file_id else file for file in files]
        statement = update(message).where(message.c.id == row_id, message.c.erased_at.is_(None))
        noted += connection.execute(statement.values(attachments=changed)).rowcount
    return blobs.put(connection, data, media_type, now, quota=quota) if noted else None


def last(connection: Connection, conversation_id: int, generation: int, until: datetime) -> tuple[Attachment, ...]:
    """The files that came with the last message that had any, if that isn't long ago."""
    newest = (
        select(message.c.attachments)
        .where(
            message.c.conversation_id == conversation_id,
            message.c.generation == generation,
            message.c.role == "user",
            message.c.sent_at <= until,
            message.c.erased_at.is_(None),
        )
        .order_by(message.c.id.desc())
        .limit(_RECENT)
    )
    found: list[dict[str, Any]] = next((files for (files,) in connection.execute(newest) if files), [])
    return tuple(map(reference, found))


def reference(file: dict[str, Any]) -> Attachment:
    """A message's file out of its row, which may have more: its digest, once it has been fetched."""
    return Attachment(**{name: file[name] for name in _FILE if name in file})


def kept(connection: Connection, target: Target, file_ids: Collection[str]) -> dict[str, str]:
    """Those of these files that are stored already, with their digests."""
    found = {
        file["id"]: file["digest"]
        for _, files in _with_files(connection, target)
        for file in files
        if file["id"] in file_ids and "digest" in file
    }
    there = _stored(connection, found.values())
    return {file_id: digest for file_id, digest in found.items() if digest in there}


def of_messages(connection: Connection, *which: Any) -> set[str]:
    """The digests of stored files that the messages for which this holds name."""
    rows = connection.execute(select(message.c.attachments).where(*which))
    return _stored(connection, {str(file.get(key)) for (files,) in rows for file in files for key in ("digest", "id")})


def forget_unnamed(connection: Connection, digests: Iterable[str]) -> None:
    """Delete those of these files that no message names any more."""
    for digest in digests:
        named = select(message.c.id).where(cast(message.c.attachments, String).contains(digest, autoescape=True))
        if connection.execute(named.limit(1)).first() is None:
            connection.execute(delete(blob).where(blob.c.digest == digest))


def _with_files(connection: Connection, target: Target) -> list[tuple[int, list[dict[str, Any]]]]:
    statement = (
        select(message.c.id, message.c.attachments)
        .join(conversation, conversation.c.id == message.c.conversation_id)
        .where(conversation.c.key == target.conversation_key, message.c.erased_at.is_(None), _HAS_FILES)
        .order_by(message.c.id.desc())
        .limit(_MOST)
    )
    return [(row[0], row[1]) for row in connection.execute(statement)]


def _stored(connection: Connection, digests: Collection[str]) -> set[str]:
    if not digests:
        return set()
    return set(connection.execute(select(blob.c.digest).where(blob.c.digest.in_(digests))).scalars())
