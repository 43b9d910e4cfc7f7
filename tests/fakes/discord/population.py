"""Who and what there is in the fake, how it gets there, and how it is looked up. What is looked up and isn't there is a
`DiscordError`, as Discord says it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from tests.fakes.discord import permissions
from tests.fakes.discord.clock import Clock
from tests.fakes.discord.config import Config
from tests.fakes.discord.events import Events
from tests.fakes.discord.log import Log
from tests.fakes.discord.world import (
    DM,
    PRIVATE_THREAD,
    TEXT,
    Application,
    Attachment,
    Channel,
    Command,
    DiscordError,
    Guild,
    Interaction,
    Member,
    Message,
    Overwrite,
    Role,
    User,
    Webhook,
)


class Population:
    """Everything, by id."""

    def __init__(self, app: Application, events: Events, log: Log, config: Config, clock: Clock) -> None:
        self.app = app
        self.events = events
        self.log = log
        self.config = config
        self.clock = clock
        self.users: dict[str, User] = {}
        self.guilds: dict[str, Guild] = {}
        #: Channels, DMs and threads.
        self.channels: dict[str, Channel] = {}
        #: Messages, deleted ones too.
        self.messages: dict[str, Message] = {}
        #: Every file that a message has or had.
        self.attachments: dict[str, Attachment] = {}
        self.webhooks: dict[str, Webhook] = {}
        self.commands: dict[str, Command] = {}
        #: By token, and by id.
        self.interactions: dict[str, Interaction] = {}
        self.interactions_by_id: dict[str, Interaction] = {}
        #: The fake's own address, "http://127.0.0.1:1234", once it is served.
        self.origin = ""
        self._dms: dict[str, str] = {}
        self.add_user(app.name, id_=app.id, bot=True)

    @property
    def gateway_url(self) -> str:
        """Where the gateway is."""
        return f"ws{self.origin.removeprefix('http')}/gateway"

    # What there is.

    def add_user(
        self, username: str, *, id_: str = "", global_name: str | None = None, bot: bool = False, locale: str = "en-US"
    ) -> User:
        """A new account."""
        user = User(id_ or self.clock.snowflake(), username, global_name, bot, locale)
        self.users[user.id] = user
        return user

    def add_guild(
        self,
        name: str,
        owner: str,
        *,
        id_: str = "",
        members: Iterable[str] = (),
        everyone: int = permissions.EVERYBODY,
    ) -> Guild:
        """A new server with its owner and these members in it."""
        guild = Guild(id_ or self.clock.snowflake(), name, owner)
        guild.roles[guild.id] = Role(guild.id, "@everyone", everyone)
        self.guilds[guild.id] = guild
        for user in (owner, *members):
            self.add_member(guild.id, user)
        return guild

    def add_role(
        self, guild: str, name: str, allowed: int = 0, *, id_: str = "", bot: str = "", mentionable: bool = False
    ) -> Role:
        """A new role; `bot`: the one that is made for a bot on inviting it."""
        roles = self.guild(guild).roles
        role = Role(id_ or self.clock.snowflake(), name, allowed, len(roles), mentionable, bot)
        roles[role.id] = role
        return role

    def add_member(self, guild: str, user: str, roles: Iterable[str] = (), nick: str | None = None) -> Member:
        """Somebody joins a server."""
        member = Member(self.user(user).id, list(roles), nick, self.clock.now())
        self.guild(guild).members[user] = member
        return member

    def add_channel(
        self,
        guild: str,
        name: str,
        kind: int = TEXT,
        *,
        id_: str = "",
        overwrites: Iterable[Overwrite] = (),
        tags: dict[str, str] | None = None,
        flags: int = 0,
    ) -> Channel:
        """A new channel of a server; `tags` of a forum by id."""
        channel = Channel(id_ or self.clock.snowflake(), kind, self.guild(guild).id, name, tags=tags or {}, flags=flags)
        channel.overwrites = {overwrite.id: overwrite for overwrite in overwrites}
        channel.position = sum(1 for other in self.channels.values() if other.guild_id == guild)
        self.channels[channel.id] = channel
        return channel

    def dm(self, user: str, *, id_: str = "") -> Channel:
        """The DM of somebody with the app, made where there is none."""
        known = self._dms.get(user)
        if known is not None:
            return self.channels[known]
        channel = Channel(id_ or self.clock.snowflake(), DM, recipients=[self.user(user).id])
        self.channels[channel.id] = channel
        self._dms[user] = channel.id
        return channel

    def add_webhook(self, channel: str, name: str, user: str, *, application: str | None = None) -> Webhook:
        """A new webhook in a channel."""
        place = self.channel(channel)
        token = secrets.token_urlsafe(48)
        webhook = Webhook(self.clock.snowflake(), place.id, place.guild_id, name, token, user, application)
        self.webhooks[webhook.id] = webhook
        return webhook

    def attach(
        self, channel: str, filename: str, content: bytes, content_type: str | None = None, description: str = ""
    ) -> Attachment:
        """A file that a message of this channel is about to have. Spaces in its name become underscores; the name as it
        was is its title."""
        stored = filename.replace(" ", "_")
        attachment = Attachment(
            self.clock.snowflake(), channel, stored, content, content_type, description or None, filename
        )
        self.attachments[attachment.id] = attachment
        return attachment

    # Looking it up.

    def user(self, id_: str) -> User:
        """An account."""
        if id_ not in self.users:
            raise DiscordError(404, 10013, "Unknown User")
        return self.users[id_]

    def guild(self, id_: str) -> Guild:
        """A server."""
        if id_ not in self.guilds:
            raise DiscordError(404, 10004, "Unknown Guild")
        return self.guilds[id_]

    def channel(self, id_: str) -> Channel:
        """A channel, a DM or a thread."""
        if id_ not in self.channels:
            raise DiscordError(404, 10003, "Unknown Channel")
        return self.channels[id_]

    def message(self, channel: str, id_: str) -> Message:
        """A message that exists now."""
        message = self.messages.get(id_)
        if message is None or message.channel_id != channel or message.deleted_at is not None:
            raise DiscordError(404, 10008, "Unknown Message")
        return message

    def is_ours(self, message: Message) -> bool:
        """Whether the app wrote it, through a webhook of its own too."""
        return message.author_id == self.app.id or message.application_id == self.app.id

    # Who may what.

    def home(self, channel: Channel) -> Channel:
        """The channel whose overwrites count: a thread's parent."""
        return self.channels[channel.parent_id] if channel.is_thread and channel.parent_id else channel

    def permissions(self, channel: Channel, user: str) -> int:
        """What somebody may do in a channel, a DM or a thread."""
        if channel.direct:
            return permissions.DIRECT if user == self.app.id or user in channel.recipients else 0
        allowed = permissions.in_channel(self.guilds[channel.guild_id], self.home(channel), user)
        private = channel.type == PRIVATE_THREAD and user not in channel.joined
        return 0 if private and not allowed & permissions.MANAGE_THREADS else allowed

    def sees(self, channel: Channel, user: str) -> bool:
        """Whether somebody has View Channel."""
        if channel.guild_id and self.guilds[channel.guild_id].unavailable:
            return False
        return bool(self.permissions(channel, user) & permissions.VIEW_CHANNEL)

    def threads_of(self, guild: str) -> list[Channel]:
        """The threads of a server that aren't archived, oldest first."""
        return [
            channel
            for channel in self.channels.values()
            if channel.is_thread and channel.guild_id == guild and not channel.archived
        ]
