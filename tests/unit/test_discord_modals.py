"""The profile's modals: what comes back from people, read back."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.chat.profile_form import Form
from adapters.discord import texts
from adapters.discord.controls import modals
from adapters.discord.controls.modals import Meta, meta_of, submitted
from adapters.discord.texts import DISCORD
from agent.language import Lang
from agent.profile import FIELDS, Profile
from bot.places import DEFAULT
from bot.profiles import Origin


@pytest.mark.parametrize(
    "meta",
    [
        Meta("channel", "who", 0),
        Meta("thread", "instructions", 12, ("\n", "")),
        Meta("workspace", "how", 999_999_999),
        Meta("channel", "instructions", 3, ("\n", "\n", "\n", "")),
    ],
)
def test_what_a_modal_is_about_comes_back_in_its_custom_id(meta: Meta) -> None:
    assert meta_of(meta.custom_id) == meta
    assert len(meta.custom_id) <= 100


@pytest.mark.parametrize(
    "made_up",
    [
        "",
        "kagent.profile",
        "kagent.profile:channel:who:1",
        "kagent.profile:galaxy:who:1:",
        "kagent.profile:channel:what:1:",
        "kagent.profile:channel:who:-1:",
        "kagent.profile:channel:who:١:",
        "kagent.profile:channel:who:1:q",
        "kagent.profile:channel:who:99999999999999:",
        "other:channel:who:1:",
    ],
)
def test_a_custom_id_that_somebody_made_up_is_nobodys(made_up: str) -> None:
    assert meta_of(made_up) is None


def test_what_was_typed_is_read_below_labels_and_in_rows() -> None:
    components: list[dict[str, Any]] = [
        {"type": 18, "component": {"type": 4, "custom_id": "agent_name.0", "value": "Tide"}},
        {"type": 1, "components": [{"type": 4, "custom_id": "agent_instructions.1", "value": "more"}]},
        {"type": 18, "component": {"type": 3, "custom_id": "lang.0", "values": ["zh"]}},
        {"type": 18, "component": {"type": 3, "custom_id": "tool_names.0", "values": []}},
        {"type": 18, "component": {"type": 3, "custom_id": "style.0", "values": []}},
        {"type": 10},
        {"type": 18, "component": {"type": 4, "custom_id": "nothing of ours", "value": "x"}},
    ]
    assert submitted(components) == {
        ("agent_name", 0): "Tide",
        ("agent_instructions", 1): "more",
        ("lang", 0): "zh",
        ("tool_names", 0): [],
        ("style", 0): None,
    }


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("page", modals.PAGES)
def test_what_a_form_says_about_its_fields_is_not_cut(page: str, lang: Lang) -> None:
    form = Form(
        platform=DISCORD,
        scope="channel",
        workspace="1",
        channel="2",
        version=0,
        values={},
        inherited=Profile(),
        origins=dict.fromkeys(FIELDS, Origin(DEFAULT, 0)),
        tools={},
        models=("small",),
        lang=lang,
        hints=texts.HINTS,
    )
    for one in modals.modal(form, page)["components"]:
        assert not one["label"].endswith("…")
        assert not one["description"].endswith("…")
