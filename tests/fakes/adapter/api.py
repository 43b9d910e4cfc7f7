"""The fake platform's web API, and what its failures mean."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import aiohttp

from bot.messages import Target
from bot.posting import Ambiguous, Own, Refused, RetryLater

#: What the platform calls a failure of its own: part of the work may have been done (as with Slack's code of that
#: name).
_INTERNAL = "internal_error"
#: Seconds to wait when there was no connection at all.
_UNREACHABLE = 0.5

Metadata = dict[str, Any]


class FakeApi:
    """One method per call; raises what `bot.posting` names. The session is made on first use and belongs to this
    object."""

    def __init__(self, base_url: str, token: str, *, timeout: float) -> None:
        self._base_url = base_url
        self._headers = {"Authorization": f"Bearer {token}"}
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def post(self, target: Target, text: str, buttons: tuple[str, ...], metadata: Metadata) -> str:
        """Create a message; its id."""
        return await self._create("post", target, text, buttons, metadata)

    async def start_stream(self, target: Target, text: str, buttons: tuple[str, ...], metadata: Metadata) -> str:
        """Create a message that can be appended to; its id."""
        return await self._create("start_stream", target, text, buttons, metadata)

    async def append(self, message_id: str, text: str) -> None:
        """Add to a stream. Not to be repeated when the outcome is unknown."""
        await self._call("append", message=message_id, text=text)

    async def stop_stream(self, message_id: str, buttons: tuple[str, ...]) -> None:
        """End a stream; one that has ended already is no error."""
        try:
            await self._call("stop_stream", message=message_id, buttons=buttons)
        except Refused as refused:
            if refused.code != "not_streaming":
                raise

    async def edit(self, message_id: str, text: str, buttons: tuple[str, ...], metadata: Metadata) -> None:
        """Replace a message's text and all else."""
        await self._call("edit", message=message_id, text=text, buttons=buttons, metadata=metadata, mentions=False)

    async def delete(self, message_id: str) -> None:
        """Delete a message; one that is gone already is no error."""
        try:
            await self._call("delete", message=message_id)
        except Refused as refused:
            if refused.code != "not_found":
                raise

    async def list_own(self, target: Target, since: datetime) -> list[Own]:
        """Our messages of the conversation, from `since` on, all pages."""
        found: list[Own] = []
        cursor: str | None = None
        while True:
            page = await self._call("list", **_place(target), since=since.timestamp(), cursor=cursor)
            found += [
                Own(message["id"], datetime.fromtimestamp(message["created_at"], UTC))
                for message in page["messages"]
                if message["own"]
            ]
            cursor = page["cursor"]
            if cursor is None:
                return found

    async def status(self, target: Target) -> None:
        """Show that somebody is typing."""
        await self._call("status", **_place(target))

    async def _create(
        self, method: str, target: Target, text: str, buttons: tuple[str, ...], metadata: Metadata
    ) -> str:
        # `mentions=False`: what a model writes must not ring anybody's phone.
        answer = await self._call(
            method, **_place(target), text=text, buttons=buttons, metadata=metadata, mentions=False
        )
        return str(answer["message"])

    async def _call(self, method: str, **body: Any) -> dict[str, Any]:
        if self._session is None:
            self._session = aiohttp.ClientSession(headers=self._headers, timeout=self._timeout)
        try:
            async with self._session.post(f"{self._base_url}/api/{method}", json=body) as response:
                if response.status == 429:
                    raise RetryLater(float(response.headers["Retry-After"]))
                if response.status >= 500:
                    raise Ambiguous(f"{method}: status {response.status}")
                answer: dict[str, Any] = await response.json()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            # Nothing was sent.
            raise RetryLater(_UNREACHABLE) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Ambiguous(f"{method}: {type(error).__name__}") from error
        if answer["ok"]:
            return answer
        if answer["error"] == _INTERNAL:
            raise Ambiguous(f"{method}: {_INTERNAL}")
        raise Refused(answer["error"])


def _place(target: Target) -> dict[str, Any]:
    return {"workspace": target.workspace, "channel": target.channel, "thread": target.thread}
