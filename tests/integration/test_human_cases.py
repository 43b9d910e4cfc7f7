"""Bad answers of chats become cases of own suites, and go with what they copy; what people gave in chats, counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from agent.language import Lang
from bot.bench.cases import CaseError, Cases, forgetting
from bot.erasure import Erasure
from bot.messages import DIRECT, MENTION, Author
from bot.store import feedback
from bot.store.db import Store
from bot.store.tables import message
from evals.human import feedback as live
from evals.kagentbench.data import DataError
from evals.library import Library, LibraryError
from evals.suites import read_suite
from tests.support.clock import START
from tests.support.desk import ANN, Desk, say

BOB = Author("bob", "Bob")


class Chats:
    """Conversations with rated answers, and the suites beside them."""

    def __init__(self, store: Store, folder: Path, own: Sequence[str] = ()) -> None:
        self.desk = Desk(store)
        self.library = Library(folder / "data")
        self.cases = Cases(store, self.library, own)
        self.erasure = Erasure(store, self.desk.clock, self.desk.bell, self.desk.live, forgetting(self.cases))
        self._asked = 0

    async def bad(self, question: str, answer: str, *, by: Author = ANN, direct: bool = False) -> int:
        """An answer with a thumbs-down, in a conversation of its own; the turn's number."""
        self._asked += 1
        asked = say(question, f"m{self._asked}", key=f"c{self._asked}")
        await self.desk.inbox.receive(replace(asked, author=by, address=DIRECT if direct else MENTION))
        claimed = await self.desk.start(self._asked)
        await self.desk.end(claimed, answer=answer)
        turn_id = claimed.turn.id
        await self.rate(turn_id, "somebody", -1)
        return turn_id

    async def rate(self, turn_id: int, author: str, value: int, rating: int | None = None) -> None:
        await self.desk.store.write(lambda c: feedback.rate(c, turn_id, author, value, START, rating=rating))


@pytest.fixture
def chats(store: Store, tmp_path: Path) -> Chats:
    return Chats(store, tmp_path)


async def test_a_bad_answer_becomes_a_case_of_a_suite_that_can_be_run(chats: Chats) -> None:
    turn = await chats.bad("When did it end?", "In 1990.")
    assert [(one.turn_id, one.question, one.answer) for one in await chats.cases.disliked()] == [
        (turn, "When did it end?", "In 1990.")
    ]
    made = await chats.cases.make(turn, "chats", "the year is wrong")
    kept = chats.library.find("chats")
    assert kept is not None
    assert (kept.data.kind, kept.data.items) == ("suite", 1)
    (case,) = read_suite(kept.path)
    assert (case.id, case.query, case.raw["source"]) == (made.id, "When did it end?", {"turn": turn})
    with pytest.raises(DataError):
        await chats.cases.make(turn, "chats", "the year is wrong")


async def test_only_answers_with_a_thumbs_down_may_be_copied(chats: Chats) -> None:
    turn = await chats.bad("Why?", "Because.")
    await chats.rate(turn, "somebody", 1)
    assert await chats.cases.disliked() == []
    for number in (turn, 999):
        with pytest.raises(CaseError):
            await chats.cases.make(number, "chats")
    assert chats.library.find("chats") is None


async def test_direct_conversations_are_copied_only_where_they_are_the_operators_own(
    store: Store, tmp_path: Path
) -> None:
    chats = Chats(store, tmp_path)
    turn = await chats.bad("My salary?", "Too much.", direct=True)
    with pytest.raises(CaseError):
        await chats.cases.make(turn, "chats")
    own = Cases(store, chats.library, ("test",))
    assert (await own.make(turn, "chats")).query == "My salary?"


@pytest.mark.parametrize("name", ["sample", "../x", ""])
async def test_a_suite_has_the_name_of_a_data_set(chats: Chats, name: str) -> None:
    turn = await chats.bad("Why?", "Because.")
    with pytest.raises(LibraryError):
        await chats.cases.make(turn, name)


async def test_deleting_a_conversation_deletes_its_cases_and_no_others(chats: Chats) -> None:
    first, second = await chats.bad("Where is Ann?", "Here."), await chats.bad("Where is it?", "There.")
    for turn in (first, second):
        await chats.cases.make(turn, "chats")
    await chats.cases.make(first, "alone")
    await chats.erasure.conversation("test:c1", ANN)
    kept = chats.library.find("chats")
    assert kept is not None
    assert [case.query for case in read_suite(kept.path)] == ["Where is it?"]
    assert kept.data.items == 1
    assert chats.library.find("alone") is None
    assert "Where is Ann?" not in "".join(path.read_text() for path in kept.path.parent.glob("*.json*"))


async def test_forgetting_a_person_deletes_the_cases_of_what_they_have_said(chats: Chats) -> None:
    mine, theirs = await chats.bad("I am Bob", "No.", by=BOB), await chats.bad("I am Ann", "No.")
    for turn in (mine, theirs):
        await chats.cases.make(turn, "chats")
    await chats.erasure.person("test", "w", BOB)
    kept = chats.library.find("chats")
    assert kept is not None
    assert [case.query for case in read_suite(kept.path)] == ["I am Ann"]


async def test_a_message_that_its_author_deletes_takes_its_case_along(chats: Chats) -> None:
    turn = await chats.bad("My phone number?", "No.")
    await chats.cases.make(turn, "chats")
    assert await chats.cases.forget_erased() == 0
    emptied = update(message).where(message.c.turn_id == turn, message.c.role == "user").values(erased_at=START)
    await chats.desk.store.write(lambda c: c.execute(emptied))
    assert await chats.cases.forget_erased() == 1
    assert chats.library.find("chats") is None


async def test_what_people_gave_in_chats_is_a_table_of_its_own(chats: Chats) -> None:
    for number in range(6):
        turn = await chats.bad(f"Question {number}?", "Hm.")
        if number < 4:
            await chats.rate(turn, "other", 1, number + 2)
    given = await chats.desk.store.read(feedback.given)
    (row,) = live.rows_of(given)
    assert (row.system, row.model, row.thumbs, row.ratings) == ("", "", 10, 4)
    assert row.up is not None
    assert row.score is not None
    assert (row.up.value, row.score.value) == (0.4, 3.5)
    assert row.up.low is not None
    langs: tuple[Lang, ...] = ("en", "zh")
    said = [live.tables(live.rows_of(given), lang) for lang in langs]
    assert "DIFFERENT questions" in said[0]
    assert "不可比较" in said[1]
    assert "rating ≥ 4" in said[0]


def test_without_any_feedback_the_table_says_so() -> None:
    assert "Nobody" in live.tables((), "en")
