"""Where a job may post: the place that people call so, tried before anything is done for it."""

from __future__ import annotations

import logging
import re
from typing import Any, Final, NoReturn

from adapters.chat.tasks import OUTSIDE
from adapters.slack.connection.api import SlackApi
from adapters.slack.connection.clients import Clients
from adapters.slack.errors import sentence
from adapters.slack.hearing.parse import PLATFORM
from agent.language import Text
from bot.messages import Target
from bot.ports import NoPlace
from bot.posting import Refused

log = logging.getLogger(__name__)

#: Ids of channels, private channels and direct messages.
_ID: Final = re.compile(r"[CDG][A-Z0-9]+")
#: The workspace before a name, where there are several: "T012345/#general".
_SPEC: Final = re.compile(r"(?:(?P<workspace>[TE][A-Z0-9]+)/)?(?P<name>.+)", re.DOTALL)
#: Channels on one page (docs.slack.dev, users.conversations), and pages that are read.
_PAGE: Final = 200
_MOST_PAGES: Final = 20
#: Characters of a name that are repeated.
_SHOWN: Final = 80

_NOT_IN: Final = Text(
    "I am in no channel called #{name}: invite me there with /invite, or write its name as it is in Slack.",
    "我不在名为 #{name} 的频道里：请在该频道用 /invite 邀请我，或检查频道名是否正确。",
)
_BY_ID: Final = Text(
    "I can't look up channels by name: write the id instead (C…, at the bottom of the channel's details), or give the "
    "app the scope {scope}.",
    "我无法按名称查找频道：请改用频道 ID（C…，在频道详情底部），或为应用添加 scope {scope}。",
)
_WHICH: Final = Text(
    "I am installed in several workspaces: write which one, as in {example}.",
    "我安装在多个工作区：请写明是哪一个，例如 {example}。",
)


async def find(clients: Clients, name: str) -> Target:
    """See `bot.ports.Finds`: "#general", "C012345", with "T012345/" before it where there are several workspaces."""
    found = _SPEC.fullmatch(name.strip())
    wanted = found["name"].strip().removeprefix("#") if found else ""
    try:
        workspaces = [found["workspace"]] if found and found["workspace"] else await clients.workspaces()
        if len(workspaces) != 1:
            _no(_WHICH, example=f"{workspaces[0]}/#{wanted[:_SHOWN]}") if workspaces else _refuse(
                Refused("not_installed")
            )
        api = await clients.api(workspaces[0])
        channel = wanted if _ID.fullmatch(wanted) else await _called(api, wanted)
    except Refused as refused:
        _refuse(refused)
    target = Target(PLATFORM, workspaces[0], channel, None, f"{PLATFORM}:{workspaces[0]}:{channel}")
    await reach(clients, target)
    return target


async def reach(clients: Clients, target: Target) -> None:
    """See `bot.ports.Finds`. Whether we may read there is what Slack tells without posting anything."""
    try:
        api = await clients.api(target.workspace)
        await api.call("conversations.history", channel=target.channel, limit=1)
    except Refused as refused:
        _refuse(refused)
    except OUTSIDE as error:
        log.info("whether we may post in %s is not known: %s", target.channel, error)


async def _called(api: SlackApi, name: str) -> str:
    """The id of a channel that we are in."""
    # Asking for both kinds without both scopes is refused.
    kinds = "public_channel,private_channel" if "groups:read" in api.scopes else "public_channel"
    asked: dict[str, Any] = {"types": kinds, "exclude_archived": True, "limit": _PAGE}
    for _ in range(_MOST_PAGES):
        try:
            page = await api.call_patiently("users.conversations", **asked)
        except Refused as refused:
            if refused.code == "missing_scope":
                _no(_BY_ID, scope=getattr(refused, "needed", "") or "channels:read")
            raise
        for one in page.get("channels") or ():
            if str(one.get("name") or "").casefold() == name.casefold():
                return str(one["id"])
        cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            break
        asked["cursor"] = cursor
    _no(_NOT_IN, name=name[:_SHOWN])


def _no(text: Text, **fields: str) -> NoReturn:
    raise NoPlace(Text(text.say("en", **fields), text.say("zh", **fields)))


def _refuse(refused: Refused) -> NoReturn:
    needed = getattr(refused, "needed", "")
    said = (sentence(refused.code, "en", needed=needed), sentence(refused.code, "zh", needed=needed))
    raise NoPlace(Text(*said)) from refused
