"""auth.test, auth.revoke, users.info, team.info, apps.connections.open, oauth.v2.access."""

from __future__ import annotations

from tests.fakes.slack import shapes
from tests.fakes.slack.api.call import Answer, Call, Method
from tests.fakes.slack.tiers import SPECIAL, TIER3, TIER4
from tests.fakes.slack.world import SlackError, User


def auth_test(call: Call) -> Answer:
    """Whose token it is; its scopes are in the header x-oauth-scopes."""
    install = call.install
    team = install.team or install.enterprise_id
    workspace = call.slack.workspaces.get(install.team)
    return {
        "url": f"https://{team.lower()}.slack.test/",
        "team": workspace.name if workspace else install.enterprise_id,
        "user": call.slack.app.name,
        "team_id": team,
        "user_id": install.bot_user,
        "bot_id": install.bot_id,
        "enterprise_id": install.enterprise_id or None,
        "is_enterprise_install": not install.team,
    }


def auth_revoke(call: Call) -> Answer:
    """With `test`, nothing happens."""
    if call.flag("test"):
        return {"revoked": False}
    team = call.install.team or next(name for name in call.slack.workspaces if call.slack.sees(call.install, name))
    call.slack.revoke(team)
    return {"revoked": True}


def users_info(call: Call) -> Answer:
    """People of the workspace, and strangers from shared channels."""
    person = call.slack.user(call.required("user"))
    if not _known(call, person):
        raise SlackError("user_not_found")
    home = person.team if call.slack.sees(call.install, person.team) else call.install.team
    return {"user": shapes.user(person, home, locale=call.flag("include_locale"))}


def team_info(call: Call) -> Answer:
    """The workspace of the token, or another one of its organisation."""
    name = call.text("team") or call.text("team_id") or call.install.team
    if name not in call.slack.workspaces or not call.slack.sees(call.install, name):
        raise SlackError("team_not_found")
    return {"team": shapes.team(call.slack.workspaces[name])}


def connections_open(call: Call) -> Answer:
    """An address for one socket (facts 1.7)."""
    slack = call.slack
    ticket = f"ticket-{slack.count('ticket')}"
    slack.tickets.add(ticket)
    return {"url": f"{slack.origin.replace('http', 'ws', 1)}/link/?ticket={ticket}&app_id={slack.app.id}"}


def oauth_access(call: Call) -> Answer:
    """A code for a token: once, within ten minutes, by the app that asked (facts 1.6, 3.6)."""
    slack = call.slack
    if call.text("client_id") != slack.app.client_id:
        raise SlackError("invalid_client_id")
    if call.text("client_secret") != slack.app.client_secret:
        raise SlackError("bad_client_secret")
    if call.text("grant_type") == "refresh_token":
        # The manifest has token rotation off (facts 2.5).
        raise SlackError("token_rotation_not_enabled")
    grant = slack.grants.get(call.required("code"))
    if grant is None or slack.now() >= grant.until:
        raise SlackError("invalid_code")
    if grant.used:
        raise SlackError("code_already_used")
    if call.text("redirect_uri") != grant.redirect_uri:
        raise SlackError("bad_redirect_uri")
    grant.used = True
    install = slack.install(grant.team, scopes=grant.scopes or None, org=grant.org, installer=grant.user)
    workspace = slack.workspaces[grant.team]
    enterprise = {"id": workspace.enterprise_id, "name": workspace.enterprise_id} if workspace.enterprise_id else None
    return {
        "app_id": slack.app.id,
        "access_token": install.token,
        "token_type": "bot",
        "scope": ",".join(sorted(install.scopes)),
        "bot_user_id": install.bot_user,
        "team": None if grant.org else {"id": workspace.id, "name": workspace.name},
        "enterprise": enterprise,
        "is_enterprise_install": grant.org,
        "authed_user": {"id": grant.user},
    }


def _known(call: Call, person: User) -> bool:
    if call.slack.sees(call.install, person.team):
        return True
    return any(
        person.id in place.members and any(call.slack.sees(call.install, team) for team in place.teams)
        for place in call.slack.channels.values()
    )


METHODS = {
    "auth.test": Method(auth_test, SPECIAL),
    "auth.revoke": Method(auth_revoke, TIER3),
    "users.info": Method(users_info, TIER4, ("users:read",)),
    "team.info": Method(team_info, TIER3, ("team:read",)),
    "apps.connections.open": Method(connections_open, TIER3, token="app"),
    "oauth.v2.access": Method(oauth_access, TIER4, token="none"),
}
