"""Slack's JSON: messages, people, channels, files and views as it writes them, and the frame around an event."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from tests.fakes.slack.world import App, Channel, File, Install, Message, User, View, Workspace

#: Channel kind → `channel_type` of an event, the subscription, and the scope that it needs (facts 2.5).
CHANNEL_EVENTS: dict[str, tuple[str, str]] = {
    "channel": ("message.channels", "channels:history"),
    "group": ("message.groups", "groups:history"),
    "im": ("message.im", "im:history"),
    "mpim": ("message.mpim", "mpim:history"),
}
#: Event type → the scope that it needs besides its subscription.
EVENT_SCOPES = {"app_mention": "app_mentions:read", "agent_session_stopped": "chat:write"}
#: Told although the token is worth nothing any more.
FAREWELLS = frozenset({"tokens_revoked", "app_uninstalled"})


def event_callback(
    app: App, install: Install, team: str, event: dict[str, Any], event_id: str, now: float, *, shared: bool
) -> dict[str, Any]:
    """The outer body of an event. `team_id` is where it happened; whose bot is meant, `authorizations` says, with
    team_id null for an org install (facts 5.12)."""
    return {
        "token": "deprecated",
        "team_id": team,
        "context_team_id": install.team or team,
        "context_enterprise_id": install.enterprise_id or None,
        "api_app_id": app.id,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(now),
        "authorizations": [
            {
                "enterprise_id": install.enterprise_id or None,
                "team_id": install.team or None,
                "user_id": install.bot_user,
                "is_bot": True,
                "is_enterprise_install": not install.team,
            }
        ],
        "is_ext_shared_channel": shared,
        "event_context": f"4-{event_id}",
    }


def message(
    item: Message, files: list[dict[str, Any]], replies: list[Message], *, metadata: bool = False
) -> dict[str, Any]:
    """A message, as listings, events and interactive payloads carry it. A DM's root has no thread_ts until somebody
    replies (facts 0.3)."""
    shown: dict[str, Any] = {"type": "message", "user": item.user, "ts": item.ts, "text": item.text, "team": item.team}
    if item.subtype:
        shown["subtype"] = item.subtype
    if item.client_msg_id:
        shown["client_msg_id"] = item.client_msg_id
    if item.bot_id:
        shown |= {"bot_id": item.bot_id, "app_id": item.app_id}
        shown["bot_profile"] = {"id": item.bot_id, "app_id": item.app_id, "name": item.username, "team_id": item.team}
    if item.subtype == "bot_message":
        # A changed name or icon: the message isn't the bot user's any more.
        del shown["user"]
        shown |= {"username": item.username, "icons": {"emoji": item.icon} if item.icon else {}}
    if item.thread_ts:
        shown["thread_ts"] = item.thread_ts
    if replies:
        people = list(dict.fromkeys(reply.user for reply in replies))
        shown |= {
            "thread_ts": item.ts,
            "reply_count": len(replies),
            "reply_users_count": len(people),
            "reply_users": people[:5],
            "latest_reply": replies[-1].ts,
        }
    for name, value in (("blocks", item.blocks), ("attachments", item.attachments), ("files", files)):
        if value:
            shown[name] = value
    if item.edited_at is not None:
        shown["edited"] = {"user": item.user, "ts": f"{item.edited_at:.6f}"}
    if metadata and item.metadata:
        shown["metadata"] = item.metadata
    if item.ephemeral_to:
        shown["is_ephemeral"] = True
    return shown


def user(item: User, seen_from: str, *, locale: bool) -> dict[str, Any]:
    """users.info; a person of another workspace (`seen_from` isn't theirs) is a stranger without a locale."""
    foreign = item.team != seen_from
    shown: dict[str, Any] = {
        "id": item.id,
        "team_id": item.team,
        "name": item.name,
        "deleted": item.deleted,
        "real_name": item.real_name or item.name,
        "tz": item.tz,
        "tz_label": item.tz,
        "tz_offset": item.tz_offset,
        "profile": {"real_name": item.real_name or item.name, "display_name": item.name, "team": item.team},
        "is_bot": item.is_bot,
        "is_app_user": False,
    }
    if foreign:
        return shown | {"is_stranger": True}
    shown |= {
        "is_admin": item.is_admin or item.is_owner,
        "is_owner": item.is_owner,
        "is_primary_owner": item.is_owner,
        "is_restricted": item.is_restricted or item.is_ultra_restricted,
        "is_ultra_restricted": item.is_ultra_restricted,
    }
    return shown | {"locale": item.locale} if locale else shown


def channel(item: Channel, install: Install) -> dict[str, Any]:
    """conversations.info."""
    shown: dict[str, Any] = {
        "id": item.id,
        "is_channel": item.kind == "channel",
        "is_group": item.kind == "group",
        "is_im": item.kind == "im",
        "is_mpim": item.kind == "mpim",
        "is_private": item.kind != "channel",
        "is_archived": item.archived,
        "is_shared": len(item.teams) > 1,
        "is_ext_shared": len(item.teams) > 1,
        "is_org_shared": False,
        "context_team_id": install.team or item.team,
        "shared_team_ids": list(item.teams),
        "is_member": install.bot_user in item.members,
    }
    if item.kind == "im":
        return shown | {"user": next((member for member in item.members if member != install.bot_user), "")}
    return shown | {"name": item.name or item.id.lower(), "num_members": len(item.members)}


def file(item: File, origin: str, *, ready: bool = True) -> dict[str, Any]:
    """A file; its addresses want the bot's token. Not `ready`: Slack hasn't looked into it yet."""
    kind = item.name.rpartition(".")[2].lower()
    path = f"{item.team}-{item.id}/{quote(item.name)}"
    return {
        "id": item.id,
        "name": item.name,
        "title": item.title or item.name,
        "mimetype": item.mimetype if ready else "",
        "filetype": kind if ready else "",
        "pretty_type": kind.upper() if ready else "",
        "user": item.user,
        "user_team": item.team,
        "size": len(item.content),
        "mode": "hosted",
        "is_external": False,
        "file_access": "visible",
        "url_private": f"{origin}/files/private/{path}",
        "url_private_download": f"{origin}/files/download/{path}",
        "channels": sorted(item.channels),
        "has_more_shares": False,
    }


def view(item: View, app: App, bot_id: str) -> dict[str, Any]:
    """A view, as the Web API answers and view_submission carries it; `state` is the person's."""
    return {
        "blocks": [],
        "private_metadata": "",
        "callback_id": "",
        "title": None,
        "close": None,
        "submit": None,
        "clear_on_close": False,
        "notify_on_close": False,
        **item.body,
        "id": item.id,
        "team_id": item.team,
        "app_id": app.id,
        "app_installed_team_id": item.team,
        "bot_id": bot_id,
        "hash": item.hash,
        "root_view_id": item.root_id or item.id,
        "previous_view_id": item.previous_id or None,
        "external_id": item.external_id,
        "state": {"values": {}},
    }


def team(item: Workspace) -> dict[str, Any]:
    """team.info."""
    shown: dict[str, Any] = {"id": item.id, "name": item.name, "domain": item.domain or item.id.lower()}
    if item.enterprise_id:
        shown |= {"enterprise_id": item.enterprise_id, "enterprise_name": item.enterprise_id}
    return shown
