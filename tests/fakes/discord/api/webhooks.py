"""Webhooks: making them, and writing through them with nothing but their token."""

from __future__ import annotations

import re

from tests.fakes.discord import components, errors, permissions, shapes
from tests.fakes.discord import content as contents
from tests.fakes.discord.api import followups
from tests.fakes.discord.api.call import Call, Json, Method, check_active
from tests.fakes.discord.content import Content
from tests.fakes.discord.world import FORUM, NEWS, TEXT, VOICE, Channel, DiscordError, Message, Webhook
from tests.fakes.discord.writing import compose, file_size, revise

_PER_CHANNEL = 15
_NAME = 80
#: What a webhook's name may not contain.
_FORBIDDEN = re.compile("clyde|discord", re.IGNORECASE)


def list_(call: Call) -> list[Json]:
    """The webhooks of a channel."""
    place = call.channel()
    call.need(place, permissions.MANAGE_WEBHOOKS)
    return [shapes.webhook(call.discord, one) for one in call.discord.webhooks.values() if one.channel_id == place.id]


def create(call: Call) -> Json:
    """A webhook of the app's; threads have none of their own."""
    place = call.channel()
    if place.type not in (TEXT, VOICE, NEWS, FORUM):
        raise errors.wrong_channel_type()
    call.need(place, permissions.MANAGE_WEBHOOKS)
    name = _checked_name(call.text("name", 1, _NAME), "name")
    if sum(1 for one in call.discord.webhooks.values() if one.channel_id == place.id) >= _PER_CHANNEL:
        raise DiscordError(400, 30007, f"Maximum number of webhooks reached ({_PER_CHANNEL})")
    webhook = call.discord.add_webhook(place.id, name, call.bot, application=call.discord.app.id)
    webhook.avatar = _avatar(call.form.get("avatar"))
    _tell(call, webhook)
    return shapes.webhook(call.discord, webhook)


def read(call: Call) -> Json:
    """A webhook, by the bot's token or by its own."""
    return shapes.webhook(call.discord, _webhook(call))


def change(call: Call) -> Json:
    """Its name, picture or channel."""
    webhook = _webhook(call)
    if "name" in call.form:
        webhook.name = _checked_name(call.text("name", 1, _NAME), "name")
    if "avatar" in call.form:
        webhook.avatar = _avatar(call.form["avatar"])
    if "channel_id" in call.form and "token" not in call.ids:
        webhook.channel_id = call.discord.channel(str(call.form["channel_id"])).id
    _tell(call, webhook)
    return shapes.webhook(call.discord, webhook)


def delete(call: Call) -> None:
    """It is gone, and what it wrote stays."""
    webhook = _webhook(call)
    del call.discord.webhooks[webhook.id]
    _tell(call, webhook)


def execute(call: Call) -> Json | None:
    """Write through it; with `wait` the message is answered. No nonce is looked at. An interaction's token writes a
    followup."""
    if followups.is_interaction(call):
        return followups.create(call)
    webhook = _webhook(call)
    place = _place(call, webhook)
    content = contents.read(call.form, call.uploads, file_size=file_size(call.discord, place))
    _check_buttons(call, webhook, content)
    username = call.form.get("username")
    draft = Message(
        "",
        place.id,
        webhook.id,
        webhook_id=webhook.id,
        username=webhook.name if username is None else _checked_name(call.text("username", 1, _NAME), "username"),
        avatar_url=call.form.get("avatar_url"),
        application_id=webhook.application_id or "",
    )
    message = compose(call.discord, place, content, draft)
    message.nonce = None
    call.discord.post(message)
    return call.shown(message) if call.flag("wait") else None


def read_message(call: Call) -> Json:
    """What it wrote."""
    if followups.is_interaction(call):
        return followups.read(call)
    return call.shown(_message(call, _webhook(call)))


def edit_message(call: Call) -> Json:
    """Change what it wrote."""
    if followups.is_interaction(call):
        return followups.edit(call)
    webhook = _webhook(call)
    message = _message(call, webhook)
    place = call.discord.channels[message.channel_id]
    check_active(place)
    content = contents.read(call.form, call.uploads, file_size=file_size(call.discord, place))
    _check_buttons(call, webhook, content)
    revise(call.discord, message, content)
    call.discord.change(message, ours=True)
    return call.shown(message)


def delete_message(call: Call) -> None:
    """Take back what it wrote."""
    if followups.is_interaction(call):
        followups.delete(call)
        return
    call.discord.remove(_message(call, _webhook(call)), ours=True)


def _webhook(call: Call) -> Webhook:
    """By its token, or with Manage Webhooks."""
    webhook = call.discord.webhooks.get(call.snowflake(call.ids["webhook"], "webhook_id"))
    if webhook is None:
        raise errors.unknown_webhook()
    if "token" in call.ids:
        if call.ids["token"] != webhook.token:
            raise errors.invalid_webhook_token()
    else:
        call.need(call.discord.channel(webhook.channel_id), permissions.MANAGE_WEBHOOKS)
    return webhook


def _place(call: Call, webhook: Webhook) -> Channel:
    """Its channel, or the thread of it that `thread_id` names; a forum has nothing but threads."""
    home = call.discord.channel(webhook.channel_id)
    name = call.query.get("thread_id")
    if name is None:
        if home.type == FORUM:
            raise DiscordError(400, 220001, "Webhooks posted to forum channels must have a thread_name or thread_id")
        return home
    thread = call.discord.channels.get(name)
    if thread is None or thread.parent_id != home.id:
        raise DiscordError(404, 10003, "Unknown Channel")
    if thread.locked and thread.archived:
        raise errors.archived()
    return thread


def _message(call: Call, webhook: Webhook) -> Message:
    message = call.discord.messages.get(call.snowflake(call.ids["message"], "message_id"))
    place = call.query.get("thread_id", webhook.channel_id)
    if (
        message is None
        or message.webhook_id != webhook.id
        or message.deleted_at is not None
        or message.channel_id != place
    ):
        raise errors.unknown_message()
    return message


def _check_buttons(call: Call, webhook: Webhook, content: Content) -> None:
    """Only an app's own webhook can have buttons that tell it of a press."""
    if content.components and webhook.application_id is None and components.interactive(content.components):
        code, words = "COMPONENT_TYPE_INVALID", "Interactive components need a webhook of an application"
        raise errors.invalid_form("components", code, words)


def _checked_name(name: str, path: str) -> str:
    found = _FORBIDDEN.search(name)
    if found is not None:
        words = f'Username cannot contain "{found[0].lower()}"'
        raise errors.invalid_form(path, "USERNAME_INVALID_CONTAINS", words)
    return name


def _avatar(given: str | None) -> str | None:
    if given is None:
        return None
    if not given.startswith("data:image/"):
        raise errors.invalid_form("avatar", "IMAGE_INVALID", "Invalid image data")
    return f"{abs(hash(given)):032x}"[:32]


def _tell(call: Call, webhook: Webhook) -> None:
    place = call.discord.channel(webhook.channel_id)
    call.discord.tell(place, "WEBHOOKS_UPDATE", {"guild_id": webhook.guild_id, "channel_id": webhook.channel_id})


METHODS = {
    "GET /channels/{channel}/webhooks": Method(list_, "webhooks"),
    "POST /channels/{channel}/webhooks": Method(create, "webhooks"),
    "GET /webhooks/{webhook}": Method(read, "webhooks"),
    "PATCH /webhooks/{webhook}": Method(change, "webhooks"),
    "DELETE /webhooks/{webhook}": Method(delete, "webhooks"),
    "GET /webhooks/{webhook}/{token}": Method(read, "webhooks", token=False),
    "PATCH /webhooks/{webhook}/{token}": Method(change, "webhooks", token=False),
    "DELETE /webhooks/{webhook}/{token}": Method(delete, "webhooks", token=False),
    "POST /webhooks/{webhook}/{token}": Method(execute, "webhook", token=False, exempt=True),
    "GET /webhooks/{webhook}/{token}/messages/{message}": Method(read_message, "webhook", token=False, exempt=True),
    "PATCH /webhooks/{webhook}/{token}/messages/{message}": Method(edit_message, "webhook", token=False, exempt=True),
    "DELETE /webhooks/{webhook}/{token}/messages/{message}": Method(
        delete_message, "webhook", token=False, exempt=True
    ),
}
