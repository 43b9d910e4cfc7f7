"""The control API: what a test does to the fake itself. What people do in it is in `people`, what an installer does in
`installing`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from aiohttp import web

from tests.fakes.slack import interactive
from tests.fakes.slack.config import Config
from tests.fakes.slack.deliver import Deliverer
from tests.fakes.slack.envelope import Envelope
from tests.fakes.slack.faults import FaultPlan, Scripted
from tests.fakes.slack.http import Poster
from tests.fakes.slack.installing import Installer
from tests.fakes.slack.people import Body, Control, People
from tests.fakes.slack.socket import Sockets
from tests.fakes.slack.state import Slack
from tests.fakes.slack.world import SlackError


class Controls:
    """`POST /control/{name}` with a JSON body: 200 with `ok`, or with the reason why Slack lets nobody do that; 400 for
    a call that makes no sense."""

    def __init__(self, slack: Slack, plan: FaultPlan, deliverer: Deliverer, poster: Poster, sockets: Sockets) -> None:
        self._slack = slack
        self._plan = plan
        self._deliverer = deliverer
        self._poster = poster
        self._sockets = sockets
        own: dict[str, Control] = {
            "app": self._app,
            "world": self._world,
            "add": self._add,
            "set": self._set,
            "script": self._script,
            "state": self._state,
            "quiesce": self._quiesce,
            "log": self._read_log,
            "verify": self._verify,
            "forge": self._forge,
            "emit": self._emit,
            "sockets": self._list_sockets,
            "disconnect": self._disconnect,
            "abort": self._abort,
        }
        self._controls = own | People(slack, deliverer).controls() | Installer(slack).controls()

    def routes(self, app: web.Application) -> None:
        """Add the control API and the sockets' door."""
        app.router.add_post("/control/{name}", self._control)
        app.router.add_get("/link/", self._sockets.serve)
        app.on_shutdown.append(self._shut_down)

    async def _shut_down(self, _: web.Application) -> None:
        await self._deliverer.stop()
        await self._sockets.stop()
        await self._poster.close()

    async def _control(self, request: web.Request) -> web.StreamResponse:
        control = self._controls.get(request.match_info["name"])
        if control is None:
            raise web.HTTPNotFound
        try:
            return web.json_response({"ok": True, **await control(await request.json())})
        except SlackError as error:
            return web.json_response({"ok": False, "error": error.code, "more": error.more})
        except (ValueError, KeyError, TypeError) as error:
            return web.json_response({"ok": False, "error": f"{type(error).__name__}: {error}"}, status=400)

    async def _app(self, body: Body) -> Body:
        """Where the app is (`url`: its request URL, None: nowhere), how it is reached (`mode`), what its settings page
        says (`events`, `agent`, `messages_tab`, `redirect_urls`)."""
        if "url" in body:
            self._poster.url = body.pop("url")
        if "mode" in body:
            self._deliverer.mode = body.pop("mode")
        for name, value in body.items():
            if not hasattr(self._slack.app, name):
                raise ValueError(f"no such setting of an app: {name}")
            setattr(self._slack.app, name, _as(getattr(self._slack.app, name), value))
        return {}

    async def _world(self, body: Body) -> Body:
        """Who and what there is: the names that a test needs."""
        slack = self._slack
        return {
            "app": {name: _plain(value) for name, value in asdict(slack.app).items()},
            "installs": [{**asdict(install), "scopes": sorted(install.scopes)} for install in slack.installs.values()],
            "users": [asdict(user) for user in slack.users.values()],
            "channels": [{**asdict(one), "members": sorted(one.members)} for one in slack.channels.values()],
        }

    async def _add(self, body: Body) -> Body:
        """A new workspace, person, channel or install, with the arguments of `Slack.add_…`."""
        kind = body.pop("kind")
        if kind == "workspace":
            return {"id": self._slack.add_workspace(**body).id}
        if kind == "user":
            return {"id": self._slack.add_user(**body).id}
        if kind == "channel":
            name, teams = body.pop("channel"), body.pop("teams")
            return {"id": self._slack.add_channel(name, *teams, kind=body.pop("type", "channel"), **body).id}
        if kind == "install":
            install = self._slack.install(**body)
            return {"token": install.token, "bot_user": install.bot_user, "bot_id": install.bot_id}
        raise ValueError(f"nothing to add: {kind}")

    async def _set(self, body: Body) -> Body:
        """Change the settings; with `reset`, from the defaults, and forget the script."""
        if body.pop("reset", False):
            self._slack.config = Config()
            self._plan.clear()
            self._slack.tiers.clear()
        self._slack.config = self._slack.config.changed(body)
        return {"config": asdict(self._slack.config)}

    async def _script(self, body: Body) -> Body:
        self._plan.script(Scripted(**body))
        return {}

    async def _state(self, body: Body) -> Body:
        """All messages that exist now, people's and the app's, oldest first."""
        shown = [
            {**self._slack.shown_message(message), "channel": message.channel, "ephemeral_to": message.ephemeral_to}
            for message in self._slack.messages.values()
            if message.deleted_at is None
        ]
        return {"messages": sorted(shown, key=lambda message: str(message["ts"]))}

    async def _quiesce(self, body: Body) -> Body:
        return {"pending": await self._deliverer.quiesce(body["timeout"])}

    async def _read_log(self, body: Body) -> Body:
        return {"entries": await self._slack.log.read(body["after"], body["timeout"])}

    async def _verify(self, body: Body) -> Body:
        """Slack's check of the request URL."""
        return {"verified": await self._deliverer.verify()}

    async def _forge(self, body: Body) -> Body:
        """A mention that isn't Slack's; what the app answers."""
        payload = {
            "token": interactive.VERIFICATION_TOKEN,
            "team_id": body["team"],
            "api_app_id": self._slack.app.id,
            "event": body["event"],
            "type": "event_callback",
            "event_id": "EvFORGED",
            "event_time": int(self._slack.now()),
            "authorizations": [],
        }
        envelope = Envelope("events_api", body["team"], payload, "forged")
        return {"status": await self._deliverer.forge(envelope, body["forgery"])}

    async def _emit(self, body: Body) -> Body:
        """Any event at all, wrapped like the others, if the app is subscribed to it (`subscribed`: as if it were)."""
        event = body["event"]
        if body.get("subscribed"):
            self._slack.app.events |= {event["type"]}
        self._slack.event(body["team"], event, body.get("subject", event["type"]), body.get("channel", ""))
        return {}

    async def _list_sockets(self, body: Body) -> Body:
        return {"sockets": self._sockets.describe()}

    async def _disconnect(self, body: Body) -> Body:
        """Tell one socket (or all) to go."""
        return {"sockets": await self._sockets.disconnect(body["reason"], body.get("socket"))}

    async def _abort(self, body: Body) -> Body:
        """Break one socket's connection, or all."""
        return {"sockets": await self._sockets.abort(body.get("socket"))}


def _as(old: Any, value: Any) -> Any:
    """JSON has neither sets nor tuples."""
    return type(old)(value) if isinstance(old, frozenset | tuple) else value


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value
