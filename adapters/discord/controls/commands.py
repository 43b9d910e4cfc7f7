"""Our slash commands as Discord is told of them, and the words that each stands for.

A command is a tree of names and options; the core obeys words (`bot.command_words`), so each option is put where the
words have it. Chinese clients show the Chinese names, which are the words that people say to the agent, too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal, Protocol, TypedDict

import discord
from discord import app_commands
from discord.app_commands import Choice, locale_str

from adapters.chat.offering import Kind
from adapters.chat.texts import FIELDS
from adapters.discord import texts
from adapters.discord.controls import spelling
from agent.language import Text
from bot.command_texts import ABOUT
from bot.command_words import CHINESE, NAMES, Name

COMMAND: Final = "kagent"

#: Characters of a value that a command sets; longer ones are for the form, or for a message to the agent.
_VALUE: Final = 2_000
CONTEXTS: Final = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False)
INSTALLS: Final = app_commands.AppInstallationType(guild=True, user=False)
_CHINESE: Final = frozenset({discord.Locale.chinese, discord.Locale.taiwan_chinese})

Interaction = discord.Interaction[Any]
#: Obeys a command: the interaction, and the command in words.
Run = Callable[[Interaction, str], Awaitable[None]]


class Suggests(Protocol):
    """What is offered while somebody types an option."""

    async def models(self, interaction: Interaction, current: str) -> list[Choice[str]]:
        """Names of models and endpoints."""

    async def values(self, interaction: Interaction, current: str) -> list[Choice[str]]:
        """Values of the field that is being set."""

    async def versions(self, interaction: Interaction, current: str) -> list[Choice[int]]:
        """Versions of the profile."""

    async def bench(self, kind: Kind, interaction: Interaction, current: str) -> list[Choice[str]]:
        """Models, data sets and runs of benchmarks."""

    async def bench_list(
        self, names: Literal["types", "templates"], interaction: Interaction, current: str
    ) -> list[Choice[str]]:
        """Lists of what a benchmark has."""


class Chinese(app_commands.Translator):
    """The Chinese half of our texts, for both Chinese locales of Discord: we speak one Chinese."""

    async def translate(self, string: locale_str, locale: discord.Locale, context: Any) -> str | None:
        """Discord's clients fall back on English for all others."""
        return string.extras.get("zh") if locale in _CHINESE else None


class Tree(app_commands.CommandTree[Any]):
    """All our commands. What goes wrong before one of them runs is told to `failed`."""

    def __init__(self, client: discord.Client, failed: Callable[[Interaction, Exception], Awaitable[None]]) -> None:
        super().__init__(client)
        self._failed = failed
        self._chinese = Chinese()

    @property
    def translator(self) -> app_commands.Translator:
        """Set from the beginning: `set_translator` is for trees that get theirs later."""
        return self._chinese

    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError, /) -> None:
        """discord.py would only log it."""
        await self._failed(interaction, error)


def described(text: Text) -> locale_str:
    """A description, or a choice, as its client shows it."""
    return locale_str(text.en[:1].upper() + text.en[1:], zh=text.zh)


def named(en: str, zh: str) -> locale_str:
    """A name as its client shows it."""
    return locale_str(en, zh=zh)


def _form(name: str) -> locale_str:
    return named(name, spelling.FORMS[name])


class _About(TypedDict):
    name: locale_str
    description: locale_str


def _about(name: Name) -> _About:
    """Of one of the core's commands."""
    return {"name": named(name, CHINESE[name]), "description": described(texts.DISCORD.named(ABOUT[name]))}


def _choice(text: Text, value: str) -> Choice[str]:
    return Choice(name=described(text), value=value)


_WHERE_NAME: Final = named(*spelling.WHERE)
_NAME_NAME: Final = named(*spelling.NAME)
_CONFIRM_NAME: Final = named(*spelling.CONFIRM)
_WHERE: Final = [_choice(name, scope) for scope, name in spelling.HERE.items()]
_COMMANDS: Final = [Choice(name=named(name, CHINESE[name]), value=str(name)) for name in NAMES]
_FIELDS: Final = [_choice(label, name) for name, label in FIELDS.items()]


def _for(interaction: Interaction, where: str | None) -> str:
    """Said always, so that a value which ends like a place isn't taken for one."""
    return f"for {where or usual_place(interaction)}"


def usual_place(interaction: Interaction) -> Literal["thread", "channel"]:
    """The place that is meant where none is said."""
    return "thread" if isinstance(interaction.channel, discord.Thread) else "channel"


class Kagent(app_commands.Group):
    """`/kagent`."""

    profile = app_commands.Group(name=named("profile", CHINESE["profile"]), description=described(texts.PROFILE_ABOUT))
    forget = app_commands.Group(name=named("forget", CHINESE["forget"]), description=described(texts.FORGET_ABOUT))

    def __init__(self, run: Run, edit: Callable[[Interaction], Awaitable[None]], suggests: Suggests) -> None:
        """`edit`: brings the forms of a profile."""
        super().__init__(
            name=COMMAND,
            description=described(texts.COMMAND_ABOUT),
            allowed_contexts=CONTEXTS,
            allowed_installs=INSTALLS,
        )
        self._run = run
        self._edit = edit
        self._suggests = suggests

    async def _models(self, interaction: Interaction, current: str) -> list[Choice[str]]:
        return await self._suggests.models(interaction, current)

    async def _values(self, interaction: Interaction, current: str) -> list[Choice[str]]:
        return await self._suggests.values(interaction, current)

    async def _versions(self, interaction: Interaction, current: str) -> list[Choice[int]]:
        return await self._suggests.versions(interaction, current)

    @app_commands.command(**_about("help"))
    @app_commands.rename(command=named(*spelling.COMMAND))
    @app_commands.describe(command=described(texts.OPTION_COMMAND))
    @app_commands.choices(command=_COMMANDS)
    async def help(self, interaction: Interaction, command: str | None = None) -> None:
        """All commands, or one of them."""
        await self._run(interaction, f"help {command or ''}")

    @app_commands.command(**_about("new"))
    async def new(self, interaction: Interaction) -> None:
        """Begin anew."""
        await self._run(interaction, "new")

    @app_commands.command(**_about("model"))
    @app_commands.rename(name=_NAME_NAME, where=_WHERE_NAME)
    @app_commands.describe(name=described(texts.OPTION_MODEL), where=described(texts.OPTION_WHERE))
    @app_commands.choices(where=_WHERE)
    @app_commands.autocomplete(name=_models)
    async def model(
        self, interaction: Interaction, name: app_commands.Range[str, 1, 200] | None = None, where: str | None = None
    ) -> None:
        """List the models, or choose one."""
        await self._run(interaction, f"model {name} {_for(interaction, where)}" if name else "model")

    @app_commands.command(**_about("tools"))
    async def tools(self, interaction: Interaction) -> None:
        """Which tools there are."""
        await self._run(interaction, "tools")

    @app_commands.command(**_about("stop"))
    async def stop(self, interaction: Interaction) -> None:
        """Stop what is being answered."""
        await self._run(interaction, "stop")

    @app_commands.command(**_about("export"))
    @app_commands.rename(kind=named("format", "格式"))
    @app_commands.describe(kind=described(texts.OPTION_FORMAT))
    @app_commands.choices(kind=[_choice(texts.FOR_PEOPLE, "markdown"), _choice(texts.FOR_PROGRAMS, "json")])
    async def export(self, interaction: Interaction, kind: str | None = None) -> None:
        """The conversation as a file."""
        await self._run(interaction, f"export {kind or ''}")

    @app_commands.command(**_about("usage"))
    @app_commands.rename(whose=named("whose", "对象"))
    @app_commands.describe(whose=described(texts.OPTION_WHOSE))
    @app_commands.choices(whose=_WHERE[1:])
    async def usage(self, interaction: Interaction, whose: str | None = None) -> None:
        """What was used."""
        await self._run(interaction, f"usage {whose or ''}")

    @app_commands.command(**_about("status"))
    async def status(self, interaction: Interaction) -> None:
        """How the server is."""
        await self._run(interaction, "status")

    @app_commands.command(**_about("leave"))
    async def leave(self, interaction: Interaction) -> None:
        """Be silent here."""
        await self._run(interaction, "leave")

    @app_commands.command(**_about("bench"))
    async def bench(self, interaction: Interaction) -> None:
        """The benchmark; `/kagent-bench` has it in detail."""
        await self._run(interaction, "bench")

    @profile.command(name=_form("show"), description=described(texts.PROFILE_SHOW))
    async def profile_show(self, interaction: Interaction) -> None:
        """What holds here."""
        await self._run(interaction, "profile")

    @profile.command(name=named("edit", "修改"), description=described(texts.PROFILE_EDIT))
    async def profile_edit(self, interaction: Interaction) -> None:
        """Its forms."""
        await self._edit(interaction)

    @profile.command(name=named("set", "设置"), description=described(texts.PROFILE_SET))
    @app_commands.rename(name=_NAME_NAME, value=named("value", "值"), where=_WHERE_NAME)
    @app_commands.describe(
        name=described(texts.OPTION_NAME), value=described(texts.OPTION_VALUE), where=described(texts.OPTION_WHERE)
    )
    @app_commands.choices(name=_FIELDS, where=_WHERE)
    @app_commands.autocomplete(value=_values)
    async def profile_set(
        self,
        interaction: Interaction,
        name: str,
        value: app_commands.Range[str, 1, _VALUE],
        where: str | None = None,
    ) -> None:
        """Change one value."""
        # With the sign, a value may begin with one of its own.
        await self._run(interaction, f"profile set {name} = {value} {_for(interaction, where)}")

    @profile.command(name=named("unset", "清除"), description=described(texts.PROFILE_UNSET))
    @app_commands.rename(name=_NAME_NAME, where=_WHERE_NAME)
    @app_commands.describe(name=described(texts.OPTION_NAME), where=described(texts.OPTION_WHERE))
    @app_commands.choices(name=_FIELDS, where=_WHERE)
    async def profile_unset(self, interaction: Interaction, name: str, where: str | None = None) -> None:
        """Inherit one value."""
        await self._run(interaction, f"profile unset {name} {_for(interaction, where)}")

    @profile.command(name=_form("versions"), description=described(texts.PROFILE_VERSIONS))
    @app_commands.rename(where=_WHERE_NAME)
    @app_commands.describe(where=described(texts.OPTION_WHERE))
    @app_commands.choices(where=_WHERE)
    async def profile_versions(self, interaction: Interaction, where: str | None = None) -> None:
        """The changes."""
        await self._run(interaction, f"profile versions {_for(interaction, where)}")

    @profile.command(name=_form("undo"), description=described(texts.PROFILE_UNDO))
    @app_commands.rename(where=_WHERE_NAME)
    @app_commands.describe(where=described(texts.OPTION_WHERE))
    @app_commands.choices(where=_WHERE)
    async def profile_undo(self, interaction: Interaction, where: str | None = None) -> None:
        """Take the last change back."""
        await self._run(interaction, f"profile undo {_for(interaction, where)}")

    @profile.command(name=named("restore", "恢复"), description=described(texts.PROFILE_RESTORE))
    @app_commands.rename(version=named("version", "版本号"), where=_WHERE_NAME)
    @app_commands.describe(version=described(texts.OPTION_VERSION), where=described(texts.OPTION_WHERE))
    @app_commands.choices(where=_WHERE)
    @app_commands.autocomplete(version=_versions)
    async def profile_restore(
        self, interaction: Interaction, version: app_commands.Range[int, 0, 999_999_999], where: str | None = None
    ) -> None:
        """Bring a version back."""
        await self._run(interaction, f"profile restore {version} {_for(interaction, where)}")

    @forget.command(name=_form("this"), description=described(texts.FORGET_THIS))
    @app_commands.rename(confirm=_CONFIRM_NAME)
    @app_commands.describe(confirm=described(texts.OPTION_CONFIRM))
    async def forget_this(self, interaction: Interaction, confirm: bool = False) -> None:
        """Delete the conversation."""
        await self._run(interaction, "forget this confirm" if confirm else "forget this")

    @forget.command(name=_form("me"), description=described(texts.FORGET_ME))
    @app_commands.rename(confirm=_CONFIRM_NAME)
    @app_commands.describe(confirm=described(texts.OPTION_CONFIRM))
    async def forget_me(self, interaction: Interaction, confirm: bool = False) -> None:
        """Delete all that is somebody's."""
        await self._run(interaction, "forget me confirm" if confirm else "forget me")


async def payload(tree: app_commands.CommandTree[Any]) -> list[Mapping[str, Any]]:
    """All commands as Discord is sent them."""
    translator = tree.translator
    commands = tree.get_commands()
    if translator is None:
        return [command.to_dict(tree) for command in commands]
    return [await command.get_translated_payload(tree, translator) for command in commands]
