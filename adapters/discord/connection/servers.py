"""Which servers the bot is in, and whether those are the ones that it is to serve."""

from __future__ import annotations

import logging
from typing import Any, Final, NamedTuple

from adapters.discord import limits
from adapters.discord.connection.rest import Rest
from adapters.discord.setup import permissions
from agent.language import Lang, Text
from bot.posting import Ambiguous, Refused, RetryLater
from bot.settings.discord import DiscordSettings

log = logging.getLogger(__name__)

#: Servers that a sentence names; a bot may be in thousands.
_MOST_NAMED: Final = 20
#: Pages of servers that are read.
_MOST_PAGES: Final = 20
_PATIENCE_S: Final = 60.0

NOBODY = Text(
    "No server is served, because discord.servers is empty. The bot is in {servers}: set servers = {line} under "
    "[discord], or KAGENTBOT_DISCORD__SERVERS.",
    "discord.servers 为空，因此不为任何服务器服务。机器人所在的服务器：{servers}。"
    "请在 [discord] 下设置 servers = {line}，或设置 KAGENTBOT_DISCORD__SERVERS。",
)
NOWHERE = Text("The bot is in no server: invite it with {link}", "机器人不在任何服务器中：请用此链接邀请 {link}")
NOT_IN = Text(
    "The bot is not in server {server}, which discord.servers names: invite it with {link}",
    "机器人不在 discord.servers 列出的服务器 {server} 中：请用此链接邀请 {link}",
)
_NOT_SERVED = Text(
    "The bot is in {servers} without serving it: add the id to discord.servers, or let the bot leave.",
    "机器人在 {servers} 中，但不为其服务：请将 ID 加入 discord.servers，或让机器人退出。",
)


class Server(NamedTuple):
    """A server that the bot is in."""

    id: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"


async def servers_of(rest: Rest) -> list[Server]:
    """All of them. Raises as `Rest.call` does."""
    found: list[Server] = []
    for _ in range(_MOST_PAGES):
        params: dict[str, Any] = {"limit": limits.SERVERS_PER_PAGE} | ({"after": found[-1].id} if found else {})
        page = await rest.call_patiently("GET", "/users/@me/guilds", params=params, most_s=_PATIENCE_S)
        found += [Server(str(each["id"]), str(each["name"])) for each in page]
        if len(page) < limits.SERVERS_PER_PAGE:
            break
    return found


def differences(servers: list[Server], settings: DiscordSettings, application_id: int, lang: Lang) -> list[str]:
    """What is wrong with the servers that are served, one sentence each."""
    link = permissions.invite_link(application_id, persona=settings.persona)
    if not servers:
        return [NOWHERE.say(lang, link=link)]
    if not settings.servers:
        line = "[" + ", ".join(f'"{server.id}"' for server in servers[:_MOST_NAMED]) + "]"
        return [NOBODY.say(lang, servers=_named(servers, lang), line=line)]
    here = {server.id for server in servers}
    return [NOT_IN.say(lang, server=server, link=link) for server in settings.servers if server not in here]


def others(servers: list[Server], settings: DiscordSettings, lang: Lang) -> str:
    """The servers that it is in and doesn't serve, in a sentence; "" for none."""
    found = [server for server in servers if settings.servers and server.id not in settings.servers]
    return _NOT_SERVED.say(lang, servers=_named(found, lang)) if found else ""


def _named(servers: list[Server], lang: Lang) -> str:
    shown = ("、" if lang == "zh" else ", ").join(map(str, servers[:_MOST_NAMED]))
    return shown + (" …" if len(servers) > _MOST_NAMED else "")


class Servers:
    """Tells the operator, each thing once."""

    def __init__(self, rest: Rest, settings: DiscordSettings, lang: Lang) -> None:
        self._rest = rest
        self._settings = settings
        self._lang = lang
        self._told: set[str] = set()
        #: What keeps people from being served; "" nothing.
        self.trouble = ""

    async def look(self) -> None:
        """Look at the servers as they are now. Raises nothing of Discord's: it is looked at again at the next event."""
        try:
            servers = await servers_of(self._rest)
        except (Refused, RetryLater, Ambiguous):
            return
        wrong = differences(servers, self._settings, self._rest.application_id, self._lang)
        self.trouble = wrong[0] if wrong else ""
        for said in wrong:
            self._tell(logging.WARNING, said)
        if foreign := others(servers, self._settings, self._lang):
            self._tell(logging.INFO, foreign)

    def _tell(self, level: int, said: str) -> None:
        if said not in self._told:
            self._told.add(said)
            log.log(level, "Discord: %s", said)
