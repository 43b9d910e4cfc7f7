"""What most of this adapter needs of `rest.Rest`: calling, with JSON values in and out."""

from __future__ import annotations

from typing import Any, Protocol


class Calls(Protocol):
    """`rest.Rest`."""

    async def call(self, method: str, path: str, **more: Any) -> Any:
        """One call; `more` has `json`, `params`, `urgent`, and the ids that fill `path`. Raises what `bot.posting`
        names.
        """
