"""Looking back through the API: search, traces, conversations as files."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any
from uuid import uuid4

from adapters.web import models_trace
from agent.events import AgentEvent, Finished, StepFinished, StepStarted, TextDelta, Usage
from agent.journal import Journal, step
from agent.task import Task
from bot.exporting import Export
from bot.store.db import Store
from bot.store.search import cut
from tests.support.web import Gate, Json, Site

NOBODY = "0" * 32
PLAN = {
    "calls": [{"tool": "time_delta", "args": {"start": "2024-02-28"}}],
    "thought": "I need <script>alert(1)</script> the **dates**.",
    "task_name": "Count the days",
    "end": None,
    "detail": "",
    "model": "planner",
    "usage": {"prompt_tokens": 900, "completion_tokens": 40},
    "reasoning": "Hmm.",
    "attempts": 2,
    "style": "kuaiagent",
}
RESULT = {"ok": True, "answer": "2", "answer_md": "**2** days", "urls": ["https://example.org/"], "data": None}
CONCLUSION = {
    "text": "Two days.",
    "notes": [],
    "sources": [],
    "model": "writer",
    "usage": {"prompt_tokens": 100, "completion_tokens": 10},
}


async def planned(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
    """An agent that plans, calls a tool and concludes."""

    async def done(result: Any) -> Any:
        return result

    await step(journal, "plan/0", lambda: done(PLAN))
    yield StepStarted("act/0/0", "act", "time_delta", {"start": "2024-02-28"})
    detail = {"tool": "time_delta", "args": {"start": "2024-02-28"}}
    await step(journal, "act/0/0", lambda: done(RESULT), detail)
    yield StepFinished("act/0/0", True, "**2** days")
    await step(journal, "plan/1", lambda: done({**PLAN, "calls": [], "end": "complete", "detail": "All is known."}))
    await step(journal, "conclude", lambda: done(CONCLUSION))
    yield TextDelta("Two days.")
    yield Finished("Two days.", sources=("https://example.org/",), model="writer", usage=Usage(1900, 90))


async def search(site: Site, words: str, **more: Any) -> list[Json]:
    found = await site.client.call("GET", "/api/v1/conversations", params={"q": words, **more})
    return list(found["conversations"])


# --- Traces ----------------------------------------------------------------------------------------------------------


async def test_a_trace_has_plans_calls_results_tokens_and_times(store: Store) -> None:
    async with Site(store, planned) as site:
        posted = await site.client.send("How many days?")
        await site.client.finished(posted["turn_id"])
        trace = await site.client.call("GET", f"/api/v1/turns/{posted['turn_id']}/trace")
    models_trace.Trace.model_validate(trace)
    plan, act, end, conclusion = trace["steps"]
    assert [one["kind"] for one in trace["steps"]] == ["plan", "act", "plan", "conclude"]
    assert plan["calls"] == [{"tool": "time_delta", "title": "Time delta", "args": {"start": "2024-02-28"}}]
    assert (plan["task"], plan["end"], plan["attempts"], plan["style"]) == ("Count the days", None, 2, "kuaiagent")
    assert (plan["model"], plan["tokens"]) == ("planner", {"prompt": 900, "completion": 40})
    assert (act["title"], act["state"], act["sources"]) == ("Time delta", "done", ["https://example.org/"])
    assert act["html"] == "<p><strong>2</strong> days</p>\n"
    assert (end["end"], end["detail"]) == ("complete", "All is known.")
    assert conclusion["model"] == "writer"
    assert trace["tokens"] == {"prompt": 1900, "completion": 90}
    assert all(one["started_at"] <= one["finished_at"] for one in trace["steps"])
    assert trace["profiles"][0]["scope"] == "default"


async def test_what_a_model_thought_is_sanitised(sqlite_store: Store) -> None:
    async with Site(sqlite_store, planned) as site:
        posted = await site.client.send("How many days?")
        await site.client.finished(posted["turn_id"])
        trace = await site.client.call("GET", f"/api/v1/turns/{posted['turn_id']}/trace")
    assert "<script>" not in json.dumps(trace)
    assert trace["steps"][0]["thought"] == (
        "<p>I need &lt;script&gt;alert(1)&lt;/script&gt; the <strong>dates</strong>.</p>\n"
    )


async def test_a_turn_without_plans_has_a_trace_of_its_conclusion(sqlite_store: Store) -> None:
    async with Site(sqlite_store) as site:
        posted = await site.client.send("hello")
        await site.client.finished(posted["turn_id"])
        trace = await site.client.call("GET", f"/api/v1/turns/{posted['turn_id']}/trace")
    assert [(one["kind"], one["state"]) for one in trace["steps"]] == [("conclude", "done")]
    assert (trace["tokens"], trace["state"]) == ({"prompt": None, "completion": None}, "answered")


async def test_a_plan_as_earlier_releases_wrote_it_can_still_be_read(sqlite_store: Store) -> None:
    async def old(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        async def make() -> Any:
            return {"calls": [{"tool": "calculator", "args": {"expression": "1+1"}}]}

        await step(journal, "plan/0", make)
        yield Finished("2")

    async with Site(sqlite_store, old) as site:
        posted = await site.client.send("1+1?")
        await site.client.finished(posted["turn_id"])
        trace = await site.client.call("GET", f"/api/v1/turns/{posted['turn_id']}/trace")
    plan = trace["steps"][0]
    assert (plan["thought"], plan["end"], plan["model"], plan["attempts"]) == ("", None, None, 1)
    assert plan["calls"][0]["title"] == "Calculator"


async def test_the_trace_of_an_unknown_turn_is_refused(sqlite_store: Store) -> None:
    async with Site(sqlite_store) as site:
        status, found = await site.client.ask("GET", "/api/v1/turns/99/trace")
    assert (status, found["error"]["code"]) == (404, "not_found")


HALF = "half \ud83d"


async def halved(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
    """An agent whose model and tool send halves of characters wherever they can."""

    async def done(result: Any) -> Any:
        return result

    call = {"tool": HALF, "args": {HALF: [HALF]}}
    texts = dict.fromkeys(("thought", "task_name", "detail", "reasoning"), HALF)
    await step(journal, "plan/0", lambda: done({**PLAN, **texts, "calls": [call]}))
    yield StepStarted("act/0/0", "act", "time_delta", {HALF: HALF})
    yield TextDelta("Wait")
    result = {**RESULT, "answer": HALF, "answer_md": HALF, "urls": [f"https://example.org/{HALF}"]}
    await step(journal, "act/0/0", lambda: done(result), {"tool": "time_delta", "args": {HALF: HALF}})
    yield StepFinished("act/0/0", True, HALF)
    yield Finished(HALF, sources=(f"https://example.org/{HALF}",), notes=(HALF,), model="writer")


async def test_halves_of_characters_keep_nobody_from_reading_on(store: Store) -> None:
    async with Site(store, halved) as site:
        posted = await site.client.send("How many days?")
        async with site.client.events(posted["conversation"]) as events:
            await events.until(lambda turn: turn["state"] == "answered")
        turn = await site.client.finished(posted["turn_id"])
        for path in ("", "/export?format=json", "/export?format=markdown"):
            address = f"/api/v1/conversations/{posted['conversation']}{path}"
            async with site.client.session.get(address) as response:
                assert (response.status, await response.text() != "") == (200, True)
        trace = await site.client.call("GET", f"/api/v1/turns/{posted['turn_id']}/trace")
    assert turn["sources"] == ["https://example.org/half \ufffd"]
    assert list(trace["steps"][0]["calls"][0]["args"].values()) == [["half \ufffd"]]


# --- Search ----------------------------------------------------------------------------------------------------------


async def test_a_search_finds_questions_answers_and_titles(store: Store) -> None:
    gate = Gate()
    async with Site(store, gate) as site:
        for question, reply in [("Where is the harbour?", "In the north."), ("And the airport?", "Near the SEA 100%")]:
            gate.answer(reply)
            posted = await site.client.send(question)
            await site.client.finished(posted["turn_id"])
        by_question = await search(site, "HARBOUR")
        by_answer = await search(site, "sea near")
        nothing = await search(site, "harbour airport")
        percent = await search(site, "100%")
        wildcard = await search(site, "_rbour")
    assert [one["title"] for one in by_question] == ["Where is the harbour?"]
    assert by_question[0]["found"]["snippet"] == "Where is the harbour?"
    assert [one["found"]["snippet"] for one in by_answer] == ["Near the SEA 100%"]
    assert by_answer[0]["found"]["turn_id"] is not None
    assert nothing == []
    assert len(percent) == 1
    # A wildcard of the database is a letter like any other.
    assert wildcard == []


async def test_a_search_finds_chinese_in_the_middle_of_a_sentence(store: Store) -> None:
    async with Site(store) as site:
        posted = await site.client.send("2026年的中秋节是哪一天？")
        await site.client.finished(posted["turn_id"])
        found = await search(site, "中秋")
    assert [one["title"] for one in found] == ["2026年的中秋节是哪一天？"]
    assert "中秋节" in found[0]["found"]["snippet"]


async def test_a_search_goes_on_where_its_page_ended(store: Store) -> None:
    async with Site(store) as site:
        for number in range(3):
            posted = await site.client.send(f"needle {number}")
            await site.client.finished(posted["turn_id"])
        path = "/api/v1/conversations"
        first = await site.client.call("GET", path, params={"q": "needle", "limit": 2})
        second = await site.client.call("GET", path, params={"q": "needle", "limit": 2, "before": first["next"]})
    found = [one["title"] for page in (first, second) for one in page["conversations"]]
    assert found == ["needle 2", "needle 1", "needle 0"]
    assert second["next"] is None


async def test_a_deleted_message_is_not_found(store: Store) -> None:
    gate = Gate()
    message_id = str(uuid4())
    async with Site(store, gate) as site:
        gate.answer("yes")
        posted = await site.client.send("my secret word", None, message_id)
        await site.client.finished(posted["turn_id"])
        before = await search(site, "secret")
        await site.client.call("DELETE", f"/api/v1/conversations/{posted['conversation']}/messages/{message_id}")
        after = await search(site, "secret")
    assert (len(before), after) == (1, [])


async def test_what_no_text_can_hold_is_not_searched_for(store: Store) -> None:
    async with Site(store, Gate()) as site:
        await site.client.send("harbour")
        assert len(await search(site, "har\x00bour")) == 1
        assert [one["found"] for one in await search(site, "\x00")] == [None]


async def test_without_words_nothing_is_searched(sqlite_store: Store) -> None:
    async with Site(sqlite_store) as site:
        posted = await site.client.send("hello")
        await site.client.finished(posted["turn_id"])
        found = await search(site, "   ")
    assert [one["found"] for one in found] == [None]


def test_a_snippet_is_what_is_around_the_word() -> None:
    text = "one two three four five six seven eight nine ten needle " + "after " * 40
    found = cut(text, ["needle"])
    assert found.startswith("…")
    assert "nine ten needle after" in found
    assert found.endswith("…")
    assert len(found) < 180


# --- Files -----------------------------------------------------------------------------------------------------------


async def fetch(site: Site, key: str, **query: str) -> tuple[str, str, str]:
    """(media type, file name, text) of an export."""
    async with site.client.session.get(f"/api/v1/conversations/{key}/export", params=query) as response:
        assert response.status == 200
        found = response.content_disposition
        assert found is not None
        assert found.type == "attachment"
        return response.content_type, found.filename or "", await response.text()


async def test_a_conversation_can_be_taken_along_as_markdown(store: Store) -> None:
    async with Site(store, planned) as site:
        posted = await site.client.send("How many days?\nExactly.")
        await site.client.finished(posted["turn_id"])
        await site.client.call("POST", f"/api/v1/turns/{posted['turn_id']}/feedback", {"value": 1})
        kind, name, text = await fetch(site, posted["conversation"], lang="en")
        chinese = await fetch(site, posted["conversation"], lang="zh")
    assert kind == "text/markdown"
    assert name == "How many days Exactly.md"
    assert text.startswith("# How many days? Exactly.\n")
    for part in (
        "> How many days?\n> Exactly.",
        '- `time_delta({"start": "2024-02-28"})`\n\n  > **2** days',
        "### Answer\n\nTwo days.",
        "1. https://example.org/",
        "- Model: writer\n- Rated: good",
    ):
        assert part in text
    assert "### 回答\n\nTwo days." in chinese[2]


async def test_a_conversation_can_be_taken_along_as_json(store: Store) -> None:
    async with Site(store, planned) as site:
        posted = await site.client.send("2026年的中秋节？")
        await site.client.finished(posted["turn_id"])
        kind, name, text = await fetch(site, posted["conversation"], format="json")
    export = Export.model_validate_json(text)
    assert (kind, name) == ("application/json", "2026年的中秋节？.json")
    (turn,) = export.turns
    assert (turn.questions, turn.answer, turn.model) == (["2026年的中秋节？"], "Two days.", "writer")
    assert [(one.tool, one.state, one.result) for one in turn.steps] == [("time_delta", "done", "**2** days")]


async def test_a_long_conversation_is_exported_whole_and_in_order(sqlite_store: Store, monkeypatch: Any) -> None:
    monkeypatch.setattr("adapters.web.archive._PAGE", 2)
    async with Site(sqlite_store) as site:
        last = posted = await site.client.send("0")
        for number in range(1, 5):
            last = await site.client.send(str(number), posted["conversation"])
        await site.client.finished(last["turn_id"])
        _, _, text = await fetch(site, posted["conversation"], format="json")
    assert [turn["questions"] for turn in json.loads(text)["turns"]] == [["0"], ["1"], ["2"], ["3"], ["4"]]


async def test_an_unknown_conversation_can_not_be_exported(sqlite_store: Store) -> None:
    async with Site(sqlite_store) as site:
        missing = await site.client.ask("GET", f"/api/v1/conversations/{NOBODY}/export")
        wrong = await site.client.ask("GET", f"/api/v1/conversations/{NOBODY}/export?format=pdf")
    assert (missing[0], wrong[0]) == (404, 400)
