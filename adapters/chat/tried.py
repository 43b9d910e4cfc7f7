"""Whatever goes wrong, whoever waits is told so in one sentence."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import TypeVar

from adapters.chat import texts
from adapters.chat.platform import Platform
from adapters.chat.tasks import OUTSIDE
from agent.language import Text

log = logging.getLogger(__name__)

T = TypeVar("T")


async def tried(what: str, work: Awaitable[T], platform: Platform) -> T | Text:
    """What this gives; the sentence for whoever waits for it when it goes wrong. `what` is how the log calls it."""
    try:
        return await work
    except OUTSIDE as error:
        log.warning("%s failed: %s", what, error)
        return platform.named(texts.BUSY)
    except Exception:
        log.exception("%s failed", what)
        return texts.TROUBLE
