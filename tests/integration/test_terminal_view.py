"""How a turn looks on a terminal: drawn by rich, seen on a screen."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.terminal.chat_shapes import Turn
from adapters.terminal.chat_view import LiveView, first_block
from adapters.terminal.console import make_console, markdown, one_line, safe, safe_json
from agent.language import Lang
from tests.support.terminal import Screen

COLUMNS, ROWS = 60, 16
STEP = {"key": "act/0/0", "tool": "t", "title": "Looking", "args": {}, "state": "done", "html": "<p>2 days</p><p>x</p>"}


def turn(**fields: Any) -> Turn:
    """A picture of a turn that runs."""
    known = {
        "id": 1,
        "conversation": "a" * 32,
        "state": "running",
        "version": 1,
        "messages": [],
        "steps": [],
        "text": "",
        "status": "",
        "notes": [],
        "sources": [],
        "model": "tiny",
        "can_retry": False,
        "can_stop": True,
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return Turn(**(known | fields))


class Seen:
    """A console, and its screen."""

    def __init__(self) -> None:
        self._file = io.StringIO()
        self.console = make_console(
            self._file, width=COLUMNS, height=ROWS, force_terminal=True, _environ={"TERM": "xterm-256color"}
        )
        self._screen = Screen(COLUMNS, ROWS)

    @property
    def text(self) -> str:
        self._screen.feed(self._file.getvalue().replace("\n", "\r\n"))
        self._file.seek(0)
        self._file.truncate()
        return self._screen.text


@pytest.fixture
def seen() -> Seen:
    return Seen()


async def no(question: str) -> bool:
    return False


@pytest.fixture
def view(seen: Seen) -> Callable[..., LiveView]:
    def make(lang: Lang = "en") -> LiveView:
        return LiveView(seen.console, lang, no)

    return make


def paragraphs(count: int) -> str:
    return "".join(f"Paragraph {number} has a few words.\n\n" for number in range(1, count + 1))


async def test_a_growing_answer_stands_once_on_the_screen(seen: Seen, view: Any) -> None:
    async with view() as shown:
        for end in range(0, 60, 7):
            shown.show(turn(text="An answer **in bold** that grows and grows as one looks."[:end]))
        assert "An answer in bold" in seen.text
        assert "Writing · " in seen.text
        shown.end(turn(state="answered", text="An answer **in bold** that grows and grows as one looks."))
    assert seen.text.count("An answer") == 1
    assert "Writing" not in seen.text
    assert "tiny · " in seen.text


async def test_an_answer_longer_than_the_screen_is_whole_and_in_order_when_one_scrolls_back(
    seen: Seen, view: Any
) -> None:
    text = paragraphs(30)
    async with view() as shown:
        for end in range(0, len(text), 50):
            shown.show(turn(text=text[:end]))
            assert len(seen.text.splitlines()) < 5 + 2 * 30
        shown.end(turn(state="answered", text=text))
    found = [line for line in seen.text.splitlines() if line.startswith("Paragraph")]
    assert found == [line for line in text.splitlines() if line]


async def test_a_turn_that_runs_again_and_says_the_same_is_shown_once(seen: Seen, view: Any) -> None:
    text = paragraphs(30)
    async with view() as shown:
        for end in [len(text) // 2, 0, 10, len(text) // 4, len(text)]:
            shown.show(turn(text=text[:end]))
        shown.end(turn(state="answered", text=text))
    assert seen.text.count("Paragraph 1 has") == 1
    assert "anew" not in seen.text


async def test_a_turn_that_says_something_else_after_all_begins_anew_visibly(seen: Seen, view: Any) -> None:
    async with view() as shown:
        shown.show(turn(text=paragraphs(30)))
        shown.show(turn(text=""))
        shown.show(turn(text="Something else."))
        shown.end(turn(state="answered", text="Something else."))
    assert seen.text.count("The answer begins anew:\nSomething else.") == 1


async def test_each_step_is_one_line_as_soon_as_it_is_finished(seen: Seen, view: Any) -> None:
    async with view() as shown:
        shown.show(turn(steps=[STEP | {"state": "running", "html": ""}]))
        assert "Looking · 0 s · Ctrl-C stops" in seen.text
        shown.show(turn(steps=[STEP]))
        assert "✓ Looking  2 days" in seen.text
        shown.end(turn(state="answered", steps=[STEP, STEP | {"key": "act/0/1", "state": "failed"}], text="Done."))
    assert seen.text.count("✓ Looking") == 1
    assert seen.text.count("✗ Looking") == 1
    assert "2 steps" in seen.text


@pytest.mark.parametrize(
    ("lang", "fields", "expected"),
    [
        ("en", {"state": "answered", "text": "So.", "sources": ["http://a/", "http://b/"]}, "Sources:\n  1. http://a/"),
        ("zh", {"state": "answered", "text": "好。", "sources": ["http://a/"]}, "来源：\n  1. http://a/"),
        ("en", {"state": "answered", "text": "So.", "notes": ["A demo model wrote this."]}, "A demo model wrote this."),
        ("en", {"state": "failed", "text": "It broke.", "can_retry": True}, "It broke.\n/retry asks again."),
        ("zh", {"state": "failed", "text": "", "can_retry": True}, "回答失败。\n用 /retry 重试。"),
        ("en", {"state": "stopped", "text": "Half an", "can_retry": True}, "Half an\nStopped."),
        ("zh", {"state": "withdrawn"}, "问题已被删除。"),
    ],
)
async def test_every_end_says_what_it_is(
    lang: Lang, fields: dict[str, Any], expected: str, seen: Seen, view: Any
) -> None:
    async with view(lang) as shown:
        shown.show(turn(text=fields.get("text", "") if fields["state"] in ("answered", "stopped") else "Half"))
        shown.end(turn(**fields))
    assert expected in seen.text


@pytest.fixture
def hostile() -> Iterator[str]:
    return iter(
        ("\x1b[2Jred", "\x1b]0;title\x07", "\x9b31m", "\x90payload\x9c", "a\rb", "\u202eabc", "\ud83d", "x\x08")
    )


def test_nothing_that_a_terminal_obeys_is_left_in_a_text(hostile: Iterator[str]) -> None:
    assert [safe(text) for text in hostile] == ["red", "", "", "", "ab", "abc", "", "x"]
    assert safe("tab\there\nand 中文 😀") == "tab\there\nand 中文 😀"
    assert one_line("two\nlines \x1b[1mhere", 12) == "two lines h…"


def test_json_shows_what_it_carries_and_reads_back_the_same() -> None:
    assert safe_json('"\x9b中文\u202e"') == '"\\u009b中文\\u202e"'


def test_references_and_links_in_markdown_are_harmless(seen: Seen) -> None:
    seen.console.print(markdown("See [the bank](http://evil.example/) &#x202e;now&#155; <b>html</b> `\x1b[1m`"))
    raw = seen._file.getvalue()
    assert "http://evil.example/" in raw
    assert "\u202e" not in raw
    assert "\x9b" not in raw
    assert "\x1b]8" not in raw


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One paragraph that may grow", ""),
        ("One.\n\nTwo", "One.\n\n"),
        ("- a\n- b\n\n- c", ""),
        ("```\ncode\n\nmore\n", ""),
        ("| a |\n| - |\n| 1 |\n\nText", "| a |\n| - |\n| 1 |\n\n"),
    ],
)
def test_a_block_is_finished_when_the_next_one_begins(text: str, expected: str) -> None:
    assert first_block(text) == expected
