"""The operations of the JSON API in one table: routes are made from it, and so is their description (OpenAPI 3.1)."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from adapters.web import models, models_admin, models_trace
from adapters.web.bench_operations import BENCH
from adapters.web.human_operations import HUMAN
from adapters.web.operation import PARTS, Operation
from bot import exporting
from bot.web.access import COOKIE, HEADER

_CONVERSATION = "/api/v1/conversations/{key}"
_MESSAGE = _CONVERSATION + "/messages/{message_id}"
_TURN = "/api/v1/turns/{turn_id}"
_PROFILE = "/api/v1/profile/{scope}"
_ENDPOINT = "/api/v1/endpoints/{name}"

OPERATIONS: tuple[Operation, ...] = (
    Operation("info", "GET", "/api/v1/info", "What the page needs to know of the server", 200, models.Info),
    Operation(
        "list_conversations",
        "GET",
        "/api/v1/conversations",
        "Conversations, the newest first",
        200,
        models.Conversations,
        query=models.ConversationsQuery,
    ),
    Operation(
        "post_message",
        "POST",
        "/api/v1/messages",
        "Send a message; it is stored when this returns",
        202,
        models.Posted,
        body=models.PostMessage,
    ),
    Operation(
        "show_conversation",
        "GET",
        _CONVERSATION,
        "The newest turns of a conversation, oldest first",
        200,
        models.ConversationPage,
        query=models.TurnsQuery,
    ),
    Operation(
        "follow_conversation",
        "GET",
        _CONVERSATION + "/events",
        "Complete pictures of the turns that are going on, as they change",
        200,
        models.Turn,
        events=True,
    ),
    Operation(
        "export_conversation",
        "GET",
        _CONVERSATION + "/export",
        "A conversation as a file",
        200,
        exporting.Export,
        query=models_trace.ExportQuery,
        file=True,
    ),
    Operation(
        "delete_conversation", "DELETE", _CONVERSATION, "Delete a conversation; all its text is gone for good", 204
    ),
    Operation("edit_message", "PUT", _MESSAGE, "Change a message's text", 202, models.Edited, body=models.EditMessage),
    Operation("delete_message", "DELETE", _MESSAGE, "Delete a message; its text is gone for good", 204),
    Operation("show_turn", "GET", _TURN, "One turn", 200, models.Turn),
    Operation(
        "trace_turn", "GET", _TURN + "/trace", "Every step of a turn, with times and tokens", 200, models_trace.Trace
    ),
    Operation("stop_turn", "POST", _TURN + "/stop", "Stop a turn", 202, models.Stopping),
    Operation("retry_turn", "POST", _TURN + "/retry", "Answer a failed or stopped turn again", 202, models.Retried),
    Operation("rate_turn", "POST", _TURN + "/feedback", "Rate an answer", 204, body=models.Feedback),
    Operation(
        "decide_turn",
        "POST",
        _TURN + "/consent",
        "Allow or forbid the writing step that a turn waits for",
        202,
        models.Decided,
        body=models.Consent,
    ),
    Operation(
        "show_profile",
        "GET",
        "/api/v1/profile",
        "Who the agent is in a conversation, and where each value comes from",
        200,
        models_admin.EffectiveProfile,
        query=models_admin.ProfileQuery,
    ),
    Operation(
        "show_scope",
        "GET",
        _PROFILE,
        "What is set for all conversations (workspace) or for one (channel)",
        200,
        models_admin.ScopeProfile,
        query=models_admin.ProfileQuery,
    ),
    Operation(
        "save_profile",
        "PUT",
        _PROFILE,
        "Set the values of a place; 409 when somebody else did meanwhile",
        200,
        models_admin.ScopeProfile,
        body=models_admin.SaveProfile,
        query=models_admin.ProfileQuery,
    ),
    Operation(
        "list_versions",
        "GET",
        _PROFILE + "/versions",
        "The versions of a place, the newest first",
        200,
        models_admin.Versions,
        query=models_admin.VersionsQuery,
    ),
    Operation(
        "compare_versions",
        "GET",
        _PROFILE + "/compare",
        "What changed between two versions",
        200,
        models_admin.Comparison,
        query=models_admin.CompareQuery,
    ),
    Operation(
        "restore_profile",
        "POST",
        _PROFILE + "/restore",
        "Roll back: a new version with the values of an old one",
        200,
        models_admin.ScopeProfile,
        body=models_admin.RestoreProfile,
        query=models_admin.ProfileQuery,
    ),
    Operation(
        "list_endpoints",
        "GET",
        "/api/v1/endpoints",
        "The endpoints that answer, in their order",
        200,
        models_admin.EndpointList,
    ),
    Operation(
        "test_endpoint",
        "POST",
        "/api/v1/endpoints/test",
        "Try an endpoint: it is connected to and asked; takes up to 20 seconds",
        200,
        models_admin.TestReport,
        body=models_admin.TestEndpoint,
    ),
    Operation(
        "save_endpoint",
        "PUT",
        _ENDPOINT,
        "Use an endpoint from now on; replaces the one with the same name",
        200,
        models_admin.Endpoint,
        body=models_admin.SaveEndpoint,
    ),
    Operation("remove_endpoint", "DELETE", _ENDPOINT, "Use an endpoint no more, and forget it", 204),
    Operation(
        "restore_endpoint",
        "POST",
        _ENDPOINT + "/restore",
        "Bring back an endpoint that was removed since the server started",
        200,
        models_admin.Endpoint,
    ),
    *BENCH,
    *HUMAN,
    Operation("describe", "GET", "/api/openapi.json", "This description", 200),
)


def document(name: str, version: str) -> bytes:
    """The description of all operations, as JSON."""
    used: dict[type[BaseModel], Literal["validation"]] = {models.Failure: "validation"}
    used.update((m, "validation") for op in OPERATIONS for m in (op.response, op.body) if m is not None)
    _, definitions = models_json_schema(list(used.items()), ref_template="#/components/schemas/{model}")
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    described = {
        "openapi": "3.1.0",
        "info": {
            "title": name,
            "version": version,
            "description": "Times are RFC 3339 in UTC. Sentences for people come in the language of Accept-Language.",
        },
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
        },
        # The empty one: on loopback nothing is needed.
        "security": [{}, {"token": []}, {"session": []}],
    }
    return json.dumps(described, ensure_ascii=False).encode()


def _described(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": _parameters(operation),
        "responses": {str(operation.status): _success(operation), "default": _content("Failure", "What went wrong")},
    }
    if operation.body is not None:
        found["requestBody"] = {"required": True, **_content(operation.body.__name__)}
    return found


def _success(operation: Operation) -> dict[str, Any]:
    if operation.media:
        schema = {"type": "string", "contentMediaType": operation.media}
        return {"description": operation.summary, "content": {operation.media: {"schema": schema}}}
    if operation.response is None:
        # The description describes everything but itself.
        content: dict[str, Any] = {"content": {"application/json": {}}} if operation.status == 200 else {}
        return {"description": operation.summary, **content}
    if operation.events:
        description = (
            f"Events named `turn`; the data of each is a {operation.response.__name__} as JSON. "
            "One named `gone` is the last: the conversation was deleted"
        )
        schema = {"type": "string", "contentMediaType": "text/event-stream"}
        return {"description": description, "content": {"text/event-stream": {"schema": schema}}}
    found = _content(operation.response.__name__, operation.summary)
    if operation.file:
        found["content"]["text/markdown"] = {"schema": {"type": "string"}}
    return found


def _content(model: str, description: str = "") -> dict[str, Any]:
    content = {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{model}"}}}}
    return {"description": description, **content} if description else content


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": f"^{pattern}$"}}
        for name, pattern in PARTS.items()
        if f"{{{name}}}" in operation.path
    ]
    if operation.query is not None:
        properties = operation.query.model_json_schema()["properties"]
        found += [{"name": name, "in": "query", "schema": schema} for name, schema in properties.items()]
    if operation.changes:
        found.append({"name": HEADER, "in": "header", "required": True, "schema": {"const": "1"}})
    return found
