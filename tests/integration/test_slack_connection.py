"""How events reach us: sockets that are renewed without a gap, requests that are signed, and what is said when not."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import os
import time
from pathlib import Path
from typing import Any, get_args

import aiohttp
import pytest

from bot.store.db import Store
from tests.fakes.slack import FakeSlack, Replay
from tests.fakes.slack.http import Forgery
from tests.fakes.slack.prepared import T1
from tests.support.slack_connection import Heard, connected, connection_of, settings_for, until_health


def sockets_of(replay: Replay) -> list[dict[str, Any]]:
    """The history of the sockets."""
    return [entry for entry in replay.entries if entry["kind"].startswith("socket_")]


# --- Sockets


async def test_events_come_over_two_sockets(sqlite_store: Store, tmp_path: Path) -> None:
    heard = Heard()
    async with FakeSlack(mode="socket") as slack:
        connection = connection_of(settings_for(slack, tmp_path), sqlite_store)
        async with connected(connection, heard):
            await slack.until_connected(2)
            await until_health(connection, lambda health: health.state == "ok")
            await slack.mention("hello")
            await heard.until("hello")
            assert await slack.quiesce() == []
            assert heard.teams[0] == slack.bot_user


async def test_a_socket_that_slack_renews_is_replaced_before_it_closes(sqlite_store: Store, tmp_path: Path) -> None:
    heard = Heard()
    async with FakeSlack(mode="socket", socket_closing=2.0) as slack:
        connection = connection_of(settings_for(slack, tmp_path, KAGENTBOT_SLACK__SOCKETS="1"), sqlite_store)
        async with connected(connection, heard):
            await slack.until_connected(1)
            await slack.disconnect("refresh_requested")
            await slack.until(lambda replay: any(e["kind"] == "socket_closed" for e in sockets_of(replay)))
            kinds = [entry["kind"] for entry in sockets_of(await slack.replay())]
            assert kinds == ["socket_opened", "socket_told", "socket_opened", "socket_closed"]
            await slack.mention("after")
            await heard.until("after")


async def test_a_broken_connection_is_made_again(sqlite_store: Store, tmp_path: Path) -> None:
    heard = Heard()
    async with FakeSlack(mode="socket") as slack:
        connection = connection_of(settings_for(slack, tmp_path), sqlite_store)
        async with connected(connection, heard):
            await slack.until_connected(2)
            await slack.abort()
            await until_health(connection, lambda health: health.state != "ok")
            await slack.until_connected(2)
            await until_health(connection, lambda health: health.state == "ok")


async def test_one_lost_socket_leaves_the_other_alone(sqlite_store: Store, tmp_path: Path) -> None:
    heard = Heard()
    async with FakeSlack(mode="socket") as slack:
        connection = connection_of(settings_for(slack, tmp_path), sqlite_store)
        async with connected(connection, heard):
            await slack.until_connected(2)
            first, second = [socket["id"] for socket in await slack.sockets()]
            await slack.abort(first)
            await slack.until(lambda replay: sum(e["kind"] == "socket_opened" for e in sockets_of(replay)) == 3)
            assert second in [socket["id"] for socket in await slack.sockets()]


@pytest.mark.parametrize(
    ("reason", "said"), [("too_many_websockets", "slack.sockets"), ("link_disabled", "Socket Mode")]
)
async def test_an_end_that_an_operator_has_to_mend_is_said_in_one_sentence(
    sqlite_store: Store, tmp_path: Path, reason: Any, said: str
) -> None:
    heard = Heard()
    async with FakeSlack(mode="socket", socket_closing=0.0) as slack:
        connection = connection_of(settings_for(slack, tmp_path), sqlite_store)
        async with connected(connection, heard):
            await until_health(connection, lambda health: health.state == "ok")
            await slack.disconnect(reason)
            await until_health(connection, lambda health: health.state == "down" and said in health.detail)
            assert sum(e["kind"] == "socket_opened" for e in sockets_of(await slack.replay())) == 2


async def test_a_wrong_app_token_is_said_in_one_sentence(sqlite_store: Store, tmp_path: Path) -> None:
    async with FakeSlack(mode="socket") as slack:
        connection = connection_of(settings_for(slack, tmp_path, SLACK_APP_TOKEN="xapp-wrong"), sqlite_store)
        async with connected(connection, Heard()):
            health = await until_health(connection, lambda health: health.state == "down")
            assert "xapp-" in health.detail
            assert "wrong" not in health.detail


async def test_a_wrong_bot_token_is_said_in_one_sentence(sqlite_store: Store, tmp_path: Path) -> None:
    async with FakeSlack(mode="socket") as slack:
        connection = connection_of(settings_for(slack, tmp_path, SLACK_BOT_TOKEN="xoxb-wrong"), sqlite_store)
        async with connected(connection, Heard()):
            health = await until_health(connection, lambda health: health.state == "down")
            assert "xoxb-" in health.detail


async def test_a_bot_token_that_is_revoked_later_is_said_in_one_sentence(
    sqlite_store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with FakeSlack(mode="socket") as slack:
        connection = connection_of(settings_for(slack, tmp_path), sqlite_store)
        async with connected(connection, Heard()):
            await until_health(connection, lambda health: health.state == "ok")
            await slack.control("revoke", team=T1)
            health = await until_health(connection, lambda health: health.state == "degraded")
            assert "put the new token into SLACK_BOT_TOKEN" in health.detail
            assert caplog.text.count(health.detail) == 1


async def test_what_is_in_work_is_acked_before_its_socket_is_closed(sqlite_store: Store, tmp_path: Path) -> None:
    heard = Heard()
    async with FakeSlack(mode="socket") as slack:
        connection = connection_of(settings_for(slack, tmp_path), sqlite_store)
        async with connected(connection, heard):
            await slack.until_connected(2)
            heard.open.clear()
            await slack.say("wait for me")
            await heard.entered.wait()
            stopping = asyncio.create_task(connection.stop())
            await asyncio.sleep(0)
            heard.open.set()
            await stopping
        assert await slack.quiesce() == []
        assert len(heard.bodies) == 1


async def test_a_slack_that_is_away_keeps_nobody_waiting(sqlite_store: Store, tmp_path: Path) -> None:
    slack = FakeSlack()
    slack.port = 1
    settings = settings_for(slack, tmp_path)
    connection = connection_of(settings, sqlite_store)
    async with connected(connection, Heard()):
        assert connection.health().state == "starting"
        health = await until_health(connection, lambda health: health.state == "down")
        assert "reached" in health.detail


# --- HTTP


async def test_signed_requests_are_taken(sqlite_store: Store, tmp_path: Path) -> None:
    heard = Heard()
    async with FakeSlack(mode="http") as slack:
        connection = connection_of(http_settings(slack, tmp_path), sqlite_store)
        async with connected(connection, heard) as url:
            await slack.app(url=f"{url}/slack/events", mode="http")
            assert await slack.verify()
            await slack.mention("hello")
            assert await slack.quiesce() == []
            assert heard.texts() == [f"<@{slack.bot_user}> hello"]
            await until_health(connection, lambda health: health.state == "ok")


async def test_slacks_notice_of_too_many_events_is_acked_and_logged(
    sqlite_store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    heard = Heard()
    body = b'{"type": "app_rate_limited", "team_id": "T1", "minute_rate_limited": 1518467820, "api_app_id": "A1"}'
    async with FakeSlack(mode="http") as slack:
        connection = connection_of(http_settings(slack, tmp_path), sqlite_store)
        async with (
            connected(connection, heard) as url,
            aiohttp.request("POST", f"{url}/slack/events", data=body, headers=signed(slack, body)) as response,
        ):
            assert response.status == 200
    assert "holds back events of workspace T1" in caplog.text
    assert heard.bodies == []


@pytest.mark.parametrize("forgery", get_args(Forgery))
async def test_whatever_is_not_slacks_is_refused_before_any_work(
    sqlite_store: Store, tmp_path: Path, forgery: Forgery, caplog: pytest.LogCaptureFixture
) -> None:
    heard = Heard()
    async with FakeSlack(mode="http") as slack:
        connection = connection_of(http_settings(slack, tmp_path), sqlite_store)
        async with connected(connection, heard) as url:
            await slack.app(url=f"{url}/slack/events", mode="http")
            with caplog.at_level(logging.DEBUG):
                assert await slack.forge(forgery, text="very private") == 401
                await slack.forge(forgery)
            assert heard.bodies == []
            assert "very private" not in caplog.text
            assert len([r for r in caplog.records if "SLACK_SIGNING_SECRET" in r.getMessage()]) == 1


async def test_a_signed_request_that_cannot_be_read_is_a_bad_request(sqlite_store: Store, tmp_path: Path) -> None:
    body = b"\xff\xfe{"
    async with FakeSlack(mode="http") as slack:
        connection = connection_of(http_settings(slack, tmp_path), sqlite_store)
        async with (
            connected(connection, Heard()) as url,
            aiohttp.request("POST", f"{url}/slack/events", data=body, headers=signed(slack, body)) as response,
        ):
            assert response.status == 400


async def test_after_the_stop_slack_is_told_to_come_again(sqlite_store: Store, tmp_path: Path) -> None:
    heard = Heard()
    async with FakeSlack(mode="http", retries=()) as slack:
        connection = connection_of(http_settings(slack, tmp_path), sqlite_store)
        async with connected(connection, heard) as url:
            await slack.app(url=f"{url}/slack/events", mode="http")
            await connection.stop()
            assert not await slack.verify()


async def test_without_a_signing_secret_nothing_is_answered(sqlite_store: Store, tmp_path: Path) -> None:
    async with FakeSlack(mode="http") as slack:
        settings = http_settings(slack, tmp_path, SLACK_SIGNING_SECRET="")
        connection = connection_of(settings, sqlite_store)
        async with connected(connection, Heard()) as url:
            await slack.app(url=f"{url}/slack/events", mode="http")
            assert connection.health().state == "down"
            assert "SLACK_SIGNING_SECRET" in connection.health().detail
            assert not await slack.verify()


async def test_the_probe_of_the_certificate_is_answered(sqlite_store: Store, tmp_path: Path) -> None:
    async with FakeSlack(mode="http") as slack:
        connection = connection_of(http_settings(slack, tmp_path), sqlite_store)
        async with (
            connected(connection, Heard()) as url,
            aiohttp.request("GET", f"{url}/slack/events?ssl_check=1") as response,
        ):
            assert response.status == 200


async def test_variables_that_bolt_would_read_change_nothing(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-somebody-elses")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "somebody-elses")
    monkeypatch.setenv("SLACK_CLIENT_ID", "1.2")
    monkeypatch.setenv("SLACK_CLIENT_SECRET", "somebody-elses")
    heard = Heard()
    async with FakeSlack(mode="http") as slack:
        connection = connection_of(http_settings(slack, tmp_path), sqlite_store)
        async with connected(connection, heard) as url:
            await slack.app(url=f"{url}/slack/events", mode="http")
            await slack.mention("hello")
            assert await slack.quiesce() == []
            assert heard.teams[0] == slack.bot_user
            assert os.environ["SLACK_CLIENT_ID"] == "1.2"


async def test_a_workspace_that_is_not_served_is_acked_and_dropped(sqlite_store: Store, tmp_path: Path) -> None:
    heard = Heard()
    async with FakeSlack(mode="http") as slack:
        connection = connection_of(http_settings(slack, tmp_path, KAGENTBOT_SLACK__WORKSPACES="T9"), sqlite_store)
        async with connected(connection, heard) as url:
            await slack.app(url=f"{url}/slack/events", mode="http")
            await slack.mention("hello")
            assert await slack.quiesce() == []
            assert heard.bodies == []
            assert any(T1 not in said and "slack.workspaces" in said for said in connection.clients.troubles)


def http_settings(slack: FakeSlack, folder: Path, **more: str) -> Any:
    return settings_for(
        slack, folder, KAGENTBOT_SLACK__MODE="http", KAGENTBOT_SLACK__PUBLIC_URL="http://127.0.0.1:1", **more
    )


def signed(slack: FakeSlack, body: bytes) -> dict[str, str]:
    """The headers of a request of Slack's with this body."""
    now = str(int(time.time()))
    digest = hmac.new(slack.signing_secret.encode(), f"v0:{now}:".encode() + body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": now,
        "X-Slack-Signature": f"v0={digest}",
    }
