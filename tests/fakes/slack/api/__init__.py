"""The Web API, one module per family of methods."""

from __future__ import annotations

from tests.fakes.slack.api import agents, chat, conversations, files, identity, streaming, views
from tests.fakes.slack.api.call import Call, Method
from tests.fakes.slack.api.personal import PERSONAL

#: Every method that the fake has; Slack answers `unknown_method` for the rest.
METHODS: dict[str, Method] = {
    **chat.METHODS,
    **streaming.METHODS,
    **conversations.METHODS,
    **identity.METHODS,
    **views.METHODS,
    **files.METHODS,
    **agents.METHODS,
}

__all__ = ["METHODS", "PERSONAL", "Call", "Method"]
