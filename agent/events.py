"""What the agent says while it works: the vocabulary between the loop and whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

StepKind = Literal["plan", "act", "conclude"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of the model calls of one turn, as the servers reported them; None where they reported nothing."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None

    def plus(self, other: Usage) -> Usage:
        """The sum; an unknown count stays unknown only if both are."""
        return Usage(
            _add(self.prompt_tokens, other.prompt_tokens), _add(self.completion_tokens, other.completion_tokens)
        )


def _add(a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else a + b


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step that a person may watch has begun."""

    #: Positional journal key, for example `act/0/1`.
    key: str
    kind: StepKind
    #: The tool's name for `act` steps.
    tool: str | None = None
    #: The tool's arguments for `act` steps.
    args: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepFinished:
    """The step with this key is over."""

    key: str
    ok: bool
    #: Markdown for people: the tool's result or the reason of its failure; for a plan, why planning ends with it.
    #: May be long; whoever shows it folds it.
    result: str = ""
    #: What the model thought before it chose, for `plan` steps: a sentence or two.
    thought: str = ""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More of the answer's Markdown."""

    text: str


@dataclass(frozen=True, slots=True)
class TextReset:
    """The text so far is void: what follows is a new beginning of the same answer."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The run is over; always the last event of a run that did not raise."""

    #: The whole answer in Markdown (the concatenation of all deltas since the last reset).
    text: str
    #: Short remarks below the answer, already in the turn's language (for example, that a demo model wrote it).
    notes: tuple[str, ...] = ()
    #: Addresses that the answer rests on, in the order in which they are numbered.
    sources: tuple[str, ...] = ()
    #: The model that wrote the text; None when a tool's result is shown as it is.
    model: str | None = None
    usage: Usage = Usage()
    #: Name of the agent system; "" where whoever ran it doesn't say.
    style: str = ""


AgentEvent = StepStarted | StepFinished | TextDelta | TextReset | Finished
