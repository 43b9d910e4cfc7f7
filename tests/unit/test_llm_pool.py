from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.events import Usage
from agent.llm.chat import (
    ChatMessage,
    ChatModel,
    ChatRequest,
    ModelError,
    ModelFault,
    Priority,
    ReasoningChunk,
    ReplyEnd,
    ReplyItem,
    Restarted,
    TextChunk,
)
from agent.llm.pool import EndpointPool, Member

REQUEST = ChatRequest((ChatMessage("user", "hello"),))
NEVER = (3600.0,)


class Model:
    """Says its name, after what the test lets it do first."""

    def __init__(
        self,
        name: str = "model",
        *,
        fails: ModelFault | None = None,
        after: Sequence[ReplyItem] = (),
        window: int = 4096,
        demo: bool = False,
        sees: bool | None = False,
        turns_out: bool = False,
    ) -> None:
        self.name = name
        self.sees = sees
        #: What a trial finds where `sees` is unknown.
        self.turns_out = turns_out
        self.demo = demo
        self.context_tokens = window
        self.fails = fails
        #: What it yields before it fails.
        self.after = after
        self.calls = 0
        self.running = 0
        self.most = 0
        #: Cleared by a test to keep calls running.
        self.go = asyncio.Event()
        self.go.set()

    async def can_see(self) -> bool:
        self.sees = self.turns_out if self.sees is None else self.sees
        return self.sees

    async def count(self, messages: Sequence[ChatMessage]) -> int:
        return 1

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ReplyItem, None]:
        self.calls += 1
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.go.wait()
            if self.fails is not None:
                for item in self.after:
                    yield item
                raise ModelError(self.fails, f"{self.name} fails")
            yield TextChunk(self.name)
            yield ReplyEnd("stop", Usage(), self.name)
        finally:
            self.running -= 1


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)


async def prepare(_model: ChatModel) -> ChatRequest:
    await asyncio.sleep(0)
    return REQUEST


async def ask(pool: EndpointPool, *, priority: Priority = Priority.CHAT, model: str = "") -> list[ReplyItem]:
    async with aclosing(pool.stream(prepare, owner="turn", priority=priority, model=model)) as items:
        return [item async for item in items]


def end(items: Sequence[ReplyItem]) -> ReplyEnd:
    assert isinstance(items[-1], ReplyEnd)
    return items[-1]


async def answered_by(pool: EndpointPool, model: str = "") -> str:
    return end(await ask(pool, model=model)).endpoint


async def failure(pool: EndpointPool) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await ask(pool)
    return caught.value


def gpu_and_cpu(gpu: Model, cpu: Model, pauses: Sequence[float] = NEVER) -> EndpointPool:
    return EndpointPool([Member(gpu, 1, "gpu", 10), Member(cpu, 1, "cpu", 20)], pauses)


# --- Slots


async def test_no_more_calls_run_than_there_are_slots():
    model = Model()
    model.go.clear()
    pool = EndpointPool([Member(model, 2)])
    calls = [asyncio.create_task(ask(pool)) for _ in range(7)]
    await settle()
    assert (model.running, pool.busy, pool.waiting) == (2, 2, 5)
    model.go.set()
    await asyncio.gather(*calls)
    assert (model.most, model.calls, pool.busy, pool.waiting) == (2, 7, 0, 0)


async def test_chat_goes_before_background_and_within_it_first_come_first_served():
    model = Model()
    model.go.clear()
    pool = EndpointPool([Member(model, 1)])
    order: list[str] = []

    async def call(name: str, priority: Priority) -> None:
        await ask(pool, priority=priority)
        order.append(name)

    calls = [
        asyncio.create_task(call(name, priority))
        for name, priority in [
            ("holder", Priority.CHAT),
            ("background 1", Priority.BACKGROUND),
            ("chat 1", Priority.CHAT),
            ("background 2", Priority.BACKGROUND),
            ("chat 2", Priority.CHAT),
        ]
    ]
    await settle()
    assert pool.waiting == 4
    model.go.set()
    await asyncio.gather(*calls)
    assert order == ["holder", "chat 1", "chat 2", "background 1", "background 2"]


async def test_a_server_that_takes_one_call_at_a_time_gets_one_whatever_its_slots():
    model = Model()
    model.go.clear()
    most: int | None = None
    pool = EndpointPool([Member(model, 8, most=lambda: most)])
    most = 1
    calls = [asyncio.create_task(ask(pool)) for _ in range(3)]
    await settle()
    assert model.running == 1
    model.go.set()
    await asyncio.gather(*calls)
    assert model.most == 1


async def test_of_equal_endpoints_the_one_with_the_most_free_slots_is_asked():
    small, large = Model("small"), Model("large")
    for model in (small, large):
        model.go.clear()
    pool = EndpointPool([Member(small, 1, "small", 10), Member(large, 3, "large", 10)])
    calls = [asyncio.create_task(ask(pool)) for _ in range(5)]
    await settle()
    assert (small.running, large.running, pool.waiting) == (1, 3, 1)
    small.go.set()
    await settle()
    # Whoever waits for equal ones takes the first slot that comes free.
    assert (small.calls, pool.waiting) == (2, 0)
    large.go.set()
    await asyncio.gather(*calls)


async def test_a_busy_gpu_is_waited_for_and_turns_nobody_to_the_cpu():
    gpu, cpu = Model("gpu"), Model("cpu")
    gpu.go.clear()
    pool = gpu_and_cpu(gpu, cpu)
    calls = [asyncio.create_task(ask(pool)) for _ in range(4)]
    await settle()
    assert (gpu.running, pool.waiting, cpu.calls) == (1, 3, 0)
    gpu.go.set()
    await asyncio.gather(*calls)
    assert (gpu.calls, cpu.calls) == (4, 0)


@pytest.mark.parametrize("steps", range(12))
async def test_wherever_a_call_is_cancelled_its_slot_comes_back(steps: int):
    """Cancelled after so many rounds of the loop: in the queue, in `prepare`, between two endpoints, in the reply."""
    gpu, cpu = Model("gpu", fails="unreachable", after=[TextChunk("Hal")]), Model("cpu")
    pool = gpu_and_cpu(gpu, cpu)
    holder = asyncio.create_task(ask(pool))
    call = asyncio.create_task(ask(pool))
    for _ in range(steps):
        await asyncio.sleep(0)
    call.cancel()
    await asyncio.gather(call, holder, return_exceptions=True)
    assert (pool.busy, pool.waiting, gpu.running, cpu.running) == (0, 0, 0, 0)
    assert holder.exception() is None
    assert await answered_by(pool) == "cpu"
    await pool.aclose()


async def test_a_slot_that_was_handed_to_a_call_that_is_just_being_cancelled_goes_to_the_next():
    model = Model()
    model.go.clear()
    pool = EndpointPool([Member(model, 1)])
    holder, gone, following = (asyncio.create_task(ask(pool)) for _ in range(3))
    await settle()
    holder.cancel()
    gone.cancel()
    await settle()
    assert (gone.cancelled(), model.running, pool.waiting) == (True, 1, 0)
    model.go.set()
    await following
    assert pool.busy == 0


async def test_a_reply_that_is_left_early_gives_its_slot_back():
    model = Model()
    pool = EndpointPool([Member(model, 1)])
    async with aclosing(pool.stream(prepare, owner="turn")) as items:
        await anext(items)
        assert pool.busy == 1
    assert (pool.busy, model.running) == (0, 0)


async def test_a_request_that_cannot_be_prepared_gives_its_slot_back():
    async def broken(_model: ChatModel) -> ChatRequest:
        raise RuntimeError

    pool = EndpointPool([Member(Model(), 1)])
    with pytest.raises(RuntimeError):
        async with aclosing(pool.stream(broken, owner="turn")) as items:
            await anext(items)
    assert pool.busy == 0


# --- Who is asked, and who stands in


async def test_the_first_choice_answers_with_no_word_about_others():
    items = await ask(gpu_and_cpu(Model("gpu"), Model("cpu")))
    assert items[0] == TextChunk("gpu")
    assert (end(items).endpoint, end(items).instead_of) == ("gpu", ())


@pytest.mark.parametrize(
    "fault", ["unreachable", "timeout", "overloaded", "unauthorized", "garbage", "empty", "not_started"]
)
async def test_what_another_endpoint_may_not_have_goes_on_to_it(fault: ModelFault):
    pool = gpu_and_cpu(Model("gpu", fails=fault), Model("cpu"))
    items = await ask(pool)
    assert items == [TextChunk("cpu"), ReplyEnd("stop", Usage(), "cpu", ("gpu",), "cpu")]
    await pool.aclose()


async def test_a_request_that_was_rejected_is_the_callers_own_fault():
    cpu = Model("cpu")
    assert (await failure(gpu_and_cpu(Model("gpu", fails="rejected"), cpu))).fault == "rejected"
    assert cpu.calls == 0


async def test_a_prompt_that_is_too_long_goes_on_to_a_larger_window_only():
    models = [Model("small", fails="context_overflow"), Model("same"), Model("large", window=8192)]
    pool = EndpointPool([Member(model, 1, model.name, i) for i, model in enumerate(models)])
    items = await ask(pool)
    assert (end(items).endpoint, end(items).instead_of) == ("large", ("small",))
    assert models[1].calls == 0
    # And it is no word about the endpoint: the next call begins with it again.
    await ask(pool)
    assert models[0].calls == 2


async def test_a_prompt_that_is_too_long_for_all_is_said_to_be():
    assert (
        await failure(gpu_and_cpu(Model("gpu", fails="context_overflow"), Model("cpu")))
    ).fault == "context_overflow"


@pytest.mark.parametrize("said", [TextChunk("Hal"), ReasoningChunk("Hmm")])
async def test_a_reply_that_broke_off_begins_anew(said: ReplyItem):
    pool = gpu_and_cpu(Model("gpu", fails="unreachable", after=[said]), Model("cpu"))
    items = await ask(pool)
    assert items[0] == said
    assert isinstance(items[1], Restarted)
    assert items[2:] == [TextChunk("cpu"), ReplyEnd("stop", Usage(), "cpu", ("gpu",), "cpu")]
    await pool.aclose()


async def test_the_request_is_prepared_anew_for_the_window_that_answers():
    windows: list[int] = []

    async def fitted(model: ChatModel) -> ChatRequest:
        windows.append(model.context_tokens)
        return REQUEST

    pool = gpu_and_cpu(Model("gpu", fails="unreachable", window=32768), Model("cpu"))
    async with aclosing(pool.stream(fitted, owner="turn")) as items:
        assert [item async for item in items]
    assert windows == [32768, 4096]
    await pool.aclose()


async def test_when_all_fail_the_error_is_that_of_the_preferred_one_and_each_was_asked_once():
    gpu, cpu = Model("gpu", fails="overloaded"), Model("cpu", fails="unreachable")
    pool = gpu_and_cpu(gpu, cpu)
    assert (await failure(pool)).fault == "overloaded"
    assert (gpu.calls, cpu.calls, pool.busy) == (1, 1, 0)
    await pool.aclose()


async def test_without_an_endpoint_there_is_nobody_to_ask():
    pool = EndpointPool()
    assert (await failure(pool)).fault == "not_started"
    assert pool.serving().name == ""


@pytest.mark.parametrize("wanted", ["cpu", "llama"])
async def test_an_endpoint_can_be_preferred_by_its_name_or_its_models(wanted: str):
    gpu, cpu = Model("qwen"), Model("llama", window=2048)
    pool = gpu_and_cpu(gpu, cpu)
    assert await answered_by(pool, wanted) == "cpu"
    assert pool.serving(wanted).context_tokens == 2048
    cpu.fails = "unreachable"
    items = await ask(pool, model=wanted)
    assert (end(items).endpoint, end(items).instead_of) == ("gpu", ("cpu",))
    await pool.aclose()


async def test_a_name_that_no_endpoint_has_leaves_the_order_as_it_is():
    assert await answered_by(gpu_and_cpu(Model("gpu"), Model("cpu")), "gone") == "gpu"


# --- Health


async def test_an_endpoint_that_is_down_is_not_asked_and_the_answer_says_so():
    gpu = Model("gpu", fails="unreachable")
    pool = gpu_and_cpu(gpu, Model("cpu"))
    await ask(pool)
    gpu.fails = None
    items = await ask(pool)
    assert (gpu.calls, end(items).endpoint, end(items).instead_of) == (1, "cpu", ("gpu",))
    assert pool.serving().name == "cpu"
    trouble = pool.trouble(gpu)
    assert trouble is not None
    assert trouble.fault == "unreachable"
    await pool.aclose()


async def test_an_endpoint_that_is_down_is_asked_when_no_other_is_left():
    gpu, cpu = Model("gpu", fails="unreachable"), Model("cpu")
    pool = gpu_and_cpu(gpu, cpu)
    await ask(pool)
    gpu.fails, cpu.fails = None, "unreachable"
    items = await ask(pool)
    assert (end(items).endpoint, end(items).instead_of) == ("gpu", ())
    await pool.aclose()


async def test_the_only_endpoint_is_asked_every_time():
    model = Model(fails="unreachable")
    pool = EndpointPool([Member(model, 1)], NEVER)
    for _ in range(3):
        await failure(pool)
    assert model.calls == 3
    await pool.aclose()


async def test_one_that_is_there_again_is_used_at_once():
    gpu, checks = Model("gpu", fails="unreachable"), 0
    there = asyncio.Event()

    async def check() -> ModelError | None:
        nonlocal checks
        checks += 1
        if checks < 3:
            return ModelError("unreachable", "still away")
        there.set()
        return None

    pool = EndpointPool([Member(gpu, 1, "gpu", 10, check), Member(Model("cpu"), 1, "cpu", 20)], (0.0,))
    await ask(pool)
    gpu.fails = None
    await there.wait()
    await settle()
    assert await answered_by(pool) == "gpu"
    assert checks == 3


async def test_who_waits_for_an_endpoint_that_goes_down_goes_on_to_the_next():
    gpu, cpu = Model("gpu", fails="unreachable"), Model("cpu")
    gpu.go.clear()
    pool = gpu_and_cpu(gpu, cpu)
    calls = [asyncio.create_task(ask(pool)) for _ in range(5)]
    await settle()
    gpu.go.set()
    assert {end(items).endpoint for items in await asyncio.gather(*calls)} == {"cpu"}
    assert gpu.calls == 1
    await pool.aclose()


async def test_who_waits_behind_a_stand_in_comes_back_when_the_first_choice_is_there_again():
    gpu, cpu = Model("gpu", fails="unreachable"), Model("cpu")
    back = asyncio.Event()

    async def check() -> ModelError | None:
        await back.wait()
        return None

    pool = EndpointPool([Member(gpu, 1, "gpu", 10, check), Member(cpu, 1, "cpu", 20)], (0.0,))
    await ask(pool)
    gpu.fails = None
    cpu.go.clear()
    calls = [asyncio.create_task(ask(pool)) for _ in range(3)]
    await settle()
    assert (cpu.running, pool.waiting) == (1, 2)
    back.set()
    await settle()
    assert gpu.calls == 3
    cpu.go.set()
    assert [end(items).endpoint for items in await asyncio.gather(*calls)] == ["cpu", "gpu", "gpu"]


async def test_a_look_at_the_start_spares_the_first_call_from_finding_out():
    async def check() -> ModelError | None:
        return ModelError("unreachable", "away")

    gpu = Model("gpu")
    pool = EndpointPool([Member(gpu, 1, "gpu", 10, check), Member(Model("cpu"), 1, "cpu", 20)], NEVER)
    await pool.look(gpu)
    assert await answered_by(pool) == "cpu"
    assert gpu.calls == 0
    await pool.aclose()


async def test_who_waits_for_an_endpoint_that_a_look_finds_down_goes_on_to_the_next():
    async def check() -> ModelError | None:
        return ModelError("unreachable", "away")

    gpu = Model("gpu")
    gpu.go.clear()
    pool = EndpointPool([Member(gpu, 1, "gpu", 10, check), Member(Model("cpu"), 1, "cpu", 20)], NEVER)
    hangs, waits = asyncio.create_task(ask(pool)), asyncio.create_task(ask(pool))
    await settle()
    await pool.look(gpu)
    assert end(await waits).endpoint == "cpu"
    gpu.go.set()
    await hangs
    await pool.aclose()


# --- All of it at once


class Fickle(Model):
    """Answers, fails or hangs as the script says, one line a call; a failure may come after some text."""

    def __init__(self, name: str, script: list[int]) -> None:
        super().__init__(name)
        self.script = script

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ReplyItem, None]:
        play = self.script.pop() if self.script else 0
        self.fails = FAULTS[play] if play < len(FAULTS) else None
        self.after = [TextChunk("Hal")] if play % 2 else []
        for _ in range(play):
            await asyncio.sleep(0)
        async with aclosing(super().stream(request)) as items:
            async for item in items:
                yield item


FAULTS: list[ModelFault | None] = [None, "unreachable", "overloaded", "empty", "rejected", "context_overflow", None]
SCRIPTS = st.lists(st.integers(0, 8), max_size=12)


@given(
    scripts=st.lists(SCRIPTS, min_size=1, max_size=3),
    cancels=st.lists(st.integers(0, 30), max_size=6),
    replaced_after=st.integers(0, 30),
)
def test_whatever_happens_every_call_ends_and_every_slot_is_free_again(
    scripts: list[list[int]], cancels: list[int], replaced_after: int
):
    async def play() -> None:
        models = [Fickle(str(i), list(script)) for i, script in enumerate(scripts)]
        members = [Member(model, 2, model.name, i // 2) for i, model in enumerate(models)]
        pool = EndpointPool(members, (0.0,))
        calls = [asyncio.create_task(ask(pool, priority=Priority(10 * (i % 2)))) for i in range(10)]
        for moment in range(max([replaced_after, *cancels]) + 1):
            for call in [call for call, when in zip(calls, cancels, strict=False) if when == moment]:
                call.cancel()
            if moment == replaced_after:
                pool.replace(members[::-1])
            await asyncio.sleep(0)
        async with asyncio.timeout(5):
            ends = await asyncio.gather(*calls, return_exceptions=True)
        for items in ends:
            assert isinstance(items, list | ModelError | asyncio.CancelledError), items
            if isinstance(items, list):
                kept = items[max((i + 1 for i, item in enumerate(items) if isinstance(item, Restarted)), default=0) :]
                assert kept == [TextChunk(end(items).endpoint), items[-1]]
        assert (pool.busy, pool.waiting) == (0, 0)
        assert all(model.running == 0 and model.most <= 2 for model in models)
        await pool.aclose()

    asyncio.run(play())


# --- Changes at run time


async def test_endpoints_can_be_replaced_while_a_call_runs():
    old, new = Model("old"), Model("new")
    old.go.clear()
    pool = EndpointPool([Member(old, 1, "old")])
    running, waiting = asyncio.create_task(ask(pool)), asyncio.create_task(ask(pool))
    await settle()
    pool.replace([Member(new, 1, "new")])
    released = asyncio.create_task(pool.released(old))
    assert end(await waiting).endpoint == "new"
    assert not released.done()
    old.go.set()
    assert end(await running).endpoint == "old"
    await released
    assert (pool.busy, pool.serving().name) == (0, "new")


async def test_an_endpoint_that_is_entered_while_a_call_runs_is_not_said_to_have_failed():
    running = Model("running")
    running.go.clear()
    pool = EndpointPool([Member(running, 1, "running", 20)])
    call = asyncio.create_task(ask(pool))
    await settle()
    pool.replace([Member(Model("better"), 1, "better", 10), Member(running, 1, "running", 20)])
    running.go.set()
    assert end(await call).instead_of == ()


async def test_an_endpoint_that_stays_keeps_its_calls_and_its_health():
    stays, down = Model("stays"), Model("down", fails="unreachable")
    pool = gpu_and_cpu(down, stays)
    await ask(pool)
    stays.go.clear()
    running = asyncio.create_task(ask(pool))
    await settle()
    pool.replace([Member(down, 1, "gpu", 10), Member(stays, 2, "cpu", 20), Member(Model("third"), 1, "third", 30)])
    waiting = [asyncio.create_task(ask(pool)) for _ in range(2)]
    await settle()
    assert (stays.running, pool.waiting, down.calls) == (2, 1, 1)
    stays.go.set()
    await asyncio.gather(running, *waiting)
    await pool.aclose()


async def test_who_waits_when_the_last_endpoint_is_taken_away_is_told():
    model = Model()
    model.go.clear()
    pool = EndpointPool([Member(model, 1)])
    running, waiting = asyncio.create_task(ask(pool)), asyncio.create_task(ask(pool))
    await settle()
    pool.replace([])
    with pytest.raises(ModelError):
        await waiting
    model.go.set()
    assert end(await running).endpoint == "model"


def test_an_endpoint_has_at_least_one_slot():
    with pytest.raises(ValueError, match="at least one"):
        Member(Model(), 0)


def test_a_pool_serves_with_its_best_endpoint_that_is_well():
    pool = EndpointPool([Member(Model("cpu", demo=True), 1, "cpu", 20), Member(Model("gpu"), 1, "gpu", 10)])

    assert (pool.serving().name, pool.serving("cpu").demo) == ("gpu", True)
