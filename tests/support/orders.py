"""Commands on a store, with everything that they need: people as a platform describes them, models, tools, profiles."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from agent.clock import Clock
from agent.language import Lang
from agent.profile import Profile
from agent.tools.builtin import builtin_tools
from agent.tools.registry import Tool
from bot.commands import CommandReply, Commands, Desk, Invocation
from bot.control import Control
from bot.endpoints import Endpoints
from bot.erasure import Erasure
from bot.limits import Limits
from bot.live import Live
from bot.messages import Author, Person, Target
from bot.people import People
from bot.ports import Waker
from bot.posting import Refused
from bot.profiles import Profiles
from bot.secrets import Secrets
from bot.settings.access import AccessSettings, LimitSettings
from bot.settings.models import ListedEndpoint, ModelSettings
from bot.store.db import Store
from tests.support.bench import bench_desk

ADMIN, MEMBER, GUEST, OPERATOR = Author("adm", "Ada"), Author("mem", "Mo"), Author("gst", "Gus"), Author("op", "Olga")
PEOPLE = {
    "adm": Person("adm", "Ada", is_admin=True, lang="en"),
    "mem": Person("mem", "Mo", zone="Asia/Shanghai", lang="zh"),
    "gst": Person("gst", "Gus", kind="guest"),
    "op": Person("op", "Olga"),
    "ext": Person("ext", "Eve", kind="external", is_admin=True),
}


class Directory:
    """A way out that can say who people are, and nothing else."""

    def __init__(self, people: Mapping[str, Person] = PEOPLE) -> None:
        self.people = dict(people)
        self.asked: list[str] = []
        self.trouble: Exception | None = None

    async def person(self, workspace: str, user_id: str) -> Person:
        self.asked.append(user_id)
        if self.trouble is not None:
            raise self.trouble
        if user_id not in self.people:
            raise Refused("user_not_found")
        return self.people[user_id]


class Orders:
    """Commands, and what they work with."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        waker: Waker,
        live: Live,
        folder: Path,
        *,
        access: Mapping[str, Any] | None = None,
        limits: Mapping[str, Any] | None = None,
        tools: Sequence[Tool] = (),
    ) -> None:
        """`tools`: further ones."""
        self.directory = Directory()
        self.limits = Limits(
            AccessSettings(**{"operators": ("test:op",), **(access or {})}),
            LimitSettings(**(limits or {})),
            ZoneInfo("UTC"),
        )
        self.people = People(store, clock, {"test": self.directory}, self.limits.is_operator)
        models = ModelSettings(
            endpoints=tuple(
                ListedEndpoint(name=name, base_url="http://127.0.0.1:9/v1", model=model)
                for name, model in (("gpu", "Large-72B"), ("cpu", "small-4b"))
            )
        )
        self.endpoints = Endpoints(models, store, clock, Secrets((), folder))
        self.tools = (*builtin_tools(), *tools)
        self.profiles = Profiles(store, clock, Profile(), self.tools, models=self.endpoints.names)
        self.erasure = Erasure(store, clock, waker, live)
        self.control = Control(store, clock, waker, live)
        desk = Desk(
            store,
            clock,
            self.control,
            self.endpoints,
            self.tools,
            self.profiles,
            self.erasure,
            self.people,
            self.limits,
            bench_desk(store, clock, self.endpoints, folder),
            "9.9",
        )
        self.commands = Commands(desk)

    async def give(
        self,
        words: str,
        author: Author = MEMBER,
        *,
        at: Target,
        lang: Lang = "en",
        inside: bool = True,
        direct: bool = False,
    ) -> CommandReply:
        """Give a command, inside a conversation or beside it."""
        return await self.commands.run(Invocation(at, author, words, lang, inside, direct))

    async def close(self) -> None:
        await self.people.stop()
        await self.endpoints.stop()


#: What stands in code or is quoted, and proper names, may be in any language.
_CODE = re.compile(r"`[^`]*`|\"[^\"]*\"")
_LATIN = re.compile(r"[A-Za-z]+")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_NAMES = {"token", "Markdown", "JSON", "UTC", "PostgreSQL", "KAgentBench"}


def english_words(text: str) -> list[str]:
    """The English words of a text, besides code and names."""
    return [word for word in _LATIN.findall(_CODE.sub("", text)) if word not in _NAMES]


def chinese(text: str) -> int:
    """How many Chinese characters a text has, besides code."""
    return len(_HAN.findall(_CODE.sub("", text)))
