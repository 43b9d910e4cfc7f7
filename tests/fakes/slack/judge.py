"""The judge of kill tests: has every accepted message exactly one outcome? It knows nothing but the fake's log.

What counts as a reply: the visible messages of the app whose metadata names the same turn (numbered by its part), or
one message without metadata; a stream has none until it is stopped, and an unfinished one is no outcome anyway. A reply
answers the messages of its thread whose markers `[m:ID]` are in its text. What is posted to a response_url answers a
press or a command, no message.

A notice is a reply without a marker: nothing in it names a message, so notices are counted against the messages of
their thread that have no answer. `notice` says what a text tells (`stopped`, `failed`, `refused`), or None where it is
no notice. What only one person sees is a notice to that person, `refused` unless its text tells something else; it may
also answer a press or a command of theirs.

A message that doesn't address the app (no DM, no mention) is owed nothing. Answering it anyway may be what a profile
wants in the app's own threads: such messages are listed in `followed`, and with `butting_in` each is a problem.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tests.fakes.slack.log import Entry
from tests.fakes.slack.replay import MARKER, BotMessage, Human, Place, Replay

#: Seconds that a reply may still take to be finished after its message was deleted or stopped: the call was under way,
#: and a time-out or a rate limit may make it come again.
GRACE = 5.0

#: At the very end, where a quotation of it in an answer is not.
_BADGE = re.compile(r"\[(stopped|failed|refused)\]\s*$")

Notice = Callable[[str], str | None]


def badge(text: str) -> str | None:
    """The notice of apps that end theirs with `[stopped]`, `[failed]` or `[refused]`."""
    found = _BADGE.search(text)
    return found[1] if found else None


@dataclass(frozen=True, slots=True)
class Reply:
    """What the app shows for one turn."""

    place: Place
    #: The visible ones, by part.
    messages: tuple[BotMessage, ...]

    @property
    def id(self) -> str:
        """The id of its first message."""
        return self.messages[0].id

    @property
    def text(self) -> str:
        """All parts, one below the other."""
        return "\n".join(message.text for message in self.messages)

    @property
    def markers(self) -> set[str]:
        return set(MARKER.findall(self.text))

    @property
    def turn(self) -> str:
        return self.messages[0].turn

    @property
    def private_to(self) -> str:
        return self.messages[0].private_to

    @property
    def finished(self) -> bool:
        return all(message.finished for message in self.messages)

    @property
    def begun_at(self) -> float:
        return min(message.created_at for message in self.messages)

    @property
    def finished_at(self) -> float:
        """When it was last changed."""
        return max(message.changed_at for message in self.messages)


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken promise.

    Kinds: `missing` (accepted, no outcome), `twice` (more than one), `unfinished` (a reply left in the middle),
    `broken` (its parts are not 0..n, once each, in order), `incomplete` (the whole answer isn't there), `stray` (a
    message of the app that belongs to nothing), `undead` (an answer to a message that its author had deleted),
    `unstoppable` (somebody pressed Stop, the answer went on), `unasked` (says stopped, and nobody had pressed Stop),
    `butted_in` (an answer to what wasn't said to the app), `ping` (somebody's phone rang).
    """

    kind: str
    #: The id of the person's message, or of the app's where there is none.
    message: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The verdict."""

    #: People's addressed messages that the app has acked.
    accepted: int
    #: Outcome → how many messages: answered, stopped, failed, refused, withdrawn.
    outcomes: dict[str, int]
    problems: tuple[Problem, ...]
    #: Addressed messages that the app never acked; the promise doesn't cover them, a test may.
    unacked: tuple[str, ...]
    #: Messages that didn't address the app and were answered.
    followed: tuple[str, ...]
    #: Messages of the app that were deleted again.
    taken_back: int
    #: Threads whose session is left `processing`: no broken promise, but people see a Stop button for an hour.
    processing: tuple[Place, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.problems

    def count(self, kind: str) -> int:
        """Problems of one kind."""
        return sum(problem.kind == kind for problem in self.problems)

    def __str__(self) -> str:
        outcomes = ", ".join(f"{count} {name}" for name, count in sorted(self.outcomes.items()) if count)
        lines = [f"{self.accepted} accepted: {outcomes or 'no outcome'}; {len(self.unacked)} never accepted"]
        lines += [f"  session left processing: {'/'.join(place)}" for place in self.processing]
        lines += [f"  {problem.kind} {problem.message} {problem.detail}".rstrip() for problem in self.problems]
        return "\n".join(lines)


def replies(replay: Replay) -> list[Reply]:
    """The replies that people see now, oldest first."""
    groups: dict[tuple[Place, str], list[BotMessage]] = {}
    for message in replay.created():
        if not message.gone and not message.hooked:
            groups.setdefault((message.place, f"turn {message.turn}" if message.turn else message.id), []).append(
                message
            )
    return [Reply(place, tuple(sorted(group, key=_by_part))) for (place, _), group in groups.items()]


def judge(
    entries: Iterable[Entry],
    *,
    complete: Callable[[str, str], bool] | None = None,
    notice: Notice = badge,
    butting_in: bool = False,
) -> Report:
    """Judge a log. `complete(question, answer)` says whether an answer is whole, where the test can know that."""
    replay = Replay(entries)
    all_replies = [_in_thread(replay, reply) for reply in replies(replay)]
    problems = [problem for reply in all_replies for problem in _flaws(replay, reply, notice)]
    problems += [Problem("ping", m.id, " ".join(m.pings)) for m in replay.bots.values() if m.pings]
    court = _Court(replay, complete, notice, butting_in)
    people = sorted(replay.humans.values(), key=lambda human: human.sent_at)
    threads: dict[Place, tuple[list[Human], list[Reply]]] = defaultdict(lambda: ([], []))
    for human in people:
        threads[human.place][0].append(human)
    for reply in all_replies:
        threads[reply.place][1].append(reply)
    for humans, here in threads.values():
        court.judge(humans, here)
    addressed = [human for human in people if human.addressed]
    return Report(
        accepted=sum(human.accepted_at is not None for human in addressed),
        outcomes=dict(court.outcomes),
        problems=(*problems, *court.problems),
        unacked=tuple(human.id for human in addressed if human.accepted_at is None),
        followed=tuple(court.followed),
        taken_back=sum(message.gone for message in replay.bots.values()),
        processing=tuple(place for place, status in replay.sessions.items() if status == "processing"),
    )


class _Court:
    """Judges one thread after the other."""

    def __init__(
        self, replay: Replay, complete: Callable[[str, str], bool] | None, notice: Notice, butting_in: bool
    ) -> None:
        self._acts = replay.acts
        self._complete = complete
        self._notice = notice
        self._butting_in = butting_in
        self.outcomes: Counter[str] = Counter()
        self.problems: list[Problem] = []
        self.followed: list[str] = []

    def judge(self, humans: Sequence[Human], here: Sequence[Reply]) -> None:
        """One thread: what people said in it, oldest first, and what the app shows there."""
        pending: list[Human] = []
        erased: list[Human] = []
        used: set[str] = set()
        for human in humans:
            mine = [reply for reply in here if reply.markers & human.markers]
            used |= {reply.id for reply in mine}
            if not human.addressed:
                self._overheard(human, mine)
                continue
            if human.accepted_at is None and not mine:
                continue
            if mine:
                self._answered(human, mine)
            else:
                (pending if human.erased_at is None else erased).append(human)
        notices = [reply for reply in here if reply.id not in used and self._tells(reply)]
        used |= self._settle(pending, notices)
        used |= self._withdraw(erased, [one for one in notices if one.id not in used])
        strays = [reply for reply in here if reply.id not in used and not self._asked_for(reply)]
        self.problems += [Problem("stray", reply.id, reply.text[:60]) for reply in strays]

    def _overheard(self, human: Human, mine: Sequence[Reply]) -> None:
        if not mine:
            return
        self.followed.append(human.id)
        if self._butting_in:
            self.problems.append(Problem("butted_in", human.id, mine[0].id))
        elif len(mine) > 1:
            self.problems.append(Problem("twice", human.id, " ".join(reply.id for reply in mine)))

    def _answered(self, human: Human, mine: Sequence[Reply]) -> None:
        if human.erased_at is not None:
            undead = [reply for reply in mine if not _before_erasure(reply, human)]
            self.problems += [Problem("undead", human.id, reply.id) for reply in undead]
        if len(mine) > 1:
            self.problems.append(Problem("twice", human.id, " ".join(reply.id for reply in mine)))
            return
        outcome = self._tells(mine[0]) or "answered"
        self.outcomes[outcome] += 1
        if self._complete and outcome == "answered" and not self._complete(human.texts[-1], mine[0].text):
            self.problems.append(Problem("incomplete", human.id, mine[0].id))

    def _settle(self, pending: list[Human], notices: Sequence[Reply]) -> set[str]:
        """Give messages without an answer the notices of their thread: to each the latest one that is left, since those
        that were out early belong to messages that were deleted afterwards. Private ones go to their person only."""
        used: set[str] = set()
        latest_first = sorted(notices, key=lambda reply: reply.finished_at, reverse=True)
        # Whoever was told in private is looked at first: everybody else can take what everybody sees.
        for private in (True, False):
            for human in [*pending]:
                told = next((n for n in latest_first if n.id not in used and _to(n, human, private=private)), None)
                if told is None:
                    continue
                used.add(told.id)
                pending.remove(human)
                self.outcomes[self._tells(told) or "answered"] += 1
        self.problems += [Problem("missing", human.id) for human in pending]
        return used

    def _withdraw(self, erased: Sequence[Human], notices: Sequence[Reply]) -> set[str]:
        """A notice that was out before its message was deleted stays, like an answer; whose it is, nothing says."""
        used: set[str] = set()
        for human in sorted(erased, key=lambda human: human.erasure_acked_at or 0.0, reverse=True):
            told = next(
                (
                    notice
                    for notice in notices
                    if notice.id not in used
                    and notice.private_to in ("", human.user)
                    and _before_erasure(notice, human)
                ),
                None,
            )
            if told is not None:
                used.add(told.id)
            self.outcomes[(self._tells(told) if told else None) or "withdrawn"] += 1
        return used

    def _asked_for(self, reply: Reply) -> bool:
        """Whether a private message may answer what its person pressed or typed as a command."""
        return any(act.user == reply.private_to and act.at <= reply.begun_at for act in self._acts)

    def _tells(self, reply: Reply) -> str | None:
        return self._notice(reply.text) or ("refused" if reply.private_to else None)


def _in_thread(replay: Replay, reply: Reply) -> Reply:
    """A private message that isn't in a thread is about the last that its person said in the channel."""
    place = reply.place
    if not reply.private_to or place.thread != reply.messages[0].ts:
        return reply
    said = [h for h in replay.humans.values() if h.user == reply.private_to and h.place.channel == place.channel]
    before = [human for human in said if human.said_at <= reply.begun_at]
    return Reply(max(before, key=lambda human: human.said_at).place, reply.messages) if before else reply


def _flaws(replay: Replay, reply: Reply, notice: Notice) -> list[Problem]:
    """What is wrong with a reply in itself."""
    problems: list[Problem] = []
    if not reply.finished:
        problems.append(Problem("unfinished", reply.id, reply.text[:60]))
    numbers = [message.part for message in reply.messages]
    if numbers != list(range(len(numbers))):
        problems.append(Problem("broken", reply.id, f"parts {numbers}"))
    elif [message.ts for message in reply.messages] != sorted(message.ts for message in reply.messages):
        problems.append(Problem("broken", reply.id, "parts in the wrong order"))
    stops = [stop for stop in replay.stops if stop.place == reply.place and stop.turn in ("", reply.turn)]
    if notice(reply.text) == "stopped":
        if not stops:
            problems.append(Problem("unasked", reply.id))
    elif any(reply.begun_at < stop.at < reply.finished_at - GRACE for stop in stops):
        problems.append(Problem("unstoppable", reply.id, reply.text[:60]))
    return problems


def _to(reply: Reply, human: Human, *, private: bool) -> bool:
    return reply.private_to == (human.user if private else "")


def _before_erasure(reply: Reply, human: Human) -> bool:
    """Whether the answer was out when the deletion was accepted, which leaves it as it is."""
    return human.erasure_acked_at is None or reply.finished_at <= human.erasure_acked_at + GRACE


def _by_part(message: BotMessage) -> tuple[int, str]:
    return message.part, message.ts
