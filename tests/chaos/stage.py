"""What a run of the kill test is planned to be, and what the platform that it is on has to offer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from bot import texts
from bot.crashpoints import CRASHPOINTS
from tests.chaos.people import People

#: Words of the fake model's answers.
TOKENS = 25


@dataclass(frozen=True)
class Plan:
    """One run of the kill test."""

    seed: int = 1
    #: Kills at random moments.
    kills: int = 200
    #: Crash points at which it is killed besides, once each.
    points: tuple[str, ...] = tuple(CRASHPOINTS)
    conversations: int = 50
    #: Events that there have to be, at least; repeated deliveries don't count.
    events: int = 0
    #: Messages per second, on average.
    rate: float = 12.0
    streams: bool = False
    #: Which platform the people are on, and in Slack whether it is reached by sockets.
    platform: Literal["fake", "slack", "discord"] = "fake"
    sockets: bool = False
    #: Whether answers in Discord carry the profile's name, by webhooks.
    named: bool = False
    #: Whether there is a second model server, while the preferred one is killed and restarted, too.
    failover: bool = False
    #: A safety that is taken away (`tests.chaos.serve`), so that the test must fail.
    broken: str = ""
    database_url: str = ""


class Verdict(Protocol):
    """What the judge of a platform's log says."""

    @property
    def ok(self) -> bool: ...

    @property
    def accepted(self) -> int: ...

    @property
    def unacked(self) -> tuple[str, ...]: ...

    @property
    def problems(self) -> Sequence[Any]:
        """Each with its `kind`."""


class Traffic(NamedTuple):
    """How often the platform told the server something."""

    #: Different ones that the server has taken, or must find by itself.
    events: int
    #: Deliveries that it has taken, doubles and repetitions included; and those that it has not.
    taken: int
    missed: int
    #: What the platform calls the two.
    words: tuple[str, str] = ("deliveries acked", "not")

    @classmethod
    def of(cls, entries: Iterable[Mapping[str, Any]]) -> Traffic:
        """What the log of a platform says that waits for acks."""
        kinds: Counter[str] = Counter()
        taken: set[str] = set()
        for entry in entries:
            kinds[entry["kind"]] += 1
            if entry["kind"] == "acked":
                taken.add(entry["delivery"])
        return cls(len(taken), kinds["acked"], kinds["unacked"])

    def __str__(self) -> str:
        return f"{self.events} events: {self.taken} {self.words[0]}, {self.missed} {self.words[1]}"


class Stage(Protocol):
    """The platform of a run, with its people, its log and its judge."""

    @property
    def people(self) -> People: ...

    @property
    def arguments(self) -> list[str]:
        """What `tests.chaos.serve` is told to find it."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Settings of the server for this platform."""

    async def told(self, port: int) -> None:
        """The server is there now."""

    async def waiting(self) -> int:
        """Deliveries that wait for their ack."""

    async def settle(self, timeout: float) -> None:
        """Wait until nothing more has to reach the server; what hasn't by then shows in the verdict."""

    async def traffic(self) -> Traffic:
        """What was delivered so far."""

    def judge(self) -> Verdict: ...

    async def failures(self) -> list[str]:
        """Texts of the replies that say that something failed."""


def whole(question: str, answer: str) -> bool:
    """Whether an answer has all the words that the fake model writes."""
    return len(answer.split()) >= TOKENS


def notice(text: str) -> str | None:
    """The outcome that a reply's own words tell; None for an answer."""
    if texts.STOPPED.en in text:
        return "stopped"
    for code, sentence in texts.REASONS.items():
        if sentence.en.partition("{")[0] in text:
            return "refused" if code in ("empty", "too_long") else "failed"
    return None
