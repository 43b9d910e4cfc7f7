"""The REST API by route. Order matters: what is asked for most comes first, and @me before an id."""

from __future__ import annotations

from tests.fakes.discord.api import channels, commands, followups, identity, messages, webhooks
from tests.fakes.discord.api.call import Answer, Call, Method, TooMany

METHODS: dict[str, Method] = {
    **messages.METHODS,
    **webhooks.METHODS,
    **followups.METHODS,
    **channels.METHODS,
    **identity.METHODS,
    **commands.METHODS,
}

__all__ = ["METHODS", "Answer", "Call", "Method", "TooMany"]
