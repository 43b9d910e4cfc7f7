"""What the model is asked, and that it fits into the model's window."""

from __future__ import annotations

from string import Formatter

import pytest

from agent import texts
from agent.language import Text
from agent.llm.chat import ChatMessage
from agent.llm.tokens import estimate_messages
from agent.profile import Profile
from agent.styles import registry
from agent.styles.noagent import DEMO_PROMPT_TOKENS, DEMO_REPLY_TOKENS, NoAgent
from tests.support.agent import NOW, task

PROFILE = Profile(agent_name="Ada", agent_bio="Knows the archive.", agent_instructions="Never guess.")


def test_the_prompt_has_profile_history_and_the_question_last() -> None:
    asked = NoAgent().conclude(
        task("And now?", history=[("Who?", "Ada."), ("Why?", "")], profile=PROFILE), (), demo=False
    )
    roles = [message.role for message in asked.request.messages]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"]
    system = asked.request.messages[0].content
    assert all(part in system for part in ("Ada", "Knows the archive.", "Never guess.", "English"))
    assert [message.content for message in asked.request.messages[1:5]] == ["Who?", "Ada.", "Why?", "(no answer)"]
    assert asked.request.messages[-1].content.startswith("And now?\n\n(")
    assert asked.notes == ()


def test_the_chinese_prompt_is_chinese() -> None:
    asked = NoAgent().conclude(task("现在呢？", profile=PROFILE), (), demo=False)
    assert "你是Ada" in asked.request.messages[0].content
    assert asked.request.messages[-1].content == ("现在呢？\n\n（2026-11-21 20:45 UTC+8 星期六 农历十月十三 戌时）")


def test_time_stands_right_below_the_question_so_that_what_is_before_it_can_be_cached() -> None:
    early = NoAgent().conclude(task("Hi", history=[("a", "b")]), (), demo=False)
    late = NoAgent().conclude(task("Hi", history=[("a", "b")], now=NOW.replace(hour=22)), (), demo=False)
    assert early.request.messages[:-1] == late.request.messages[:-1]
    assert early.request.messages[-1] != late.request.messages[-1]


def test_what_a_turn_read_and_wrote_stands_word_for_word_in_the_next_one() -> None:
    first = NoAgent().conclude(task("Who?"), (), demo=False).request.messages
    following = NoAgent().conclude(
        task("Why?", history=[("Who?", "Ada.", NOW)], now=NOW.replace(hour=22)), (), demo=False
    )
    assert following.request.messages[:-1] == (*first, ChatMessage("assistant", "Ada."))


def test_the_demo_model_gets_a_short_prompt_a_short_reply_and_a_label() -> None:
    history = [(f"question {n} " * 40, f"answer {n} " * 40) for n in range(20)]
    asked = NoAgent().conclude(task("Hi", history=history), (), demo=True)
    assert estimate_messages(asked.request.messages) <= DEMO_PROMPT_TOKENS < 1000
    assert asked.request.max_tokens == DEMO_REPLY_TOKENS <= 150
    assert asked.notes[0] == texts.NOTE_DEMO.en
    assert "oldest messages" in asked.notes[1]


def test_auto_is_the_router_for_the_demo_model_and_kuaiagent_for_others() -> None:
    assert registry.get("auto", demo=True).name == "router"
    assert registry.get("auto", demo=False).name == "kuaiagent"


@pytest.mark.parametrize("name", ["kuaiagent", "router", "noagent"])
def test_a_style_is_found_by_its_name(name: str) -> None:
    assert registry.get(name, demo=False).name == name


def test_an_unknown_style_is_refused_with_the_names_that_exist() -> None:
    with pytest.raises(ValueError, match="'kuai' is unknown; it can be: auto, kuaiagent, noagent, router"):
        registry.get("kuai", demo=False)


def test_every_sentence_has_the_same_fields_in_both_languages() -> None:
    fields = {
        name: [sorted(set(_fields(text))) for text in value]
        for name, value in vars(texts).items()
        if isinstance(value, Text)
    }
    assert {name: pair for name, pair in fields.items() if pair[0] != pair[1]} == {}
    assert len(fields) > 50


def _fields(text: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(text) if name]
