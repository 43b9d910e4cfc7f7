"""The thread that an answer opens from its question, and what becomes of it when there is no answer in it after all.

It is opened by the first message and not before: a question that is refused or taken back meanwhile leaves nothing
behind, and all that would be gained is one call's time.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Final

from adapters.chat.abilities import Abilities
from adapters.discord import limits
from adapters.discord.connection.listing import listed
from adapters.discord.connection.rest import Rest
from adapters.discord.errors import PERMISSION_CODES
from adapters.discord.replying.doing import Ability
from adapters.discord.replying.own import SAID
from agent.language import Text
from bot.messages import Asked, Target
from bot.posting import Refused

log = logging.getLogger(__name__)

#: A thread was opened from this message before: by us, or by somebody who was faster.
_OPENED: Final = "160004"
#: No thread can be opened here: not by us, not with so many open.
_NO_THREAD: Final = PERMISSION_CODES | {"160006"}
#: There is no such message in the channel. The first one of a forum's post is in the post, which has its id.
_GONE: Final = "10008"
#: From messages of such a channel no threads are opened: it is a forum.
_FORUM: Final = "50024"
#: What a thread is called that was opened from a message without words.
_UNNAMED: Final = Text("Answer", "回答")
_MARKS: Final = re.compile(r"[*_~`|>#\\]+|\[([^\]]*)\]\([^)]*\)")


class Opening:
    """One reply's thread. Calls raise what `bot.posting` names; every one after the first of a method is preceded by a
    check of the lease.
    """

    def __init__(
        self,
        rest: Rest,
        abilities: Abilities[Ability],
        target: Target,
        asked: Asked,
        check: Callable[[], None],
        *,
        opened: bool,
    ) -> None:
        """`opened`: whether messages of the reply are in it already."""
        self._rest = rest
        self._abilities = abilities
        self._channel = target.channel
        self._asked = asked
        self._check = check
        #: Whether the thread's id is the question's: it is there from the first message on.
        self.is_ours = bool(asked.message_id) and target.thread == asked.message_id
        self.is_open = opened or not self.is_ours
        #: Whether this object has opened it.
        self.is_new = False

    async def open(self, urgent: bool) -> bool:
        """Have it; whether there is one."""
        if self.is_open or not self._abilities.has(self._rest, "opening", self._channel):
            self.is_open = True
            return True
        if not self._abilities.has(self._rest, "thread", self._channel):
            return False
        body = {"name": name_of_thread(self._asked), "auto_archive_duration": limits.THREAD_ARCHIVE_MINUTES}
        try:
            await self._rest.call(
                "POST",
                "/channels/{channel_id}/messages/{message_id}/threads",
                urgent=urgent,
                json=body,
                channel_id=self._channel,
                message_id=self._asked.message_id,
            )
        except Refused as refused:
            if refused.code in _NO_THREAD:
                self.lacks(refused)
                return False
            if refused.code == _FORUM:
                self._abilities.lacks(self._rest, "opening", self._channel)
            elif refused.code not in (_OPENED, _GONE):
                raise
        else:
            self.is_new = True
        self.is_open = True
        self._check()
        return True

    def lacks(self, refused: Refused) -> None:
        """Threads aren't for us in this channel, for a while."""
        log.info("no thread in %s, so answers are given in the channel: %s", self._channel, refused)
        self._abilities.lacks(self._rest, "thread", self._channel)

    async def tidy_up(self) -> None:
        """After a reply was taken back: a thread with nothing in it goes, too, unless its question is still there and
        will be answered anew."""
        if not self.is_ours:
            return
        self._check()
        try:
            await self._rest.call(
                "GET",
                "/channels/{channel_id}/messages/{message_id}",
                channel_id=self._channel,
                message_id=self._asked.message_id,
            )
        except Refused as refused:
            if refused.code == _GONE:
                self._check()
                await self.remove()

    async def remove(self) -> None:
        """Delete it if we have opened it and nobody has said anything in it; where we may not, archive it."""
        thread = self._asked.message_id
        try:
            found = await self._rest.call("GET", "/channels/{channel_id}", channel_id=thread)
            if str(found.get("owner_id")) != str(self._rest.user_id):
                return
            self._check()
            messages = await listed(self._rest, thread, 10)
            if any(message.get("type") in SAID for message in messages):
                return
            self._check()
            try:
                await self._rest.call("DELETE", "/channels/{channel_id}", urgent=True, channel_id=thread)
            except Refused as refused:
                if refused.code not in PERMISSION_CODES:
                    raise
                self._check()
                await self._rest.call(
                    "PATCH", "/channels/{channel_id}", urgent=True, json={"archived": True}, channel_id=thread
                )
        except Refused as refused:
            # It was never opened, or somebody else has removed it; or it stays.
            log.info("no empty thread was removed: %s", refused)


def name_of_thread(asked: Asked) -> str:
    """What the thread of an answer is called: the question, in a line."""
    name = " ".join(_MARKS.sub(r"\1", asked.about[: 10 * limits.THREAD_NAME]).split())
    if len(name) > limits.THREAD_NAME:
        name = f"{name[: limits.THREAD_NAME - 1].rstrip()}…"
    return name or _UNNAMED.say(asked.lang)
