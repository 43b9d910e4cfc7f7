"""What a press does, whatever the platform: on a store, with people of every kind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.chat import actions, texts
from adapters.chat.actions import Pressed, pressed, value_of
from adapters.chat.presses import Press, Presses
from agent.journal import Parked
from agent.language import Text
from bot.journal import TurnJournal
from bot.messages import Author
from bot.store.db import Store
from bot.store.tables import feedback
from bot.store.traces import Trace
from tests.support.desk import ANN, Desk, say, target
from tests.support.orders import ADMIN, GUEST, MEMBER, OPERATOR, Orders

KEY = "consent/0/0"
ALL = (actions.STOP, actions.RETRY, actions.ALLOW, actions.DENY, actions.FEEDBACK, actions.RATE)


class Scene:
    """A turn, and presses on its answer."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.desk = Desk(store)
        access = {"deny_users": ("test:gone",)}
        self.orders = Orders(store, self.desk.clock, self.desk.bell, self.desk.live, folder, access=access)
        self.presses = Presses(self.desk.control, store, self.orders.people, serves=self.orders.limits)

    async def press(
        self, action: str, detail: str = "", by: Author = ANN, *, turn_id: int = 1, channel: str = "ch"
    ) -> str | Text | None:
        return await self.presses.obey(action, pressed(value_of(turn_id, detail)), press(by, channel))

    async def asked(self) -> None:
        """A turn that waits."""
        await self.desk.inbox.receive(say("write", "m1"))

    async def failed(self) -> None:
        """A turn whose answer failed."""
        await self.asked()
        await self.desk.end(await self.desk.start(), "failed", None)

    async def waiting(self) -> None:
        """A turn that wants to know whether it may write."""
        await self.asked()
        claimed = await self.desk.start()
        with pytest.raises(Parked):
            await TurnJournal(self.desk.fence(claimed), claimed.steps).consent(KEY, "send_mail", {"to": "bob"})
        assert await self.desk.park(claimed, self.desk.clock.now() + timedelta(hours=1))


def press(by: Author = ANN, channel: str = "ch") -> Press:
    return Press(by, replace(target(), channel=channel), "en")


@pytest.fixture
async def scene(sqlite_store: Store, tmp_path: Path) -> AsyncIterator[Scene]:
    made = Scene(sqlite_store, tmp_path)
    yield made
    await made.orders.close()


def test_a_value_is_read_as_it_was_written() -> None:
    assert pressed(value_of(7)) == Pressed(7)
    assert pressed(value_of(7, KEY)) == Pressed(7, KEY)
    assert pressed(value_of(7, -1)) == Pressed(7, "-1")


@pytest.mark.parametrize("value", ["", "x", "-1", "1.5", "٣", "9" * 19, ":1"])
def test_a_value_that_is_none_of_ours_is_nothing(value: str) -> None:
    assert pressed(value) is None


async def test_everything_that_can_be_obeyed_is_listed(scene: Scene) -> None:
    assert set(scene.presses.actions) == set(ALL)


async def test_stop_ends_the_turn_and_says_nothing_more(scene: Scene) -> None:
    await scene.asked()
    assert await scene.press(actions.STOP) is None
    assert (await scene.desk.start()).turn.end_as == "stopped"


async def test_stop_after_the_end_says_that_it_is_over(scene: Scene) -> None:
    await scene.failed()
    assert await scene.press(actions.STOP) == texts.OVER


async def test_retry_queues_a_turn_once(scene: Scene) -> None:
    await scene.failed()
    assert await scene.press(actions.RETRY) is None
    assert await scene.press(actions.RETRY) == texts.NOT_RETRYABLE
    assert len(await scene.desk.turns()) == 2


@pytest.mark.parametrize("who", [ANN, ADMIN, OPERATOR])
async def test_whoever_asked_or_an_admin_decides(scene: Scene, who: Author) -> None:
    await scene.waiting()
    assert await scene.press(actions.ALLOW, KEY, who) is None
    assert await scene.desk.states() == ["queued"]


@pytest.mark.parametrize("who", [MEMBER, GUEST, Author("unknown"), Author("ext", kind="external")])
async def test_nobody_else_decides(scene: Scene, who: Author) -> None:
    await scene.waiting()
    assert await scene.press(actions.ALLOW, KEY, who) == texts.NOT_YOURS
    assert await scene.press(actions.DENY, KEY, who) == texts.NOT_YOURS
    assert await scene.desk.states() == ["waiting"]


async def test_a_decision_stands(scene: Scene) -> None:
    await scene.waiting()
    assert await scene.press(actions.DENY, KEY) is None
    assert await scene.press(actions.ALLOW, KEY) == texts.DECIDED


async def test_a_late_press_on_an_old_question_decides_nothing_newer(scene: Scene) -> None:
    await scene.waiting()
    assert await scene.press(actions.ALLOW, "consent/0/1") == texts.DECIDED
    assert await scene.desk.states() == ["waiting"]


async def test_ratings_are_kept_and_taken_back(scene: Scene) -> None:
    await scene.failed()
    assert await scene.press(actions.FEEDBACK, "1") == texts.THANKS
    assert await scene.press(actions.RATE, "4") == texts.RATED.say("en", rating=4)
    stored = await scene.desk.store.read(lambda c: c.execute(feedback.select()).all())
    assert [(row.author_id, row.value, row.rating) for row in stored] == [("ann", 1, 4)]


@pytest.mark.parametrize("detail", ["", "0", "6", "45", "x"])
async def test_a_rating_that_there_is_not_is_nothing(scene: Scene, detail: str) -> None:
    await scene.failed()
    assert await scene.press(actions.RATE, detail) is None
    assert await scene.desk.store.read(lambda c: c.execute(feedback.select()).all()) == []


@pytest.mark.parametrize("action", ALL)
async def test_a_press_from_elsewhere_is_not_obeyed(scene: Scene, action: str) -> None:
    await scene.waiting()
    assert await scene.press(action, KEY, channel="other") == texts.NOT_HERE
    assert await scene.desk.states() == ["waiting"]


@pytest.mark.parametrize("action", ALL)
async def test_a_press_on_a_turn_that_there_is_not_is_not_obeyed(scene: Scene, action: str) -> None:
    assert await scene.press(action, "1", turn_id=99) == texts.NOT_HERE


async def test_a_value_or_an_action_of_nobody_is_answered(scene: Scene) -> None:
    await scene.asked()
    assert await scene.presses.obey(actions.STOP, None, press()) == texts.NOT_HERE
    assert await scene.press("kagent.unknown") == texts.NOT_HERE


@pytest.mark.parametrize("action", ALL)
async def test_who_is_not_served_presses_nothing(scene: Scene, action: str) -> None:
    await scene.waiting()
    said = await scene.press(action, KEY, Author("gone"))
    assert isinstance(said, str)
    assert said != texts.NOT_HERE.en
    assert await scene.desk.states() == ["waiting"]


async def test_steps_open_where_the_conversation_is(scene: Scene) -> None:
    await scene.failed()
    found = await scene.presses.steps(Pressed(1), press())
    assert isinstance(found, Trace)
    assert found.state == "failed"


async def test_steps_open_nowhere_else_and_for_nobody_who_is_not_served(scene: Scene) -> None:
    await scene.failed()
    assert await scene.presses.steps(Pressed(1), press(channel="other")) == texts.NOT_HERE
    assert await scene.presses.steps(Pressed(9), press()) == texts.NOT_HERE
    assert await scene.presses.steps(None, press()) == texts.NOT_HERE
    assert isinstance(await scene.presses.steps(Pressed(1), press(Author("gone"))), str)
