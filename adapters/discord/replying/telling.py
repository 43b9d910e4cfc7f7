"""Tells somebody in private that they get no answer where they asked: whoever may mend it should hear of it."""

from __future__ import annotations

import logging
from typing import Final

from adapters.chat.abilities import Abilities
from adapters.chat.tasks import OUTSIDE, Tasks
from adapters.discord.asking.handing_out import send_direct
from adapters.discord.connection.rest import Rest
from adapters.discord.errors import LOCKED, sentence
from adapters.discord.hearing.parse import DIRECT
from adapters.discord.replying.doing import Ability
from adapters.discord.replying.look import Look
from agent.language import Text
from bot.messages import Asked, Target

log = logging.getLogger(__name__)

_UNANSWERED: Final = Text("I can't answer you in <#{place}>. {why}", "我无法在 <#{place}> 回答你。{why}")


class Telling:
    """One for the process. Each person is told once about a channel, for a while."""

    def __init__(self, rest: Rest, abilities: Abilities[Ability], tasks: Tasks) -> None:
        self._rest = rest
        self._abilities = abilities
        self._tasks = tasks

    def unanswered(self, target: Target, asked: Asked, code: str) -> None:
        """Discord doesn't let us answer there, and says so with this code. Behind the caller's back, once."""
        about = f"{asked.author.id}/{target.channel}"
        is_somebody = asked.author.id and asked.author.kind != "bot"
        if target.workspace == DIRECT or not is_somebody or not self._abilities.has(self._rest, "telling", about):
            return
        self._abilities.lacks(self._rest, "telling", about)
        self._tasks.start("telling somebody that they get no answer", self._tell(target, asked, code))

    async def _tell(self, target: Target, asked: Asked, code: str) -> None:
        # Only a thread that is there can be locked; others may never have been opened.
        place = (code == LOCKED and target.thread) or target.channel
        text = _UNANSWERED.say(asked.lang, place=place, why=sentence(code, asked.lang))
        try:
            await send_direct(self._rest, asked.author.id, [Look(text)])
        except OUTSIDE as error:
            log.info("somebody who gets no answer couldn't be told: %s", error)
