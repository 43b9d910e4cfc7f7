"""Tries the tokens: whose they are, whether Slack takes them, and whether they may do what they must."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.slack.connection.api import ask
from adapters.slack.connection.clients import Clients, NoInstallations, identify
from adapters.slack.errors import of_app_token, sentence
from adapters.slack.setup.manifest import lacking
from agent.language import Lang
from bot.posting import Ambiguous, Refused, RetryLater
from bot.settings import Settings


@dataclass(frozen=True, slots=True)
class TokenReport:
    """What Slack said about the tokens."""

    #: One sentence each.
    errors: tuple[str, ...] = ()
    #: Name and id of the bot token's workspace; "" without one.
    team: str = ""
    user: str = ""


async def check_tokens(settings: Settings, lang: Lang) -> TokenReport:
    """Ask Slack about the tokens of the settings. Raises nothing of Slack's."""
    bot, app = settings.credentials.slack_bot_token, settings.credentials.slack_app_token
    return await check(
        bot_token=None if bot is None or settings.slack.uses_oauth else bot.get_secret_value(),
        app_token=None if app is None or settings.slack.mode == "http" else app.get_secret_value(),
        api_url=settings.slack.api_url,
        allowed=frozenset(settings.slack.workspaces),
        lang=lang,
    )


async def check(
    *, bot_token: str | None, app_token: str | None, api_url: str, allowed: frozenset[str], lang: Lang
) -> TokenReport:
    """The same about these tokens; None: isn't asked about. `allowed`: where the bot may be, empty for anywhere."""
    clients = Clients(lambda _: NoInstallations(), api_url=api_url, lang=lang)
    errors: list[str] = []
    team = user = ""
    try:
        if bot_token is not None:
            try:
                identity = await identify(clients.client(bot_token))
                team, user = f"{identity.team_name} ({identity.workspace})", identity.bot_user_id
                if allowed and not allowed & {identity.team_id, identity.enterprise_id}:
                    errors.append(sentence("not_allowed", lang))
                if missing := lacking(identity.scopes):
                    errors.append(sentence("missing_scope", lang, needed=", ".join(missing)))
            except (Refused, RetryLater, Ambiguous) as problem:
                errors.append(said(problem, lang))
        if app_token is not None:
            try:
                # The address is good for one socket and is thrown away: nothing is opened.
                await ask(clients.client(None), "apps.connections.open", app_token=app_token)
            except Refused as refused:
                errors.append(of_app_token(refused.code, lang))
            except (RetryLater, Ambiguous):
                errors.append(sentence("unreachable", lang))
    finally:
        await clients.close()
    return TokenReport(tuple(dict.fromkeys(errors)), team, user)


def said(problem: Refused | RetryLater | Ambiguous, lang: Lang) -> str:
    """What a call that failed means for an operator."""
    if isinstance(problem, Refused):
        return sentence(problem.code, lang, needed=getattr(problem, "needed", "") or "connections:write")
    return sentence("unreachable", lang)
