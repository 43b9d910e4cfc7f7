"""Modals and the App Home fit Slack's sizes, lose nothing, and speak one language at a time."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from adapters.chat import texts
from adapters.chat.profile_form import Form, Scope
from adapters.chat.steps import Shown
from adapters.slack import limits
from adapters.slack.controls import home, modals, steps_view
from adapters.slack.controls.modals import Meta
from adapters.slack.texts import ICON_HINT, SLACK
from agent.language import Lang, Text
from agent.profile import FIELDS, Profile
from bot.messages import Author
from bot.places import DEFAULT, Place
from bot.profiles import Effective, Origin, Version
from bot.store.traces import StepTrace, Trace
from tests.fakes.slack import sizes

AT = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
LANGS: tuple[Lang, ...] = get_args(Lang)
TITLES = {"calculator": Text("Calculating", "计算")}
AMPERSANDS = "&" * 5_000


# Steps


def step(key: str, detail: Any = None, result: Any = None, state: str = "done") -> StepTrace:
    return StepTrace(key, state, 1, detail, result, AT, AT)


def trace(*steps: StepTrace, state: str = "answered", lang: Lang = "en", **meta: Any) -> Trace:
    return Trace(7, state, lang, 1, AT, AT, AT + timedelta(seconds=2.5), None, meta, steps, ())


def pages(found: Trace, lang: Lang = "en") -> list[dict[str, Any]]:
    """All pages of a trace, each checked against Slack's sizes."""
    shown = Shown(lang, TITLES)
    views, page = [], 0
    while True:
        view = steps_view.view(found, shown, page=page, channel="C1")
        sizes.check_view(view, "modal")
        assert len(json.dumps(view)) < 250_000
        views.append(view)
        if steps_view.NEXT not in json.dumps(view):
            return views
        page += 1


def text_of(view: dict[str, Any]) -> str:
    return json.dumps(view["blocks"], ensure_ascii=False)


@pytest.mark.parametrize(
    "found",
    [
        trace(),
        trace(step("plan/0", None, {"thought": AMPERSANDS, "reasoning": AMPERSANDS, "calls": [{"tool": "&" * 999}]})),
        trace(step("act/0/0", {"tool": "&" * 500, "args": {"&" * 90: AMPERSANDS}}, {"answer": AMPERSANDS, "ok": True})),
        trace(step("act/0/0", {"tool": "x", "args": {"a": [1, {"b": None}]}}, {"urls": [AMPERSANDS] * 300})),
        trace(*(step(f"act/{n}/0", {"tool": "calculator"}, {"answer": "42", "ok": True}) for n in range(200))),
        trace(step("act/0/0", {"tool": "calculator"}, {"answer": "中文" * 40_000, "ok": True})),
        trace(step("act/0/0", {"tool": "calculator"}, {"answer": "word" * 20_000, "ok": True})),
        trace(sources=["https://example.org/&"] * 500, notes=[AMPERSANDS] * 50, model=AMPERSANDS),
        # Rows of other versions.
        trace(step("plan/0", "?", ["?"]), step("dream/0", 7, "?"), step("act/0/0", None, {"urls": "?"}), state="?"),
        trace(step("plan/0", None, {"calls": ["?", {"tool": 3, "args": "?"}], "end": "?", "usage": {"x": 1}})),
    ],
)
@pytest.mark.parametrize("lang", LANGS)
def test_steps_fit_whatever_is_in_them(found: Trace, lang: Lang) -> None:
    assert pages(found, lang)


def test_a_page_that_does_not_exist_is_the_nearest_one() -> None:
    shown = Shown("en", TITLES)
    found = trace(step("act/0/0", {"tool": "calculator"}, {"answer": "42", "ok": True}))
    assert steps_view.view(found, shown, page=99) == steps_view.view(found, shown, page=0)
    assert steps_view.view(found, shown, page=-1) == steps_view.view(found, shown, page=0)


def test_what_was_under_way_when_it_was_stopped_has_failed() -> None:
    half = step("act/0/0", {"tool": "calculator"}, None, "started")
    assert texts.RUNNING.en in text_of(pages(trace(half, state="running"))[0])
    assert texts.FAILED.en in text_of(pages(trace(half, state="stopped"))[0])


@pytest.mark.parametrize(("allow", "word"), [(True, texts.ALLOWED), (False, texts.DENIED), (None, texts.RUNNING)])
def test_a_consent_says_how_it_was_decided(allow: bool | None, word: Text) -> None:
    result, state = ({"allow": allow}, "done") if allow is not None else (None, "started")
    found = trace(step("consent/0/0", {"tool": "calculator"}, result, state), state="waiting")
    assert word.en in text_of(pages(found)[0])


def test_steps_in_chinese_have_no_english_of_ours() -> None:
    found = trace(
        step("plan/0", None, {"thought": "先计算", "end": "complete", "detail": "Enough is known", "calls": []}),
        step("consent/0/0", {"tool": "calculator"}, {"allow": True}),
        step("act/0/0", {"tool": "calculator"}, {"answer": "四十二", "ok": False}),
        step("conclude", None, {"usage": {"prompt_tokens": 1200, "completion_tokens": 34}}),
        model="大模型",
        sources=["来源"],
        notes=["注意"],
    )
    view = pages(found, "zh")[0]
    words = [block.get("text", {}).get("text", "") for block in view["blocks"]]
    words += [part["text"] for block in view["blocks"] for part in block.get("elements", ())]
    words += [view["title"]["text"], view["close"]["text"]]
    latin = {word for text in words for word in "".join(ch if ch.isascii() else " " for ch in text).split()}
    assert {word for word in latin if word.strip("*_·+,.0123456789")} <= {"token"}


def test_a_model_s_words_ring_nobody_and_mean_nothing() -> None:
    args = {"text": "<!channel> <@U1> `rm` @here"}
    shown = text_of(pages(trace(step("act/0/0", {"tool": "<!here>", "args": args}, {"ok": True})))[0])
    assert "<!" not in shown
    assert "<@" not in shown
    assert "@here" not in shown


# The profile


def form(scope: Scope = "channel", lang: Lang = "en", **more: Any) -> Form:
    given: dict[str, Any] = {"values": {}, "tools": TITLES, "models": (), "version": 3} | more
    origins = dict.fromkeys(FIELDS, Origin(DEFAULT, 0))
    given |= {"inherited": Profile(), "origins": origins, "hints": {"icon": ICON_HINT}}
    return Form(platform=SLACK, scope=scope, workspace="T1", channel="C1", lang=lang, **given)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"version": 0},
        {"tools": {f"tool_{n}" * 8: Text("A tool " * 20, "工具" * 50) for n in range(98)}},
        {
            "tools": {f"tool{n}": Text("A tool", "工具") for n in range(200)},
            "values": {"tool_names": ["tool1", "gone"]},
        },
        {"models": [f"model-{n}" * 12 for n in range(98)], "values": {"model": "gone"}},
        {"models": [f"model-{n}" for n in range(500)], "values": {"model": "gone"}},
        {"values": {"agent_instructions": "&" * 8_000, "agent_bio": "&" * 2_000, "icon": "https://" + "x" * 492}},
        {"values": {"tool_names": ["calculator", "gone", "auto"], "lang": "klingon", "max_iter_num": 0}},
    ],
)
def test_the_form_fits_whatever_is_set(more: dict[str, Any], lang: Lang) -> None:
    for scope in modals.SCOPES:
        view = modals.profile(form(scope, lang, **more))
        sizes.check_view(view, "modal")
        for block in view["blocks"]:
            element = block.get("element", {})
            assert len(element.get("placeholder", {}).get("text", "")) <= 150
            assert all(len(option["value"]) <= 150 for option in element.get("options", ()))


def test_a_foreign_view_is_no_form() -> None:
    for metadata in ("", "{}", '["thread", "C1", 3]', "[1]"):
        with pytest.raises(ValueError, match="metadata"):
            modals.meta_of({"private_metadata": metadata})


@pytest.mark.parametrize(("raw", "value"), [("3", 3), (" 3 ", 3), ("3.5", "3.5"), ("three", "three"), ("", None)])
def test_a_number_is_a_number_or_left_for_the_check(raw: str, value: object) -> None:
    meta = Meta("workspace", "", 0)
    state = {modals.block_id("workspace", "max_iter_num"): {modals.VALUE: {"type": "number_input", "value": raw}}}
    _, values = modals.submitted({"private_metadata": meta.dump(), "state": {"values": state}})
    assert values == ({} if value is None else {"max_iter_num": value})


# Versions and the Home


def version(number: int) -> Version:
    author = Author("U1", "<!channel> " + "&" * 300)
    return Version(Place("workspace", "slack:T1"), number, {}, author, AT, 1, FIELDS)


@pytest.mark.parametrize("lang", LANGS)
def test_versions_and_home_fit(lang: Lang) -> None:
    many = [version(number) for number in range(50, 0, -1)]
    view = modals.versions(many, Meta("workspace", "", 0), lang, said=AMPERSANDS)
    sizes.check_view(view, "modal")
    sizes.check_view(modals.versions([], Meta("workspace", "", 0), lang), "modal")
    sizes.check_view(modals.note(texts.PROFILE, AMPERSANDS, lang), "modal")
    profile = Profile(agent_name="&" * 80, agent_bio="&" * 2_000, agent_instructions="<!here>" * 1_000)
    effective = Effective(profile, dict.fromkeys(FIELDS, Origin(DEFAULT, 0)), ())
    shown = home.home(effective, many[:3], TITLES, lang, may_edit=True, usage="- a line\n" * 3_000)
    sizes.check_view(shown, "home")
    assert len(shown["blocks"]) <= limits.BLOCKS_PER_VIEW
    assert "<!here>" not in json.dumps(shown)
