"""Who somebody is, from Slack's description."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.slack.asking.persons import person_of
from adapters.slack.connection.api import Identity

US = Identity("T1", "E1", "UBOT", "BBOT", frozenset())
ALONE = Identity("T1", "", "UBOT", "BBOT", frozenset())
ORG = Identity("", "E1", "UBOT", "BBOT", frozenset(), org_wide=True)


def user(**more: Any) -> dict[str, Any]:
    return {"id": "U1", "team_id": "T1", "name": "ann", "profile": {}} | more


@pytest.mark.parametrize(
    ("us", "described", "kind"),
    [
        (ALONE, user(), "member"),
        (ALONE, user(is_restricted=True), "guest"),
        (ALONE, user(is_ultra_restricted=True), "guest"),
        (ALONE, user(is_bot=True), "bot"),
        (ALONE, user(team_id="T2"), "external"),
        (ALONE, user(is_stranger=True), "external"),
        (US, user(team_id="T2", enterprise_user={"enterprise_id": "E1"}), "member"),
        (US, user(team_id="T2", enterprise_user={"enterprise_id": "E2"}), "external"),
        (ORG, user(team_id="T2"), "member"),
        (ORG, user(team_id="T9", is_stranger=True), "external"),
    ],
)
def test_what_somebody_is_to_us(us: Identity, described: dict[str, Any], kind: str) -> None:
    assert person_of(described, us).kind == kind


def test_an_admin_elsewhere_is_none_here() -> None:
    assert person_of(user(is_admin=True), ALONE).is_admin
    assert not person_of(user(is_admin=True, team_id="T2"), ALONE).is_admin


def test_only_somebody_of_another_workspace_carries_its_id() -> None:
    assert (person_of(user(), ALONE).team, person_of(user(team_id="T2"), ALONE).team) == ("", "T2")


@pytest.mark.parametrize(
    ("locale", "lang"), [("zh-CN", "zh"), ("zh-TW", "zh"), ("en-GB", "en"), ("de-DE", None), ("", None)]
)
def test_a_client_s_language_is_one_of_ours_or_unknown(locale: str, lang: str | None) -> None:
    assert person_of(user(locale=locale), ALONE).lang == lang


@pytest.mark.parametrize(
    ("profile", "name"),
    [
        ({"display_name": "Ann", "real_name": "Ann Lee"}, "Ann"),
        ({"display_name": "", "real_name": "Ann Lee"}, "Ann Lee"),
        ({}, "ann"),
    ],
)
def test_somebody_is_called_what_people_see(profile: dict[str, str], name: str) -> None:
    assert person_of(user(profile=profile), ALONE).name == name
