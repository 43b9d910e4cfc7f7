"""The JSON API over real sockets, on a real store with the real dispatcher and a scripted agent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, event, func, insert, select

from agent.events import AgentEvent, Finished, StepFinished, StepStarted, TextDelta
from agent.journal import Journal
from agent.language import Text
from agent.llm.chat import ModelError
from agent.task import Task
from bot.messages import Author, Incoming, Target
from bot.ports import Health, StoreUnavailable
from bot.store import views
from bot.store.db import Store
from bot.store.tables import conversation, feedback, message, step, turn
from tests.support.server import stored_texts
from tests.support.web import Gate, Json, Site

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NOBODY = "0" * 32


async def count(store: Store, table: Any) -> int:
    return await store.read(lambda c: c.execute(select(func.count()).select_from(table)).scalar_one())


async def test_a_message_is_answered(store: Store) -> None:
    async with Site(store) as site:
        posted = await site.client.send("hello **you**")
        found = await site.client.finished(posted["turn_id"])
    assert posted["duplicate"] is False
    assert (found["state"], found["text"]) == ("answered", "echo: hello **you**")
    assert found["html"] == "<p>echo: hello <strong>you</strong></p>\n"
    assert [m["text"] for m in found["messages"]] == ["hello **you**"]
    assert found["conversation"] == posted["conversation"]
    assert (found["can_stop"], found["can_retry"], found["feedback"]) == (False, False, 0)


async def test_a_message_sent_five_times_is_one_message(store: Store) -> None:
    message_id = str(uuid4())
    async with Site(store) as site:
        sent = await asyncio.gather(*(site.client.send("hello", None, message_id) for _ in range(5)))
        await site.client.finished(sent[0]["turn_id"])
        listed = await site.client.call("GET", "/api/v1/conversations")
    assert len({(found["conversation"], found["turn_id"]) for found in sent}) == 1
    assert sorted(found["duplicate"] for found in sent) == [False, True, True, True, True]
    assert len(listed["conversations"]) == 1
    assert await count(store, turn) == 1


async def test_a_message_goes_on_in_its_conversation(store: Store) -> None:
    async with Site(store) as site:
        first = await site.client.send("one")
        second = await site.client.send("two", first["conversation"])
        await site.client.finished(second["turn_id"])
        page = await site.client.call("GET", f"/api/v1/conversations/{first['conversation']}")
    assert first["conversation"] == second["conversation"]
    assert [found["messages"][0]["text"] for found in page["turns"]] == ["one", "two"]
    assert page["next"] is None


async def test_a_message_to_an_unknown_conversation_is_refused_and_not_stored(store: Store) -> None:
    async with Site(store) as site:
        body = {"conversation": NOBODY, "message_id": str(uuid4()), "text": "hello"}
        status, found = await site.client.ask("POST", "/api/v1/messages", body)
    assert (status, found["error"]["code"]) == (404, "not_found")
    assert await count(store, message) == 0


MESSAGE_ID = str(uuid4())
BAD_MESSAGES: list[tuple[str, bytes, str]] = [
    ("empty", json.dumps({"message_id": MESSAGE_ID, "text": ""}).encode(), "empty_message"),
    ("blank", json.dumps({"message_id": MESSAGE_ID, "text": " \n\t \u3000"}).encode(), "empty_message"),
    ("only control", json.dumps({"message_id": MESSAGE_ID, "text": "\x00\x07\x1b"}).encode(), "empty_message"),
    ("too long", json.dumps({"message_id": MESSAGE_ID, "text": "字" * 1001}).encode(), "message_too_long"),
    ("far too long", json.dumps({"message_id": MESSAGE_ID, "text": "字" * 200_000}).encode(), "message_too_long"),
    ("larger than a body", b"x" * (2 * 1024 * 1024 + 1), "too_large"),
    ("broken UTF-8", b'{"message_id": "' + MESSAGE_ID.encode() + b'", "text": "\xff\xfe"}', "not_json"),
    (
        "nothing but half a character",
        b'{"message_id": "' + MESSAGE_ID.encode() + b'", "text": "\\ud83d"}',
        "empty_message",
    ),
    ("raw half a character", b'{"message_id": "' + MESSAGE_ID.encode() + b'", "text": "\xed\xa0\xbd"}', "not_json"),
    ("no JSON", b"text=hello", "not_json"),
    ("nothing", b"", "not_json"),
    ("a list", b"[]", "not_json"),
    ("no text", json.dumps({"message_id": MESSAGE_ID}).encode(), "invalid_request"),
    ("no id", json.dumps({"text": "hello"}).encode(), "invalid_request"),
    ("not a UUID", json.dumps({"message_id": "1", "text": "hello"}).encode(), "invalid_request"),
    ("a number as text", json.dumps({"message_id": MESSAGE_ID, "text": 5}).encode(), "invalid_request"),
    ("an unknown field", json.dumps({"message_id": MESSAGE_ID, "text": "a", "x": 1}).encode(), "invalid_request"),
    (
        "a strange key",
        json.dumps({"message_id": MESSAGE_ID, "text": "a", "conversation": "../x"}).encode(),
        "invalid_request",
    ),
    ("deeply nested", b'{"text":' + b"[" * 100_000, "not_json"),
]


@pytest.mark.parametrize(("name", "raw", "code"), BAD_MESSAGES, ids=[name for name, *_ in BAD_MESSAGES])
async def test_bad_input_gets_one_sentence_and_stores_nothing(
    sqlite_store: Store, name: str, raw: bytes, code: str
) -> None:
    async with Site(sqlite_store) as site:
        said = []
        for language in ("en", "zh-CN,zh;q=0.9,en;q=0.5"):
            headers = {"Accept-Language": language, "Content-Type": "application/json"}
            status, found = await site.client.ask("POST", "/api/v1/messages", data=raw, headers=headers)
            assert (status, found["error"]["code"]) == (413 if code == "too_large" else 400, code)
            said.append(found["error"]["message"])
    english, chinese = said
    assert english.endswith(".")
    assert "\n" not in english
    assert chinese.endswith("。")
    assert await count(sqlite_store, message) == 0


async def test_control_characters_are_left_out_and_line_ends_made_one_kind(store: Store) -> None:
    async with Site(store) as site:
        posted = await site.client.send("a\x00b\x1b[31mc\td\r\ne\rf\x7f")
        found = await site.client.finished(posted["turn_id"])
    assert found["messages"][0]["text"] == "ab[31mc\td\ne\nf"


async def test_a_message_of_the_longest_length_is_taken(store: Store) -> None:
    async with Site(store, max_chars=100_000) as site:
        posted = await site.client.send("\U0001f600" * 100_000)
        assert (await site.client.finished(posted["turn_id"]))["state"] == "answered"


async def test_editing_a_waiting_message_is_answered_with_the_new_text(store: Store) -> None:
    gate = Gate()
    async with Site(store, gate) as site:
        first = await site.client.send("first")
        edited = str(uuid4())
        second = await site.client.send("old", first["conversation"], edited)
        path = f"/api/v1/conversations/{first['conversation']}/messages/{edited}"
        changed = await site.client.call("PUT", path, {"text": "new"})
        gate.answer("1")
        gate.answer("2")
        found = await site.client.finished(second["turn_id"])
    assert changed == {"turn_id": second["turn_id"], "duplicate": False}
    assert gate.asked == ["first", "new"]
    assert [(m["text"], m["revision"]) for m in found["messages"]] == [("new", 1)]


async def test_editing_a_message_that_is_being_answered_gives_a_new_turn(store: Store) -> None:
    gate = Gate()
    message_id = str(uuid4())
    async with Site(store, gate) as site:
        posted = await site.client.send("old", None, message_id)
        gate.say(TextDelta("half"))
        await site.client.turn_when(posted["turn_id"], lambda t: t["text"] == "half")
        path = f"/api/v1/conversations/{posted['conversation']}/messages/{message_id}"
        changed = await site.client.call("PUT", path, {"text": "new"})
        old = await site.client.finished(posted["turn_id"])
        gate.answer("whole")
        new = await site.client.finished(changed["turn_id"])
        page = await site.client.call("GET", f"/api/v1/conversations/{posted['conversation']}")
    assert changed["turn_id"] != posted["turn_id"]
    assert (old["state"], old["merged_into"], old["messages"]) == ("superseded", new["id"], [])
    assert (new["text"], new["messages"][0]["text"]) == ("whole", "new")
    assert [found["id"] for found in page["turns"]] == [new["id"]]


async def test_an_edit_is_checked_like_a_message(store: Store) -> None:
    message_id = str(uuid4())
    async with Site(store) as site:
        posted = await site.client.send("hello", None, message_id)
        path = f"/api/v1/conversations/{posted['conversation']}/messages/{message_id}"
        empty = await site.client.ask("PUT", path, {"text": " "})
        long = await site.client.ask("PUT", path, {"text": "a" * 1001})
        found = await site.client.finished(posted["turn_id"])
    assert (empty[0], empty[1]["error"]["code"]) == (400, "empty_message")
    assert (long[0], long[1]["error"]["code"]) == (400, "message_too_long")
    assert found["messages"][0]["revision"] == 0


async def test_editing_or_deleting_an_unknown_message_is_refused_and_stores_nothing(store: Store) -> None:
    async with Site(store) as site:
        posted = await site.client.send("hello")
        await site.client.finished(posted["turn_id"])
        path = f"/api/v1/conversations/{posted['conversation']}/messages/{uuid4()}"
        edit = await site.client.ask("PUT", path, {"text": "new"})
        delete = await site.client.ask("DELETE", path)
    assert (edit[0], delete[0]) == (404, 404)
    assert await stored_texts(store) == ["hello", "echo: hello"]


async def test_deleting_a_message_that_is_being_answered_withdraws_its_turn(store: Store) -> None:
    gate = Gate()
    message_id = str(uuid4())
    async with Site(store, gate) as site:
        posted = await site.client.send("secret", None, message_id)
        gate.say(TextDelta("half"))
        await site.client.turn_when(posted["turn_id"], lambda t: t["text"] == "half")
        path = f"/api/v1/conversations/{posted['conversation']}/messages/{message_id}"
        assert await site.client.call("DELETE", path) == {}
        found = await site.client.finished(posted["turn_id"])
        again = await site.client.ask("DELETE", path)
        edited = await site.client.ask("PUT", path, {"text": "back"})
        page = await site.client.call("GET", f"/api/v1/conversations/{posted['conversation']}")
    assert found["state"] == "withdrawn"
    assert (found["text"], found["html"], [m["text"] for m in found["messages"]]) == ("", "", [""])
    assert found["messages"][0]["erased"] is True
    assert (again[0], edited[0]) == (204, 404)
    assert page["turns"] == []


async def test_stop_ends_a_running_turn_with_what_there_is(store: Store) -> None:
    gate = Gate()
    async with Site(store, gate) as site:
        posted = await site.client.send("hello")
        gate.say(TextDelta("half an answer"))
        running = await site.client.turn_when(posted["turn_id"], lambda t: t["text"] != "")
        path = f"/api/v1/turns/{posted['turn_id']}/stop"
        stopping = await site.client.call("POST", path)
        found = await site.client.finished(posted["turn_id"])
        again = await site.client.call("POST", path)
    assert (running["state"], running["can_stop"]) == ("running", True)
    assert (stopping, again) == ({"stopping": True}, {"stopping": False})
    assert (found["state"], found["text"]) == ("stopped", "half an answer")
    assert (found["can_stop"], found["can_retry"]) == (False, True)
    assert found["notes"]


async def test_a_step_that_stop_interrupted_does_not_run_for_ever(store: Store) -> None:
    async def endless(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        yield StepStarted("act/0/0", "act", "time_delta", {})
        await journal.begin("act/0/0", {"tool": "time_delta", "args": {}})
        await asyncio.Event().wait()
        yield Finished("never")

    async with Site(store, endless) as site:
        posted = await site.client.send("hello")
        path = f"/api/v1/turns/{posted['turn_id']}"
        await site.client.turn_when(posted["turn_id"], lambda t: [s["state"] for s in t["steps"]] == ["running"])
        await site.client.call("POST", f"{path}/stop")
        found = await site.client.finished(posted["turn_id"])
    assert (found["state"], [step["state"] for step in found["steps"]]) == ("stopped", ["failed"])


async def test_a_failed_turn_is_retried_once(store: Store) -> None:
    gate = Gate()
    async with Site(store, gate) as site:
        posted = await site.client.send("hello")
        gate.say(ModelError("unreachable", "nobody there"))
        failed = await site.client.finished(posted["turn_id"])
        path = f"/api/v1/turns/{posted['turn_id']}/retry"
        retried = await site.client.call("POST", path)
        again = await site.client.ask("POST", path)
        gate.answer("there you are")
        found = await site.client.finished(retried["turn_id"])
        page = await site.client.call("GET", f"/api/v1/conversations/{posted['conversation']}")
    assert (failed["state"], failed["can_retry"], failed["reason"]) == ("failed", True, "model.unreachable")
    assert failed["text"]
    assert (again[0], again[1]["error"]["code"]) == (409, "not_retryable")
    assert (found["text"], found["retry_of"]) == ("there you are", posted["turn_id"])
    assert found["messages"][0]["text"] == "hello"
    # The failure has been replaced by the answer.
    assert [t["id"] for t in page["turns"]] == [found["id"]]


async def test_a_rating_is_kept_changed_and_taken_back(store: Store) -> None:
    async with Site(store) as site:
        posted = await site.client.send("hello")
        await site.client.finished(posted["turn_id"])
        found = []
        for value in (1, -1, 0):
            await site.client.call("POST", f"/api/v1/turns/{posted['turn_id']}/feedback", {"value": value})
            found.append((await site.client.turn(posted["turn_id"]))["feedback"])
        for wrong in (2, True, "1", None):
            status, _ = await site.client.ask("POST", f"/api/v1/turns/{posted['turn_id']}/feedback", {"value": wrong})
            assert status == 400, wrong
    assert found == [1, -1, 0]


async def test_a_step_that_waits_for_consent_goes_on_when_it_is_allowed(store: Store) -> None:
    decided: list[bool] = []

    async def careful(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        yield StepStarted("act/0/0", "act", "write_file", {"name": "a"})
        decided.append(await journal.consent("consent/0/0", "write_file", {"name": "a"}))
        yield StepFinished("act/0/0", decided[-1], "written")
        yield TextDelta("done")
        yield Finished("done")

    async with Site(store, careful) as site:
        posted = await site.client.send("write")
        waiting = await site.client.turn_when(posted["turn_id"], lambda t: t["state"] == "waiting")
        path = f"/api/v1/turns/{posted['turn_id']}/consent"
        accepted = await site.client.call("POST", path, {"key": waiting["consent"]["key"], "allow": True})
        found = await site.client.finished(posted["turn_id"])
        late = await site.client.call("POST", path, {"key": waiting["consent"]["key"], "allow": False})
    assert "write_file" in waiting["consent"]["question"]
    assert (accepted, late) == ({"accepted": True}, {"accepted": False})
    assert (found["state"], found["consent"], decided) == ("answered", None, [True])


async def test_a_turn_that_does_not_exist_can_not_be_asked_for_anything(store: Store) -> None:
    async with Site(store) as site:
        asked = [
            await site.client.ask("GET", "/api/v1/turns/999"),
            await site.client.ask("POST", "/api/v1/turns/999/stop"),
            await site.client.ask("POST", "/api/v1/turns/999/retry"),
            await site.client.ask("POST", "/api/v1/turns/999/feedback", {"value": 1}),
            await site.client.ask("POST", "/api/v1/turns/999/consent", {"key": "consent/0/0", "allow": True}),
            await site.client.ask("GET", f"/api/v1/conversations/{NOBODY}"),
            await site.client.ask("GET", f"/api/v1/conversations/{NOBODY}/events"),
            await site.client.ask("GET", "/api/v1/turns/abc"),
            await site.client.ask("GET", "/api/v1/nothing"),
        ]
    assert {(status, found["error"]["code"]) for status, found in asked} == {(404, "not_found")}


async def test_another_platforms_turns_are_out_of_reach(store: Store) -> None:
    async with Site(store) as site:
        elsewhere = Target("test", "w", "ch", None, f"test:{NOBODY}")
        accepted = await site.inbox.receive(Incoming(elsewhere, "m1", Author("ann"), "private", NOW))
        asked = [
            await site.client.ask("GET", f"/api/v1/turns/{accepted.turn_id}"),
            await site.client.ask("POST", f"/api/v1/turns/{accepted.turn_id}/stop"),
            await site.client.ask("GET", f"/api/v1/conversations/{NOBODY}"),
        ]
        listed = await site.client.call("GET", "/api/v1/conversations")
    assert [status for status, _ in asked] == [404, 404, 404]
    assert listed["conversations"] == []


async def test_steps_show_their_tool_and_result(store: Store) -> None:
    async def counting(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        detail = {"tool": "time_delta", "args": {"start_time": "2024-02-28"}}
        yield StepStarted("act/0/0", "act", "time_delta", detail["args"])  # type: ignore[arg-type]
        await journal.begin("act/0/0", detail)
        await journal.finish("act/0/0", {"ok": True, "answer": "2", "answer_md": "**2** days", "urls": []})
        yield StepFinished("act/0/0", True, "**2** days")
        await journal.begin("act/0/1", {"tool": "get_calendar_info", "args": {}})
        await journal.finish("act/0/1", {"ok": False, "answer": "no <such> day", "answer_md": "", "urls": []})
        yield TextDelta("Two.")
        yield Finished("Two.", ("a note",), ("https://a.example",), "small")

    async with Site(store, counting) as site:
        english = await site.client.finished((await site.client.send("how many days?"))["turn_id"])
        chinese = await site.client.finished((await site.client.send("相隔多少天？"))["turn_id"])
    assert english["steps"][0] == {
        "key": "act/0/0",
        "tool": "time_delta",
        "title": "Time delta",
        "args": {"start_time": "2024-02-28"},
        "state": "done",
        "html": "<p><strong>2</strong> days</p>\n",
    }
    assert (english["steps"][1]["title"], english["steps"][1]["state"]) == ("Calendar", "failed")
    assert english["steps"][1]["html"] == "<p>no &lt;such&gt; day</p>\n"
    assert chinese["steps"][0]["title"] == "时间差工具"
    assert (english["notes"], english["sources"], english["model"]) == (["a note"], ["https://a.example"], "small")


async def test_the_page_is_told_what_it_needs_to_know(sqlite_store: Store) -> None:
    async with Site(sqlite_store) as site:
        found = await site.client.call("GET", "/api/v1/info")
        site.model = type(site.model)("small", True, Health("starting", "loading"))
        starting = await site.client.call("GET", "/api/v1/info")
    assert found["model"] == {"name": "small", "demo": True, "state": "ok", "detail": ""}
    assert found["offered_questions"][1] == {"lang": "zh", "text": "多少天？"}
    assert (found["max_message_chars"], found["token_needed"]) == (1000, False)
    assert starting["model"]["state"] == "starting"


async def test_a_message_is_not_lost_silently_when_the_database_is_away(sqlite_store: Store) -> None:
    async with Site(sqlite_store) as site:

        async def away(_event: object) -> Any:
            raise StoreUnavailable(Text("The disk is full.", "磁盘已满。"))

        await site.inbound.start(away)
        body = {"conversation": None, "message_id": str(uuid4()), "text": "hello"}
        headers = {"Accept-Language": "zh-TW"}
        status, found = await site.client.ask("POST", "/api/v1/messages", body, headers=headers)
    assert (status, found["error"]) == (503, {"code": "store_unavailable", "message": "磁盘已满。"})


async def test_a_server_that_shuts_down_takes_no_message(sqlite_store: Store) -> None:
    async with Site(sqlite_store) as site:
        posted = await site.client.send("hello")
        await site.client.finished(posted["turn_id"])
        await site.inbound.stop()
        body = {"conversation": None, "message_id": str(uuid4()), "text": "late"}
        status, found = await site.client.ask("POST", "/api/v1/messages", body)
        # What is there can still be seen.
        assert (await site.client.turn(posted["turn_id"]))["state"] == "answered"
    assert (status, found["error"]["code"]) == (503, "shutting_down")


def fill(turns: int) -> Any:
    """One conversation with so many answered turns, as rows."""

    def query(c: Connection) -> None:
        place = {"platform": "web", "workspace": "", "channel": NOBODY, "created_at": NOW, "last_message_at": NOW}
        c.execute(insert(conversation), [{"id": 1, "key": f"web:{NOBODY}", "title": "long", **place}])
        ids = range(1, turns + 1)
        at = [NOW + timedelta(seconds=i) for i in range(turns + 1)]
        over = {"conversation_id": 1, "generation": 1, "state": "answered", "lang": "en", "answer": "a"}
        c.execute(
            insert(turn),
            [{"id": i, "seq": i, "sent_at": at[i], "created_at": at[i], "finished_at": at[i], **over} for i in ids],
        )
        written = {
            "conversation_id": 1,
            "generation": 1,
            "platform": "web",
            "workspace": "",
            "channel": NOBODY,
            "role": "user",
            "author_id": "web",
            "attachments": [],
        }
        c.execute(
            insert(message),
            [
                {
                    "message_id": f"m{i}",
                    "text": f"q{i}",
                    "sent_at": at[i],
                    "received_at": at[i],
                    "turn_id": i,
                    **written,
                }
                for i in ids
            ],
        )
        tool = {"writes": False, "state": "done", "attempt": 1, "result": {"ok": True, "answer_md": "x"}}
        c.execute(
            insert(step),
            [
                {"turn_id": i, "key": key, "detail": {"tool": "t", "args": {}}, "started_at": at[i], **tool}
                for i in ids
                for key in ("context", "act/0/0", "conclude")
            ],
        )
        c.execute(
            insert(feedback),
            [{"turn_id": i, "author_id": who, "value": 1, "created_at": NOW} for i in ids[::2] for who in ("web", "b")],
        )

    return query


async def test_a_long_conversation_is_read_page_by_page(store: Store) -> None:
    await store.write(fill(125))
    seen: list[int] = []
    async with Site(store) as site:
        before = ""
        sizes = []
        while True:
            page = await site.client.call("GET", f"/api/v1/conversations/{NOBODY}?limit=50{before}")
            seen = [t["id"] for t in page["turns"]] + seen
            sizes.append(len(page["turns"]))
            if page["next"] is None:
                break
            before = f"&before={page['next']}"
    assert sizes == [50, 50, 25]
    assert seen == list(range(1, 126))
    last = page["turns"][-1]
    assert ([s["key"] for s in last["steps"]], last["messages"][0]["text"]) == (["act/0/0"], f"q{last['id']}")


async def every_conversation(site: Site, limit: int) -> list[Json]:
    """The whole list, page by page."""
    found: list[Json] = []
    before = ""
    while True:
        page = await site.client.call("GET", f"/api/v1/conversations?limit={limit}{before}")
        found += page["conversations"]
        assert len(page["conversations"]) <= limit
        if page["next"] is None:
            return found
        before = f"&before={page['next']}"


async def test_the_list_of_conversations_is_read_page_by_page(store: Store) -> None:
    async with Site(store) as site:
        keys = []
        for number in range(7):
            posted = await site.client.send(f"question {number}")
            await site.client.finished(posted["turn_id"])
            keys.append(posted["conversation"])
        found = await every_conversation(site, 3)
    assert [item["key"] for item in found] == keys[::-1]
    assert (found[-1]["title"], found[-1]["live"]) == ("question 0", False)


async def test_conversations_that_share_a_moment_are_all_listed(store: Store) -> None:
    def query(c: Connection) -> None:
        place = {"platform": "web", "workspace": "", "title": "", "created_at": NOW, "last_message_at": NOW}
        c.execute(insert(conversation), [{"key": f"web:{i:032x}", "channel": f"{i:032x}", **place} for i in range(5)])

    await store.write(query)
    async with Site(store) as site:
        found = await every_conversation(site, 2)
    assert sorted(item["key"] for item in found) == [f"{i:032x}" for i in range(5)]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "before=x", "before=-1", "before=9" + "9" * 30])
async def test_a_bad_page_is_one_sentence(sqlite_store: Store, query: str) -> None:
    await sqlite_store.write(fill(1))
    async with Site(sqlite_store) as site:
        one = await site.client.ask("GET", f"/api/v1/conversations/{NOBODY}?{query}")
        two = await site.client.ask("GET", f"/api/v1/conversations?{query}")
    assert (one[0], one[1]["error"]["code"]) == (400, "invalid_request")
    assert (two[0], two[1]["error"]["code"]) == (400, "invalid_request")


async def test_a_cursor_of_the_far_future_is_the_first_page(store: Store) -> None:
    await store.write(fill(1))
    async with Site(store) as site:
        found = await site.client.call("GET", f"/api/v1/conversations?before={'9' * 17}-{'9' * 18}")
    assert [item["key"] for item in found["conversations"]] == [NOBODY]


@pytest.mark.parametrize("limit", [1, 50])
async def test_a_page_takes_the_same_number_of_statements_whatever_its_size(store: Store, limit: int) -> None:
    await store.write(fill(120))
    statements: list[str] = []

    def query(c: Connection) -> list[views.TurnView]:
        def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
            statements.append(statement)

        event.listen(c, "before_cursor_execute", note)
        try:
            return views.page(c, 1, "web", limit)
        finally:
            event.remove(c, "before_cursor_execute", note)

    found = await store.read(query)
    assert len(found) == limit
    # Turns, messages, steps, ratings; drafts only where something is live.
    assert len([s for s in statements if s.startswith("SELECT")]) == 4


async def test_a_page_of_a_long_conversation_touches_only_its_own_rows(sqlite_store: Store) -> None:
    await sqlite_store.write(fill(10))
    plans: list[str] = []

    def query(c: Connection) -> None:
        seen: list[tuple[str, Any]] = []

        def note(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
            seen.append((statement, parameters))

        event.listen(c, "before_cursor_execute", note)
        views.conversation_by_key(c, "web", f"web:{NOBODY}")
        views.page(c, 1, "web", 3, 5)
        views.current(c, 1, "web")
        views.pulse(c, 1)
        views.conversations(c, "web", 3, (NOW, 1))
        event.remove(c, "before_cursor_execute", note)
        for statement, parameters in seen:
            if statement.startswith("SELECT"):
                plan = c.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, parameters)
                plans.extend(str(row[-1]) for row in plan)

    await sqlite_store.read(query)
    assert plans
    assert not [plan for plan in plans if plan.startswith("SCAN")], plans
