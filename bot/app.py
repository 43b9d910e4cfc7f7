"""The composition root: the only place that knows every part of the server."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from importlib.metadata import version as package_version
from zoneinfo import ZoneInfo

from adapters.web.admin import Desk
from adapters.web.inbound import WebInbound
from adapters.web.outbound import WebOutbound
from adapters.web.present import PLATFORM
from adapters.web.reads import About, ModelState
from agent.clock import Clock, SystemClock
from agent.language import Lang
from agent.llm.chat import ChatPool
from agent.texts import OFFERED_QUESTIONS
from agent.tools.registry import Tool
from bot.agents import bind_agent, tools_of
from bot.attachments import Attachments
from bot.bench.beginning import Beginning
from bot.bench.cases import forgetting
from bot.bench.console import Console
from bot.bench.desk import Bench
from bot.bench.drawing import Drawing
from bot.bench.human import Human
from bot.bench.jobs import BENCHMARK, Benchmarks
from bot.bench.measuring import Measuring
from bot.bench.posting import REPORT, reports
from bot.bench.reporting import pictures
from bot.bench.scheduling import SCHEDULE, schedules
from bot.commands import Commands, command_of, spares
from bot.commands import Desk as CommandDesk
from bot.control import Control
from bot.dispatch.claim import Claim
from bot.dispatch.dispatcher import Dispatcher
from bot.dispatch.lease import LEASE_SECONDS
from bot.endpoints import Endpoints
from bot.erasure import Erasure
from bot.inbox import Inbox, Rules
from bot.jobs import Jobs
from bot.limits import Limits
from bot.live import Live
from bot.notices import NOTICE, notices
from bot.people import People
from bot.ports import Health, Inbound, Knows, Outbound
from bot.preparing import Preparer
from bot.present import tool_titles
from bot.profiles import Profiles
from bot.retention import retention
from bot.secrets import Secrets
from bot.settings import Settings
from bot.store import conversations, jobs, migrate
from bot.store.db import Store, open_store, probe, sqlite_path
from bot.store.exclusive import Exclusive
from bot.turns import Agent, TurnRunner
from bot.web.access import stored_token
from bot.web.health import Check
from bot.web.server import MAX_BODY, Address, WebOptions, WebServer
from bot.wording import GENERAL, Wording
from evals.library import Library
from evals.running.asking import Asker

log = logging.getLogger(__name__)

#: After a take-over, strays are looked for this much later: longer than a frozen process can keep a request in its
#: socket before the platform's own time-out ends it.
TIDY_AFTER = timedelta(seconds=60)


#: Bytes that one character may take in a JSON body: two escapes of six bytes beyond the basic plane, and room to spare.
_BODY_PER_CHAR = 20


@dataclass(frozen=True, slots=True)
class Services:
    """What an adapter may use of the server."""

    settings: Settings
    store: Store
    clock: Clock
    live: Live
    control: Control
    endpoints: Endpoints
    tools: tuple[Tool, ...]
    profiles: Profiles
    erasure: Erasure
    commands: Commands
    people: People
    limits: Limits
    secrets: Secrets
    bench: Bench
    console: Console
    human: Human


@dataclass(frozen=True, slots=True)
class Adapter:
    """One platform, plugged in."""

    platform: str
    inbound: Inbound
    outbound: Outbound
    #: Whether people have accounts there. Where they haven't, whoever may write may change everything, too.
    accounts: bool = True
    #: What people call things there.
    wording: Wording = GENERAL


AdapterFactory = Callable[[Services], Adapter]


def web_adapter(services: Services) -> Adapter:
    """The web page."""
    endpoints, settings = services.endpoints, services.settings
    about = About(
        name=settings.profile.build().agent_name,
        version=package_version("kagentbot"),
        model=lambda lang: ModelState(endpoints.name, endpoints.demo, endpoints.health(lang)),
        titles=tool_titles(services.tools),
        questions=[(lang, question) for lang, offered in OFFERED_QUESTIONS.items() for question in offered],
        max_message_chars=settings.limits.message_chars,
    )
    desk = Desk(services.profiles, endpoints, services.erasure, services.console, services.human)
    inbound = WebInbound(services.store, services.control, services.live, services.clock, about, desk)
    return Adapter(PLATFORM, inbound, WebOutbound(services.live, services.clock), accounts=False)


def adapters_of(settings: Settings) -> tuple[AdapterFactory, ...]:
    """The platforms of these settings. A chat platform's code is imported only where it is used."""
    used = ((slack_adapter, settings.uses_slack), (discord_adapter, settings.uses_discord))
    return (web_adapter, *(factory for factory, is_used in used if is_used))


def slack_adapter(services: Services) -> Adapter:
    """Slack."""
    from adapters import slack

    made = slack.slack_adapter(services)
    return Adapter(made.platform, made.inbound, made.outbound, wording=made.wording)


def discord_adapter(services: Services) -> Adapter:
    """Discord."""
    from adapters import discord

    made = discord.discord_adapter(services)
    return Adapter(made.platform, made.inbound, made.outbound, wording=made.wording)


class App:
    """The server in one process. `start`, then `stop`."""

    def __init__(
        self,
        settings: Settings,
        factories: Sequence[AdapterFactory] | None = None,
        *,
        clock: Clock | None = None,
        tidy_after: timedelta = TIDY_AFTER,
        bind: Callable[[ChatPool], Agent] | None = None,
    ) -> None:
        """`factories` make the platforms, by default those of the settings. `bind` makes the agent from the models; the
        default is the loop with the tools of the settings.

        Raises `SettingsError` when a tool of the settings can't be loaded.
        """
        self.settings = settings
        tools = tools_of(settings)
        self.clock = clock or SystemClock()
        self.store = open_store(settings.database_url)
        self.live = Live()
        path = sqlite_path(settings.database_url)
        self._exclusive = None if path is None else Exclusive(path)
        self.owner = f"{socket.gethostname()[:24]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        secrets = Secrets(settings.secret_keys, settings.data_dir)
        self.endpoints = Endpoints(settings.models, self.store, self.clock, secrets)
        pool = self.endpoints.pool
        profile = settings.profile.build()
        # Filled below: adapters are made last, because they use all of this.
        knows: set[str] = set()
        without_accounts: set[str] = set()
        wordings: dict[str, Wording] = {}
        self.claim = Claim(
            self.owner, timedelta(seconds=LEASE_SECONDS), ZoneInfo(settings.timezone), profile, tidy_after, knows
        )
        self._outbounds: dict[str, Outbound] = {}
        max_chars = settings.limits.message_chars
        agent = bind(pool) if bind else bind_agent(pool, tools)
        preparer = Preparer(self.store, self.clock, Attachments(self.store, self.clock))
        runner = TurnRunner(
            self.store,
            self.clock,
            agent,
            self._outbounds,
            max_chars,
            preparer,
            lambda claimed, words: self.commands.in_turn(claimed, words),
        )
        self.dispatcher = Dispatcher(
            store=self.store,
            clock=self.clock,
            claim=self.claim,
            runner=runner,
            live=self.live,
            platforms=self._outbounds,
            most_turns=settings.limits.turns,
        )
        language: Lang | None = None if profile.lang == "auto" else profile.lang
        limits = Limits(settings.access, settings.limits, ZoneInfo(settings.timezone), spares=spares)
        rules = Rules(max_chars, language, profile.follow, profile.answer_in, limits, command_of)
        self.inbox = Inbox(self.store, self.clock, self.dispatcher, self.live, rules)
        self.control = Control(self.store, self.clock, self.dispatcher, self.live, limits)
        library = Library(settings.data_dir / "bench" / "data")
        human = Human.of(self.store, self.clock, library, without_accounts)
        beginning = Beginning(
            self.store, self.clock, library, self.endpoints.list, self._outbounds, lambda: self.jobs.look()
        )
        self.bench = Bench(beginning, ZoneInfo(settings.timezone))
        drawing = Drawing()
        measuring = Measuring(library, self._asker, self.clock)
        kinds = {
            "retention": retention(self.store, self.clock, forgetting(human.cases)),
            NOTICE: notices(self.store, self.clock, self._outbounds),
            BENCHMARK: Benchmarks(
                self.store, self.clock, self._outbounds, measuring, pictures=partial(pictures, drawing=drawing)
            ).kind,
            SCHEDULE: schedules(beginning, lambda target, author: self.commands.may_bench(target, author)),
            REPORT: reports(self.store, self.clock, self._outbounds),
        }
        self.jobs = Jobs(self.store, self.clock, self.owner, kinds)
        self.people = People(
            self.store, self.clock, self._outbounds, limits.is_operator, without_accounts=without_accounts
        )
        profiles = Profiles(self.store, self.clock, profile, tools, models=self.endpoints.names)
        erasure = Erasure(self.store, self.clock, self.dispatcher, self.live, forgetting(human.cases))
        self.commands = Commands(
            CommandDesk(
                self.store,
                self.clock,
                self.control,
                self.endpoints,
                tools,
                profiles,
                erasure,
                self.people,
                limits,
                self.bench,
                package_version("kagentbot"),
                wordings,
            )
        )
        services = Services(
            settings,
            self.store,
            self.clock,
            self.live,
            self.control,
            self.endpoints,
            tools,
            profiles,
            erasure,
            self.commands,
            self.people,
            limits,
            secrets,
            self.bench,
            Console(beginning, drawing),
            human,
        )
        self._adapters = [make(services) for make in factories or adapters_of(settings)]
        self._outbounds.update({adapter.platform: adapter.outbound for adapter in self._adapters})
        knows.update(adapter.platform for adapter in self._adapters if isinstance(adapter.outbound, Knows))
        wordings.update({adapter.platform: adapter.wording for adapter in self._adapters})
        without_accounts.update(adapter.platform for adapter in self._adapters if not adapter.accounts)
        self._web: WebServer | None = None

    @property
    def outbounds(self) -> Mapping[str, Outbound]:
        """The sending side of each platform. They work without `start`; whoever uses them so closes them."""
        return self._outbounds

    async def start(self) -> Address:
        """Make the database ready, begin to work, listen. Raises `InUse`, `StoreUnavailable`, `ListenError`."""
        if self._exclusive is not None:
            self._exclusive.acquire()
        await asyncio.to_thread(migrate.upgrade, self.settings.database_url)
        if self._exclusive is not None:
            # The lock says that no other server lives, so whatever is leased was left behind.
            now = self.clock.now()
            await self.store.write(conversations.void_all_leases)
            await self.store.write(lambda c: jobs.void_all_leases(c, now))
        # Before the turns that were left behind: they need what answers.
        await self.endpoints.start()
        await self.dispatcher.start()
        await self.jobs.start()
        for adapter in self._adapters:
            await self._begin(adapter)
        self._web = self._make_web()
        address = await self._web.start()
        return address

    async def stop(self) -> None:
        """Accept nothing more, let running turns end or hand them over, close."""
        for adapter in self._adapters:
            await adapter.inbound.stop()
        # Web pages watch their turns to the end, so the server closes after the turns.
        await self.dispatcher.stop(self.settings.limits.grace)
        await self.jobs.stop()
        await self.people.stop()
        if self._web is not None:
            await self._web.stop()
        await self.endpoints.stop()
        for adapter in self._adapters:
            await adapter.outbound.close()
        await self.store.close()
        if self._exclusive is not None:
            self._exclusive.release()

    def _asker(self, model: str) -> Asker:
        """Who is asked for a benchmark: a model of the pool, behind whoever chats."""
        # Only a server that measures something loads it.
        from evals.running.models import PoolAsker

        return PoolAsker(self.endpoints.pool, model)

    async def _begin(self, adapter: Adapter) -> None:
        """Let a platform's events in. One that can't start doesn't keep the others from it."""
        try:
            await adapter.inbound.start(self.inbox.receive)
        except Exception:
            log.exception("%s could not be started; everything else goes on", adapter.platform)

    def _make_web(self) -> WebServer:
        server = self.settings.server
        options = WebOptions(
            host=server.host,
            port=server.port,
            token=server.token.get_secret_value() if server.token else None,
            hosts=tuple(server.hosts),
            max_body=max(MAX_BODY, _BODY_PER_CHAR * self.settings.limits.message_chars),
        )
        routes = [table for adapter in self._adapters if (table := adapter.inbound.routes()) is not None]
        token_file = self.settings.data_dir / "web-token"
        return WebServer(options, routes, self._checks(), lambda: stored_token(token_file))

    def _checks(self) -> list[Check]:
        async def database() -> Health:
            await self.store.write(probe)
            return Health("ok")

        checks = [
            Check("database", database),
            Check("dispatcher", self.dispatcher.health),
            # Without a model the server still takes messages and says what is wrong.
            Check("model", lambda: self.endpoints.health("en"), vital=False),
        ]
        return checks + [Check(adapter.platform, adapter.inbound.health) for adapter in self._adapters]
