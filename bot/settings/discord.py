"""Settings of Discord."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from agent.language import Text
from bot.settings.group import Group
from bot.settings.sources import Setting
from bot.settings.values import LowerCase, WebAddress, one_of

#: Where Discord's REST API and its gateway are.
DISCORD_API: Final = "https://discord.com/api/v10"
DISCORD_GATEWAY: Final = "wss://gateway.discord.gg"


def _id(value: Any) -> Any:
    # In a file an id looks like a number, and is often written as one.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _socket_address(url: str) -> str:
    url = url.strip().rstrip("/")
    parts = urlsplit(url)
    # Reading the port checks it.
    if parts.scheme not in ("ws", "wss") or not parts.hostname or parts.port == 0 or re.search(r"\s", url):
        raise ValueError("not an address of a WebSocket server")
    return url


ServerId = Annotated[str, BeforeValidator(_id), Field(pattern=r"^[1-9][0-9]{4,19}$")]


class DiscordSettings(Group):
    """How Discord is reached, see docs/discord.md. Its token is in the group `credentials`."""

    servers: Annotated[
        tuple[ServerId, ...],
        Setting(
            "Ids of the servers that are served; with an empty list none is. Direct messages are answered for their "
            "members.",
            "提供服务的服务器 ID；留空表示都不服务。私信只回复这些服务器的成员。",
            Text('ids of servers, for example ["112233445566778899"]', '服务器 ID，例如 ["112233445566778899"]'),
        ),
    ] = ()
    persona: Annotated[
        bool,
        Setting(
            "Whether answers carry the profile's name and picture where Manage Webhooks is granted; otherwise those of "
            "the bot.",
            "在授予了“管理 Webhook”权限的频道里，回答是否使用配置中的名字和头像；否则使用机器人自己的。",
            Text("true or false", "true 或 false"),
        ),
    ] = False
    message_content: Annotated[
        Annotated[Literal["auto", "off"], LowerCase],
        Setting(
            "Whether what people write without a mention is asked for: `auto` where the application may, `off` never; "
            "then only mentions, direct messages and commands are heard.",
            "是否读取没有提及机器人的消息：`auto` 在应用允许时读取，`off` 不读取；不读取时只能收到提及、私信和命令。",
            one_of("auto", "off"),
        ),
    ] = "auto"
    api_url: Annotated[
        WebAddress,
        Setting(
            "Address of Discord's REST API; another one is for tests.",
            "Discord REST API 的地址；只有测试才需要改。",
            Text("an address that begins with http:// or https://", "以 http:// 或 https:// 开头的地址"),
        ),
    ] = DISCORD_API
    gateway_url: Annotated[
        Annotated[str, AfterValidator(_socket_address)],
        Setting(
            "Address of Discord's gateway; another one is for tests.",
            "Discord 网关的地址；只有测试才需要改。",
            Text("an address that begins with ws:// or wss://", "以 ws:// 或 wss:// 开头的地址"),
        ),
    ] = DISCORD_GATEWAY
