"""The endpoints that a command-line program knows: those of the settings, and those that were entered on the page.

Only looks: nothing is made, migrated or sealed anew, so it works beside a running server and where there is none.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from agent.language import Text
from bot.backend import unpack
from bot.secrets import Secrets, SecretsError
from bot.settings import Settings
from bot.settings.models import PRIORITY_STEP, EndpointSettings
from bot.store import endpoints as rows
from bot.store import migrate
from bot.store.db import open_store

_UNREADABLE = Text(
    "it was saved by another version and can't be used: enter it again on the page",
    "它由其他版本保存，无法使用：请在页面上重新填写",
)


@dataclass(frozen=True, slots=True)
class Known:
    """One endpoint."""

    name: str
    #: Lower goes first.
    priority: int
    #: None for one that can't be read; then `trouble` says why.
    settings: EndpointSettings | None
    trouble: Text | None = None


async def known_endpoints(settings: Settings, *, with_entered: bool = True) -> list[Known]:
    """All of them, best first, or without those of the page.

    Raises `StoreUnavailable` or an error of SQLAlchemy's when there is a database that can't be read.
    """
    found = [Known(one.name, one.priority, one.settings) for one in settings.models.configured]
    names = {one.name for one in found}
    entered = await _entered(settings) if with_entered else []
    return sorted([*found, *(one for one in entered if one.name not in names)], key=lambda one: one.priority)


async def _entered(settings: Settings) -> list[Known]:
    if await asyncio.to_thread(migrate.check, settings.database_url) != "current":
        return []
    store = open_store(settings.database_url)
    try:
        kept = await store.read(rows.every)
    finally:
        await store.close()
    secrets = Secrets(settings.secret_keys, settings.data_dir)
    return [await asyncio.to_thread(_opened, secrets, row.name, row.sealed) for row in kept]


def _opened(secrets: Secrets, name: str, sealed: str) -> Known:
    try:
        endpoint = unpack(secrets.unseal(sealed))
    except SecretsError as error:
        return Known(name, PRIORITY_STEP, None, error.text)
    if endpoint is None or endpoint.name != name:
        return Known(name, PRIORITY_STEP, None, _UNREADABLE)
    return Known(name, PRIORITY_STEP if endpoint.priority is None else endpoint.priority, endpoint)
