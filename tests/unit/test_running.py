"""A run of a model: everything is asked once, kept at once, and asked again only where that may help."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from evals.running.keeping import MOST_WAITING
from evals.running.runner import EndpointDown, Progress, run
from evals.runs import Prediction
from tests.support.asking import MemoryAsker, MemoryRuns, QuickClock, item, items, spec, trouble


async def test_every_prompt_of_every_repeat_is_asked_once_and_kept() -> None:
    asker, store = MemoryAsker(), MemoryRuns()
    asked = [item(1, templates=("ReACT", "AutoGPT")), item(2, "profile")]
    progress = await run(spec(repeats=2), asked, asker, store, "r")
    assert sorted(asker.counts.values()) == [2, 2, 2]
    assert {(p.key.item, p.key.template, p.key.repeat) for p in store.kept["r"]} == {
        (number, template, repeat)
        for number, template in (("1", "ReACT"), ("1", "AutoGPT"), ("2", "prompt"))
        for repeat in (0, 1)
    }
    assert (progress.done, progress.total, progress.left) == (6, 6, 0.0)
    assert progress.tokens == 18


async def test_a_run_goes_on_where_it_was_left() -> None:
    asker, store = MemoryAsker(), MemoryRuns()
    await run(spec(), items(5), asker, store, "r")
    del store.kept["r"][2:4]
    again = MemoryAsker()
    progress = await run(spec(), items(5), again, store, "r", cache=False)
    assert len(again.asked) == 2
    assert (progress.done, len(store.kept["r"])) == (5, 5)


async def test_what_failed_is_asked_again_when_a_run_goes_on() -> None:
    async def refuse(prompt: str) -> str:
        if " 1 " in prompt:
            raise trouble("rejected")
        return "fine"

    store = MemoryRuns()
    progress = await run(spec(), items(3), MemoryAsker(refuse), store, "r")
    assert (progress.done, progress.failed) == (3, 1)
    again = MemoryAsker()
    progress = await run(spec(), items(3), again, store, "r")
    assert [question.prompt.split()[1] for question in again.asked] == ["1"]
    assert (progress.done, progress.failed) == (3, 0)


async def test_the_same_call_of_an_earlier_run_is_taken_over_for_the_same_repeat() -> None:
    store = MemoryRuns()
    await run(spec(), items(3), MemoryAsker(), store, "first")
    again = MemoryAsker()
    progress = await run(spec(repeats=2), items(3), again, store, "second")
    assert len(again.asked) == 3
    assert (progress.cached, progress.done) == (3, 6)
    assert [p.key.repeat for p in store.kept["second"] if p.cached] == [0, 0, 0]


async def test_a_model_of_the_same_name_on_another_server_is_asked_itself() -> None:
    store = MemoryRuns()
    await run(spec(), items(3), MemoryAsker(), store, "first")
    elsewhere = MemoryAsker()
    elsewhere.server = "elsewhere"
    progress = await run(spec(), items(3), elsewhere, store, "second")
    assert (len(elsewhere.asked), progress.cached) == (3, 0)


async def test_a_run_goes_on_where_its_server_has_moved_to() -> None:
    store = MemoryRuns()
    await run(spec(), items(3), MemoryAsker(), store, "r")
    moved = MemoryAsker()
    moved.server = "elsewhere"
    await run(spec(), items(4), moved, store, "r")
    assert len(moved.asked) == 1


@pytest.mark.parametrize("fault", ["unreachable", "timeout", "overloaded", "empty"])
async def test_a_failure_that_may_mend_is_tried_again(fault: str) -> None:
    left = [trouble(fault)]  # type: ignore[arg-type]

    async def answer(prompt: str) -> str:
        if left:
            raise left.pop()
        return "fine"

    asker, store = MemoryAsker(answer), MemoryRuns()
    progress = await run(spec(), items(3), asker, store, "r", clock=QuickClock())
    assert (len(asker.asked), progress.failed) == (4, 0)


async def test_a_prompt_that_fails_for_good_is_kept_with_its_fault_and_the_run_goes_on() -> None:
    async def answer(prompt: str) -> str:
        if " 0 " in prompt:
            raise trouble("timeout")
        return "fine"

    store = MemoryRuns()
    progress = await run(spec(), items(40), MemoryAsker(answer), store, "r", clock=QuickClock())
    [failed] = [p for p in store.kept["r"] if p.error]
    assert (failed.key.item, failed.text, failed.error) == ("0", "", "timeout")
    assert (progress.done, progress.failed) == (40, 1)


async def test_a_key_that_is_refused_ends_the_run_at_once() -> None:
    async def answer(prompt: str) -> str:
        raise trouble("unauthorized")

    with pytest.raises(EndpointDown) as raised:
        await run(spec(), items(50), MemoryAsker(answer), MemoryRuns(), "r")
    assert raised.value.fault == "unauthorized"
    assert "api_key" in raised.value.text.en


async def test_an_endpoint_without_a_success_for_its_patience_is_down_and_nothing_is_kept_as_failed() -> None:
    async def answer(prompt: str) -> str:
        raise trouble("unreachable")

    clock, store, asker = QuickClock(), MemoryRuns(), MemoryAsker(answer)
    with pytest.raises(EndpointDown) as raised:
        await run(spec(), items(50), asker, store, "r", clock=clock, patience=60.0)
    assert 60.0 <= clock.time < 80.0
    assert not store.kept.get("r")
    assert "gpu:8000" in raised.value.text.en
    assert len(asker.asked) < 60


async def test_an_outage_that_ends_in_time_costs_no_reply() -> None:
    clock = QuickClock()

    async def answer(prompt: str) -> str:
        if clock.time < 50.0:
            raise trouble("unreachable")
        return "fine"

    progress = await run(spec(), items(50), MemoryAsker(answer), MemoryRuns(), "r", clock=clock, patience=60.0)
    assert (progress.done, progress.failed) == (50, 0)


async def test_a_server_that_rejects_everything_ends_the_run_with_the_reason() -> None:
    async def answer(prompt: str) -> str:
        raise trouble("rejected")

    for count in (3, 50):
        asker, store = MemoryAsker(answer), MemoryRuns()
        with pytest.raises(EndpointDown) as raised:
            await run(spec(), items(count), asker, store, "r")
        assert raised.value.fault == "rejected"
        assert len(asker.asked) < 30
        assert not store.kept.get("r")


async def test_a_model_that_cannot_be_reached_at_the_start_is_tried_with_patience() -> None:
    asker, clock = MemoryAsker(), QuickClock()
    asker.troubles = [trouble("unreachable"), trouble("not_started")]
    progress = await run(spec(), items(2), asker, MemoryRuns(), "r", clock=clock)
    assert progress.done == 2
    asker.troubles = [trouble("unreachable")] * 100
    with pytest.raises(EndpointDown):
        await run(spec(), items(2), asker, MemoryRuns(), "r", clock=clock)


async def test_a_prompt_that_is_too_long_for_the_server_is_cut_once_more() -> None:
    async def answer(prompt: str) -> str:
        if len(prompt) > 600:
            raise trouble("context_overflow")
        return "fine"

    asker, store = MemoryAsker(answer), MemoryRuns()
    long = item(1, memory="some words of long ago " * 30)
    progress = await run(spec(), [long, item(2)], asker, store, "r")
    assert progress.failed == 0
    [cut] = [p for p in store.kept["r"] if p.cut_tokens]
    assert cut.key.item == "1"
    assert len(asker.asked) == 3


async def test_a_prompt_that_can_not_be_cut_fails_for_good() -> None:
    async def answer(prompt: str) -> str:
        raise trouble("context_overflow")

    store = MemoryRuns()
    progress = await run(spec(), items(2), MemoryAsker(answer), store, "r")
    assert [p.error for p in store.kept["r"]] == ["context_overflow"] * 2
    assert progress.failed == 2


async def test_cancelling_ends_the_calls_and_keeps_what_was_finished() -> None:
    half = asyncio.Event()

    async def answer(prompt: str) -> str:
        if int(prompt.split()[1]) >= 2:
            half.set()
            await asyncio.Event().wait()
        return "fine"

    asker, store = MemoryAsker(answer), MemoryRuns()
    running = asyncio.create_task(run(spec(), items(50), asker, store, "r"))
    await half.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert asker.under_way == 0
    assert len(store.kept["r"]) == 2


@pytest.mark.parametrize("steps", range(4))
async def test_whoever_cancels_once_more_loses_nothing_of_what_was_finished(steps: int) -> None:
    writing, written, both = asyncio.Event(), asyncio.Event(), asyncio.Barrier(2)

    async def answer(prompt: str) -> str:
        await both.wait()
        return "reply"

    async def slow() -> None:
        writing.set()
        await written.wait()

    asker, store = MemoryAsker(answer), MemoryRuns()
    store.before_add = slow
    running = asyncio.create_task(run(spec(), items(2), asker, store, "r"))
    await writing.wait()
    running.cancel()
    for _ in range(steps):
        await asyncio.sleep(0)
    running.cancel()
    written.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    if left := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(left, timeout=5)
    assert len(store.kept["r"]) == 2
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_what_the_store_raises_ends_the_run() -> None:
    store = MemoryRuns()

    async def no_room() -> None:
        raise OSError("no space left")

    store.before_add = no_room
    asker = MemoryAsker()
    with pytest.raises(OSError, match="no space"):
        await run(spec(), items(500), asker, store, "r")
    assert len(asker.asked) <= MOST_WAITING + 64


async def test_while_the_store_is_slow_no_more_is_asked_than_a_kill_may_cost() -> None:
    store, go = MemoryRuns(), asyncio.Event()
    store.before_add = go.wait
    asker = MemoryAsker()
    running = asyncio.create_task(run(spec(), items(1000), asker, store, "r"))
    seen = -1
    while len(asker.asked) > seen:
        seen = len(asker.asked)
        for _ in range(100):
            await asyncio.sleep(0)
    assert MOST_WAITING <= len(asker.asked) <= 2 * MOST_WAITING + 32
    go.set()
    assert (await running).done == 1000


async def test_who_watches_is_told_at_a_bounded_pace_and_at_the_end() -> None:
    clock = QuickClock()

    async def answer(prompt: str) -> str:
        await clock.sleep(0.01)
        return "fine"

    seen: list[Progress] = []
    kept: list[Prediction] = []

    def hook(batch: Sequence[Prediction]) -> None:
        kept.extend(batch)

    await run(
        spec(), items(300), MemoryAsker(answer), MemoryRuns(), "r", clock=clock, watch=seen.append, on_predictions=hook
    )
    assert len(seen) <= clock.time / 0.5 + 3
    assert seen[-1].done == len(kept) == 300
    assert [p.done for p in seen] == sorted(p.done for p in seen)
