"""A fake chat platform: its own process, real sockets, its own log, and every way in which platforms fail their bots.

`python -m tests.fakes.platform` runs it; `FakePlatform` starts and stops it in a test. It has conversations, a web API
for the bot (posts, edits, deletions, listings that lag behind writes, streams, no idempotency), a webhook that delivers
events until they are acked, and a control API through which a test plays the people. Its log is the truth in kill
tests: `judge` counts outcomes from nothing else.

It must not grow an opinion about the bot: nothing here imports `agent` or `bot`.
"""

from __future__ import annotations

from tests.fakes.platform.harness import FakePlatform, Said
from tests.fakes.platform.judge import Problem, Report, judge
from tests.fakes.platform.replay import BotMessage, Human, Replay
from tests.fakes.platform.rules import Place

__all__ = ["BotMessage", "FakePlatform", "Human", "Place", "Problem", "Replay", "Report", "Said", "judge"]
