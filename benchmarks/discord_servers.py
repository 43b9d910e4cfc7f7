"""`python -m benchmarks.discord_servers WHICH`: what the Discord benchmark compares, each in a process of its own.

- `bare`: a discord.py bot as its documentation shows it: a mention is answered with one reply, the text of a model that
  is called as the server calls it, through one client for all. With BENCH_ANSWER_IN=thread it opens a thread first.
- `ours`: the server with its settings (environment), whose own budget of calls is as wide as the fake's limits.

It says `{}` when it has begun, and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading

from benchmarks.bare import make_stream

#: Calls per second of a bot whose limits don't bind.
WIDE = 10_000


async def bare() -> None:
    """The bot to compare with."""
    import discord
    import yarl
    from discord.gateway import DiscordWebSocket
    from discord.http import Route

    Route.BASE = os.environ["KAGENTBOT_DISCORD__API_URL"]
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["KAGENTBOT_DISCORD__GATEWAY_URL"])
    stream = make_stream("ours", os.environ["OPENAI_BASE_URL"])
    in_thread = os.environ["BENCH_ANSWER_IN"] == "thread"
    intents = discord.Intents.default()
    intents.message_content = True
    client = discord.Client(intents=intents)

    @client.event
    async def on_message(message: discord.Message) -> None:
        if message.author.bot or client.user not in message.mentions:
            return
        text = "".join([piece async for piece in stream([{"role": "user", "content": message.content}])])
        if in_thread:
            thread = await message.create_thread(name=message.clean_content[:100])
            await thread.send(text)
        else:
            await message.reply(text)

    await client.start(os.environ["DISCORD_TOKEN"])


async def ours() -> None:
    """The server."""
    from adapters.discord import limits
    from bot.app import App
    from bot.settings import load

    limits.GLOBAL_USED = limits.Window(WIDE, 1.0)  # type: ignore[misc]  # for this process alone
    app = App(load())
    await app.start()
    await asyncio.Event().wait()


async def main(which: str) -> None:
    print(json.dumps({}), flush=True)
    await (bare() if which == "bare" else ours())


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    asyncio.run(main(sys.argv[1]))
