"""Cleaning the text of a message: what a database or a terminal can't take goes, everything else stays."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.inbox import clean

#: Any string that Python can hold, lone surrogates included.
anything = st.text(st.characters() | st.integers(0xD800, 0xDFFF).map(chr))
#: Text as people write it: no control characters but line feed and tab, no surrogates.
ordinary = st.text(st.characters(exclude_categories=("Cc", "Cs")) | st.sampled_from("\n\t"))


@given(anything)
def test_what_is_left_can_be_stored_everywhere(text: str) -> None:
    cleaned = clean(text)
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned
    assert {char for char in cleaned if unicodedata.category(char) == "Cc"} <= {"\n", "\t"}


@given(ordinary)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@given(anything)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("nul\x00 bell\x07 escape\x1b[31m delete\x7f", "nul bell escape[31m delete"),
        ("eight-bit escape \x9b31m", "eight-bit escape 31m"),
        ("half \ud83d a pair", "half  a pair"),
        ("tab\tstays", "tab\tstays"),
        ("family 👨‍👩‍👧 and עברית stay", "family 👨‍👩‍👧 and עברית stay"),
        ("", ""),
    ],
)
def test_known_cases(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned
