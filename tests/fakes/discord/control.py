"""The control API: how a test plays the people, changes the world, sets faults, and reads the log."""

from __future__ import annotations

from dataclasses import asdict

from aiohttp import web

from tests.fakes.discord import shapes
from tests.fakes.discord.administrators import Administrators
from tests.fakes.discord.config import Config
from tests.fakes.discord.delivery import Delivery
from tests.fakes.discord.faults import FaultPlan, Scripted
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.hands import Hands
from tests.fakes.discord.people import Body, Control, People
from tests.fakes.discord.state import Discord
from tests.fakes.discord.world import DiscordError


class Controls:
    """`POST /control/{name}` with a JSON body: 200 with `ok`, or with the reason why Discord lets nobody do that; 400
    for a call that makes no sense."""

    def __init__(self, discord: Discord, plan: FaultPlan, gateway: Gateway, delivery: Delivery) -> None:
        self._discord = discord
        self._plan = plan
        self._gateway = gateway
        self._delivery = delivery
        own: dict[str, Control] = {
            "world": self._world,
            "set": self._set,
            "script": self._script,
            "advance": self._advance,
            "state": self._state,
            "log": self._read_log,
            "emit": self._emit,
            "connections": self._connections,
            "disconnect": self._disconnect,
            "outage": self._outage,
        }
        self._controls = (
            own | People(discord).controls() | Hands(discord).controls() | Administrators(discord, gateway).controls()
        )

    def routes(self, app: web.Application) -> None:
        """Add the control API and the gateway's address."""
        app.router.add_post("/control/{name}", self._control)
        for path in ("/gateway", "/gateway/", "/gateway/resume", "/gateway/resume/"):
            app.router.add_get(path, self._gateway.serve)
        app.on_shutdown.append(self._shut_down)

    async def _shut_down(self, _: web.Application) -> None:
        await self._delivery.stop()
        await self._gateway.stop()

    async def _control(self, request: web.Request) -> web.StreamResponse:
        control = self._controls.get(request.match_info["name"])
        if control is None:
            raise web.HTTPNotFound
        try:
            return web.json_response({"ok": True, **await control(await request.json())})
        except DiscordError as error:
            refused = {"ok": False, "status": error.status, "code": error.code, "message": error.message}
            return web.json_response(refused | {"errors": error.errors})
        except (ValueError, KeyError, TypeError) as error:
            return web.json_response({"ok": False, "error": f"{type(error).__name__}: {error}"}, status=400)

    async def _world(self, body: Body) -> Body:
        """Who and what there is: the names that a test needs."""
        discord = self._discord
        return {
            "app": asdict(discord.app),
            "users": [asdict(user) for user in discord.users.values()],
            "guilds": [shapes.guild(discord, one) for one in discord.guilds.values()],
            "channels": [shapes.channel(discord, one) for one in discord.channels.values()],
            "commands": [asdict(command) for command in discord.commands.values()],
            "webhooks": [asdict(one) for one in discord.webhooks.values()],
        }

    async def _set(self, body: Body) -> Body:
        """Change the settings; with `reset`, from the defaults, and forget the script."""
        if body.pop("reset", False):
            self._discord.config = Config()
            self._plan.clear()
            self._discord.limits.clear()
        self._discord.config = self._discord.config.changed(body)
        return {"config": asdict(self._discord.config)}

    async def _script(self, body: Body) -> Body:
        self._plan.script(Scripted(**body))
        return {}

    async def _advance(self, body: Body) -> Body:
        """Let so many seconds pass: tokens expire, buckets fill, addresses go bad."""
        self._discord.clock.advance(body["seconds"])
        return {}

    async def _state(self, body: Body) -> Body:
        """All messages that exist now, people's and the app's, oldest first; in one place, if `channel` names it."""
        shown = [
            shapes.message(self._discord, message) | {"ephemeral_to": message.ephemeral_to}
            for message in self._discord.messages.values()
            if message.deleted_at is None and body.get("channel") in (None, message.channel_id)
        ]
        return {"messages": sorted(shown, key=lambda message: int(message["id"]))}

    async def _read_log(self, body: Body) -> Body:
        return {"entries": await self._discord.log.read(body["after"], body["timeout"])}

    # The gateway.

    async def _emit(self, body: Body) -> Body:
        """Any event at all, malformed ones too."""
        self._discord.events.emit(body["event"], body["data"], guild=body.get("guild", ""), user=self._discord.app.id)
        return {}

    async def _connections(self, body: Body) -> Body:
        return {"connections": self._gateway.describe(), "waiting": self._delivery.waiting}

    async def _disconnect(self, body: Body) -> Body:
        """Let one connection, or all, come to an end; see `Gateway.disconnect`."""
        return {"connections": await self._gateway.disconnect(body["how"], body.get("connection"), body["code"])}

    async def _outage(self, body: Body) -> Body:
        """The gateway is `down`, or up again: open connections break. `forget`: no session survives it."""
        self._gateway.down = body["down"]
        if body["down"]:
            await self._gateway.disconnect("abort", None, 0)
        if body.get("forget"):
            self._gateway.forget_sessions()
        return {}
