"""Talk to the bot as if in Discord: a fake Discord and a kagentbot server against it, in this terminal.

Nothing leaves this machine but what the server's own model settings ask for. Lines can be piped in, too: after each
one that asks the bot something, its answer is waited for.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.fakes.discord.harness import FakeDiscord
from tests.fakes.discord.sim_screen import Screen
from tests.fakes.discord.sim_talk import HELP, Talk
from tests.fakes.simulating import Lines, Watch, at_the_terminal, connected_server, converse, words_model


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="make discord-sim", description=__doc__, epilog=HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="the server's data folder (default: a new one, thrown away)")
    parser.add_argument("--fake-model", action="store_true", help="a model that only makes words, for a few seconds")
    parser.add_argument("--log", type=Path, help="file for everything that happens in the fake, one JSON line each")
    parser.add_argument("--server-log", type=Path, help="file for what the server logs (default: in the data folder)")
    options = parser.parse_args()
    try:
        return asyncio.run(_main(options))
    except KeyboardInterrupt:
        return 130


async def _main(options: argparse.Namespace) -> int:
    async with contextlib.AsyncExitStack() as stack:
        data = options.data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="discord-sim-")))
        await asyncio.to_thread(data.mkdir, parents=True, exist_ok=True)
        discord = await stack.enter_async_context(FakeDiscord(options.log))
        environment = server_environment(discord, data, os.environ)
        if options.fake_model:
            environment |= await stack.enter_async_context(words_model())
        log = options.server_log or data / "server.log"
        if not await stack.enter_async_context(connected_server(discord, environment, log, "Discord")):
            return 1
        await at_the_terminal(lambda lines, wait: talk(discord, lines, print, wait=wait))
    return 0


async def talk(discord: FakeDiscord, lines: Lines, say: Callable[[str], None], *, wait: bool) -> None:
    """Take lines until they end, as `converse` does."""
    world = await discord.world()
    names = {user["id"]: user["username"] for user in world["users"]}
    names |= {channel["id"]: f"#{channel['name']}" for channel in world["channels"] if channel.get("name")}
    screen = Screen(say, names, discord.application_id)
    watch = Watch(discord, screen)
    await converse(Talk(discord, screen, watch, world, say), watch, lines, wait=wait)


def server_environment(discord: FakeDiscord, data: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """What makes a server use this fake and no other Discord; everything else is as in the caller's environment."""
    kept = {name: value for name, value in environment.items() if not _about_discord(name)}
    return kept | discord.environment() | {"KAGENTBOT_DATA_DIR": str(data)}


def _about_discord(name: str) -> bool:
    return name.upper().startswith(("DISCORD_", "KAGENTBOT_DISCORD__", "KAGENTBOT_CREDENTIALS__DISCORD_"))


if __name__ == "__main__":
    sys.exit(main())
