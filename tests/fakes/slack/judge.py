"""The judge of Slack's kill tests (`tests.fakes.judging`): what counts as a reply in Slack.

It is the visible messages of the app whose metadata names the same turn (numbered by its part), or one message without
metadata; a stream has none until it is stopped, and an unfinished one is no outcome anyway. What is posted to a
response_url answers a press or a command, no message; what a job posts, whose metadata says so, answers nothing.

A message is accepted when the app has acked it. It addresses the app if it is a DM or mentions it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from tests.fakes import judging
from tests.fakes.judging import GRACE, Complete, Notice, Problem, Report, badge, by_part, weigh
from tests.fakes.slack.log import Entry
from tests.fakes.slack.replay import BotMessage, Place, Replay

__all__ = ["GRACE", "Notice", "Problem", "Reply", "Report", "asides", "badge", "judge", "replies"]

Reply: TypeAlias = judging.Reply[BotMessage]


def replies(replay: Replay) -> list[Reply]:
    """The replies that people see now, oldest first."""
    groups: dict[tuple[Place, str], list[BotMessage]] = {}
    for message in replay.created():
        if not message.gone and not message.hooked and not message.job:
            groups.setdefault((message.place, f"turn {message.turn}" if message.turn else message.id), []).append(
                message
            )
    return [Reply(place, tuple(sorted(group, key=by_part))) for (place, _), group in groups.items()]


def asides(replay: Replay) -> list[Reply]:
    """What jobs have said, as people see it now, oldest first."""
    groups: dict[str, list[BotMessage]] = {}
    for message in replay.visible():
        if message.job:
            groups.setdefault(message.job, []).append(message)
    return [Reply(group[0].place, tuple(sorted(group, key=by_part))) for group in groups.values()]


def judge(
    entries: Iterable[Entry],
    *,
    complete: Complete | None = None,
    notice: Notice = badge,
    butting_in: bool = False,
) -> Report:
    """Judge a log. `complete(question, answer)` says whether an answer is whole, where the test can know that."""
    replay = Replay(entries)
    return weigh(
        replay,
        [_in_thread(replay, reply) for reply in replies(replay)],
        complete=complete,
        notice=notice,
        butting_in=butting_in,
        processing=[place for place, status in replay.sessions.items() if status == "processing"],
        asides=asides(replay),
    )


def _in_thread(replay: Replay, reply: Reply) -> Reply:
    """A private message that isn't in a thread is about the last that its person said in the channel."""
    place = reply.place
    if not reply.private_to or place.thread != reply.messages[0].ts:
        return reply
    said = [h for h in replay.humans.values() if h.user == reply.private_to and h.place.channel == place.channel]
    before = [human for human in said if human.said_at <= reply.begun_at]
    return Reply(max(before, key=lambda human: human.said_at).place, reply.messages) if before else reply
