"""Gives somebody a file in private: an export must not stand in a channel."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from adapters.slack.connection.api import CALL_TIMEOUT_S, UNREACHABLE_S, SlackApi
from adapters.slack.hearing.parse import is_direct
from bot.messages import Target
from bot.posting import Ambiguous, Refused, RetryLater

#: Hosts that Slack has files uploaded to (docs.slack.dev, files.getUploadURLExternal).
_FILE_HOSTS: Final = frozenset({"files.slack.com"})
#: Seconds for the bytes of one file.
_UPLOAD_S: Final = 4 * CALL_TIMEOUT_S


async def send_file(
    api: SlackApi, user: str, name: str, content: bytes, note: str, *, api_url: str, place: Target | None = None
) -> None:
    """Put a file into the direct messages of this person, with a note above it in Slack's markup; into the thread
    `place`, where that is one of these messages already.

    It asks Slack patiently, so it is not for the writer of a reply. Raises `Refused`, `RetryLater` and `Ambiguous`;
    after the latter the file may be there. `api_url` is where the Web API is: where that isn't Slack, as in tests, the
    same host takes the files.
    """
    if not content:
        raise Refused("empty_file")
    if place is not None and is_direct({"channel": place.channel}):
        where: dict[str, Any] = {"channel_id": place.channel, "thread_ts": place.thread}
    else:
        opened = await api.call_patiently("conversations.open", users=user)
        where = {"channel_id": opened["channel"]["id"]}
    ticket = await api.call_patiently("files.getUploadURLExternal", filename=name, length=len(content))
    await upload(api, str(ticket["upload_url"]), content, api_url)
    await api.call_patiently(
        "files.completeUploadExternal",
        files=[{"id": ticket["file_id"], "title": name}],
        initial_comment=note,
        **where,
    )


async def upload(api: SlackApi, url: str, content: bytes, api_url: str, *, most_s: float = _UPLOAD_S) -> None:
    """The bytes alone, without a token: the address is the permission. Once; raises as `send_file` does."""
    parts, home = urlsplit(url), urlsplit(api_url)
    if (parts.scheme, parts.netloc) != (home.scheme, home.netloc) and (
        parts.scheme != "https" or parts.hostname not in _FILE_HOSTS
    ):
        raise Refused("unsafe_upload")
    timeout = aiohttp.ClientTimeout(total=most_s)
    try:
        async with api.session.post(
            url, data=content, proxy=api.proxy, timeout=timeout, allow_redirects=False
        ) as response:
            if response.status == 429:
                raise RetryLater(UNREACHABLE_S)
            if response.status >= 500:
                raise Ambiguous(f"upload: status {response.status}")
            if response.status != 200:
                raise Refused(f"status_{response.status}")
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise RetryLater(UNREACHABLE_S) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise Ambiguous(f"upload: {type(error).__name__}") from error
