"""Sends the commands because an operator wants them sent: somebody has removed them, or they look wrong."""

from __future__ import annotations

from adapters.discord.connection.http import quiet_library
from adapters.discord.connection.sync import send
from adapters.discord.controls.commands import payload
from adapters.discord.controls.interactions import command_tree
from adapters.discord.errors import sentence
from adapters.discord.setup.checking import rest_of
from agent.language import Lang
from bot.posting import Ambiguous, Refused, RetryLater
from bot.settings.discord import DiscordSettings


async def resend(token: str, settings: DiscordSettings, lang: Lang) -> tuple[list[str], str]:
    """Send all commands now: their names, and "" or the sentence that says why not. Raises nothing of Discord's."""
    quiet_library()
    rest = rest_of(token, settings, lang)
    commands = await payload(command_tree())
    try:
        await send(rest, commands)
    except Refused as refused:
        return [], sentence(refused.code, lang)
    except (RetryLater, Ambiguous):
        return [], sentence("unreachable", lang)
    finally:
        await rest.close()
    return [str(each["name"]) for each in commands], ""
