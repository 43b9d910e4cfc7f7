"""`kagentbot slack`: from nothing to an app that answers, without clicking settings together."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import click
from pydantic import SecretStr, TypeAdapter, ValidationError

from adapters.chat import setting_up
from adapters.slack.setup import setup_help as help_texts
from adapters.slack.setup.manifest import COMMAND, OPTIONAL_SCOPES, SCOPES, Mode, create_link, manifest
from agent.language import Lang, Text
from bot.cli_help import LANG
from bot.printable import printable
from bot.settings import Settings
from bot.settings.loading import dotenv_file
from bot.settings.values import WebAddress

_BOT, _APP, _SIGNING = "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"
_CLIENT_ID, _CLIENT_SECRET = "SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"  # names of variables
_MODE, _URL = "KAGENTBOT_SLACK__MODE", "KAGENTBOT_SLACK__PUBLIC_URL"
_WORKSPACES = "KAGENTBOT_SLACK__WORKSPACES"

_CREATE = Text(
    "Open this link, choose the workspace, and press Next and Create:",
    "打开这个链接，选择工作区，依次点击 Next 和 Create：",
)
_SCOPES = Text("The app asks for these scopes:", "应用需要以下 scope：")
_OPTIONAL = Text("Not needed, but good to have:", "可选：")
_INSTALL = Text(
    "Install App → Install to Workspace → Allow; then copy the Bot User OAuth Token (xoxb-…).",
    "Install App → Install to Workspace → Allow；然后复制 Bot User OAuth Token（xoxb-…）。",
)
_APP_LEVEL = Text(
    "Basic Information → App-Level Tokens → Generate Token and Scopes: any name, scope connections:write; copy the "
    "token (xapp-…).",
    "Basic Information → App-Level Tokens → Generate Token and Scopes：名称任意，scope 选 connections:write；"
    "复制令牌（xapp-…）。",
)
_SIGNATURE = Text(
    "Basic Information → App Credentials: copy the Signing Secret.",
    "Basic Information → App Credentials：复制 Signing Secret。",
)
_CREDENTIALS = Text(
    "Basic Information → App Credentials: copy the Client ID and the Client Secret.",
    "Basic Information → App Credentials：复制 Client ID 和 Client Secret。",
)
_DISTRIBUTE = Text(
    "Manage Distribution → Activate Public Distribution, so that other workspaces can install the app.",
    "Manage Distribution → Activate Public Distribution，让其他工作区可以安装应用。",
)
_ASK_URL = Text("Address by which Slack reaches this server (https://…)", "Slack 访问本服务所用的地址（https://…）")
_ASK = {
    _BOT: Text("Bot User OAuth Token, xoxb-… (not shown)", "Bot User OAuth Token，xoxb-…（输入时不显示）"),
    _APP: Text("App-level token, xapp-… (not shown)", "应用级令牌，xapp-…（输入时不显示）"),
    _SIGNING: Text("Signing secret (not shown)", "Signing Secret（输入时不显示）"),
    _CLIENT_ID: Text("Client ID", "Client ID"),
    _CLIENT_SECRET: Text("Client secret (not shown)", "Client Secret（输入时不显示）"),
}
_ASK_WORKSPACES = Text(
    "Ids of the workspaces that may install it, with commas (T…)", "允许安装的工作区 ID，用逗号分隔（T…）"
)
_WRONG_START = Text(
    "It begins with {start}: look once more at the step above.", "它以 {start} 开头：请再看一下上面的步骤。"
)
_NOT_HTTPS = Text(
    "The address must begin with https:// and have no path, for example https://bot.example.com.",
    "地址应以 https:// 开头，不含路径，例如 https://bot.example.com。",
)
_NOT_IDS = Text("Ids begin with T or E, for example T0123ABCD.", "ID 以 T 或 E 开头，例如 T0123ABCD。")
_TRYING = Text("Asking Slack …", "正在向 Slack 核对 …")
_WELL = Text("Slack takes them: {team}", "Slack 已接受：{team}")
_WELL_APP = Text("Slack takes them.", "Slack 已接受。")
_ASK_AGAIN = Text("Enter the tokens again?", "重新输入令牌吗？")
_INVITE = Text(
    "Invite it to a channel with /invite @{name}, then mention it; or write to it directly, or type {command} help.",
    "在频道里用 /invite @{name} 邀请它，然后提及它；也可以直接给它发私信，或输入 {command} help。",
)
_HOSTS = Text(
    'Let Slack\'s requests in: add "{host}" to server.hosts (docs/slack.md).',
    '允许 Slack 的请求：把 "{host}" 加入 server.hosts（见 docs/slack.md）。',
)
_LINK_INSTALL = Text(
    "Each workspace installs the app at {url}/slack/install", "各工作区在 {url}/slack/install 安装应用"
)
_NEED_URL = Text(
    "With http and with --oauth the address is needed: add --url.", "使用 http 或 --oauth 时需要地址：请加上 --url。"
)
_NO_SLACK = Text("Slack isn't set up: run `kagentbot slack setup`.", "尚未配置 Slack：请运行 `kagentbot slack setup`。")

#: What each value begins with, where Slack's do.
_STARTS: Final = {_BOT: "xoxb-", _APP: "xapp-"}


class _Plan(NamedTuple):
    """Which kind of app it is to be."""

    mode: Mode
    #: Without a slash at its end; "" for none.
    url: str
    oauth: bool
    name: str

    @property
    def wanted(self) -> tuple[str, ...]:
        """The variables that it needs, in the order of the steps."""
        first = (_APP,) if self.mode == "socket" else (_SIGNING,)
        return (*first, *((_CLIENT_ID, _CLIENT_SECRET) if self.oauth else (_BOT,)))

    def manifest(self, lang: Lang) -> Any:
        return manifest(self.mode, public_url=self.url, oauth=self.oauth, name=self.name, lang=lang)


def _kind_of_app(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say which kind of app it is."""
    for option in (
        click.option("--name", default="kagent", help=help_texts.NAME.say(LANG)),
        click.option("--oauth/--no-oauth", default=None, help=help_texts.OAUTH.say(LANG)),
        click.option("--url", default=None, help=help_texts.URL.say(LANG)),
        click.option("--mode", type=click.Choice(["socket", "http"]), default=None, help=help_texts.MODE.say(LANG)),
    ):
        command = option(command)
    return command


@click.group(help=help_texts.SLACK.say(LANG), short_help=help_texts.SLACK_SHORT.say(LANG))
def slack() -> None:
    """Make and check the app; what it says of itself is in `adapters.slack.setup.setup_help`."""


@slack.command("manifest", help=help_texts.MANIFEST.say(LANG))
@_kind_of_app
@click.option("--language", type=click.Choice(["en", "zh"]), default=LANG, help=help_texts.LANGUAGE.say(LANG))
@click.option("--link", is_flag=True, help=help_texts.LINK.say(LANG))
@click.pass_obj
def show_manifest(config: Path | None, /, language: Lang, link: bool, **given: Any) -> None:
    """JSON on standard output, so that it can be piped."""
    settings = setting_up.settings_of(config)
    plan = _plan(settings, given, ask=False)
    content = plan.manifest(language)
    click.echo(create_link(content) if link else json.dumps(content, ensure_ascii=False, indent=2))


@slack.command(help=help_texts.CHECK.say(LANG))
@click.pass_obj
def check(config: Path | None) -> None:
    """The doctor's lines about Slack alone."""
    from adapters.slack.setup.doctor import look_at_slack

    settings = setting_up.settings_of(config)
    setting_up.show(asyncio.run(look_at_slack(settings, settings.lang)), _NO_SLACK, settings.lang)


@slack.command(help=help_texts.SETUP.say(LANG))
@_kind_of_app
@click.option("--test/--no-test", default=True, help=help_texts.TEST.say(LANG))
@click.pass_obj
def setup(config: Path | None, /, test: bool, **given: Any) -> None:
    """Steps, questions, a test, `.env`."""
    settings = setting_up.settings_of(config)
    lang = settings.lang
    try:
        plan = _plan(settings, given, ask=True)
        _show_steps(plan, lang)
        values = _take(plan, settings, lang, test=test)
    except click.Abort:
        setting_up.stop(lang)
    _write(dotenv_file(config), plan, values, lang)
    _say_what_is_next(plan, settings, lang)


# --- What is asked


def _plan(settings: Settings, given: dict[str, Any], *, ask: bool) -> _Plan:
    """The options, and the settings for what wasn't given. Without an address that is needed the program ends."""
    lang = settings.lang
    mode = cast(Mode, given["mode"] or settings.slack.mode)
    oauth = settings.slack.uses_oauth if given["oauth"] is None else bool(given["oauth"])
    url = (given["url"] or settings.slack.public_url or "").strip().rstrip("/")
    if mode == "socket" and not oauth:
        return _Plan(mode, "", oauth, given["name"])
    while _wrong_url(url):
        if url:
            click.echo(_NOT_HTTPS.say(lang), err=True)
        if not ask:
            click.echo(_NEED_URL.say(lang), err=True)
            sys.exit(2)
        url = str(click.prompt(_ASK_URL.say(lang))).strip().rstrip("/")
    return _Plan(mode, url, oauth, given["name"])


def _show_steps(plan: _Plan, lang: Lang) -> None:
    """What to do on Slack's pages, in order."""
    texts = [_CREATE.say(lang) + "\n\n   " + create_link(plan.manifest(lang)) + "\n"]
    texts.append((_APP_LEVEL if plan.mode == "socket" else _SIGNATURE).say(lang))
    texts += [_CREDENTIALS.say(lang), _DISTRIBUTE.say(lang)] if plan.oauth else [_INSTALL.say(lang)]
    for number, text in enumerate(texts, 1):
        click.echo(setting_up.STEP.say(lang, number=number, text=text))
    click.echo("\n" + _SCOPES.say(lang))
    for heading, scopes in ((None, SCOPES), (_OPTIONAL, OPTIONAL_SCOPES)):
        if heading is not None:
            click.echo(heading.say(lang))
        for scope, why in scopes.items():
            click.echo(f"   {scope:<22} {why.say(lang)}")
    click.echo()


def _take(plan: _Plan, settings: Settings, lang: Lang, *, test: bool) -> dict[str, str]:
    """The values, until Slack takes them or somebody has had enough. Raises `click.Abort`."""
    known = _known(settings)
    while True:
        values = {name: _value(name, known.get(name, ""), lang) for name in plan.wanted}
        if plan.oauth:
            values[_WORKSPACES] = _workspaces(",".join(settings.slack.workspaces), lang)
        if not test or _is_well(values, settings, lang):
            return values
        if not click.confirm(_ASK_AGAIN.say(lang), default=True):
            raise click.Abort
        known = values


def _known(settings: Settings) -> dict[str, str]:
    """What is set already."""
    keys, oauth = settings.credentials, settings.slack
    found: dict[str, SecretStr | None] = {
        _BOT: keys.slack_bot_token,
        _APP: keys.slack_app_token,
        _SIGNING: keys.slack_signing_secret,
        _CLIENT_SECRET: oauth.client_secret,
    }
    known = {name: secret.get_secret_value() for name, secret in found.items() if secret is not None}
    return known | ({_CLIENT_ID: oauth.client_id} if oauth.client_id else {})


def _value(name: str, known: str, lang: Lang) -> str:
    question = _ASK[name].say(lang)
    while True:
        typed = setting_up.ask(question, known, lang, hide_input=name != _CLIENT_ID)
        problem = _wrong_value(name, typed)
        if problem is None:
            return typed
        click.echo(problem.say(lang, start=_STARTS.get(name, "")))


def _wrong_value(name: str, typed: str) -> Text | None:
    if not setting_up.is_one_word(typed):
        return setting_up.NOT_ONE_WORD
    return None if typed.startswith(_STARTS.get(name, "")) else _WRONG_START


def _workspaces(known: str, lang: Lang) -> str:
    while True:
        typed = str(click.prompt(_ASK_WORKSPACES.say(lang), default=known or None)).replace(" ", "").strip(",")
        if typed and all(each[:1] in "TE" and each.isalnum() and each == each.upper() for each in typed.split(",")):
            return typed
        click.echo(_NOT_IDS.say(lang))


def _wrong_url(url: str) -> bool:
    if not url or not url.isprintable() or url.count("/") != 2:
        return True
    try:
        TypeAdapter(WebAddress).validate_python(url)
    except ValidationError:
        return True
    # http only where nobody else can listen: this machine, for tests.
    return not url.startswith(("https://", "http://127.0.0.1", "http://localhost"))


# --- What is tried


def _is_well(values: dict[str, str], settings: Settings, lang: Lang) -> bool:
    """Ask Slack, and print what it says."""
    from adapters.slack.setup import checking

    if _BOT not in values and _APP not in values:
        return True
    click.echo(_TRYING.say(lang))
    report = asyncio.run(
        checking.check(
            bot_token=values.get(_BOT),
            app_token=values.get(_APP),
            api_url=settings.slack.api_url,
            allowed=frozenset(settings.slack.workspaces),
            lang=lang,
        )
    )
    for said in report.errors:
        click.echo(f"  {printable(said)}")
    if not report.errors:
        click.echo(_WELL.say(lang, team=printable(report.team)) if report.team else _WELL_APP.say(lang))
    return not report.errors


# --- What is written


def _write(file: Path, plan: _Plan, values: dict[str, str], lang: Lang) -> None:
    settings = {_MODE: plan.mode, _URL: plan.url}
    # Of the other kind of app nothing is left behind that would change this one.
    unused = dict.fromkeys((_BOT,) if plan.oauth else (_CLIENT_ID, _CLIENT_SECRET), "")
    setting_up.write(file, {**unused, **values, **settings}, lang)


def _say_what_is_next(plan: _Plan, settings: Settings, lang: Lang) -> None:
    host = plan.url.partition("://")[2].partition(":")[0].lower()
    click.echo("\n" + setting_up.NEXT.say(lang))
    lines = [_HOSTS.say(lang, host=host)] if host and host not in settings.server.hosts else []
    lines.append(setting_up.SERVE.say(lang))
    if plan.oauth:
        lines.append(_LINK_INSTALL.say(lang, url=plan.url))
    lines.append(_INVITE.say(lang, name=plan.name, command=COMMAND))
    for line in lines:
        click.echo(f"  {line}")
