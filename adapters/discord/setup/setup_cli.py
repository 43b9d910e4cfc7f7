"""`kagentbot discord`: from nothing to a bot that answers."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from pydantic import TypeAdapter, ValidationError

from adapters.chat import setting_up
from adapters.discord.setup import permissions
from adapters.discord.setup import setup_help as help_texts
from agent.language import Lang, Text
from bot.cli_help import LANG
from bot.printable import printable
from bot.settings import Settings
from bot.settings.discord import ServerId
from bot.settings.loading import dotenv_file

if TYPE_CHECKING:
    from adapters.discord.connection.servers import Server
    from adapters.discord.setup.checking import Found

_TOKEN, _SERVERS, _PERSONA = "DISCORD_TOKEN", "KAGENTBOT_DISCORD__SERVERS", "KAGENTBOT_DISCORD__PERSONA"
_COMMAND: Final = "/kagent"
#: Typed instead of servers.
_LOOK: Final = "look"

_STEPS: Final = (
    Text(
        "Open https://discord.com/developers/applications, press New Application, give it the name that people will "
        "call, and press Create.",
        "打开 https://discord.com/developers/applications，点击 New Application，填写机器人的名字，点击 Create。",
    ),
    Text(
        "Make it private, so that nobody else invites it: Installation → Install Link → None → Save Changes; then Bot "
        "→ switch off Public Bot → Save Changes.",
        "设为私有，避免被别人邀请：Installation → Install Link → None → Save Changes；"
        "然后 Bot → 关闭 Public Bot → Save Changes。",
    ),
    Text(
        "Bot → Privileged Gateway Intents → switch on Message Content Intent → Save Changes. With it the bot follows "
        "its threads without being mentioned each time, and knows what was said before. Without it mentions, direct "
        "messages, replies to it that ring, and commands work all the same; leave it off if your bot may not have it "
        "(Discord reviews bots with 10,000 users and more).",
        "Bot → Privileged Gateway Intents → 开启 Message Content Intent → Save Changes。开启后，"
        "机器人无需每次被提及就能跟进自己的子区，也知道之前说过什么。不开启时，提及、私信、回复它（带提醒）和命令仍然可用；"
        "如果你的机器人不能开启（Discord 会审核用户数达到 10,000 的机器人），保持关闭即可。",
    ),
    Text("Bot → Reset Token → copy the token.", "Bot → Reset Token → 复制令牌。"),
)
_ASK_TOKEN = Text("Bot token (not shown)", "机器人令牌（输入时不显示）")
_APPLICATION_ID = Text(
    "This is an id, not the token: the token is under Bot, Reset Token.",
    "这是 ID，不是令牌：令牌在 Bot 页面的 Reset Token。",
)
_PUBLIC_KEY = Text(
    "This is the public key, not the token: the token is under Bot, Reset Token.",
    "这是公钥（Public Key），不是令牌：令牌在 Bot 页面的 Reset Token。",
)
_CLIENT_SECRET = Text(
    "This is no bot token (perhaps the client secret): a token has two dots in it and is under Bot, Reset Token.",
    "这不是机器人令牌（可能是 Client Secret）：令牌中有两个点，在 Bot 页面的 Reset Token。",
)
_TRYING = Text("Asking Discord …", "正在向 Discord 核对 …")
_WELL = Text("Discord takes it: {name}", "Discord 已接受：{name}")
_PUBLIC = Text("The bot is public: anybody may invite it (step 2).", "机器人是公开的：任何人都可以邀请它（第 2 步）。")
_NO_CONTENT = Text(
    "The Message Content intent is off (step 3): it will hear only mentions, direct messages, replies to it and "
    "commands.",
    "Message Content Intent 未开启（第 3 步）：只能收到提及、私信、回复它的消息和命令。",
)
_ASK_AGAIN = Text("Enter the token again?", "重新输入令牌吗？")
_INVITE = Text(
    "Open this link in a browser, once for each server, and press Authorize (you need Manage Server there):",
    "在浏览器中打开这个链接（每个服务器一次），点击“授权”（你需要在该服务器有“管理服务器”权限）：",
)
_WANTS = Text("It asks for the permissions {number}:", "它请求的权限（{number}）：")
_COMMANDS_TOO = Text(
    "and for applications.commands, for its slash commands.", "以及 applications.commands，用于斜杠命令。"
)
_NO_APPLICATION = Text(
    "The invite link is printed once Discord has been asked about the token.", "向 Discord 核对令牌后会打印邀请链接。"
)
_IN = Text("The bot is in these servers:", "机器人所在的服务器：")
_IN_NONE = Text("The bot is in no server yet.", "机器人还不在任何服务器中。")
_ASK_SERVERS = Text(
    "Which ones shall it serve? Numbers or ids with commas, or “all”; “look” looks again",
    "为哪些服务器服务？输入编号或 ID（用逗号分隔），或 all；输入 look 重新查看",
)
_ASK_IDS = Text("Ids of the servers that it shall serve, with commas", "要提供服务的服务器 ID，用逗号分隔")
_ASK_LOOK = Text(
    "Open the link now, then press Enter to look again (or type ids with commas)",
    "请现在打开链接，然后按回车重新查看（或输入 ID，用逗号分隔）",
)
_NOT_SERVERS = Text("“{word}” is neither one of the numbers nor an id.", "“{word}” 既不是编号也不是 ID。")
_CHECK = Text(
    "See whether it may do everything everywhere: kagentbot discord check", "检查各处权限：kagentbot discord check"
)
_TALK = Text(
    "Mention it in a channel, write to it directly, or type {command} help.",
    "在频道里提及它，给它发私信，或输入 {command} help。",
)
_NO_DISCORD = Text(
    "Discord isn't set up: run `kagentbot discord setup`.", "尚未配置 Discord：请运行 `kagentbot discord setup`。"
)
_SYNCED = Text("Discord knows the commands now: {names}", "Discord 已更新命令：{names}")


@click.group(help=help_texts.DISCORD.say(LANG), short_help=help_texts.DISCORD_SHORT.say(LANG))
def discord() -> None:
    """Make and check the bot; what it says of itself is in `adapters.discord.setup.setup_help`."""


@discord.command(help=help_texts.CHECK.say(LANG))
@click.pass_obj
def check(config: Path | None) -> None:
    """The doctor's lines about Discord alone."""
    from adapters.discord.setup.doctor import look_at_discord

    settings = setting_up.settings_of(config)
    setting_up.show(asyncio.run(look_at_discord(settings, settings.lang)), _NO_DISCORD, settings.lang)


@discord.command(help=help_texts.SYNC.say(LANG))
@click.pass_obj
def sync(config: Path | None) -> None:
    """Our commands in Discord's place."""
    settings = setting_up.settings_of(config)
    token = settings.credentials.discord_token
    if token is None:
        click.echo(_NO_DISCORD.say(settings.lang), err=True)
        sys.exit(1)
    from adapters.discord.setup.resending import resend

    names, problem = asyncio.run(resend(token.get_secret_value(), settings.discord, settings.lang))
    if problem:
        click.echo(printable(problem), err=True)
        sys.exit(1)
    click.echo(_SYNCED.say(settings.lang, names=", ".join(f"/{name}" for name in names)))


@discord.command(help=help_texts.SETUP.say(LANG))
@click.option("--persona/--no-persona", default=None, help=help_texts.PERSONA.say(LANG))
@click.option("--test/--no-test", default=True, help=help_texts.TEST.say(LANG))
@click.pass_obj
def setup(config: Path | None, /, persona: bool | None, test: bool) -> None:
    """Steps, the token, a test, the invite link, the servers, `.env`."""
    settings = setting_up.settings_of(config)
    lang = settings.lang
    if persona is not None:
        settings.discord.persona = persona
    try:
        _show_steps(lang)
        token, found = _take_token(settings, lang, test=test)
        _show_invitation(_application_of(token, found), lang, persona=settings.discord.persona)
        servers = _take_servers(token, found, settings, lang)
    except click.Abort:
        setting_up.stop(lang)
    values = {_TOKEN: token, _SERVERS: ",".join(servers)}
    # Written only where somebody said so; otherwise whatever is set elsewhere stays.
    if persona is not None:
        values[_PERSONA] = str(persona).lower()
    setting_up.write(dotenv_file(config), values, lang)
    click.echo("\n" + setting_up.NEXT.say(lang))
    for text in (setting_up.SERVE, _CHECK, _TALK):
        click.echo(f"  {text.say(lang, command=_COMMAND)}")


# --- The token


def _show_steps(lang: Lang) -> None:
    for number, text in enumerate(_STEPS, 1):
        click.echo(setting_up.STEP.say(lang, number=number, text=text.say(lang)))
    click.echo()


def _take_token(settings: Settings, lang: Lang, *, test: bool) -> tuple[str, Found | None]:
    """The token, and what Discord says about it, until Discord takes it or somebody has had enough. Raises
    `click.Abort`.
    """
    known = settings.credentials.discord_token
    default = known.get_secret_value() if known is not None else ""
    while True:
        token = _ask_token(default, lang)
        if not test:
            return token, None
        if (found := _look(token, settings, lang)) is not None:
            return token, found
        if not click.confirm(_ASK_AGAIN.say(lang), default=True):
            raise click.Abort
        default = token


def _ask_token(known: str, lang: Lang) -> str:
    while True:
        typed = setting_up.ask(_ASK_TOKEN.say(lang), known, lang)
        # As it is pasted from code that puts it into a header.
        typed = typed.removeprefix("Bot ").strip()
        problem = _wrong_token(typed)
        if problem is None:
            return typed
        click.echo(problem.say(lang))


def _wrong_token(typed: str) -> Text | None:
    if not setting_up.is_one_word(typed):
        return setting_up.NOT_ONE_WORD
    if re.fullmatch(r"[0-9a-f]{64}", typed):
        return _PUBLIC_KEY
    if typed.isdigit():
        return _APPLICATION_ID
    return None if typed.count(".") == 2 else _CLIENT_SECRET


def _look(token: str, settings: Settings, lang: Lang) -> Found | None:
    """Ask Discord, and print what it says; None: it doesn't take the token."""
    from adapters.discord.setup.checking import check_token

    click.echo(_TRYING.say(lang))
    found = asyncio.run(check_token(token, settings.discord, lang))
    if found.application is None:
        click.echo(f"  {printable(found.trouble)}")
        return None
    click.echo(_WELL.say(lang, name=printable(found.user_name)))
    if settings.discord.message_content == "auto" and not found.application.has_message_content:
        click.echo(f"  {_NO_CONTENT.say(lang)}")
    if found.application.is_public:
        click.echo(f"  {_PUBLIC.say(lang)}")
    return found


def _application_of(token: str, found: Found | None) -> str:
    """The application's id; a token begins with it. "": it can't be known."""
    if found is not None and found.application is not None:
        return str(found.application.id)
    try:
        # Written without the signs that fill up the end.
        text = base64.b64decode(token.partition(".")[0] + "==").decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return text if text.isdigit() else ""


# --- The servers


def _show_invitation(application: str, lang: Lang, *, persona: bool) -> None:
    wanted = permissions.wanted(persona=persona)
    click.echo()
    if application:
        click.echo(_INVITE.say(lang))
        click.echo("\n   " + permissions.invite_link(application, persona=persona) + "\n")
    else:
        click.echo(_NO_APPLICATION.say(lang))
    click.echo(_WANTS.say(lang, number=permissions.number(wanted)))
    for permission in wanted:
        click.echo(f"   {permission.name.say(lang)}: {permission.why.say(lang)}")
    click.echo(f"   {_COMMANDS_TOO.say(lang)}\n")


def _take_servers(token: str, found: Found | None, settings: Settings, lang: Lang) -> list[str]:
    """The ids of the servers to serve, at least one. Raises `click.Abort`."""
    known = ",".join(settings.discord.servers)
    if found is None:
        return _ask_servers(_ASK_IDS, [], known, lang)
    while True:
        servers = list(found.servers)
        click.echo((_IN if servers else _IN_NONE).say(lang))
        for number, server in enumerate(servers, 1):
            click.echo(f"   {number}. {printable(str(server))}")
        default = (known or ("1" if len(servers) == 1 else "")) if servers else ""
        chosen = _ask_servers(_ASK_SERVERS if servers else _ASK_LOOK, servers, default, lang)
        if chosen:
            return chosen
        again = _look(token, settings, lang)
        found = again if again is not None else found


def _ask_servers(question: Text, servers: Sequence[Server], known: str, lang: Lang) -> list[str]:
    """What was chosen; [] to look again, where there is something to look at."""
    while True:
        typed = str(click.prompt(question.say(lang), default=known, show_default=bool(known)))
        words = [word for word in re.split(r"[,，\s]+", typed.strip()) if word]
        wrong = [word for word in words if not _chosen(word, servers)]
        if question is not _ASK_IDS and (not words or words == [_LOOK]):
            return []
        for word in wrong:
            click.echo(_NOT_SERVERS.say(lang, word=printable(word)))
        if words and not wrong:
            return list(dict.fromkeys(each for word in words for each in _chosen(word, servers)))


def _chosen(word: str, servers: Sequence[Server]) -> list[str]:
    if word.lower() in ("all", "全部"):
        return [server.id for server in servers]
    if word.isdigit() and 1 <= int(word) <= len(servers):
        return [servers[int(word) - 1].id]
    try:
        return [TypeAdapter(ServerId).validate_python(word)]
    except ValidationError:
        return []
