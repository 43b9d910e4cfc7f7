"""The things that exist in the fake: workspaces, people, channels, messages, files, views, installs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

ChannelKind = Literal["channel", "group", "im", "mpim"]
StreamState = Literal["streaming", "stopped", "stopped_by_user", "expired"]


#: What the manifest asks for (facts 2.5).
SCOPES = frozenset(
    {"app_mentions:read", "assistant:write", "channels:history", "channels:read", "chat:write", "commands"}
    | {"files:read", "files:write", "groups:history", "groups:read", "im:history", "im:read", "im:write"}
    | {"mpim:history", "mpim:read", "reactions:write", "team:read", "users:read"}
)
#: What the manifest subscribes to (facts 2.5).
EVENTS = frozenset(
    {"agent_session_stopped", "agent_session_title_changed", "app_context_changed", "app_home_opened", "app_mention"}
    | {"app_uninstalled", "message.channels", "message.groups", "message.im", "message.mpim", "tokens_revoked"}
)


class SlackError(Exception):
    """Slack refuses: `{"ok": false, "error": code}`, with more fields where Slack gives them."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.more = more


@dataclass(slots=True)
class App:
    """The one app that the fake hosts, as its settings page would show it."""

    id: str = "A1"
    client_id: str = "1.1"
    client_secret: str = "fake-client-secret"
    signing_secret: str = "fake-signing-secret"
    #: What `apps.connections.open` wants (scope connections:write).
    app_token: str = "xapp-1-A1-fake"
    name: str = "kagent"
    #: `settings.event_subscriptions.bot_events`: an event that isn't named here is never sent.
    events: frozenset[str] = EVENTS
    #: `oauth_config.scopes.bot`, for installs that name none.
    scopes: frozenset[str] = SCOPES
    #: Whether the manifest has `features.agent_view` (facts 2.4): sessions are refused otherwise.
    agent: bool = True
    #: `features.app_home.messages_tab_enabled`; off, nobody can be written to in a DM (facts 1.4).
    messages_tab: bool = True
    #: `oauth_config.redirect_urls`; empty: any.
    redirect_urls: tuple[str, ...] = ()


@dataclass(slots=True)
class Workspace:
    """A team."""

    id: str
    name: str
    domain: str = ""
    #: "" where it belongs to no organisation.
    enterprise_id: str = ""


@dataclass(slots=True)
class User:
    """Somebody of one workspace."""

    id: str
    team: str
    name: str
    real_name: str = ""
    is_admin: bool = False
    is_owner: bool = False
    #: A guest (`is_restricted`), or one of a single channel (`is_ultra_restricted`).
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_bot: bool = False
    #: Of a bot: its bot id.
    bot_id: str = ""
    tz: str = "Europe/Berlin"
    tz_offset: int = 3600
    locale: str = "en-US"
    deleted: bool = False


@dataclass(slots=True)
class Channel:
    """A conversation."""

    id: str
    #: The workspaces that share it, its home first; more than one: Slack Connect.
    teams: tuple[str, ...]
    kind: ChannelKind
    name: str = ""
    #: Ids of users, bots among them.
    members: set[str] = field(default_factory=set)
    archived: bool = False

    @property
    def team(self) -> str:
        """Its home."""
        return self.teams[0]

    @property
    def direct(self) -> bool:
        """A DM of two."""
        return self.kind == "im"


@dataclass(slots=True)
class Stream:
    """The life of a streamed message (facts 1.4, 2.2)."""

    recipient_user: str
    until: float
    #: What counts against the cap of a streamed message, in UTF-8 bytes.
    size: int = 0
    state: StreamState = "streaming"
    #: Task id → the row as it is shown.
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    plan: str = ""


@dataclass(slots=True)
class Message:
    """One message; an ephemeral one exists only for `ephemeral_to`."""

    channel: str
    ts: str
    #: The author's id; of our own messages, the bot's user id.
    user: str
    #: The author's workspace.
    team: str
    text: str
    thread_ts: str | None = None
    #: Of bots: their bot id and app.
    bot_id: str = ""
    app_id: str = ""
    username: str = ""
    icon: str = ""
    subtype: str = ""
    blocks: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    metadata: dict[str, Any] | None = None
    files: list[str] = field(default_factory=list)
    client_msg_id: str = ""
    #: Whether `text` is Markdown rather than mrkdwn.
    markdown: bool = False
    ephemeral_to: str = ""
    created_at: float = 0.0
    edited_at: float | None = None
    deleted_at: float | None = None
    stream: Stream | None = None
    #: Whether chat.update or a response_url has replaced what was there: blocks then stand for all of it.
    rewritten: bool = False
    #: Mentions in it that rang somebody's phone.
    pings: list[str] = field(default_factory=list)

    @property
    def root(self) -> str:
        """The thread it is in, or would start."""
        return self.thread_ts or self.ts


@dataclass(slots=True)
class File:
    """An uploaded file."""

    id: str
    team: str
    user: str
    name: str
    mimetype: str
    content: bytes
    title: str = ""
    #: Channels it has been shared in.
    channels: set[str] = field(default_factory=set)
    #: When Slack has looked into it; before, it has no media type.
    ready_at: float = 0.0
    deleted: bool = False


@dataclass(slots=True)
class Upload:
    """A file on its way: announced, then sent, then completed (facts 1.5)."""

    team: str
    user: str
    name: str
    length: int
    content: bytes | None = None


@dataclass(slots=True)
class View:
    """A modal, or somebody's App Home."""

    id: str
    team: str
    user: str
    #: As the app sent it: type, blocks, callback_id, private_metadata, …
    body: dict[str, Any]
    hash: str
    root_id: str = ""
    previous_id: str = ""
    external_id: str = ""


@dataclass(slots=True)
class Install:
    """The app in one workspace, or in a whole organisation."""

    token: str
    #: "" for an org install.
    team: str
    enterprise_id: str
    bot_user: str
    bot_id: str
    scopes: frozenset[str]
    #: Who installed it.
    installer: str = ""
    state: Literal["active", "revoked", "inactive"] = "active"


@dataclass(slots=True)
class Grant:
    """An OAuth code: ten minutes, once."""

    team: str
    user: str
    scopes: frozenset[str]
    redirect_uri: str
    until: float
    used: bool = False
    #: For a whole organisation.
    org: bool = False


@dataclass(slots=True)
class Session:
    """An agent's session in a thread (facts 2.4)."""

    status: str
    title: str = ""
    #: When `processing` clears by itself.
    until: float = 0.0


@dataclass(slots=True)
class Trigger:
    """A trigger_id: three seconds, once (facts 2.3)."""

    team: str
    user: str
    until: float
    used: bool = False


@dataclass(slots=True)
class ResponseHook:
    """A response_url: five posts in 30 minutes (facts 1.2, 2.3)."""

    team: str
    channel: str
    user: str
    #: The message that it came from, if any.
    ts: str | None
    until: float
    left: int = 5
