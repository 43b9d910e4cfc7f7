"""`python -m scripts.slack_live`: the check, its report, and 0 if all went well."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import aiohttp

from adapters.slack.connection.api import make_client
from agent.language import Lang
from bot.settings import Settings, SettingsError, load
from scripts.live.command import Say, command, network
from scripts.live.people import Ask
from scripts.live.report import Report, Step
from scripts.slack_live import texts
from scripts.slack_live.calls import Caller
from scripts.slack_live.check import Check
from scripts.slack_live.steps import STEPS
from scripts.slack_live.tidy import tidy
from tests.fakes.llm import FakeLLM
from tests.support.process import Kagentbot, with_model

BOT, APP, PERSON, CHANNEL = "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_LIVE_USER_TOKEN", "SLACK_LIVE_CHANNEL"

#: Seconds between two looks: conversations.replies may be called about 50 times a minute.
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
    keys = settings.credentials
    found = {
        BOT: keys.slack_bot_token.get_secret_value() if keys.slack_bot_token else "",
        APP: keys.slack_app_token.get_secret_value() if keys.slack_app_token else "",
        PERSON: environ.get(PERSON, ""),
        CHANNEL: environ.get(CHANNEL, ""),
    }
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
    """Callers, the model and the server, which isn't started yet."""
    session = await stack.enter_async_context(aiohttp.ClientSession())
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kagentbot-live-")))
    model = await stack.enter_async_context(FakeLLM(log_requests=True))
    variables = {BOT: found[BOT], APP: found[APP], "KAGENTBOT_SLACK__API_URL": settings.slack.api_url}
    variables |= {"KAGENTBOT_SLACK__MODE": "socket"} | network(environ)
    server = await stack.enter_async_context(Kagentbot(folder, with_model(model.base_url, **variables)))

    def caller(token: str | None) -> Caller:
        return Caller(make_client(token, session, settings.slack.api_url), lang)

    return Check(
        bot=caller(found[BOT]),
        app=caller(None),
        person=caller(found[PERSON]),
        app_token=found[APP],
        channel=found[CHANNEL],
        lang=lang,
        model=model,
        server=server,
        ask=ask,
        pause=pause,
    )


if __name__ == "__main__":
    sys.exit(command("make slack-live", __doc__, check))
