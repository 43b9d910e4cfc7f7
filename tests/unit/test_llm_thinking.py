from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.llm.chat import ReasoningChunk, ReplyItem, Restarted, TextChunk
from agent.llm.thinking import ThoughtFilter


@dataclass(frozen=True, slots=True)
class Read:
    """What a reader of the items has in the end."""

    text: str = ""
    thought: str = ""
    restarts: int = 0


def read(*pieces: str, opened: bool = False, whole: bool = True) -> Read:
    thoughts = ThoughtFilter(opened=opened)
    items = [item for piece in pieces for item in thoughts.feed(piece)] + thoughts.finish(whole=whole)
    return summed(items)


def summed(items: list[ReplyItem]) -> Read:
    text = thought = ""
    restarts = 0
    for item in items:
        match item:
            case TextChunk():
                assert item.text
                text += item.text
            case ReasoningChunk():
                assert item.text
                thought += item.text
            case Restarted():
                text, restarts = "", restarts + 1
    return Read(text, thought, restarts)


@pytest.mark.parametrize(
    ("text", "shown", "thought"),
    [
        ("<think>hm</think>\n\nYes", "Yes", "hm"),
        ("\n<think>\nhm\n</think>Yes</think>", "Yes</think>", "\nhm\n"),
        ("<think>a</think>\n</think>\nYes", "Yes", "a"),
        ("<think>never ends", "", "never ends"),
        ("<think></think>Yes", "Yes", ""),
        ("First\n<think>hm</think>\nthen", "First\nthen", "hm"),
        ("First\n   <think>hm</think>then\n<think>so</think>last", "First\n   then\nlast", "hmso"),
        ("<think>a <think> b</think>Yes", "Yes", "a <think> b"),
        ("<think>```\n</think>Yes", "Yes", "```\n"),
        ("<thin", "<thin", ""),
        ("<thinker>", "<thinker>", ""),
        ("a <b> & </p> <", "a <b> & </p> <", ""),
        ("  Yes", "  Yes", ""),
        ("", "", ""),
        (" \n", " \n", ""),
        # Mentioned, not meant.
        ("Yes <think>shown</think>", "Yes <think>shown</think>", ""),
        ("Close it with `</think>`, please", "Close it with `</think>`, please", ""),
        ('The mark "</think>" ends it', 'The mark "</think>" ends it', ""),
        ("标记“</think>”表示结束", "标记“</think>”表示结束", ""),
        ("```\n<think>\nx\n</think>\n```\nSo", "```\n<think>\nx\n</think>\n```\nSo", ""),
        ("~~~~\n~~~\n<think>\n~~~~\nSo", "~~~~\n~~~\n<think>\n~~~~\nSo", ""),
        ("    <think>code</think>", "    <think>code</think>", ""),
        # A fence that has ended, and what only looks like one.
        ("```\nx\n```\n<think>hm</think>So", "```\nx\n```\nSo", "hm"),
        ("``` `x`\n<think>hm</think>So", "``` `x`\nSo", "hm"),
    ],
)
def test_blocks_of_reasoning_are_told_from_text(text: str, shown: str, thought: str):
    if text.startswith("    <think>"):
        text, shown = f"x\n{text}", f"x\n{shown}"
    assert read(text) == read(*text) == Read(shown, thought)


@pytest.mark.parametrize(
    ("text", "shown", "thought"),
    [
        ("hm\n</think>\n\nYes", "Yes", "hm\n"),
        ("hm.</think>Yes", "Yes", "hm."),
        ("hm</think>", "", "hm"),
        ('hm</think>{"a": 1}', '{"a": 1}', "hm"),
        ("```\nx\n```\nhm</think>Yes", "Yes", "```\nx\n```\nhm"),
    ],
)
def test_an_end_without_a_beginning_makes_reasoning_of_all_that_came_before(text: str, shown: str, thought: str):
    # Whoever has the text already is told; else nothing was wrong.
    assert read(*text) == Read(shown, thought, restarts=1)
    assert read(text).text == shown
    assert read(text).thought == thought


def test_a_template_that_opens_the_block_is_noticed():
    thoughts = ThoughtFilter()
    thoughts.feed("hm</think>Yes")
    assert thoughts.opened


def test_where_the_template_is_known_to_open_the_block_nothing_is_shown_and_taken_back():
    assert read(*"hm\n</think>\nYes", opened=True) == Read("Yes", "hm\n")


def test_a_reply_in_which_the_template_opened_nothing_is_text_after_all():
    assert read("Just ", "text", opened=True) == Read("Just text", "Just text")


def test_a_reply_that_was_cut_off_inside_the_template_s_block_has_no_text():
    assert read("hm, let me", opened=True, whole=False) == Read("", "hm, let me")


def test_text_is_not_held_back():
    thoughts = ThoughtFilter()
    assert thoughts.feed("Hello, ") == [TextChunk("Hello, ")]
    assert thoughts.feed("a<b ") == [TextChunk("a<b ")]


@given(st.text(alphabet="<>/think \n`ab", max_size=60), st.data())
def test_where_a_reply_is_cut_does_not_matter(text: str, data: st.DataObject):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)))))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    once, often = read(text), read(*pieces)
    assert (often.text, often.thought) == (once.text, once.thought)


@given(
    st.lists(st.sampled_from(["<think>", "</think>", "\n", " ", "a", "`", "```", '"', "<", "</"]), max_size=25),
    st.data(),
)
def test_where_a_reply_full_of_marks_is_cut_does_not_matter(parts: list[str], data: st.DataObject):
    text = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)))))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    once, often = read(text), read(*pieces)
    assert (often.text, often.thought) == (once.text, once.thought)


@pytest.mark.parametrize("unit", ["<", "<t", "a<think>", "<think></think>", "</think>", "x<think>y</think>\n"])
def test_a_reply_of_a_megabyte_of_marks_that_comes_whole_is_read_like_one_in_pieces(unit: str):
    text = unit * (1_000_000 // len(unit))
    in_pieces = read(*(text[at : at + 1000] for at in range(0, len(text), 1000)))
    assert read(text).text == in_pieces.text
