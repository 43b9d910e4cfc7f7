"""The whole fake world: what people do in it, what the app does to it, and the events that follow from both.

Nothing here does I/O but write the log. Skeleton: the signatures hold, the bodies are on their way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from tests.fakes.slack.config import Config
from tests.fakes.slack.envelope import Envelope
from tests.fakes.slack.log import Log
from tests.fakes.slack.world import App, Channel, File, Install, Message, ResponseHook, Session, Trigger, User, View
from tests.fakes.slack.world import Workspace


class Slack:
    """`emit` gets every envelope for the app, in the order in which they arise, while the change is being made."""

    def __init__(
        self,
        emit: Callable[[Envelope], None],
        log: Log | None = None,
        config: Config | None = None,
        app: App | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.emit = emit
        self.log = log or Log()
        self.config = config or Config()
        self.app = app or App()
        self.now = clock
        #: "http://127.0.0.1:PORT" once it is served: the front of every address that the fake hands out.
        self.origin = "http://127.0.0.1"
        self.workspaces: dict[str, Workspace] = {}
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        #: By bot token.
        self.installs: dict[str, Install] = {}
        #: By (channel, ts).
        self.messages: dict[tuple[str, str], Message] = {}
        self.files: dict[str, File] = {}
        #: Modals by id; App Homes by (team, user).
        self.views: dict[str, View] = {}
        self.homes: dict[tuple[str, str], View] = {}
        #: By (channel, thread_ts).
        self.sessions: dict[tuple[str, str], Session] = {}
        self.triggers: dict[str, Trigger] = {}
        #: By the secret part of the response_url.
        self.hooks: dict[str, ResponseHook] = {}
        #: Tickets of apps.connections.open that no socket has used yet.
        self.tickets: set[str] = set()

    # Setting up.
    def add_workspace(self, team: str, name: str = "", *, enterprise_id: str = "") -> Workspace:
        raise NotImplementedError

    def add_user(self, user: str, team: str, name: str, **more: Any) -> User:
        raise NotImplementedError

    def add_channel(self, channel: str, *teams: str, kind: str = "channel", members: Sequence[str] = ()) -> Channel:
        raise NotImplementedError

    def install(self, team: str, *, token: str = "", scopes: Sequence[str] | None = None, org: bool = False) -> Install:
        """The app in a workspace (`org`: in the whole organisation that it belongs to), with its bot user."""
        raise NotImplementedError

    def dm(self, team: str, user: str) -> Channel:
        """The DM of this person with the app's bot; made when there is none."""
        raise NotImplementedError

    # What people do.
    def say(
        self,
        team: str,
        channel: str,
        user: str,
        text: str,
        thread_ts: str | None = None,
        files: Sequence[str] = (),
        *,
        broadcast: bool = False,
        sent_at: float | None = None,
        context: dict[str, Any] | None = None,
    ) -> Message:
        """Somebody writes; `files` are ids. `context`: what they have open (app_context of message.im)."""
        raise NotImplementedError

    def edit(self, channel: str, ts: str, text: str) -> Message:
        """Somebody edits what they wrote."""
        raise NotImplementedError

    def delete(self, channel: str, ts: str) -> Message:
        """Somebody deletes what they wrote; a message of the app: a moderator does."""
        raise NotImplementedError

    def unfurl(self, channel: str, ts: str) -> None:
        """Slack adds a preview to a message: message_changed with the same text (facts 5.3)."""
        raise NotImplementedError

    def stop_session(self, channel: str, thread_ts: str, user: str) -> list[str]:
        """Somebody presses Slack's Stop: its streams end, agent_session_stopped is sent. The ts of those streams."""
        raise NotImplementedError

    def open_home(self, team: str, user: str, tab: str = "home", context: dict[str, Any] | None = None) -> None:
        """app_home_opened."""
        raise NotImplementedError

    def add_file(self, team: str, user: str, name: str, content: bytes, mimetype: str = "") -> File:
        """Somebody uploads a file, to say something with it."""
        raise NotImplementedError

    def invite(self, channel: str, user: str) -> None:
        raise NotImplementedError

    def kick(self, channel: str, user: str) -> None:
        raise NotImplementedError

    def archive(self, channel: str) -> None:
        raise NotImplementedError

    def revoke(self, team: str) -> None:
        """The bot's token is revoked: tokens_revoked with the user ids under `oauth` and `bot` (facts 5.12)."""
        raise NotImplementedError

    def uninstall(self, team: str) -> None:
        """app_uninstalled; the token is worth nothing from now on (account_inactive)."""
        raise NotImplementedError

    def consent(self, team: str, user: str, scope: str, state: str, redirect_uri: str = "") -> str:
        """Somebody presses Allow on the OAuth page: the query string for the redirect (code, state)."""
        raise NotImplementedError

    # For interactive payloads.
    def trigger(self, team: str, user: str) -> str:
        """A new trigger_id."""
        raise NotImplementedError

    def response_url(self, team: str, channel: str, user: str, ts: str | None = None) -> str:
        """A new response_url."""
        raise NotImplementedError

    def shown_message(self, message: Message) -> dict[str, Any]:
        """A message as the Web API shows it, and as interactive payloads carry it."""
        raise NotImplementedError

    def shown_view(self, view: View) -> dict[str, Any]:
        """A view as Slack sends it back, and as view_submission carries it (without `state`)."""
        raise NotImplementedError

    def mine(self, team: str) -> Install | None:
        """The active install that sees this workspace."""
        raise NotImplementedError

    def event(self, team: str, event: dict[str, Any], subject: str, channel: str = "") -> None:
        """Send an event, if the app is installed there and subscribed to it."""
        raise NotImplementedError
