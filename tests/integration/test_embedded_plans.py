"""Plans of the embedded model: whether they make sense is not in its power, but all of them are valid."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace

from agent.language import Lang
from agent.llm.chat import ChatMessage, ReplyEnd, TextChunk
from agent.llm.embedded import EmbeddedConfig, EmbeddedServer
from agent.llm.embedded_chat import EmbeddedChatModel
from agent.styles.base import AskPlan
from agent.styles.kuaiagent.style import KuaiAgent
from agent.tools.builtin import builtin_tools
from tests.support.agent import task

#: Chinese plans take this model three times the tokens.
QUESTIONS: dict[Lang, Sequence[str]] = {
    "en": (
        "What is 17% of 2400?",
        "How many days until Christmas?",
        "What is the lunar date of January 29, 2025?",
        "Hello!",
        "Who wrote Hamlet?",
        "When is the winter solstice of 2027?",
        "Convert 5 km to miles.",
        "How long is it from 2024-02-28 to 2024-03-01?",
        "Which zodiac sign is 1990?",
        "Write a poem about the sea.",
        "What day is it today?",
        "Is 2028 a leap year?",
        "What is 15% of 240?",
        "Thanks!",
        "How old is a person who was born on May 4, 1990?",
    ),
    "zh": (
        "2027年春节是哪一天？",
        "今天星期几？",
        "240的15%是多少？",
        "2026年有哪些节气？",
        "距离国庆节还有多少天？",
    ),
}


async def test_twenty_of_twenty_plans_are_valid_by_the_closed_schema() -> None:
    server = EmbeddedServer(EmbeddedConfig(context_per_slot=1024, slots=2, patience=120.0))
    await server.start()
    model = EmbeddedChatModel(server)
    try:
        both = await asyncio.gather(*(unusable_plans(model, lang, QUESTIONS[lang]) for lang in QUESTIONS))
    finally:
        await model.aclose()
        await server.stop()
    assert sum(map(len, QUESTIONS.values())) == 20
    assert [bad for some in both for bad in some] == []


async def unusable_plans(model: EmbeddedChatModel, lang: Lang, questions: Sequence[str]) -> list[str]:
    """The replies that are no plan by the schema, one question after another."""
    bad: list[str] = []
    for question in questions:
        asked = KuaiAgent().plan(task(question, lang=lang), builtin_tools(), ())
        assert isinstance(asked, AskPlan)
        # The schema and the token limit are the real ones; a long prompt would only take its time.
        request = replace(asked.smaller[-1].request, messages=(ChatMessage("user", f"{question} JSON:"),))
        text, end = "", None
        async with aclosing(model.stream(request)) as items:
            async for item in items:
                if isinstance(item, TextChunk):
                    text += item.text
                elif isinstance(item, ReplyEnd):
                    end = item
        if end is None or end.finish_reason != "stop" or not is_valid(text, asked):
            bad.append(f"{question}: {text}")
    return bad


def is_valid(text: str, asked: AskPlan) -> bool:
    """Whether it is JSON as it stands, in the form of a plan, and can be carried out."""
    written = json.loads(text, strict=False)
    plan = asked.read(text, False)
    return list(written) == ["thought", "task_name", "command"] and bool(
        plan.calls or plan.end in ("complete", "nothing")
    )
