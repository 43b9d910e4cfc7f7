"""Who somebody is, as Slack describes them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from adapters.slack.connection.api import Identity
from agent.language import Lang
from bot.messages import Kind, Person

_LANGS: Final[dict[str, Lang]] = {"en": "en", "zh": "zh"}


def person_of(user: Mapping[str, Any], us: Identity) -> Person:
    """The person of a `user` object of users.info, as somebody of our workspace sees them."""
    profile = user.get("profile") or {}
    team = str(user.get("team_id") or profile.get("team") or "")
    kind = _kind(user, team, us)
    name = profile.get("display_name") or profile.get("real_name") or user.get("real_name") or user.get("name")
    return Person(
        str(user["id"]),
        str(name or ""),
        kind=kind,
        team=team if kind == "external" else "",
        # Of another workspace they may be the admin, but not of ours.
        is_admin=kind == "member" and bool(user.get("is_admin") or user.get("is_owner")),
        zone=str(user.get("tz") or ""),
        lang=_LANGS.get(str(user.get("locale") or "")[:2].lower()),
    )


def _kind(user: Mapping[str, Any], team: str, us: Identity) -> Kind:
    if user.get("is_bot"):
        return "bot"
    # In an organisation, people of its other workspaces are no strangers.
    enterprise = str((user.get("enterprise_user") or {}).get("enterprise_id") or "")
    own_organisation = bool(us.enterprise_id) and enterprise == us.enterprise_id
    if user.get("is_stranger") or (team and us.team_id and team != us.team_id and not own_organisation):
        return "external"
    return "guest" if user.get("is_restricted") or user.get("is_ultra_restricted") else "member"
