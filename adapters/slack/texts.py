"""What only Slack's windows and messages say: the App Home, the Messages tab, the status, icons."""

from __future__ import annotations

from typing import Final

from adapters.chat.platform import Platform
from adapters.slack.hearing.parse import PLATFORM
from agent.language import Text

SLACK: Final = Platform(PLATFORM, "Slack", Text("workspace", "工作区"), Text("thread", "话题"))

THINKING: Final = Text("is thinking…", "正在思考…")
#: Slack takes an emoji by its name alone.
ICON_HINT: Final = Text(
    "Its icon: the name of an emoji such as :books:, or the address of a picture (https://…).",
    "图标：表情符号的名称，例如 :books:，或图片地址（https://…）。",
)

# --- App Home

HOME_TITLE: Final = Text("{name} in this workspace", "{name} 在本工作区的配置")
HOME_HELLO: Final = Text(
    "Mention me in a channel, or write to me under Messages. `/kagent help` shows what else I can do.",
    "在频道中提及我，或在“消息”标签页给我写信。`/kagent help` 可以查看更多功能。",
)
HOME_PROFILE: Final = Text("How I am set up", "当前配置")
HOME_EDIT: Final = Text("Change for the workspace", "修改工作区配置")
HOME_VERSIONS: Final = Text("Versions", "历史版本")
HOME_CHANNEL: Final = Text("Change for a channel…", "修改某个频道的配置…")
HOME_VERSIONS_TITLE: Final = Text("Last changes", "最近的改动")
HOME_USAGE: Final = Text("Usage", "用量")

# --- Messages tab

PROMPTS: Final = Text("You can ask me, for example:", "可以这样问我：")
WHAT_CAN_YOU_DO: Final = Text("What can you do?", "你能做什么？")
