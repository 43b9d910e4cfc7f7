"""Profiles and endpoints through the API."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import uuid4

from adapters.web import models_admin
from bot.store.db import Store
from tests.support.web import Json, Site

PROFILE = "/api/v1/profile"
WORKSPACE = f"{PROFILE}/workspace"
CHANNEL = f"{PROFILE}/channel"
NOBODY = "0" * 32


async def begin(site: Site, **fields: Any) -> str:
    """A conversation; its key."""
    body = {"message_id": str(uuid4()), "text": "hello", **fields}
    posted = await site.client.call("POST", "/api/v1/messages", body)
    await site.client.finished(posted["turn_id"])
    return str(posted["conversation"])


async def save(site: Site, path: str, values: Json, based_on: int = 0, **query: str) -> Json:
    return await site.client.call("PUT", path, {"values": values, "based_on": based_on}, params=query)


def value_of(found: Json, name: str, part: str = "values") -> tuple[Any, str]:
    one = next(one for one in found[part] if one["name"] == name)
    return one["value"], one["scope"]


# --- Profiles --------------------------------------------------------------------------------------------------------


async def test_values_are_inherited_from_the_general_to_the_particular(store: Store) -> None:
    async with Site(store) as site:
        key = await begin(site)
        await save(site, WORKSPACE, {"agent_name": "Ada", "lang": "zh"})
        await save(site, CHANNEL, {"agent_name": "Bo"}, conversation=key)
        here = await site.client.call("GET", PROFILE, params={"conversation": key})
        elsewhere = await site.client.call("GET", PROFILE)
        scope = await site.client.call("GET", CHANNEL, params={"conversation": key})
    models_admin.EffectiveProfile.model_validate(here)
    assert (here["agent_name"], elsewhere["agent_name"]) == ("Bo", "Ada")
    assert value_of(here, "agent_name") == ("Bo", "channel")
    assert value_of(here, "lang") == ("zh", "workspace")
    assert value_of(here, "max_iter_num") == (5, "default")
    assert scope["values"] == {"agent_name": "Bo"}
    assert value_of(scope, "agent_name", "inherited") == ("Ada", "workspace")


async def test_a_new_conversation_runs_with_the_saved_profile_and_its_trace_says_so(store: Store) -> None:
    async with Site(store) as site:
        await save(site, WORKSPACE, {"agent_name": "Ada"})
        key = await begin(site)
        page = await site.client.call("GET", f"/api/v1/conversations/{key}")
        trace = await site.client.call("GET", f"/api/v1/turns/{page['turns'][0]['id']}/trace")
    assert [(one["scope"], one["version"]) for one in trace["profiles"]] == [("default", 1), ("workspace", 1)]


async def test_choices_and_explanations_come_in_the_readers_language(sqlite_store: Store) -> None:
    async with Site(sqlite_store) as site:
        english = await site.client.call("GET", PROFILE)
        chinese = await site.client.call("GET", PROFILE, headers={"Accept-Language": "zh-CN"})
    assert english["choices"]["tools"] == [{"name": "time_delta", "title": "Time delta"}]
    assert chinese["choices"]["tools"] == [{"name": "time_delta", "title": "时间差工具"}]
    assert "auto" in english["choices"]["styles"]
    abouts = [(one["about"], two["about"]) for one, two in zip(english["values"], chinese["values"], strict=True)]
    assert all(one and two and one != two for one, two in abouts)


async def test_who_saves_over_an_unseen_version_is_told(store: Store) -> None:
    async with Site(store) as site:
        await save(site, WORKSPACE, {"agent_name": "Ada"})
        body = {"values": {"agent_name": "Bo"}, "based_on": 0}
        status, found = await site.client.ask("PUT", WORKSPACE, body)
        newest = await site.client.call("GET", WORKSPACE)
    assert (status, found["error"]["code"]) == (409, "conflict")
    assert newest["values"] == {"agent_name": "Ada"}


async def test_a_wrong_value_is_named(sqlite_store: Store) -> None:
    async with Site(sqlite_store) as site:
        for name, value in [("max_iter_num", 99), ("lang", "fr"), ("tool_names", ["teleport"]), ("hat", "red")]:
            status, found = await site.client.ask("PUT", WORKSPACE, {"values": {name: value}, "based_on": 0})
            assert (status, found["error"]["code"], found["error"]["field"]) == (400, "invalid_profile", name)
        newest = await site.client.call("GET", WORKSPACE)
    assert newest["version"] == 0


async def test_versions_can_be_listed_compared_and_brought_back(store: Store) -> None:
    async with Site(store) as site:
        await save(site, WORKSPACE, {"agent_name": "Ada"})
        await save(site, WORKSPACE, {"agent_name": "Bo", "max_iter_num": 2}, based_on=1)
        difference = await site.client.call("GET", f"{WORKSPACE}/compare", params={"a": 1, "b": 2})
        restored = await site.client.call("POST", f"{WORKSPACE}/restore", {"version": 1})
        listed = await site.client.call("GET", f"{WORKSPACE}/versions", params={"limit": 2})
        rest = await site.client.call("GET", f"{WORKSPACE}/versions", params={"before": listed["next"]})
    assert difference["differences"] == [
        {"name": "agent_name", "before": "Ada", "after": "Bo"},
        {"name": "max_iter_num", "before": None, "after": 2},
    ]
    assert (restored["version"], restored["values"]) == (3, {"agent_name": "Ada"})
    assert [(one["version"], one["restores"]) for one in listed["versions"]] == [(3, 1), (2, None)]
    assert listed["versions"][0]["changed"] == ["agent_name", "max_iter_num"]
    assert [one["version"] for one in rest["versions"]] == [1]
    assert listed["versions"][0]["author"] == "on this page"


async def test_what_is_not_there_can_not_be_set(sqlite_store: Store) -> None:
    async with Site(sqlite_store) as site:
        without = await site.client.ask("GET", CHANNEL)
        unknown = await site.client.ask("GET", CHANNEL, params={"conversation": NOBODY})
        scope = await site.client.ask("GET", f"{PROFILE}/thread")
        version = await site.client.ask("POST", f"{WORKSPACE}/restore", {"version": 7})
    assert [one[0] for one in (without, unknown, scope, version)] == [400, 404, 404, 404]


async def test_a_conversation_can_begin_with_a_model(store: Store) -> None:
    message_id = str(uuid4())
    async with Site(store) as site:
        key = await begin(site, message_id=message_id, model="large")
        begun = await site.client.call("GET", PROFILE, params={"conversation": key})
        await save(site, CHANNEL, {"model": "small"}, based_on=1, conversation=key)
        # The same message once more must not undo what was chosen since.
        await begin(site, message_id=message_id, model="large")
        now = await site.client.call("GET", PROFILE, params={"conversation": key})
    assert value_of(begun, "model") == ("large", "channel")
    assert value_of(now, "model") == ("small", "channel")


# --- Endpoints -------------------------------------------------------------------------------------------------------

DRAFT = {"base_url": "http://127.0.0.1:9/v1", "api_key": "sk-secret", "model": "tiny"}


async def test_an_endpoint_is_tested_saved_removed_and_brought_back(sqlite_store: Store) -> None:
    async with Site(sqlite_store) as site:
        call = site.client.call
        report = await call("POST", "/api/v1/endpoints/test", {"name": "gpu", **DRAFT})
        assert site.endpoints.saved == {}
        saved = await call("PUT", "/api/v1/endpoints/gpu%20one", DRAFT)
        listed = await call("GET", "/api/v1/endpoints")
        await call("DELETE", "/api/v1/endpoints/gpu%20one")
        empty = await call("GET", "/api/v1/endpoints")
        back = await call("POST", "/api/v1/endpoints/gpu%20one/restore")
    assert report == {
        "lines": [{"name": "reach", "state": "ok", "text": "It answers."}],
        "models": ["tiny", "large"],
        "ok": True,
    }
    assert (saved["name"], back) == ("gpu one", saved)
    assert (listed["endpoints"], empty["endpoints"]) == ([saved], [])
    assert "sk-secret" not in json.dumps([report, saved, listed, back])


async def test_a_wrong_endpoint_is_refused_by_name_of_its_field(sqlite_store: Store) -> None:
    async with Site(sqlite_store) as site:
        bad = {**DRAFT, "base_url": "ftp://x"}
        test = await site.client.ask("POST", "/api/v1/endpoints/test", bad)
        save = await site.client.ask("PUT", "/api/v1/endpoints/gpu", bad)
        strange = await site.client.ask("PUT", "/api/v1/endpoints/gpu", {**DRAFT, "slots": "many"})
        missing = await site.client.ask("DELETE", "/api/v1/endpoints/nobody")
    for status, found in (test, save):
        assert (status, found["error"]["code"], found["error"]["field"]) == (400, "invalid_endpoint", "base_url")
        assert "sk-secret" not in json.dumps(found)
    assert (strange[0], missing[0]) == (400, 400)


async def test_another_site_can_neither_test_nor_change_an_endpoint(sqlite_store: Store) -> None:
    async with Site(sqlite_store) as site:
        for method, path in [("POST", "/api/v1/endpoints/test"), ("PUT", "/api/v1/endpoints/x"), ("PUT", WORKSPACE)]:
            foreign = {"Sec-Fetch-Site": "cross-site"}
            status, found = await site.client.ask(method, path, DRAFT, headers=foreign)
            assert (status, found["error"]["code"]) == (403, "cross_site")
            status, found = await site.client.ask(method, path, DRAFT, headers={"X-Kagentbot": "0"})
            assert (status, found["error"]["code"]) == (403, "header_missing")
    assert (site.endpoints.tested, site.endpoints.saved) == ([], {})


# --- Deleting a conversation -----------------------------------------------------------------------------------------


async def test_a_deleted_conversation_is_nowhere_any_more(store: Store) -> None:
    async with Site(store) as site:
        key = await begin(site)
        page = await site.client.call("GET", f"/api/v1/conversations/{key}")
        turn = f"/api/v1/turns/{page['turns'][0]['id']}"
        assert await site.client.call("DELETE", f"/api/v1/conversations/{key}") == {}
        again = await site.client.ask("DELETE", f"/api/v1/conversations/{key}")
        listed = await site.client.call("GET", "/api/v1/conversations")
        found = await site.client.call("GET", "/api/v1/conversations", params={"q": "hello"})
        paths = [f"/api/v1/conversations/{key}", f"/api/v1/conversations/{key}/export", turn, f"{turn}/trace"]
        gone = [(await site.client.ask("GET", path))[0] for path in paths]
        message = {"conversation": key, "message_id": str(uuid4()), "text": "more"}
        posted = await site.client.ask("POST", "/api/v1/messages", message)
    assert again[0] == 204
    assert (listed["conversations"], found["conversations"]) == ([], [])
    assert (gone, posted[0]) == ([404] * 4, 404)


async def test_who_watches_a_conversation_is_told_that_it_is_gone(store: Store) -> None:
    async with Site(store) as site:
        key = await begin(site)
        async with site.client.session.get(f"/api/v1/conversations/{key}/events") as response:
            async with asyncio.timeout(10):
                await site.client.call("DELETE", f"/api/v1/conversations/{key}")
                # The stream ends by itself.
                said = await response.content.read()
    assert said.decode().rstrip().endswith("event: gone\ndata: {}")
