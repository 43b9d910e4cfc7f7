"""Installations: from the browser to the database and back out, in one process and in another."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest
from aiohttp.test_utils import unused_port
from sqlalchemy import Connection, select

from adapters.slack.connection.api import Identity
from adapters.slack.connection.connection import SlackConnection
from adapters.slack.connection.installs import TTL_S, Installation, Installs
from adapters.slack.setup.manifest import SCOPES
from agent.clock import SystemClock
from bot.posting import Refused
from bot.secrets import Secrets
from bot.store import installations as rows
from bot.store.db import Store
from bot.store.tables import installation
from tests.fakes.slack import FakeSlack
from tests.fakes.slack.prepared import DORA, T1, T2
from tests.support.slack_connection import Heard, connected, connection_of, settings_for, until_health

SECRET = "xoxb-very-secret"
IDENTITY = Identity("T1", "", "UB", "BB", frozenset({"chat:write"}), "One")


class Shop(NamedTuple):
    """A server that workspaces install the app from."""

    slack: FakeSlack
    connection: SlackConnection
    heard: Heard
    url: str

    async def install(self, team: str = T2, user: str = DORA, **how: bool) -> tuple[int, str]:
        """The status and the text of the page that the person ends up on."""
        done = await self.slack.install(f"{self.url}/slack/install", team=team, user=user, **how)
        return done["status"], done["text"]

    async def served(self, team: str) -> bool:
        with contextlib.suppress(Refused):
            await self.connection.clients.api(team)
            return True
        return False

    async def until_gone(self, team: str) -> None:
        async with asyncio.timeout(10):
            while await self.served(team):  # noqa: ASYNC110 - the end of an installation tells nobody
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def open_shop(store: Store, folder: Path, allowed: str = "T1,T2") -> AsyncIterator[Shop]:
    heard = Heard()
    port = unused_port()
    async with FakeSlack(mode="http") as slack:
        settings = settings_for(
            slack,
            folder,
            SLACK_BOT_TOKEN="",
            SLACK_CLIENT_ID="1.1",
            SLACK_CLIENT_SECRET="fake-client-secret",
            KAGENTBOT_SLACK__MODE="http",
            KAGENTBOT_SLACK__PUBLIC_URL=f"http://127.0.0.1:{port}",
            KAGENTBOT_SLACK__WORKSPACES=allowed,
        )
        connection = connection_of(settings, store)
        async with connected(connection, heard, port) as url:
            await slack.app(url=f"{url}/slack/events", mode="http")
            yield Shop(slack, connection, heard, url)


async def sealed_of(store: Store) -> list[tuple[str, str, str]]:
    """Workspace, state and content of every row."""

    def query(connection: Connection) -> list[tuple[str, str, str]]:
        found = connection.execute(select(installation.c.workspace, installation.c.state, installation.c.sealed))
        return [(row[0], row[1], row[2]) for row in found]

    return await store.read(query)


async def test_a_workspace_installs_the_app_and_is_served(sqlite_store: Store, tmp_path: Path) -> None:
    async with open_shop(sqlite_store, tmp_path) as shop:
        status, text = await shop.install()
        assert status == 200
        assert "kagent is installed in Harbour" in text
        assert "已安装到 Harbour" in text
        api = await shop.connection.clients.api(T2)
        assert (api.team_id, api.bot_user_id, api.bot_id) == (T2, "UBOTT2", "BBOTT2")
        assert api.scopes >= SCOPES.keys()
        [(workspace, state, sealed)] = await sealed_of(sqlite_store)
        assert (workspace, state) == (T2, "active")
        assert "xoxb" not in sealed


async def test_health_says_where_to_install_until_somebody_has(sqlite_store: Store, tmp_path: Path) -> None:
    async with open_shop(sqlite_store, tmp_path) as shop:
        before = await until_health(shop.connection, lambda health: health.state == "ok")
        assert before.detail == f"no workspace has installed the app yet: open {shop.url}/slack/install"
        await shop.install()
        assert "no workspace" not in shop.connection.health().detail


async def test_an_organisation_installs_the_app_and_each_of_its_teams_is_served(
    sqlite_store: Store, tmp_path: Path
) -> None:
    async with open_shop(sqlite_store, tmp_path, allowed="E8") as shop:
        for team in ("T8", "T9"):
            await shop.slack.control("add", kind="workspace", team=team, enterprise_id="E8")
            await shop.slack.control("add", kind="user", user=f"U{team}", team=team, name=team.lower())
        assert (await shop.install("T8", "UT8", org=True))[0] == 200
        assert [(workspace, state) for workspace, state, _ in await sealed_of(sqlite_store)] == [("E8", "active")]
        for team in ("T8", "T9"):
            await shop.slack.emit({"type": "app_home_opened", "user": f"U{team}", "tab": "home"}, team=team)
        assert await shop.slack.quiesce() == []
        assert shop.heard.teams == ["UBOTE8", "UBOTE8"]
        assert not await shop.served(T2)


async def test_an_event_of_an_installed_workspace_needs_no_call_to_slack(sqlite_store: Store, tmp_path: Path) -> None:
    async with open_shop(sqlite_store, tmp_path) as shop:
        await shop.install()
        before = len([e for e in (await shop.slack.replay()).entries if e.get("method") == "auth.test"])
        for number in range(3):
            await shop.slack.emit({"type": "app_home_opened", "user": DORA, "tab": "home", "n": number}, team=T2)
        assert await shop.slack.quiesce() == []
        assert [team for team in shop.heard.teams if team] == ["UBOTT2"] * 3
        after = len([e for e in (await shop.slack.replay()).entries if e.get("method") == "auth.test"])
        assert before == after == 1


async def test_a_cancelled_installation_keeps_nothing_and_says_so(sqlite_store: Store, tmp_path: Path) -> None:
    async with open_shop(sqlite_store, tmp_path) as shop:
        status, text = await shop.install(cancel=True)
        assert status == 200
        assert "The installation was cancelled" in text
        assert "安装已取消" in text
        assert await sealed_of(sqlite_store) == []


async def test_somebody_elses_browser_can_finish_nothing(sqlite_store: Store, tmp_path: Path) -> None:
    async with open_shop(sqlite_store, tmp_path) as shop:
        status, text = await shop.install(foreign=True)
        assert status == 400
        assert "was not begun in this browser" in text
        assert await sealed_of(sqlite_store) == []


@pytest.mark.parametrize("query", ["", "state=", "state=9999999999.00", "state=1.x&code=1", "state=١.x", "error=x"])
async def test_a_state_that_is_not_ours_is_refused(sqlite_store: Store, tmp_path: Path, query: str) -> None:
    async with (
        open_shop(sqlite_store, tmp_path) as shop,
        aiohttp.request(
            "GET", f"{shop.url}/slack/oauth_redirect?{query}", headers={"Cookie": "kagentbot_slack_install=mine"}
        ) as page,
    ):
        assert page.status == 400
        assert "begin again" in await page.text()


async def test_a_workspace_that_is_not_allowed_is_not_kept(sqlite_store: Store, tmp_path: Path) -> None:
    async with open_shop(sqlite_store, tmp_path, allowed="T1") as shop:
        status, text = await shop.install()
        assert status == 403
        assert "T2" in text
        assert await sealed_of(sqlite_store) == []
        # Nor is there a token left that could be used.
        methods = [entry.get("method") for entry in (await shop.slack.replay()).entries]
        assert "auth.revoke" in methods


async def test_with_an_empty_list_nobody_can_install(sqlite_store: Store, tmp_path: Path) -> None:
    async with open_shop(sqlite_store, tmp_path, allowed="") as shop:
        assert (await shop.install())[0] == 403
        assert await sealed_of(sqlite_store) == []


async def test_a_slack_that_fails_in_between_is_said_and_keeps_nothing(sqlite_store: Store, tmp_path: Path) -> None:
    async with open_shop(sqlite_store, tmp_path) as shop:
        await shop.slack.script("oauth.v2.access", "unavailable")
        status, text = await shop.install()
        assert status == 503
        assert "try again" in text
        assert await sealed_of(sqlite_store) == []


async def test_a_code_that_slack_refuses_is_said(sqlite_store: Store, tmp_path: Path) -> None:
    async with open_shop(sqlite_store, tmp_path) as shop:
        await shop.slack.script("oauth.v2.access", "code_already_used")
        status, text = await shop.install()
        assert status == 400
        assert "code_already_used" in text


async def test_the_cookie_leaves_a_public_server_over_tls_only(sqlite_store: Store, tmp_path: Path) -> None:
    async with FakeSlack() as slack:
        settings = settings_for(
            slack,
            tmp_path,
            SLACK_BOT_TOKEN="",
            SLACK_CLIENT_ID="1.1",
            SLACK_CLIENT_SECRET="s",
            KAGENTBOT_SLACK__PUBLIC_URL="https://bot.example.com",
            KAGENTBOT_SLACK__MODE="http",
        )
        connection = connection_of(settings, sqlite_store)
        async with (
            connected(connection, Heard()) as url,
            aiohttp.request("GET", f"{url}/slack/install", allow_redirects=False) as page,
        ):
            cookie = page.cookies["kagentbot_slack_install"]
            assert cookie["secure"]
            assert cookie["httponly"]
            assert cookie["samesite"] == "Lax"


async def test_an_uninstalled_workspace_is_forgotten_and_the_other_one_is_not(
    sqlite_store: Store, tmp_path: Path
) -> None:
    async with open_shop(sqlite_store, tmp_path) as shop:
        await shop.install()
        await shop.install(T1, "UALICE")
        assert await shop.served(T1)
        await shop.slack.control("uninstall", team=T2)
        await shop.until_gone(T2)
        assert await shop.served(T1)
        states = {workspace: (state, bool(sealed)) for workspace, state, sealed in await sealed_of(sqlite_store)}
        assert states == {T1: ("active", True), T2: ("revoked", False)}


async def test_a_revoked_token_is_found_out_by_a_call_and_named(sqlite_store: Store, tmp_path: Path) -> None:
    async with open_shop(sqlite_store, tmp_path) as shop:
        await shop.install()
        api = await shop.connection.clients.api(T2)
        await shop.slack.script("chat.postMessage", "token_revoked")
        # Whoever asks meanwhile hears the same.
        await shop.slack.script("auth.test", "token_revoked", times=100)
        with pytest.raises(Refused):
            await api.call("chat.postMessage", channel="C1", text="x")
        await shop.until_gone(T2)
        assert any("SLACK_BOT_TOKEN" in said for said in shop.connection.clients.troubles)


async def test_news_of_a_revocation_that_came_too_late_undoes_no_new_installation(
    sqlite_store: Store, tmp_path: Path
) -> None:
    async with open_shop(sqlite_store, tmp_path) as shop:
        await shop.install()
        await shop.connection.clients.forget(T2)
        assert await shop.served(T2)


async def test_health_says_where_to_install_while_nobody_has(sqlite_store: Store, tmp_path: Path) -> None:
    async with open_shop(sqlite_store, tmp_path) as shop:
        health = await until_health(shop.connection, lambda health: health.state == "ok")
        assert f"{shop.url}/slack/install" in health.detail


# --- The store of installations, without Slack


@dataclass
class Clock(SystemClock):
    """A clock whose monotonic time is set."""

    at: float = 0.0

    def monotonic(self) -> float:
        return self.at

    def now(self) -> datetime:
        return datetime(2026, 11, 1, tzinfo=UTC)


def installs_of(store: Store, folder: Path, clock: Clock) -> Installs:
    return Installs(store, Secrets((), folder), clock)


async def test_an_installation_comes_back_as_it_was(store: Store, tmp_path: Path) -> None:
    installs = installs_of(store, tmp_path, Clock())
    await installs.save(Installation(IDENTITY, SECRET), "U1")
    found = await installs.find("T1")
    assert found is not None
    assert (found.identity, found.token) == (IDENTITY, SECRET)
    assert SECRET not in repr(found)


async def test_another_process_notices_a_change_within_a_minute(store: Store, tmp_path: Path) -> None:
    clock = Clock()
    mine, theirs = installs_of(store, tmp_path, clock), installs_of(store, tmp_path, clock)
    await mine.save(Installation(IDENTITY, SECRET), "U1")
    assert await theirs.find("T1") is not None
    found = await mine.find("T1")
    assert found is not None
    await mine.revoked("T1", found.stamp)
    assert await mine.find("T1") is None
    clock.at += TTL_S + 1
    assert await theirs.find("T1") is None


async def test_a_new_installation_is_found_at_once_where_it_was_made(store: Store, tmp_path: Path) -> None:
    installs = installs_of(store, tmp_path, Clock())
    assert await installs.find("T1") is None
    await installs.save(Installation(IDENTITY, SECRET), "U1")
    assert await installs.find("T1") is not None


async def test_a_reinstallation_has_another_stamp_and_survives_an_older_revocation(
    store: Store, tmp_path: Path
) -> None:
    installs = installs_of(store, tmp_path, Clock())
    await installs.save(Installation(IDENTITY, SECRET), "U1")
    old = await installs.find("T1")
    await installs.save(Installation(IDENTITY, "xoxb-new"), "U1")
    new = await installs.find("T1")
    assert old is not None
    assert new is not None
    assert old.stamp != new.stamp
    await installs.revoked("T1", old.stamp)
    found = await installs.find("T1")
    assert found is not None
    assert found.token == "xoxb-new"


async def test_an_installation_in_an_organisation_serves_its_teams(store: Store, tmp_path: Path) -> None:
    clock = Clock()
    installs = installs_of(store, tmp_path, clock)
    whole = replace(IDENTITY, team_id="", enterprise_id="E1", org_wide=True)
    await installs.save(Installation(whole, SECRET), "U1")
    assert await installs.find("T7") is None
    await installs.belongs("T7", "E1")
    # Any process can answer there, also one that never heard of the organisation.
    found = await installs_of(store, tmp_path, clock).find("T7")
    assert found is not None
    assert (found.identity.team_id, found.identity.enterprise_id, found.token) == ("T7", "E1", SECRET)
    kept = await installs.find("E1")
    assert kept is not None
    await installs.revoked("E1", kept.stamp)
    assert await installs.find("T7") is None


async def test_an_installation_that_cannot_be_read_is_none(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await installs_of(store, tmp_path / "a", Clock()).save(Installation(IDENTITY, SECRET), "U1")
    other = Installs(store, Secrets(("another-key-of-some-length",), tmp_path / "b"), Clock())
    assert await other.find("T1") is None
    assert await other.every() == []
    assert "KAGENTBOT_SECRET_KEY" in caplog.text


async def test_an_older_key_can_go_once_the_installation_was_used(store: Store, tmp_path: Path) -> None:
    old, new = "an-old-key-of-some-length", "a-new-key-of-some-length"

    def installs(*keys: str) -> Installs:
        return Installs(store, Secrets(keys, tmp_path), Clock())

    await installs(old).save(Installation(IDENTITY, SECRET), "U1")
    assert await installs(new, old).find("T1") is not None
    found = await installs(new).find("T1")
    assert found is not None
    assert found.token == SECRET


async def test_resealing_changes_the_content_and_nothing_else(store: Store) -> None:
    now = datetime(2026, 11, 1, tzinfo=UTC)
    await store.write(lambda c: rows.save(c, "slack", "T1", "old", "U1", now))
    row = await store.read(lambda c: rows.get(c, "slack", "T1"))
    assert row is not None
    assert await store.write(lambda c: rows.reseal(c, row, "new"))
    assert not await store.write(lambda c: rows.reseal(c, row, "newer"))
    found = await store.read(lambda c: rows.get(c, "slack", "T1"))
    assert found is not None
    assert (found.sealed, found.stamp) == ("new", row.stamp)
