"""Ratings by people through the page's API: raters learn nothing of who answered, operators see what came out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from adapters.web import models_human
from bot.store.db import Store
from tests.support.rating import SPEC, answered
from tests.support.web import Json, Site

RATING = "/api/v1/human/rating"
SETS = "/api/v1/human/sets"


async def seat(site: Site, set_id: str, name: str = "Ada") -> Json:
    return await site.client.call("POST", f"{RATING}/{set_id}/seat", {"name": name})


async def sheet(site: Site, set_id: str, who: Json, number: int | None = None) -> Json:
    return await site.client.call("POST", f"{RATING}/{set_id}/sheet", {**who, "number": number})


async def rate(site: Site, set_id: str, who: Json, value: Callable[[str], int]) -> Json:
    """Rate everything that is left; the sheet after the last."""
    while (found := await sheet(site, set_id, who))["number"] is not None:
        for one in found["answers"]:
            body = {**who, "number": found["number"], "place": one["place"], "value": value(one["html"])}
            await site.client.call("PUT", f"{RATING}/{set_id}/rating", body)
    return found


async def refused(asking: Awaitable[tuple[int, Json]]) -> tuple[int, str]:
    status, said = await asking
    return status, said["error"]["message"]


async def test_a_rater_sees_questions_and_answers_and_no_name_of_a_system_or_model(store: Store) -> None:
    async with Site(store) as site:
        made = await answered(site.human.sets, {("q1", "router", "gpu"): "**Paris** <script>alert(1)</script>"})
        listed = await site.client.call("GET", RATING)
        who = await seat(site, made.id)
        first = await sheet(site, made.id, who)
        second = await sheet(site, made.id, who, 2)
    models_human.RatingSheet.model_validate(first)
    said = f"{listed} {first} {second}"
    assert not any(name in said for name in (*SPEC.systems, *SPEC.models))
    assert listed["sets"] == [{"id": made.id, "name": "Capitals", "questions": 2}]
    assert [one["place"] for one in first["answers"]] == [1, 2, 3]
    assert "<script" not in said
    assert "<strong>Paris</strong>" in said


async def test_a_rater_rates_changes_their_mind_skips_and_is_done(store: Store) -> None:
    async with Site(store) as site:
        made = await answered(site.human.sets)
        who = await seat(site, made.id)
        body = {**who, "number": 1, "place": 2}
        await site.client.call("PUT", f"{RATING}/{made.id}/rating", {**body, "value": 2})
        await site.client.call("PUT", f"{RATING}/{made.id}/rating", {**body, "value": 5})
        changed = (await sheet(site, made.id, who, 1))["answers"]
        progress = await site.client.call("POST", f"{RATING}/{made.id}/skip", {**who, "number": 1})
        end = await rate(site, made.id, who, lambda _: 3)
        wrong, _ = await site.client.ask("PUT", f"{RATING}/{made.id}/rating", {**body, "value": 6})
    assert [one["rating"] for one in changed] == [None, 5, None]
    assert progress == {"done": 0, "skipped": 1, "total": 2}
    assert end["progress"] == {"done": 1, "skipped": 1, "total": 2}
    assert wrong == 400


async def test_nobody_rates_in_anothers_name(sqlite_store: Store) -> None:
    async with Site(sqlite_store) as site:
        made = await answered(site.human.sets)
        await seat(site, made.id)
        taken = await refused(site.client.ask("POST", f"{RATING}/{made.id}/seat", {"name": "Ada"}))
        forged = await refused(
            site.client.ask("POST", f"{RATING}/{made.id}/sheet", {"name": "Ada", "key": "guess", "number": None})
        )
    assert taken[0] == forged[0] == 409
    assert "choose another name" in taken[1]


async def test_the_table_is_seen_when_the_set_is_closed_and_then_nobody_rates_any_more(store: Store) -> None:
    async with Site(store) as site:
        made = await answered(site.human.sets)
        who = await seat(site, made.id)
        await rate(site, made.id, who, lambda html: 5 if "Answer 1" in html else 2)
        early = await refused(site.client.ask("GET", f"{SETS}/{made.id}"))
        await site.client.call("POST", f"{SETS}/{made.id}/close")
        report = await site.client.call("GET", f"{SETS}/{made.id}")
        late = await refused(site.client.ask("POST", f"{RATING}/{made.id}/sheet", {**who, "number": 1}))
        [one] = (await site.client.call("GET", SETS))["sets"]
        await site.client.call("DELETE", f"{SETS}/{made.id}")
        left = await site.client.call("GET", SETS)
        gone = await refused(site.client.ask("POST", f"{SETS}/{made.id}/close"))
    assert early[0] == late[0] == 409
    assert "100.00" in report["html"]
    assert "kuaiagent" in report["html"]
    assert (one["state"], one["raters"], one["systems"]) == ("closed", 1, list(SPEC.systems))
    assert left == {"sets": [], "feedback": ""}
    assert gone[0] == 404


async def test_a_bad_answer_becomes_a_case_of_a_suite(store: Store) -> None:
    async with Site(store) as site:
        posted = await site.client.send("Which tea for the evening?")
        turn = await site.client.finished(posted["turn_id"])
        await site.client.call("POST", f"/api/v1/turns/{turn['id']}/feedback", {"value": -1})
        [one] = (await site.client.call("GET", "/api/v1/human/disliked"))["answers"]
        path = f"/api/v1/human/disliked/{one['turn_id']}/case"
        made = await site.client.call("POST", path, {"suite": "tea", "note": "It names no tea."})
        twice = await refused(site.client.ask("POST", path, {"suite": "tea", "note": "It names no tea."}))
        nowhere = await refused(site.client.ask("POST", path, {"suite": "../x"}))
        suites = (await site.client.call("GET", "/api/v1/human/disliked"))["suites"]
        data = (await site.client.call("GET", "/api/v1/bench/choices"))["data"]
        feedback = (await site.client.call("GET", SETS))["feedback"]
    assert one["question"] == "Which tea for the evening?"
    assert made["id"].startswith("feedback-")
    assert twice[0] == nowhere[0] == 409
    assert suites == ["tea"]
    assert [(kept["name"], kept["kind"], kept["items"]) for kept in data] == [
        ("sample", "sample", 40),
        ("tea", "suite", 1),
    ]
    assert "<table>" in feedback
