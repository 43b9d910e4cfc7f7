"""The loop where a model plans: rounds, ends, corrections, calls side by side, and what is kept of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agent.events import Finished, StepFinished, StepStarted, TextDelta, TextReset, Usage
from agent.journal import Recalled
from agent.llm.chat import ChatRequest, ModelError, ReasoningChunk, ReplyEnd, Restarted, TextChunk
from agent.profile import Profile
from agent.styles.kuaiagent.style import KuaiAgent
from agent.styles.registry import for_turn
from agent.tools.registry import Tool, ToolContext, ToolResult
from tests.support.agent import MemoryJournal, OneModelPool, Says, finished, run, task
from tests.support.plans import COMPLETE, NOTHING, Lookup, plan, task_of

QUESTION = task("What does it mean?")
END = ReplyEnd("stop", Usage(11, 7), "scripted-1")
ONE = plan("look_up", thought="I need the word.", word="one")
TWO = plan("look_up", word="two")


async def answer(model: Says, *tools: Tool, journal: MemoryJournal | None = None, **more: Any) -> list[Any]:
    asked = more.pop("question", QUESTION)
    return await run(asked, KuaiAgent(), tools=tools, pool=OneModelPool(model), journal=journal, **more)


def row(journal: MemoryJournal, key: str = "plan/0") -> Any:
    return journal.steps[key].result


async def test_it_plans_acts_reflects_and_concludes() -> None:
    lookup, model = Lookup(), Says(ONE, TWO, COMPLETE, "It means two things.")
    events = await answer(model, lookup.tool)
    assert events == [
        StepStarted("plan/0", "plan"),
        StepFinished("plan/0", True, "", "I need the word."),
        StepStarted("act/0/0", "act", "look_up", {"word": "one"}),
        StepFinished("act/0/0", True, "**one means thing number 1.**"),
        StepStarted("plan/1", "plan"),
        StepFinished("plan/1", True),
        StepStarted("act/1/0", "act", "look_up", {"word": "two"}),
        StepFinished("act/1/0", True, "**two means thing number 2.**"),
        StepStarted("plan/2", "plan"),
        StepFinished("plan/2", True, "The task is complete: All is known."),
        TextDelta("It means two things."),
        Finished(
            "It means two things.",
            sources=("https://words.example/one", "https://words.example/two"),
            model="scripted-1",
            usage=Usage(44, 28),
        ),
    ]


async def test_later_prompts_have_the_completed_tasks_and_ask_to_reflect() -> None:
    model = Says(ONE, COMPLETE, "Done.")
    await answer(model, Lookup().tool)
    first, second, last = model.asked
    assert "completed_tasks" not in first
    assert "reflect" not in first
    assert '"result": "one means thing number 1.", "untrusted": true' in second
    assert "reflect" in second
    assert "at most 4 more" in second
    assert '"task_name": "use look_up", "command": {"name": "look_up", "args": {"word": "one"}}' in last
    assert last.endswith("[ANSWER]")


async def test_the_row_of_a_plan_tells_how_it_came_about() -> None:
    journal = MemoryJournal()
    said = [ReasoningChunk("Hm. "), ReasoningChunk("x" * 9000), TextChunk(ONE), END]
    await answer(Says(said, COMPLETE, "Done."), Lookup().tool, journal=journal)
    assert row(journal) == {
        "calls": [{"tool": "look_up", "args": {"word": "one"}, "task_name": "use look_up"}],
        "thought": "I need the word.",
        "task_name": "use look_up",
        "end": None,
        "detail": "",
        "model": "scripted-1",
        "usage": {"prompt_tokens": 11, "completion_tokens": 7},
        "reasoning": "Hm. " + "x" * 3996,
        "attempts": 1,
        "style": "kuaiagent",
        "instead_of": [],
    }
    assert row(journal, "plan/1")["end"] == "complete"


async def test_reasoning_stands_in_no_event_and_in_no_later_prompt() -> None:
    model = Says(
        [ReasoningChunk("SECRET"), TextChunk(ONE), END], COMPLETE, [ReasoningChunk("SECRET"), TextChunk("Done."), END]
    )
    journal = MemoryJournal()
    events = await answer(model, Lookup().tool, journal=journal)
    assert "SECRET" not in repr(events) + repr(model.requests)
    assert row(journal, "conclude")["reasoning"] == "SECRET"


async def test_a_second_run_recalls_plans_and_gives_the_same_events() -> None:
    lookup, journal, model = Lookup(), MemoryJournal(), Says(ONE, COMPLETE, "Done.")
    first = await answer(model, lookup.tool, journal=journal)
    assert await answer(Says(), lookup.tool, journal=journal) == first
    assert len(lookup.runs) == 1


async def test_a_run_that_broke_off_after_a_plan_goes_on_from_there() -> None:
    lookup, journal = Lookup(), MemoryJournal()
    await answer(Says(ONE, COMPLETE, "Done."), lookup.tool, journal=journal)
    for key in ("plan/1", "conclude"):
        del journal.steps[key]
    model = Says(COMPLETE, "Done again.")
    assert finished(await answer(model, lookup.tool, journal=journal)).text == "Done again."
    assert len(lookup.runs) == 1


async def test_the_style_of_a_turn_stays_whatever_model_answers_by_now() -> None:
    journal = MemoryJournal()
    assert for_turn("auto", journal, demo=True).name == "router"
    await answer(Says(ONE, COMPLETE, "Done."), Lookup().tool, journal=journal)
    assert for_turn("auto", journal, demo=True).name == "kuaiagent"
    assert for_turn("noagent", journal, demo=True).name == "noagent"


async def test_a_turn_that_rules_planned_stays_theirs() -> None:
    journal = MemoryJournal()
    await journal.begin("plan/0")
    await journal.finish("plan/0", {"calls": []})
    assert for_turn("auto", journal, demo=False).name == "router"


async def test_a_turn_for_which_rules_planned_nothing_is_not_planned_by_a_model_later() -> None:
    journal, lookup = MemoryJournal(), Lookup()
    demo = for_turn("auto", journal, demo=True)
    first = await run(QUESTION, demo, tools=(lookup.tool,), pool=OneModelPool(Says("From memory.")), journal=journal)
    # The turn is taken over, or replayed, where a real model is configured by now.
    real = for_turn("auto", journal, demo=False)
    assert await run(QUESTION, real, tools=(lookup.tool,), pool=OneModelPool(Says()), journal=journal) == first
    journal.steps["conclude"] = Recalled("started", False)
    model = Says("Written anew.")
    again = await run(QUESTION, real, tools=(lookup.tool,), pool=OneModelPool(model), journal=journal)
    assert finished(again).text == "Written anew."


def pieces(text: str) -> list[Any]:
    return [*(TextChunk(text[n : n + 5]) for n in range(0, len(text), 5)), END]


async def test_nothing_of_a_plan_in_place_of_an_answer_is_shown_even_for_a_moment() -> None:
    model = Says(NOTHING, pieces(f"\n{ONE}"), pieces("It is one."))
    events = await answer(model, Lookup().tool)
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "It is one."
    assert "[ANSWER]" in model.asked[2]
    assert "Write the answer for the person now" in model.asked[2]


async def test_an_answer_of_two_plans_is_none() -> None:
    with pytest.raises(ModelError, match="empty"):
        await answer(Says(NOTHING, ONE, COMPLETE), Lookup().tool)


@pytest.mark.parametrize("text", ['{"word": "one"}', "[one](https://words.example/one) it is.", "<b>One</b>."])
async def test_an_answer_that_only_begins_like_a_plan_is_shown_whole(text: str) -> None:
    events = await answer(Says(NOTHING, pieces(text)), Lookup().tool)
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == text
    assert finished(events).text == text


async def test_an_answer_in_words_is_shown_as_it_comes() -> None:
    events = await answer(Says(NOTHING, pieces("It is one.")), Lookup().tool)
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["It is", " one."]


@pytest.mark.parametrize("tools", [(), (Lookup().tool,)])
async def test_an_answer_without_a_tool_has_profile_and_history(tools: tuple[Tool, ...]) -> None:
    profile = Profile(agent_name="Ada", agent_bio="Knows words.", agent_instructions="Be kind.")
    asked = task("And now?", history=[("Who?", "Me.")], profile=profile)
    model = Says(*([NOTHING] if tools else []), "Hello.")
    assert finished(await answer(model, *tools, question=asked)).text == "Hello."
    messages = model.requests[-1].messages
    assert all(part in messages[0].content for part in ("Ada", "Knows words.", "Be kind."))
    assert [message.content for message in messages[1:3]] == ["Who?", "Me."]
    assert "And now?" in messages[-1].content


async def test_without_tools_nothing_is_planned() -> None:
    journal = MemoryJournal()
    await answer(Says("Hello."), journal=journal)
    assert journal.calls == ["begin conclude", "finish conclude"]


@pytest.mark.parametrize("most", [0, 1, 3])
async def test_there_are_at_most_so_many_tool_runs(most: int) -> None:
    lookup = Lookup()
    plans = [plan("look_up", word=f"w{n}") for n in range(most)]
    model = Says(*plans, "Enough.")
    await answer(model, lookup.tool, question=task("What?", profile=Profile(max_iter_num=most)))
    assert len(lookup.runs) == most
    assert len(model.requests) == most + 1


async def test_calls_beside_the_first_count_as_tool_runs() -> None:
    lookup = Lookup()
    model = Says(plan("look_up", word="a", more=[task_of("look_up", word=w) for w in "bc"]), "Enough.")
    await answer(model, lookup.tool, question=task("What?", profile=Profile(max_iter_num=2)))
    assert lookup.runs == ["a", "b"]


async def test_independent_calls_run_side_by_side() -> None:
    running = 0
    both = asyncio.Event()

    async def wait(args: dict[str, Any], context: ToolContext) -> ToolResult:
        nonlocal running
        running += 1
        if running == 2:
            both.set()
        await both.wait()
        return ToolResult(args["word"], args["word"])

    tool = Lookup().tool
    side = Tool(tool.name, tool.name_zh, tool.description, tool.parameters, wait)
    model = Says(plan("look_up", word="a", more=[task_of("look_up", word="b")]), COMPLETE, "Done.")
    async with asyncio.timeout(10):
        events = await answer(model, side)
    acts = [(type(event), event.key) for event in events if getattr(event, "key", "").startswith("act")]
    assert acts == [
        (StepStarted, "act/0/0"),
        (StepStarted, "act/0/1"),
        (StepFinished, "act/0/0"),
        (StepFinished, "act/0/1"),
    ]


async def test_stop_ends_all_calls_that_run_side_by_side() -> None:
    ended: list[str] = []
    waiting = asyncio.Semaphore(0)

    async def hang(args: dict[str, Any], context: ToolContext) -> ToolResult:
        waiting.release()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(args["word"])
        raise AssertionError("unreachable")

    tool = Lookup().tool
    hanging = Tool(tool.name, tool.name_zh, tool.description, tool.parameters, hang)
    model = Says(plan("look_up", word="a", more=[task_of("look_up", word="b")]))
    running = asyncio.create_task(answer(model, hanging))
    async with asyncio.timeout(10):
        await waiting.acquire()
        await waiting.acquire()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert sorted(ended) == ["a", "b"]


async def test_writing_calls_run_one_after_the_other_in_their_place() -> None:
    order: list[str] = []

    def tool(name: str, *, writes: bool) -> Tool:
        async def note(args: dict[str, Any], context: ToolContext) -> ToolResult:
            order.append(f"{name} begins")
            await asyncio.sleep(0)
            order.append(f"{name} ends")
            return ToolResult(name, name)

        return Tool(
            name, f"工具{name}", name, {"type": "object", "properties": {}, "required": []}, note, writes=writes
        )

    tools = (tool("read", writes=False), tool("write", writes=True), tool("paint", writes=True))
    model = Says(plan("read", more=[task_of("write"), task_of("paint")]), COMPLETE, "Done.")
    await answer(model, *tools, journal=MemoryJournal(consent=True))
    assert order == [f"{name} {what}" for name in ("read", "write", "paint") for what in ("begins", "ends")]


async def test_wrong_arguments_that_stay_wrong_are_a_failed_step_and_the_run_goes_on() -> None:
    from agent.tools.builtin import builtin_tools

    wrong = plan("time_delta", begin="2024-02-28", end="2024-03-01")
    model = Says(wrong, wrong, COMPLETE, "It could not be found out.")
    events = await answer(model, *builtin_tools())
    failed = events[3]
    assert isinstance(failed, StepFinished)
    assert not failed.ok
    assert "has no argument `begin`" in failed.result
    assert "has no argument `begin`" in model.asked[1]
    assert finished(events).text == "It could not be found out."


async def test_a_correction_shows_the_reply_and_keeps_the_question() -> None:
    model = Says("Well, let me see…", ONE, COMPLETE, "Done.")
    journal = MemoryJournal()
    await answer(model, Lookup().tool, journal=journal)
    assert model.asked[1].startswith(model.asked[0])
    assert "Well, let me see…" in model.asked[1]
    assert len(model.requests[1].messages) == len(model.requests[0].messages)
    assert row(journal)["attempts"] == 2
    assert row(journal)["usage"] == {"prompt_tokens": 22, "completion_tokens": 14}


async def test_stop_ends_a_planning_call_and_gives_its_slot_back() -> None:
    class Hanging(Says):
        planning = asyncio.Event()

        async def stream(self, request: ChatRequest) -> Any:
            try:
                yield TextChunk('{"thought": "')
                self.planning.set()
                await asyncio.Event().wait()
            finally:
                self.closed_early += 1

    model, journal = Hanging(), MemoryJournal()
    pool = OneModelPool(model)
    running = asyncio.create_task(run(QUESTION, KuaiAgent(), tools=(Lookup().tool,), pool=pool, journal=journal))
    await model.planning.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (pool.held, model.closed_early, journal.calls) == (0, 1, ["begin plan/0"])


async def test_a_plan_that_never_ends_is_left() -> None:
    endless = [TextChunk("x" * 10_000) for _ in range(9)]
    model = Says([*endless, END], [*endless, END], "Done.")
    assert finished(await answer(model, Lookup().tool)).text == "Done."


async def test_a_models_failure_while_planning_goes_up() -> None:
    journal = MemoryJournal()
    with pytest.raises(ModelError, match="unreachable"):
        await answer(Says(ModelError("unreachable", "gone")), Lookup().tool, journal=journal)
    assert journal.calls == ["begin plan/0"]


async def test_an_answer_that_began_on_a_lost_endpoint_begins_anew() -> None:
    failed_over = ReplyEnd("stop", Usage(11, 7), "cpu", ("gpu",))
    said = [TextChunk("Half an ans"), Restarted("gpu died"), TextChunk("Whole answer."), failed_over]
    events = await answer(Says(said))
    assert events[:3] == [TextDelta("Half an ans"), TextReset(), TextDelta("Whole answer.")]
    assert finished(events).notes == ("Answered by “cpu”, because “gpu” could not answer just now.",)


async def test_an_endpoint_that_could_not_plan_is_named_too_once() -> None:
    failed_over = ReplyEnd("stop", Usage(11, 7), "cpu", ("gpu",))
    journal = MemoryJournal()
    model = Says([TextChunk(COMPLETE), failed_over], [TextChunk("Done."), failed_over])
    first = finished(await answer(model, Lookup().tool, journal=journal))
    assert [note.count("gpu") for note in first.notes] == [1]
    assert finished(await answer(Says(), Lookup().tool, journal=journal)).notes == first.notes


async def test_a_question_that_is_too_long_to_plan_with_is_answered_without() -> None:
    question = task("word " * 700)
    model = Says("Long question.", window=1400)
    journal = MemoryJournal()
    events = await answer(model, Lookup().tool, question=question, journal=journal)
    assert finished(events).text == "Long question."
    assert row(journal)["end"] == "unusable"
