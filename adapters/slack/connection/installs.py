"""The installations that OAuth made: kept encrypted in the database, found quickly, forgotten at once."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass, replace
from typing import Any, Final

from adapters.slack.connection.api import Identity
from agent.clock import Clock
from bot.secrets import Secrets, SecretsError
from bot.store import installations as rows
from bot.store.db import Store
from bot.store.installations import InstallationRow

log = logging.getLogger(__name__)

PLATFORM: Final = "slack"
#: Seconds until an installation is looked up again, so that a process notices what another one has changed.
TTL_S: Final = 60.0
#: The same for a workspace without one: whoever has just installed the app should not have to wait.
_ABSENT_TTL_S: Final = 5.0
#: Workspaces that are remembered.
_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Installation:
    """The app in one workspace, or in all of an organisation."""

    identity: Identity
    token: str
    #: Version of the row; another one means that something has changed.
    stamp: object = None

    def __repr__(self) -> str:
        # Tracebacks and logs show objects, and a token is a password.
        return f"Installation({self.identity.workspace})"


@dataclass(frozen=True, slots=True)
class _Alias:
    """A team that an organisation's installation serves."""

    enterprise_id: str
    stamp: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Cached:
    found: Installation | _Alias | None
    stamp: tuple[int, int] | None
    until: float


class Installs:
    """The installations of this server; `Clients` looks them up here."""

    def __init__(self, store: Store, secrets: Secrets, clock: Clock) -> None:
        self._store = store
        self._secrets = secrets
        self._clock = clock
        self._cache: dict[str, _Cached] = {}

    async def find(self, workspace: str) -> Installation | None:
        """That of a team or an organisation; None: not installed, or not any more. Raises what the database does."""
        found = await self._look_up(workspace)
        if found is None or not isinstance(found, _Alias):
            return found
        whole = await self._look_up(found.enterprise_id)
        if not isinstance(whole, Installation):
            return None
        return replace(whole, identity=replace(whole.identity, team_id=workspace), stamp=(found.stamp, whole.stamp))

    async def every(self) -> list[Installation]:
        """All that work and can be read, by workspace."""
        found = []
        for row in await self._store.read(lambda c: rows.active(c, PLATFORM)):
            content = await self._open(row)
            if isinstance(content, Installation):
                found.append(content)
        return found

    async def save(self, installation: Installation, installed_by: str) -> None:
        """Keep it; it replaces an earlier one of its workspace. Raises `SecretsError` and what the database does."""
        identity = installation.identity
        await self._put(
            identity.workspace,
            {
                "token": installation.token,
                "team_id": identity.team_id,
                "enterprise_id": identity.enterprise_id,
                "bot_user_id": identity.bot_user_id,
                "bot_id": identity.bot_id,
                "scopes": sorted(identity.scopes),
                "team_name": identity.team_name,
                "url": identity.url,
                "org_wide": identity.org_wide,
            },
            installed_by,
        )

    async def belongs(self, team_id: str, enterprise_id: str) -> None:
        """This team is one of that organisation, whose installation serves it. Kept, so that any process knows whose
        token answers in the team.
        """
        known = await self._look_up(team_id)
        if known is None:
            await self._put(team_id, {"enterprise_id": enterprise_id, "alias": True}, "")

    async def revoked(self, workspace: str, stamp: object) -> None:
        """Uninstalled, or its token was taken back: its token is forgotten, here and in the database; unless the app
        has been installed again since the version with this `stamp`.
        """
        now = self._clock.now()
        row = await self._store.read(lambda c: rows.get(c, PLATFORM, workspace))
        if row is not None and row.stamp == stamp:
            await self._store.write(lambda c: rows.revoke(c, row, now))
        # All, because teams go the way of their organisation.
        self._cache.clear()

    async def _put(self, workspace: str, content: dict[str, Any], installed_by: str) -> None:
        sealed = await asyncio.to_thread(self._secrets.seal, json.dumps(content))
        now = self._clock.now()
        await self._store.write(lambda c: rows.save(c, PLATFORM, workspace, sealed, installed_by, now))
        self._cache.pop(workspace, None)

    async def _look_up(self, workspace: str) -> Installation | _Alias | None:
        cached = self._cache.get(workspace)
        now = self._clock.monotonic()
        if cached is not None and now < cached.until:
            return cached.found
        row = await self._store.read(lambda c: rows.get(c, PLATFORM, workspace))
        found: Installation | _Alias | None = None
        if row is not None and row.state == "active":
            unchanged = cached is not None and cached.stamp == row.stamp
            found = cached.found if cached is not None and unchanged else await self._open(row)
        if len(self._cache) >= _MOST:
            self._cache.clear()
        until = now + (_ABSENT_TTL_S if found is None else TTL_S)
        self._cache[workspace] = _Cached(found, None if row is None else row.stamp, until)
        return found

    async def _open(self, row: InstallationRow) -> Installation | _Alias | None:
        try:
            plain, current = await asyncio.to_thread(self._unseal, row.sealed)
            content = _parsed(json.loads(plain), row.stamp)
        except SecretsError as error:
            log.error("the installation of %s can't be read: %s", row.workspace, error)
            return None
        except (ValueError, KeyError, TypeError):
            log.error("the installation of %s was saved by another version: install the app again", row.workspace)
            return None
        if not current:
            # So that the older key can go.
            sealed = await asyncio.to_thread(self._secrets.seal, plain)
            await self._store.write(lambda c: rows.reseal(c, row, sealed))
        return content

    def _unseal(self, sealed: str) -> tuple[str, bool]:
        """The content, and whether it is encrypted with the first key."""
        return self._secrets.unseal(sealed), self._secrets.is_current(sealed)


def _parsed(content: dict[str, Any], stamp: tuple[int, int]) -> Installation | _Alias:
    if content.get("alias"):
        return _Alias(str(content["enterprise_id"]), stamp)
    identity = Identity(
        team_id=str(content["team_id"]),
        enterprise_id=str(content["enterprise_id"]),
        bot_user_id=str(content["bot_user_id"]),
        bot_id=str(content["bot_id"]),
        scopes=frozenset(content["scopes"]),
        team_name=str(content.get("team_name", "")),
        url=str(content.get("url", "")),
        org_wide=bool(content.get("org_wide", False)),
    )
    return Installation(identity, str(content["token"]), stamp)
