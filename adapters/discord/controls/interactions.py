"""Everything that people press, type after a slash and fill in, put on a client."""

from __future__ import annotations

import logging
from typing import Any, Final

import discord
from discord import app_commands

from adapters.chat import texts as chat
from adapters.chat.behind import Behind
from adapters.chat.languages import Languages
from adapters.chat.presses import Presses
from adapters.chat.profile_forms import ProfileForms
from adapters.chat.tasks import Tasks
from adapters.discord import texts
from adapters.discord.connection.rest import Rest
from adapters.discord.controls import modals
from adapters.discord.controls.bench_commands import Bench
from adapters.discord.controls.buttons import PRESSABLE, Buttons
from adapters.discord.controls.commanding import Commanding
from adapters.discord.controls.commands import Kagent, Tree
from adapters.discord.controls.front import Admits, Front, Interaction
from adapters.discord.controls.profile_desk import ProfileDesk
from adapters.discord.controls.suggestions import Suggestions
from adapters.discord.hearing.parse import PLATFORM
from adapters.discord.texts import DISCORD

log = logging.getLogger(__name__)

#: What an older version of our commands may meet: Discord's clients learn of new ones with a delay.
_OUTDATED: Final = (
    app_commands.CommandNotFound,
    app_commands.CommandSignatureMismatch,
    app_commands.TransformerError,
)


class Interactions:
    """Commands, buttons and forms: `inbound.Part`."""

    def __init__(self, rest: Rest, admits: Admits, behind: Behind) -> None:
        #: What was begun and isn't over.
        self.tasks = Tasks()
        languages = Languages(PLATFORM, behind.people, behind.profiles, behind.lang)
        self._front = Front(rest, admits, behind.people, languages, self.tasks, serves=behind.serves)
        forms = ProfileForms(DISCORD, behind.people, behind.profiles, behind.titles, behind.models, hints=texts.HINTS)
        self._desk = ProfileDesk(self._front, forms)
        presses = Presses(
            behind.control, behind.store, behind.people, serves=behind.serves, belongs=behind.control.is_seen_from
        )
        self._buttons = Buttons(self._front, presses, self._desk, behind.titles)
        self._commanding = Commanding(self._front, behind.commands, behind.people, behind.profiles, self._desk)
        self._suggestions = Suggestions(self._front, behind.profiles, behind.titles, behind.models, behind.offers)
        self._item = self._buttons.item()

    def register(self, client: discord.Client) -> Tree:
        """Put everything on a client that is about to connect; the tree of its commands."""
        tree = Tree(client, self._failed)
        tree.add_command(Kagent(self._commanding.run, self._commanding.edit, self._suggestions))
        tree.add_command(Bench(self._commanding.bench, self._suggestions))
        client.add_dynamic_items(self._item)

        @client.event
        async def on_interaction(interaction: Interaction) -> None:
            await self._others(interaction)

        return tree

    async def stop(self) -> None:
        """Let what was begun end, soon."""
        await self.tasks.close()

    async def _others(self, interaction: Interaction) -> None:
        """What discord.py knows nobody for: forms, of which it would have to remember each, and what isn't ours."""
        custom_id = interaction.custom_id or ""
        if interaction.type is discord.InteractionType.modal_submit:
            meta = modals.meta_of(custom_id)
            if meta is not None:
                self.tasks.start("saving a profile", self._desk.submitted(interaction, meta))
                return
        elif interaction.type is not discord.InteractionType.component or self._is_known(custom_id):
            return
        self.tasks.start("an outdated form or button", self._front.failed(interaction, texts.OUTDATED))

    def _is_known(self, custom_id: str) -> bool:
        found = PRESSABLE.fullmatch(custom_id)
        return found is not None and self._buttons.knows(found["action"])

    async def _failed(self, interaction: Interaction, error: Exception) -> None:
        if isinstance(error, _OUTDATED):
            log.info("an outdated command: %s", error)
            said = texts.OUTDATED
        else:
            log.error("a command failed", exc_info=error)
            said = chat.TROUBLE
        self.tasks.start("a failed command", self._front.failed(interaction, said))


def command_tree() -> app_commands.CommandTree[Any]:
    """The commands alone, to be sent to Discord by hand. To be called inside an event loop; nothing in it can run."""
    client = discord.Client(intents=discord.Intents.none())

    async def nothing(*_: object) -> Any:
        raise RuntimeError("no command can run here")

    tree = Tree(client, nothing)
    tree.add_command(Kagent(nothing, nothing, _Nobody()))
    tree.add_command(Bench(nothing, _Nobody()))
    return tree


class _Nobody:
    async def models(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        return []

    async def values(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        return []

    async def versions(self, interaction: Interaction, current: str) -> list[app_commands.Choice[int]]:
        return []

    async def bench(self, kind: str, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        return []

    async def bench_list(self, names: str, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        return []
