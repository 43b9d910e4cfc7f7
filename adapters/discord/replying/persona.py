"""The profile's name and picture on our messages, by a webhook of ours in the channel."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from typing import Final, NamedTuple
from weakref import WeakValueDictionary

from adapters.chat.abilities import Abilities
from adapters.discord import limits
from adapters.discord.connection.rest import Rest
from adapters.discord.replying.doing import Ability
from agent.profile import Profile
from bot.messages import Asked
from bot.posting import Refused

log = logging.getLogger(__name__)

#: The name that a profile has while nobody has chosen one, and our webhooks where the bot's own name can't be one.
_UNNAMED: Final = Profile().agent_name
#: Names that Discord refuses (docs, webhook resource, create webhook).
_REFUSED: Final = re.compile(r"discord|clyde|^(?:everyone|here)$", re.IGNORECASE)
#: Where Discord keeps the pictures of bots.
_PICTURE: Final = "https://cdn.discordapp.com/avatars/{user}/{picture}.png"


class Hook(NamedTuple):
    """A webhook that may post in its channel and in the threads there."""

    id: str
    token: str


class Personas:
    """One for the process: one webhook for each channel, found or made when it is first needed."""

    def __init__(self, rest: Rest, abilities: Abilities[Ability], *, worn: bool) -> None:
        """`worn`: whether new messages are to have them; those that have one keep it."""
        self._rest = rest
        self._abilities = abilities
        self._worn = worn
        #: Channel → webhook.
        self._hooks: dict[str, Hook] = {}
        #: Webhook → its token; of messages that another process has posted, too.
        self._tokens: dict[str, str] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        #: Address of the bot's own picture; None until it was asked for.
        self._picture: str | None = None

    def wanted(self, asked: Asked, channel: str) -> bool:
        """Whether there is anything to show, and the channel lets us."""
        chosen = bool(_name(asked) or asked.icon.startswith("https://"))
        return self._worn and chosen and self._abilities.has(self._rest, "persona", channel)

    async def face(self, asked: Asked) -> dict[str, str]:
        """Name and picture as arguments of a call that executes a webhook."""
        picture = asked.icon if asked.icon.startswith("https://") else await self._own_picture()
        shown = {"username": _name(asked)} if _name(asked) else {}
        return shown | ({"avatar_url": picture} if picture else {})

    def known(self, channel: str) -> Hook | None:
        """The channel's webhook, if it was used before."""
        return self._hooks.get(channel)

    async def hook(self, channel: str, check: Callable[[], None]) -> Hook | None:
        """The channel's webhook; None where we may have none. `check` is called before each call after the first."""
        if (known := self._hooks.get(channel)) is not None:
            return known
        # Two answers that begin together shall not make two.
        async with self._locks.setdefault(channel, asyncio.Lock()):
            if channel in self._hooks:
                return self._hooks[channel]
            try:
                hook = await self._found(channel)
                if hook is None:
                    check()
                    hook = await self._made(channel)
            except Refused as refused:
                log.info("no webhook in %s, so answers carry the bot's own name: %s", channel, refused)
                self.lacks(channel)
                return None
        self._hooks[channel] = hook
        self._tokens[hook.id] = hook.token
        return hook

    async def token(self, hook_id: str) -> str:
        """What it takes to change the messages of a webhook of ours. Raises `Refused` when it is gone."""
        if hook_id not in self._tokens:
            found = await self._rest.call("GET", "/webhooks/{webhook_id}", urgent=True, webhook_id=hook_id)
            token = str(found.get("token") or "")
            if not token:
                # Somebody else's by now.
                raise Refused("50027")
            self._tokens[hook_id] = token
        return self._tokens[hook_id]

    def forget(self, hook_id: str) -> None:
        """A webhook is gone, or its token is good for nothing any more."""
        self._tokens.pop(hook_id, None)
        for channel in [channel for channel, hook in self._hooks.items() if hook.id == hook_id]:
            del self._hooks[channel]

    def lacks(self, channel: str) -> None:
        """Messages in this channel are the bot's own for a while."""
        self._hooks.pop(channel, None)
        self._abilities.lacks(self._rest, "persona", channel)

    async def _found(self, channel: str) -> Hook | None:
        listed = await self._rest.call("GET", "/channels/{channel_id}/webhooks", channel_id=channel)
        ours = [
            Hook(str(one["id"]), str(one["token"]))
            for one in listed
            if one.get("token") and str(one.get("application_id")) == str(self._rest.application_id)
        ]
        # The oldest, so that all processes find the same.
        return min(ours, key=lambda hook: int(hook.id), default=None)

    async def _made(self, channel: str) -> Hook:
        name = self._rest.user_name
        made = await self._rest.call(
            "POST",
            "/channels/{channel_id}/webhooks",
            json={"name": _UNNAMED if _REFUSED.search(name) else name[: limits.WEBHOOK_NAME]},
            channel_id=channel,
        )
        return Hook(str(made["id"]), str(made["token"]))

    async def _own_picture(self) -> str:
        """The bot's own picture, so that a profile without one doesn't look like a stranger; "" for Discord's."""
        if self._picture is None:
            user = await self._rest.call("GET", "/users/@me")
            picture = str(user.get("avatar") or "")
            self._picture = _PICTURE.format(user=user["id"], picture=picture) if picture else ""
        return self._picture


def _name(asked: Asked) -> str:
    """The name that somebody has chosen and that Discord takes; ""."""
    name = " ".join(asked.name.split())[: limits.WEBHOOK_NAME]
    return "" if name == _UNNAMED or _REFUSED.search(name) else name
