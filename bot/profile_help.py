"""What `kagentbot profile --help` and its commands' `--help` say, in the language of the terminal."""

from __future__ import annotations

from typing import Final

from agent.language import Text

PROFILE: Final = Text(
    """Who the agent is, and where: values, where they come from, versions.

    Values are inherited: the settings hold everywhere, then each workspace, channel and thread may set its own. The
    next answer uses a change; one that is being written keeps what it began with. All commands work beside a running
    server. docs/profiles.md tells more.

    \b
    Examples:
      kagentbot profile show                                      what holds everywhere
      kagentbot profile places                                    which keys there are
      kagentbot profile show --conversation KEY                   what holds there, and where it was set
      kagentbot profile set --workspace KEY lang=zh overlap=merge
      kagentbot profile set --channel KEY agent_instructions=@rules.txt
      kagentbot profile set --channel KEY tool_names=calculator,time_delta
      kagentbot profile unset --channel KEY tool_names            inherit it again
      kagentbot profile versions --channel KEY                    who changed what, and when
      kagentbot profile diff --channel KEY 1 3
      kagentbot profile rollback --channel KEY 1
    """,
    """查看和修改智能体的配置：各个值、它们的来源以及历史版本。

    值逐级继承：设置文件处处生效，各个工作区、频道和话题可以设置自己的值。\
改动从下一个回答起生效，正在撰写的回答不受影响。所有命令都可以在服务运行时使用。更多说明见 docs/profiles.md。

    \b
    示例：
      kagentbot profile show                                      处处生效的值
      kagentbot profile places                                    有哪些键
      kagentbot profile show --conversation KEY                   该对话中生效的值及其来源
      kagentbot profile set --workspace KEY lang=zh overlap=merge
      kagentbot profile set --channel KEY agent_instructions=@rules.txt
      kagentbot profile set --channel KEY tool_names=calculator,time_delta
      kagentbot profile unset --channel KEY tool_names            恢复继承
      kagentbot profile versions --channel KEY                    谁在何时改了什么
      kagentbot profile diff --channel KEY 1 3
      kagentbot profile rollback --channel KEY 1
    """,
)
PROFILE_SHORT: Final = Text("Show and change who the agent is, and where.", "查看和修改智能体的配置。")

SHOW: Final = Text("What holds at a place, each value with where it comes from.", "显示某处生效的值及其来源。")
SHOW_JSON: Final = Text("Print it as JSON, for scripts.", "以 JSON 输出，供脚本使用。")
SET: Final = Text(
    """Set values at a place; the others there stay as they are.

    A list is written with commas. agent_bio=@FILE and agent_instructions=@FILE take a file's text.

    \b
    Examples:
      kagentbot profile set --workspace KEY agent_name=Ada icon=🦉
      kagentbot profile set --channel KEY network=off max_iter_num=3
    """,
    """在某处设置值，那里的其他值不变。

    列表用逗号分隔。agent_bio=@FILE 和 agent_instructions=@FILE 从文件读取文本。

    \b
    示例：
      kagentbot profile set --workspace KEY agent_name=Ada icon=🦉
      kagentbot profile set --channel KEY network=off max_iter_num=3
    """,
)
SET_SHORT: Final = Text("Set values at a place.", "在某处设置值。")
UNSET: Final = Text("Let values of a place be inherited again.", "让某处的值恢复继承。")
VERSIONS: Final = Text(
    "Who changed what at a place, and when; the newest first.", "列出某处的历史版本：谁在何时改了什么，最新的在前。"
)
DIFF: Final = Text(
    "What changed at a place from version A to version B; 0 is before the first.",
    "比较某处的版本 A 和 B；0 表示第一个版本之前。",
)
ROLLBACK: Final = Text(
    "Bring version NUMBER of a place back, as a new version; 0 unsets everything there.",
    "把某处恢复到版本 NUMBER，并记为新版本；0 表示清除那里的所有值。",
)
PLACES: Final = Text(
    "The keys of workspaces, channels and conversations in use, the latest first.",
    "列出正在使用的工作区、频道和对话的键，最近的在前。",
)

CONVERSATION: Final = Text(
    "Key of a conversation: its thread, or its channel where there are no threads.",
    "对话的键：指它的话题，没有话题时指它的频道。",
)
CHANNEL: Final = Text("Key of a channel, PLATFORM:WORKSPACE:CHANNEL.", "频道的键，形式为 平台:工作区:频道。")
WORKSPACE: Final = Text("Key of a workspace, PLATFORM:WORKSPACE.", "工作区的键，形式为 平台:工作区。")
