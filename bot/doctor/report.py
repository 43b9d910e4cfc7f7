"""The whole examination, and how it is printed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import click

from agent.language import Lang, Text
from bot.doctor.benchmarks import look_at_benchmarks
from bot.doctor.configuration import look_at_settings, look_at_tools
from bot.doctor.lines import Line
from bot.doctor.models import look_at_models
from bot.doctor.storage import audit, look_at_data, look_at_database
from bot.doctor.surroundings import Ticks, look_at_browser, look_at_clock, look_at_fonts, look_at_port
from bot.ports import StoreUnavailable
from bot.printable import printable
from bot.settings import Settings

#: All that a clean audit prints.
_NO_FINDING: Final = Text("clean", "无异常")


#: A further examination, of a platform.
Look = Callable[[Settings, Lang], Awaitable[Sequence[Line]]]


def run_doctor(
    settings: Settings, *, audit_only: bool = False, as_json: bool = False, looks: Sequence[Look] = ()
) -> int:
    """Print what was found, by these `looks`, too. The exit status is 1 if anything is an error, or with `audit_only`
    an invariant broken.
    """
    if audit_only:
        return _print_audit(settings, as_json)
    # The servers of models may have said anything, also what a terminal would obey.
    lines = [line._replace(text=printable(line.text)) for line in asyncio.run(examine(settings, looks))]
    failed = any(line.level == "error" for line in lines)
    if as_json:
        click.echo(json.dumps({"ok": not failed, "lines": [line._asdict() for line in lines]}, ensure_ascii=False))
        return int(failed)
    for line in lines:
        click.echo(f"{line.level:<8} {line.text}")
    return int(failed)


def _print_audit(settings: Settings, as_json: bool) -> int:
    try:
        found = asyncio.run(audit(settings.database_url))
    except StoreUnavailable as error:
        found = [error.text]
    sentences = [printable(text.say(settings.lang)) for text in found]
    if as_json:
        click.echo(json.dumps({"ok": not sentences, "findings": sentences}, ensure_ascii=False))
        return int(bool(sentences))
    for sentence in sentences or [_NO_FINDING.say(settings.lang)]:
        click.echo(sentence)
    return int(bool(sentences))


async def examine(settings: Settings, looks: Sequence[Look] = ()) -> list[Line]:
    """Look at everything that the server needs, and at what is good to have."""
    lang = settings.lang
    ticks = Ticks()
    parts = await asyncio.gather(
        asyncio.to_thread(look_at_settings, settings, lang),
        asyncio.to_thread(look_at_tools, settings, lang),
        asyncio.to_thread(look_at_data, settings.data_dir, lang),
        look_at_database(settings, lang),
        asyncio.to_thread(look_at_benchmarks, settings.data_dir, lang),
        look_at_models(settings, lang),
        look_at_port(settings.server.host, settings.server.port, lang),
        asyncio.to_thread(look_at_fonts, lang),
        asyncio.to_thread(look_at_browser, lang),
        *(look(settings, lang) for look in looks),
    )
    clock = await look_at_clock(settings, ticks, lang)
    return [line for part in (*parts, clock) for line in part]
