"""The HTTP server over real sockets: who may come in, what every answer carries, health, ports, shutdown."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from typing import Any

import pytest
from aiohttp import ClientSession, CookieJar, web

from bot.ports import Health
from bot.web.access import ATTEMPTS_PER_ADDRESS, COOKIE
from bot.web.health import Check
from bot.web.listen import PORTS_TO_TRY, ListenError, listen
from bot.web.server import WebOptions, WebServer

TOKEN = "correct horse battery staple"


def routes() -> web.RouteTableDef:
    """Something under /api/, something beside it, and handlers that go wrong."""
    table = web.RouteTableDef()

    @table.get("/api/thing")
    @table.post("/api/thing")
    async def thing(request: web.Request) -> web.Response:
        await request.read()
        return web.json_response({"done": request.method})

    @table.get("/api/wrong")
    async def wrong(_request: web.Request) -> web.Response:
        raise RuntimeError("the password is 1234")

    @table.get("/page")
    async def page(_request: web.Request) -> web.Response:
        return web.Response(text="<p>page</p>", content_type="text/html")

    return table


@asynccontextmanager
async def serving(*checks: Check, **options: Any) -> AsyncIterator[ClientSession]:
    """A server, and a client that sends nothing of its own accord."""
    server = WebServer(WebOptions(port=0, **options), [routes()], checks)
    address = await server.start()
    # A browser's cookie jar; by default one ignores cookies of bare addresses.
    async with ClientSession(f"http://127.0.0.1:{address.port}", cookie_jar=CookieJar(unsafe=True)) as session:
        yield session
    await server.stop()


async def ask(session: ClientSession, method: str, path: str, **more: Any) -> tuple[int, str]:
    """Status and error code ("" for none)."""
    async with session.request(method, path, **more) as response:
        if response.content_type != "application/json":
            return response.status, ""
        found = await response.json()
        return response.status, found.get("error", {}).get("code", "") if isinstance(found, dict) else ""


PAGE = {"X-Kagentbot": "1"}


async def test_on_loopback_no_token_is_needed() -> None:
    async with serving() as session:
        assert await ask(session, "GET", "/api/thing") == (200, "")
        assert await ask(session, "POST", "/api/thing", headers=PAGE) == (200, "")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_a_change_needs_the_pages_header(method: str) -> None:
    async with serving() as session:
        assert await ask(session, method, "/api/thing") == (403, "header_missing")
        assert await ask(session, method, "/api/thing", headers={"X-Kagentbot": "0"}) == (403, "header_missing")


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_request_from_another_site_is_refused(site: str, method: str) -> None:
    async with serving() as session:
        headers = {**PAGE, "Sec-Fetch-Site": site}
        assert await ask(session, method, "/api/thing", headers=headers) == (403, "cross_site")


@pytest.mark.parametrize("site", ["same-origin", "none"])
async def test_a_request_from_our_own_page_is_taken(site: str) -> None:
    async with serving() as session:
        origin = str(session._base_url).rstrip("/")
        headers = {**PAGE, "Sec-Fetch-Site": site, "Origin": origin}
        assert await ask(session, "POST", "/api/thing", headers=headers) == (200, "")


@pytest.mark.parametrize(
    "origin", ["null", "http://evil.example", "http://127.0.0.1:1", "https://localhost", "file://", ""]
)
async def test_a_change_from_another_origin_is_refused(origin: str) -> None:
    async with serving() as session:
        headers = {**PAGE, "Origin": origin}
        assert await ask(session, "POST", "/api/thing", headers=headers) == (403, "cross_site")


async def test_a_preflight_is_never_granted() -> None:
    async with serving() as session:
        headers = {
            "Origin": "http://evil.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-kagentbot",
        }
        async with session.options("/api/thing", headers=headers) as response:
            assert response.status == 405
            assert not [name for name in response.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example"]
)
async def test_a_rebound_name_is_refused_everywhere(host: str) -> None:
    async with serving() as session:
        for path in ("/api/thing", "/page", "/healthz", "/login"):
            assert await ask(session, "GET", path, headers={"Host": host}) == (403, "wrong_host")


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "kagentbot.localhost", "127.0.0.1", "[::1]:8000", "10.0.0.7"]
)
async def test_names_that_can_not_be_rebound_are_taken(host: str) -> None:
    async with serving() as session:
        assert await ask(session, "GET", "/api/thing", headers={"Host": host}) == (200, "")


async def test_a_request_without_a_host_is_refused() -> None:
    async with serving() as session:
        port = session._base_url.port  # type: ignore[union-attr]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /api/thing HTTP/1.0\r\n\r\n")
        answer = await reader.read()
        writer.close()
    assert answer.startswith(b"HTTP/1.0 400")
    assert b"no_host" in answer


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
async def test_a_proxy_in_front_of_a_server_without_a_token_is_refused(header: str) -> None:
    async with serving() as session:
        assert await ask(session, "GET", "/api/thing", headers={header: "1.2.3.4"}) == (403, "token_not_set")


async def test_configured_host_names_are_taken_and_demand_a_token() -> None:
    async with serving(hosts=("chat.example",)) as session:
        assert await ask(session, "GET", "/page", headers={"Host": "chat.example"}) == (200, "")
        assert await ask(session, "GET", "/page", headers={"Host": "other.example"}) == (403, "wrong_host")
        assert await ask(session, "GET", "/api/thing", headers={"Host": "chat.example"}) == (401, "token_needed")


async def test_with_a_token_nothing_under_api_is_answered_without_it() -> None:
    async with serving(token=TOKEN) as session:
        assert await ask(session, "GET", "/api/thing") == (401, "token_needed")
        assert await ask(session, "GET", "/api/unknown") == (401, "token_needed")
        assert await ask(session, "POST", "/api/thing", headers=PAGE) == (401, "token_needed")
        for wrong in ("Bearer", "Bearer x", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", TOKEN):
            headers = {"Authorization": wrong}
            assert await ask(session, "GET", "/api/thing", headers=headers) == (401, "token_needed")


async def test_with_a_token_the_page_itself_is_open() -> None:
    async with serving(token=TOKEN) as session:
        assert await ask(session, "GET", "/page") == (200, "")
        assert await ask(session, "GET", "/healthz") == (200, "")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
async def test_a_program_shows_the_token_in_a_header(scheme: str) -> None:
    async with serving(token=TOKEN) as session:
        headers = {**PAGE, "Authorization": f"{scheme} {TOKEN}"}
        assert await ask(session, "POST", "/api/thing", headers=headers) == (200, "")


async def test_a_browser_shows_the_token_once_and_a_cookie_from_then_on() -> None:
    async with serving(token=TOKEN) as session:
        async with session.post("/login", json={"token": TOKEN}, headers=PAGE) as response:
            assert response.status == 204
            cookie = response.cookies[COOKIE]
        assert await ask(session, "GET", "/api/thing") == (200, "")
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Strict")
    assert TOKEN not in cookie.value
    assert not cookie["secure"]


async def test_the_cookie_is_for_https_alone_where_it_was_set_over_https() -> None:
    async with serving(token=TOKEN) as session:
        headers = {**PAGE, "X-Forwarded-Proto": "https"}
        async with session.post("/login", json={"token": TOKEN}, headers=headers) as response:
            assert response.cookies[COOKIE]["secure"]


async def test_a_cookie_of_another_token_is_worth_nothing() -> None:
    async with (
        serving(token="another") as other,
        other.post("/login", json={"token": "another"}, headers=PAGE) as response,
    ):
        cookie = response.cookies[COOKIE].value
    async with serving(token=TOKEN) as session:
        headers = {"Cookie": f"{COOKIE}={cookie}"}
        assert await ask(session, "GET", "/api/thing", headers=headers) == (401, "token_needed")


@pytest.mark.parametrize(
    "header", [b"Host: \xff.example", b"Cookie: kagentbot_session=\xff", b"Authorization: Bearer \xff"]
)
async def test_bytes_that_are_no_text_are_refused_like_any_other(header: bytes) -> None:
    async with serving(token=TOKEN, hosts=("a.example",)) as session:
        port = session._base_url.port  # type: ignore[union-attr]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        host = b"" if header.startswith(b"Host") else b"Host: a.example\r\n"
        writer.write(b"GET /api/thing HTTP/1.1\r\nConnection: close\r\n" + host + header + b"\r\n\r\n")
        answer = await reader.read()
        writer.close()
    assert answer.split()[1] in (b"400", b"401", b"403")
    assert b"Traceback" not in answer


async def test_guessing_tokens_is_cut_off() -> None:
    async with serving(token=TOKEN) as session:
        async with session.post("/login", json={"token": TOKEN}, headers=PAGE) as response:
            signed_in = {"Cookie": f"{COOKIE}={response.cookies[COOKIE].value}"}
        session.cookie_jar.clear()
        for number in range(ATTEMPTS_PER_ADDRESS):
            status = await ask(session, "POST", "/login", json={"token": f"guess {number}"}, headers=PAGE)
            assert status == (401, "token_wrong")
        # From here on not even the right one is looked at; who is signed in goes on.
        blocked = await ask(session, "POST", "/login", json={"token": TOKEN}, headers=PAGE)
        bearer = await ask(session, "GET", "/api/thing", headers={"Authorization": f"Bearer {TOKEN}"})
        cookie = await ask(session, "GET", "/api/thing", headers=signed_in)
    assert blocked == (429, "too_many_attempts")
    assert bearer == (429, "too_many_attempts")
    assert cookie == (200, "")


async def test_signing_in_is_protected_from_other_sites_too() -> None:
    async with serving(token=TOKEN) as session:
        body = {"token": TOKEN}
        assert await ask(session, "POST", "/login", json=body) == (403, "header_missing")
        headers = {**PAGE, "Sec-Fetch-Site": "cross-site"}
        assert await ask(session, "POST", "/login", json=body, headers=headers) == (403, "cross_site")


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b'{"token": 5}', b'{"token": "\xff"}', b'{"token": "\\ud800"}'])
async def test_a_login_that_makes_no_sense_is_one_sentence(body: bytes) -> None:
    async with serving(token=TOKEN) as session:
        assert await ask(session, "POST", "/login", data=body, headers=PAGE) == (400, "not_json")


async def test_a_token_in_other_letters_is_compared_without_a_fault() -> None:
    async with serving(token="令牌 with spaces") as session:
        assert await ask(session, "POST", "/login", json={"token": "错误"}, headers=PAGE) == (401, "token_wrong")
        assert await ask(session, "POST", "/login", json={"token": "令牌 with spaces"}, headers=PAGE) == (204, "")


async def test_beyond_loopback_a_token_is_made() -> None:
    server = WebServer(WebOptions(host="0.0.0.0", port=0), [routes()], make_token=lambda: "made up")
    address = await server.start()
    async with ClientSession(address.url) as session:
        assert await ask(session, "GET", "/api/thing") == (401, "token_needed")
        headers = {"Authorization": "Bearer made up"}
        assert await ask(session, "GET", "/api/thing", headers=headers) == (200, "")
        # Any name may lead here: what protects is the token.
        headers["Host"] = "kagentbot.lan"
        assert await ask(session, "GET", "/api/thing", headers=headers) == (200, "")
    await server.stop()
    assert address.token == "made up"
    assert address.link == f"{address.url}/#token=made%20up"


async def test_a_token_that_can_not_be_kept_is_one_sentence() -> None:
    def unwritable() -> str:
        raise PermissionError(13, "Permission denied", "/data/web-token")

    server = WebServer(WebOptions(host="0.0.0.0", port=0), [routes()], make_token=unwritable)
    with pytest.raises(ListenError) as failed:
        await server.start()
    assert "server.token" in failed.value.say("en")
    assert "Permission denied" in failed.value.say("zh")


async def test_beyond_loopback_a_configured_token_is_kept() -> None:
    server = WebServer(WebOptions(host="0.0.0.0", port=0, token=TOKEN), [routes()])
    address = await server.start()
    await server.stop()
    assert address.token == TOKEN


async def test_on_loopback_the_address_carries_no_token() -> None:
    server = WebServer(WebOptions(port=0), [routes()])
    address = await server.start()
    await server.stop()
    assert (address.link, address.token) == (f"http://127.0.0.1:{address.port}/", None)


@pytest.mark.parametrize("path", ["/page", "/api/thing", "/api/wrong", "/nowhere", "/healthz"])
async def test_every_answer_forbids_what_a_page_does_not_need(path: str) -> None:
    async with serving() as session, session.get(path) as response:
        headers = response.headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == ("no-store" if path.startswith("/api/") else "no-cache")
    assert "aiohttp" not in headers["Server"]


async def test_a_fault_of_ours_tells_strangers_nothing() -> None:
    async with serving() as session, session.get("/api/wrong") as response:
        text = await response.text()
    assert response.status == 500
    assert "1234" not in text
    assert "Traceback" not in text
    assert '"internal"' in text


async def test_errors_are_one_sentence_in_the_asked_language() -> None:
    async with serving(max_body=1000) as session:
        found = []
        for language in ("en", "zh"):
            headers = {**PAGE, "Accept-Language": language}
            for method, path, data in (
                ("GET", "/api/nothing", b""),
                ("PUT", "/api/thing", b""),
                ("POST", "/api/thing", b"x" * 1001),
            ):
                async with session.request(method, path, data=data, headers=headers) as response:
                    error = (await response.json())["error"]
                    found.append((response.status, error["code"], error["message"][-1]))
    assert found == [
        (404, "not_found", "."),
        (405, "wrong_method", "."),
        (413, "too_large", "."),
        (404, "not_found", "。"),
        (405, "wrong_method", "。"),
        (413, "too_large", "。"),
    ]


async def ready(session: ClientSession) -> tuple[int, dict[str, Any]]:
    async with session.get("/readyz") as response:
        return response.status, await response.json()


async def test_a_server_whose_parts_are_well_is_ready() -> None:
    async def database() -> Health:
        return Health("ok")

    async with serving(Check("database", database), Check("dispatcher", lambda: Health("ok"))) as session:
        status, found = await ready(session)
    assert (status, found["status"]) == (200, "ok")
    assert found["checks"]["database"] == {"state": "ok", "detail": ""}


@pytest.mark.parametrize("state", ["down", "starting"])
async def test_a_server_that_lacks_a_vital_part_is_not_ready(state: Any) -> None:
    checks = Check("database", lambda: Health(state, "no such file")), Check("model", lambda: Health("ok"))
    async with serving(*checks) as session:
        status, found = await ready(session)
        assert await ask(session, "GET", "/healthz") == (200, "")
    assert (status, found["status"]) == (503, state)
    assert found["checks"]["database"]["detail"] == "no such file"


@pytest.mark.parametrize("state", ["down", "starting", "degraded"])
async def test_a_server_without_its_model_is_ready_but_degraded(state: Any) -> None:
    checks = Check("database", lambda: Health("ok")), Check("model", lambda: Health(state), vital=False)
    async with serving(*checks) as session:
        status, found = await ready(session)
    assert (status, found["status"], found["checks"]["model"]["state"]) == (200, "degraded", state)


async def test_a_part_that_fails_to_say_how_it_is_is_down() -> None:
    def broken() -> Health:
        raise OSError("secret path")

    async with serving(Check("database", broken)) as session:
        status, found = await ready(session)
    assert (status, found["checks"]["database"]) == (503, {"state": "down", "detail": "OSError"})


async def test_a_part_that_never_answers_is_down() -> None:
    async def silent() -> Health:
        await asyncio.Event().wait()
        return Health("ok")

    async with serving(Check("database", silent)) as session:
        status, found = await ready(session)
    assert (status, found["checks"]["database"]["state"]) == (503, "down")


async def test_health_is_asked_once_however_many_ask() -> None:
    asked = 0

    async def database() -> Health:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        return Health("ok")

    async with serving(Check("database", database)) as session:
        await asyncio.gather(*(ready(session) for _ in range(8)))
    assert asked == 1


async def test_strangers_learn_that_something_is_wrong_but_not_what() -> None:
    async with serving(Check("database", lambda: Health("down", "secret path")), token=TOKEN) as session:
        _, stranger = await ready(session)
        session.headers["Authorization"] = f"Bearer {TOKEN}"
        _, owner = await ready(session)
    assert stranger["checks"]["database"] == {"state": "down", "detail": ""}
    assert owner["checks"]["database"] == {"state": "down", "detail": "secret path"}


@contextmanager
def taken(*ports: int) -> Iterator[None]:
    """Somebody else's sockets on these ports."""
    with ExitStack() as stack:
        for port in ports:
            stack.enter_context(socket.create_server(("127.0.0.1", port)))
        yield


def free_run(length: int) -> int:
    """The first of so many ports in a row that are free now."""
    for first in range(20_000, 60_000, length):
        with suppress(OSError), taken(*range(first, first + length)):
            return first
    raise AssertionError("no free ports")


async def test_a_busy_port_gives_the_next_free_one() -> None:
    first = free_run(3)
    with taken(first, first + 1):
        server = WebServer(WebOptions(port=first), [routes()])
        address = await server.start()
        async with ClientSession(address.url) as session:
            assert await ask(session, "GET", "/api/thing") == (200, "")
        await server.stop()
    assert (address.port, address.url) == (first + 2, f"http://127.0.0.1:{first + 2}")


async def test_two_servers_that_want_the_same_port_get_two() -> None:
    first = free_run(2)
    servers = [WebServer(WebOptions(port=first), [routes()]) for _ in range(2)]
    addresses = [await server.start() for server in servers]
    for server in servers:
        await server.stop()
    assert [address.port for address in addresses] == [first, first + 1]


async def test_no_free_port_at_all_is_one_sentence() -> None:
    first = free_run(PORTS_TO_TRY + 1)
    with taken(*range(first, first + PORTS_TO_TRY + 1)), pytest.raises(ListenError) as failed:
        await listen("127.0.0.1", first)
    assert f"{first} to {first + PORTS_TO_TRY}" in failed.value.say("en")
    assert failed.value.say("zh").endswith("。")


@pytest.mark.parametrize("host", ["192.0.2.1", "a..b"])
async def test_a_host_that_is_not_ours_is_one_sentence(host: str) -> None:
    with pytest.raises(ListenError) as failed:
        await listen(host, 0)
    assert host in failed.value.say("en")
    assert "\n" not in failed.value.say("en")


async def test_localhost_is_loopback_whatever_it_means() -> None:
    found = await listen("localhost", 0)
    for sock in found.sockets:
        sock.close()
    assert found.loopback
    assert {sock.family for sock in found.sockets} <= {socket.AF_INET, socket.AF_INET6}


async def test_every_address_is_not_loopback() -> None:
    found = await listen("0.0.0.0", 0)
    for sock in found.sockets:
        sock.close()
    assert not found.loopback


async def test_a_request_in_progress_ends_before_the_server_does() -> None:
    entered, leave = asyncio.Event(), asyncio.Event()
    table = web.RouteTableDef()

    @table.get("/api/slow")
    async def slow(_request: web.Request) -> web.Response:
        entered.set()
        await leave.wait()
        return web.json_response({"done": True})

    server = WebServer(WebOptions(port=0), [table])
    address = await server.start()
    async with ClientSession(address.url) as session:
        asking = asyncio.create_task(ask(session, "GET", "/api/slow"))
        await entered.wait()
        stopping = asyncio.create_task(server.stop())
        await asyncio.sleep(0)
        leave.set()
        assert await asking == (200, "")
        await stopping
