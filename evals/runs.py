"""A run of a benchmark: what is asked of which model, every reply, and where both are kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from agent.journal import Json
from agent.language import Lang

#: `sample`: the one that comes with the package. `official`: any file in the published format. `suite`: one's own.
DataKind = Literal["official", "sample", "suite"]
#: What becomes of a model's thinking: taken out (`strip`), asked not to happen (`off`), or left in the reply (`keep`).
ReasoningMode = Literal["strip", "off", "keep"]
RunState = Literal["running", "done", "cancelled", "failed"]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a model writes. The defaults are those of the published inference scripts."""

    temperature: float = 0.1
    top_p: float = 0.75
    top_k: int = 40
    #: Tokens of a reply.
    max_tokens: int = 520
    #: For servers that take one; None sends none.
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class DataSet:
    """A file of items."""

    #: For people: a file's name, or `sample`.
    name: str
    kind: DataKind
    #: Of the file's bytes, hexadecimal.
    sha256: str
    #: Items in the whole file.
    items: int


@dataclass(frozen=True, slots=True)
class RunSpec:
    """All that decides which replies a run has."""

    data: DataSet
    #: The endpoint or model that was asked for, as the operator calls it.
    model: str
    #: Only these; () for all.
    types: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    langs: tuple[Lang, ...] = ()
    #: At most so many items, drawn evenly from types and languages with `seed`; None for all.
    limit: int | None = None
    seed: int = 0
    #: `plain` sends the prompt as a user's message; `qwen` and `baichuan2` are the published scripts' forms.
    preset: Literal["plain", "qwen", "baichuan2"] = "plain"
    sampling: Sampling = Sampling()
    #: Whether replies are held to a JSON Schema where the template is JSON.
    constrained: bool = False
    reasoning: ReasoningMode = "strip"
    #: Tokens for reasoning on top of those of the reply.
    reasoning_tokens: int = 2048
    #: How often everything is asked.
    repeats: int = 1
    #: Of a suite: the endpoint or model that judges; "" for none.
    judge: str = ""
    #: Whether everything is asked anew, although earlier runs may have asked the very same.
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class PredictionKey:
    """What a reply replies to. Two with the same digest are interchangeable but for their item."""

    type: str
    #: The item's id as text.
    item: str
    template: str
    #: SHA-256 of the prompt as it was sent, after cutting, hexadecimal.
    prompt: str
    model: str
    #: Everything else that shapes the reply: preset, sampling, reasoning, constraint.
    how: str
    #: 0 for the first time that it is asked.
    repeat: int = 0
    #: What the reply depends on besides: which server, with which settings. A name tells little of a model: another
    #: server may have it with fewer bits. It is no part of a place in a run, because a server may move meanwhile.
    server: str = field(default="", compare=False)

    @property
    def digest(self) -> str:
        """Names the call whatever item it is for: the key of the response cache."""
        parts = [self.prompt, self.model, self.how, self.repeat, self.server]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Prediction:
    """One reply as it is kept."""

    key: PredictionKey
    #: "" when the model failed for good; `error` says how.
    text: str
    #: What the model thought, where that is known; "" else.
    reasoning: str = ""
    finish_reason: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    #: From the call to its end, the wait for a slot not counted.
    seconds: float = 0.0
    #: The fault of `agent.llm.chat.ModelFault` that it ended with after all tries; "" for a reply.
    error: str = ""
    #: Whether it was taken from an earlier run.
    cached: bool = False
    #: Tokens that were cut from the prompt to make it fit.
    cut_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it is kept."""

    id: str
    spec: RunSpec
    state: RunState
    #: UTC.
    started_at: datetime
    finished_at: datetime | None = None
    #: What would have to be the same for the same numbers: hashes, versions, the model's own name.
    manifest: Mapping[str, Any] = field(default_factory=dict)
    #: `evals.report.summary.summary_of` its evaluation; None until it is over.
    summary: Json = None
    #: Why it failed, for people; "" else.
    error: str = ""


class RunStore(Protocol):
    """Where runs are kept: files for the script, the database for the server."""

    async def begin(self, spec: RunSpec, manifest: Mapping[str, Any]) -> Run:
        """A new run, durable on return."""

    async def find(self, run_id: str) -> Run | None:
        """The run with this id, or the only one whose id begins so; None for none, and for several."""

    async def runs(self, most: int = 50) -> Sequence[Run]:
        """The newest runs, newest first."""

    async def add(self, run_id: str, predictions: Sequence[Prediction]) -> None:
        """Append replies; durable on return. Raises what ends a run: no room on the disk, a run that is not ours."""

    async def predictions(self, run_id: str) -> Sequence[Prediction]:
        """All replies of a run, in the order in which they came."""

    async def cached(self, digests: Sequence[str]) -> Mapping[str, Prediction]:
        """Replies of earlier runs by `PredictionKey.digest`, errors left out."""

    async def end(self, run_id: str, state: RunState, summary: Json = None, error: str = "") -> None:
        """The run is over."""


def spec_json(spec: RunSpec) -> dict[str, Any]:
    """A spec as JSON."""
    return asdict(spec)


def spec_of(found: Mapping[str, Any]) -> RunSpec:
    """The spec that `spec_json` wrote; what a newer version added is as by default."""
    fields = dict(found)
    fields["data"] = DataSet(**found["data"])
    fields["sampling"] = Sampling(**found["sampling"])
    for name in ("types", "templates", "langs"):
        fields[name] = tuple(found.get(name, ()))
    return RunSpec(**fields)
