"""What the judges of the chat platforms' kill tests have in common: has every accepted message exactly one outcome?

A judge knows nothing but its fake's log. The platform's `replay` says what people and the app did, its `judge` which of
the app's messages make one reply; what is in here weighs them. A reply answers the messages of its place whose markers
`[m:ID]` are in its text.

A notice is a reply without a marker: nothing in it names a message, so notices are counted against the messages of
their place that have no answer. `notice` says what a text tells (`stopped`, `failed`, `refused`), or None where it is
no notice. What only one person sees is a notice to that person, `refused` unless its text tells something else; it may
also answer a press or a command of theirs.

What a job has said of its own accord (a notice, a report) answers nobody: it is looked at by itself.

A message that doesn't address the app is owed nothing. Answering it anyway may be what a profile wants in the app's own
threads: such messages are listed in `followed`, and with `butting_in` each is a problem.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

#: Seconds that a reply may still take to be finished after its message was deleted or stopped: the call was under way,
#: and a time-out or a rate limit may make it come again.
GRACE = 5.0

#: What the fake model echoes from the question, so that an answer shows which message it answers.
MARKER = re.compile(r"\[m:[^\]\s]+\]")

#: The name of a Stop button of the app's own.
STOP_BUTTON = "kagent.stop"

#: At the very end, where a quotation of it in an answer is not.
_BADGE = re.compile(r"\[(stopped|failed|refused)\]\s*$")

Notice = Callable[[str], str | None]
#: Whether an answer (second) to this question (first) is whole.
Complete = Callable[[str, str], bool]


def badge(text: str) -> str | None:
    """The notice of apps that end theirs with `[stopped]`, `[failed]` or `[refused]`."""
    found = _BADGE.search(text)
    return found[1] if found else None


class Place(NamedTuple):
    """A thread, or the one that a message would start; where a platform's conversations are not threads, `thread` is
    ""."""

    channel: str
    thread: str


@dataclass(slots=True)
class Human:
    """A person's message."""

    id: str
    place: Place
    user: str
    #: The author's own workspace.
    team: str
    #: Oldest revision first.
    texts: list[str]
    #: Whether the app owes it something, once it is accepted.
    addressed: bool
    said_at: float
    sent_at: float
    #: When it became the app's to answer, if it is addressed.
    accepted_at: float | None = None
    erased_at: float | None = None
    #: When the app was certainly told of the deletion.
    erasure_acked_at: float | None = None

    @property
    def markers(self) -> set[str]:
        """The markers of all revisions."""
        return {marker for text in self.texts for marker in MARKER.findall(text)}


@dataclass(frozen=True, slots=True)
class Stop:
    """Somebody pressed Stop: the platform's own (`turn` is "") or a button of the app's under a turn's reply."""

    place: Place
    user: str
    at: float
    turn: str = ""
    #: They were told that it had failed: nothing has to come of it, and something may.
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    """Somebody pressed something, or typed a command."""

    user: str
    at: float


class Message(Protocol):
    """A message of the app, as people see it."""

    id: str
    place: Place
    text: str
    #: The one person who sees it; "": everybody.
    private_to: str
    #: What in it made somebody's phone ring.
    pings: list[str]
    created_at: float
    changed_at: float
    gone: bool

    @property
    def finished(self) -> bool:
        """Whether it looks final: nothing left to stop."""

    @property
    def pictured(self) -> Sequence[str]:
        """The pictures that are seen in it; two that look alike are equal."""

    @property
    def turn(self) -> str:
        """The turn that it belongs to; "": none that could be told."""

    @property
    def part(self) -> int:
        """Which part of its turn's reply it is."""

    @property
    def order(self) -> str:
        """Messages that are further down sort later."""


M = TypeVar("M", bound=Message)
M_co = TypeVar("M_co", bound=Message, covariant=True)


class Replay(Protocol[M_co]):
    """What the log says happened."""

    @property
    def humans(self) -> Mapping[str, Human]: ...

    @property
    def bots(self) -> Mapping[str, M_co]: ...

    @property
    def stops(self) -> Sequence[Stop]: ...

    @property
    def acts(self) -> Sequence[Act]: ...


@dataclass(frozen=True)
class Reply(Generic[M]):
    """What the app shows for one turn."""

    place: Place
    #: The visible ones, by part.
    messages: tuple[M, ...]

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
    `broken` (its parts are not 0..n, once each, in order), `pictured` (one of its pictures is seen twice), `incomplete`
    (the whole answer isn't there), `stray` (a message of the app that belongs to nothing), `undead` (an answer to a
    message that its author had deleted), `unstoppable` (somebody pressed Stop, the answer went on), `unasked` (says
    stopped, and nobody had pressed Stop), `butted_in` (an answer to what wasn't said to the app), `disorder` (answered
    before something that was said earlier in the same place), `ping` (somebody's phone rang).
    """

    kind: str
    #: The id of the person's message, or of the app's where there is none.
    message: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The verdict."""

    #: People's addressed messages that the app has accepted.
    accepted: int
    #: Outcome → how many messages: answered, stopped, failed, refused, withdrawn.
    outcomes: dict[str, int]
    problems: tuple[Problem, ...]
    #: Addressed messages that the app never accepted; the promise doesn't cover them, a test may.
    unacked: tuple[str, ...]
    #: Messages that didn't address the app and were answered.
    followed: tuple[str, ...]
    #: Messages of the app that were deleted again.
    taken_back: int
    #: Places where the app looks as if it were at work. No broken promise: a Stop in Slack, typing in Discord.
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
        lines += [f"  left as if at work: {'/'.join(place)}" for place in self.processing]
        lines += [f"  {problem.kind} {problem.message} {problem.detail}".rstrip() for problem in self.problems]
        return "\n".join(lines)


def by_part(message: Message) -> tuple[int, str]:
    """Sorts the messages of one reply."""
    return message.part, message.order


def weigh(
    replay: Replay[M],
    replies: Iterable[Reply[M]],
    *,
    complete: Complete | None = None,
    notice: Notice = badge,
    butting_in: bool = False,
    in_order: bool = False,
    processing: Iterable[Place] = (),
    asides: Iterable[Reply[M]] = (),
) -> Report:
    """The verdict. `replies` are those that people see in the end, each in the place of the messages that it may
    answer; with `in_order`, those of one place have to come in the order of their messages. `asides`: those of jobs."""
    replies = list(replies)
    problems = [problem for reply in replies for problem in _flaws(replay, reply, notice)]
    problems += [problem for aside in asides for problem in _faults_of_parts(aside)]
    problems += [Problem("ping", m.id, " ".join(m.pings)) for m in replay.bots.values() if m.pings]
    court: _Court[M] = _Court(replay.acts, complete, notice, butting_in, in_order)
    people = sorted(replay.humans.values(), key=lambda human: human.sent_at)
    places: dict[Place, tuple[list[Human], list[Reply[M]]]] = defaultdict(lambda: ([], []))
    for human in people:
        places[human.place][0].append(human)
    for reply in replies:
        places[reply.place][1].append(reply)
    for humans, here in places.values():
        court.judge(humans, here)
    addressed = [human for human in people if human.addressed]
    return Report(
        accepted=sum(human.accepted_at is not None for human in addressed),
        outcomes=dict(court.outcomes),
        problems=(*problems, *court.problems),
        unacked=tuple(human.id for human in addressed if human.accepted_at is None),
        followed=tuple(court.followed),
        taken_back=sum(message.gone for message in replay.bots.values()),
        processing=tuple(processing),
    )


class _Court(Generic[M]):
    """Judges one place after the other."""

    def __init__(
        self, acts: Sequence[Act], complete: Complete | None, notice: Notice, butting_in: bool, in_order: bool
    ) -> None:
        self._acts = acts
        self._complete = complete
        self._notice = notice
        self._butting_in = butting_in
        self._in_order = in_order
        self.outcomes: Counter[str] = Counter()
        self.problems: list[Problem] = []
        self.followed: list[str] = []

    def judge(self, humans: Sequence[Human], here: Sequence[Reply[M]]) -> None:
        """One place: what people said in it, oldest first, and what the app shows there."""
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
        if self._in_order:
            self.problems += _disorder(humans, here)
        notices = [reply for reply in here if reply.id not in used and self._tells(reply)]
        used |= self._settle(pending, notices)
        used |= self._withdraw(erased, [one for one in notices if one.id not in used])
        strays = [reply for reply in here if reply.id not in used and not self._asked_for(reply)]
        self.problems += [Problem("stray", reply.id, reply.text[:60]) for reply in strays]

    def _overheard(self, human: Human, mine: Sequence[Reply[M]]) -> None:
        if not mine:
            return
        self.followed.append(human.id)
        if self._butting_in:
            self.problems.append(Problem("butted_in", human.id, mine[0].id))
        elif len(mine) > 1:
            self.problems.append(Problem("twice", human.id, " ".join(reply.id for reply in mine)))

    def _answered(self, human: Human, mine: Sequence[Reply[M]]) -> None:
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

    def _settle(self, pending: list[Human], notices: Sequence[Reply[M]]) -> set[str]:
        """Give messages without an answer the notices of their place: to each the latest one that is left, since those
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

    def _withdraw(self, erased: Sequence[Human], notices: Sequence[Reply[M]]) -> set[str]:
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

    def _asked_for(self, reply: Reply[M]) -> bool:
        """Whether a private message may answer what its person pressed or typed as a command."""
        return any(act.user == reply.private_to and act.at <= reply.begun_at for act in self._acts)

    def _tells(self, reply: Reply[M]) -> str | None:
        return self._notice(reply.text) or ("refused" if reply.private_to else None)


def _flaws(replay: Replay[M], reply: Reply[M], notice: Notice) -> list[Problem]:
    """What is wrong with a reply in itself."""
    problems = _faults_of_parts(reply)
    if not reply.finished:
        problems.append(Problem("unfinished", reply.id, reply.text[:60]))
    stops = [stop for stop in replay.stops if stop.place == reply.place and stop.turn in ("", reply.turn)]
    if notice(reply.text) == "stopped":
        if not stops:
            problems.append(Problem("unasked", reply.id))
    elif any(reply.begun_at < stop.at < reply.finished_at - GRACE for stop in stops if not stop.failed):
        problems.append(Problem("unstoppable", reply.id, reply.text[:60]))
    return problems


def _faults_of_parts(reply: Reply[M]) -> list[Problem]:
    """Messages or pictures of one reply that are missing, there twice, or not where they belong."""
    problems = []
    numbers, order = [message.part for message in reply.messages], [message.order for message in reply.messages]
    if numbers != list(range(len(numbers))):
        problems.append(Problem("broken", reply.id, f"parts {numbers}"))
    elif order != sorted(order):
        problems.append(Problem("broken", reply.id, "parts in the wrong order"))
    seen = Counter(picture for message in reply.messages for picture in message.pictured)
    return problems + [Problem("pictured", reply.id, picture) for picture in seen if seen[picture] > 1]


def _disorder(humans: Iterable[Human], here: Sequence[Reply[M]]) -> list[Problem]:
    """Answers above that of an earlier message. Whoever edits a message is answered anew, further down."""
    found: list[Problem] = []
    last: Reply[M] | None = None
    for human in humans:
        mine = [reply for reply in here if reply.markers & human.markers]
        if len(human.texts) != 1 or len(mine) != 1 or human.erased_at is not None:
            continue
        if last is not None and mine[0].messages[0].order < last.messages[0].order:
            found.append(Problem("disorder", human.id, f"{mine[0].id} is above {last.id}"))
        last = mine[0]
    return found


def _to(reply: Reply[M], human: Human, *, private: bool) -> bool:
    return reply.private_to == (human.user if private else "")


def _before_erasure(reply: Reply[M], human: Human) -> bool:
    """Whether the answer was out when the deletion was accepted, which leaves it as it is."""
    return human.erasure_acked_at is None or reply.finished_at <= human.erasure_acked_at + GRACE
