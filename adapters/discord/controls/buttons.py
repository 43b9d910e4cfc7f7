"""What people press in our messages. A button is known by its `custom_id` alone, whichever process has posted it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import discord

from adapters.chat import actions, texts
from adapters.chat.actions import Pressed, pressed
from adapters.chat.presses import Presses
from adapters.chat.steps import Shown
from adapters.discord.controls import steps_view
from adapters.discord.controls.front import Click, Front, Interaction
from adapters.discord.controls.profile_desk import ProfileDesk
from adapters.discord.replying.look import Look, rating_row
from agent.language import Lang, Text

#: Whatever has this form is ours.
PRESSABLE: Final = re.compile(r"(?P<action>kagent\.[a-z.]+):(?P<value>[^\n]*)")


class Buttons:
    """Obeys presses."""

    def __init__(self, front: Front, presses: Presses, desk: ProfileDesk, titles: Mapping[str, Text]) -> None:
        """`titles`: what the steps of each tool are called."""
        self._front = front
        self._presses = presses
        self._desk = desk
        self._titles = titles

    def knows(self, action: str) -> bool:
        """Whether it is one of this version's."""
        return action in (actions.STEPS, steps_view.PAGE, *self._presses.actions, *self._desk.actions)

    def item(self) -> type[discord.ui.DynamicItem[Any]]:
        """Brings every press to us, of messages that were posted long ago, too."""
        return _item(self.pressed)

    async def pressed(self, interaction: Interaction, action: str) -> None:
        """Obey a press; what isn't known is told elsewhere (`knows`)."""
        if action in self._desk.actions:
            self._front.start("the profile", self._desk.pressed(interaction, action))
        elif action in (actions.STEPS, steps_view.PAGE):
            self._front.start("showing the steps", self._front.handle("showing the steps", interaction, self._steps))
        elif action == actions.STOP:
            self._front.start("a press", self._front.settle("a press", interaction, self._stop))
        elif action in self._presses.actions:
            self._front.start("a press", self._front.handle("a press", interaction, self._obey))

    async def _stop(self, click: Click, lang: Lang) -> str | Text | None:
        action, found = _pressed(click)
        return await self._presses.obey(action, found, click.press(lang))

    async def _obey(self, click: Click, lang: Lang) -> None:
        action, found = _pressed(click)
        said = await self._presses.obey(action, found, click.press(lang))
        if said is None:
            return
        text = said.say(lang) if isinstance(said, Text) else said
        if action == actions.FEEDBACK and said is texts.THANKS and found is not None:
            await self._front.answer(click, [Look(text, rating_row(found.turn_id))])
        elif action == actions.RATE and found is not None:
            # They may change their mind.
            await self._front.change(click, Look(text, rating_row(found.turn_id)))
        else:
            await self._front.tell(click, text, lang)

    async def _steps(self, click: Click, lang: Lang) -> None:
        action, found = _pressed(click)
        trace = await self._presses.steps(found, click.press(lang))
        if isinstance(trace, str | Text):
            await self._front.tell(click, trace, lang)
            return
        detail = found.detail if found is not None else ""
        page = int(detail) if action == steps_view.PAGE and detail.isdigit() else 0
        shown = Shown(lang, self._titles)
        # Many pages of Markdown take their time.
        look = await asyncio.to_thread(steps_view.view, trace, shown, page=page)
        if action == steps_view.PAGE:
            await self._front.change(click, look)
        else:
            await self._front.answer(click, [look])


def _pressed(click: Click) -> tuple[str, Pressed | None]:
    action, _, value = (click.interaction.custom_id or "").partition(":")
    return action, pressed(value)


def _item(told: Callable[[Interaction, str], Awaitable[None]]) -> type[discord.ui.DynamicItem[Any]]:
    class Pressable(discord.ui.DynamicItem[discord.ui.Item[Any]], template=PRESSABLE):
        """Any button or menu of ours."""

        @classmethod
        async def from_custom_id(
            cls, interaction: Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
        ) -> Pressable:
            return cls(item)

        async def callback(self, interaction: Interaction) -> None:
            await told(interaction, self.custom_id.partition(":")[0])

    return Pressable
