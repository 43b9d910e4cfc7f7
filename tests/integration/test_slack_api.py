"""What Slack's answers mean, tried against a web server that gives them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from adapters.slack import limits
from adapters.slack.connection.api import RateLimited, SlackApi, SlackRefused
from adapters.slack.connection.clients import Clients, TokenInstallations
from bot.posting import Ambiguous, Refused, RetryLater

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Answers each method as the test says, and remembers the requests."""

    def __init__(self) -> None:
        self.answers: dict[str, Handler] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.url = ""
        self.runner: web.AppRunner | None = None

    def says(self, method: str, body: object, *, status: int = 200, **headers: str) -> None:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}

        async def answer(request: web.Request) -> web.StreamResponse:
            return web.json_response(body, status=status, headers=sent)

        self.answers[method] = answer

    async def handle(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        self.requests.append((method, await request.text(), {**request.headers, "query": request.query_string}))
        return await self.answers[method](request)

    def asked(self, method: str) -> int:
        return sum(each[0] == method for each in self.requests)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    server.says(
        "auth.test",
        {
            "ok": True,
            "team_id": "T1",
            "team": "One",
            "user_id": "UBOT",
            "bot_id": "B1",
            "url": "https://one.slack.com/",
        },
        x_oauth_scopes="chat:write,commands",
    )
    app = web.Application()
    app.router.add_route("*", "/api/{method}", server.handle)
    server.runner = web.AppRunner(app)
    await server.runner.setup()
    site = web.TCPSite(server.runner, "127.0.0.1", 0)
    await site.start()
    port = server.runner.addresses[0][1]
    server.url = f"http://127.0.0.1:{port}/api/"
    yield server
    await server.runner.cleanup()


@pytest.fixture
async def clients(server: Server) -> AsyncIterator[Clients]:
    clients = Clients(lambda clients: TokenInstallations(clients, "xoxb-1-secret"), api_url=server.url)
    yield clients
    await clients.close()


@pytest.fixture
async def api(clients: Clients) -> SlackApi:
    return await clients.api("T1")


async def test_the_token_says_who_we_are(api: SlackApi) -> None:
    assert (api.team_id, api.bot_user_id, api.bot_id) == ("T1", "UBOT", "B1")
    assert api.scopes == {"chat:write", "commands"}


async def test_the_answer_of_a_call_comes_back(api: SlackApi, server: Server) -> None:
    server.says("chat.postMessage", {"ok": True, "ts": "1.2"})
    answer = await api.call("chat.postMessage", channel="C1", text="hello", thread_ts="1.1")
    assert answer["ts"] == "1.2"
    _, body, headers = server.requests[-1]
    assert '"channel": "C1"' in body
    assert headers["Authorization"] == "Bearer xoxb-1-secret"


async def test_reading_methods_are_sent_as_a_query(api: SlackApi, server: Server) -> None:
    server.says("conversations.replies", {"ok": True, "messages": []})
    await api.call("conversations.replies", channel="C1", ts="1.1", limit=5)
    assert "channel=C1" in server.requests[-1][2]["query"]


async def test_too_many_calls_are_a_wait_and_nothing_is_sent_meanwhile(api: SlackApi, server: Server) -> None:
    server.says("chat.update", {"ok": False, "error": "ratelimited"}, status=429, Retry_After="17")
    with pytest.raises(RateLimited) as limited:
        await api.call("chat.update", channel="C1", ts="1", text="x")
    assert limited.value.seconds == 17
    with pytest.raises(RetryLater) as own:
        await api.call("chat.update", channel="C1", ts="1", text="x", urgent=True)
    assert 15 < own.value.seconds <= 17
    assert server.asked("chat.update") == 1


@pytest.mark.parametrize("header", ["", "soon", "-1", "nan", "inf"])
async def test_a_wait_that_cannot_be_read_is_still_a_wait(api: SlackApi, server: Server, header: str) -> None:
    server.says("chat.update", {"ok": False, "error": "ratelimited"}, status=429, Retry_After=header)
    with pytest.raises(RateLimited) as limited:
        await api.call("chat.update", channel="C1", ts="1", text="x")
    assert 1 <= limited.value.seconds <= limits.RETRY_AFTER_DEFAULT_S


async def test_what_does_not_fit_the_budget_is_not_sent(api: SlackApi, server: Server) -> None:
    server.says("chat.startStream", {"ok": True, "ts": "1"})
    while api.left("chat.startStream") >= 1:
        await api.call("chat.startStream", channel=f"C{server.asked('chat.startStream')}", thread_ts="1")
    with pytest.raises(RetryLater) as later:
        await api.call("chat.startStream", channel="C2", thread_ts="1")
    assert later.value.seconds > 0
    assert not isinstance(later.value, RateLimited)
    assert server.asked("chat.startStream") <= limits.TIER_2.burst
    assert api.left("chat.startStream") < 1


@pytest.mark.parametrize("code", ["internal_error", "fatal_error", "service_unavailable"])
async def test_a_failure_of_slacks_own_leaves_the_outcome_open(api: SlackApi, server: Server, code: str) -> None:
    server.says("chat.postMessage", {"ok": False, "error": code})
    with pytest.raises(Ambiguous):
        await api.call("chat.postMessage", channel="C1", text="x")


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_server_error_leaves_the_outcome_open(api: SlackApi, server: Server, status: int) -> None:
    async def broken(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text="<html>oops</html>", content_type="text/html")

    server.answers["chat.postMessage"] = broken
    with pytest.raises(Ambiguous):
        await api.call("chat.postMessage", channel="C1", text="x")
    assert server.asked("chat.postMessage") == 1


@pytest.mark.parametrize("content_type", ["text/plain", "text/html", "application/json"])
async def test_a_body_that_is_not_slacks_leaves_the_outcome_open(
    api: SlackApi, server: Server, content_type: str
) -> None:
    async def page(request: web.Request) -> web.StreamResponse:
        return web.Response(text="Please log in to the proxy", content_type=content_type)

    server.answers["chat.postMessage"] = page
    with pytest.raises(Ambiguous):
        await api.call("chat.postMessage", channel="C1", text="x")


async def test_a_connection_that_breaks_after_sending_leaves_the_outcome_open(api: SlackApi, server: Server) -> None:
    async def reset(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    server.answers["chat.postMessage"] = reset
    with pytest.raises(Ambiguous):
        await api.call("chat.postMessage", channel="C1", text="x")
    assert server.asked("chat.postMessage") == 1


async def test_no_connection_at_all_means_that_nothing_was_sent(clients: Clients, server: Server) -> None:
    assert server.runner is not None
    await server.runner.cleanup()
    with pytest.raises(RetryLater):
        await clients.api("T1")


async def test_a_refusal_names_slacks_code(api: SlackApi, server: Server) -> None:
    server.says("chat.postMessage", {"ok": False, "error": "is_archived"})
    with pytest.raises(Refused) as refused:
        await api.call("chat.postMessage", channel="C1", text="x")
    assert refused.value.code == "is_archived"


async def test_a_missing_scope_is_named_to_the_operator_once(
    api: SlackApi, clients: Clients, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.says("users.info", {"ok": False, "error": "missing_scope", "needed": "users:read", "provided": "chat:write"})
    with pytest.raises(SlackRefused) as refused:
        await api.call("users.info", user="U1")
    with pytest.raises(SlackRefused):
        await api.call("users.info", user="U2")
    assert refused.value.needed == "users:read"
    assert len([record for record in caplog.records if "users:read" in record.getMessage()]) == 1
    assert any("users:read" in said for said in clients.troubles)


async def test_a_scope_that_was_granted_later_is_noticed_by_the_next_answer(
    api: SlackApi, clients: Clients, server: Server
) -> None:
    server.says("users.info", {"ok": False, "error": "missing_scope", "needed": "users:read"})
    with pytest.raises(SlackRefused):
        await api.call("users.info", user="U1")
    assert clients.troubles != ()
    server.says("users.info", {"ok": True}, x_oauth_scopes="chat:write,users:read")
    await api.call("users.info", user="U1")
    assert api.scopes == {"chat:write", "users:read"}
    assert clients.troubles == ()


async def test_a_token_that_works_again_is_no_trouble_any_more(clients: Clients, server: Server) -> None:
    good = server.answers["auth.test"]
    api = await clients.api("T1")
    server.says("users.info", {"ok": False, "error": "token_revoked"})
    server.says("auth.test", {"ok": False, "error": "token_revoked"})
    with pytest.raises(SlackRefused):
        await api.call("users.info", user="U1")
    await clients.forget("T1")
    assert clients.troubles != ()
    server.answers["auth.test"] = good
    await clients.api("T1")
    assert clients.troubles == ()


async def test_what_only_concerns_one_channel_is_no_trouble_of_the_operators(
    api: SlackApi, clients: Clients, server: Server
) -> None:
    server.says("chat.postMessage", {"ok": False, "error": "not_in_channel"})
    with pytest.raises(Refused):
        await api.call("chat.postMessage", channel="C1", text="x")
    assert clients.troubles == ()


async def test_a_warning_about_the_stop_button_reaches_the_operator(
    api: SlackApi, clients: Clients, server: Server
) -> None:
    server.says(
        "agents.sessions.setStatus", {"ok": True, "warning": "missing_agent_session_stopped_event_subscription"}
    )
    await api.call("agents.sessions.setStatus", channel_id="C1", thread_ts="1", status="processing")
    assert any("agent_session_stopped" in said for said in clients.troubles)


async def test_neither_texts_nor_tokens_reach_the_log(
    api: SlackApi, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.says("chat.postMessage", {"ok": False, "error": "internal_error", "echo": "very private"})
    with pytest.raises(Ambiguous):
        await api.call("chat.postMessage", channel="C1", text="very private")
    assert "very private" not in caplog.text
    assert "xoxb-1-secret" not in caplog.text


async def test_a_proxy_of_the_environment_is_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url.removesuffix("/api/"))
    clients = Clients(lambda made: TokenInstallations(made, "xoxb-1"), api_url="http://slack.example/api/")
    api = await clients.api("T1")
    assert api.team_id == "T1"
    assert api.proxy == server.url.removesuffix("/api/")
    assert server.requests[-1][2]["Host"] == "slack.example"
    await clients.close()


async def test_another_workspace_is_not_installed(clients: Clients) -> None:
    with pytest.raises(Refused) as refused:
        await clients.api("T2")
    assert refused.value.code == "not_installed"


async def test_a_workspace_off_the_list_is_not_served(server: Server) -> None:
    clients = Clients(
        lambda clients: TokenInstallations(clients, "xoxb-1"), api_url=server.url, allowed=frozenset({"T9"})
    )
    with pytest.raises(Refused) as refused:
        await clients.api("T1")
    assert refused.value.code == "not_allowed"
    await clients.close()


async def test_slack_is_asked_once_whose_token_it_is(clients: Clients, server: Server) -> None:
    for _ in range(5):
        await clients.api("T1")
    assert server.asked("auth.test") == 1


async def test_a_refused_token_is_not_asked_about_for_every_event(clients: Clients, server: Server) -> None:
    server.says("auth.test", {"ok": False, "error": "invalid_auth"})
    with pytest.raises(Refused):
        await clients.api("T1")
    with pytest.raises(Refused) as refused:
        await clients.api("T1")
    assert refused.value.code == "invalid_auth"
    assert server.asked("auth.test") == 1


async def test_a_persons_token_is_not_taken(clients: Clients, server: Server) -> None:
    server.says("auth.test", {"ok": True, "team_id": "T1", "user_id": "U1"})
    with pytest.raises(Refused) as refused:
        await clients.api("T1")
    assert refused.value.code == "not_bot_token"


async def test_a_patient_call_waits_as_long_as_it_is_told(api: SlackApi, server: Server) -> None:
    said = iter([429, 200])

    async def once_limited(request: web.Request) -> web.StreamResponse:
        status = next(said)
        return web.json_response({"ok": status == 200}, status=status, headers={"Retry-After": "1"})

    server.answers["users.info"] = once_limited
    answer = await api.call_patiently("users.info", user="U1", urgent=True)
    assert answer["ok"] is True
