"""A set of answers to be rated: its parts, and what keeps them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, Protocol

from agent.journal import Json, Recalled
from agent.language import Lang

#: A set's life: its answers are being made; they are rated; nobody rates any more and the result may be seen.
SetState = Literal["answering", "open", "closed"]
#: From the worst to the best.
LOWEST: Final = 1
HIGHEST: Final = 5
#: A rating from which on an answer counts as passed, unless somebody wants it otherwise.
PASS: Final = 4


class SetGone(LookupError):
    """The set does not exist, or is in a state in which this can't be done."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question that everybody answers."""

    #: Its own id in the file; unique in its set.
    id: str
    text: str
    lang: Lang
    #: The number of its line, 1 for the first.
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class SetSpec:
    """What is answered by whom, and how."""

    #: For people; raters see it, so it should tell nothing of who answers.
    name: str
    #: SHA-256 of the questions file.
    questions_sha256: str
    #: Agent systems by the names of the registry.
    systems: tuple[str, ...]
    #: Models as the operator calls them.
    models: tuple[str, ...]
    #: What every answer takes for "now": aware, in ISO form.
    now: str
    #: What else may explain the answers later: tools, network, versions.
    manifest: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class HumanSet:
    """A set as it is kept."""

    #: Short; fit for a URL, and to be typed.
    id: str
    spec: SetSpec
    state: SetState
    #: What every rater's order is made from.
    seed: str
    questions: int
    created_at: datetime
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """Whose answer to which question."""

    question: str
    system: str
    model: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as people will see it, or why there is none."""

    key: AnswerKey
    text: str = ""
    #: Addresses that it rests on, as numbered.
    sources: tuple[str, ...] = ()
    #: A fault (`agent.llm.chat.ModelFault`) for an answer that never came; "" for one that did.
    error: str = ""
    seconds: float = 0.0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None

    @property
    def digest(self) -> str:
        """Equal for answers that look the same to a rater: they are shown once, and rated once for all."""
        shown = "\0".join((" ".join(self.text.split()), *self.sources))
        return hashlib.sha256(shown.encode(errors="surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Rating:
    """What one rater says of all answers that look like this."""

    question: str
    digest: str
    rater: str
    #: From `LOWEST` to `HIGHEST`; None where the rater skipped it.
    value: int | None


@dataclass(frozen=True, slots=True)
class Rater:
    """Somebody who rates a set."""

    name: str
    #: A hash of the key that says it is them (`evals.human.rating`); "" where access itself says who it is.
    key_hash: str = ""
    #: A test's program, not a person: tables of such ratings say so.
    driver: bool = False


class HumanStore(Protocol):
    """Keeps sets, their answers and ratings. Raises whatever the implementation raises when it can't.

    Many processes use it at the same time: raters at a server, a script that answers.
    """

    async def begin(self, spec: SetSpec, questions: Sequence[Question]) -> HumanSet:
        """Make a set, durable when this returns. Its state is `answering`."""

    async def find(self, set_id: str) -> HumanSet | None:
        """The set with this id, or the only one whose id begins so."""

    async def sets(self, most: int = 50) -> Sequence[HumanSet]:
        """The newest sets first."""

    async def questions(self, set_id: str) -> Sequence[Question]:
        """In the order of the file."""

    async def answers(self, set_id: str, question: str | None = None) -> Sequence[Answer]:
        """All answers, or those to one question; nothing is said of their order."""

    async def looks(self, set_id: str) -> Mapping[str, Collection[str]]:
        """Question → the digests of its answers; those that never came have none."""

    async def keep(self, set_id: str, answer: Answer) -> None:
        """Keep an answer in place of one that failed; its steps are forgotten. One that is there stays.

        Raises `SetGone` unless the set is `answering`.
        """

    async def steps(self, set_id: str) -> Mapping[AnswerKey, Mapping[str, Recalled]]:
        """The finished steps of answers that are not there yet."""

    async def step(self, set_id: str, key: AnswerKey, name: str, result: Json) -> None:
        """Keep a finished step, durable when this returns."""

    async def move(self, set_id: str, state: SetState) -> None:
        """Open, close, or go back to answering. Raises `SetGone` where there is no such set, and for going back to
        answering where somebody has rated."""

    async def delete(self, set_id: str) -> bool:
        """Forget a set with everything in it; False if there is none."""

    async def join(self, set_id: str, rater: Rater) -> Rater:
        """Somebody rates a set; whoever has this name there already is given back, unchanged.

        Raises `SetGone` unless the set is `open`.
        """

    async def raters(self, set_id: str) -> Sequence[Rater]:
        """Everybody who rates or has rated, in the order in which they came."""

    async def rate(self, set_id: str, ratings: Sequence[Rating]) -> None:
        """Keep ratings, in place of what the same rater said of the same answers. Raises `SetGone` unless `open`."""

    async def ratings(self, set_id: str, rater: str | None = None) -> Sequence[Rating]:
        """All ratings, or one rater's."""


def spec_json(spec: SetSpec) -> dict[str, Any]:
    """A spec as JSON."""
    return asdict(spec)


def spec_of(found: Mapping[str, Any]) -> SetSpec:
    """The spec that `spec_json` was given; names that this version doesn't know are left out."""
    known = {name: found[name] for name in SetSpec.__dataclass_fields__ if name in found}
    for name in ("systems", "models"):
        known[name] = tuple(known[name])
    return SetSpec(**known)
