"""Markdown in parts: nothing is lost, every part stands alone, and what was settled stays while the text grows."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.rendering.split import LEAST_LIMIT, Measure, closed, fenced, pieces, split, steady, utf8, utf16

MEASURES: list[Measure] = [len, utf8, utf16]
#: What Markdown is made of, and what trips a careless cut.
WORDS = [
    *("hello", "世界", "。", "，", ". ", "the quick brown fox", "x" * 40, "naïve", "👨‍👩‍👧", "e\u0301", "🇨🇳🇫🇷"),
    *("|a|b|", "|--|--|", "|1|2|", "|", "```", "```py", "~~~", "- item", "  - deeper", "1. one", "# Title", "> quoted"),
    *("**bold**", "`code`", "[a link](https://example.com/a_(b))", "`", "\\", "    ", "\n", "\n\n", "\r\n", "***"),
]
MARKDOWN = st.lists(
    st.tuples(st.sampled_from(WORDS), st.sampled_from(["", " ", "\n", "\n"])).map("".join), min_size=1, max_size=90
).map("".join)
LIMITS = st.sampled_from([LEAST_LIMIT, 160, 300])


def open_fence(part: str) -> str | None:
    """The fence that a part leaves open, read line by line."""
    mark = None
    for line in part.split("\n"):
        if mark is None:
            found = re.match(r"[ \t]*(?:(?:>|[-*+]|\d{1,9}[.)])[ \t]+|>)*(`{3,8}(?=[^`]*$)|~{3,8}(?!~))", line)
            mark = found[1] if found else None
        else:
            found = re.match(r"[ \t>]*(`+|~+)\s*$", line)
            if found and found[1][0] == mark[0] and len(found[1]) >= len(mark):
                mark = None
    return mark


def letters(text: str) -> str:
    return "".join(text.split())


@given(MARKDOWN, LIMITS, st.sampled_from(MEASURES))
@settings(max_examples=250)
def test_every_character_arrives_in_parts_that_fit_and_close_their_fences(
    text: str, limit: int, measure: Measure
) -> None:
    found = pieces(text, limit, measure)
    assert letters("".join(text[piece.start : piece.end] for piece in found)) == letters(text)
    assert letters("".join(piece.body(text) for piece in found)) == letters(text)
    between = [0, *(place for piece in found for place in (piece.start, piece.end)), len(text)]
    assert between == sorted(between)
    for part in split(text, limit, measure):
        assert measure(part) <= limit
        assert part.strip()
        assert open_fence(part) is None


@given(MARKDOWN, LIMITS, st.sampled_from(MEASURES), st.integers(1, 9))
@settings(max_examples=60)
def test_what_was_shown_of_a_growing_text_is_never_taken_back(
    text: str, limit: int, measure: Measure, stride: int
) -> None:
    before: list[str] = []
    for end in range(0, len(text) + 1, stride):
        shown = steady(text[:end], limit, measure)
        whole = split(text[:end], limit, measure)
        assert len(shown) >= len(before)
        assert all(new.startswith(old) for old, new in zip(before, shown, strict=False))
        assert all(new.startswith(old) for old, new in zip(shown, whole, strict=False))
        before = shown
    assert all(new.startswith(old) for old, new in zip(before, split(text, limit, measure), strict=False))


@given(MARKDOWN, MARKDOWN, LIMITS)
@settings(max_examples=100)
def test_all_parts_but_the_last_stay_when_text_is_added(text: str, more: str, limit: int) -> None:
    settled = split(text, limit)[:-1]
    assert split(text + more, limit)[: len(settled)] == settled


def test_a_text_that_fits_is_one_part_and_unchanged() -> None:
    text = "# 标题\n\n- 一\n- 二\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    assert split(text, 200) == [text]


@pytest.mark.parametrize("blank", ["", "\n\n", " " * 5000, "\n" * 5000])
def test_nothing_but_white_space_is_no_part(blank: str) -> None:
    assert split(blank, 200) == []
    assert steady(blank, 200) == []


def test_a_limit_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="too small"):
        split("text", LEAST_LIMIT - 1)


def test_a_fence_goes_on_with_its_language_in_the_next_part() -> None:
    code = "".join(f"line_{number} = {number}\n" for number in range(30))
    parts = split(f"Look:\n\n```python title=x\n{code}```\nDone.", 200)
    assert len(parts) > 2
    assert parts[0].startswith("Look:\n\n```python title=x\nline_0")
    assert all(part.startswith("```python\nline_") for part in parts[1:])
    assert all(part.endswith("\n```") for part in parts[:-1])
    assert parts[-1].endswith("```\nDone.")


def test_a_fence_in_a_list_goes_on_without_the_indent_of_the_list() -> None:
    code = "".join(f"      deep_{number}()\n" for number in range(20))
    parts = split(f"- one\n  - two:\n    ```js\n{code}    ```\n- three", 200)
    assert all(part.startswith("```js\n  deep_") for part in parts[1:])
    assert parts[-1].endswith("\n```\n- three")


def test_a_fence_in_a_quote_keeps_its_quote_marks() -> None:
    code = "".join(f"> row {number}\n" for number in range(40))
    parts = split(f"> ```\n{code}> ```\n", 200)
    assert all(part.startswith("> ```\n> row") for part in parts)
    assert all(part.rstrip().endswith("\n> ```") for part in parts)


def test_a_long_info_string_is_not_repeated_in_full() -> None:
    parts = split("```" + "l" * 60 + "\n" + "code\n" * 60 + "```", 200)
    assert parts[1].startswith("```" + "l" * 24 + "\n")


def test_a_table_that_does_not_fit_any_more_moves_to_the_next_part_with_its_heading() -> None:
    table = "| 城市 | 人口 |\n|---|---|\n" + "".join(f"| 城市{number} | {number} |\n" for number in range(8))
    parts = split("word " * 30 + f"\n\n## 表\n\n{table}", 256)
    assert [part.strip() for part in parts] == [("word " * 30).strip(), f"## 表\n\n{table}".strip()]


def test_a_table_that_is_too_long_is_cut_between_rows_and_repeats_its_header() -> None:
    head = "| name | value |\n|:-----|------:|\n"
    rows = [f"| row {number} | {number * 7} |\n" for number in range(40)]
    parts = split(head + "".join(rows), 256)
    assert len(parts) > 3
    assert all(part.startswith(head) for part in parts)
    assert "".join(part.removeprefix(head) for part in parts) == "".join(rows)


def test_a_table_in_the_making_is_held_back_until_it_is_complete() -> None:
    table = "| a | b |\n|---|---|\n| 1 | 2 |\n"
    assert steady("Text.\n\n" + table, 400) == ["Text.\n\n"]
    assert steady("Text.\n\n" + table + "\nMore", 400) == ["Text.\n\n" + table + "\nMore"]
    assert split("Text.\n\n" + table, 400) == ["Text.\n\n" + table]


def test_a_heading_is_never_left_behind() -> None:
    text = "word " * 36 + "\n\n## Heading\n\n" + "more text " * 20
    parts = split(text, 230)
    assert parts[1].startswith("## Heading\n\nmore text")


def test_paragraphs_come_before_sentences_and_sentences_before_words() -> None:
    paragraphs = split(("One sentence. Another sentence here.\n\n" * 12), 200)
    assert all(part.strip().endswith("here.") for part in paragraphs)
    sentences = split("这是一个句子。" * 60, 200)
    assert all(part.endswith("。") for part in sentences)
    words = split("word " * 100, 200)
    assert all(set(part.split()) == {"word"} for part in words)


def test_a_list_is_cut_between_items_and_nested_ones_lose_the_indent() -> None:
    text = "- top\n" + "".join(f"    - nested item number {number}\n" for number in range(20))
    parts = split(text, 200)
    assert all(part.startswith("- nested item") for part in parts[1:])


@pytest.mark.parametrize("cluster", ["👨‍👩‍👧‍👦", "e\u0301\u0323", "🇨🇳", "👍🏽", "❤️"])
@pytest.mark.parametrize("before", range(8))
def test_characters_that_belong_together_stay_together(cluster: str, before: int) -> None:
    for part in split("x" * before + cluster * 60, LEAST_LIMIT):
        assert not part.strip("x").replace(cluster, "")


@pytest.mark.parametrize("whole", ["[the text of a link](https://example.com/path)", "`code with spaces in it`"])
def test_links_and_code_spans_are_not_cut(whole: str) -> None:
    for before in range(40):
        for part in split("w" * before + " " + f"{whole} and " * 16, 300):
            assert part.count(whole) * len(whole) == sum(map(len, re.findall(r"\[.*?\)|`.*?`", part)))
            assert part.count("[") == part.count(")")
            assert part.count("`") % 2 == 0


def test_a_part_does_not_begin_with_what_would_turn_into_a_list() -> None:
    for part in split("one - two 1. three # four " * 40, 150):
        assert not re.match(r"-|\d|#", part)


@pytest.mark.parametrize(
    ("begun", "shown"),
    [
        ("```py\nx = 1", "```py\nx = 1\n```"),
        ("- a\n  ```\n  x\n", "- a\n  ```\n  x\n  ```"),
        ("so **bold", "so **bold**"),
        ("so **bold and `code", "so **bold and `code`**"),
        ("~~gone", "~~gone~~"),
        ("2**8 is", "2**8 is"),
        ("a ** b", "a ** b"),
        ("done **bold** `code`", "done **bold** `code`"),
        ("in `code ** there", "in `code ** there`"),
        ("**重点", "**重点**"),
        ("a **bold \n", "a **bold** \n"),
        ("one `\n\ntwo", "one `\n\ntwo"),
    ],
)
def test_an_unfinished_text_is_closed_for_showing(begun: str, shown: str) -> None:
    assert closed(begun) == shown


def test_only_fences_are_closed_before_something_follows() -> None:
    assert fenced("**bold\n\n~~~~\ncode") == "**bold\n\n~~~~\ncode\n~~~~"
    assert fenced("**bold") == "**bold"


@pytest.mark.parametrize(
    "hostile",
    [
        "[" * 100_000,
        "`" * 1_000_000,
        "`a``b```c " * 100_000,
        "\n" * 1_000_000,
        ">" * 1_000_000,
        "- " * 300_000,
        "|" + "-|" * 300_000,
        "a" + "\u0301" * 500_000,
        "```\na\n```\n" * 50_000,
        "# H\n|a|\n" * 60_000,
        "|a|b|\n|-|-|\n" + "|1|2|\n" * 80_000,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_hostile_texts_take_bounded_time(hostile: str) -> None:
    before = time.process_time()
    parts = split(hostile, 9_000, utf8)
    assert time.process_time() - before < 10
    assert all(utf8(part) <= 9_000 for part in parts)
