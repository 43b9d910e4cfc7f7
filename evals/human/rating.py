"""Rating, as raters see it: answers without names, in an order that is each rater's own."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Awaitable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from agent.language import Text, TextError
from evals.human.sets import HIGHEST, LOWEST, Answer, HumanSet, HumanStore, Question, Rater, Rating, SetGone, SetState

T = TypeVar("T")

#: Characters of a rater's name.
MOST_NAME: Final = 60

_NO_SET = Text("There is no such set of answers: reload the list.", "没有这组回答：请刷新列表。")
_NOT_OPEN = Text(
    "This set is not open for ratings: choose another one from the list.",
    "这组回答目前不接受评分：请从列表中另选一组。",
)
_NO_NAME = Text(
    "Say who you are: a name or a pseudonym of up to {most} characters.", "请填写姓名或代号，不超过 {most} 个字符。"
)
_TAKEN = Text(
    "Somebody already rates this set as “{name}”: choose another name, or go on in the browser where you began.",
    "已有人以“{name}”的名义评分：请换一个名字，或在开始评分的浏览器中继续。",
)
_STRANGER = Text("You do not rate this set yet: say who you are first.", "您还没有加入这组评分：请先填写姓名。")
_NO_ANSWER = Text("There is no such answer here: reload the page.", "这里没有这个回答：请刷新页面。")
_NO_VALUE = Text(
    "A rating is a whole number from {lowest} to {highest}.", "评分应为 {lowest} 到 {highest} 之间的整数。"
)


class RatingError(TextError):
    """What can't be done; `text` is one sentence for the rater."""


@dataclass(frozen=True, slots=True)
class Seat:
    """Who rates: a name, and what proves it. Keep the key where the rater began, and nowhere else."""

    name: str
    #: "" where access itself says who it is.
    key: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A set as raters see it in a list."""

    id: str
    name: str
    state: SetState
    questions: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one rater is, in questions."""

    #: Every answer to them is rated.
    done: int
    skipped: int
    total: int

    @property
    def left(self) -> int:
        return self.total - self.done - self.skipped


@dataclass(frozen=True, slots=True)
class Shown:
    """One answer as a rater sees it."""

    #: 1 for the first; what `rate` is told. Its place in this rater's order of this question's answers, no more.
    place: int
    text: str
    sources: tuple[str, ...]
    #: What the rater gave it; None for nothing yet.
    rating: int | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """One question with its answers."""

    #: 1 for the first in this rater's order of the questions.
    number: int
    question: str
    lang: str
    answers: tuple[Shown, ...]
    skipped: bool
    progress: Progress


class Raters:
    """What a page needs for rating. Nothing that it returns names a system or a model, or another rater.

    Raises `RatingError`, and what the store raises.
    """

    def __init__(self, store: HumanStore) -> None:
        self._store = store

    async def sets(self) -> Sequence[Listed]:
        """Sets that can be rated, the newest first."""
        return [_listed(one) for one in await self._store.sets() if one.state == "open"]

    async def join(self, set_id: str, name: str, key: str = "", *, known: bool = False, driver: bool = False) -> Seat:
        """Begin to rate, or go on: the seat that everything else here wants.

        `known`: access says who it is, so that no key is needed. Else whoever takes a name first gets a key, and the
        name is theirs in this set. `driver`: a test's program.
        """
        await self._open(set_id)
        name = " ".join(name.split())
        if not name or len(name) > MOST_NAME or not name.isprintable():
            raise RatingError(_NO_NAME, most=MOST_NAME)
        key = "" if known else key or secrets.token_urlsafe(24)
        found = await _guarded(self._store.join(set_id, Rater(name, _hash(key), driver)))
        if not secrets.compare_digest(found.key_hash, _hash(key)):
            raise RatingError(_TAKEN, name=name)
        return Seat(name, key)

    async def progress(self, set_id: str, seat: Seat) -> Progress:
        """How far the rater is."""
        table = await self._table(set_id, seat)
        return table.progress()

    async def sheet(self, set_id: str, seat: Seat, number: int | None = None) -> Sheet | None:
        """One question; without a number the first that is left, and None where none is."""
        table = await self._table(set_id, seat)
        if number is None:
            number = table.next()
        if number is None:
            return None
        answers = await self._store.answers(set_id, table.question(number).id)
        return table.sheet(number, {one.digest: one for one in answers if not one.error})

    async def rate(self, set_id: str, seat: Seat, number: int, place: int, value: int) -> None:
        """Rate one answer, or change its rating."""
        if not LOWEST <= value <= HIGHEST:
            raise RatingError(_NO_VALUE, lowest=LOWEST, highest=HIGHEST)
        table = await self._table(set_id, seat)
        rating = Rating(table.question(number).id, table.digest(number, place), seat.name, value)
        await _guarded(self._store.rate(set_id, [rating]))

    async def skip(self, set_id: str, seat: Seat, number: int) -> None:
        """Leave out what is not yet rated of a question; it may be rated later."""
        table = await self._table(set_id, seat)
        question = table.question(number).id
        skips = [Rating(question, digest, seat.name, None) for digest in table.unrated(number)]
        await _guarded(self._store.rate(set_id, skips))

    async def _open(self, set_id: str) -> HumanSet:
        found = await self._store.find(set_id)
        if found is None or found.id != set_id:
            raise RatingError(_NO_SET)
        if found.state != "open":
            raise RatingError(_NOT_OPEN)
        return found

    async def _table(self, set_id: str, seat: Seat) -> _Table:
        found = await self._open(set_id)
        known = {rater.name: rater for rater in await self._store.raters(set_id)}
        rater = known.get(seat.name)
        if rater is None or not secrets.compare_digest(rater.key_hash, _hash(seat.key)):
            raise RatingError(_STRANGER)
        questions, looks = await self._store.questions(set_id), await self._store.looks(set_id)
        return _Table(found.seed, seat.name, questions, looks, await self._store.ratings(set_id, seat.name))


class _Table:
    """A set as one rater has it before them."""

    def __init__(
        self,
        seed: str,
        rater: str,
        questions: Sequence[Question],
        looks: Mapping[str, Collection[str]],
        ratings: Iterable[Rating],
    ) -> None:
        kept = {one.id: one for one in questions if looks.get(one.id)}
        self._questions = [kept[id_] for id_ in order(seed, rater, "", kept)]
        self._orders = {id_: order(seed, rater, id_, looks[id_]) for id_ in kept}
        self._given = {(one.question, one.digest): one.value for one in ratings}

    def question(self, number: int) -> Question:
        if not 1 <= number <= len(self._questions):
            raise RatingError(_NO_ANSWER)
        return self._questions[number - 1]

    def digest(self, number: int, place: int) -> str:
        digests = self._orders[self.question(number).id]
        if not 1 <= place <= len(digests):
            raise RatingError(_NO_ANSWER)
        return digests[place - 1]

    def unrated(self, number: int) -> list[str]:
        id_ = self.question(number).id
        return [digest for digest in self._orders[id_] if self._given.get((id_, digest)) is None]

    def sheet(self, number: int, answers: Mapping[str, Answer]) -> Sheet:
        """`answers`: one for each digest of the question."""
        question = self.question(number)
        shown = tuple(
            Shown(place, answers[digest].text, answers[digest].sources, self._given.get((question.id, digest)))
            for place, digest in enumerate(self._orders[question.id], 1)
        )
        is_skipped = self._state(question.id) == "skipped"
        return Sheet(number, question.text, question.lang, shown, is_skipped, self.progress())

    def progress(self) -> Progress:
        states = [self._state(one.id) for one in self._questions]
        return Progress(states.count("done"), states.count("skipped"), len(states))

    def next(self) -> int | None:
        left = (number for number, one in enumerate(self._questions, 1) if self._state(one.id) == "left")
        return next(left, None)

    def _state(self, id_: str) -> str:
        keys = [(id_, digest) for digest in self._orders[id_]]
        if any(key not in self._given for key in keys):
            return "left"
        return "skipped" if any(self._given[key] is None for key in keys) else "done"


def order(seed: str, rater: str, scope: str, names: Iterable[str]) -> list[str]:
    """A random permutation for this rater and this scope (a question, or "" for the questions themselves).

    Sorted by a hash, which every version of Python gives alike, and which tells nothing without the seed.
    """
    return sorted(names, key=lambda name: hashlib.sha256(repr((seed, rater, scope, name)).encode()).digest())


async def _guarded(doing: Awaitable[T]) -> T:
    """Whatever was closed meanwhile is closed."""
    try:
        return await doing
    except SetGone:
        raise RatingError(_NOT_OPEN) from None


def _listed(one: HumanSet) -> Listed:
    return Listed(one.id, one.spec.name, one.state, one.questions)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode(errors="replace")).hexdigest() if key else ""
