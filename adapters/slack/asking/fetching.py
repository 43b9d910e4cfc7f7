"""Files that people attach, fetched from where Slack keeps them. The bot's token goes to Slack's file hosts alone."""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

import aiohttp

from adapters.chat.downloading import FILE_S, PORTS, check_load, content_of, origin, told
from adapters.slack.connection.api import CALL_TIMEOUT_S, UNREACHABLE_S, SlackApi
from adapters.slack.hearing.parse import EXTERNAL
from bot.messages import Attachment
from bot.posting import Refused
from bot.settings.slack import SLACK_API

#: Hosts that are Slack's; a leading dot: with all below it.
_HOSTS: Final = ("files.slack.com", ".slack.com", "slack-files.com", ".slack-files.com")
_REDIRECTS: Final = 5
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
#: Slack's refusals by status. Without files:read it sends to its sign-in page instead.
_STATUS: Final = {401: "not_allowed", 403: "not_allowed", 404: "file_not_found", 410: "file_deleted"}


class Files:
    """Fetches; holds nothing."""

    def __init__(self, api_url: str) -> None:
        """`api_url`: where the Web API is. Where that isn't Slack, as in tests, the same origin serves the files."""
        self._origin = None if _split(api_url).hostname == _split(SLACK_API).hostname else origin(_split(api_url))

    async def fetch(self, api: SlackApi, attachment: Attachment, most: int) -> bytes:
        """The file's bytes. Raises `RetryLater`, `Ambiguous`, and `Refused`: "too_large" beyond `most` bytes,
        "not_allowed" without files:read.
        """
        if attachment.source == EXTERNAL:
            raise Refused("external_file")
        address = attachment.source or await self._look_up(api, attachment)
        token = api.token
        for _ in range(_REDIRECTS + 1):
            url = _split(address)
            if not self._is_slacks(url):
                token = ""
                if url.scheme != "https" and self._origin is None:
                    raise Refused("unsafe_redirect")
            got = await self._get(api, address, token, attachment, most)
            if isinstance(got, bytes):
                return got
            address = got
        raise Refused("too_many_redirects")

    async def _look_up(self, api: SlackApi, attachment: Attachment) -> str:
        """Where a file is; in shared channels messages carry its id alone."""
        answer = await api.call("files.info", file=attachment.id)
        file = answer.get("file") or {}
        if file.get("is_external"):
            raise Refused("external_file")
        if int(file.get("size") or 0) < 0 or not (file.get("url_private_download") or file.get("url_private")):
            raise Refused("file_not_found")
        return str(file.get("url_private_download") or file["url_private"])

    async def _get(self, api: SlackApi, address: str, token: str, attachment: Attachment, most: int) -> bytes | str:
        """The bytes, or where they are instead."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        timeout = aiohttp.ClientTimeout(total=FILE_S, sock_read=CALL_TIMEOUT_S)
        with told(UNREACHABLE_S):
            async with api.session.get(
                address, headers=headers, allow_redirects=False, timeout=timeout, proxy=api.proxy
            ) as response:
                if response.status in _MOVED:
                    return urljoin(address, response.headers.get("Location", ""))
                check_load(response)
                if response.status != 200:
                    raise Refused(_STATUS.get(response.status, f"status_{response.status}"))
                if _is_sign_in(response, attachment):
                    raise Refused("not_allowed")
                return await content_of(response, most)

    def _is_slacks(self, url: SplitResult) -> bool:
        """Whether the token may go there."""
        if self._origin is not None:
            return origin(url) == self._origin
        host = url.hostname or ""
        # A port of its own may be somebody else's server.
        return origin(url) == f"https://{host}:443" and any(
            host.endswith(name) if name.startswith(".") else host == name for name in _HOSTS
        )


def _split(address: str) -> SplitResult:
    """The parts of an address of the web."""
    try:
        url = urlsplit(address)
        if url.scheme not in PORTS or not url.hostname or url.port == 0:
            raise Refused("invalid_address")
    except ValueError as error:
        raise Refused("invalid_address") from error
    return url


def _is_sign_in(response: aiohttp.ClientResponse, attachment: Attachment) -> bool:
    """A page where something else was attached: Slack's sign-in, which comes with status 200. An attached page comes as
    a download, with its name.
    """
    if response.content_type != "text/html":
        return False
    return "html" not in attachment.media_type and "attachment" not in response.headers.get("Content-Disposition", "")
