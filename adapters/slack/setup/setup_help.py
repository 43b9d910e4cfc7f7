"""What `kagentbot slack --help` and its commands' `--help` say, in the language of the terminal."""

from __future__ import annotations

from typing import Final

from agent.language import Text

SLACK: Final = Text(
    """Connect kagentbot to Slack: make the app, take its tokens, check them. docs/slack.md tells more.

    \b
    Examples:
      kagentbot slack setup                                   step by step; takes about five minutes
      kagentbot slack setup --mode http --url https://bot.example.com
      kagentbot slack check                                   asks Slack about the tokens
      kagentbot slack manifest                                the app's manifest as JSON
    """,
    """把 kagentbot 接入 Slack：创建应用、填写令牌、检查令牌。详见 docs/slack.md。

    \b
    示例：
      kagentbot slack setup                                   按步骤完成，大约五分钟
      kagentbot slack setup --mode http --url https://bot.example.com
      kagentbot slack check                                   向 Slack 核对令牌
      kagentbot slack manifest                                以 JSON 输出应用清单
    """,
)
SLACK_SHORT: Final = Text("Connect to Slack: make the app and take its tokens.", "接入 Slack：创建应用并填写令牌。")

SETUP: Final = Text(
    """Print the link that makes the app, take its tokens, test them, write them to .env.

    Tokens are typed unseen and never printed; .env can be read by you alone, and an earlier one is kept beside it.
    Nothing is written before Slack has taken the tokens.
    """,
    """打印创建应用的链接，询问令牌并测试，然后写入 .env。

    输入令牌时不显示，也不会打印；.env 只有你能读取，原来的文件会保留在旁边。在 Slack 接受令牌之前不写入任何内容。
    """,
)
MANIFEST: Final = Text(
    "Print the app's manifest as JSON, or the link that makes an app of it.",
    "以 JSON 输出应用清单，或输出用它创建应用的链接。",
)
CHECK: Final = Text(
    "Ask Slack about the tokens and scopes that are set. The exit status is 1 if something is wrong.",
    "向 Slack 核对已设置的令牌和 scope。有问题时退出状态为 1。",
)
MODE: Final = Text(
    "How events arrive: socket needs no public address; http needs --url. Default: as it is set, else socket.",
    "接收事件的方式：socket 不需要公网地址；http 需要 --url。默认沿用现有设置，否则为 socket。",
)
URL: Final = Text(
    "Address by which Slack reaches this server, for example https://bot.example.com.",
    "Slack 访问本服务所用的地址，例如 https://bot.example.com。",
)
OAUTH: Final = Text(
    "Whether several workspaces install the app themselves; needs --url.", "是否由多个工作区自行安装应用；需要 --url。"
)
NAME: Final = Text("The app's name in Slack.", "应用在 Slack 中的名字。")
LANGUAGE: Final = Text("Language of the app's descriptions.", "应用说明文字的语言。")
LINK: Final = Text("Print the link instead of the JSON.", "输出链接而不是 JSON。")
TEST: Final = Text(
    "Whether Slack is asked about the tokens before they are written.", "写入之前是否先向 Slack 核对令牌。"
)
