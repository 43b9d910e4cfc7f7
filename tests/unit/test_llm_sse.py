from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.llm.sse import MAX_EVENT_BYTES, SseReader


def read(*received: bytes) -> list[bytes]:
    reader = SseReader()
    events = [event for piece in received for event in reader.feed(piece)]
    return events + reader.finish()


def test_events_come_out_when_their_empty_line_has_come():
    reader = SseReader()
    assert reader.feed(b"data: one\n") == []
    assert reader.feed(b"\ndata: two\n\nda") == [b"one", b"two"]


def test_the_end_of_the_stream_completes_the_last_event():
    assert read(b"data: one") == [b"one"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_both_line_ends_are_understood(end: bytes):
    assert read(b"data: one" + end * 2 + b"data: two" + end * 2) == [b"one", b"two"]


def test_only_one_space_after_the_colon_belongs_to_the_format():
    assert read(b"data:a\n\ndata:  b\n\n") == [b"a", b" b"]


def test_several_data_lines_are_one_event():
    assert read(b"data: one\ndata: two\n\n") == [b"one\ntwo"]


def test_comments_and_other_fields_are_passed_over():
    reader = SseReader()
    assert reader.feed(b": ping\n\nevent: message\nid: 7\nretry: 3\ndata: one\n\n") == [b"one"]
    assert not reader.junk


def test_lines_that_are_no_fields_are_noticed():
    reader = SseReader()
    reader.feed(b"<html>\n")
    assert reader.junk


def test_an_endless_line_is_refused():
    reader = SseReader()
    with pytest.raises(ValueError, match="1 MiB"):
        reader.feed(b"data: " + b"x" * MAX_EVENT_BYTES)


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))), st.data())
def test_where_the_network_cuts_does_not_matter(texts: list[str], data: st.DataObject):
    stream = b"".join(b"data: %b\r\n\r\n" % text.encode() for text in texts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)))))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert read(*pieces) == [text.encode() for text in texts]
