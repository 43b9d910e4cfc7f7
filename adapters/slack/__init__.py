"""Slack: its events in, its Web API out.

It must not decide who is answered or what an answer says (`bot/` does), keep state that has to survive a restart, or be
imported by a server without Slack: slack_bolt and slack_sdk are imported here and nowhere else, and this module itself
imports neither until `slack_adapter` is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from adapters.slack.commanding import Runs
    from agent.clock import Clock
    from agent.tools.registry import Tool
    from bot.control import Control
    from bot.endpoints import Endpoints
    from bot.limits import Limits
    from bot.people import People
    from bot.ports import Inbound, Outbound
    from bot.profiles import Profiles
    from bot.secrets import Secrets
    from bot.settings import Settings
    from bot.store.db import Store


class Services(Protocol):
    """What Slack uses of the server; `bot.app.Services` has it."""

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
    def commands(self) -> Runs: ...
    @property
    def secrets(self) -> Secrets: ...


class SlackAdapter(NamedTuple):
    """Slack, plugged in."""

    platform: str
    inbound: Inbound
    outbound: Outbound


def slack_adapter(services: Services) -> SlackAdapter:
    """Slack as the settings describe it; connects to nothing yet."""
    from adapters.slack.connection import open_connection
    from adapters.slack.inbound import Behind, SlackInbound
    from adapters.slack.outbound import SlackOutbound
    from adapters.slack.parse import PLATFORM
    from bot.present import tool_titles

    settings, titles = services.settings, tool_titles(services.tools)
    connection = open_connection(settings, services.store, services.secrets, services.clock)
    behind = Behind(
        store=services.store,
        control=services.control,
        people=services.people,
        profiles=services.profiles,
        commands=services.commands,
        titles=titles,
        models=lambda: services.endpoints.names(),
        name=settings.profile.build().agent_name,
        lang=settings.lang,
        serves=services.limits,
    )
    outbound = SlackOutbound(connection.clients, titles, stop=services.control.stop, clock=services.clock)
    return SlackAdapter(PLATFORM, SlackInbound(connection, behind), outbound)
