"""What the Discord benchmark reads in the fake's log."""

from __future__ import annotations

from typing import Any

from benchmarks.discord_log import OPEN, answers, refused, typed

POST = "POST /channels/{channel}/messages"
PATCH = "PATCH /channels/{channel}/messages/{message}"
TYPING = "POST /channels/{channel}/typing"


def said(at: float, channel: str, message: str) -> dict[str, Any]:
    return {"kind": "said", "at": at, "subject": f"{channel}/{message}", "channel": channel}


def call(at: float, method: str, result: str = "", status: int = 200, **ids: str) -> dict[str, Any]:
    more = {"accepted": status == 200, "status": status, "result": result}
    return {"kind": "call", "at": at, "method": method, "ids": ids, "arguments": None, **more}


def test_an_answer_in_a_thread_is_told_by_the_thread_of_its_question() -> None:
    log = [
        said(1.0, "c", "q"),
        call(1.5, TYPING, channel="c"),
        call(2.0, OPEN, channel="c", message="q"),
        call(2.1, POST, "m1", channel="q"),
        call(4.0, PATCH, channel="q", message="m1"),
        call(4.5, PATCH, status=429, channel="q", message="m1"),
        {"kind": "pressed", "at": 5.0, "subject": "q/m1"},
        call(5.5, POST, "m2", channel="q"),
    ]
    answer = answers(log)["q"]
    assert (answer.calls, answer.threads, answer.creates, answer.edits) == (3, 1, [2.1, 5.5], [4.0])
    assert answer.first == 2.1 - 1.0
    assert (answer.last_at, answer.pressed_at) == (5.5, 5.0)
    assert answer.longest_still == 4.0 - 2.1
    assert (refused(log), typed(log, {"c"})) == (1, 1)


def test_an_answer_in_its_channel_is_told_by_what_it_replies_to() -> None:
    replying = call(3.0, POST, "m", channel="c") | {"arguments": {"message_reference": {"message_id": 7}}}
    log = [said(1.0, "c", "6"), said(2.0, "c", "7"), replying, call(4.0, POST, "other", channel="c")]
    found = answers(log)
    assert found["7"].creates == [3.0]
    assert found["6"].creates == []
