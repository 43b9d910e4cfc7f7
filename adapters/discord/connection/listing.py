"""The messages of a place, page by page: for catching up, for a thread's past, and for finding our own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.discord import limits
from adapters.discord.connection.calls import Calls

Json = Mapping[str, Any]


async def listed(rest: Calls, place: str, limit: int = limits.MESSAGES_PER_PAGE, **bounds: int) -> list[Json]:
    """Messages of a channel or thread, newest first. `bounds`: `before` or `after`, an id, exclusive. Raises as
    `Rest.call` does.
    """
    params = {"limit": limit, **bounds}
    page = await rest.call("GET", "/channels/{channel_id}/messages", params=params, channel_id=place)
    return sorted(page, key=lambda message: int(message["id"]), reverse=True)
