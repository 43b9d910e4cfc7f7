"""How many calls are under way at once."""

from __future__ import annotations

from dataclasses import dataclass

from agent.llm.chat import ModelFault


@dataclass(slots=True)
class Ticket:
    """A call under way."""

    started: float


class Pace:
    """Decides when the next call may start. Pure: it is told the time."""

    def __init__(self, limit: int = 8) -> None:
        self.limit = limit
        self.in_flight = 0

    def wait(self, now: float) -> float | None:
        """Seconds until a call may start: 0 for now, None for when one has ended."""
        return 0.0 if self.in_flight < self.limit else None

    def start(self, now: float) -> Ticket:
        """A call starts."""
        self.in_flight += 1
        return Ticket(now)

    def replied(self, ticket: Ticket, now: float) -> None:
        """It ended with a reply, or with a refusal that is about its prompt."""
        self.in_flight -= 1

    def refused(self, ticket: Ticket, now: float, fault: ModelFault, retry_after: float | None = None) -> None:
        """It ended in a way that says that the server has too much to do, or is not there."""
        self.in_flight -= 1

    def withdrawn(self, ticket: Ticket) -> None:
        """It was cancelled, or ended in a way that says nothing about the server."""
        self.in_flight -= 1
