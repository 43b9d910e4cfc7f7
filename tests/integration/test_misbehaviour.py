"""Models that misbehave: the outcome of each case, its answer, and exactly how many model calls it takes."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from agent.events import StepFinished
from agent.llm.chat import ModelError
from agent.llm.client import OpenAIChatModel
from agent.llm.endpoint import Endpoint
from agent.llm.pool import EndpointPool, Member
from agent.profile import Profile
from agent.styles.kuaiagent.style import KuaiAgent
from agent.tools.builtin import builtin_tools
from tests.fakes.llm import FakeLLM
from tests.support.agent import MemoryJournal, OneModelPool, Says, finished, run, task
from tests.support.misbehaviour import CASES, Case, ends_of, table
from tests.support.plans import Lookup

PAGE = Path(__file__).parents[2] / "docs" / "agent.md"
#: Both plans of every question to the fake server.
SCRIPT = '[fake:plan=calculator{"expression": "6 * 7"};calculator{"expression": "#n + 1"}]'


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_model_that_misbehaves_gets_its_outcome(case: Case) -> None:
    lookup, model, journal = Lookup(), Says(*case.replies), MemoryJournal()
    running = run(
        task("What does one mean?", profile=Profile(max_iter_num=5)),
        KuaiAgent(),
        tools=(lookup.tool,),
        pool=OneModelPool(model),
        journal=journal,
    )
    if case.answer is None:
        with pytest.raises(ModelError, match="empty"):
            await running
    else:
        events = await running
        acts = [event for event in events if isinstance(event, StepFinished) and event.key.startswith("act")]
        assert (len(acts), sum(not act.ok for act in acts)) == (case.runs, case.failed)
        assert finished(events).text == case.answer
        assert finished(events).notes == ((case.note,) if case.note else ())
    assert len(model.requests) == case.calls
    assert ends_of(journal.steps) == list(case.ends)
    assert len(lookup.runs) == case.runs


async def test_a_made_up_address_is_no_source() -> None:
    case = next(case for case in CASES if case.note)
    pool = OneModelPool(Says(*case.replies))
    events = await run(task("What does one mean?"), KuaiAgent(), tools=(Lookup().tool,), pool=pool)
    assert finished(events).sources == ("https://words.example/one",)


def test_the_page_has_the_table_of_these_cases() -> None:
    print(table())
    assert table() in PAGE.read_text()


#: What the fake server spoils, and of how many plans: why planning ends, by plan, and the calls of the model.
OVER_HTTP = {
    **{f"{bad}/1": ([None, None, "complete"], 4) for bad in ("prose", "fence", "think", "python", "newline")},
    **{f"{bad}/1": ([None, None, "complete"], 4) for bad in ("flat", "tags", "react", "toolcall")},
    **{f"{bad}/1": ([None, None, "complete"], 5) for bad in ("cut", "args", "text", "empty")},
    "tool/1": (["unknown"], 2),
    "text": (["unusable"], 3),
    "repeat": ([None, "repeated"], 3),
    "endless": ([None] * 5, 6),
}


async def test_it_is_the_same_over_http() -> None:
    async with FakeLLM() as fake, AsyncExitStack() as stack:
        model = OpenAIChatModel(Endpoint(fake.base_url, model="fake-model", context_tokens=8192))
        stack.push_async_callback(model.aclose)
        pool = EndpointPool([Member(model, 8)])
        stack.push_async_callback(pool.aclose)

        async def outcome(bad: str) -> tuple[list[str | None], int]:
            mark = f"[m:{bad.replace('/', '-')}]"
            journal = MemoryJournal()
            events = await run(
                task(f"{mark} {SCRIPT} [fake:badplan={bad}] [fake:think=5] How much?"),
                KuaiAgent(),
                tools=builtin_tools(),
                journal=journal,
                pool=pool,
            )
            text = finished(events).text
            assert text.startswith(mark), text
            assert "<think" not in text
            return ends_of(journal.steps), sum(mark in call.user for call in fake.calls())

        found = dict(zip(OVER_HTTP, await asyncio.gather(*map(outcome, OVER_HTTP)), strict=True))
        assert found == OVER_HTTP
