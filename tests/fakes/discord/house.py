"""The fake, put together and served."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from tests.fakes.discord import server
from tests.fakes.discord.clock import Clock
from tests.fakes.discord.control import Controls
from tests.fakes.discord.delivery import Delivery, Desk
from tests.fakes.discord.faults import FaultPlan
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.log import Log
from tests.fakes.discord.prepared import application, prepare
from tests.fakes.discord.state import Discord
from tests.fakes.discord.web import Web


class House:
    """One fake Discord with the world of `prepared`. `log` is the file of its log; `seed` that of all chance."""

    def __init__(self, log: Path | None = None, seed: int = 1) -> None:
        clock = Clock()
        self.discord = Discord(application(), log=Log(log, clock.now), clock=clock)
        prepare(self.discord)
        self.gateway = Gateway(Desk(self.discord))
        delivery = Delivery(self.discord, self.gateway, seed)
        plan = FaultPlan(seed)
        controls = Controls(self.discord, plan, self.gateway, delivery)
        app = server.application([Web(self.discord, plan).routes, controls.routes])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    async def open(self, port: int = 0) -> int:
        """Serve on loopback; the port (0: any free one)."""
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        found = int(self._runner.addresses[0][1])
        self.discord.origin = f"http://127.0.0.1:{found}"
        self.gateway.url = f"ws://127.0.0.1:{found}/gateway"
        return found

    async def close(self) -> None:
        """End every connection."""
        await self._runner.cleanup()
