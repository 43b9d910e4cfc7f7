"""A reply as one Markdown text."""

from __future__ import annotations

import pytest

from agent.language import Text
from bot.messages import Consent, Draft, Final, StepView
from bot.rendering.compose import compose, escaped, source_link, working

TITLES = {"search": Text("Searching the *web*", "搜索网页")}


def test_an_answer_has_its_remarks_and_numbered_sources_below() -> None:
    final = Final(
        "answered",
        "The answer.\n",
        "en",
        notes=("Cut at `4,096`.",),
        sources=("https://a.example/x", "https://b.example"),
    )
    assert compose(final) == (
        "The answer.\n\n*Cut at `4,096`.*\n\n**Sources**\n\n1. <https://a.example/x>\n2. <https://b.example>"
    )


def test_an_answer_without_remarks_and_sources_is_its_text() -> None:
    assert compose(Final("answered", "答案。", "zh")) == "答案。"


def test_an_open_fence_does_not_swallow_the_remarks() -> None:
    final = Final("stopped", "```py\nx = 1", "zh", notes=("已停止。",))
    assert compose(final) == "```py\nx = 1\n```\n\n*已停止。*"


def test_stopped_before_the_first_word_is_its_remark() -> None:
    assert compose(Final("stopped", "", "en", notes=("Stopped.",))) == "*Stopped.*"


@pytest.mark.parametrize("outcome", ["refused", "failed"])
def test_a_refusal_or_failure_is_one_sentence(outcome: str) -> None:
    final = Final(outcome, "Try again in an hour.", "en", notes=("x",), sources=("https://a.example",))  # type: ignore[arg-type]
    assert compose(final) == "Try again in an hour."


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("https://a.example/x_y?z=1", "<https://a.example/x_y?z=1>"),
        ("A [title] *here* https://a.example/(x)", r"[A \[title\] \*here\*](https://a.example/%28x%29)"),
        ("标题：https://a.example/路径", "[标题](https://a.example/路径)"),
        ("https://a.example/<!channel>|x", "<https://a.example/%3C!channel%3E%7Cx>"),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("notes.pdf, page 3", "notes.pdf, page 3"),
        ("a_file.pdf", r"a\_file.pdf"),
        ("see https://a.example for more", "see https://a.example for more"),
    ],
)
def test_a_source_is_a_link_with_its_title_escaped(source: str, shown: str) -> None:
    assert source_link(source) == shown


def test_a_draft_shows_steps_status_text_and_the_question() -> None:
    draft = Draft(
        "So far **bold",
        (StepView("a", "search", state="done"), StepView("b", "search", state="failed"), StepView("c", "get_x_info")),
        "Thinking…",
        Consent("c", "May I run `x`?"),
    )
    assert working(draft, TITLES, "en") == (
        "- ✓ Searching the \\*web\\*\n- ✗ Searching the \\*web\\*\n- … X\n\n*Thinking…*\n\nSo far **bold**\n\n"
        "> May I run \\`x\\`?"
    )
    assert working(Draft(steps=(StepView("a", "search"),)), TITLES, "zh") == "- … 搜索网页"


def test_a_draft_with_nothing_in_it_shows_nothing() -> None:
    assert working(Draft(), TITLES, "en") == ""


def test_escaped_text_has_no_markdown_left() -> None:
    assert escaped("a*b_c`d[e]<f>") == r"a\*b\_c\`d\[e\]\<f\>"
