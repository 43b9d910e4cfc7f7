"""What a chat platform uses of the server. Imports nothing that costs memory: a platform may not be in use at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from adapters.chat.commanding import Commands
    from adapters.chat.offering import Lists
    from agent.clock import Clock
    from agent.tools.registry import Tool
    from bot.control import Control
    from bot.endpoints import Endpoints
    from bot.limits import Limits
    from bot.people import People
    from bot.profiles import Profiles
    from bot.secrets import Secrets
    from bot.settings import Settings
    from bot.store.db import Store


class Services(Protocol):
    """`bot.app.Services` has it."""

    @property
    def settings(self) -> Settings: ...
    @property
    def store(self) -> Store: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def control(self) -> Control: ...
    @property
    def endpoints(self) -> Endpoints: ...
    @property
    def tools(self) -> tuple[Tool, ...]: ...
    @property
    def profiles(self) -> Profiles: ...
    @property
    def people(self) -> People: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def commands(self) -> Commands: ...
    @property
    def bench(self) -> Lists: ...
    @property
    def secrets(self) -> Secrets: ...
