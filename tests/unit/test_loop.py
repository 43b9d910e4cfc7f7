"""The loop: steps through the journal, events for people, one conclusion."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from agent import loop
from agent.events import Finished, StepFinished, StepStarted, TextDelta, Usage
from agent.journal import Parked, Recalled
from agent.language import Text
from agent.llm.chat import ChatMessage, ChatRequest, ModelError, Priority
from agent.profile import Profile
from agent.run import Limits
from agent.styles.base import Ask, Done, Plan, ToolCall, Verbatim
from agent.task import Task
from agent.tools.registry import Tool, ToolContext, ToolError, ToolResult
from tests.support.agent import MemoryJournal, OneModelPool, ScriptedModel, finished, run, task

QUESTION = task("What now?")


class Plans:
    """A style that plans these calls, one round after another, and then shows what it got or asks the model."""

    name = "plans"

    def __init__(self, *rounds: tuple[ToolCall, ...], ask: bool = False) -> None:
        self._rounds = rounds
        self._ask = ask
        self.seen: list[tuple[Done, ...]] = []

    def plan(self, task: Task, tools: tuple[Tool, ...], done: tuple[Done, ...]) -> Plan:
        before = 0
        for calls in self._rounds:
            if len(done) <= before:
                return Plan(calls)
            before += len(calls)
        return Plan()

    def conclude(
        self, task: Task, done: tuple[Done, ...], *, demo: bool, tools: tuple[Tool, ...] = ()
    ) -> Verbatim | Ask:
        self.seen.append(done)
        if self._ask or not done:
            return Ask(ChatRequest((ChatMessage("user", task.question),)), notes=("a note",))
        return Verbatim("\n".join(item.result.answer_md for item in done), done[-1].result.urls)


class Counting:
    """A tool that counts its runs and does what it is told."""

    def __init__(self, name: str = "count", *, writes: bool = False, error: Exception | None = None) -> None:
        self.runs: list[dict[str, Any]] = []
        self.tool = Tool(name, name, name, {"type": "object", "properties": {}}, self._run, writes=writes)
        self._error = error

    async def _run(self, args: dict[str, Any], context: ToolContext) -> ToolResult:
        self.runs.append(args)
        if self._error is not None:
            raise self._error
        return ToolResult(
            f"plain {len(self.runs)}", f"**run {len(self.runs)}**", ("https://example.org/a",), {"n": [1]}
        )


def call(name: str = "count", **args: Any) -> ToolCall:
    return ToolCall(name, args)


async def test_a_tool_run_is_shown_as_a_step_and_its_result_concludes() -> None:
    counting = Counting()
    events = await run(QUESTION, Plans((call(a=1),)), tools=(counting.tool,))
    assert events == [
        StepStarted("act/0/0", "act", "count", {"a": 1}),
        StepFinished("act/0/0", True, "**run 1**"),
        TextDelta("**run 1**"),
        Finished("**run 1**", sources=("https://example.org/a",)),
    ]


async def test_the_journal_has_plan_act_and_conclude_in_order() -> None:
    journal = MemoryJournal()
    await run(QUESTION, Plans((call(),)), tools=(Counting().tool,), journal=journal)
    assert journal.calls == [
        f"{verb} {key}" for key in ("plan/0", "act/0/0", "conclude") for verb in ("begin", "finish")
    ]


async def test_a_run_without_calls_journals_nothing_but_its_conclusion() -> None:
    journal = MemoryJournal()
    await run(QUESTION, Plans(), journal=journal)
    assert journal.calls == ["begin conclude", "finish conclude"]


async def test_a_second_run_gives_the_same_events_without_running_anything() -> None:
    counting, journal, pool = Counting(), MemoryJournal(), OneModelPool()
    style = Plans((call(),), (call(b=2), call(c=3)), ask=True)
    first = await run(QUESTION, style, tools=(counting.tool,), journal=journal, pool=pool)
    second = await run(QUESTION, style, tools=(counting.tool,), journal=journal, pool=pool)
    assert len(counting.runs) == 3
    assert len(pool.model.requests) == 1
    steps = [event for event in first if isinstance(event, StepStarted | StepFinished)]
    assert [event for event in second if isinstance(event, StepStarted | StepFinished)] == steps
    assert finished(second) == finished(first)


async def test_a_reading_step_that_was_only_started_runs_again() -> None:
    counting, journal = Counting(), MemoryJournal()
    journal.steps["act/0/0"] = Recalled("started", writes=False)
    events = await run(QUESTION, Plans((call(),)), tools=(counting.tool,), journal=journal)
    assert len(counting.runs) == 1
    assert events[1] == StepFinished("act/0/0", True, "**run 1**")


async def test_a_writing_step_that_was_started_never_runs_again_and_says_that_its_outcome_is_unknown() -> None:
    counting, journal, style = Counting(writes=True), MemoryJournal(consent=True), Plans((call(),))
    journal.steps["act/0/0"] = Recalled("started", writes=True)
    events = await run(QUESTION, style, tools=(counting.tool,), journal=journal)
    assert counting.runs == []
    assert isinstance(events[1], StepFinished)
    assert not events[1].ok
    assert "whether it took effect is unknown" in events[1].result
    assert not style.seen[0][0].ok


async def test_a_writing_step_waits_for_consent_before_anything_is_shown() -> None:
    counting = Counting(writes=True)
    with pytest.raises(Parked) as parked:
        await run(QUESTION, Plans((call(a=1),)), tools=(counting.tool,))
    assert (parked.value.key, parked.value.tool, parked.value.tool_args) == ("consent/0/0", "count", {"a": 1})
    assert counting.runs == []


async def test_a_writing_step_without_consent_is_not_run_and_the_run_goes_on() -> None:
    counting, style = Counting(writes=True), Plans((call(),), ask=True)
    events = await run(QUESTION, style, tools=(counting.tool,), journal=MemoryJournal(consent=False))
    assert counting.runs == []
    assert not style.seen[0][0].ok
    assert finished(events).text == "Hello."


async def test_a_tools_error_is_a_failed_step_in_the_asker_s_language() -> None:
    error = ToolError(Text("Only {most} at once.", "一次最多 {most} 个。"), most=3)
    events = await run(task("怎么了？"), Plans((call(),)), tools=(Counting(error=error).tool,))
    assert events[1] == StepFinished("act/0/0", False, "一次最多 3 个。")
    assert finished(events).text == "一次最多 3 个。"


async def test_a_plan_is_recalled_although_the_rules_have_changed() -> None:
    counting, journal = Counting(), MemoryJournal()
    first = await run(QUESTION, Plans((call(),)), tools=(counting.tool,), journal=journal)
    del journal.steps["conclude"]
    assert await run(QUESTION, Plans(), tools=(counting.tool,), journal=journal) == first
    assert len(counting.runs) == 1


async def test_a_failed_step_is_recalled_as_failed() -> None:
    counting, journal = Counting(error=ToolError(Text("No.", "不。"))), MemoryJournal()
    await run(QUESTION, Plans((call(),)), tools=(counting.tool,), journal=journal)
    again = await run(QUESTION, Plans((call(),)), tools=(counting.tool,), journal=journal)
    assert again[1] == StepFinished("act/0/0", False, "No.")
    assert len(counting.runs) == 1


async def test_an_unexpected_error_of_a_tool_is_a_failed_step(caplog: pytest.LogCaptureFixture) -> None:
    events = await run(QUESTION, Plans((call(),)), tools=(Counting(error=KeyError("secret")).tool,))
    assert events[1] == StepFinished("act/0/0", False, "The tool `count` failed unexpectedly.")
    assert "tool count failed" in caplog.text


async def test_a_writing_tool_that_breaks_off_has_an_unknown_outcome() -> None:
    counting = Counting(writes=True, error=ConnectionError("reset"))
    events = await run(QUESTION, Plans((call(),)), tools=(counting.tool,), journal=MemoryJournal(consent=True))
    assert isinstance(events[1], StepFinished)
    assert "whether it took effect is unknown" in events[1].result


async def test_a_tool_that_hangs_is_ended() -> None:
    ended = asyncio.Event()

    async def hang(args: dict[str, Any], context: ToolContext) -> ToolResult:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError("unreachable")

    tool = Tool("count", "count", "", {}, hang)
    events = await run(QUESTION, Plans((call(),)), tools=(tool,), limits=Limits(seconds=0.01))
    assert events[1] == StepFinished("act/0/0", False, "The tool `count` did not finish within 0.01 seconds.")
    assert ended.is_set()


async def test_a_long_result_is_cut_and_says_so() -> None:
    async def talk(args: dict[str, Any], context: ToolContext) -> ToolResult:
        return ToolResult("a" * 150, "b" * 150)

    style = Plans((call(),))
    await run(QUESTION, style, tools=(Tool("count", "count", "", {}, talk),), limits=Limits(characters=100))
    result = style.seen[0][0].result
    assert result.answer == "a" * 100 + "\n\n… (cut: 50 more characters)"
    assert result.answer_md.startswith("b" * 100 + "\n")


async def test_an_unknown_tool_ends_the_planning() -> None:
    counting, style = Counting(), Plans((call(), call("nosuch")), (call(),))
    await run(QUESTION, style, tools=(counting.tool,))
    assert len(counting.runs) == 1
    assert [item.call.tool for item in style.seen[0]] == ["count"]


async def test_planning_ends_after_max_iter_num_rounds() -> None:
    counting = Counting()
    endless = Plans(*[(call(),)] * 9)
    profile = Profile(max_iter_num=2)
    await run(task("What now?", profile=profile), endless, tools=(counting.tool,))
    assert len(counting.runs) == 2


async def test_a_models_answer_streams_and_ends_with_usage_and_notes() -> None:
    events = await run(QUESTION, Plans())
    assert events == [
        TextDelta("Hel"),
        TextDelta("lo."),
        Finished("Hello.", notes=("a note",), model="scripted-1", usage=Usage(11, 7)),
    ]


async def test_the_slot_is_held_only_during_the_model_s_call() -> None:
    pool = OneModelPool()
    journal = MemoryJournal()
    events = loop.run(
        QUESTION, journal=journal, tools=(), pool=pool, style=Plans(), owner="c1", priority=Priority.BACKGROUND
    )
    async with aclosing(events):
        held = [pool.held async for _ in events]
    assert held == [1, 1, 0]
    assert pool.owners == [("c1", Priority.BACKGROUND)]


async def test_cancelling_closes_the_models_stream_at_once_and_gives_the_slot_back() -> None:
    waiting = asyncio.Event()

    class Hanging(ScriptedModel):
        async def stream(self, request: ChatRequest) -> Any:
            async for item in super().stream(request):
                yield item
                waiting.set()
                try:
                    await asyncio.Event().wait()
                finally:
                    self.closed_early += 10

    pool, journal = OneModelPool(Hanging()), MemoryJournal()
    running = asyncio.create_task(run(QUESTION, Plans(), pool=pool, journal=journal))
    await waiting.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert pool.held == 0
    assert pool.model.closed_early >= 10
    assert journal.calls == ["begin conclude"]


async def test_leaving_a_run_early_closes_the_models_stream() -> None:
    pool = OneModelPool()
    events = loop.run(QUESTION, journal=MemoryJournal(), tools=(), pool=pool, style=Plans(), owner="c1")
    async with aclosing(events):
        await anext(events)
        assert pool.held == 1
    assert (pool.held, pool.model.closed_early) == (0, 1)


@pytest.mark.parametrize("chunks", [(), (" ", "\n")])
async def test_an_empty_answer_is_a_failure(chunks: tuple[str, ...]) -> None:
    journal = MemoryJournal()
    with pytest.raises(ModelError) as failure:
        await run(QUESTION, Plans(), pool=OneModelPool(ScriptedModel(chunks)), journal=journal)
    assert failure.value.fault == "empty"
    assert "finish conclude" not in journal.calls


async def test_a_models_failure_goes_up_and_the_conclusion_stays_open() -> None:
    journal = MemoryJournal()
    model = ScriptedModel(fails=ModelError("timeout", "no token"))
    with pytest.raises(ModelError, match="timeout"):
        await run(QUESTION, Plans(), pool=OneModelPool(model), journal=journal)
    assert journal.calls == ["begin conclude"]


async def test_an_answer_at_its_token_limit_says_so() -> None:
    events = await run(QUESTION, Plans(), pool=OneModelPool(ScriptedModel(finish_reason="length")))
    assert finished(events).notes[0] == "The answer stops here because it reached its token limit."


async def test_a_question_longer_than_the_window_is_a_context_overflow() -> None:
    pool = OneModelPool(ScriptedModel(window=64))
    with pytest.raises(ModelError) as failure:
        await run(task("word " * 500), Plans(), pool=pool)
    assert failure.value.fault == "context_overflow"
    assert pool.held == 0


async def test_history_that_does_not_fit_is_left_out_with_a_note() -> None:
    class Remembers(Plans):
        def conclude(self, task: Task, done: tuple[Done, ...], *, demo: bool, tools: tuple[Tool, ...] = ()) -> Ask:
            old = [ChatMessage("user", "word " * 300), ChatMessage("assistant", "word " * 300)]
            return Ask(ChatRequest((*old, ChatMessage("user", task.question))))

    pool = OneModelPool(ScriptedModel(window=400))
    events = await run(QUESTION, Remembers(), pool=pool)
    assert [message.content for message in pool.model.requests[0].messages] == ["What now?"]
    assert "2 oldest messages" in finished(events).notes[0]
