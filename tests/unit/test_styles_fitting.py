"""Prompts that fit into the window that a model really has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from agent.llm.chat import ChatMessage, ChatRequest, ModelError
from agent.llm.tokens import estimate_messages
from agent.profile import Profile
from agent.styles.base import Ask, AskPlan, Done, Plan, ToolCall, Variant
from agent.styles.fitting import Fitted, fit, shorten
from agent.styles.kuaiagent.style import KuaiAgent
from agent.tools.builtin import builtin_tools
from agent.tools.registry import Tool, ToolResult
from tests.support.agent import NOW, OneModelPool, Says, ScriptedModel, finished, run, task
from tests.support.plans import Lookup, plan


async def fitted_to(request: ChatRequest, window: int) -> Fitted:
    return await fit(Ask(request), ScriptedModel(window=window), "en")


def request(*contents: str, max_tokens: int | None = None) -> ChatRequest:
    roles = ["system", *["user", "assistant"] * len(contents)]
    messages = tuple(ChatMessage(role, text) for role, text in zip(roles, contents, strict=False))  # type: ignore[arg-type]
    return ChatRequest(messages, max_tokens=max_tokens)


async def test_a_request_that_fits_comes_back_as_it_is() -> None:
    whole = request("be brief", "q1", "a1", "q2")
    fitted = await fitted_to(whole, 4096)
    assert fitted.request is whole
    assert fitted.left_out == 0


async def test_the_oldest_exchanges_go_first_and_whole() -> None:
    old, new = "old " * 400, "new " * 100
    fitted = await fitted_to(request("be brief", old, old, new, new, "last"), 1024)
    assert [message.content for message in fitted.request.messages] == ["be brief", new, new, "last"]
    assert fitted.left_out == 2


@pytest.mark.parametrize("window", [512, 1000, 2048, 4096, 8192])
async def test_a_fitted_prompt_leaves_room_for_the_reply(window: int) -> None:
    exchanges = ["中文历史 " * 60] * 40
    fitted = await fitted_to(request("be brief", *exchanges, "last"), window)
    assert estimate_messages(fitted.request.messages) + min(1024, window // 4) <= window
    assert fitted.request.messages[-1].content == "last"
    assert (len(fitted.request.messages) - 2) % 2 == 0


async def test_a_reply_that_was_asked_for_is_reserved() -> None:
    text = "word " * 300
    assert (await fitted_to(request("s", text, "a", "last", max_tokens=100), 1000)).left_out == 0
    assert (await fitted_to(request("s", text, "a", "last", max_tokens=800), 1000)).left_out == 2


async def test_a_question_that_alone_is_too_long_is_a_context_overflow() -> None:
    with pytest.raises(ModelError) as failure:
        await fitted_to(request("be brief", "q", "a", "word " * 5000), 4096)
    assert failure.value.fault == "context_overflow"


def test_a_conversation_that_outgrew_the_window_begins_alike_for_several_turns() -> None:
    def kept(exchanges: int) -> str:
        contents = [f"{n} " + "word " * 40 for n in range(2 * exchanges)]
        return shorten(request("s", *contents, "last"), 1000).request.messages[1].content.split()[0]

    beginnings = [kept(exchanges) for exchanges in range(1, 25)]
    changes = sum(one != other for one, other in pairwise(beginnings))
    assert beginnings[0] == "0"
    assert int(beginnings[-1]) > 20
    assert changes <= 8


def test_an_exchange_that_fits_stays_even_if_it_takes_nearly_all_the_room() -> None:
    kept = request("s", "word " * 70, "new", "last").messages
    shortened = shorten(request("s", "old " * 100, "old", "word " * 70, "new", "last"), estimate_messages(kept))
    assert shortened.request.messages == kept


def test_shortening_never_touches_the_question() -> None:
    long = "word " * 3000
    shortened = shorten(request("s", "q", "a", long), 100)
    assert [message.content for message in shortened.request.messages] == ["s", long]


class Counts(ScriptedModel):
    """A model whose server counts, by so many tokens for each that we estimate."""

    def __init__(self, *, window: int, share: float) -> None:
        super().__init__(window=window)
        self.counted = 0
        self._share = share

    async def count(self, messages: Sequence[ChatMessage]) -> int:
        self.counted += 1
        return int(estimate_messages(messages) * self._share)


def twelve_tools() -> tuple[Tool, ...]:
    """The tools that come along, and as many again as an operator may have."""
    builtin = builtin_tools()
    return tuple(replace(builtin[n % len(builtin)], name=f"tool_{n}", name_zh=f"工具{n}") for n in range(12))


LONG_CHINESE = task(
    "请问这些记录里一共有多少天？",
    history=[("上一个问题是关于历法的，说来话长。" * 12, "回答也很长，因为要解释很多细节。" * 20)] * 30,
)
RESULT = ToolResult("".join(f"第{n}条记录。" for n in range(2000)), "结果")
DONE = (Done(ToolCall("tool_1", {"start_date": "2024-01-01"}), RESULT),)


@pytest.mark.parametrize("done", [(), DONE], ids=["first", "later"])
@pytest.mark.parametrize("window", [2048, 4096, 8192, 16384])
@pytest.mark.parametrize("share", [0.6, 1.0, 1.15])
async def test_a_plan_with_twelve_tools_and_a_long_history_fits(
    window: int, share: float, done: tuple[Done, ...]
) -> None:
    asked = KuaiAgent().plan(LONG_CHINESE, twelve_tools(), done)
    assert isinstance(asked, AskPlan)
    model = Counts(window=window, share=share)
    fitted = await fit(asked, model, "zh")
    request = fitted.request
    assert request.max_tokens is not None
    assert await model.count(request.messages) + request.max_tokens <= window
    assert all(f"tool_{n}" in request.messages[0].content for n in range(12))
    assert "一共有多少天" in request.messages[-1].content
    assert request.messages[-1].content.endswith("[PLAN]")


@pytest.mark.parametrize("window", [2048, 4096])
async def test_an_answer_with_twelve_tools_and_a_long_history_fits(window: int) -> None:
    asked = KuaiAgent().conclude(LONG_CHINESE, DONE, demo=False, tools=twelve_tools())
    fitted = await fit(asked, ScriptedModel(window=window), "zh")
    assert estimate_messages(fitted.request.messages) + window // 4 <= window
    assert (fitted.left_out, fitted.memory_cut > 0) == (60, True)
    content = fitted.request.messages[-1].content
    assert "第1条记录。" in content
    assert "第1999条记录。" in content
    assert "第1000条记录。" not in content
    assert "此处略去" in content


async def test_plans_and_answers_of_a_conversation_begin_alike() -> None:
    style, tools = KuaiAgent(), builtin_tools()
    first, second = task("One?"), task("Two?", history=[("One?", "1.")], now=NOW.replace(hour=22))
    prompts = []
    for a_task in (first, second):
        for asked in (style.plan(a_task, tools, ()), style.conclude(a_task, (), demo=False, tools=tools)):
            assert not isinstance(asked, Plan)
            prompts.append((await fit(asked, ScriptedModel(window=4096), "en")).request.messages)
    assert len({messages[0].content for messages in prompts}) == 1
    assert prompts[2][:-1] == prompts[3][:-1]
    assert "One?" not in prompts[2][0].content
    # All but the mark at its end.
    plan, answer, later = (messages[-1].content.rpartition(" ")[0] for messages in prompts[:3])
    assert plan == answer != later


async def test_a_prompt_that_certainly_fits_is_not_counted() -> None:
    model = Counts(window=8192, share=1.0)
    await fit(Ask(request("be brief", "q1", "a1", "q2")), model, "en")
    assert model.counted == 0


async def test_the_servers_count_decides_not_the_estimate() -> None:
    history = ["word " * 100] * 20
    roomy = await fit(Ask(request("s", *history, "last")), Counts(window=2048, share=0.5), "en")
    tight = await fit(Ask(request("s", *history, "last")), Counts(window=2048, share=2.0), "en")
    assert roomy.left_out < tight.left_out


async def test_a_shorter_fixed_part_is_taken_where_the_window_is_small() -> None:
    long, short = request("long " * 500, "last"), request("short", "last")
    asked = Ask(long, smaller=(Variant(short),))
    assert (await fit(asked, ScriptedModel(window=4096), "en")).request is long
    assert (await fit(asked, ScriptedModel(window=1024), "en")).request is short


async def test_a_prompt_is_for_windows_of_a_least_size() -> None:
    wide, narrow = request("s", "wide"), request("s", "narrow")
    asked = Ask(wide, least_window=8192, smaller=(Variant(narrow),))
    assert (await fit(asked, ScriptedModel(window=8192), "en")).request is wide
    assert (await fit(asked, ScriptedModel(window=8191), "en")).request is narrow


async def test_all_of_the_history_goes_before_any_of_the_memory() -> None:
    memory = "".join(f"<{n}>" for n in range(400))
    messages = request("s", *["word " * 40] * 10, f"{memory}\nlast")
    slightly = await fit(Ask(messages, memory=memory), ScriptedModel(window=2400), "en")
    assert (slightly.left_out > 0, slightly.memory_cut) == (True, 0)
    much = await fit(Ask(messages, memory=memory), ScriptedModel(window=800), "en")
    content = much.request.messages[-1].content
    assert much.left_out == 10
    assert f"[… {much.memory_cut} characters left out …]" in content
    assert content.startswith("<0><1>")
    assert content.endswith("<399>\nlast")


async def test_no_more_is_cut_out_of_mixed_text_than_has_to_be() -> None:
    class Digits(ScriptedModel):
        async def count(self, messages: Sequence[ChatMessage]) -> int:
            text = "".join(message.content for message in messages)
            digits = sum(ch.isdigit() for ch in text)
            return (len(text) - digits) // 5 + 2 * digits

    words = "plain words here and there " * 200
    memory = f"{words}{'9876543210' * 150}{words}"
    model = Digits(window=4096)
    fitted = await fit(Ask(request("s", f"{memory}\nlast"), memory=memory), model, "en")
    assert 2000 < await model.count(fitted.request.messages) <= 4096 - 1024
    # The digits alone had to go.
    assert fitted.memory_cut < 1.7 * 1500


async def test_what_was_left_out_is_said_below_the_answer() -> None:
    lookup = Lookup()
    long = replace(lookup.tool, run=lambda args, context: _long())
    profile = Profile(max_iter_num=1)
    pool = OneModelPool(Says(plan("look_up", word="one"), "An answer.", window=2048))
    events = await run(
        task("What?", history=[("q " * 300, "a " * 300)] * 3, profile=profile), KuaiAgent(), tools=(long,), pool=pool
    )
    notes = finished(events).notes
    assert "6 oldest messages" in notes[0]
    assert "from the middle of what the tools found" in notes[1]


async def _long() -> ToolResult:
    return ToolResult("fact " * 3000, "facts")
