"""A live check as a command: its options, and what it prints."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

from agent.language import Lang
from bot.settings import machine
from scripts.live.people import Ask, Favour

Say = Callable[[str], None]

#: How the network is reached; the server gets nothing else of the caller's environment.
_PROXIES: Final = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE")


class Checks(Protocol):
    """Runs the steps; the exit status."""

    def __call__(self, environ: Mapping[str, str], lang: Lang, say: Say, ask: Ask, /) -> Awaitable[int]: ...


def command(prog: str, description: str | None, check: Checks) -> int:
    """Run a check with the options of the command line; the exit status."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("--lang", choices=("en", "zh"), default=machine.language(os.environ), help="of the report")
    options = parser.parse_args()

    async def run() -> int:
        return await check(os.environ, options.lang, _print, _asked)

    try:
        return asyncio.run(run())
    except KeyboardInterrupt:
        return 130


def network(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that say how the network is reached."""
    return {name: environ[name] for name in _PROXIES if name in environ}


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command


async def _asked(favour: Favour) -> None:
    _print(f"    → {favour.sentence}")
