"""What people, other bots and webhooks do with messages and threads, one control call each: the hands of a test."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import Any

from tests.fakes.discord import mentions, permissions, shapes
from tests.fakes.discord.clock import made_at
from tests.fakes.discord.state import Discord
from tests.fakes.discord.world import (
    FORUM,
    PRIVATE_THREAD,
    REPLY,
    Attachment,
    Channel,
    DiscordError,
    Message,
    Reference,
)

Body = dict[str, Any]
Control = Callable[[Body], Awaitable[Body]]


class People:
    """Everybody in the fake but the app. Raises `DiscordError` where Discord lets nobody do that."""

    def __init__(self, discord: Discord) -> None:
        self._discord = discord

    def controls(self) -> dict[str, Control]:
        """Name → what a person can do."""
        return {
            "say": self._say,
            "edit": self._edit,
            "delete": self._delete,
            "upload": self._upload,
            "react": self._react,
            "thread": self._thread,
            "post": self._post,
            "archive": self._archive,
            "lock": self._lock,
            "hook": self._hook,
        }

    # Messages.

    async def _say(self, body: Body) -> Body:
        """`user` writes `text` in `channel` (left out: in private to the app). `reply_to`: an answer to this message,
        which rings its author unless `ping` is false; `files`: ids of uploads; `forward`: a message that it forwards,
        as `[channel, id]`; `sent_at`: in the past; `poll`, `stickers` as in Discord's JSON; `type` of a system message.
        """
        user = body["user"]
        place = self._discord.channel(body["channel"]) if body.get("channel") else self._discord.dm(user)
        self._must(place, user, writing=True)
        message = self._composed(place, user, body)
        return self._said(place, message)

    async def _hook(self, body: Body) -> Body:
        """A webhook that is not the app's writes."""
        place = self._discord.channel(body["channel"])
        home = self._discord.home(place)
        made = next((one for one in self._discord.webhooks.values() if one.name == body["name"]), None)
        webhook = made or self._discord.add_webhook(home.id, body["name"], body["user"])
        message = self._composed(place, webhook.id, body, webhook=webhook.id)
        message.username = body["name"]
        return self._said(place, message)

    def _composed(self, place: Channel, author: str, body: Body, webhook: str = "") -> Message:
        text = body.get("text", "")
        if len(text) > 2000:
            raise DiscordError(400, 50035, "Invalid Form Body")
        sent_at = body.get("sent_at")
        message = Message(self._discord.clock.snowflake(sent_at), place.id, author, text, type=body.get("type", 0))
        message.webhook_id = webhook
        message.attachments = [self._discord.attachments[one] for one in body.get("files") or ()]
        for attachment in message.attachments:
            attachment.channel_id = place.id
        message.poll = body.get("poll")
        message.stickers = body.get("stickers") or []
        replied = ""
        if body.get("reply_to"):
            target = self._discord.message(place.id, body["reply_to"])
            message.type = REPLY
            message.reference = Reference(target.id, place.id)
            replied = "" if target.webhook_id or not body.get("ping", True) else target.author_id
        self._mentions(place, message, replied)
        if body.get("forward"):
            source = self._discord.message(*body["forward"])
            message.reference = Reference(source.id, source.channel_id, type=1)
            shown = shapes.message(self._discord, source)
            kept = ("type", "content", "embeds", "attachments", "timestamp", "edited_timestamp", "flags", "mentions")
            message.snapshots = [{name: shown[name] for name in (*kept, "mention_roles", "components")}]
        return message

    def _mentions(self, place: Channel, message: Message, replied: str = "") -> None:
        """Whom the text mentions."""
        found = mentions.resolve(
            self._discord,
            place,
            message.author_id,
            message.content,
            replied=replied,
            webhook=bool(message.webhook_id),
        )
        message.mentions, message.mention_roles = found.users, found.roles
        message.mention_everyone, message.pings = found.everyone, found.pings

    def _said(self, place: Channel, message: Message) -> Body:
        """Log what was said, then let the app hear of it."""
        self._discord.add(message)
        self._discord.log.write("said", **self._told(place, message))
        self._discord.announce(message)
        return {"channel": place.id, "id": message.id, "guild": place.guild_id, "parent": _parent(place)}

    def _told(self, place: Channel, message: Message) -> Body:
        discord = self._discord
        bot = discord.app.id
        guild = discord.guilds.get(place.guild_id)
        ours = [one.id for one in guild.roles.values() if one.bot_id == bot] if guild else []
        target = discord.messages.get(message.reference.message_id) if message.reference else None
        return {
            "subject": message.subject,
            "guild": place.guild_id,
            "channel": place.id,
            "parent": _parent(place),
            "id": message.id,
            "user": message.author_id,
            "bot": bool(message.webhook_id) or discord.users[message.author_id].bot,
            "text": message.content,
            "files": [one.filename for one in message.attachments],
            "direct": place.direct,
            "mentions": message.mentions,
            "mentions_us": bot in message.mentions or any(role in message.mention_roles for role in ours),
            "replies_to": message.reference.message_id if message.type == REPLY and message.reference else None,
            "replies_to_us": message.type == REPLY and target is not None and discord.is_ours(target),
            "everyone": message.mention_everyone,
            "readable": discord.sees(place, bot),
            "sent_at": made_at(message.id),
        }

    async def _edit(self, body: Body) -> Body:
        message = self._discord.message(body["channel"], body["id"])
        message.content = body["text"]
        message.edited_at = self._discord.clock.now()
        self._mentions(self._discord.channels[message.channel_id], message)
        self._discord.log.write("reworded", subject=message.subject, text=message.content)
        self._discord.change(message)
        return {}

    async def _delete(self, body: Body) -> Body:
        """The author deletes a message; one of the app's is deleted by a moderator."""
        message = self._discord.message(body["channel"], body["id"])
        if not self._discord.is_ours(message):
            self._discord.log.write("erased", subject=message.subject)
        self._discord.remove(message)
        return {}

    async def _upload(self, body: Body) -> Body:
        """A file, to be said something with; `content` is base64."""
        content = base64.b64decode(body["content"])
        if len(content) > self._discord.config.file_size:
            raise DiscordError(413, 40005, "Request entity too large")
        file: Attachment = self._discord.attach("0", body["name"], content, body.get("mimetype"))
        return {"file": file.id}

    async def _react(self, body: Body) -> Body:
        """A reaction; `remove` takes it back."""
        discord, user, emoji = self._discord, body["user"], body["emoji"]
        message = discord.message(body["channel"], body["id"])
        place = discord.channels[message.channel_id]
        self._must(place, user)
        there = message.reactions.setdefault(emoji, [])
        if bool(body.get("remove")) != (user in there):
            return {}
        if body.get("remove"):
            there.remove(user)
        else:
            there.append(user)
        data: Body = {
            "user_id": user,
            "channel_id": place.id,
            "message_id": message.id,
            "message_author_id": message.author_id,
            "emoji": {"id": None, "name": emoji},
            "burst": False,
            "type": 0,
        }
        if place.guild_id:
            member = discord.guilds[place.guild_id].members[user]
            data |= {"guild_id": place.guild_id, "member": shapes.member(discord, member)}
        discord.tell(place, f"MESSAGE_REACTION_{'REMOVE' if body.get('remove') else 'ADD'}", data)
        return {}

    # Threads.

    async def _thread(self, body: Body) -> Body:
        """Somebody opens a thread named `name` in `channel`: from a message (`id`), or without one; `private`."""
        discord, user = self._discord, body["user"]
        parent = discord.channel(body["channel"])
        self._must(parent, user)
        message = discord.message(parent.id, body["id"]) if body.get("id") else None
        if message is not None and message.thread_id:
            raise DiscordError(400, 160004, "A thread has already been created for this message")
        kind = PRIVATE_THREAD if body.get("private") else None
        thread = discord.open_thread(parent, user, body["name"], message=message, kind=kind)
        discord.log.write("threaded", thread=thread.id, channel=parent.id, user=user)
        if message is None and not body.get("private"):
            discord.announce_thread(thread)
        return {"thread": thread.id}

    async def _post(self, body: Body) -> Body:
        """A new post in a forum: a thread named `name` and its first message, `text`."""
        discord, user = self._discord, body["user"]
        forum = discord.channel(body["channel"])
        if forum.type != FORUM:
            raise DiscordError(400, 50024, "Cannot execute action on this channel type")
        self._must(forum, user, writing=True)
        thread = discord.open_thread(forum, user, body["name"], tags=body.get("tags") or ())
        discord.log.write("threaded", thread=thread.id, channel=forum.id, user=user)
        message = self._composed(thread, user, body)
        # The first message of a post has its id.
        message.id = thread.id
        return self._said(thread, message)

    async def _archive(self, body: Body) -> Body:
        """A thread goes to the archive (`archived` false: comes back); `lock` locks it besides."""
        thread = self._discord.channel(body["thread"])
        if body.get("lock"):
            thread.locked = True
        self._discord.archive(thread, archived=body.get("archived", True))
        return {}

    async def _lock(self, body: Body) -> Body:
        """Only moderators may write in a thread (`locked` false: everybody again)."""
        thread = self._discord.channel(body["thread"])
        thread.locked = body.get("locked", True)
        self._discord.tell(thread, "THREAD_UPDATE", shapes.channel(self._discord, thread))
        return {}

    def _must(self, place: Channel, user: str, *, writing: bool = False) -> None:
        """Raises `DiscordError` where this person may not."""
        allowed = self._discord.permissions(place, user)
        if not allowed & permissions.VIEW_CHANNEL:
            raise DiscordError(403, 50001, "Missing Access")
        if not writing:
            return
        needed = permissions.SEND_MESSAGES_IN_THREADS if place.is_thread else permissions.SEND_MESSAGES
        if not allowed & needed:
            raise DiscordError(403, 50013, "Missing Permissions")
        if place.locked and not allowed & permissions.MANAGE_THREADS:
            raise DiscordError(400, 50083, "Thread is archived")


def _parent(place: Channel) -> str:
    """Of a thread: its channel."""
    return (place.parent_id or "") if place.is_thread else ""
