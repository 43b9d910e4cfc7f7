"""What `kagentbot discord --help` and its commands' `--help` say, in the language of the terminal."""

from __future__ import annotations

from typing import Final

from agent.language import Text

DISCORD: Final = Text(
    """Connect kagentbot to Discord: make the application, take its token, check everything. docs/discord.md tells more.

    \b
    Examples:
      kagentbot discord setup                 step by step; takes about five minutes
      kagentbot discord setup --persona       answers under the profile's name and picture
      kagentbot discord check                 token, intent, servers, permissions of each channel
      kagentbot discord sync                  sends the slash commands once more
    """,
    """把 kagentbot 接入 Discord：创建应用、填写令牌、检查一切。详见 docs/discord.md。

    \b
    示例：
      kagentbot discord setup                 按步骤完成，大约五分钟
      kagentbot discord setup --persona       以配置中的名字和头像发言
      kagentbot discord check                 检查令牌、intent、服务器和各频道的权限
      kagentbot discord sync                  重新提交斜杠命令
    """,
)
DISCORD_SHORT: Final = Text(
    "Connect to Discord: make the application and take its token.", "接入 Discord：创建应用并填写令牌。"
)

SETUP: Final = Text(
    """Say how the application is made, take its token, test it, print the invite link, write .env.

    The token is typed unseen and never printed; .env can be read by you alone, and an earlier one is kept beside it.
    Nothing is written before Discord has taken the token.
    """,
    """说明如何创建应用，询问令牌并测试，打印邀请链接，然后写入 .env。

    输入令牌时不显示，也不会打印；.env 只有你能读取，原来的文件会保留在旁边。在 Discord 接受令牌之前不写入任何内容。
    """,
)
CHECK: Final = Text(
    "Ask Discord about the token, the intent, the servers and the permissions in each channel. The exit status is 1 if "
    "something is wrong.",
    "向 Discord 核对令牌、intent、服务器和各频道的权限。有问题时退出状态为 1。",
)
SYNC: Final = Text(
    "Send the slash commands to Discord now. The server does this by itself when they have changed.",
    "立即向 Discord 提交斜杠命令。命令变化时，服务会自动提交。",
)
PERSONA: Final = Text(
    "Whether answers carry the profile's name and picture; the bot then asks for Manage Webhooks, too. Default: as it "
    "is set.",
    "回答是否使用配置中的名字和头像；此时机器人还需要“管理 Webhook”权限。默认沿用现有设置。",
)
TEST: Final = Text(
    "Whether Discord is asked about the token before it is written.", "写入之前是否先向 Discord 核对令牌。"
)
