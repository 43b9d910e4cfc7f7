"""Settings of Slack."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from agent.language import Text
from bot.settings.group import Group
from bot.settings.sources import Setting
from bot.settings.values import KEY, LowerCase, Secret, WebAddress, Whole, one_of, whole

#: Where Slack's Web API is.
SLACK_API: Final = "https://slack.com/api"
#: Sockets that Slack lets one app have open (facts in adapters/slack/limits.py, which settings may not import).
_MOST_SOCKETS: Final = 10

WorkspaceId = Annotated[str, Field(pattern=r"^[TE][A-Z0-9]{1,30}$")]


class SlackSettings(Group):
    """How Slack is reached, see docs/slack.md. Its tokens are in the group `credentials`."""

    mode: Annotated[
        Annotated[Literal["socket", "http"], LowerCase],
        Setting(
            "How events arrive: `socket` opens connections to Slack and needs no public address; `http` waits for "
            "Slack's requests.",
            "接收事件的方式：`socket` 主动连接 Slack，不需要公网地址；`http` 等待 Slack 的请求。",
            one_of("socket", "http"),
        ),
    ] = "socket"
    sockets: Annotated[
        Whole,
        Setting(
            "Sockets at the same time. With two, nothing is missed while one is renewed.",
            "同时保持的连接数。有两个时，其中一个更新期间也不会遗漏消息。",
            whole(1, _MOST_SOCKETS),
        ),
        Field(ge=1, le=_MOST_SOCKETS),
    ] = 2
    workspaces: Annotated[
        tuple[WorkspaceId, ...],
        Setting(
            "Ids of the workspaces and organisations that are served. Empty: the one that the bot token is of; with "
            "OAuth, none.",
            "提供服务的工作区或组织的 ID。留空时只服务机器人令牌所属的工作区；使用 OAuth 时留空表示都不服务。",
            Text('ids that begin with T or E, for example ["T0123ABCD"]', '以 T 或 E 开头的 ID，例如 ["T0123ABCD"]'),
        ),
    ] = ()
    client_id: Annotated[
        Annotated[str, Field(pattern=r"^[!-~]*$")],
        Setting(
            "OAuth, for several workspaces: client id of the app.",
            "OAuth（多个工作区）：应用的 client id。",
            KEY,
            ("SLACK_CLIENT_ID",),
        ),
    ] = ""
    client_secret: Annotated[
        Secret | None,
        Setting(
            "OAuth, for several workspaces: client secret of the app.",
            "OAuth（多个工作区）：应用的 client secret。",
            KEY,
            ("SLACK_CLIENT_SECRET",),
        ),
    ] = None
    public_url: Annotated[
        WebAddress | None,
        Setting(
            "Address of this server as Slack and browsers reach it; needed with `http` and with OAuth.",
            "Slack 和浏览器访问本服务所用的地址；使用 `http` 或 OAuth 时需要。",
            Text(
                "an address that begins with https:// and has no path, for example https://bot.example.com",
                '以 https:// 开头、不含路径的地址，例如 "https://bot.example.com"',
            ),
        ),
    ] = None
    api_url: Annotated[
        WebAddress,
        Setting(
            "Address of Slack's Web API; another one is for tests.",
            "Slack Web API 的地址；只有测试才需要改。",
            Text("an address that begins with http:// or https://", "以 http:// 或 https:// 开头的地址"),
        ),
    ] = SLACK_API

    @property
    def uses_oauth(self) -> bool:
        """Whether workspaces install the app themselves; otherwise there is one bot token."""
        return bool(self.client_id and self.client_secret)
