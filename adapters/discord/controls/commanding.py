"""Slash commands: taken note of at once, answered where they were typed, seen by whoever typed them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from adapters.chat.commanding import Brought, Runs, brought
from adapters.discord import texts
from adapters.discord.controls.commands import COMMAND, usual_place
from adapters.discord.controls.front import Click, Front, Interaction
from adapters.discord.controls.profile_desk import ProfileDesk
from adapters.discord.controls.spelling import BENCH_COMMAND, spelled
from adapters.discord.render.parts import parts
from adapters.discord.replying.layout import layout
from adapters.discord.replying.look import Look
from agent.language import Lang
from bot.invocation import CommandReply, Invocation
from bot.people import People
from bot.profiles import Profiles

_MIB = 1024 * 1024

_Run = Callable[[Invocation], Awaitable[CommandReply]]


class Commanding:
    """Runs commands and brings their replies."""

    def __init__(self, front: Front, commands: Runs, people: People, profiles: Profiles, desk: ProfileDesk) -> None:
        self._front = front
        self._commands = commands
        self._people = people
        self._profiles = profiles
        self._desk = desk

    async def run(self, interaction: Interaction, words: str) -> None:
        """`/kagent`."""
        self._start(interaction, self._commands.run, words, COMMAND)

    async def bench(self, interaction: Interaction, words: str) -> None:
        """`/kagent-bench`."""
        self._start(interaction, self._commands.bench, words, BENCH_COMMAND)

    async def edit(self, interaction: Interaction) -> None:
        """`/kagent profile edit`."""
        self._front.start("the profile", self._front.handle("the profile", interaction, self._desk.show))

    def _start(self, interaction: Interaction, run: _Run, words: str, name: str) -> None:
        async def work(click: Click, lang: Lang) -> None:
            invocation = await self._invocation(click, words, lang, name)
            await self._bring(click, await brought(run(invocation), invocation, self._people), lang)

        self._front.start("a command", self._front.handle("a command", interaction, work))

    async def _bring(self, click: Click, found: Brought, lang: Lang) -> None:
        if found.file is not None:
            most = click.interaction.filesize_limit
            if len(found.file.data) > most:
                said = texts.TOO_LARGE.say(lang, name=found.file.name, size=most // _MIB)
                await self._front.tell(click, said, lang)
                return
            # Nobody else sees it, and nobody has to be written to.
            await self._front.answer(click, [Look(next(parts(found.text), ""), files=(found.file,))])
            return
        rows = self._desk.rows(click, lang) if found.opens_profile else ()
        await self._front.answer(click, layout(found.text, lang, rows), private=found.private)

    async def _invocation(self, click: Click, words: str, lang: Lang, name: str) -> Invocation:
        target = click.target
        here = click.direct or target.thread is not None
        if not here:
            # Where questions are answered in the channel itself, it is a conversation, too.
            here = (await self._profiles.effective(target)).profile.answer_in == "channel"
        lead, usual = f"/{name} ", usual_place(click.interaction)
        return Invocation(
            target,
            click.user,
            words,
            lang,
            in_conversation=here,
            direct=click.direct,
            lead=lead,
            spelled=lambda said: spelled(said, lead, lang, usual),
        )
