"""A suite's parts: cases, and the checks that their answers are put to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Literal

from agent.language import Lang

#: What stands in the place of a benchmark's type in the keys of replies.
SUITE: Final = "suite"
#: The one prompt of a case, as templates are called elsewhere.
PROMPT: Final = "prompt"

Kind = Literal["exact", "contains", "regex", "tool-called", "judge"]


@dataclass(frozen=True, slots=True)
class Exact:
    """The answer is one of these texts, and nothing else."""

    kind: ClassVar[Kind] = "exact"

    values: tuple[str, ...]
    ignore_case: bool = False
    #: Runs of blanks and line breaks count as one blank, and none at the ends.
    ignore_space: bool = True


@dataclass(frozen=True, slots=True)
class Contains:
    """Texts that stand in the answer, or don't."""

    kind: ClassVar[Kind] = "contains"

    #: Every one of these.
    all: tuple[str, ...] = ()
    #: At least one of these; () asks for none.
    any: tuple[str, ...] = ()
    #: Not one of these.
    none: tuple[str, ...] = ()
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Regex:
    """A pattern of Python's `re` matches somewhere in the answer."""

    kind: ClassVar[Kind] = "regex"

    pattern: str
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """A tool is called."""

    kind: ClassVar[Kind] = "tool-called"

    name: str
    #: These arguments have these values; others don't matter.
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judged:
    """A model finds that the answer is as the rubric wants it."""

    kind: ClassVar[Kind] = "judge"

    rubric: str
    #: An answer that is not, for the judge to compare with; "" for none.
    bad: str = ""


Check = Exact | Contains | Regex | ToolCalled | Judged


@dataclass(frozen=True, slots=True)
class Case:
    """One line of a suite. It has what a run asks of an item (`evals.running.asked.Asked`)."""

    #: Unique in its suite.
    id: str
    #: For people, and for whoever answers in another way than by `prompts`: an agent system, a judge.
    query: str
    lang: Lang
    checks: tuple[Check, ...]
    #: Under `PROMPT`: the prompt as a model gets it.
    prompts: Mapping[str, str]
    #: Tools that the prompt offers, as JSON objects with `name` and perhaps `description` and `parameters`.
    tools: tuple[Mapping[str, Any], ...] = ()
    notes: str = ""
    #: The number of its line, 1 for the first.
    line: int = 0
    #: The whole line.
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    type: str = SUITE
    #: Nothing of a case's prompt may be cut in its middle.
    memory: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What it is called in logs and results."""
        return self.type, self.id


def asks_a_judge(cases: Iterable[Case]) -> bool:
    """Whether any check of these needs one."""
    return any(isinstance(check, Judged) for case in cases for check in case.checks)
