"""What can be wrong with Discord's settings, and with Discord itself; for `kagentbot doctor` and for the connection.

The checks of the settings import nothing of discord.py.
"""

from __future__ import annotations

from typing import NamedTuple

from agent.language import Lang, Text
from bot.doctor.lines import Line, line
from bot.settings import Settings
from bot.settings.discord import DISCORD_API, DISCORD_GATEWAY

_HALF_TEST = Text(
    "discord.api_url and discord.gateway_url must be changed together: with one of them alone, half of the calls would "
    "go to the real Discord.",
    "discord.api_url 和 discord.gateway_url 必须同时修改：只改其中一个，会有一半请求发往真正的 Discord。",
)
_NO_TOKEN = Text(
    "discord.servers is set, but DISCORD_TOKEN is missing: run `kagentbot discord setup`.",
    "已设置 discord.servers，但缺少 DISCORD_TOKEN：请运行 `kagentbot discord setup`。",
)
_PROBLEM = Text("discord: {problem}", "discord: {problem}")


class Problem(NamedTuple):
    """Something that an operator has to mend."""

    text: Text
    #: Whether nothing works before it is mended.
    fatal: bool = True


def problems(settings: Settings) -> list[Problem]:
    """What is wrong with the settings themselves."""
    discord = settings.discord
    found = []
    if not settings.uses_discord:
        found.append(Problem(_NO_TOKEN))
    if (discord.api_url == DISCORD_API) != (discord.gateway_url == DISCORD_GATEWAY):
        found.append(Problem(_HALF_TEST))
    return found


async def look_at_discord(settings: Settings, lang: Lang) -> list[Line]:
    """Lines for `kagentbot doctor`; none without Discord. Asks Discord about the token."""
    if not settings.uses_discord and not settings.discord.servers:
        return []
    if found := problems(settings):
        return [line("error", _PROBLEM, lang, problem=problem.text.say(lang)) for problem in found]
    from adapters.discord.setup.checking import check_settings

    return [line(each.level, _PROBLEM, lang, problem=each.text) for each in await check_settings(settings, lang)]
