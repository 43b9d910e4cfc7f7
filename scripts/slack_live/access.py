"""Steps 1 to 3: tokens, agent, sockets."""

from __future__ import annotations

import time

import aiohttp
from aiohttp import ClientSession

from adapters.slack.connection.api import RateLimited, SlackRefused, ask
from adapters.slack.errors import sentence
from adapters.slack.setup.manifest import lacking
from bot.posting import Ambiguous, RetryLater
from scripts.live import texts as common
from scripts.live.failing import Failed
from scripts.slack_live import texts
from scripts.slack_live.check import Check
from scripts.slack_live.people import ByHand, ByToken
from tests.support.process import NotReady

#: Seconds until the server's sockets are open.
_CONNECT_S = 60.0


async def tokens(check: Check) -> str:
    """Whose the tokens are, that the scopes are all there, and that the bot is in the channel."""
    bot, granted = await check.bot.granted()
    if not bot.get("bot_id"):
        raise Failed(sentence("not_bot_token", check.lang), texts.FIX_BOT_TOKEN.say(check.lang))
    if missing := lacking(granted):
        names = ", ".join(missing)
        raise Failed(sentence("missing_scope", check.lang, needed=names), texts.FIX_SCOPES.say(check.lang))
    check.team, check.bot_user, check.bot_id = (str(bot[name]) for name in ("team_id", "user_id", "bot_id"))
    check.name = str(bot.get("user") or "kagent")
    person, _ = await check.person.granted()
    if person.get("bot_id") or person.get("team_id") != check.team:
        raise check.fail(texts.WRONG_PERSON, texts.FIX_PERSON, team=check.team)
    check.user = str(person["user_id"])
    place = (await check.bot("conversations.info", channel=check.channel))["channel"]
    if place.get("is_archived") or not place.get("is_member"):
        raise check.fail(texts.NOT_IN_CHANNEL, texts.FIX_CHANNEL, name=check.name)
    await _choose_hands(check)
    return texts.WHO.say(check.lang, team=bot.get("team"), id=check.team, bot=check.name, person=person.get("user"))


async def _choose_hands(check: Check) -> None:
    """The app doesn't answer what itself or another app has written. If Slack names an app in what is posted with a
    person's token, the person has to type.
    """
    hands = ByToken(check.person)
    probe = await check.person("chat.postMessage", channel=check.channel, text=texts.PROBE.say(check.lang))
    check.threads.append((check.channel, str(probe["ts"])))
    app = str(probe.get("message", {}).get("bot_id") or "")
    check.measured(texts.TYPED_BY_APP if app else texts.TYPED_BY_PERSON)
    asked = ByHand(check.bot, check.ask, check.lang, check.user, check.pause)
    check.hands = asked if app else hands


async def agent(check: Check) -> str:
    """agents.sessions.setStatus is for agents, and warns where Stop would come to nothing."""
    where = {"channel_id": check.channel, "thread_ts": await check.root()}
    answer = await check.bot("agents.sessions.setStatus", status="processing", **where)
    if warning := answer.get("warning"):
        raise check.fail(texts.WARNED, texts.FIX_EVENTS, warning=warning)
    await check.bot("agents.sessions.setStatus", status="active", **where)
    return ""


async def sockets(check: Check) -> str:
    """Nobody else is connected with this app; the server is, and says so."""
    others = await _connected(check)
    if others:
        raise check.fail(texts.NOT_ALONE, texts.FIX_NOT_ALONE, count=others)
    try:
        await check.server.start()
    except NotReady as ended:
        last = (ended.done.err or ended.done.out).strip().splitlines()[-1:]
        raise check.fail(common.NOT_STARTED, common.FIX_SETTINGS, why="".join(last)) from ended

    async def look() -> str:
        async with ClientSession() as session, session.get(f"{check.server.url}/readyz") as answer:
            slack = (await answer.json())["checks"].get("slack", {})
        return str(slack["detail"]) if slack.get("state") == "ok" else ""

    begun = time.monotonic()
    detail = await check.until(look, _CONNECT_S)
    if detail is None:
        raise check.fail(texts.NOT_CONNECTED, texts.FIX_SOCKETS, log=check.trouble())
    check.measured(texts.CONNECTED_IN, seconds=f"{time.monotonic() - begun:.1f}")
    return detail


async def _connected(check: Check) -> int:
    """How many sockets of other servers the app has: events would go to them."""
    try:
        answer = await ask(check.app.client, "apps.connections.open", app_token=check.app_token)
    except SlackRefused as refused:
        reason = sentence(refused.code, check.lang, needed="connections:write")
        raise Failed(reason, texts.FIX_APP_TOKEN.say(check.lang)) from refused
    except (RateLimited, RetryLater, Ambiguous) as trouble:
        raise Failed(sentence("unreachable", check.lang), texts.FIX_NETWORK.say(check.lang)) from trouble
    proxy = check.app.client.proxy
    try:
        async with ClientSession() as session, session.ws_connect(str(answer["url"]), proxy=proxy) as socket:
            hello = await socket.receive_json(timeout=20.0)
    except (aiohttp.ClientError, TimeoutError, TypeError, ValueError) as trouble:
        raise Failed(sentence("unreachable", check.lang), texts.FIX_NETWORK.say(check.lang)) from trouble
    return int(hello.get("num_connections", 1)) - 1
