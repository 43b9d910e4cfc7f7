"""Files of Discord, fetched over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.discord.asking.fetching import Files
from bot.messages import Attachment
from bot.posting import Ambiguous, Refused, RetryLater

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Cdn:
    """A file host whose addresses are good as long as their signature is the current one."""

    def __init__(self) -> None:
        self.signature = "1"
        self.asked: list[str] = []
        self.answer: Handler = self._file
        self.message: dict[str, Any] | None = None
        app = web.Application()
        app.router.add_get("/{path:.*}", self._serve)
        self.server = TestServer(app)

    def url(self, signature: str = "1", name: str = "a.txt") -> str:
        return f"http://127.0.0.1:{self.server.port}/attachments/1/2/{name}?hm={signature}"

    async def call(self, method: str, path: str, **more: Any) -> Any:
        self.asked.append(f"{method} {path} {more}")
        if self.message is None:
            raise Refused("10008")
        return self.message

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(str(request.url))
        return await self.answer(request)

    async def _file(self, request: web.Request) -> web.Response:
        if request.query["hm"] != self.signature:
            return web.Response(status=404, text="This content is no longer available.")
        return web.Response(body=b"content")


@pytest.fixture
async def cdn() -> AsyncIterator[Cdn]:
    found = Cdn()
    await found.server.start_server()
    yield found
    await found.server.close()


@pytest.fixture
async def files(cdn: Cdn) -> AsyncIterator[Files]:
    found = Files(cdn, f"http://127.0.0.1:{cdn.server.port}/api/v10")
    yield found
    await found.close()


def attachment(source: str) -> Attachment:
    return Attachment("2", "a.txt", "text/plain", 7, source)


async def test_a_file_is_fetched_from_its_signed_address(cdn: Cdn, files: Files) -> None:
    assert await files.fetch(attachment(f"5/6 {cdn.url()}"), 100) == b"content"
    assert len(cdn.asked) == 1


async def test_an_expired_address_is_renewed_through_its_message(cdn: Cdn, files: Files) -> None:
    cdn.signature = "2"
    cdn.message = {"id": "6", "attachments": [{"id": "1", "url": "x"}, {"id": "2", "url": cdn.url("2")}]}
    assert await files.fetch(attachment(f"5/6 {cdn.url('1')}"), 100) == b"content"
    assert any("'channel_id': '5', 'message_id': '6'" in one for one in cdn.asked)


async def test_a_forwarded_file_is_renewed_through_the_message_that_forwards_it(cdn: Cdn, files: Files) -> None:
    cdn.signature = "2"
    cdn.message = {"id": "6", "message_snapshots": [{"message": {"attachments": [{"id": "2", "url": cdn.url("2")}]}}]}
    assert await files.fetch(attachment(f"5/6 {cdn.url('1')}"), 100) == b"content"


async def test_a_file_whose_renewed_address_is_no_good_either_is_gone(cdn: Cdn, files: Files) -> None:
    cdn.signature = "2"
    cdn.message = {"id": "6", "attachments": [{"id": "2", "url": cdn.url("1")}]}
    with pytest.raises(Refused, match="file_not_found"):
        await files.fetch(attachment(f"5/6 {cdn.url('1')}"), 100)
    assert len(cdn.asked) == 3


async def test_a_file_that_was_taken_out_of_its_message_is_gone(cdn: Cdn, files: Files) -> None:
    cdn.signature = "2"
    cdn.message = {"id": "6", "attachments": []}
    with pytest.raises(Refused, match="file_not_found"):
        await files.fetch(attachment(f"5/6 {cdn.url('1')}"), 100)


async def test_a_file_whose_message_is_gone_is_refused(cdn: Cdn, files: Files) -> None:
    cdn.signature = "2"
    with pytest.raises(Refused, match="10008"):
        await files.fetch(attachment(f"5/6 {cdn.url('1')}"), 100)


@pytest.mark.parametrize("chunked", [False, True])
async def test_more_than_may_be_is_refused_whether_the_size_is_told_or_not(
    cdn: Cdn, files: Files, *, chunked: bool
) -> None:
    async def large(request: web.Request) -> web.StreamResponse:
        if not chunked:
            return web.Response(body=b"x" * 1000)
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(b"x" * 1000)
        return response

    cdn.answer = large
    with pytest.raises(Refused, match="too_large"):
        await files.fetch(attachment(f"5/6 {cdn.url()}"), 999)
    assert len(await files.fetch(attachment(f"5/6 {cdn.url()}"), 1000)) == 1000


async def test_nobody_is_followed_elsewhere(cdn: Cdn, files: Files) -> None:
    async def moved(_: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("http://127.0.0.1:1/")

    cdn.answer = moved
    with pytest.raises(Refused, match="unsafe_redirect"):
        await files.fetch(attachment(f"5/6 {cdn.url()}"), 100)


@pytest.mark.parametrize(
    ("status", "raised"), [(500, Ambiguous), (503, Ambiguous), (429, RetryLater), (400, Refused), (416, Refused)]
)
async def test_failures_have_their_meaning(cdn: Cdn, files: Files, status: int, raised: type[Exception]) -> None:
    async def failing(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={"Retry-After": "3"})

    cdn.answer = failing
    with pytest.raises(raised):
        await files.fetch(attachment(f"5/6 {cdn.url()}"), 100)


async def test_without_a_connection_it_is_tried_later(cdn: Cdn, files: Files) -> None:
    address = cdn.url()
    await cdn.server.close()
    with pytest.raises(RetryLater):
        await files.fetch(attachment(f"5/6 {address}"), 100)


async def test_a_file_host_that_stops_in_the_middle_leaves_the_file_open(cdn: Cdn, files: Files) -> None:
    async def broken(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.close()
        return response

    cdn.answer = broken
    with pytest.raises(Ambiguous):
        await files.fetch(attachment(f"5/6 {cdn.url()}"), 1000)


class Silent:
    """A REST API that nobody may call."""

    async def call(self, method: str, path: str, **more: Any) -> Any:
        raise AssertionError(path)


REAL = Files(Silent(), "https://discord.com/api/v10")


@pytest.mark.parametrize(
    "address",
    [
        "https://cdn.discordapp.com/attachments/1/2/a.txt?ex=1&is=1&hm=1&",
        "https://media.discordapp.net/attachments/1/2/a.png",
        "https://CDN.discordapp.com:443/attachments/1/2/a.txt",
    ],
)
def test_discord_s_file_hosts_are_asked(address: str) -> None:
    assert REAL._is_discord_s(address)


@pytest.mark.parametrize(
    "address",
    [
        "http://cdn.discordapp.com/attachments/1/2/a.txt",
        "https://cdn.discordapp.com.evil.example/a.txt",
        "https://evil.example/cdn.discordapp.com",
        "https://cdn.discordapp.com:8443/a.txt",
        "https://cdn.discordapp.com@evil.example/a.txt",
        "https://user:pass@cdn.discordapp.com/a.txt",
        "https://discord.com/api/v10/users/@me",
        "http://127.0.0.1:4900/a.txt",
        "file:///etc/passwd",
        "https://[",
    ],
)
async def test_nobody_else_is(address: str) -> None:
    assert not REAL._is_discord_s(address)
    with pytest.raises(Refused):
        await REAL.fetch(attachment(f"5/6 {address}"), 100)


def test_in_tests_the_fake_alone_is_asked() -> None:
    fake = Files(Silent(), "http://127.0.0.1:4900/api/v10")
    assert fake._is_discord_s("http://127.0.0.1:4900/files/a.txt")
    assert not fake._is_discord_s("http://127.0.0.1:4901/files/a.txt")
    assert not fake._is_discord_s("https://cdn.discordapp.com/a.txt")
