"""`/kagent-bench` as Discord is told of it, and the words that each of its commands stands for (`bot.bench.words`)."""

from __future__ import annotations

from typing import Final, get_args

import discord
from discord import app_commands
from discord.app_commands import Choice

from adapters.discord import texts
from adapters.discord.controls.commands import CONTEXTS, INSTALLS, Interaction, Run, Suggests, described, named
from adapters.discord.controls.spelling import BENCH_COMMAND, BENCH_OPTIONS
from agent.language import Text
from bot.bench.words import CHINESE, Preset
from evals.runs import ReasoningMode

#: Items of a limit, and times that everything is asked; the core knows better.
_MOST_ITEMS: Final = 1_000_000
_MOST_REPEATS: Final = 20
#: Characters of a name, and of a list of names.
_NAME: Final = 200

_LANGS: Final = [
    Choice(name=described(texts.BENCH_ENGLISH), value="en"),
    Choice(name=described(texts.BENCH_CHINESE), value="zh"),
]
_WHEN: Final = [
    Choice(name=described(texts.BENCH_WEEKLY), value="weekly"),
    Choice(name=described(texts.BENCH_OFF), value="off"),
]
_PRESETS: Final = [Choice(name=described(Text(each, each)), value=str(each)) for each in get_args(Preset)]
_REASONING: Final = [
    Choice(name=described(texts.BENCH_REASONING[each]), value=str(each)) for each in get_args(ReasoningMode)
]


def _renamed(*options: str) -> dict[str, str | app_commands.locale_str]:
    return {name: named(*BENCH_OPTIONS[name]) for name in options}


def _described(*options: str) -> dict[str, str | app_commands.locale_str]:
    return {name: described(texts.BENCH_OPTIONS[name]) for name in options}


def _words(**given: str | int | None) -> list[str]:
    """Options as the words have them. A comma says as much without the blank behind it, which would end the word."""
    return [f"{name}={_joined(str(value))}" for name, value in given.items() if value is not None]


def _free(value: str | None) -> list[str]:
    """A name that stands by itself; one of several words is no name of anything."""
    return [] if value is None else ["-".join(value.split())]


def _joined(value: str) -> str:
    return "".join(value.split()) if "," in value or "，" in value else "-".join(value.split())


class Bench(app_commands.Group):
    """`/kagent-bench`."""

    def __init__(self, run: Run, suggests: Suggests) -> None:
        super().__init__(
            name=BENCH_COMMAND,
            description=described(texts.BENCH_ABOUT),
            allowed_contexts=CONTEXTS,
            allowed_installs=INSTALLS,
            # What nobody but operators may use clutters nobody's menu. It is no protection: servers can change it.
            default_permissions=discord.Permissions(manage_guild=True),
        )
        self._run = run
        self._suggests = suggests

    async def _models(self, interaction: Interaction, current: str) -> list[Choice[str]]:
        return await self._suggests.bench("models", interaction, current)

    async def _data(self, interaction: Interaction, current: str) -> list[Choice[str]]:
        return await self._suggests.bench("data", interaction, current)

    async def _runs(self, interaction: Interaction, current: str) -> list[Choice[str]]:
        return await self._suggests.bench("runs", interaction, current)

    async def _types(self, interaction: Interaction, current: str) -> list[Choice[str]]:
        return await self._suggests.bench_list("types", interaction, current)

    async def _templates(self, interaction: Interaction, current: str) -> list[Choice[str]]:
        return await self._suggests.bench_list("templates", interaction, current)

    @app_commands.command(name=named("run", CHINESE["run"]), description=described(texts.BENCH["run"]))
    @app_commands.rename(**_renamed("model", "limit", "data", "types", "templates", "lang", "constrained"))
    @app_commands.rename(**_renamed("repeats", "preset", "reasoning", "judge", "fresh"))
    @app_commands.describe(**_described("model", "limit", "data", "types", "templates", "lang", "constrained"))
    @app_commands.describe(**_described("repeats", "preset", "reasoning", "judge", "fresh"))
    @app_commands.choices(lang=_LANGS, preset=_PRESETS, reasoning=_REASONING)
    @app_commands.autocomplete(model=_models, data=_data, types=_types, templates=_templates, judge=_models)
    async def run(
        self,
        interaction: Interaction,
        model: app_commands.Range[str, 1, _NAME] | None = None,
        limit: app_commands.Range[int, 1, _MOST_ITEMS] | None = None,
        data: app_commands.Range[str, 1, _NAME] | None = None,
        types: app_commands.Range[str, 1, _NAME] | None = None,
        templates: app_commands.Range[str, 1, _NAME] | None = None,
        lang: str | None = None,
        constrained: bool = False,
        repeats: app_commands.Range[int, 1, _MOST_REPEATS] | None = None,
        preset: str | None = None,
        reasoning: str | None = None,
        judge: app_commands.Range[str, 1, _NAME] | None = None,
        fresh: bool = False,
    ) -> None:
        """Begin one."""
        given = {"model": model, "limit": limit, "data": data, "types": types, "templates": templates, "lang": lang}
        more = {"repeats": repeats, "preset": preset, "reasoning": reasoning, "judge": judge}
        flags = [*["constrained"] * constrained, *["fresh"] * fresh]
        await self._run(interaction, " ".join(["run", *_words(**given, **more), *flags]))

    @app_commands.command(name=named("status", CHINESE["status"]), description=described(texts.BENCH["status"]))
    async def status(self, interaction: Interaction) -> None:
        """How it is getting on."""
        await self._run(interaction, "status")

    @app_commands.command(name=named("cancel", CHINESE["cancel"]), description=described(texts.BENCH["cancel"]))
    @app_commands.rename(**_renamed("model"))
    @app_commands.describe(model=described(texts.BENCH_CANCELLED))
    @app_commands.autocomplete(model=_models)
    async def cancel(self, interaction: Interaction, model: app_commands.Range[str, 1, _NAME] | None = None) -> None:
        """Stop one."""
        await self._run(interaction, " ".join(["cancel", *_free(model)]))

    @app_commands.command(name=named("compare", CHINESE["compare"]), description=described(texts.BENCH["compare"]))
    @app_commands.rename(**_renamed("a", "b"))
    @app_commands.describe(**_described("a", "b"))
    @app_commands.autocomplete(a=_runs, b=_runs)
    async def compare(
        self,
        interaction: Interaction,
        a: app_commands.Range[str, 1, _NAME] | None = None,
        b: app_commands.Range[str, 1, _NAME] | None = None,
    ) -> None:
        """Two runs."""
        await self._run(interaction, " ".join(["compare", *_free(a), *_free(b)]))

    @app_commands.command(
        name=named("leaderboard", CHINESE["leaderboard"]), description=described(texts.BENCH["leaderboard"])
    )
    async def leaderboard(self, interaction: Interaction) -> None:
        """The best so far."""
        await self._run(interaction, "leaderboard")

    @app_commands.command(name=named("data", CHINESE["data"]), description=described(texts.BENCH["data"]))
    async def data(self, interaction: Interaction) -> None:
        """What there is to measure with."""
        await self._run(interaction, "data")

    @app_commands.command(name=named("schedule", CHINESE["schedule"]), description=described(texts.BENCH["schedule"]))
    @app_commands.rename(**_renamed("when", "model"))
    @app_commands.describe(**_described("when", "model"))
    @app_commands.choices(when=_WHEN)
    @app_commands.autocomplete(model=_models)
    async def schedule(
        self,
        interaction: Interaction,
        when: str | None = None,
        model: app_commands.Range[str, 1, _NAME] | None = None,
    ) -> None:
        """Measure regularly."""
        await self._run(interaction, " ".join(["schedule", *_free(when), *_free(model)]))
