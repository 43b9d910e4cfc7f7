"""Talk to the bot as if in Slack: a fake Slack and a kagentbot server against it, in this terminal.

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

from tests.fakes.simulating import Lines, Watch, at_the_terminal, connected_server, converse, words_model
from tests.fakes.slack.harness import FakeSlack
from tests.fakes.slack.prepared import T1
from tests.fakes.slack.sim_screen import Screen
from tests.fakes.slack.sim_talk import HELP, Talk


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="make slack-sim", description=__doc__, epilog=HELP, formatter_class=argparse.RawDescriptionHelpFormatter
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
        data = options.data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slack-sim-")))
        await asyncio.to_thread(data.mkdir, parents=True, exist_ok=True)
        slack = await stack.enter_async_context(FakeSlack(options.log, mode="socket", retry_scale=1.0))
        environment = server_environment(slack, data, os.environ)
        if options.fake_model:
            environment |= await stack.enter_async_context(words_model())
        log = options.server_log or data / "server.log"
        if not await stack.enter_async_context(connected_server(slack, environment, log, "Slack")):
            return 1
        await at_the_terminal(lambda lines, wait: talk(slack, lines, print, wait=wait))
    return 0


async def talk(slack: FakeSlack, lines: Lines, say: Callable[[str], None], *, wait: bool) -> None:
    """Take lines until they end, as `converse` does."""
    world = await slack.world()
    names = {user["id"]: user["name"] for user in world["users"]}
    names |= {channel["id"]: f"#{channel['name']}" for channel in world["channels"] if channel["name"]}
    screen = Screen(say, names)
    watch = Watch(slack, screen)
    await converse(Talk(slack, screen, watch, world, say), watch, lines, wait=wait)


def server_environment(slack: FakeSlack, data: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """What makes a server use this fake and no other Slack; everything else is as in the caller's environment."""
    kept = {name: value for name, value in environment.items() if not _about_slack(name)}
    return kept | {
        "KAGENTBOT_DATA_DIR": str(data),
        "KAGENTBOT_SLACK__MODE": "socket",
        "KAGENTBOT_SLACK__API_URL": slack.api_url,
        "KAGENTBOT_SLACK__WORKSPACES": f'["{T1}"]',
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
    }


def _about_slack(name: str) -> bool:
    return name.upper().startswith(("SLACK_", "KAGENTBOT_SLACK__", "KAGENTBOT_CREDENTIALS__SLACK_"))


if __name__ == "__main__":
    sys.exit(main())
