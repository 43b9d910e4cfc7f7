"""A fake Discord: its own process, real sockets, its own log, and every way in which Discord fails its apps.

`python -m tests.fakes.discord` runs it; `FakeDiscord` starts and stops it in a test; `make discord-sim` lets a person
talk to the bot through it. It has servers with people, channels, threads and forums, a REST API for the app (`api/`), a
gateway, and a control API through which a test plays the people. Its log is the truth in kill tests: `judge` counts
outcomes from nothing else. README.md has the rules, each with where it was read and the test that covers it.

It must not grow an opinion about the app: nothing here imports `agent`, `bot` or `adapters` (`sim` starts the server as
a process).
"""

from __future__ import annotations

from tests.fakes.discord.harness import FakeDiscord, Said
from tests.fakes.discord.judge import Reply, judge, replies
from tests.fakes.discord.replay import BotMessage, Human, Place, Replay
from tests.fakes.discord.world import DiscordError
from tests.fakes.judging import Problem, Report

__all__ = [
    "BotMessage",
    "DiscordError",
    "FakeDiscord",
    "Human",
    "Place",
    "Problem",
    "Replay",
    "Reply",
    "Report",
    "Said",
    "judge",
    "replies",
]
