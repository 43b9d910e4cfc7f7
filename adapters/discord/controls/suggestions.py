"""What is offered while somebody types an option of a command. Discord waits three seconds, and then offers nothing."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Final, Literal, TypeVar

from discord.app_commands import Choice

from adapters.chat import texts as chat
from adapters.chat.offering import Kind, Offers
from adapters.chat.profile_form import place_of, value_name, version_view
from adapters.chat.tasks import OUTSIDE
from adapters.discord import limits
from adapters.discord.controls.commands import Interaction
from adapters.discord.controls.front import Front, click_of, locale_of
from adapters.discord.controls.modals import BETWEEN, scope_of
from adapters.discord.hearing.parse import PLATFORM
from agent.language import Lang, Text
from bot.profiles import Profiles
from evals.kagentbench.items import TEMPLATES, TYPES

log = logging.getLogger(__name__)

T = TypeVar("T", str, int)

#: Versions that are offered.
_VERSIONS: Final = limits.AUTOCOMPLETE_CHOICES


class Suggestions:
    """`commands.Suggests`. People who aren't served are offered nothing."""

    def __init__(
        self,
        front: Front,
        profiles: Profiles,
        tools: Mapping[str, Text],
        models: Callable[[], Collection[str]],
        offers: Offers | None = None,
    ) -> None:
        """`tools`: names and titles; `models`: endpoints and models that are known just now; `offers`: what there is
        for benchmarks."""
        self._front = front
        self._profiles = profiles
        self._tools = tools
        self._models = models
        self._offers = offers

    async def models(self, interaction: Interaction, current: str) -> list[Choice[str]]:
        """Names of models and endpoints, and the usual order."""

        async def find(lang: Lang) -> list[Choice[str]]:
            usual = Choice(name=_cut(f"auto · {chat.EMPTY_VALUES['model'].say(lang)}"), value="auto")
            return _like(current, [usual, *(Choice(name=_cut(name), value=name) for name in sorted(self._models()))])

        return await self._offered(interaction, find)

    async def values(self, interaction: Interaction, current: str) -> list[Choice[str]]:
        """Values of the field that is being set, where there are some to choose from."""
        field = str(getattr(interaction.namespace, "name", "") or "")

        async def find(lang: Lang) -> list[Choice[str]]:
            if field == "model":
                return _like(current, [Choice(name=_cut(name), value=name) for name in sorted(self._models())])
            if field == "tool_names":
                return self._tool_names(current, lang)
            known = [
                Choice(name=_cut(label.say(lang)), value=value) for value, label in chat.VALUES.get(field, {}).items()
            ]
            # What somebody types is offered by Discord itself.
            return _like(current, known)

        return await self._offered(interaction, find)

    async def versions(self, interaction: Interaction, current: str) -> list[Choice[int]]:
        """Versions at the place that was chosen, else at the nearest."""
        target = click_of(interaction).target
        where = str(getattr(interaction.namespace, "where", "") or "")

        async def find(lang: Lang) -> list[Choice[int]]:
            scope = scope_of(where) or ("channel" if target.thread is None else "thread")
            place = place_of(PLATFORM, target.workspace, scope, target.channel, target.conversation_key)
            found = await self._profiles.versions(place, limit=_VERSIONS)
            shown = (version_view(one, lang, newest=not index) for index, one in enumerate(found))
            return _like(
                current,
                [
                    Choice(name=_cut(f"{one.number} · {one.who} · {BETWEEN.join(one.remarks)}"), value=one.number)
                    for one in shown
                ],
            )

        return await self._offered(interaction, find)

    async def bench(self, kind: Kind, interaction: Interaction, current: str) -> list[Choice[str]]:
        """Models, data sets or runs of benchmarks, to whoever may run them."""

        async def find(lang: Lang) -> list[Choice[str]]:
            if self._offers is None:
                return []
            click = click_of(interaction)
            found = await self._offers.offered(kind, click.target, click.user, current.strip())
            fit = [one for one in found if len(one.value) <= limits.OPTION_TEXT][: limits.AUTOCOMPLETE_CHOICES]
            return [Choice(name=_cut(one.label), value=one.value) for one in fit]

        return await self._offered(interaction, find)

    async def bench_list(
        self, names: Literal["types", "templates"], interaction: Interaction, current: str
    ) -> list[Choice[str]]:
        """The list as it was typed, with each type or template that may come next."""

        async def find(lang: Lang) -> list[Choice[str]]:
            *before, last = current.replace("，", ",").split(",")
            listed = [one.strip() for one in before if one.strip()]
            left = [name for name in (TYPES if names == "types" else TEMPLATES) if name not in listed]
            lists = [",".join((*listed, name)) for name in left if last.strip().casefold() in name.casefold()]
            return [Choice(name=_cut(value.replace(",", ", ")), value=value) for value in lists]

        return await self._offered(interaction, find)

    def _tool_names(self, current: str, lang: Lang) -> list[Choice[str]]:
        """The list as it was typed, with each tool that may come next."""
        *before, last = current.replace("，", ",").split(",")
        listed = [one.strip() for one in before if one.strip()]
        names = [name for name in ("auto", "notool", *self._tools) if name not in listed]
        next_ = [name for name in names if last.strip().casefold() in f"{name} {self._title(name, lang)}".casefold()]
        lists = (", ".join((*listed, name)) for name in next_)
        return [
            Choice(name=_cut(value_name("tool_names", value.split(", "), self._tools, lang)), value=value)
            for value in lists
            if len(value) <= limits.OPTION_TEXT
        ][: limits.AUTOCOMPLETE_CHOICES]

    def _title(self, name: str, lang: Lang) -> str:
        return value_name("tool_names", name, self._tools, lang)

    async def _offered(
        self, interaction: Interaction, find: Callable[[Lang], Awaitable[list[Choice[T]]]]
    ) -> list[Choice[T]]:
        try:
            return await find(locale_of(interaction) or "en") if await self._front.admits(interaction) else []
        except OUTSIDE as error:
            log.info("nothing could be offered: %s", error)
            return []


def _like(current: str, choices: Iterable[Choice[T]]) -> list[Choice[T]]:
    """Those with what was typed in them."""
    typed = current.strip().casefold()
    found = [one for one in choices if typed in f"{one.name} {one.value}".casefold()]
    return found[: limits.AUTOCOMPLETE_CHOICES]


def _cut(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= limits.CHOICE_NAME else one_line[: limits.CHOICE_NAME - 1] + "…"
