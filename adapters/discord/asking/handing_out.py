"""Gives somebody something in private where no interaction can be answered: as a direct message."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

import discord

from adapters.discord import limits
from adapters.discord.connection.rest import Rest
from adapters.discord.replying.look import SUPPRESS_NOTIFICATIONS, Look
from bot.messages import ReplyFile
from bot.posting import Refused

#: Seconds that Discord is asked for patiently; whoever waits for a file waits longer for nothing.
_PATIENCE_S: Final = 20.0


async def send_file(rest: Rest, user_id: str, file: ReplyFile, note: str) -> None:
    """Put a file into the direct messages of this person, with a note above it in Discord's Markdown.

    It asks Discord patiently, so it is not for the writer of a reply. Raises `Refused` (`50007`: they take none from
    us; `40005`: too large), `RetryLater` and `Ambiguous`; after the latter the file may be there.
    """
    if len(file.data) > limits.FILE_BYTES:
        raise Refused("40005")
    await send_direct(rest, user_id, [Look(note, files=(file,))])


async def send_direct(rest: Rest, user_id: str, looks: Sequence[Look]) -> None:
    """Say something to somebody in private. Raises as `send_file` does."""
    channel = await rest.call_patiently("POST", "/users/@me/channels", json={"recipient_id": user_id})
    await send_to(rest, str(channel["id"]), looks)


async def send_to(rest: Rest, place: str, looks: Sequence[Look]) -> None:
    """Say something in a channel or thread, outside of any reply. Raises as `send_file` does."""
    for look in looks:
        # No turn's ledger knows these messages: the flag tells them from those that are looked for after a crash.
        content = look.content | {"flags": look.content["flags"] | SUPPRESS_NOTIFICATIONS}
        await rest.call_patiently(
            "POST",
            "/channels/{channel_id}/messages",
            most_s=_PATIENCE_S,
            json=content,
            files=attached(look.attached),
            channel_id=place,
        )


def attached(files: Sequence[ReplyFile]) -> list[discord.File]:
    """Files as discord.py sends them."""
    return [
        discord.File(io.BytesIO(file.data), file.name, description=file.about[: limits.FILE_DESCRIPTION] or None)
        for file in files
    ]
