"""The fifteen steps, in order."""

from __future__ import annotations

from typing import Final

from scripts.live.report import Step
from scripts.slack_live import access, limits, talking, texts

_SERVER: Final = ("tokens", "sockets")
_THREAD: Final = (*_SERVER, "mention")

STEPS: Final = (
    Step("tokens", texts.TOKENS, access.tokens),
    Step("agent", texts.AGENT, access.agent, ("tokens",)),
    Step("sockets", texts.SOCKETS, access.sockets, ("tokens",)),
    Step("mention", texts.MENTION, talking.mention, _SERVER),
    Step("direct", texts.DIRECT, talking.direct, _SERVER),
    Step("edit", texts.EDITED, talking.edit, _THREAD),
    Step("delete", texts.DELETED, talking.delete, _THREAD),
    Step("stream", texts.STREAM, limits.stream, ("tokens",)),
    Step("size", texts.SIZE, limits.size, ("tokens", "stream")),
    Step("update", texts.UPDATE, limits.update, ("tokens",)),
    Step("feedback", texts.FEEDBACK, limits.feedback, ("tokens",)),
    Step("ephemeral", texts.EPHEMERAL, limits.ephemeral, ("tokens",)),
    Step("file", texts.FILE, talking.file, _SERVER),
    Step("stop", texts.STOP, talking.stop, (*_THREAD, "agent")),
    Step("rates", texts.RATES, limits.rates, ("tokens",)),
)
