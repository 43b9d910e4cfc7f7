"""One line of a benchmark file, and the field's names for its parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from agent.language import Lang

#: As the files spell them, in the order in which the published scorer works.
Type = Literal["plantooluse", "reflextion", "conclusion", "profile"]
TYPES: Final[tuple[Type, ...]] = get_args(Type)

#: The prompt templates of the published data, in the order of its lines. Files may have others.
TEMPLATES: Final = ("ReACT", "AutoGPT", "ToolLlama", "ModelScope", "KuaiAgent")
#: The key of the one prompt of a profile item, and the template of its result.
PROFILE_PROMPT: Final = "prompt"

#: The five numbers of the published line, in its order and spelling.
Metric = Literal["plan", "tooluse", "reflextion", "conclusion", "profile"]
METRICS: Final[tuple[Metric, ...]] = get_args(Metric)
#: Which numbers an item of a type counts for.
METRICS_OF: Final[Mapping[Type, tuple[Metric, ...]]] = {
    "plantooluse": ("plan", "tooluse"),
    "reflextion": ("reflextion",),
    "conclusion": ("conclusion",),
    "profile": ("profile",),
}
#: What each number weighs in `overall` (facts of the published scorer; they add up to 1).
WEIGHTS: Final[Mapping[Metric, float]] = {
    "plan": 0.25,
    "tooluse": 0.35,
    "reflextion": 0.1,
    "conclusion": 0.2,
    "profile": 0.1,
}


@dataclass(frozen=True, slots=True)
class Item:
    """One item: a query, its prompts, and what good replies look like."""

    type: Type
    #: As in the file: a string in the published data, but any JSON scalar is allowed.
    id: Any
    query: str
    #: Template → prompt; a profile item has one, under `PROFILE_PROMPT`.
    prompts: Mapping[str, str]
    #: What the prompts quote of earlier rounds; it is what is cut when a prompt is too long. "" for none.
    memory: str
    #: The tools of the prompts, as JSON objects with `name` and `parameters`.
    funcs: tuple[Any, ...]
    #: Goldens as the file has them: objects with thought, tool_name, tool_args, or with golden_result.
    goldens: tuple[Any, ...]
    #: Language of the query.
    lang: Lang
    #: The last task of the memory, for reflextion items.
    memory_last_task: Any = None
    #: The number of its line in its file, 1 for the first.
    line: int = 0
    #: The whole line, for what is copied into predictions.
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def key(self) -> tuple[Type, str]:
        """What it is called in logs and results: its type and its id as text."""
        return self.type, str(self.id)
