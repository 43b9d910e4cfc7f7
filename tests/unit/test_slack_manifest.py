"""The manifest asks for what the code needs, and for nothing else. What the code needs is read from the code."""

from __future__ import annotations

import ast
import importlib
import json
import re
from collections.abc import Iterator
from typing import Any, get_args
from urllib.parse import parse_qs, urlsplit

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack import limits
from adapters.slack.errors import SENTENCES, sentence
from adapters.slack.setup.manifest import (
    BENCH_COMMAND,
    COMMAND,
    EVENTS,
    METHODS,
    OPTIONAL_SCOPES,
    SCOPES,
    Mode,
    create_link,
    lacking,
    manifest,
)
from agent.language import Lang, detect
from tests.support.pages import ROOT

FOLDER = ROOT / "adapters" / "slack"
#: What these say is about all methods, not about those that are called.
TABLES = ("limits.py", "manifest.py")
METHOD = re.compile(
    r"(agents|api|apps|assistant|auth|bots|chat|conversations|files|oauth|reactions|team|users|views)\.[\w.]*[A-Za-z]"
)
#: Scopes that no method and no event shows the need for, and why they are needed.
OTHERWISE_NEEDED = {
    "assistant:write": "features.agent_view",
    "commands": "slash commands",
    "files:read": "url_private_download of attached files",
    "chat:write.customize": "username and icon_* of chat.postMessage",
}
URL = "https://bot.example.com"
MODES: tuple[Mode, ...] = get_args(Mode)


def modules() -> Iterator[tuple[str, ast.Module]]:
    """The name of every module of the adapter, with its syntax."""
    for path in sorted(FOLDER.glob("**/*.py")):
        if path.name not in (*TABLES, "__init__.py"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield name, ast.parse(path.read_text("utf-8"))


def literals() -> set[str]:
    return {
        node.value
        for _, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def registered(kind: str) -> set[str]:
    """What is registered on bolt's app: `app.event("…")`, `app.command(NAME)`."""
    found = set()
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == kind:
                argument = node.args[0] if node.args else None
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    found.add(argument.value)
                elif isinstance(argument, ast.Name):
                    found.add(getattr(importlib.import_module(name), argument.id, ""))
    return found - {""}


def called() -> set[str]:
    """Methods of the Web API that the code names."""
    return {literal for literal in literals() if METHOD.fullmatch(literal) and not literal.endswith(".com")}


def test_every_method_that_is_called_is_known_with_its_scopes() -> None:
    assert called() - METHODS.keys() == set()


def test_every_method_that_is_called_has_a_limit() -> None:
    # An installation makes this call once.
    assert called() - limits.METHODS.keys() - {"oauth.v2.access", "auth.revoke"} == set()


def test_every_method_exists_in_slack_sdk() -> None:
    names = METHODS.keys() | limits.METHODS.keys()
    assert [name for name in names if not hasattr(AsyncWebClient, name.replace(".", "_"))] == []


@pytest.mark.parametrize("mode", MODES)
def test_the_manifest_asks_for_every_scope_that_a_method_or_an_event_needs(mode: Mode) -> None:
    scopes = set(manifest(mode, public_url=URL)["oauth_config"]["scopes"]["bot"])
    needed = {scope for method in called() for scope in METHODS[method]} | {scope for scope in EVENTS.values() if scope}
    assert needed - scopes - OPTIONAL_SCOPES.keys() == set()


def test_no_scope_is_asked_for_without_a_need() -> None:
    needed = {scope for method in called() for scope in METHODS[method]} | set(EVENTS.values())
    assert (SCOPES.keys() | OPTIONAL_SCOPES.keys()) - needed - OTHERWISE_NEEDED.keys() == set()


def test_every_event_that_is_subscribed_to_has_somebody_who_hears_it() -> None:
    kinds = {event.partition(".")[0] for event in EVENTS}
    assert kinds - registered("event") - literals() == set()


def test_every_event_that_is_listened_for_is_subscribed_to() -> None:
    kinds = {event.partition(".")[0] for event in EVENTS}
    assert registered("event") - kinds == set()


def test_every_command_that_is_listened_for_is_in_the_manifest() -> None:
    assert {name for name in registered("command") if name.startswith("/")} - {COMMAND, BENCH_COMMAND} == set()


def test_over_sockets_no_address_is_told() -> None:
    assert "://" not in json.dumps(manifest("socket"))
    assert manifest("socket")["settings"]["socket_mode_enabled"] is True


def test_over_http_everything_comes_to_one_address() -> None:
    content = manifest("http", public_url=URL)
    assert content["settings"]["socket_mode_enabled"] is False
    urls = set(re.findall(r'https?://[^"]+', json.dumps(content)))
    assert urls == {f"{URL}/slack/events"}
    commands = content["features"]["slash_commands"]
    assert {command["command"]: command["url"] for command in commands}.keys() == {COMMAND, BENCH_COMMAND}


@pytest.mark.parametrize("mode", MODES)
def test_with_oauth_the_way_back_is_told(mode: Mode) -> None:
    content = manifest(mode, public_url=URL, oauth=True)
    assert content["oauth_config"]["redirect_urls"] == [f"{URL}/slack/oauth_redirect"]


@pytest.mark.parametrize(("mode", "oauth"), [("http", False), ("http", True), ("socket", True)])
def test_without_an_address_there_is_no_such_manifest(mode: Mode, oauth: bool) -> None:
    with pytest.raises(ValueError):
        manifest(mode, oauth=oauth)


@pytest.mark.parametrize("lang", get_args(Lang))
def test_its_texts_fit_slacks_limits_in_both_languages(lang: Lang) -> None:
    content = manifest("socket", name="n" * 200, lang=lang)
    shown, features = content["display_information"], content["features"]
    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    assert 174 <= len(shown["long_description"]) <= 4_000
    assert len(features["bot_user"]["display_name"]) <= 80
    assert len(features["agent_view"]["agent_description"]) <= limits.AGENT_DESCRIPTION
    assert 1 <= len(features["agent_view"]["suggested_prompts"]) <= limits.SUGGESTED_PROMPTS
    for text in (shown["description"], shown["long_description"], features["agent_view"]["agent_description"]):
        assert detect(text) == lang


def test_the_link_carries_the_manifest() -> None:
    content = manifest("socket", lang="zh")
    query = parse_qs(urlsplit(create_link(content)).query)
    assert query["new_app"] == ["1"]
    assert json.loads(query["manifest_json"][0]) == content


def test_what_was_not_granted_is_named() -> None:
    assert lacking(frozenset(SCOPES) - {"commands", "users:read"}) == ["commands", "users:read"]
    assert lacking(frozenset(SCOPES)) == []


# --- What Slack's codes mean


@pytest.mark.parametrize("code", sorted(SENTENCES))
def test_each_code_has_one_sentence_in_both_languages(code: str) -> None:
    english, chinese = (sentence(code, lang, needed="users:read") for lang in ("en", "zh"))
    assert (detect(english), detect(chinese)) == ("en", "zh")
    assert english.endswith(".")
    assert chinese.endswith("。")
    assert "{" not in english + chinese


def test_a_code_that_nobody_knows_is_named() -> None:
    assert "some_new_code" in sentence("some_new_code", "en")
    assert "some_new_code" in sentence("some_new_code", "zh")


def test_a_missing_scope_is_named() -> None:
    assert "users:read" in sentence("missing_scope", "en", needed="users:read")


# --- Limits


def test_no_bucket_lets_more_through_than_slack_allows() -> None:
    documented: dict[str, Any] = {"chat.startStream": 20, "chat.update": 50, "chat.appendStream": 100}
    for method, per_minute in documented.items():
        rate = limits.rate_of(f"T1/{method}")
        assert rate.burst + rate.per_minute <= per_minute
    assert limits.rate_of("T1/C1/post") is limits.CHANNEL_POST
    assert limits.rate_of("T1/some.newMethod") is limits.UNKNOWN_METHOD
