"""What people press, choose, type after a slash and fill in. Each waits for the app's first answer as Discord does: for
three seconds."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from tests.fakes.discord import forms, permissions, typed
from tests.fakes.discord.people import Body, Control
from tests.fakes.discord.state import Discord
from tests.fakes.discord.world import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    EPHEMERAL,
    MODAL_SUBMIT,
    Channel,
    DiscordError,
    Interaction,
    Message,
)

#: Callback type → what the person sees at first.
_OUTCOMES = {1: "pong", 4: "answered", 5: "thinking", 6: "taken", 7: "changed", 8: "suggested", 9: "form"}
#: What they see when the app doesn't answer in time ("This interaction failed").
FAILED = "failed"


class Hands:
    """Everybody's. Raises `DiscordError` where there is nothing to press."""

    def __init__(self, discord: Discord) -> None:
        self._discord = discord
        #: Person → the interaction that opened the form in front of them.
        self._forms: dict[str, Interaction] = {}

    def controls(self) -> dict[str, Control]:
        """Name → what a person can do."""
        return {
            "press": self._press,
            "command": self._command,
            "suggest": self._suggest,
            "form": self._form,
            "submit": self._submit,
            "close": self._close,
        }

    async def _press(self, body: Body) -> Body:
        """`user` presses what is called `custom_id` in message `id` of `channel`, or chooses `values` in it."""
        user = body["user"]
        message = self._discord.message(body["channel"], body["id"])
        if message.ephemeral_to not in ("", user):
            raise DiscordError(404, 10008, "Unknown Message")
        place = self._place(message.channel_id, user)
        component = forms.find(message.components, body["custom_id"])
        data = forms.pressed(component, body.get("values"))
        self._discord.log.write(
            "pressed",
            subject=message.subject,
            user=user,
            custom_id=data["custom_id"],
            values=data.get("values"),
            channel=place.id,
        )
        return await self._ask(COMPONENT, user, place, data, message)

    async def _command(self, body: Body) -> Body:
        """`user` types a slash command: `name`, `path` (subcommands) and `options` by name, in `channel` or else in the
        DM with the app. An id of an upload stands for an attachment."""
        user, place, data = self._typed(body)
        self._discord.log.write("commanded", user=user, channel=place.id, name=data["name"], data=data)
        return await self._ask(COMMAND, user, place, data)

    async def _suggest(self, body: Body) -> Body:
        """What is suggested while `user` types the option `focused` of a command."""
        user, place, data = self._typed(body, body["focused"])
        return await self._ask(AUTOCOMPLETE, user, place, data)

    def _typed(self, body: Body, focused: str = "") -> tuple[str, Channel, dict[str, Any]]:
        user = body["user"]
        place = self._place(body.get("channel") or self._discord.dm(user).id, user)
        command = typed.find(self._discord, body["name"], place, user)
        path, options = body.get("path") or (), body.get("options") or {}
        return user, place, typed.data_of(self._discord, command, place, path, options, focused)

    async def _form(self, body: Body) -> Body:
        """The form in front of somebody, or None."""
        opened = self._forms.get(body["user"])
        return {"form": opened.modal if opened is not None else None}

    async def _submit(self, body: Body) -> Body:
        """Fill in the form in front (`values` by custom_id) and submit it; it stays when the app doesn't answer."""
        user = body["user"]
        opened = self._forms.get(user)
        if opened is None or opened.modal is None:
            raise typed.refuse("no form is open")
        components = forms.filled(opened.modal, body.get("values") or {})
        data = {"custom_id": opened.modal["custom_id"], "components": components}
        message = self._discord.messages.get(opened.message_id)
        self._discord.log.write("submitted", user=user, custom_id=data["custom_id"], channel=opened.channel_id)
        # A form that answers another form doesn't exist on Discord, so this one is gone when it is answered.
        answer = await self._ask(MODAL_SUBMIT, user, self._discord.channel(opened.channel_id), data, message)
        if answer["outcome"] != FAILED and self._forms.get(user) is opened:
            del self._forms[user]
        return answer

    async def _close(self, body: Body) -> Body:
        """Close the form in front: no app hears of it."""
        self._forms.pop(body["user"], None)
        return {}

    async def _ask(
        self, kind: int, user: str, place: Channel, data: dict[str, Any], message: Message | None = None
    ) -> Body:
        """Send an interaction and wait for its first answer."""
        interaction = self._discord.interact(kind, user, place.id, data, message=message)
        await self._first_answer(interaction)
        if interaction.answered is None:
            self._discord.log.write("interaction_failed", id=interaction.id, user=user, channel=place.id)
            return {"outcome": FAILED, "interaction": interaction.id}
        if interaction.modal is not None:
            self._forms[user] = interaction
        return {
            "outcome": _OUTCOMES.get(interaction.answered, str(interaction.answered)),
            "interaction": interaction.id,
            "form": interaction.modal,
            "choices": interaction.choices,
            "message": self._shown(interaction),
        }

    async def _first_answer(self, interaction: Interaction) -> None:
        log = self._discord.log
        end = time.monotonic() + self._discord.config.interaction_ack
        while interaction.answered is None and (left := end - time.monotonic()) > 0:
            await log.read(len(log.entries), left)
        # What an answer carries is there by the next turn of the loop.
        await asyncio.sleep(0)

    def _shown(self, interaction: Interaction) -> Body | None:
        message = self._discord.messages.get(interaction.original_id)
        if message is None or message.deleted_at is not None:
            return None
        return {
            "channel": message.channel_id,
            "id": message.id,
            "text": message.content,
            "private": bool(message.flags & EPHEMERAL),
        }

    def _place(self, channel: str, user: str) -> Channel:
        place = self._discord.channel(channel)
        if not self._discord.permissions(place, user) & permissions.VIEW_CHANNEL:
            raise DiscordError(403, 50001, "Missing Access")
        return place
