"""What everything that people press, type after a slash and fill in has in common: who did it where, in which language
they are answered, and how.

Discord waits three seconds for the first answer to an interaction and takes further ones for fifteen minutes. What is
late after all is told as a direct message, or by the bot in the channel.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import discord

from adapters.chat.languages import Languages
from adapters.chat.presses import Press, Serves
from adapters.chat.tasks import OUTSIDE, Tasks
from adapters.chat.tried import tried
from adapters.discord import limits, texts
from adapters.discord.asking.handing_out import attached, send_direct, send_to
from adapters.discord.asking.persons import administers
from adapters.discord.connection.patient import patiently
from adapters.discord.connection.rest import Rest, understood
from adapters.discord.errors import EXPIRED_CODES
from adapters.discord.hearing.parse import DIRECT, PLATFORM, Room, target_of
from adapters.discord.render.parts import parts
from adapters.discord.replying.look import Look, Row
from adapters.discord.texts import DISCORD
from agent.language import Lang, Text
from bot.messages import Author, Person, Target
from bot.people import People
from bot.policy import Role
from bot.ports import StoreUnavailable
from bot.posting import Ambiguous, Refused, RetryLater
from bot.rendering.split import utf16
from bot.texts import reason_text

log = logging.getLogger(__name__)

Interaction = discord.Interaction[Any]

#: Code of an interaction that somebody else has answered: another process, or this one when it was told twice.
_ANSWERED: Final = "40060"
_NOBODY: Final = discord.AllowedMentions.none()
#: Seconds within which a modal is made: opening it must be the first answer, and Discord waits for three.
_OPEN_S: Final = 2.0
#: Seconds for which it is asked again whether somebody who writes to us directly is served.
_ADMIT_S: Final = 2.0
#: Seconds that something may take before it is taken note of, of the three that Discord waits.
_NOTE_S: Final = 1.5


class Admits(Protocol):
    """`adapters.discord.connection.access.Access`."""

    def serves(self, server: str) -> bool:
        """Whether a server is served."""

    async def serves_person(self, user_id: str) -> bool:
        """Whether somebody may write to us directly."""


@dataclass(frozen=True, slots=True)
class Click:
    """Somebody pressed, chose, submitted or typed something."""

    interaction: Interaction
    #: The conversation of the thread, channel or direct messages where it was done.
    target: Target
    user: Author

    @property
    def direct(self) -> bool:
        """Whether nobody else is there."""
        return self.target.workspace == DIRECT

    @property
    def is_command(self) -> bool:
        """Whether a command was typed: its first answer is a message of its own."""
        return self.interaction.type is discord.InteractionType.application_command

    def press(self, lang: Lang) -> Press:
        """The same as the core of presses knows it."""
        return Press(self.user, self.target, lang, self.direct)


#: What is done for a click; whatever it raises is told in one sentence.
Work = Callable[[Click, Lang], Awaitable[None]]
#: The same; what it returns is told.
Deed = Callable[[Click, Lang], Awaitable[str | Text | None]]
#: Makes the modal for a click, or says why there is none.
Make = Callable[[Click, Lang], Awaitable[dict[str, Any] | Text]]


def click_of(interaction: Interaction) -> Click:
    """Who did what where. Raises `ValueError` for a place that there isn't."""
    channel = interaction.channel
    if channel is None:
        raise ValueError("an interaction without a channel")
    workspace = DIRECT if interaction.guild_id is None else str(interaction.guild_id)
    if isinstance(channel, discord.Thread):
        room = Room(workspace, str(channel.parent_id), str(channel.id))
    else:
        room = Room(workspace, str(channel.id))
    user = interaction.user
    author = Author(str(user.id), user.display_name, "bot" if user.bot else "member")
    return Click(interaction, target_of(room), author)


def locale_of(interaction: Interaction) -> Lang | None:
    """The language of somebody's client; None when it is neither of ours."""
    spoken = str(interaction.locale).partition("-")[0]
    return "zh" if spoken == "zh" else "en" if spoken == "en" else None


class Rows(discord.ui.View):
    """Rows of buttons as raw JSON. discord.py keeps nothing of it: presses are known by their `custom_id` alone."""

    def __init__(self, rows: Sequence[Row]) -> None:
        super().__init__(timeout=None)
        self._rows = rows

    def to_components(self) -> list[dict[str, Any]]:
        """What is sent."""
        return list(self._rows)


class Form(discord.ui.Modal):
    """A modal as raw JSON, of which discord.py keeps nothing, either."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__(title=body["title"], custom_id=body["custom_id"])
        self._body = body

    def to_dict(self) -> dict[str, Any]:
        """What is sent."""
        return self._body

    def is_finished(self) -> bool:
        """So that it isn't kept."""
        return True


class Front:
    """Who somebody is to us, and how they are answered."""

    def __init__(
        self,
        rest: Rest,
        admits: Admits,
        people: People,
        languages: Languages,
        tasks: Tasks,
        *,
        serves: Serves | None = None,
    ) -> None:
        """`admits`: which servers, and whom in direct messages; `serves`: who is denied there, None for nobody."""
        self._rest = rest
        self._admits = admits
        self._serves = serves
        self._people = people
        self._languages = languages
        self._tasks = tasks

    def start(self, what: str, work: Coroutine[Any, Any, None]) -> None:
        """Go on with this beside the gateway."""
        self._tasks.start(what, work)

    async def handle(self, what: str, interaction: Interaction, work: Work) -> None:
        """Take note of an interaction and do the work; one sentence for whoever waits, whatever goes wrong."""
        click = click_of(interaction)
        if await self._ack(click):
            await self.attend(what, click, work)

    async def settle(self, what: str, interaction: Interaction, deed: Deed) -> None:
        """Do something that must not get lost, and take note of it when it is done: if this process dies before that,
        people are told that it failed. Discord may tell of it twice, so it must be one that may be repeated.
        """
        click = click_of(interaction)
        lang = await self.lang(click)
        doing = asyncio.create_task(tried(what, self._served(click, lang, deed), DISCORD))
        try:
            await asyncio.wait({doing}, timeout=_NOTE_S)
            noted = await self._ack(click)
            said = await doing
        finally:
            doing.cancel()
        if noted and said is not None:
            await self.tell(click, said, lang)

    async def _served(self, click: Click, lang: Lang, deed: Deed) -> str | Text | None:
        return await deed(click, lang) if await self._admitted(click) else _turned_away(click)

    async def attend(self, what: str, click: Click, work: Work) -> None:
        """The same for an interaction that is answered by the work itself, or has been."""
        lang = await self.lang(click)

        async def served() -> None:
            if await self._admitted(click):
                await work(click, lang)
            else:
                await self.tell(click, _turned_away(click), lang)

        said = await tried(what, served(), DISCORD)
        if said is not None:
            await self.tell(click, said, lang)

    async def admits(self, interaction: Interaction) -> bool:
        """Whether whoever did this is served where they did it. Raises as `Rest.call` does."""
        click = click_of(interaction)
        return self.refusal(click, "en") is None and await self._admitted(click)

    def refusal(self, click: Click, lang: Lang) -> str | None:
        """Why somebody is denied everything but having their data deleted, in a sentence; None if they aren't."""
        denied = self._serves.denied(click.target, click.user, direct=click.direct) if self._serves else None
        return None if denied is None else reason_text(denied, lang)

    async def _admitted(self, click: Click) -> bool:
        if not click.direct:
            return self._admits.serves(click.target.workspace)
        return await patiently(lambda: self._admits.serves_person(click.user.id), _ADMIT_S)

    async def lang(self, click: Click) -> Lang:
        """The language of somebody's client, else that of the profile that holds there."""
        await self._meet(click)
        return locale_of(click.interaction) or await self._languages.of(
            click.target.workspace, click.target.channel, click.user.id
        )

    async def role(self, click: Click) -> Role:
        """What somebody may do here. Raises `StoreUnavailable`."""
        return await self._people.role(click.user, click.target)

    async def _meet(self, click: Click) -> None:
        """Discord tells with each interaction what its user may do in the server: nobody has to ask for it then."""
        interaction = click.interaction
        # In direct messages there are no roles: only operators are admins there.
        is_admin = not click.direct and administers(interaction.permissions.value)
        who = Person(
            click.user.id, click.user.name, kind=click.user.kind, is_admin=is_admin, lang=locale_of(interaction)
        )
        try:
            await self._people.met(PLATFORM, click.target.workspace, who)
        except StoreUnavailable as error:
            log.info("somebody's description was not kept: %s", error)

    # Answers

    async def tell(self, click: Click, said: str | Text, lang: Lang) -> None:
        """Say one sentence to somebody in private; what can't be delivered is let go."""
        text = said.say(lang) if isinstance(said, Text) else said
        try:
            await self.answer(click, [Look(next(parts(text)))])
        except OUTSIDE as error:
            log.info("a private answer was not taken: %s", error)

    async def answer(self, click: Click, looks: Sequence[Look], *, private: bool = True) -> None:
        """Answer something that was taken note of: in its place, or where that is not possible any more, as a direct
        message (`private`) or as the bot in its place. Raises as `Rest.call` does.
        """
        rest = list(looks)
        try:
            if click.is_command:
                await self._begin(click, rest, private=private)
            while rest:
                await self._follow_up(click, rest[0], private=private)
                rest.pop(0)
            if click.is_command and not private:
                await self._end(click)
        except Refused as refused:
            if refused.code not in EXPIRED_CODES:
                raise
            log.info("an interaction could not be answered any more (%s): the bot says it instead", refused.code)
            await self._otherwise(click, rest, private=private)

    async def _begin(self, click: Click, rest: list[Look], *, private: bool) -> None:
        """The first answer to a command takes the place of "thinking", which only whoever typed it sees."""
        original = click.interaction.edit_original_response
        if click.interaction.extras.get("begun"):
            return
        if private:
            look = rest[0]
            files = {"attachments": attached(look.files)} if look.files else {}
            await understood(
                original(content=look.text, view=Rows(look.rows), allowed_mentions=_NOBODY, **files)  # type: ignore[arg-type]
            )
            rest.pop(0)
        else:
            # Whatever comes first takes the place of "thinking", and is as private.
            said = texts.SAID.say(locale_of(click.interaction) or "en")
            await understood(original(content=said, allowed_mentions=_NOBODY))
        click.interaction.extras["begun"] = True

    async def _end(self, click: Click) -> None:
        """Everybody sees the answer, so whoever typed the command needs no other."""
        try:
            await understood(click.interaction.delete_original_response())
        except OUTSIDE as error:
            log.info("a private note stays: %s", error)

    async def _follow_up(self, click: Click, look: Look, *, private: bool) -> None:
        send: Any = click.interaction.followup.send
        more: dict[str, Any] = {"view": Rows(look.rows)} if look.rows else {}
        if look.files:
            more["files"] = attached(look.files)
        await understood(
            send(
                look.text,
                ephemeral=private,
                # What everybody sees is told by this from the messages of turns.
                silent=not private,
                suppress_embeds=True,
                allowed_mentions=_NOBODY,
                wait=True,
                **more,
            )
        )

    async def _otherwise(self, click: Click, looks: Sequence[Look], *, private: bool) -> None:
        place = click.target.thread or click.target.channel
        if not private:
            await send_to(self._rest, place, looks)
        elif click.direct:
            await send_direct(self._rest, click.user.id, looks)
        else:
            await send_direct(self._rest, click.user.id, _elsewhere(looks, place, locale_of(click.interaction) or "en"))

    async def change(self, click: Click, look: Look) -> None:
        """Show something else in the private message in which something was pressed. Raises as `Rest.call` does."""
        edit: Any = click.interaction.edit_original_response
        await understood(edit(content=look.text, view=Rows(look.rows), allowed_mentions=_NOBODY))

    async def open(self, what: str, interaction: Interaction, make: Make) -> None:
        """Answer with the modal that is made, within three seconds, or else with a sentence."""
        click, lang = click_of(interaction), locale_of(interaction) or "en"
        body: dict[str, Any] | Text
        try:
            async with asyncio.timeout(_OPEN_S):
                lang = await self.lang(click)
                body = await tried(what, self._made(click, lang, make), DISCORD)
        except TimeoutError:
            body = texts.SLOW
        if not isinstance(body, Text):
            await understood(interaction.response.send_modal(Form(body)))
        elif await self._ack(click):
            await self.tell(click, body, lang)

    async def _made(self, click: Click, lang: Lang, make: Make) -> dict[str, Any] | Text:
        return await make(click, lang) if await self._admitted(click) else _turned_away(click)

    async def _ack(self, click: Click) -> bool:
        """Take note within three seconds; False where somebody else has. A command says that it is thinking, to whoever
        typed it; after a press nothing changes.
        """
        try:
            await understood(click.interaction.response.defer(ephemeral=True, thinking=click.is_command))
        except Refused as refused:
            if refused.code == _ANSWERED:
                return False
            # Too late: people are told that it failed, but it is done all the same, like what they press again.
            log.warning("an interaction could not be taken note of: %s", refused)
        except (RetryLater, Ambiguous) as error:
            log.warning("an interaction could not be taken note of: %s", error)
        return True

    async def failed(self, interaction: Interaction, said: Text) -> None:
        """Answer what can't be handled at all."""
        if interaction.type is discord.InteractionType.autocomplete:
            return
        click = click_of(interaction)
        if interaction.response.is_done() or await self._ack(click):
            await self.tell(click, said, await self.lang(click))


def _elsewhere(looks: Sequence[Look], place: str, lang: Lang) -> list[Look]:
    """What was asked for in this place as it is said in direct messages: with that place's name, and without buttons,
    which would be about another place there."""
    note = texts.LATE.say(lang, place=place)
    bare = [replace(look, rows=()) for look in looks]
    if bare and utf16(f"{note}\n{bare[0].text}") <= limits.CONTENT:
        return [replace(bare[0], text=f"{note}\n{bare[0].text}"), *bare[1:]]
    return [Look(note), *bare]


def _turned_away(click: Click) -> Text:
    return texts.NOT_SERVED_DIRECT if click.direct else texts.NOT_SERVED
