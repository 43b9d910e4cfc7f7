"""`python -m scripts.discord_live`: the check, its report, and 0 if all went well."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from adapters.discord.connection.endpoints import point_at
from adapters.discord.connection.rest import Rest
from agent.language import Lang
from bot.settings import Settings, SettingsError, load
from scripts.discord_live import texts
from scripts.discord_live.calls import Caller
from scripts.discord_live.check import Check
from scripts.discord_live.steps import STEPS
from scripts.discord_live.tidy import tidy
from scripts.live.command import Say, command, network
from scripts.live.people import Ask
from scripts.live.report import Report, Step
from tests.fakes.llm import FakeLLM
from tests.support.process import Kagentbot, with_model

TOKEN, CHANNEL = "DISCORD_TOKEN", "DISCORD_LIVE_CHANNEL"

#: Seconds between two looks: a channel is listed about five times in five seconds at most.
PAUSE_S: Final = 1.5


async def check(
    environ: Mapping[str, str],
    lang: Lang,
    say: Say,
    ask: Ask,
    *,
    pause: float = PAUSE_S,
    steps: Sequence[Step[Check]] = STEPS,
) -> int:
    """Run the steps; the exit status. `ask` asks a person for what only a person can do."""
    try:
        settings = load(None, environ)
    except SettingsError as error:
        say(error.say(lang))
        return 2
    token = settings.credentials.discord_token
    found = {TOKEN: token.get_secret_value() if token else "", CHANNEL: environ.get(CHANNEL, "")}
    if missing := [name for name, value in found.items() if not value]:
        say(texts.MISSING.say(lang, names=", ".join(missing)))
        return 2
    say(texts.BEGIN.say(lang, channel=found[CHANNEL]))
    report = Report(lang, say)
    async with contextlib.AsyncExitStack() as stack:
        run = await _prepare(stack, found, settings, environ, lang, ask, pause)
        try:
            await report.take(steps, run)
        finally:
            # First of all, so that it doesn't answer while everything is being deleted.
            await run.server.__aexit__()
            left = await tidy(run)
            await run.bot.rest.close()
        report.close(run.facts, left)
    return 0 if report.ok and not left else 1


async def _prepare(
    stack: contextlib.AsyncExitStack,
    found: Mapping[str, str],
    settings: Settings,
    environ: Mapping[str, str],
    lang: Lang,
    ask: Ask,
    pause: float,
) -> Check:
    """The bot, the model and the server, which isn't started yet."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kagentbot-live-")))
    model = await stack.enter_async_context(FakeLLM(log_requests=True))
    point_at(settings.discord)
    variables = {TOKEN: found[TOKEN], "KAGENTBOT_DISCORD__API_URL": settings.discord.api_url}
    variables |= {"KAGENTBOT_DISCORD__GATEWAY_URL": settings.discord.gateway_url}
    variables |= network(environ)
    server = await stack.enter_async_context(Kagentbot(folder, with_model(model.base_url, **variables)))
    return Check(
        bot=Caller(Rest(found[TOKEN], lang=lang), lang),
        channel=found[CHANNEL],
        lang=lang,
        model=model,
        server=server,
        ask=ask,
        pause=pause,
    )


if __name__ == "__main__":
    sys.exit(command("make discord-live", __doc__, check))
