"""The app's manifest: everything that Slack has to know about the app, so that nobody clicks it together.

What it asks for is what the listeners and the calls of this folder need; a test compares them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Literal
from urllib.parse import quote

from adapters.slack import limits
from agent.language import Lang, Text
from agent.texts import OFFERED_QUESTIONS

Mode = Literal["socket", "http"]

#: Paths on our server.
EVENTS_PATH: Final = "/slack/events"
INSTALL_PATH: Final = "/slack/install"
REDIRECT_PATH: Final = "/slack/oauth_redirect"

COMMAND: Final = "/kagent"
BENCH_COMMAND: Final = "/kagent-bench"

#: Events, and the scope that Slack demands for each ("" none).
EVENTS: Final[dict[str, str]] = {
    "agent_session_stopped": "",
    "app_home_opened": "",
    "app_mention": "app_mentions:read",
    "app_uninstalled": "",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
    "tokens_revoked": "",
}

#: Methods of the Web API, and the scopes that each needs; conversations.* need the one of the kind of conversation.
METHODS: Final[dict[str, tuple[str, ...]]] = {
    "agents.sessions.rename": ("chat:write",),
    "agents.sessions.setStatus": ("chat:write",),
    "apps.connections.open": (),
    "assistant.threads.setStatus": ("chat:write",),
    "assistant.threads.setSuggestedPrompts": ("assistant:write",),
    "assistant.threads.setTitle": ("assistant:write",),
    "auth.revoke": (),
    "auth.test": (),
    "bots.info": ("users:read",),
    "chat.appendStream": ("chat:write",),
    "chat.delete": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "chat.startStream": ("chat:write",),
    "chat.stopStream": ("chat:write",),
    "chat.update": ("chat:write",),
    "conversations.history": ("channels:history", "groups:history", "im:history", "mpim:history"),
    "conversations.info": ("channels:read", "groups:read", "im:read", "mpim:read"),
    "conversations.members": ("channels:read", "groups:read", "im:read", "mpim:read"),
    "conversations.open": ("im:write",),
    "conversations.replies": ("channels:history", "groups:history", "im:history", "mpim:history"),
    "files.completeUploadExternal": ("files:write",),
    "files.getUploadURLExternal": ("files:write",),
    "files.info": ("files:read",),
    "oauth.v2.access": (),
    "users.conversations": ("channels:read", "groups:read"),
    "users.info": ("users:read",),
    "views.open": (),
    "views.publish": (),
    "views.push": (),
    "views.update": (),
}

#: Every scope of the bot, and what it is for.
SCOPES: Final[dict[str, Text]] = {
    "app_mentions:read": Text("to be mentioned in channels", "在频道中被提及"),
    "assistant:write": Text("to be an agent in Slack's agent view", "出现在 Slack 的智能体视图中"),
    "channels:history": Text("to follow threads in public channels", "跟进公开频道中的话题"),
    "chat:write": Text("to answer, stream and show its status", "发送回答、流式输出并显示状态"),
    "commands": Text("for /kagent and /kagent-bench", "使用 /kagent 和 /kagent-bench"),
    "files:read": Text("to read files that people attach", "读取用户附上的文件"),
    "files:write": Text("to hand out exports as files, and to show charts", "以文件形式导出，并显示图表"),
    "groups:history": Text("to follow threads in private channels it was invited to", "跟进受邀私有频道中的话题"),
    "im:history": Text("to read direct messages to it", "读取发给它的私信"),
    "im:write": Text("to hand somebody an export in a direct message", "通过私信交付导出文件"),
    "mpim:history": Text("to follow group messages", "跟进多人私信"),
    "users:read": Text("to know names, time zones, guests and admins", "了解姓名、时区、访客和管理员"),
}
#: Not needed: without them answers carry the app's own name and icon instead of the profile's, and channels for reports
#: are named by their ids.
OPTIONAL_SCOPES: Final[dict[str, Text]] = {
    "channels:read": Text("to find the channel of a report by its name", "按名称查找发布报告的频道"),
    "chat:write.customize": Text("to answer under the profile's name and icon", "以配置中的名字和图标发言"),
    "groups:read": Text("to find a private channel by its name", "按名称查找私有频道"),
}

_DESCRIPTION = Text("Answers questions with sources, on your own models.", "用你们自己的模型回答问题，并给出来源。")
#: At least 174 characters, or Slack refuses it (docs.slack.dev, app manifest reference).
_LONG = Text(
    "kagent answers when it is mentioned in a channel, keeps following the thread that it was called into, and talks "
    "in direct messages and in the agent view. It shows what it is doing while it works, names its sources, and can be "
    "stopped at any time. Its name, language, instructions and tools are set from inside Slack. It runs on a server of "
    "your own and never joins a conversation uninvited.",
    "在频道中提及 kagent，它就会回答，并继续跟进它被叫入的话题；在私信和智能体视图中也可以直接对话。"
    "它工作时会显示正在做什么，给出信息来源，并且随时可以停止。名字、语言、说明和工具都可以在 Slack 里设置。"
    "它运行在你们自己的服务器上，绝不会不请自来地插话。它会记住每个话题里说过的话，隔天也能接着聊；"
    "管理员可以限定谁能使用它、使用哪些模型，以及每天的用量上限。"
    "对它的回答可以点赞、点踩或打分，也可以展开查看它经历的每一个步骤。",
)
_AGENT = Text(
    "Ask anything: it shows its steps, names its sources and can be stopped.",
    "什么都可以问：它会展示步骤、给出来源，并且随时可以停止。",
)
_HELLO = Text("What can you do?", "你能做什么？")
_COMMAND_HELP = Text("Help, profile, usage and more", "帮助、配置、用量等")
_COMMAND_HINT = Text("help | new | profile | tools | usage", "帮助 | 新对话 | 配置 | 工具 | 用量")
_BENCH_HELP = Text("Measure the model (operators only)", "评测模型（仅限运维人员）")
_BENCH_HINT = Text(
    "run [model] [limit=40] | status | cancel | compare | leaderboard | data | schedule",
    "运行 [模型] [limit=40] | 状态 | 取消 | 比较 | 排行榜 | 数据 | 定时",
)
_COLOUR = "#1d2733"

#: Where a filled-in manifest becomes an app.
_CREATE: Final = "https://api.slack.com/apps?new_app=1&manifest_json="


def manifest(mode: Mode, *, public_url: str = "", oauth: bool = False, name: str = "kagent", lang: Lang = "en") -> Any:
    """The manifest, as JSON values.

    `public_url` is our server's address, without a slash at its end; needed with `http` and with `oauth` (several
    workspaces install the app themselves). Raises `ValueError` without it.
    """
    if not public_url and (mode == "http" or oauth):
        raise ValueError("Slack and browsers must know where this server is")
    prompts = (_HELLO.say(lang), *OFFERED_QUESTIONS[lang])[: limits.SUGGESTED_PROMPTS]
    url = {"url": f"{public_url}{EVENTS_PATH}"} if mode == "http" else {}
    request_url = {"request_url": f"{public_url}{EVENTS_PATH}"} if mode == "http" else {}
    redirects = {"redirect_urls": [f"{public_url}{REDIRECT_PATH}"]} if oauth else {}
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": name[:35],
            "description": _DESCRIPTION.say(lang),
            "long_description": _LONG.say(lang),
            "background_color": _COLOUR,
        },
        "features": {
            "bot_user": {"display_name": name[:80], "always_online": True},
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "agent_view": {
                "agent_description": _AGENT.say(lang)[: limits.AGENT_DESCRIPTION],
                "suggested_prompts": [{"title": prompt, "message": prompt} for prompt in prompts],
            },
            "slash_commands": [
                _command(COMMAND, _COMMAND_HELP.say(lang), _COMMAND_HINT.say(lang), url),
                _command(BENCH_COMMAND, _BENCH_HELP.say(lang), _BENCH_HINT.say(lang), url),
            ],
        },
        "oauth_config": {**redirects, "scopes": {"bot": sorted(SCOPES), "bot_optional": sorted(OPTIONAL_SCOPES)}},
        "settings": {
            "event_subscriptions": {**request_url, "bot_events": sorted(EVENTS)},
            "interactivity": {"is_enabled": True, **request_url},
            "org_deploy_enabled": False,
            "socket_mode_enabled": mode == "socket",
            "token_rotation_enabled": False,
        },
    }


def _command(command: str, description: str, hint: str, url: Mapping[str, str]) -> dict[str, Any]:
    return {"command": command, "description": description, "usage_hint": hint, "should_escape": True, **url}


def create_link(content: Any) -> str:
    """The page on which Slack makes an app of this manifest."""
    return _CREATE + quote(json.dumps(content, ensure_ascii=False, separators=(",", ":")), safe="")


def lacking(granted: frozenset[str]) -> list[str]:
    """The scopes that are needed and weren't granted."""
    return sorted(SCOPES.keys() - granted)
