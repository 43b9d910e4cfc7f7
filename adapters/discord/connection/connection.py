"""Discord's events: one login at its gateway after the other, for as long as the server runs.

connection = open_connection(settings, store, clock)
await connection.start(register)      # `register` puts listeners on each new client
connection.client                     # the one that is logged in just now
connection.rest                       # for whatever calls the REST API
await connection.stop()

discord.py takes up a lost connection again by itself, and loses nothing then. What it does not survive ends its client:
an event that it can't parse, a session that Discord has forgotten while nothing could connect, a refused token. Then a
new client is made, with growing pauses; the rest of the server never notices.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any, Final

import aiohttp
import discord
from discord import app_commands

from adapters.discord.connection.client import GatewayClient, stop_heartbeats
from adapters.discord.connection.endpoints import point_at
from adapters.discord.connection.rest import Application, Rest
from adapters.discord.connection.servers import Servers
from adapters.discord.connection.sync import CommandSync
from adapters.discord.errors import sentence
from adapters.discord.setup.doctor import problems
from agent.clock import Clock
from agent.language import Lang, Text
from bot.ports import Health
from bot.posting import Ambiguous, Refused, RetryLater
from bot.settings import Settings
from bot.settings.discord import DiscordSettings
from bot.store.db import Store

log = logging.getLogger(__name__)

#: Puts listeners on a new client; the tree of commands, where there is one.
Register = Callable[[discord.AutoShardedClient], "app_commands.CommandTree[Any] | None"]

#: Seconds between two looks at what only an operator can mend.
_LOOK_AGAIN_S: Final = 60.0
#: Seconds before the second attempt to connect, doubled each time. The longest one keeps below the number of sessions
#: that Discord lets a bot begin in a day; it takes the token back from one that begins more.
_FIRST_S: Final = 1.0
_LONGEST_S: Final = 120.0
#: Seconds after which a client counts as well, so that the next failure is the first one again.
_WELL_S: Final = 60.0
#: Seconds without any open shard after which discord.py's own attempts are given up.
_DEAF_S: Final = 90.0
#: Seconds without one after which an operator is told; most interruptions are shorter.
_SOON_S: Final = 10.0
#: Seconds between two looks at whether there is one.
_WATCH_S: Final = 5.0
#: Seconds without news of servers after which they are looked at.
_SETTLED_S: Final = 0.5
#: Seconds that a client may take to close.
_CLOSE_S: Final = 3.0
#: Sessions of a day that are left alone, for an operator's own attempts.
_SPARE_STARTS: Final = 20
#: Close code of the gateway for a token that it refuses (docs, gateway close event codes).
_TOKEN_REFUSED: Final = 4004

_CONNECTING = Text("connecting to Discord", "正在连接 Discord")
_DISCONNECTED = Text(
    "the connection to Discord is lost and is being taken up again", "与 Discord 的连接已断开，正在恢复"
)
_SHARDS = Text("{open} of {count} connections", "已连接 {open}/{count}")
_WELL = Text("connected as {name}", "已连接，身份 {name}")
_BROKEN_EVENT = Text(
    "an event of Discord's could not be read, so it is connected to anew; what was said meanwhile is caught up with.",
    "有一个 Discord 事件无法解析，正在重新连接；其间的消息会补上。",
)
_NO_STARTS = Text(
    "Discord lets this bot begin no further session for {minutes} minutes: stop whatever else connects with its token.",
    "在 {minutes} 分钟内，Discord 不允许该机器人建立新会话：请停掉使用同一令牌的其他程序。",
)
_CONTENT_BACK = Text(
    "the Message Content intent is switched on now: connecting anew.", "Message Content Intent 已开启：正在重新连接。"
)


class _TooManyStarts(Exception):
    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class DiscordConnection:
    """Receives Discord's events. `start`, then `stop`."""

    def __init__(
        self,
        settings: DiscordSettings,
        rest: Rest,
        token: str,
        sync: CommandSync,
        *,
        lang: Lang,
        broken: str = "",
    ) -> None:
        """`broken`: why nothing can work with these settings, in one sentence; "" when it can."""
        self.rest = rest
        self._settings = settings
        self._token = token
        self._sync = sync
        self._servers = Servers(rest, settings, lang)
        self._lang = lang
        self._broken = broken
        self._client: GatewayClient | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        # What keeps it from connecting; "" nothing that is known.
        self._trouble = ""
        self._open: set[int] = set()
        self._was_open = False
        self._open_until = 0.0
        self._reads_content = True
        # The application's flags when the gateway denied what they promise.
        self._denied: int | None = None

    @property
    def client(self) -> discord.AutoShardedClient | None:
        """The client that is logged in, or is about to be; None between two of them. A new one at any moment."""
        return self._client

    @property
    def reads_content(self) -> bool:
        """Whether Discord sends what people write without a mention; `health` says so, too."""
        return self._reads_content

    async def start(self, register: Register) -> None:
        """Begin to receive; connects in the background, so it never waits for Discord."""
        if self._broken:
            log.error("Discord: %s", self._broken)
            return
        self._begin("supervisor", self._supervise(register))

    async def stop(self) -> None:
        """Accept nothing more. `rest` stays open, for answers in the making."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def routes(self) -> None:
        """None: Discord's events come over the gateway alone."""

    def health(self) -> Health:
        """Whether events can arrive and be answered."""
        lang = self._lang
        if trouble := self._broken or self.rest.trouble or self._trouble:
            return Health("down", trouble)
        if not self._open:
            never = not self._was_open
            return Health("starting", _CONNECTING.say(lang)) if never else Health("down", _DISCONNECTED.say(lang))
        count = (self._client.shard_count if self._client is not None else None) or 1
        if len(self._open) < count:
            return Health("degraded", _SHARDS.say(lang, open=len(self._open), count=count))
        deaf = self._settings.message_content == "auto" and not self._reads_content
        if lost := self._servers.trouble or (sentence("intents", lang) if deaf else ""):
            return Health("degraded", lost)
        return Health("ok", _WELL.say(lang, name=self.rest.user_name))

    # --- One client after the other

    async def _supervise(self, register: Register) -> None:
        loop, pause = asyncio.get_running_loop(), _FIRST_S
        while True:
            began = loop.time()
            wait, trouble = await self._attempt(register)
            if loop.time() - began > _WELL_S:
                pause = _FIRST_S
            if wait is None:
                wait, pause = pause, min(_LONGEST_S, 2.0 * pause)
            if trouble and trouble not in (self._trouble, self.rest.trouble):
                log.error("Discord: %s", trouble)
            self._trouble = trouble
            await asyncio.sleep(wait)

    async def _attempt(self, register: Register) -> tuple[float | None, str]:
        """One client, from its beginning to its end: seconds until the next one (None: as many as failures have
        earned), and what an operator should know.
        """
        lang = self._lang
        try:
            await self._run(await self._look(), register)
        except Refused as refused:
            return _LOOK_AGAIN_S, sentence(refused.code, lang)
        except (discord.LoginFailure, discord.ConnectionClosed) as ended:
            if getattr(ended, "code", _TOKEN_REFUSED) != _TOKEN_REFUSED:
                return None, sentence("unreachable", lang)
            # Whatever calls next would find out, too; so it is told once.
            with contextlib.suppress(Refused, RetryLater, Ambiguous):
                await self.rest.application()
            return _LOOK_AGAIN_S, sentence("401", lang)
        except _TooManyStarts as problem:
            return problem.seconds, _NO_STARTS.say(lang, minutes=max(1, round(problem.seconds / 60)))
        except RetryLater as later:
            return max(_FIRST_S, later.seconds), sentence("unreachable", lang)
        except (Ambiguous, aiohttp.ClientError, OSError, discord.DiscordException):
            return None, sentence("unreachable", lang)
        except Exception:
            self._trouble = _BROKEN_EVENT.say(lang)
            log.exception("Discord: %s", self._trouble)
            return None, self._trouble
        return 0.0, ""

    async def _look(self) -> Application:
        """Who we are and whether a session may be begun. Raises what `Rest.call` does."""
        application = await self.rest.application()
        gateway = await self.rest.call("GET", "/gateway/bot")
        starts = gateway.get("session_start_limit") or {}
        left = int(starts.get("remaining", _SPARE_STARTS + 1)) - int(gateway.get("shards") or 1)
        if left < _SPARE_STARTS and left < int(starts.get("total", 0)) // 2:
            raise _TooManyStarts(min(max(float(starts.get("reset_after", 0)) / 1000.0, _LOOK_AGAIN_S), 3_600.0))
        return application

    async def _run(self, application: Application, register: Register) -> None:
        """One client until it ends, and what ended it is raised; or until it should ask for more than it did."""
        wants = self._settings.message_content == "auto"
        reads = wants and self._may_read(application)
        if self._reads_content and wants and not reads:
            log.warning("Discord: %s", sentence("intents", self._lang))
        self._reads_content = reads
        client = GatewayClient(self._hear, message_content=reads)
        tree = register(client)
        # Makes what `close` needs.
        await client.__aenter__()
        self._client, self._open_until = client, asyncio.get_running_loop().time()
        task = asyncio.create_task(client.start(self._token))
        try:
            # The commands of a process never change.
            if tree is not None and "sync" not in self._tasks:
                self._begin("sync", self._sync_commands(tree))
            await self._watch(task, look_for_content=wants and not reads)
        except discord.PrivilegedIntentsRequired:
            # The next client asks for less.
            self._denied = application.flags
        finally:
            self._client = None
            self._open.clear()
            await _close(client, task)

    async def _watch(self, task: asyncio.Task[None], *, look_for_content: bool) -> None:
        """Until the client ends, hears nothing any more, or may be told more than it is."""
        loop = asyncio.get_running_loop()
        looked_at = loop.time()
        while True:
            done, _ = await asyncio.wait({task}, timeout=_WATCH_S)
            if done:
                return task.result()
            now = loop.time()
            if self._open:
                self._open_until = now
                self._trouble = ""
            elif now - self._open_until > _DEAF_S:
                raise TimeoutError("no connection to the gateway")
            elif now - self._open_until > _SOON_S and not self._trouble:
                self._trouble = sentence("unreachable", self._lang)
                log.error("Discord: %s", self._trouble)
            if look_for_content and now - looked_at >= _LOOK_AGAIN_S:
                looked_at = now
                with contextlib.suppress(Refused, RetryLater, Ambiguous):
                    if self._may_read(await self.rest.application()):
                        log.info("Discord: %s", _CONTENT_BACK.say(self._lang))
                        return None

    def _may_read(self, application: Application) -> bool:
        return application.has_message_content and application.flags != self._denied

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Every event of the client."""
        if event in ("shard_connect", "shard_resumed"):
            self._open.add(arguments[0])
            self._was_open, self._trouble = True, ""
        elif event == "shard_disconnect":
            self._open.discard(arguments[0])
        if event in ("shard_ready", "guild_available", "guild_join", "guild_remove"):
            self._begin("servers", self._look_at_servers())

    async def _look_at_servers(self) -> None:
        # They come one after the other, at each new session too: one look at the end of them will do.
        await asyncio.sleep(_SETTLED_S)
        await self._servers.look()

    async def _sync_commands(self, tree: app_commands.CommandTree[Any]) -> None:
        from adapters.discord.controls.commands import payload

        await self._sync.keep(await payload(tree))

    def _begin(self, name: str, work: Any) -> None:
        """Do this in the background, instead of what was done under this name."""
        if (former := self._tasks.pop(name, None)) is not None:
            former.cancel()
        task = self._tasks[name] = asyncio.create_task(work, name=f"discord {name}")
        task.add_done_callback(_say_why)


def _say_why(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (problem := task.exception()) is not None:
        log.error("%s ended", task.get_name(), exc_info=problem)


async def _close(client: GatewayClient, task: asyncio.Task[None]) -> None:
    """Close it and end its task, also when whoever wants that is told to stop."""
    closing = asyncio.create_task(_close_within(client, task))
    try:
        await asyncio.shield(closing)
    except asyncio.CancelledError:
        await closing
        raise


async def _close_within(client: GatewayClient, task: asyncio.Task[None]) -> None:
    """Waits for no peer that doesn't answer.

    The client is closed before its task is cancelled: while it takes up a lost connection, discord.py swallows the
    cancellation, and goes on until it is closed.
    """
    try:
        async with asyncio.timeout(_CLOSE_S):
            await client.close()
    except Exception as problem:  # noqa: BLE001 - whatever it is, the next client is another one
        log.debug("closing: %s", type(problem).__name__)
        await client.http.close()
    task.cancel()
    await asyncio.wait({task}, timeout=_CLOSE_S)
    stop_heartbeats(client)
    if task.done() and not task.cancelled():
        # What ended it was looked at where it was waited for; asked here, so that asyncio doesn't call it forgotten.
        task.exception()


def open_connection(settings: Settings, store: Store, clock: Clock) -> DiscordConnection:
    """The connection of these settings. Connects to nothing yet."""
    point_at(settings.discord)
    found = problems(settings)
    token = settings.credentials.discord_token
    lang = settings.lang
    secret = token.get_secret_value() if token is not None else ""
    rest = Rest(secret, monotonic=clock.monotonic, lang=lang)
    broken = next((problem.text.say(lang) for problem in found if problem.fatal), "")
    return DiscordConnection(
        settings.discord, rest, secret, CommandSync(rest, store, clock, lang), lang=lang, broken=broken
    )
