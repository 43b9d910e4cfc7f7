"""The shapes of ratings by people: what raters see names no system and no model; what operators see does."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from evals.human.rating import MOST_NAME
from evals.human.sets import HIGHEST, LOWEST, SetState


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class _Response(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class RatingSet(_Response):
    """A set of answers that can be rated."""

    id: str
    name: str
    questions: int


class RatingSets(_Response):
    """Those that are open, the newest first."""

    sets: list[RatingSet]


class TakeSeat(_Request):
    """Who begins to rate, or goes on."""

    name: Annotated[str, StringConstraints(max_length=4 * MOST_NAME)]
    key: Annotated[str, StringConstraints(max_length=200)] = Field("", description="of who goes on")
    driver: bool = Field(False, description="whether a program rates: tables of its ratings say so")


class Seat(_Response):
    """Keep both where the rater began: they prove who it is."""

    name: str
    key: str


class _Seated(_Request):
    name: Annotated[str, StringConstraints(max_length=4 * MOST_NAME)]
    key: Annotated[str, StringConstraints(max_length=200)]


class WantSheet(_Seated):
    """Which question; null for the first that is left."""

    number: int | None = Field(None, ge=1, le=1_000_000)


class GiveRating(_Seated):
    """A rating of one answer."""

    number: int = Field(ge=1, le=1_000_000)
    place: int = Field(ge=1, le=1_000)
    value: int = Field(ge=LOWEST, le=HIGHEST)


class SkipQuestion(_Seated):
    """Leave out what is not yet rated of a question."""

    number: int = Field(ge=1, le=1_000_000)


class RatingProgress(_Response):
    """How far this rater is, in questions."""

    done: int
    skipped: int
    total: int


class RatedAnswer(_Response):
    """One answer, in this rater's own order."""

    place: int
    html: str = Field(description="safe to insert")
    sources: list[str]
    rating: int | None


class RatingSheet(_Response):
    """One question with its answers."""

    number: int | None = Field(description="null: nothing is left to be rated")
    question: str
    lang: str
    answers: list[RatedAnswer]
    skipped: bool
    progress: RatingProgress


class HumanSet(_Response):
    """A set as operators see it."""

    id: str
    name: str
    state: SetState
    questions: int
    systems: list[str]
    models: list[str]
    raters: int
    created_at: datetime
    closed_at: datetime | None


class HumanSets(_Response):
    """All sets, the newest first, and what people said of answers in chats."""

    sets: list[HumanSet]
    feedback: str = Field(description="a table of other questions than those of the sets, safe to insert")


class HumanReport(_Response):
    """What came out of a closed set."""

    name: str
    html: str = Field(description="safe to insert")


class DislikedAnswer(_Response):
    """An answer that somebody gave a thumbs-down."""

    turn_id: int
    question: str
    html: str = Field(description="the answer, safe to insert")
    system: str
    model: str
    asked_at: datetime


class DislikedAnswers(_Response):
    """The newest, and the suites that they can go into."""

    answers: list[DislikedAnswer]
    suites: list[str]


class MakeCase(_Request):
    """Copy a question and its bad answer into a suite, which is made where there is none."""

    suite: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    note: Annotated[str, StringConstraints(max_length=2_000)] = Field("", description="what was wrong, for the judge")


class MadeCase(_Response):
    """The case is in the suite."""

    id: str
