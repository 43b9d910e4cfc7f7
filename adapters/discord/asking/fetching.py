"""Files that people attach, fetched from where Discord keeps them: at signed addresses that expire within a day."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from adapters.chat.downloading import FILE_S, PORTS, check_load, content_of, origin, told
from adapters.discord.connection.calls import Calls
from bot.messages import Attachment
from bot.posting import Refused

#: Where Discord serves attachments from.
_HOSTS: Final = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
#: Where the REST API is.
_API_HOST: Final = "discord.com"
#: Seconds without a byte of a file.
_SILENT_S: Final = 10.0
#: Seconds until the next try where no connection could be made.
_UNREACHABLE_S: Final = 2.0
#: What an address that has expired is answered with; the same as one that never was.
_EXPIRED: Final = frozenset({401, 403, 404, 410})


class Files:
    """Fetches. `close` once."""

    def __init__(self, rest: Calls, api_url: str = "", *, proxy: str | None = None) -> None:
        """`api_url`: where the REST API is. Where that isn't Discord, as in tests, the same origin serves the files.

        `proxy`: through which Discord's hosts are reached.
        """
        self._rest = rest
        self._proxy = proxy
        api = urlsplit(api_url)
        self._origin = None if not api_url or (api.hostname or "") == _API_HOST else origin(api)
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self, attachment: Attachment, most: int) -> bytes:
        """The file's bytes. Raises `RetryLater`, `Ambiguous`, and `Refused`: "too_large" beyond `most` bytes,
        "file_not_found" where it or its message is gone.
        """
        where, _, address = attachment.source.partition(" ")
        if address:
            got = await self._get(address, most)
            if got is not None:
                return got
        address = await self._new_address(where, attachment.id)
        got = await self._get(address, most)
        if got is None:
            raise Refused("file_not_found")
        return got

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _new_address(self, where: str, attachment_id: str) -> str:
        """A file's address as its message has it now, signed anew."""
        channel, _, message_id = where.partition("/")
        if not (channel.isdecimal() and message_id.isdecimal()):
            raise Refused("file_not_found")
        path = "/channels/{channel_id}/messages/{message_id}"
        message = await self._rest.call("GET", path, channel_id=channel, message_id=message_id)
        for file in _files(message):
            if str(file.get("id")) == attachment_id and file.get("url"):
                return str(file["url"])
        raise Refused("file_not_found")

    async def _get(self, address: str, most: int) -> bytes | None:
        """The bytes; None where the address is good for nothing any more."""
        if not self._is_discord_s(address):
            raise Refused("invalid_address")
        timeout = aiohttp.ClientTimeout(total=FILE_S, sock_read=_SILENT_S)
        with told(_UNREACHABLE_S):
            async with self._opened().get(
                address, allow_redirects=False, timeout=timeout, proxy=self._proxy
            ) as response:
                if response.status in _EXPIRED:
                    return None
                check_load(response)
                if 300 <= response.status < 400:
                    # Discord's file hosts send nobody elsewhere.
                    raise Refused("unsafe_redirect")
                if response.status != 200:
                    raise Refused(f"status_{response.status}")
                return await content_of(response, most)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(loop=asyncio.get_running_loop())
        return self._session

    def _is_discord_s(self, address: str) -> bool:
        """Whether an address is one of those that Discord gives."""
        try:
            url = urlsplit(address)
            if url.scheme not in PORTS or not url.hostname or url.port == 0 or url.username is not None:
                return False
        except ValueError:
            return False
        if self._origin is not None:
            return origin(url) == self._origin
        # A port of its own may be somebody else's server.
        return url.hostname in _HOSTS and origin(url) == f"https://{url.hostname}:443"


def _files(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A message's files, with those of the messages that it forwards."""
    bodies = [message, *((one.get("message") or {}) for one in message.get("message_snapshots") or ())]
    return [file for body in bodies for file in body.get("attachments") or ()]
