"""The fake Slack's streams and agent sessions, one rule a test, through the real slack_sdk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack.prepared import ALICE, BOB, C1, DORA, SHARED, T1, T2
from tests.fakes.slack.world import SlackError
from tests.support.slack_web import Desk, error_of, slack_web

FEEDBACK = {
    "type": "context_actions",
    "elements": [
        {
            "type": "feedback_buttons",
            "action_id": "feedback",
            "positive_button": {"text": {"type": "plain_text", "text": "Good"}, "value": "1"},
            "negative_button": {"text": {"type": "plain_text", "text": "Bad"}, "value": "-1"},
        }
    ],
}
METADATA = {"event_type": "kagentbot_turn", "event_payload": {"turn": "t1", "part": 0}}


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    async with slack_web() as desk:
        yield desk


@pytest.fixture
def app(desk: Desk) -> AsyncWebClient:
    return desk.app


async def _start(desk: Desk, text: str = "one ", **more: Any) -> str:
    """A stream in the thread of a new question; its ts."""
    arguments: dict[str, Any] = {"recipient_team_id": T1, "recipient_user_id": ALICE, "markdown_text": text} | more
    return str((await desk.app.chat_startStream(channel=C1, thread_ts=desk.said(), **arguments))["ts"])


def _task(**more: Any) -> dict[str, Any]:
    return {"type": "task_update", "id": "1", "title": "Search", "status": "in_progress"} | more


async def test_a_stream_is_started_fed_and_stopped(desk: Desk, app: AsyncWebClient) -> None:
    ts = await _start(desk)
    await app.chat_appendStream(channel=C1, ts=ts, chunks=[{"type": "markdown_text", "text": "two "}, _task()])
    answer = await app.chat_stopStream(
        channel=C1, ts=ts, markdown_text="three", blocks=[FEEDBACK], metadata=METADATA, session_status="active"
    )
    assert answer["message"]["text"] == "one two three"
    shown = desk.calls()[-1]["shown"][0]
    assert (shown["visible"], shown["buttons"], shown["streaming"]) == ("one two three", ["feedback"], False)
    assert (shown["metadata"], shown["tasks"][0]["title"]) == (METADATA, "Search")
    assert [event["subtype"] for event in desk.events("message") if event.get("hidden")] == ["message_changed"] * 2


async def test_slack_sdk_s_own_helper_streams(desk: Desk, app: AsyncWebClient) -> None:
    stream = await app.chat_stream(
        channel=C1, thread_ts=desk.said(), recipient_team_id=T1, recipient_user_id=ALICE, buffer_size=5
    )
    for text in ("abc", "defg", "h"):
        await stream.append(markdown_text=text)
    await stream.stop(blocks=[FEEDBACK])
    methods = [entry["method"] for entry in desk.calls()]
    assert methods == ["chat.startStream", "chat.stopStream"]
    assert desk.calls()[-1]["shown"][0]["text"] == "abcdefgh"


@pytest.mark.parametrize("missing", ["recipient_user_id", "recipient_team_id"])
async def test_in_a_channel_the_recipient_must_be_named(desk: Desk, missing: str) -> None:
    assert await error_of(_start(desk, "one", **{missing: None})) == f"missing_{missing}"


async def test_the_recipient_s_team_is_their_own(desk: Desk, app: AsyncWebClient) -> None:
    thread = desk.said(channel=SHARED, user=DORA, team=T2)
    arguments: dict[str, Any] = {
        "channel": SHARED,
        "thread_ts": thread,
        "recipient_user_id": DORA,
        "markdown_text": "x",
    }
    assert await error_of(app.chat_startStream(**arguments, recipient_team_id=T1)) == "user_not_found"
    assert (await app.chat_startStream(**arguments, recipient_team_id=T2))["ok"]


async def test_in_a_direct_message_nobody_need_be_named_but_the_thread(desk: Desk, app: AsyncWebClient) -> None:
    dm = desk.slack.dm(T1, ALICE).id
    thread = desk.said(channel=dm)
    assert (await app.chat_startStream(channel=dm, thread_ts=thread, markdown_text="x"))["ok"]
    assert await error_of(app.chat_startStream(channel=dm, thread_ts="", markdown_text="x")) == "invalid_thread_ts"
    desk.slack.app.messages_tab = False
    refusal = await error_of(app.chat_startStream(channel=dm, thread_ts=thread, markdown_text="x"))
    assert refusal == "messages_tab_disabled"


async def test_a_stream_dies_after_five_minutes_even_when_fed(desk: Desk, app: AsyncWebClient) -> None:
    ts = await _start(desk)
    desk.later = 299
    await app.chat_appendStream(channel=C1, ts=ts, markdown_text="still")
    desk.later = 301
    append = app.chat_appendStream(channel=C1, ts=ts, markdown_text="late")
    assert await error_of(append) == "message_not_in_streaming_state"
    assert await error_of(app.chat_stopStream(channel=C1, ts=ts)) == "message_not_in_streaming_state"
    assert desk.slack.seen(desk.slack.message(C1, ts))["streaming"] is True


async def test_a_dead_stream_can_be_rescued_by_an_update(desk: Desk, app: AsyncWebClient) -> None:
    ts = await _start(desk)
    desk.later = 301
    assert (await app.chat_update(channel=C1, ts=ts, markdown_text="all of it"))["ok"]
    shown = desk.calls()[-1]["shown"][0]
    assert (shown["visible"], shown["streaming"]) == ("all of it", False)


async def test_a_streaming_message_takes_no_update(desk: Desk, app: AsyncWebClient) -> None:
    ts = await _start(desk)
    assert await error_of(app.chat_update(channel=C1, ts=ts, text="x")) == "streaming_state_conflict"


async def test_a_message_that_never_streamed_takes_no_append(app: AsyncWebClient) -> None:
    ts = (await app.chat_postMessage(channel=C1, text="x"))["ts"]
    append = app.chat_appendStream(channel=C1, ts=ts, markdown_text="y")
    assert await error_of(append) == "message_not_in_streaming_state"


async def test_somebody_else_s_message_takes_no_append(desk: Desk, app: AsyncWebClient) -> None:
    append = app.chat_appendStream(channel=C1, ts=desk.said(), markdown_text="y")
    assert await error_of(append) == "message_not_owned_by_app"


async def test_a_stream_holds_eleven_thousand_bytes_of_utf8(desk: Desk, app: AsyncWebClient) -> None:
    ts = await _start(desk, "天" * 3_000)
    assert await error_of(app.chat_appendStream(channel=C1, ts=ts, markdown_text="天" * 667)) == "msg_too_long"
    assert (await app.chat_appendStream(channel=C1, ts=ts, markdown_text="天" * 666))["ok"]


async def test_task_rows_count_and_their_details_and_output_twice(desk: Desk, app: AsyncWebClient) -> None:
    desk.set(stream_bytes=100)
    ts = await _start(desk, "x" * 50)
    # Title 6, details 2 x 12, output 2 x 11: 52 bytes.
    over = _task(details="d" * 12, output="o" * 11)
    assert await error_of(app.chat_appendStream(channel=C1, ts=ts, chunks=[over])) == "msg_too_long"
    assert (await app.chat_appendStream(channel=C1, ts=ts, chunks=[over | {"details": "d" * 11}]))["ok"]


async def test_a_chunk_takes_twelve_thousand_characters(desk: Desk, app: AsyncWebClient) -> None:
    desk.set(stream_bytes=100_000)
    ts = await _start(desk)
    assert await error_of(app.chat_appendStream(channel=C1, ts=ts, markdown_text="x" * 12_001)) == "msg_too_long"
    assert (await app.chat_appendStream(channel=C1, ts=ts, markdown_text="x" * 12_000))["ok"]


@pytest.mark.parametrize("chunk", [{"type": "x"}, _task(status="done"), _task(title=""), {"type": "plan_update"}])
async def test_a_chunk_that_slack_does_not_know_is_refused(
    desk: Desk, app: AsyncWebClient, chunk: dict[str, Any]
) -> None:
    ts = await _start(desk)
    call = app.api_call("chat.appendStream", json={"channel": C1, "ts": ts, "chunks": [chunk]})
    assert await error_of(call) == "invalid_chunks"


async def test_a_refused_chunk_adds_nothing(desk: Desk, app: AsyncWebClient) -> None:
    ts = await _start(desk)
    chunks = [{"type": "markdown_text", "text": "good"}, {"type": "x"}]
    await error_of(app.api_call("chat.appendStream", json={"channel": C1, "ts": ts, "chunks": chunks}))
    assert desk.slack.message(C1, ts).text == "one "


async def test_starting_and_stopping_is_scarce_appending_less_so(desk: Desk, app: AsyncWebClient) -> None:
    desk.set(tier_factor=0.1)
    first = await _start(desk)
    await _start(desk)
    assert await error_of(_start(desk)) == "ratelimited"
    for _ in range(10):
        await app.chat_appendStream(channel=C1, ts=first, markdown_text="x")
    assert await error_of(app.chat_appendStream(channel=C1, ts=first, markdown_text="x")) == "ratelimited"


# Sessions and Stop.


async def test_stop_ends_the_streams_and_leaves_the_status(desk: Desk, app: AsyncWebClient) -> None:
    ts = await _start(desk)
    thread = desk.slack.message(C1, ts).root
    assert desk.slack.stop_session(C1, thread, BOB) == [ts]
    event = desk.events("agent_session_stopped")[0]
    expected = {"channel": C1, "thread_ts": thread, "user": BOB, "streaming_message_ts": [ts]}
    assert {name: event[name] for name in expected} == expected
    assert await error_of(app.chat_appendStream(channel=C1, ts=ts, markdown_text="x")) == "stopped_by_user"
    session = desk.slack.session(C1, thread)
    assert session is not None
    assert session.status == "processing"
    assert (await app.chat_update(channel=C1, ts=ts, text="stopped"))["ok"]


async def test_stopping_a_stream_ends_the_session_as_it_says(desk: Desk, app: AsyncWebClient) -> None:
    ts = await _start(desk)
    thread = desk.slack.message(C1, ts).root
    await app.chat_stopStream(channel=C1, ts=ts)
    assert desk.slack.sessions[C1, thread].status == "active"
    with pytest.raises(SlackError, match="no_stop_button"):
        desk.slack.stop_session(C1, thread, BOB)


async def test_a_status_shows_the_stop_button_until_it_changes_or_an_hour_passes(
    desk: Desk, app: AsyncWebClient
) -> None:
    thread = desk.said()
    await app.agents_sessions_setStatus(channel_id=C1, thread_ts=thread, status="processing", title="Question")
    assert desk.slack.stop_session(C1, thread, ALICE) == []
    desk.later = 3_601
    with pytest.raises(SlackError, match="no_stop_button"):
        desk.slack.stop_session(C1, thread, ALICE)
    assert desk.slack.sessions[C1, thread].title == "Question"


async def test_without_the_subscription_there_is_a_warning_and_no_event(desk: Desk, app: AsyncWebClient) -> None:
    desk.slack.app.events -= {"agent_session_stopped"}
    thread = desk.said()
    answer = await app.agents_sessions_setStatus(channel_id=C1, thread_ts=thread, status="processing")
    assert answer["warning"] == "missing_agent_session_stopped_event_subscription"
    with pytest.raises(SlackError, match="no_stop_button"):
        desk.slack.stop_session(C1, thread, ALICE)


async def test_an_app_that_is_no_agent_has_no_sessions(desk: Desk, app: AsyncWebClient) -> None:
    desk.slack.app.agent = False
    call = app.agents_sessions_setStatus(channel_id=C1, thread_ts=desk.said(), status="processing")
    assert await error_of(call) == "not_authorized"


async def test_a_session_s_title_has_two_hundred_characters_at_most(desk: Desk, app: AsyncWebClient) -> None:
    thread = desk.said()
    await app.agents_sessions_setStatus(channel_id=C1, thread_ts=thread, status="active")
    assert (await app.agents_sessions_rename(channel_id=C1, thread_ts=thread, title="x" * 200))["ok"]
    rename = app.agents_sessions_rename(channel_id=C1, thread_ts=thread, title="x" * 201)
    assert await error_of(rename) == "invalid_arguments"


async def test_a_thread_s_status_line_clears_when_something_is_said(desk: Desk, app: AsyncWebClient) -> None:
    thread = desk.said()
    await app.assistant_threads_setStatus(channel_id=C1, thread_ts=thread, status="is thinking…")
    assert desk.slack.status(C1, thread) == "is thinking…"
    await app.chat_postMessage(channel=C1, thread_ts=thread, text="done")
    assert desk.slack.status(C1, thread) == ""
    call = app.assistant_threads_setStatus(
        channel_id=C1, thread_ts=thread, status="is thinking…", loading_messages=["x"] * 11
    )
    assert await error_of(call) == "invalid_arguments"


async def test_a_thread_s_status_line_clears_by_itself_after_two_minutes(desk: Desk, app: AsyncWebClient) -> None:
    thread = desk.said()
    await app.assistant_threads_setStatus(channel_id=C1, thread_ts=thread, status="is thinking…")
    desk.later = 119
    assert desk.slack.status(C1, thread) == "is thinking…"
    desk.later = 121
    assert desk.slack.status(C1, thread) == ""


async def test_four_prompts_can_be_suggested_in_a_direct_message(desk: Desk, app: AsyncWebClient) -> None:
    dm = desk.slack.dm(T1, ALICE).id
    prompts = [{"title": f"p{number}", "message": "m"} for number in range(5)]
    await app.assistant_threads_setSuggestedPrompts(channel_id=dm, prompts=prompts[:4])
    assert len(desk.slack.prompts[dm, ""]) == 4
    refusal = await error_of(app.assistant_threads_setSuggestedPrompts(channel_id=dm, prompts=prompts))
    assert refusal == "invalid_arguments"
    thread = desk.said(channel=dm)
    await app.assistant_threads_setTitle(channel_id=dm, thread_ts=thread, title="A question")
    assert desk.slack.sessions[dm, thread].title == "A question"
