"""A fake Slack: its own process, real sockets, its own log, and every way in which Slack fails its apps.

`python -m tests.fakes.slack` runs it; `FakeSlack` starts and stops it in a test; `make slack-sim` lets a person talk to
the bot through it. It has workspaces with people and channels, a Web API for the app (`api/`), events over signed HTTP
or Socket Mode, and a control API through which a test plays the people. Its log is the truth in kill tests: `judge`
counts outcomes from nothing else. README.md has the rules, each with where it was read and the test that covers it.

It must not grow an opinion about the app: nothing here imports `agent`, `bot` or `adapters` (`sim` starts the server as
a process).
"""

from __future__ import annotations

from tests.fakes.slack.harness import FakeSlack, Said
from tests.fakes.slack.judge import Problem, Reply, Report, judge, replies
from tests.fakes.slack.replay import BotMessage, Human, Place, Replay
from tests.fakes.slack.world import SlackError

__all__ = [
    "BotMessage",
    "FakeSlack",
    "Human",
    "Place",
    "Problem",
    "Replay",
    "Reply",
    "Report",
    "Said",
    "SlackError",
    "judge",
    "replies",
]
