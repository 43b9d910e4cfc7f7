from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.llm.chat import ChatMessage
from agent.llm.tokens import MESSAGE_OVERHEAD, estimate, estimate_messages, upper_bound

ENGLISH = "The committee has decided that the meeting will take place on Thursday, and everybody is invited. "
CHINESE = "委员会决定会议将于星期四举行，欢迎所有人参加。"


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        # Around what common tokenizers give; the digits are Qwen's, one each.
        (ENGLISH, 19, 26),
        (CHINESE, 17, 26),
        ("31415926535897932384626433832795", 32, 32),
        ("https://example.org/a/b?id=7f3a&x=1", 12, 30),
        ("def add(a: int, b: int) -> int:\n    return a + b\n", 19, 34),
        ("👩🏼‍🚀", 4, 14),
        (" " * 1000, 60, 500),
        ("\t" * 8, 1, 8),
        ("x", 1, 1),
    ],
)
def test_the_guess_is_near_the_truth_and_rather_above_it(text: str, least: int, most: int):
    assert least <= estimate(text) <= most


def test_no_text_has_no_tokens():
    assert estimate("") == 0


@given(st.text(max_size=200), st.text(max_size=200))
def test_more_text_is_never_fewer_tokens(a: str, b: str):
    assert estimate(a + b) >= max(estimate(a), estimate(b)) - 1


@given(st.text(max_size=200) | st.text(st.characters(max_codepoint=127), max_size=200))
def test_the_guess_never_exceeds_its_upper_bound(text: str):
    assert estimate(text) <= upper_bound(text)


def test_no_ascii_character_has_more_than_one_token_however_often_it_comes():
    runs = [chr(code) * count for code in range(128) for count in range(1, 9)]
    assert [run for run in runs if estimate(run) > len(run)] == []


def test_random_letters_are_not_taken_for_words():
    assert estimate("aGVsbG8gd29ybGQhIFRoaXMgaXMgYmFzZTY0") >= 14


def test_every_message_costs_its_template():
    messages = [ChatMessage("system", "Be brief."), ChatMessage("user", "Hi")]
    assert estimate_messages(messages) == 2 * MESSAGE_OVERHEAD + estimate("Be brief.") + estimate("Hi")
