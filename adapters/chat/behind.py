"""What the inbound side of a chat platform needs of the server."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from adapters.chat.commanding import Runs
from adapters.chat.offering import Offers
from adapters.chat.presses import Serves
from adapters.chat.services import Services
from agent.language import Lang, Text
from bot.control import Control
from bot.people import People
from bot.present import tool_titles
from bot.profiles import Profiles
from bot.store.db import Store


@dataclass(frozen=True, slots=True)
class Behind:
    """What is behind it."""

    store: Store
    control: Control
    people: People
    profiles: Profiles
    commands: Runs
    #: What the steps of each tool are called, by the tool's name.
    titles: Mapping[str, Text]
    #: Endpoints and models that are known just now.
    models: Callable[[], Collection[str]]
    #: What the agent is called where a message speaks of it.
    name: str
    #: Where neither a person nor a profile says which.
    lang: Lang
    #: Whom; None: everybody.
    serves: Serves | None = None
    #: What is offered for benchmarks; None: nothing.
    offers: Offers | None = None


def behind(services: Services) -> Behind:
    """The server's parts as they are needed."""
    return Behind(
        store=services.store,
        control=services.control,
        people=services.people,
        profiles=services.profiles,
        commands=services.commands,
        titles=tool_titles(services.tools),
        models=lambda: services.endpoints.names(),
        name=services.settings.profile.build().agent_name,
        lang=services.settings.lang,
        serves=services.limits,
        offers=Offers(services.bench, services.commands.may_bench),
    )
