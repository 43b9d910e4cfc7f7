"""Slack: its events in, its Web API out.

It must not decide who is answered or what an answer says (`bot/` does), keep state that has to survive a restart, or be
imported by a server without Slack: slack_bolt and slack_sdk are imported here and nowhere else, and this module itself
imports neither until `slack_adapter` is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from adapters.chat.services import Services
    from bot.ports import Inbound, Outbound
    from bot.wording import Wording


class SlackAdapter(NamedTuple):
    """Slack, plugged in."""

    platform: str
    inbound: Inbound
    outbound: Outbound
    #: What people call things there.
    wording: Wording


def slack_adapter(services: Services) -> SlackAdapter:
    """Slack as the settings describe it; connects to nothing yet."""
    from adapters.chat.behind import behind
    from adapters.slack.connection.connection import open_connection
    from adapters.slack.hearing.parse import PLATFORM
    from adapters.slack.inbound import SlackInbound
    from adapters.slack.outbound import SlackOutbound
    from adapters.slack.texts import SLACK

    connection = open_connection(services.settings, services.store, services.secrets, services.clock)
    server = behind(services)
    outbound = SlackOutbound(connection.clients, server.titles, stop=server.control.stop, clock=services.clock)
    return SlackAdapter(PLATFORM, SlackInbound(connection, server), outbound, SLACK.wording)
