"""One queue per place: in order, side by side, and nothing given up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

import pytest

from adapters.discord.hearing.lanes import Lanes, Work
from adapters.discord.hearing.places import Place

HERE, THERE = Place("1", "2"), Place("1", "3")


def said(id_: int, place: Place = HERE, kind: Literal["said", "edited", "deleted"] = "said") -> Work:
    return Work(kind, place, {"id": str(id_)})


class Log:
    """What was done, as the tests see it."""

    def __init__(self, most: int = 100) -> None:
        self.done: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        #: Something is being done.
        self.began = asyncio.Event()
        self.on_catch_up: Callable[[], Awaitable[None]] | None = None
        self.lanes = Lanes(self._do, self._catch_up, self._left_out, most=most)

    async def _do(self, work: Work) -> None:
        self.began.set()
        await self.gate.wait()
        if work.body["id"] == "13":
            raise ValueError("a defect")
        self.done.append(f"{work.kind} {work.place.id}/{work.body['id']}")

    async def _catch_up(self, place: Place, before: int | None) -> None:
        self.done.append(f"whole {place.id} before {before}")
        if self.on_catch_up is not None:
            await self.on_catch_up()

    def _left_out(self, place: Place, newest: int) -> None:
        self.done.append(f"left out {place.id}/{newest}")


async def test_a_place_is_made_whole_before_its_first_message_and_once() -> None:
    log = Log()
    for id_ in (1, 2):
        log.lanes.put(said(id_))
        await log.lanes.idle()
    assert log.done == ["whole 2 before 1", "said 2/1", "said 2/2"]


async def test_one_place_does_not_wait_for_another() -> None:
    log = Log()
    log.gate.clear()
    log.lanes.put(said(1))
    await log.began.wait()
    log.began.clear()
    log.lanes.put(said(2, THERE))
    await log.began.wait()
    assert log.done == ["whole 2 before 1", "whole 3 before 2"]
    log.gate.set()
    await log.lanes.idle()


async def test_a_place_is_made_whole_without_a_message_too() -> None:
    log = Log()
    log.lanes.touch(HERE)
    await log.lanes.idle()
    log.lanes.touch(HERE)
    await log.lanes.idle()
    assert log.done == ["whole 2 before None"]


async def test_after_a_loss_it_is_made_whole_again_where_something_was_lost() -> None:
    log = Log()
    for place in (HERE, THERE):
        log.lanes.touch(place)
    await log.lanes.idle()
    log.lanes.lose(lambda place: place == HERE)
    for place in (HERE, THERE):
        log.lanes.touch(place)
    await log.lanes.idle()
    assert log.done[2:] == ["whole 2 before None"]


async def test_a_loss_in_the_middle_of_it_begins_it_again() -> None:
    log = Log()

    async def lose() -> None:
        log.on_catch_up = None
        log.lanes.lose(lambda _: True)

    log.on_catch_up = lose
    log.lanes.touch(HERE)
    await log.lanes.idle()
    assert log.done == ["whole 2 before None"] * 2


async def test_what_waits_when_something_may_be_missed_behind_it_comes_first() -> None:
    log = Log()
    log.gate.clear()
    for id_ in (1, 2):
        log.lanes.put(said(id_))
    await log.began.wait()
    for _ in range(2):
        log.lanes.lose(lambda _: True)
    log.lanes.put(said(4))
    log.gate.set()
    await log.lanes.idle()
    assert log.done == ["whole 2 before 1", "said 2/1", "said 2/2", "whole 2 before 4", "said 2/4"]


async def test_what_was_told_before_a_place_was_whole_is_bounded_by_what_it_was_told_with() -> None:
    log = Log()
    log.lanes.put(said(1))
    log.lanes.lose(lambda _: True)
    log.lanes.put(said(3))
    await log.lanes.idle()
    assert log.done == ["whole 2 before 1", "said 2/1", "whole 2 before 3", "said 2/3"]


async def test_what_does_not_fit_is_left_out_until_the_rest_is_done_but_no_edit_and_no_deletion() -> None:
    log = Log(most=2)
    log.gate.clear()
    for id_ in range(1, 6):
        log.lanes.put(said(id_))
    log.lanes.put(said(1, kind="edited"))
    log.lanes.put(said(2, kind="deleted"))
    log.gate.set()
    await log.lanes.idle()
    assert log.done == [
        "whole 2 before 1",
        "said 2/1",
        "said 2/2",
        "edited 2/1",
        "deleted 2/2",
        "left out 2/5",
        "whole 2 before None",
    ]


async def test_what_comes_while_something_is_left_out_is_left_out_too() -> None:
    log = Log(most=1)
    log.gate.clear()
    log.lanes.put(said(1))
    log.lanes.put(said(2))
    log.gate.set()
    log.lanes.put(said(3))
    await log.lanes.idle()
    assert log.done[1:] == ["said 2/1", "left out 2/3", "whole 2 before None"]


async def test_a_defect_costs_one_message(caplog: pytest.LogCaptureFixture) -> None:
    log = Log()
    for id_ in (12, 13, 14):
        log.lanes.put(said(id_))
    await log.lanes.idle()
    assert log.done[1:] == ["said 2/12", "said 2/14"]
    assert "a message of 2 that was said was dropped" in caplog.text


async def test_a_defect_in_catching_up_holds_nothing_up() -> None:
    log = Log()

    async def fail() -> None:
        raise ValueError("a defect")

    log.on_catch_up = fail
    log.lanes.put(said(1))
    await log.lanes.idle()
    assert log.done == ["whole 2 before 1", "said 2/1"]


async def test_closing_waits_for_nobody() -> None:
    log = Log()
    log.gate.clear()
    log.lanes.put(said(1))
    await log.began.wait()
    await log.lanes.close()
    log.lanes.put(said(2))
    log.lanes.touch(THERE)
    await log.lanes.idle()
    assert log.done == ["whole 2 before 1"]
