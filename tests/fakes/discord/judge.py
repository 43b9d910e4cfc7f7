"""The judge of Discord's kill tests (`tests.fakes.judging`): what counts as a reply in Discord.

It is the visible messages of the app that belong to one turn: those whose nonce names it (`turn.part`), or, of a
webhook's messages, which have no nonce, those below which something of the turn can be pressed, with the webhook's
messages right above them that name no turn. What answers an interaction, and what a job posts (a notice: it rings
nobody), is no reply; but an answer that is still being thought about is `unfinished`.

Discord asks for no ack. A message is accepted as soon as it is there and the app may read it, connected or not; of a
deletion the app was told once its heartbeat says so. A message addresses the app in a DM, by a mention of it or of its
role, or by replying to a message of its. What it said in a channel is answered in the thread that was opened from it,
or in the channel itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias

from tests.fakes import judging
from tests.fakes.discord.log import Entry
from tests.fakes.discord.replay import BotMessage, Place, Replay
from tests.fakes.discord.world import LOADING
from tests.fakes.judging import GRACE, Complete, Notice, Problem, Report, badge, by_part, weigh

#: The call that makes people see the app typing, for ten seconds.
_TYPING = "POST /channels/{channel}/typing"

__all__ = ["GRACE", "Notice", "Problem", "Reply", "Report", "asides", "badge", "judge", "replies"]

Reply: TypeAlias = judging.Reply[BotMessage]


def replies(replay: Replay) -> list[Reply]:
    """The replies that people see now, oldest first."""
    groups: dict[tuple[str, str], list[BotMessage]] = {}
    places: dict[str, list[BotMessage]] = {}
    for message in replay.created():
        if not message.gone and not message.hooked and not message.aside:
            places.setdefault(message.channel, []).append(message)
    for channel, messages in places.items():
        following: BotMessage | None = None
        for message in reversed(messages):
            key = message.turn
            if not key and message.webhook:
                # Nothing was ever pressed below it: it is the beginning of what comes next under the same name.
                key = _begins(message, following)
            groups.setdefault((channel, key or message.id), []).append(message)
            following = message
    found = [Reply(_place(replay, group), tuple(_numbered(group))) for group in groups.values()]
    return sorted(found, key=lambda reply: reply.messages[0].order)


def asides(replay: Replay) -> list[Reply]:
    """What jobs have said, as people see it now, oldest first; by their nonces, which are in no other message."""
    groups: dict[str, list[BotMessage]] = {}
    for message in replay.visible():
        if message.aside and message.turn:
            groups.setdefault(message.turn, []).append(message)
    return [Reply(group[0].place, tuple(_numbered(group))) for group in groups.values()]


def judge(
    entries: Iterable[Entry],
    *,
    complete: Complete | None = None,
    notice: Notice = badge,
    butting_in: bool = False,
    in_order: bool = True,
) -> Report:
    """Judge a log. `complete(question, answer)` says whether an answer is whole, where the test can know that."""
    replay = Replay(entries)
    report = weigh(
        replay,
        replies(replay),
        complete=complete,
        notice=notice,
        butting_in=butting_in,
        in_order=in_order,
        processing=_typing(replay),
        asides=asides(replay),
    )
    thinking = [Problem("unfinished", m.id, "thinking") for m in replay.visible() if m.flags & LOADING]
    return _told_in_private(replay, replace(report, problems=(*report.problems, *thinking)))


def _told_in_private(replay: Replay, report: Report) -> Report:
    """Who has no answer where they asked may have been told why in private, by a notice."""
    notices = [message for message in replay.visible() if message.aside and message.recipient]
    outcomes, problems = dict(report.outcomes), []
    for problem in report.problems:
        human = replay.humans.get(problem.message) if problem.kind == "missing" else None
        asked_by, since = (human.user, human.said_at) if human is not None else ("", 0.0)
        told = next((one for one in notices if one.recipient == asked_by and one.created_at > since), None)
        if told is None:
            problems.append(problem)
            continue
        notices.remove(told)
        outcomes["refused"] = outcomes.get("refused", 0) + 1
    return replace(report, outcomes=outcomes, problems=tuple(problems))


def _typing(replay: Replay) -> list[Place]:
    """Where people see the app typing and nothing has come of it."""
    typed: dict[str, float] = {}
    for call in replay.called(_TYPING, accepted=True):
        typed[call["ids"]["channel"]] = call["at"]
    for message in replay.created():
        # Who types in a channel may answer in a thread of it.
        for channel in (message.channel, message.place.channel):
            if message.changed_at >= typed.get(channel, 0.0):
                typed.pop(channel, None)
    parents = replay.threads
    return [Place(parents[one], one) if one in parents else Place(one, "") for one in typed]


def _begins(message: BotMessage, following: BotMessage | None) -> str:
    if following is None or (following.webhook, following.username) != (message.webhook, message.username):
        return ""
    # Seen from below: what follows has found its turn already.
    message.turn = following.turn
    return following.turn


def _numbered(group: list[BotMessage]) -> list[BotMessage]:
    """In order of their parts; those of a webhook have no number but their order."""
    if any(message.webhook for message in group):
        group = sorted(group, key=lambda message: message.order)
        for number, message in enumerate(group):
            message.part = number
    return sorted(group, key=by_part)


def _place(replay: Replay, group: list[BotMessage]) -> Place:
    """Where the messages are that this may answer: those of its thread or channel, or that which it replies to."""
    first = min(group, key=lambda message: message.order)
    replied = replay.humans.get(f"{first.channel}/{first.reply_to}")
    return replied.place if replied is not None else first.place
