"""What a stream lacks and takes, and how its rows look."""

from __future__ import annotations

from adapters.slack import limits
from adapters.slack.replying.stream import ROWS_BYTES, TEXT_BYTES, Row, Stream, rows_of
from agent.language import Text
from bot.messages import StepView
from tests.fakes.slack.streams import _size

TITLES = {"search": Text("Search the web", "搜索网页")}


def test_only_what_is_new_is_sent() -> None:
    stream = Stream(0.0)
    stream.has("Hello", ())
    assert stream.lacking("Hello, world", ()) == [{"type": "markdown_text", "text": ", world"}]
    assert stream.lacking("Hello", ()) == []


def test_a_stream_takes_only_what_begins_with_what_it_has() -> None:
    stream = Stream(0.0)
    stream.has("Hello", ())
    assert stream.takes("Hello, world")
    assert not stream.takes("Goodbye")


def test_after_a_call_with_an_unknown_outcome_it_takes_nothing() -> None:
    stream = Stream(0.0, is_known=False)
    assert not stream.takes("Hello")


def test_a_stream_takes_no_more_than_its_share_of_bytes() -> None:
    assert Stream(0.0).takes("啊" * (TEXT_BYTES // 3))
    assert not Stream(0.0).takes("啊" * (TEXT_BYTES // 3 + 1))


def test_it_is_old_before_slack_ends_it() -> None:
    stream = Stream(100.0)
    assert not stream.is_due(100.0 + limits.STREAM_SECONDS - 1)
    assert stream.is_due(100.0 + limits.STREAM_SECONDS)
    assert limits.STREAM_SECONDS < limits.STREAM_DIES_S


def test_rows_never_take_more_bytes_than_they_may() -> None:
    stream = Stream(0.0)
    sent = 0
    for number in range(100):
        for state in ("running", "done"):
            steps = [
                StepView(
                    f"act/{step}/0",
                    "search",
                    {"query": f"query {step} " + "啊" * 50},
                    "done" if step < number or state == "done" else "running",
                    f"https://example.org/{step}",
                )
                for step in range(number + 1)
            ]
            rows = rows_of(steps, TITLES, "zh")
            sent += sum(map(_size, stream.lacking("", rows)))
            stream.has("", rows)
    assert 0 < sent <= ROWS_BYTES


def test_a_row_that_was_begun_is_ended_though_there_is_no_room_for_more() -> None:
    stream = Stream(0.0)
    for number in range(100):
        running = [StepView(f"act/{number}/0", "search", {"query": "啊" * 50})]
        stream.has("", rows_of(running, TITLES, "en"))
        stream.has("", rows_of([StepView(step.key, step.tool, step.args, "done") for step in running], TITLES, "en"))
    assert stream.rows
    assert {row.status for row in stream.rows.values()} == {"complete"}


def test_a_row_is_called_what_its_tool_does_and_about_what() -> None:
    (row,) = rows_of([StepView("a", "search", {"limit": 3, "query": " what\nis  it? "})], TITLES, "en")
    assert row == Row("a", "Search the web: what is it?", "in_progress")


def test_a_row_of_a_tool_without_a_title_has_its_name() -> None:
    (row,) = rows_of([StepView("a", "get_moon_info", {}, "failed")], TITLES, "en")
    assert (row.title, row.status) == ("Moon", "error")


def test_steps_without_a_tool_are_no_rows() -> None:
    assert rows_of([StepView("a", "")], TITLES, "en") == ()


def test_no_markup_is_left_in_a_title() -> None:
    (row,) = rows_of([StepView("a", "search", {"query": "<!channel>"})], TITLES, "en")
    assert "<" not in row.title


def test_the_sources_of_a_row_are_the_addresses_in_its_result() -> None:
    result = "See [one](https://one.example/a), https://two.example/b. And https://one.example/a again"
    (row,) = rows_of([StepView("a", "search", {}, "done", result)], TITLES, "en")
    assert row.sources == ("https://one.example/a", "https://two.example/b")
    assert row.chunk["sources"][0] == {"type": "url", "url": "https://one.example/a", "text": "one.example"}
