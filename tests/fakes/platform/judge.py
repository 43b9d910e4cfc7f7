"""The judge of kill tests: has every accepted message exactly one outcome? It knows nothing but the platform's log.

What counts as a reply: the visible messages of the bot that carry the same `metadata.turn` (numbered by
`metadata.part`), or one message without metadata. A reply answers the messages whose markers `[m:ID]` are in its text.
A notice is a reply with no marker that ends with `[stopped]`, `[failed]` or `[refused]`: nothing in it names a message,
so notices are counted against the messages of their conversation that have no answer. For that, each message needs a
turn of its own (no merging).

A reply that can still be stopped, or still streams, is unfinished: no outcome, whatever its text says.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tests.fakes.platform.log import Entry
from tests.fakes.platform.replay import MARKER, BotMessage, Human, Replay
from tests.fakes.platform.rules import Place

#: At the very end, where a quotation of it in an answer is not.
_BADGE = re.compile(r"\[(stopped|failed|refused)\]\s*$")

#: Seconds that a reply may still take to be finished after its message was deleted or stopped: the call was under way,
#: and a time-out or a rate limit may make it come again.
GRACE = 5.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What the bot shows for one turn."""

    place: Place
    #: The visible ones, by part.
    messages: tuple[BotMessage, ...]
    #: Messages of the same turn that the bot has deleted again.
    removed: tuple[BotMessage, ...] = ()

    @property
    def text(self) -> str:
        """All parts, joined without anything between them."""
        return "".join(message.text for message in self.messages)

    @property
    def markers(self) -> set[str]:
        return set(MARKER.findall(self.text))

    @property
    def outcome(self) -> str:
        """`answered`, unless it says otherwise."""
        badge = _BADGE.search(self.text)
        return badge[1] if badge else "answered"

    @property
    def finished(self) -> bool:
        return all(message.finished for message in self.messages)

    @property
    def finished_at(self) -> float:
        """When it was last changed."""
        return max(message.changed_at for message in self.messages)

    @property
    def pressed(self) -> bool:
        """Whether anybody pressed Stop on it."""
        return any(message.pressed_at is not None for message in self.messages + self.removed)

    @property
    def stop_taken_at(self) -> float | None:
        """When the bot first said that it is being stopped."""
        taken = [m.stop_taken_at for m in self.messages + self.removed if m.stop_taken_at is not None]
        return min(taken, default=None)

    @property
    def id(self) -> str:
        """The id of its first message."""
        return self.messages[0].id


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken promise.

    Kinds: `missing` (accepted, no outcome), `twice` (more than one), `unfinished` (a reply left in the middle),
    `broken` (its parts are not 0..n, once each, in order), `incomplete` (the whole answer isn't there), `stray` (a
    message of the bot that belongs to nothing), `undead` (an answer to a message that its author had deleted),
    `unstoppable` (the bot took the Stop, the answer went on), `unasked` (says stopped, and nobody had pressed Stop),
    `ping` (somebody's phone rang).
    """

    kind: str
    #: The id of the person's message, or of the bot's where there is none.
    message: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The verdict."""

    #: People's messages that the bot has acked.
    accepted: int
    #: Outcome → how many messages: answered, stopped, failed, refused, withdrawn.
    outcomes: dict[str, int]
    problems: tuple[Problem, ...]
    #: Addressed messages that the bot never acked; the promise doesn't cover them, a test may.
    unacked: tuple[str, ...]
    #: Messages of the bot that it deleted again.
    taken_back: int

    @property
    def ok(self) -> bool:
        return not self.problems

    def count(self, kind: str) -> int:
        """Problems of one kind."""
        return sum(problem.kind == kind for problem in self.problems)

    def __str__(self) -> str:
        outcomes = ", ".join(f"{count} {name}" for name, count in sorted(self.outcomes.items()) if count)
        lines = [f"{self.accepted} accepted: {outcomes or 'no outcome'}; {len(self.unacked)} never accepted"]
        lines += [f"  {problem.kind} {problem.message} {problem.detail}".rstrip() for problem in self.problems]
        return "\n".join(lines)


def replies(replay: Replay) -> list[Reply]:
    """The replies that people see now, oldest first."""
    groups: dict[tuple[Place, str], list[BotMessage]] = {}
    for message in replay.created():
        turn = (message.metadata or {}).get("turn")
        groups.setdefault((message.place, f"turn {turn}" if turn else message.id), []).append(message)
    found = []
    for (place, _), group in groups.items():
        visible = sorted((message for message in group if not message.gone), key=_by_part)
        if visible:
            found.append(Reply(place, tuple(visible), tuple(message for message in group if message.gone)))
    return found


def judge(entries: Iterable[Entry], *, complete: Callable[[str, str], bool] | None = None) -> Report:
    """Judge a log. `complete(question, answer)` says whether an answer is whole, where the test can know that."""
    replay = Replay(entries)
    all_replies = replies(replay)
    problems = [problem for reply in all_replies for problem in _flaws(reply)]
    rang = [message for message in replay.bots.values() if message.pings]
    problems += [Problem("ping", message.id, " ".join(message.pings)) for message in rang]
    outcomes: Counter[str] = Counter()
    people = sorted(replay.humans.values(), key=lambda human: human.sent_at)
    for place in dict.fromkeys([human.place for human in people] + [reply.place for reply in all_replies]):
        humans = [human for human in people if human.place == place]
        here = [reply for reply in all_replies if reply.place == place]
        problems += _judge_place(humans, here, outcomes, complete)
    addressed = [human for human in replay.humans.values() if human.addressed]
    return Report(
        accepted=sum(human.accepted_at is not None for human in addressed),
        outcomes=dict(outcomes),
        problems=tuple(problems),
        unacked=tuple(human.id for human in addressed if human.accepted_at is None),
        taken_back=sum(message.gone for message in replay.bots.values()),
    )


def _judge_place(
    humans: Sequence[Human], here: Sequence[Reply], outcomes: Counter[str], complete: Callable[[str, str], bool] | None
) -> list[Problem]:
    """The problems of one conversation; its outcomes are added to `outcomes`."""
    problems: list[Problem] = []
    pending: list[Human] = []
    erased: list[Human] = []
    used: set[str] = set()
    for human in humans:
        mine = [reply for reply in here if reply.markers & human.markers]
        if not human.addressed or (human.accepted_at is None and not mine):
            continue
        used |= {reply.id for reply in mine}
        if human.erased_at is not None:
            problems += [Problem("undead", human.id, reply.id) for reply in mine if not _before_erasure(reply, human)]
        if len(mine) > 1:
            problems.append(Problem("twice", human.id, " ".join(reply.id for reply in mine)))
        elif mine:
            outcomes[mine[0].outcome] += 1
            if complete and mine[0].outcome == "answered" and not complete(human.texts[-1], mine[0].text):
                problems.append(Problem("incomplete", human.id, mine[0].id))
        elif human.erased_at is not None:
            outcomes["withdrawn"] += 1
            erased.append(human)
        else:
            pending.append(human)
    notices = [reply for reply in here if reply.id not in used and not reply.markers and reply.outcome != "answered"]
    # Whose a notice is, its text doesn't say. A message that wasn't deleted takes any; so it gets the latest ones, and
    # those that were out early enough are left to the messages that were deleted afterwards.
    notices.sort(key=lambda notice: notice.finished_at, reverse=True)
    settled = notices[: len(pending)]
    used |= {notice.id for notice in settled}
    outcomes.update(notice.outcome for notice in settled)
    problems += [Problem("missing", human.id) for human in pending[len(notices) :]]
    # A notice that was out before its message was deleted stays, like an answer; its text doesn't say whose it is.
    erased.sort(key=lambda human: human.erasure_acked_at or 0.0, reverse=True)
    for human in erased:
        told = next((n for n in notices if n.id not in used and _before_erasure(n, human)), None)
        if told is not None:
            used.add(told.id)
            outcomes["withdrawn"] -= 1
            outcomes[told.outcome] += 1
    problems += [Problem("stray", reply.id, reply.text[:60]) for reply in here if reply.id not in used]
    return problems


def _flaws(reply: Reply) -> list[Problem]:
    """What is wrong with a reply in itself."""
    problems: list[Problem] = []
    if not reply.finished:
        problems.append(Problem("unfinished", reply.id, reply.text[:60]))
    numbers = [_part(message) for message in reply.messages]
    if numbers != list(range(len(numbers))):
        problems.append(Problem("broken", reply.id, f"parts {numbers}"))
    elif [message.id for message in reply.messages] != sorted(message.id for message in reply.messages):
        problems.append(Problem("broken", reply.id, "parts in the wrong order"))
    if reply.outcome == "stopped":
        if not reply.pressed:
            problems.append(Problem("unasked", reply.id))
    elif reply.stop_taken_at is not None and reply.finished_at > reply.stop_taken_at + GRACE:
        problems.append(Problem("unstoppable", reply.id, reply.text[:60]))
    return problems


def _before_erasure(reply: Reply, human: Human) -> bool:
    """Whether the answer was out when the deletion was accepted, which leaves it as it is."""
    return human.erasure_acked_at is None or reply.finished_at <= human.erasure_acked_at + GRACE


def _part(message: BotMessage) -> int:
    return int((message.metadata or {}).get("part", 0))


def _by_part(message: BotMessage) -> tuple[int, str]:
    return _part(message), message.id
