"""Talk to the bot as if in Slack: a fake Slack and a kagentbot server against it, in this terminal.

Nothing leaves this machine but what the server's own model settings ask for. Lines can be piped in, too: after each
one that asks the bot something, its answer is waited for.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.patch_stdout import patch_stdout

from tests.fakes.llm.harness import FakeLLM
from tests.fakes.slack.harness import FakeSlack
from tests.fakes.slack.prepared import T1
from tests.fakes.slack.sim_screen import Screen
from tests.fakes.slack.sim_talk import HELP, Quit, Talk, Watch

_ROOT = Path(__file__).parents[3]

#: Seconds until the server's sockets are open: it may have to unpack and start the embedded model first.
_CONNECT = 120.0


#: The fake model's pace: slow enough to see an answer grow, and to stop it. Seconds between tokens; tokens.
_GAP, _TOKENS = 0.05, 80

#: Where lines come from: each one is asked for with a prompt. Raises EOFError at the end.
Lines = Callable[[str], Awaitable[str]]


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
            model = await stack.enter_async_context(FakeLLM(gap=_GAP, tokens=_TOKENS))
            environment |= {"KAGENTBOT_MODELS__ENDPOINTS": json.dumps([{"name": "words", "base_url": model.base_url}])}
        log = options.server_log or data / "server.log"
        print(f"Starting the server; its log is {log}", flush=True)
        server = await stack.enter_async_context(_server(environment, log))
        if not await _connected(slack, server):
            said = (await asyncio.to_thread(log.read_text, "utf-8", "replace")).splitlines()[-10:]
            print(
                "The server has not connected to the fake Slack. What it said last:", *said, sep="\n", file=sys.stderr
            )
            return 1
        terminal = sys.stdin.isatty()
        print("/help lists what you can type; end with /quit or Ctrl-D.", flush=True)
        if not terminal:
            await talk(slack, _piped, print, wait=True)
            return 0
        with patch_stdout():
            session: PromptSession[str] = PromptSession()
            await talk(slack, session.prompt_async, print, wait=False)
    return 0


async def talk(slack: FakeSlack, lines: Lines, say: Callable[[str], None], *, wait: bool) -> None:
    """Take lines until they end. With `wait`, a line's answer comes before the next line, unless it ends with `&`."""
    world = await slack.world()
    names = {user["id"]: user["name"] for user in world["users"]}
    names |= {channel["id"]: f"#{channel['name']}" for channel in world["channels"] if channel["name"]}
    screen = Screen(say, names)
    watch = Watch(slack, screen)
    person = Talk(slack, screen, watch, world, say)
    following = asyncio.create_task(watch.follow())
    try:
        while True:
            line = (await lines(person.prompt)).rstrip()
            alone = line.endswith(" &")
            await person.take(line.removesuffix("&") if alone else line)
            if wait and not alone:
                await person.settle()
    except (EOFError, Quit):
        if wait:
            await person.settle()
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


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


@contextlib.asynccontextmanager
async def _server(environment: Mapping[str, str], log: Path) -> AsyncIterator[Process]:
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot.cli", "serve", "--port", "0"),
            env=environment,
            cwd=_ROOT,
            stdin=DEVNULL,
            stdout=file,
            stderr=file,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), 10.0)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _connected(slack: FakeSlack, server: Process) -> bool:
    """Wait for the server's sockets; False when it ends without, or takes too long."""
    connecting = asyncio.create_task(slack.until_connected(timeout=_CONNECT))
    ending = asyncio.create_task(server.wait())
    await asyncio.wait((connecting, ending), return_when=asyncio.FIRST_COMPLETED)
    for task in (connecting, ending):
        task.cancel()
    results = await asyncio.gather(connecting, ending, return_exceptions=True)
    return results[0] is None


def _about_slack(name: str) -> bool:
    return name.upper().startswith(("SLACK_", "KAGENTBOT_SLACK__", "KAGENTBOT_CREDENTIALS__SLACK_"))


async def _piped(prompt: str) -> str:
    line = await asyncio.to_thread(sys.stdin.readline)
    if not line:
        raise EOFError
    print(f"{prompt}{line}", end="", flush=True)
    return line


if __name__ == "__main__":
    sys.exit(main())
