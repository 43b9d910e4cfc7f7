"""Files that people attach, read from a platform's file hosts. Which hosts those are, what may be sent to them and what
their refusals mean is the platform's own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final
from urllib.parse import SplitResult

import aiohttp

from bot.posting import Ambiguous, Refused, RetryLater

#: Seconds for one file.
FILE_S: Final = 60.0
#: Schemes of addresses of the web, with their ports.
PORTS: Final = {"https": 443, "http": 80}
#: Bytes read at once.
_PIECE: Final = 64 * 1024
#: Seconds to wait after a 429 without a readable time.
_LATER_S: Final = 1.0


def origin(url: SplitResult) -> str:
    """Scheme, host and port. The scheme must be one of the web's."""
    return f"{url.scheme}://{url.hostname}:{url.port or PORTS[url.scheme]}"


@contextlib.contextmanager
def told(unreachable_s: float) -> Iterator[None]:
    """What goes wrong with a request inside, in the words of `bot.posting`. `unreachable_s`: seconds until the next try
    where there was no connection.
    """
    try:
        yield
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise RetryLater(unreachable_s) from error
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, ValueError) as error:
        raise Refused("invalid_address") from error
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Ambiguous(f"file: {type(error).__name__}") from error


def check_load(response: aiohttp.ClientResponse) -> None:
    """Raise where the host may give the file another time."""
    if response.status == 429:
        raise RetryLater(_retry_after(response))
    if response.status >= 500:
        raise Ambiguous(f"file: status {response.status}")


async def content_of(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The bytes. Raises `Refused` with "too_large" beyond `most`, however long the host said that they were."""
    if (response.content_length or 0) > most:
        raise Refused("too_large")
    got = bytearray()
    async for piece in response.content.iter_chunked(_PIECE):
        got += piece
        if len(got) > most:
            raise Refused("too_large")
    return bytes(got)


def _retry_after(response: aiohttp.ClientResponse) -> float:
    try:
        return max(0.0, float(response.headers.get("Retry-After") or _LATER_S))
    except ValueError:
        # A date.
        return _LATER_S
