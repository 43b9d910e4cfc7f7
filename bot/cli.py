"""The command line: `kagentbot chat | init | slack | discord | serve | doctor | profile | replay` and others."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import os
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version as package_version
from pathlib import Path

import click

from adapters.discord.setup.setup_cli import discord
from adapters.slack.setup.setup_cli import slack
from adapters.terminal.chat import chat
from agent.language import Text
from bot import cli_help as texts
from bot.cli_help import LANG
from bot.command_group import GroupedCommands
from bot.init_cli import init
from bot.ports import StoreUnavailable
from bot.profile_cli import profile
from bot.settings import Settings, SettingsError, load

#: Exit status for a setting that is wrong, as shells expect of bad usage.
EXIT_SETTINGS = 2
#: Exit status for a server that can't start (database in use, no port).
EXIT_START = 3

_READY = Text("kagentbot is ready: {link}", "kagentbot 已就绪：{link}")
_TOKEN_HINT = Text(
    "Others on your network need this whole link: it carries the token.",
    "网络上的其他人需要完整的链接：其中带有令牌。",
)
_MODEL_DEMO = Text(
    "Model: {name}. It only shows that everything works; for real answers set OPENAI_BASE_URL (and OPENAI_MODEL) "
    "to a model of yours.",
    "模型：{name}。它只用来证明一切正常；要得到真正的回答，请把 OPENAI_BASE_URL（和 OPENAI_MODEL）设为你自己的模型。",
)
_MODEL = Text("Model: {name}", "模型：{name}")
_DATA = Text("Conversations are kept in {where}", "对话保存在 {where}")
_MIGRATED = Text("migrated", "已升级")
_UP_TO_DATE = Text("already up to date", "已是最新版本")
_STOPPING = Text(
    "Stopping: running turns may finish for {grace:g} s (Ctrl-C again: they go on at the next start)…",
    "正在停止：最多等待 {grace:g} 秒让正在进行的回答完成（再按一次 Ctrl-C 立即停止，下次启动时继续）…",
)


@click.group(
    cls=GroupedCommands,
    headings={heading.say(LANG): names for heading, names in texts.HEADINGS.items()},
    others=texts.OTHERS.say(LANG),
    help=texts.MAIN.say(LANG),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--config", type=click.Path(path_type=Path), default=None, help=texts.CONFIG.say(LANG))
@click.pass_context
def main(context: click.Context, config: Path | None) -> None:
    """The command line; what it says of itself is in `bot.cli_help`."""
    # A terminal that lacks a character shows another one; an orderly end must not fail over three dots.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    context.obj = config


@main.command(help=texts.SERVE.say(LANG), short_help=texts.SERVE_SHORT.say(LANG))
@click.option("--host", default=None, help=texts.HOST.say(LANG))
@click.option("--port", type=click.IntRange(0, 65535), default=None, help=texts.PORT.say(LANG))
@click.pass_obj
def serve(config: Path | None, host: str | None, port: int | None) -> None:
    """Run the server until it is told to stop."""
    settings = _settings(config)
    if host is not None:
        settings.server.host = host
    if port is not None:
        settings.server.port = port
    _log_to_stderr(settings.log_level)
    with _settings_refused():
        status = asyncio.run(_serve(settings))
    sys.exit(status)


@main.command(help=texts.MIGRATE.say(LANG), short_help=texts.MIGRATE_SHORT.say(LANG))
@click.pass_obj
def migrate(config: Path | None) -> None:
    """Create the database or bring it up to this version."""
    from bot.store import migrate as schema

    settings = _settings(config)
    try:
        changed = schema.upgrade(settings.database_url)
    except StoreUnavailable as error:
        click.echo(_said(error, settings), err=True)
        sys.exit(1)
    click.echo((_MIGRATED if changed else _UP_TO_DATE).say(settings.lang))


@main.command(help=texts.DOCTOR.say(LANG), short_help=texts.DOCTOR_SHORT.say(LANG))
@click.option("--audit", is_flag=True, help=texts.AUDIT.say(LANG))
@click.option("--json", "as_json", is_flag=True, help=texts.AS_JSON.say(LANG))
@click.pass_obj
def doctor(config: Path | None, audit: bool, as_json: bool) -> None:
    """Look at everything."""
    from adapters.discord.setup.doctor import look_at_discord
    from adapters.slack.setup.doctor import look_at_slack
    from bot.doctor import run_doctor

    looks = (look_at_slack, look_at_discord)
    sys.exit(run_doctor(_settings(config), audit_only=audit, as_json=as_json, looks=looks))


@main.command(help=texts.REPLAY.say(LANG), short_help=texts.REPLAY_SHORT.say(LANG))
@click.argument("turn", type=int)
@click.pass_obj
def replay(config: Path | None, turn: int) -> None:
    """Run a turn again from its journal."""
    from bot.replay import run_replay

    settings = _settings(config)
    with _settings_refused():
        status = asyncio.run(run_replay(settings, turn))
    sys.exit(status)


@main.command(help=texts.VERSION.say(LANG))
def version() -> None:
    """Print the version."""
    click.echo(f"kagentbot {package_version('kagentbot')}")


def _settings(config: Path | None) -> Settings:
    with _settings_refused():
        return load(config)


@contextlib.contextmanager
def _settings_refused() -> Iterator[None]:
    """Settings that can't be used end the program with a sentence for each problem."""
    try:
        yield
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(EXIT_SETTINGS)


def _said(error: StoreUnavailable, settings: Settings) -> str:
    return error.text.say(settings.lang)


def _log_to_stderr(level: str) -> None:
    logging.basicConfig(
        level=level.upper(), stream=sys.stderr, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s"
    )
    for noisy in ("httpx", "httpcore", "httpx2", "openai", "alembic", "markdown_it"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


async def _serve(settings: Settings) -> int:
    from bot.app import App
    from bot.presence import Presence
    from bot.store.exclusive import BUSY, InUse
    from bot.web.listen import ListenError

    lang = settings.lang
    app = App(settings)
    presence = Presence(settings.data_dir)
    stopping = asyncio.Event()

    def interrupted() -> None:
        # The second Ctrl-C is somebody who won't wait. A second SIGTERM is not: whole groups of processes get those.
        if stopping.is_set():
            app.dispatcher.hurry()
        stopping.set()

    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupted)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    try:
        address = await app.start()
    except InUse as error:
        click.echo(BUSY.say(lang, path=error.path), err=True)
        return EXIT_START
    except ListenError as error:
        click.echo(error.say(lang), err=True)
        await app.stop()
        return EXIT_START
    except StoreUnavailable as error:
        click.echo(_said(error, settings), err=True)
        return EXIT_START
    presence.announce(address.url, datetime.now(UTC))
    for sentence in settings.unused():
        click.echo(sentence, err=True)
    endpoints = app.endpoints
    click.echo((_MODEL_DEMO if endpoints.demo else _MODEL).say(lang, name=endpoints.name))
    click.echo(_DATA.say(lang, where=settings.shown_database()))
    click.echo(_READY.say(lang, link=address.link))
    if address.token is not None:
        click.echo(_TOKEN_HINT.say(lang))
    sys.stdout.flush()
    await stopping.wait()
    presence.withdraw()
    if app.dispatcher.busy:
        try:
            click.echo(_STOPPING.say(lang, grace=settings.limits.grace))
        except BrokenPipeError:
            # Whoever read our output has gone: what is left of it goes nowhere, and the end is an orderly one.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    await app.stop()
    return 0


main.add_command(chat)
main.add_command(discord)
main.add_command(init)
main.add_command(profile)
main.add_command(slack)

if __name__ == "__main__":
    main()
