"""The description of the API is true: every route is in it, and real requests and answers fit it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from pydantic import BaseModel, TypeAdapter

from adapters.web import models
from adapters.web.openapi import OPERATIONS
from agent.events import TextDelta
from bot.store.db import Store
from tests.support.web import Gate, Json, Site


def operations(document: Json) -> dict[tuple[str, str], Json]:
    """(method, path) → operation."""
    return {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def referred(found: Any) -> set[str]:
    """Names of the schemas that something refers to."""
    if isinstance(found, dict):
        own = {found["$ref"].rpartition("/")[2]} if "$ref" in found else set()
        return own.union(*(referred(value) for value in found.values()))
    return set[str]().union(*(referred(value) for value in found)) if isinstance(found, list) else set()


async def test_every_api_route_is_described_and_nothing_else(sqlite_store: Store) -> None:
    async with Site(sqlite_store) as site:
        document = await site.client.call("GET", "/api/openapi.json")
        runner = site.server._runner
        assert runner is not None
        served = {
            (route.method, route.resource.canonical)
            for route in runner.app.router.routes()
            if route.resource is not None and route.resource.canonical.startswith("/api/")
        }
    assert set(operations(document)) == served
    assert document["openapi"].startswith("3.1")


async def test_every_schema_that_is_referred_to_is_there(sqlite_store: Store) -> None:
    async with Site(sqlite_store) as site:
        document = await site.client.call("GET", "/api/openapi.json")
    schemas = document["components"]["schemas"]
    assert referred(document) == set(schemas)
    assert {"PostMessage", "Turn", "Failure", "ConversationPage"} <= set(schemas)


async def test_operations_have_names_of_their_own_and_say_what_they_need(sqlite_store: Store) -> None:
    async with Site(sqlite_store) as site:
        document = await site.client.call("GET", "/api/openapi.json")
    found = operations(document)
    names = [operation["operationId"] for operation in found.values()]
    assert len(set(names)) == len(names)
    for (method, path), operation in found.items():
        parameters = {parameter["name"] for parameter in operation["parameters"]}
        assert ("X-Kagentbot" in parameters) == (method != "GET")
        for name in ("key", "turn_id", "message_id", "scope", "name"):
            assert (f"{{{name}}}" in path) == (name in parameters)
        assert operation["summary"]
        assert "default" in operation["responses"]


async def test_real_answers_fit_their_description(store: Store) -> None:
    gate = Gate()
    message_id = str(uuid4())
    async with Site(store, gate) as site:
        call = site.client.call

        async def fits(operation_id: str, path: str, body: Any = None, status: int | None = None) -> Json:
            operation = next(operation for operation in OPERATIONS if operation.id == operation_id)
            async with site.client.session.request(operation.method, path, json=body) as response:
                raw = await response.read()
                assert response.status == (status or operation.status), raw
            expected: type[BaseModel] | None = operation.response if status is None else models.Failure
            if expected is None:
                assert raw == b""
                return {}
            # `extra="forbid"`: a field that is not described fails here.
            TypeAdapter(expected).validate_json(raw)
            return TypeAdapter(Json).validate_json(raw)

        posted = await fits("post_message", "/api/v1/messages", {"message_id": message_id, "text": "hello"})
        conversation = f"/api/v1/conversations/{posted['conversation']}"
        turn = f"/api/v1/turns/{posted['turn_id']}"
        gate.say(TextDelta("half"))
        await site.client.turn_when(posted["turn_id"], lambda t: t["text"] == "half")
        await fits("show_turn", turn)
        await fits("show_conversation", conversation)
        await fits("list_conversations", "/api/v1/conversations")
        async with site.client.events(posted["conversation"]) as events:
            models.Turn.model_validate(await events.until(lambda _: True))
        await fits("stop_turn", turn + "/stop")
        await site.client.finished(posted["turn_id"])
        await fits("show_turn", turn)
        retried = await fits("retry_turn", turn + "/retry")
        await fits("retry_turn", turn + "/retry", status=409)
        gate.answer("whole")
        await site.client.finished(retried["turn_id"])
        turn = f"/api/v1/turns/{retried['turn_id']}"
        await fits("rate_turn", turn + "/feedback", {"value": 1})
        await fits("rate_turn", turn + "/feedback", {"value": 7}, status=400)
        await fits("decide_turn", turn + "/consent", {"key": "consent/0/0", "allow": True})
        await fits("edit_message", f"{conversation}/messages/{message_id}", {"text": "bye"})
        await fits("delete_message", f"{conversation}/messages/{message_id}")
        await fits("edit_message", f"{conversation}/messages/{message_id}", {"text": "bye"}, status=404)
        await fits("show_conversation", conversation)
        await fits("trace_turn", turn + "/trace")
        await fits("export_conversation", conversation + "/export?format=json")
        await fits("list_conversations", "/api/v1/conversations?q=whole")
        profile = "/api/v1/profile/workspace"
        await fits("save_profile", profile, {"values": {"agent_name": "Ada"}, "based_on": 0})
        await fits("save_profile", profile, {"values": {"agent_name": "Bo"}, "based_on": 0}, status=409)
        await fits("save_profile", profile, {"values": {"lang": "fr"}, "based_on": 1}, status=400)
        await fits("show_scope", profile)
        await fits("show_profile", "/api/v1/profile")
        await fits("list_versions", profile + "/versions")
        await fits("compare_versions", profile + "/compare?a=0&b=1")
        await fits("restore_profile", profile + "/restore", {"version": 0})
        endpoint = {"base_url": "http://127.0.0.1:9/v1"}
        await fits("test_endpoint", "/api/v1/endpoints/test", endpoint)
        await fits("save_endpoint", "/api/v1/endpoints/gpu", endpoint)
        await fits("save_endpoint", "/api/v1/endpoints/gpu", {"base_url": "no"}, status=400)
        await fits("list_endpoints", "/api/v1/endpoints")
        await fits("remove_endpoint", "/api/v1/endpoints/gpu")
        await fits("restore_endpoint", "/api/v1/endpoints/gpu/restore", {})
        await fits("delete_conversation", conversation)
        await fits("export_conversation", conversation + "/export", status=404)
        await fits("info", "/api/v1/info")
        assert (await call("GET", "/api/openapi.json"))["paths"]
