"""Ratings by people in both databases: what is kept, what is refused, and what raters get to see."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, replace

import pytest

from agent.clock import SystemClock
from bot.store.db import Store
from bot.store.human import DatabaseSets
from evals.human.rating import Raters, RatingError, Seat
from evals.human.sets import Answer, AnswerKey, HumanSet, Question, Rating, SetGone, SetSpec
from tests.support.rating import QUESTIONS, SPEC, answered


@pytest.fixture
def sets(store: Store) -> DatabaseSets:
    return DatabaseSets(store, SystemClock())


async def refused(raters: Raters, made: HumanSet, seat: Seat, word: str) -> None:
    with pytest.raises(RatingError) as caught:
        await raters.sheet(made.id, seat)
    assert word in caught.value.text.en


async def test_a_set_is_given_back_as_it_was_begun(sets: DatabaseSets) -> None:
    made = await sets.begin(SPEC, QUESTIONS)
    assert await sets.find(made.id) == made
    assert await sets.find(made.id[:5]) == made
    assert await sets.sets() == [made]
    assert await sets.questions(made.id) == list(QUESTIONS)
    assert await sets.find("") is None
    assert await sets.find("zz") is None


async def test_an_answer_takes_the_place_of_one_that_failed_and_of_no_other(sets: DatabaseSets) -> None:
    made = await sets.begin(SPEC, QUESTIONS)
    key = AnswerKey("q1", "noagent", "gpu")
    await sets.keep(made.id, Answer(key, error="timeout"))
    good = Answer(key, "Paris", ("https://a.example",), "", 1.5, 10, 2)
    await sets.keep(made.id, good)
    await sets.keep(made.id, Answer(key, "Lyon"))
    assert await sets.answers(made.id) == [good]
    assert await sets.answers(made.id, "q2") == []
    assert await sets.looks(made.id) == {"q1": {good.digest}}


async def test_steps_are_kept_until_their_answer_is_there(sets: DatabaseSets) -> None:
    made = await sets.begin(SPEC, QUESTIONS)
    key = AnswerKey("q1", "kuaiagent", "gpu")
    await sets.step(made.id, key, "plan/0", {"calls": []})
    assert [(k, s["plan/0"].result) for k, s in (await sets.steps(made.id)).items()] == [(key, {"calls": []})]
    await sets.keep(made.id, Answer(key, error="timeout"))
    assert key in await sets.steps(made.id)
    await sets.keep(made.id, Answer(key, "x"))
    assert await sets.steps(made.id) == {}


async def test_what_no_column_of_text_can_hold_is_left_out_of_an_answer(sets: DatabaseSets) -> None:
    made = await sets.begin(SPEC, QUESTIONS)
    await sets.keep(made.id, Answer(AnswerKey("q1", "noagent", "gpu"), "a\0b\ud800c"))
    (found,) = await sets.answers(made.id)
    assert found.text == "abc"
    assert await sets.looks(made.id) == {"q1": {found.digest}}


async def test_a_set_takes_answers_only_before_it_is_open_and_ratings_only_then(sets: DatabaseSets) -> None:
    made = await answered(sets)
    with pytest.raises(SetGone):
        await sets.keep(made.id, Answer(AnswerKey("q1", "noagent", "gpu"), "late"))
    rating = Rating("q1", "d", "ann", 3)
    await sets.rate(made.id, [rating])
    with pytest.raises(SetGone):
        await sets.move(made.id, "answering")
    await sets.move(made.id, "closed")
    with pytest.raises(SetGone):
        await sets.rate(made.id, [rating])
    assert await sets.ratings(made.id) == [rating]
    found = await sets.find(made.id)
    assert found is not None
    assert found.closed_at is not None


async def test_a_deleted_set_leaves_nothing(sets: DatabaseSets) -> None:
    made = await answered(sets)
    await Raters(sets).join(made.id, "ann")
    assert await sets.delete(made.id)
    assert not await sets.delete(made.id)
    assert await sets.find(made.id) is None
    assert (await sets.answers(made.id), await sets.raters(made.id), await sets.questions(made.id)) == ([], [], [])


async def test_a_rater_goes_through_a_set_changes_a_rating_and_skips(sets: DatabaseSets) -> None:
    made = await answered(sets)
    raters = Raters(sets)
    seat = await raters.join(made.id, "ann")
    first = await raters.sheet(made.id, seat)
    assert first is not None
    assert (first.number, first.progress.total, len(first.answers)) == (1, 2, 3)
    for one in first.answers:
        await raters.rate(made.id, seat, 1, one.place, 2)
    await raters.rate(made.id, seat, 1, 3, 5)
    again = await raters.sheet(made.id, seat, 1)
    assert again is not None
    assert [(one.place, one.text, one.rating) for one in again.answers] == [
        (one.place, one.text, 5 if one.place == 3 else 2) for one in first.answers
    ]
    second = await raters.sheet(made.id, seat)
    assert second is not None
    assert second.number == 2
    await raters.rate(made.id, seat, 2, 1, 4)
    await raters.skip(made.id, seat, 2)
    assert await raters.sheet(made.id, seat) is None
    skipped = await raters.sheet(made.id, seat, 2)
    assert skipped is not None
    assert skipped.skipped
    assert skipped.answers[0].rating == 4
    progress = await raters.progress(made.id, seat)
    assert (progress.done, progress.skipped, progress.left) == (1, 1, 0)


async def test_answers_that_look_the_same_are_shown_and_rated_once(sets: DatabaseSets) -> None:
    made = await answered(sets, {("q1", "noagent", "gpu"): "Same", ("q1", "router", "gpu"): " Same\n"})
    raters = Raters(sets)
    seat = await raters.join(made.id, "ann")
    sheets = [await raters.sheet(made.id, seat, number) for number in (1, 2)]
    assert [len(one.answers) for one in sheets if one is not None and one.question == QUESTIONS[0].text] == [2]


async def test_answers_that_never_came_are_not_shown(sets: DatabaseSets) -> None:
    made = await sets.begin(SPEC, QUESTIONS)
    await sets.keep(made.id, Answer(AnswerKey("q1", "noagent", "gpu"), "Paris"))
    await sets.keep(made.id, Answer(AnswerKey("q1", "router", "gpu"), error="timeout"))
    await sets.keep(made.id, Answer(AnswerKey("q2", "noagent", "gpu"), error="timeout"))
    await sets.move(made.id, "open")
    raters = Raters(sets)
    seat = await raters.join(made.id, "ann")
    sheet = await raters.sheet(made.id, seat)
    assert sheet is not None
    assert ([one.text for one in sheet.answers], sheet.progress.total) == (["Paris"], 1)


async def test_nothing_that_raters_see_names_a_system_a_model_or_another_rater(sets: DatabaseSets) -> None:
    spec = replace(SPEC, models=("secret-model",), systems=("noagent", "kuaiagent", "router"))
    made = await sets.begin(spec, QUESTIONS)
    for number, system in enumerate(spec.systems):
        await sets.keep(made.id, Answer(AnswerKey("q1", system, "secret-model"), f"Answer {number}"))
    await sets.move(made.id, "open")
    raters = Raters(sets)
    seats = [await raters.join(made.id, name) for name in ("ann", "bea")]
    seen = [asdict(one) for one in await raters.sets()]
    for seat in seats:
        sheet = await raters.sheet(made.id, seat)
        assert sheet is not None
        await raters.rate(made.id, seat, 1, 1, 5)
        seen.append(asdict(sheet))
    said = json.dumps(seen)
    assert [word for word in (*spec.systems, "secret-model", "ann", "bea", made.seed) if word in said] == []
    other = await raters.sheet(made.id, seats[1], 1)
    assert other is not None
    assert [one.rating for one in other.answers] == [5, None, None]


async def test_raters_have_orders_of_their_own_that_stay(sets: DatabaseSets) -> None:
    questions = tuple(Question(f"q{n}", f"Question {n}?", "en") for n in range(6))
    made = await sets.begin(SPEC, questions)
    for one in questions:
        for place in range(4):
            await sets.keep(made.id, Answer(AnswerKey(one.id, f"s{place}", "gpu"), f"{one.id} answer {place}"))
    await sets.move(made.id, "open")
    raters = Raters(sets)
    orders = []
    for name in ("ann", "bea", "ann"):
        seat = await raters.join(made.id, name, known=True)
        sheets = [await raters.sheet(made.id, seat, number) for number in range(1, 7)]
        orders.append([[shown.text for shown in sheet.answers] for sheet in sheets if sheet is not None])
    assert orders[0] == orders[2]
    assert orders[0] != orders[1]
    assert sorted(map(sorted, orders[0])) == sorted(map(sorted, orders[1]))


async def test_a_name_belongs_to_whoever_took_it_first(sets: DatabaseSets) -> None:
    made = await answered(sets)
    raters = Raters(sets)
    seat = await raters.join(made.id, " Ann  B ")
    assert seat.name == "Ann B"
    assert await raters.join(made.id, "Ann B", seat.key) == seat
    for key in ("", "wrong"):
        with pytest.raises(RatingError):
            await raters.join(made.id, "Ann B", key)
        await refused(raters, made, Seat("Ann B", key), "say who you are first")
    with pytest.raises(RatingError):
        await raters.join(made.id, "Ann B", known=True)


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\x00b", "a\u202eb"])
async def test_a_name_is_something_that_can_be_read(sets: DatabaseSets, name: str) -> None:
    made = await answered(sets)
    with pytest.raises(RatingError):
        await Raters(sets).join(made.id, name)


async def test_ratings_that_are_none_are_refused(sets: DatabaseSets) -> None:
    made = await answered(sets)
    raters = Raters(sets)
    seat = await raters.join(made.id, "ann")
    for number, place, value in ((1, 1, 0), (1, 1, 6), (0, 1, 3), (3, 1, 3), (1, 4, 3), (1, 0, 3)):
        with pytest.raises(RatingError):
            await raters.rate(made.id, seat, number, place, value)
    assert await sets.ratings(made.id) == []


async def test_a_closed_set_is_rated_no_more(sets: DatabaseSets) -> None:
    made = await answered(sets)
    raters = Raters(sets)
    seat = await raters.join(made.id, "ann")
    await sets.move(made.id, "closed")
    await refused(raters, made, seat, "not open")
    assert await raters.sets() == []


async def test_raters_at_the_same_time_lose_nothing(sets: DatabaseSets) -> None:
    made = await answered(sets)
    raters = Raters(sets)
    seats = await asyncio.gather(*(raters.join(made.id, f"r{n}") for n in range(6)))
    await asyncio.gather(
        *(raters.rate(made.id, seat, number, 1, 3) for seat in seats for number in (1, 2)),
        sets.join(made.id, (await sets.raters(made.id))[0]),
    )
    assert len(await sets.ratings(made.id)) == 12
    spec = await sets.find(made.id)
    assert spec is not None
    assert isinstance(spec.spec, SetSpec)
