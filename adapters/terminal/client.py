"""A client of the server's JSON API (its description: /api/openapi.json)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from pydantic import BaseModel, ValidationError

from adapters.terminal import chat_shapes as shapes
from agent.language import Lang

#: Seconds for one request; the server answers in milliseconds unless its machine is overloaded.
_REQUEST_S = 30.0
#: The server writes at least every 15 s: a stream this long silent is dead, whatever the socket says.
_SILENCE_S = 40.0
#: Bytes of one line of the event stream: a picture of a long answer is one line.
_LONGEST_LINE = 1 << 24

M = TypeVar("M", bound=BaseModel)


class Away(Exception):
    """The server doesn't answer: it is not there, going down, or something else listens at its address."""


class Refused(Exception):
    """The server said no."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        #: One sentence for people, in the language that was asked for.
        self.message = message


class Client:
    """One server, one person."""

    def __init__(self, session: ClientSession, url: str, token: str | None, lang: Lang) -> None:
        self._session = session
        self._base = url.rstrip("/") + "/api/v1"
        # The second header is what tells programs from web pages of other sites; see bot.web.access.
        self._headers = {"Accept-Language": lang, "X-Kagentbot": "1"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    async def info(self) -> shapes.Info:
        return _read(shapes.Info, await self.call("GET", "/info"))

    async def post(self, text: str, conversation: str | None, message_id: UUID, model: str = "") -> shapes.Posted:
        """Send a message; sent again with the same id, it is the same message.

        A conversation that begins with it asks `model` first.
        """
        body = {"conversation": conversation, "message_id": str(message_id), "text": text}
        if conversation is None and model:
            body["model"] = model
        return _read(shapes.Posted, await self.call("POST", "/messages", body))

    async def turn(self, turn_id: int) -> shapes.Turn:
        return _read(shapes.Turn, await self.call("GET", f"/turns/{turn_id}"))

    async def conversations(self, limit: int, find: str = "") -> tuple[shapes.Conversation, ...]:
        """The newest ones, or the newest of those with this text in them."""
        query = {"limit": str(limit)} | ({"q": find} if find else {})
        found = await self.call("GET", "/conversations", query=query)
        return _read(shapes.ConversationList, found).conversations

    async def conversation(self, key: str, limit: int) -> shapes.ConversationPage:
        found = await self.call("GET", f"/conversations/{key}", query={"limit": str(limit)})
        return _read(shapes.ConversationPage, found)

    async def stop(self, turn_id: int) -> bool:
        """Ask to stop; False if the turn was over already."""
        return bool((await self.call("POST", f"/turns/{turn_id}/stop"))["stopping"])

    async def retry(self, turn_id: int) -> int:
        """Answer a failed or stopped turn again; the new turn."""
        return int((await self.call("POST", f"/turns/{turn_id}/retry"))["turn_id"])

    async def rate(self, turn_id: int, value: int) -> None:
        await self.call("POST", f"/turns/{turn_id}/feedback", {"value": value})

    async def decide(self, turn_id: int, key: str, allow: bool) -> None:
        await self.call("POST", f"/turns/{turn_id}/consent", {"key": key, "allow": allow})

    async def trace(self, turn_id: int) -> shapes.Trace:
        """How an answer came about."""
        return _read(shapes.Trace, await self.call("GET", f"/turns/{turn_id}/trace"))

    async def endpoints(self) -> tuple[shapes.Endpoint, ...]:
        """What answers, or could."""
        return _read(shapes.Endpoints, await self.call("GET", "/endpoints")).endpoints

    async def profile(self, conversation: str | None) -> tuple[shapes.Value, ...]:
        """What holds in a conversation, or in a new one."""
        query = {"conversation": conversation} if conversation else None
        return _read(shapes.Profile, await self.call("GET", "/profile", query=query)).values

    async def own_profile(self, conversation: str) -> shapes.ScopeProfile:
        """What is set for this conversation alone."""
        found = await self.call("GET", "/profile/channel", query={"conversation": conversation})
        return _read(shapes.ScopeProfile, found)

    async def save_profile(self, conversation: str, values: Mapping[str, Any], based_on: int) -> shapes.ScopeProfile:
        """Set this for this conversation, and nothing else."""
        body = {"values": values, "based_on": based_on}
        found = await self.call("PUT", "/profile/channel", body, {"conversation": conversation})
        return _read(shapes.ScopeProfile, found)

    async def export(self, key: str, kind: str) -> bytes:
        """The conversation as a file; `kind` is `markdown` or `json`."""
        async with self._request("GET", f"/conversations/{key}/export", query={"format": kind}) as response:
            return await response.read()

    @asynccontextmanager
    async def pictures(self, key: str) -> AsyncIterator[AsyncIterator[shapes.Turn]]:
        """The turns of a conversation as they change, from now on until the stream ends."""
        timeout = ClientTimeout(total=None, connect=_REQUEST_S, sock_read=_SILENCE_S)
        async with self._request("GET", f"/conversations/{key}/events", timeout=timeout) as response:
            yield _turns(response)

    async def call(self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None) -> Any:
        """The JSON of a good answer; {} for an empty one. Raises `Away` or `Refused`."""
        async with self._request(method, path, body, query) as response:
            raw = await response.read()
        return _json(raw) if raw else {}

    @asynccontextmanager
    async def _request(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        timeout: ClientTimeout | None = None,
    ) -> AsyncIterator[ClientResponse]:
        timeout = timeout or ClientTimeout(total=_REQUEST_S)
        more: dict[str, Any] = {"params": query, "headers": self._headers, "timeout": timeout, "allow_redirects": False}
        if body is not None:
            more["json"] = body
        try:
            async with self._session.request(method, self._base + path, read_bufsize=_LONGEST_LINE, **more) as response:
                if response.status >= 300:
                    raise _refusal(response.status, await response.read())
                yield response
        except (ClientError, TimeoutError, ConnectionError) as error:
            raise Away(str(error) or type(error).__name__) from error


def _refusal(status: int, raw: bytes) -> Exception:
    # 502 to 504 is a proxy whose server has gone, or a server that is going.
    if status in (502, 503, 504):
        return Away(f"HTTP {status}")
    try:
        error = json.loads(raw)["error"]
        return Refused(status, str(error["code"]), str(error["message"]))
    except (ValueError, TypeError, KeyError):
        return Away(f"HTTP {status}")


async def _turns(response: ClientResponse) -> AsyncIterator[shapes.Turn]:
    """The `turn` events of a text/event-stream (WHATWG HTML, section 9.2.6)."""
    event, data = "", b""
    async for raw in response.content:
        line = raw.rstrip(b"\r\n")
        if line.startswith(b"event:"):
            event = line[6:].strip().decode(errors="replace")
        elif line.startswith(b"data:"):
            data += line[5:].lstrip(b" ")
        elif not line:
            if event == "turn" and data:
                yield _read(shapes.Turn, _json(data))
            event, data = "", b""


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        raise Away("no JSON") from None


def _read(model: type[M], found: Any) -> M:
    try:
        return model.model_validate(found)
    except ValidationError:
        raise Away("not the API of kagentbot") from None


async def pause(attempt: int) -> None:
    """Wait before attempt number `attempt` (from 0) to reach a server that has gone: 0.1 s, growing to 2 s."""
    await asyncio.sleep(min(0.1 * 1.5**attempt, 2.0))
