"""The things that exist in the fake: servers, people, channels, messages, webhooks, commands, interactions.

All ids are snowflakes as decimal strings, as Discord's JSON has them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# Channel types.
TEXT, DM, VOICE, CATEGORY, NEWS, NEWS_THREAD, PUBLIC_THREAD, PRIVATE_THREAD, FORUM = 0, 1, 2, 4, 5, 10, 11, 12, 15
THREADS = frozenset({NEWS_THREAD, PUBLIC_THREAD, PRIVATE_THREAD})

# Message types.
DEFAULT, THREAD_CREATED, REPLY, CHAT_INPUT_COMMAND, THREAD_STARTER = 0, 18, 19, 20, 21

# Message flags.
SUPPRESS_EMBEDS, HAS_THREAD, EPHEMERAL, LOADING = 1 << 2, 1 << 5, 1 << 6, 1 << 7
SUPPRESS_NOTIFICATIONS, IS_COMPONENTS_V2 = 1 << 12, 1 << 15

# Interaction types.
PING, COMMAND, COMPONENT, AUTOCOMPLETE, MODAL_SUBMIT = 1, 2, 3, 4, 5

# Application flags: what the developer page grants beyond the unprivileged intents.
PRESENCES, PRESENCES_LIMITED, MEMBERS, MEMBERS_LIMITED = 1 << 12, 1 << 13, 1 << 14, 1 << 15
MESSAGE_CONTENT, MESSAGE_CONTENT_LIMITED = 1 << 18, 1 << 19


class DiscordError(Exception):
    """Discord refuses: status, and a JSON body with its `code`, `message` and, of a form, `errors` by field."""

    def __init__(self, status: int, code: int, message: str, errors: dict[str, Any] | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors

    def body(self) -> dict[str, Any]:
        """What Discord answers."""
        shown: dict[str, Any] = {"message": self.message, "code": self.code}
        return shown | ({"errors": self.errors} if self.errors else {})


@dataclass(slots=True)
class User:
    """Somebody with an account."""

    id: str
    username: str
    global_name: str | None = None
    bot: bool = False
    locale: str = "en-US"
    avatar: str | None = None
    #: Whether they let members of their servers, bots too, write to them in private.
    takes_dms: bool = True


@dataclass(slots=True)
class Application:
    """The one app that the fake hosts, as its developer page would show it. Its bot user has the same id."""

    id: str
    name: str
    #: What follows "Bot " in Authorization. A test that resets it revokes the old one.
    token: str
    public_key: str = "0" * 64
    owner_id: str = ""
    #: Which privileged intents are granted.
    flags: int = MESSAGE_CONTENT_LIMITED
    #: Whether anybody may invite it.
    public: bool = True

    @property
    def reads_content(self) -> bool:
        """Whether the message-content intent is switched on."""
        return bool(self.flags & (MESSAGE_CONTENT | MESSAGE_CONTENT_LIMITED))


@dataclass(slots=True)
class Role:
    """A role; the one that has the server's id is @everyone's."""

    id: str
    name: str
    permissions: int
    position: int = 0
    mentionable: bool = False
    #: The bot that it was made for on inviting it; "": none.
    bot_id: str = ""


@dataclass(slots=True)
class Member:
    """Somebody in a server."""

    user_id: str
    roles: list[str] = field(default_factory=list)
    nick: str | None = None
    joined_at: float = 0.0


@dataclass(slots=True)
class Guild:
    """A server."""

    id: str
    name: str
    owner_id: str
    roles: dict[str, Role] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    preferred_locale: str = "en-US"
    #: An outage: its bot hears and reads nothing of it.
    unavailable: bool = False
    #: Boosts: 2 lets files be 50 MiB, 3 100 MiB.
    premium_tier: int = 0


@dataclass(frozen=True, slots=True)
class Overwrite:
    """What a channel allows or denies to a role or a member against what roles say."""

    id: str
    #: 0: a role's, 1: a member's.
    type: int
    allow: int = 0
    deny: int = 0


@dataclass(slots=True)
class Channel:
    """A channel, a DM or a thread."""

    id: str
    type: int
    #: "" for a DM.
    guild_id: str = ""
    name: str = ""
    topic: str | None = None
    #: Of a thread: its channel. Of a channel: its category.
    parent_id: str | None = None
    position: int = 0
    overwrites: dict[str, Overwrite] = field(default_factory=dict)
    #: Of a DM: whom besides the bot.
    recipients: list[str] = field(default_factory=list)
    last_message_id: str | None = None
    #: Of a forum: its tags by id, and whether a post needs one (flag REQUIRE_TAG, 1 << 4).
    tags: dict[str, str] = field(default_factory=dict)
    flags: int = 0
    #: Slow mode in seconds, for people.
    slow: int = 0
    # Of threads.
    owner_id: str = ""
    archived: bool = False
    locked: bool = False
    auto_archive_minutes: int = 1440
    archived_at: float = 0.0
    created_at: float = 0.0
    #: Who has joined, with the time.
    joined: dict[str, float] = field(default_factory=dict)
    applied_tags: list[str] = field(default_factory=list)
    #: Messages ever sent in it but the first of a forum post.
    sent: int = 0
    #: Ids of its messages in order.
    order: list[int] = field(default_factory=list)

    @property
    def is_thread(self) -> bool:
        """A thread, a forum post included."""
        return self.type in THREADS

    @property
    def direct(self) -> bool:
        """A DM."""
        return self.type == DM


@dataclass(slots=True)
class Attachment:
    """A file of a message, or on its way into one."""

    id: str
    channel_id: str
    filename: str
    content: bytes
    content_type: str | None = None
    description: str | None = None
    #: Its name before Discord changed it.
    original: str = ""

    @property
    def title(self) -> str | None:
        """Its name without its ending, where that isn't `filename`'s."""
        return self.original.rpartition(".")[0] or self.original if self.original != self.filename else None


@dataclass(slots=True)
class Reference:
    """What a message points to: what it replies to, or what it forwards."""

    message_id: str
    channel_id: str
    #: 0: a reply, 1: a forward.
    type: int = 0


@dataclass(slots=True)
class Message:
    """One message."""

    id: str
    channel_id: str
    author_id: str
    content: str = ""
    type: int = DEFAULT
    flags: int = 0
    embeds: list[dict[str, Any]] = field(default_factory=list)
    #: Action rows and what is in them, as they were sent, with ids filled in.
    components: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    #: Users and roles that it mentions as Discord counts it, and whether everybody.
    mentions: list[str] = field(default_factory=list)
    mention_roles: list[str] = field(default_factory=list)
    mention_everyone: bool = False
    reference: Reference | None = None
    nonce: str | None = None
    tts: bool = False
    #: Of a webhook's message: which, and under what name.
    webhook_id: str = ""
    username: str = ""
    avatar_url: str | None = None
    #: The app that wrote it, if it is ours.
    application_id: str = ""
    #: Of an answer to an interaction: its id.
    interaction_id: str = ""
    #: Of an ephemeral one: who alone sees it.
    ephemeral_to: str = ""
    edited_at: float | None = None
    deleted_at: float | None = None
    #: The thread that was opened from it.
    thread_id: str = ""
    #: Emoji → who reacted.
    reactions: dict[str, list[str]] = field(default_factory=dict)
    #: Of a forward: what it forwards, as it was then.
    snapshots: list[dict[str, Any]] = field(default_factory=list)
    #: What Discord shows of the links in it.
    previews: list[dict[str, Any]] = field(default_factory=list)
    poll: dict[str, Any] | None = None
    stickers: list[dict[str, Any]] = field(default_factory=list)
    #: Whom it rang: user ids, "&role", "everyone".
    pings: list[str] = field(default_factory=list)

    @property
    def subject(self) -> str:
        """Its name in the log."""
        return f"{self.channel_id}/{self.id}"


@dataclass(slots=True)
class Webhook:
    """A webhook that somebody made in a channel."""

    id: str
    channel_id: str
    guild_id: str
    name: str
    token: str
    #: Who made it, and the app it belongs to: only that app's webhooks may carry buttons.
    user_id: str
    application_id: str | None = None
    avatar: str | None = None


@dataclass(slots=True)
class Command:
    """A registered application command."""

    id: str
    #: "" for a global one.
    guild_id: str
    #: As it was sent, defaults filled in: name, type, description, options, …
    body: dict[str, Any]
    version: str


@dataclass(slots=True)
class Interaction:
    """Somebody typed a command, pressed something, or submitted a form; `token` is good for 15 minutes once it is
    answered within three seconds."""

    id: str
    token: str
    type: int
    user_id: str
    channel_id: str
    guild_id: str
    data: dict[str, Any]
    created_at: float
    #: The message whose component was pressed, or under whose component the form was opened.
    message_id: str = ""
    locale: str = "en-US"
    #: The callback's type, once there was one; what it carried of a form (9) or of choices (8).
    answered: int | None = None
    answered_at: float | None = None
    modal: dict[str, Any] | None = None
    choices: list[dict[str, Any]] | None = None
    #: Its @original: the first answer, or, of type 6 and 7, the message that was pressed on.
    original_id: str = ""
    #: Of a deferred answer: whether it will be private.
    ephemeral: bool = False
    #: Whether it said "thinking" and nothing has come since.
    thinking: bool = False
    followups: list[str] = field(default_factory=list)
