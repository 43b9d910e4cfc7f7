"""The seventeen steps, in order."""

from __future__ import annotations

from typing import Final

from scripts.discord_live import access, limits, talking, texts
from scripts.discord_live.check import Check
from scripts.live.report import Step

_SERVER: Final = ("token", "connection")
_THREAD: Final = (*_SERVER, "mention")

STEPS: Final[tuple[Step[Check], ...]] = (
    Step("token", texts.TOKEN, access.token),
    Step("connection", texts.CONNECTION, access.connection, ("token",)),
    Step("commands", texts.COMMANDS, access.commands, _SERVER),
    Step("mention", texts.MENTION, talking.mention, _SERVER),
    Step("follow", texts.FOLLOW, talking.follow, _THREAD),
    Step("direct", texts.DIRECT, talking.direct, _THREAD),
    Step("edit", texts.EDITED, talking.edit, _THREAD),
    Step("delete", texts.DELETED, talking.delete, _THREAD),
    Step("file", texts.FILE, talking.file, _SERVER),
    Step("stop", texts.STOP, talking.stop, _THREAD),
    Step("away", texts.AWAY, talking.away, _THREAD),
    Step("nonce", texts.NONCE, limits.nonce, ("token",)),
    Step("size", texts.SIZE, limits.size, ("token",)),
    Step("edits", texts.EDITS, limits.edits, ("token",)),
    Step("listed", texts.LISTED, limits.listed, ("token",)),
    Step("webhook", texts.WEBHOOK, limits.webhook, ("token",)),
    Step("rates", texts.RATES, limits.rates, ("token",)),
)
