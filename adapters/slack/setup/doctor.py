"""What can be wrong with Slack's settings, and with Slack itself; for `kagentbot doctor` and for the connection.

The checks of the settings import neither slack_sdk nor slack_bolt.
"""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import urlsplit

from adapters.slack.setup.manifest import EVENTS_PATH
from agent.language import Lang, Text
from bot.doctor.lines import Line, line
from bot.settings import Settings

_NO_APP_TOKEN = Text(
    "SLACK_APP_TOKEN is missing, which Socket Mode needs: make one with the scope connections:write under Basic "
    "Information, App-Level Tokens.",
    "缺少 SLACK_APP_TOKEN，Socket Mode 需要它：请在 Basic Information 的 App-Level Tokens 中创建，"
    "scope 选 connections:write。",
)
_NO_SIGNING_SECRET = Text(
    "SLACK_SIGNING_SECRET is missing, so no request of Slack's can be trusted and none is answered: copy it from Basic "
    "Information.",
    "缺少 SLACK_SIGNING_SECRET，无法确认请求来自 Slack，因此不会应答任何请求：请从 Basic Information 中复制。",
)
_WRONG_BOT_TOKEN = Text(
    "SLACK_BOT_TOKEN must begin with xoxb-: it is the Bot User OAuth Token under OAuth & Permissions.",
    "SLACK_BOT_TOKEN 应以 xoxb- 开头：它是 OAuth & Permissions 中的 Bot User OAuth Token。",
)
_WRONG_APP_TOKEN = Text(
    "SLACK_APP_TOKEN must begin with xapp-: it is made under Basic Information, App-Level Tokens.",
    "SLACK_APP_TOKEN 应以 xapp- 开头：请在 Basic Information 的 App-Level Tokens 中创建。",
)
_BOTH_TOKENS = Text(
    "SLACK_BOT_TOKEN is not used, because OAuth is set up: remove it, or slack.client_id and slack.client_secret.",
    "已设置 OAuth，因此不会使用 SLACK_BOT_TOKEN：请删除它，或删除 slack.client_id 和 slack.client_secret。",
)
_HALF_OAUTH = Text(
    "OAuth needs both slack.client_id and slack.client_secret: copy them from Basic Information.",
    "OAuth 同时需要 slack.client_id 和 slack.client_secret：请从 Basic Information 中复制。",
)
_NO_PUBLIC_URL = Text(
    "slack.public_url is missing: set it to the address by which Slack and browsers reach this server, for example "
    "https://bot.example.com.",
    "缺少 slack.public_url：请设为 Slack 和浏览器访问本服务的地址，例如 https://bot.example.com。",
)
_NOT_HTTPS = Text(
    "slack.public_url is not https: Slack delivers to https addresses only; put a proxy with a certificate in front.",
    "slack.public_url 不是 https：Slack 只会投递到 https 地址；请在前面放置带证书的反向代理。",
)
_NOBODY = Text(
    "OAuth is set up, but slack.workspaces is empty, so nobody is served: list the ids of the workspaces that may "
    "install the app.",
    "已设置 OAuth，但 slack.workspaces 为空，因此不为任何人服务：请列出允许安装应用的工作区 ID。",
)
_HOST_NOT_ADMITTED = Text(
    "Requests for {host} would be refused: add it to server.hosts.",
    "发往 {host} 的请求会被拒绝：请将其加入 server.hosts。",
)
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")

_BY_SOCKETS = Text("slack: {count} sockets, {who}", "Slack：{count} 个连接，{who}")
_BY_HTTP = Text("slack: events at {url}, {who}", "Slack：在 {url} 接收事件，{who}")
_BY_TOKEN = Text("workspace {team} as {user}", "工作区 {team}，身份 {user}")
_BY_OAUTH = Text("installed with OAuth in {allowed}", "通过 OAuth 安装于 {allowed}")
_PROBLEM = Text("slack: {problem}", "slack: {problem}")


class Problem(NamedTuple):
    """Something that an operator has to mend."""

    text: Text
    #: Whether nothing works before it is mended.
    fatal: bool = True


def problems(settings: Settings) -> list[Problem]:
    """What is wrong with the settings themselves."""
    slack, keys = settings.slack, settings.credentials
    found: list[Problem] = []
    if bool(slack.client_id) != (slack.client_secret is not None):
        found.append(Problem(_HALF_OAUTH, fatal=keys.slack_bot_token is None))
    if slack.uses_oauth:
        if keys.slack_bot_token is not None:
            found.append(Problem(_BOTH_TOKENS, fatal=False))
        if not slack.workspaces:
            found.append(Problem(_NOBODY, fatal=False))
    elif keys.slack_bot_token is not None and not keys.slack_bot_token.get_secret_value().startswith("xoxb-"):
        found.append(Problem(_WRONG_BOT_TOKEN))
    if slack.mode == "socket":
        if keys.slack_app_token is None:
            found.append(Problem(_NO_APP_TOKEN))
        elif not keys.slack_app_token.get_secret_value().startswith("xapp-"):
            found.append(Problem(_WRONG_APP_TOKEN))
    elif keys.slack_signing_secret is None:
        found.append(Problem(_NO_SIGNING_SECRET))
    # With a bot token, Slack alone has to know the address: it is on the app's page.
    if slack.uses_oauth or (slack.mode == "http" and slack.public_url is not None):
        found += _problems_of_address(settings)
    return found


def _problems_of_address(settings: Settings) -> list[Problem]:
    url = settings.slack.public_url
    if url is None:
        return [Problem(_NO_PUBLIC_URL)]
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    found = []
    if parts.scheme != "https" and host not in _LOOPBACK:
        found.append(Problem(_NOT_HTTPS, fatal=False))
    if not _is_admitted(host, settings):
        found.append(
            Problem(Text(_HOST_NOT_ADMITTED.say("en", host=host), _HOST_NOT_ADMITTED.say("zh", host=host)), False)
        )
    return found


def _is_admitted(host: str, settings: Settings) -> bool:
    """Whether `bot.web.access` lets requests for this name in: names of this machine, and those that are listed; where
    none is, all of them, as long as the page asks for a token.
    """
    server = settings.server
    if host in (*server.hosts, *_LOOPBACK):
        return True
    return not server.hosts and (server.token is not None or server.host not in _LOOPBACK)


async def look_at_slack(settings: Settings, lang: Lang) -> list[Line]:
    """Lines for `kagentbot doctor`; none without Slack. Asks Slack about the tokens."""
    if not settings.uses_slack and not settings.slack.client_id:
        return []
    found = problems(settings)
    lines = [
        line("error" if problem.fatal else "warning", _PROBLEM, lang, problem=problem.text.say(lang))
        for problem in found
    ]
    if any(problem.fatal for problem in found):
        return lines
    from adapters.slack.setup.checking import check_tokens

    report = await check_tokens(settings, lang)
    lines += [Line("error", _PROBLEM.say(lang, problem=said)) for said in report.errors]
    if report.errors:
        return lines
    allowed = ", ".join(settings.slack.workspaces) or "–"
    who = (
        _BY_OAUTH.say(lang, allowed=allowed)
        if settings.slack.uses_oauth
        else _BY_TOKEN.say(lang, team=report.team, user=report.user)
    )
    if settings.slack.mode == "socket":
        return [*lines, line("ok", _BY_SOCKETS, lang, count=settings.slack.sockets, who=who)]
    return [*lines, line("ok", _BY_HTTP, lang, url=f"{settings.slack.public_url or ''}{EVENTS_PATH}", who=who)]
