"""Who and what there is in the fake: workspaces, people, channels, files and installs of the app, and who sees what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from tests.fakes.slack import shapes
from tests.fakes.slack.envelope import Envelope
from tests.fakes.slack.world import App, Channel, ChannelKind, File, Grant, Install, SlackError, Upload, User, Workspace

#: Seconds that an OAuth code lives (docs.slack.dev, oauth.v2.access).
CODE_TTL = 600.0


class Population:
    """The part of `Slack` that a test sets up before anybody says a word."""

    def __init__(self, emit: Callable[[Envelope], None], app: App, clock: Callable[[], float]) -> None:
        self.emit = emit
        self.app = app
        self.now = clock
        #: "http://127.0.0.1:PORT" once it is served: the front of every address that the fake hands out.
        self.origin = "http://127.0.0.1"
        self.workspaces: dict[str, Workspace] = {}
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        #: By bot token.
        self.installs: dict[str, Install] = {}
        #: Tokens of people (xoxp-…): whose.
        self.personal: dict[str, str] = {}
        self.files: dict[str, File] = {}
        #: Files that are being uploaded, by file id.
        self.uploads: dict[str, Upload] = {}
        #: OAuth codes.
        self.grants: dict[str, Grant] = {}
        self._counts: Counter[str] = Counter()

    # Setting up.

    def add_workspace(self, team: str, name: str = "", *, enterprise_id: str = "") -> Workspace:
        """A team, perhaps of an organisation."""
        self.workspaces[team] = workspace = Workspace(team, name or team, enterprise_id=enterprise_id)
        return workspace

    def add_user(self, user: str, team: str, name: str, **more: Any) -> User:
        """A person, or with `is_bot` another bot; `more` are fields of `User`."""
        self.users[user] = person = User(user, team, name, **more)
        return person

    def add_channel(
        self, channel: str, *teams: str, kind: ChannelKind = "channel", members: Sequence[str] = (), name: str = ""
    ) -> Channel:
        """A conversation of one workspace, or shared by several."""
        self.channels[channel] = place = Channel(channel, teams, kind, name, set(members))
        return place

    def add_file(self, team: str, user: str, name: str, content: bytes, mimetype: str = "") -> File:
        """Somebody uploads a file, to say something with it."""
        file = File(self.new_file_id(), team, user, name, mimetype or "application/octet-stream", content, title=name)
        self.files[file.id] = file
        return file

    def count(self, kind: str) -> int:
        """1, 2, 3, …: what makes an id of this kind unlike the others."""
        self._counts[kind] += 1
        return self._counts[kind]

    def new_file_id(self) -> str:
        """Of a file that nobody has yet."""
        return f"F{self.count('file'):05d}"

    def install(
        self,
        team: str,
        *,
        token: str = "",
        scopes: Iterable[str] | None = None,
        org: bool = False,
        installer: str = "",
    ) -> Install:
        """The app in a workspace (`org`: in the whole organisation that it belongs to), with its bot user. Where it is
        installed already: the same token, with these scopes."""
        enterprise = self.workspaces[team].enterprise_id
        granted = self.app.scopes if scopes is None else frozenset(scopes)
        there = self.mine(team)
        if there is not None and not token:
            there.scopes = granted
            return there
        owner = enterprise if org else team
        bot = self.add_user(f"UBOT{owner}", team, self.app.name, is_bot=True, bot_id=f"BBOT{owner}")
        made = Install(
            token=token or f"xoxb-{owner}-{len(self.installs) + 1}",
            team="" if org else team,
            enterprise_id=enterprise,
            bot_user=bot.id,
            bot_id=bot.bot_id,
            scopes=granted,
            installer=installer,
        )
        self.installs[made.token] = made
        return made

    def dm(self, team: str, user: str) -> Channel:
        """The DM of this person with the app's bot; made when there is none."""
        install = self.mine(team)
        if install is None:
            raise SlackError("not_installed")
        name = f"D{team}{user}"
        if name not in self.channels:
            self.add_channel(name, team, kind="im", members=(user, install.bot_user))
        return self.channels[name]

    # What people do to it.

    def invite(self, channel: str, user: str) -> None:
        """Somebody joins; of a bot, an admin adds it."""
        self.channel(channel).members.add(user)

    def kick(self, channel: str, user: str) -> None:
        """Somebody is removed from a channel."""
        self.channel(channel).members.discard(user)

    def archive(self, channel: str) -> None:
        """A channel is closed for writing."""
        self.channel(channel).archived = True

    def revoke(self, team: str) -> None:
        """The bot's token is revoked: from now on token_revoked, and an event with user ids, no tokens (facts 5.12)."""
        install = self._must(team)
        install.state = "revoked"
        event = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [install.bot_user]}}
        self._farewell(install, team, event)

    def uninstall(self, team: str) -> None:
        """The app is removed: its token is worth nothing (account_inactive), its bot leaves every channel; both
        tokens_revoked and app_uninstalled are sent, in no certain order on real Slack."""
        install = self._must(team)
        install.state = "inactive"
        for channel in self.channels.values():
            channel.members.discard(install.bot_user)
        revoked = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [install.bot_user]}}
        self._farewell(install, team, revoked)
        self._farewell(install, team, {"type": "app_uninstalled"})

    def consent(
        self, team: str, user: str, scope: str, state: str, redirect_uri: str = "", *, org: bool = False
    ) -> str:
        """Somebody presses Allow on the OAuth page: the query string with which the browser goes to the redirect."""
        self.user(user)
        code = f"{team}.{len(self.grants) + 1}"
        scopes = frozenset(name for name in scope.replace(" ", ",").split(",") if name)
        self.grants[code] = Grant(team, user, scopes, redirect_uri, self.now() + CODE_TTL, org=org)
        return urlencode({"code": code, "state": state})

    # Looking.

    def user(self, user: str) -> User:
        """A user that exists."""
        if user not in self.users:
            raise SlackError("user_not_found")
        return self.users[user]

    def channel(self, channel: str) -> Channel:
        """A conversation that exists."""
        if channel not in self.channels:
            raise SlackError("channel_not_found")
        return self.channels[channel]

    def mine(self, team: str) -> Install | None:
        """The active install that sees this workspace."""
        return next((item for item in self.installs.values() if item.state == "active" and self.sees(item, team)), None)

    def sees(self, install: Install, team: str) -> bool:
        """Whether an install reaches this workspace."""
        if install.team:
            return install.team == team
        workspace = self.workspaces.get(team)
        return workspace is not None and workspace.enterprise_id == install.enterprise_id

    def visible(self, install: Install, channel: str) -> Channel:
        """A conversation that this install can name: of a workspace it reaches, and public or with its bot in it."""
        place = self.channel(channel)
        inside = install.bot_user in place.members
        if not any(self.sees(install, team) for team in place.teams) or (place.kind != "channel" and not inside):
            raise SlackError("channel_not_found")
        return place

    # Events.

    def frame(self, install: Install, team: str, event: dict[str, Any], subject: str, *, shared: bool) -> None:
        """Send one event with an event_id of its own; to whom and whether is the caller's business."""
        name = f"Ev{self.count('event'):08d}"
        body = shapes.event_callback(self.app, install, team, event, name, self.now(), shared=shared)
        self.emit(Envelope("events_api", team, body, subject))

    def _present(self, place: Channel) -> Install | None:
        """The install that is told what happens in a conversation: the first one whose bot is in it."""
        return next(iter(self._all_present(place)), None)

    def _all_present(self, place: Channel) -> list[Install]:
        found = [self.mine(team) for team in place.teams]
        return [item for item in found if item is not None and item.bot_user in place.members]

    def _farewell(self, install: Install, team: str, event: dict[str, Any]) -> None:
        if event["type"] in self.app.events:
            stamped = event | {"event_ts": f"{self.now():.6f}"}
            self.frame(install, team, stamped, event["type"], shared=False)

    def _must(self, team: str) -> Install:
        install = self.mine(team)
        if install is None:
            raise SlackError("not_installed")
        return install
