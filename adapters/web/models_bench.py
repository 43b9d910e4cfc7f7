"""The shapes of what the page is told of benchmarks, and tells the server."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from agent.language import Lang
from evals.kagentbench.items import Type
from evals.runs import DataKind, ReasoningMode

RunId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}$")]
_Name = Annotated[str, StringConstraints(max_length=200)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class _Response(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class LanguageQuery(_Request):
    """In which language a file or a picture is wanted; by default that of `Accept-Language`."""

    lang: Lang | None = None


class BenchRunsQuery(_Request):
    """Which page of the list."""

    limit: int = Field(30, ge=1, le=100)
    before: int | None = Field(None, ge=1, lt=1 << 63, description="`next` of the page before")


class BenchProgress(_Response):
    """How far a run is."""

    done: int
    total: int = Field(description="0 while it waits for its turn")
    cached: int = Field(description="replies that were taken over from earlier runs")
    failed: int
    rate: float = Field(description="replies per second")
    left: float | None = Field(description="seconds; null while nobody knows")
    scoring: bool = Field(description="whether all replies are there, and are being scored or judged")
    scores: dict[str, float | None] = Field(description="so far, 0 to 1, of the items that are complete")
    scored: int = Field(description="items that these scores are of")


class BenchRun(_Response):
    """A run of a benchmark."""

    number: int
    id: str
    state: Literal["running", "done", "cancelled", "failed", "lost"] = Field(
        description="lost: it has no result, and nobody works on it"
    )
    model: str
    data: str
    data_sha256: str
    suite: bool = Field(description="whether it is an own suite, which has a pass rate instead of scores and charts")
    items: int = Field(description="items that it asks about at most")
    options: str = Field(description="as they are typed in a chat; empty for the usual ones")
    mark: str = Field(description="why it can't stand beside the published rows; empty where it can")
    line: str = Field(description="the published line with its mark; empty until it is done")
    overall: float | None = Field(description="0 to 1")
    error: str
    started_at: datetime
    finished_at: datetime | None
    platform: str = Field(description="where it was asked for")
    author: str = Field(description="who asked for it; empty for a schedule or a program")
    progress: BenchProgress | None = Field(description="of a run that goes on")


class BenchRuns(_Response):
    """One page of the runs, the newest first."""

    runs: list[BenchRun]
    next: int | None


class BenchOrder(_Request):
    """What is to be run. Empty values are for whatever is usual."""

    model: _Name = ""
    data: _Name = ""
    types: list[Type] = Field([], max_length=4)
    templates: list[Annotated[str, StringConstraints(max_length=60)]] = Field([], max_length=40)
    langs: list[Lang] = Field([], max_length=2)
    limit: int | None = Field(None, ge=1, le=1_000_000)
    seed: int = Field(0, ge=0, lt=1 << 31)
    preset: Literal["plain", "qwen", "baichuan2"] = "plain"
    repeats: int = Field(1, ge=1, le=20)
    reasoning: ReasoningMode = "strip"
    constrained: bool = False
    judge: _Name = Field("", description="of an own suite: the endpoint or model that judges")


class BenchModel(_Response):
    """A model that can be measured."""

    name: str = Field(description="of its endpoint")
    model: str
    state: Literal["ok", "degraded", "starting", "down"]


class BenchData(_Response):
    """A data set."""

    name: str
    kind: DataKind
    items: int
    sha256: str
    types: dict[str, int]
    langs: dict[str, int]
    templates: dict[str, int]
    imported_at: datetime | None


class BenchChoices(_Response):
    """What a run may be begun with."""

    models: list[BenchModel]
    data: list[BenchData]


class BenchReport(_Response):
    """A run and its numbers."""

    run: BenchRun
    html: str = Field(description="tables and notes, safe to insert; empty without a result")
    manifest: str
    earlier: str = Field(description="the run that it is best compared with; empty for none")


class BenchItemsQuery(_Request):
    """Which items of a run, and which page of them."""

    type: str = Field("", max_length=40)
    template: str = Field("", max_length=60)
    lang: str = Field("", max_length=8)
    show: Literal["", "unreadable", "wrong", "raised"] = ""
    order: Literal["", "worst", "best"] = ""
    q: str = Field("", max_length=200, description="in the query or the id")
    start: int = Field(0, ge=0, le=10_000_000)
    limit: int = Field(30, ge=1, le=100)


class BenchItem(_Response):
    """An item in a list."""

    place: int
    type: str
    id: str
    query: str
    lang: str
    score: float = Field(description="0 to 1; of one template, where one was asked for")
    unreadable: bool
    wrong: bool = Field(description="whether a reply has a tool that no golden has")
    raised: bool = Field(description="whether the published scorer would end here")


class BenchItems(_Response):
    """One page of a run's items."""

    items: list[BenchItem]
    found: int
    all: int
    templates: list[str]


class BenchReply(_Response):
    """What a model made of one prompt. Texts are somebody else's."""

    template: str
    prompt: str
    reply: str | None = Field(description="null where there is none")
    parsed: list[str] | None = Field(description="thought, tool and arguments, where they are read")
    scores: list[float | None]
    raises: str


class BenchItemTexts(_Response):
    """An item with all its texts, which are somebody else's and have no form."""

    item: BenchItem
    query: str
    line: int
    raises: str
    metrics: list[str] = Field(description="of which `scores` are")
    goldens: list[list[list[str]]] = Field(description="of each its parts: name and text")
    more: int = Field(description="goldens beyond these")
    replies: list[BenchReply]


class BenchCompareQuery(_Request):
    """Two runs, the earlier one first."""

    a: RunId
    b: RunId


class BenchTables(_Response):
    """Tables and words."""

    html: str = Field(description="safe to insert; empty where there is nothing")


class BenchBoardQuery(_Request):
    """Over which data."""

    data: str = Field(pattern=r"^[0-9a-f]{64}$", description="the SHA-256 of the data set")


class BenchSchedule(_Response):
    """What is measured every week."""

    id: int
    model: str
    options: str
    next_at: datetime
    platform: str = Field(description="where it is reported")


class BenchSchedules(_Response):
    """All of it, the next first."""

    schedules: list[BenchSchedule]


class BenchBegun(_Response):
    """A run has begun."""

    id: str
