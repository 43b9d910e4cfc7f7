"""What a measurement gives: named numbers, some with a limit that must hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple


class Limit(NamedTuple):
    """What a figure must hold."""

    kind: Literal["at least", "at most"]
    value: float


@dataclass(frozen=True, slots=True)
class Figure:
    """One number."""

    name: str
    value: float
    unit: str
    limit: Limit | None = None

    @property
    def holds(self) -> bool:
        """Whether it keeps its limit; one without a limit does."""
        if self.limit is None:
            return True
        return self.value >= self.limit.value if self.limit.kind == "at least" else self.value <= self.limit.value

    def as_json(self) -> dict[str, Any]:
        limit = None if self.limit is None else {self.limit.kind: self.limit.value, "holds": self.holds}
        return {"name": self.name, "value": self.value, "unit": self.unit, "limit": limit}


@dataclass(frozen=True, slots=True)
class Result:
    """One benchmark's outcome."""

    figures: Sequence[Figure]
    #: The numbers that the figures were made from, for the JSON file.
    details: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"figures": [figure.as_json() for figure in self.figures], "details": self.details}


def at_least(value: float) -> Limit:
    """A limit from below."""
    return Limit("at least", value)


def at_most(value: float) -> Limit:
    """A limit from above."""
    return Limit("at most", value)


def table(figures: Iterable[Figure]) -> str:
    """The figures as lines of a Markdown table, without a heading; numbers that miss their limit are marked."""
    return "\n".join(f"| {f.name} | {_number(f.value)} {f.unit} | {_verdict(f)} |" for f in figures)


HEADING = "| figure | measured | must be |\n|---|---|---|"


def _verdict(figure: Figure) -> str:
    if figure.limit is None:
        return ""
    said = f"{figure.limit.kind} {figure.limit.value:g}"
    return said if figure.holds else f"{said}: **missed**"


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that at least this share of them doesn't exceed (nearest rank)."""
    ordered = sorted(values)
    rank = -int(-share * len(ordered) // 1)
    return ordered[max(rank, 1) - 1]
