"""What the scorer finds: per template, per item, and in all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from agent.language import Lang
from evals.kagentbench.items import Metric, Type


class Parsed(NamedTuple):
    """What was read from a reply of a plan; any JSON value may stand in each place."""

    thought: Any
    tool_name: Any
    tool_args: Any


@dataclass(frozen=True, slots=True)
class TemplateResult:
    """One reply."""

    template: str
    #: The published score, 0 to 1, of each number that this item counts for; 0 where the published scorer raises.
    scores: Mapping[Metric, float]
    #: None for conclusions and profiles.
    parsed: Parsed | None = None
    #: Whether nothing could be read from the reply: a plan without a tool's name, or no text where text is wanted.
    unreadable: bool = False
    #: For plans and reflextions: whether its tool is that of a golden; None elsewhere.
    right_tool: bool | None = None
    #: What the published scorer raises here, such as `ValueError: Hypothesis is empty.`; "" for nothing.
    raises: str = ""


@dataclass(frozen=True, slots=True)
class ItemResult:
    """All replies to one item."""

    type: Type
    #: Its id as text.
    id: str
    query: str
    lang: Lang
    #: In the order of the prediction.
    templates: tuple[TemplateResult, ...]
    #: The mean over its templates, of each number that it counts for.
    scores: Mapping[Metric, float]
    #: What the published scorer raises for the item as a whole; "" for nothing.
    raises: str = ""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A predictions file against a benchmark file."""

    #: Grouped by type in the order of `TYPES`, within a type as in the predictions.
    items: tuple[ItemResult, ...]
    #: 0 to 1; None for a number that no item counts for.
    scores: Mapping[Metric, float | None]
    #: 0 to 1; None while a number is missing.
    overall: float | None
    #: Items of the benchmark by type, predicted or not.
    expected: Mapping[Type, int]
    #: Whether every item of the benchmark has a prediction with all the templates of its prompts.
    complete: bool
    #: SHA-256 of the benchmark file, hexadecimal; "" where items did not come from a file.
    data_sha256: str = ""
    #: What the score depends on besides: version of the token rules and of Unicode's tables.
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def raised(self) -> int:
        """Replies and items that the published scorer would have died on."""
        return sum(bool(item.raises) + sum(bool(one.raises) for one in item.templates) for item in self.items)
