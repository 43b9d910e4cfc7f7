"""What `kagentbot --help` and each command's `--help` say, in the language of the terminal."""

from __future__ import annotations

import os
from typing import Final

from agent.language import Lang, Text
from bot import click_words
from bot.settings import machine

#: Help is made before any setting is read.
LANG: Final[Lang] = machine.language(os.environ)
# Before any command is declared, because what a declaration says is fixed then.
click_words.speak(LANG)

HEADINGS: Final = {
    Text("Talk", "对话"): ("chat",),
    Text("Run a server", "运行服务"): ("init", "slack", "discord", "serve", "doctor", "migrate"),
    Text("Shape and understand it", "配置与排查"): ("profile", "replay", "version"),
}
OTHERS: Final = Text("Further commands", "其他命令")

MAIN: Final = Text(
    """An information-seeking agent on your own models: in Slack and Discord, in a web page and in the terminal.

    \b
    First steps:
      kagentbot serve                     start; it prints the address of the page
      kagentbot chat                      talk to the agent here, with or without a server
      kagentbot chat "What day is it?"    one question, one answer

    \b
    With a model of your own:
      kagentbot init                      asks what it must and writes kagentbot.toml and .env
      kagentbot doctor                    tries everything and says how to mend what isn't well

    \b
    A single question with KAgentSys's options and result: kagentsys --help
    Measure models with KAgentBench: kagent-bench --help
    What each command does: kagentbot COMMAND --help, and docs/cli.md.
    Every setting has an environment variable; docs/settings.md lists them all.
    """,
    """在你自己的模型上运行的信息查询智能体：可在 Slack、Discord、网页和终端中使用。

    \b
    第一步：
      kagentbot serve                     启动服务，并打印网页地址
      kagentbot chat                      在终端里对话，有没有服务都可以
      kagentbot chat "今天星期几？"       问一个问题，得到一个回答

    \b
    使用你自己的模型：
      kagentbot init                      询问必要的内容，写入 kagentbot.toml 和 .env
      kagentbot doctor                    逐项检查，并说明如何解决问题

    \b
    用 KAgentSys 的选项和结果格式提一个问题：kagentsys --help
    用 KAgentBench 评测模型：kagent-bench --help
    各命令的说明：kagentbot 命令 --help，以及 docs/cli.md。
    每个设置都有对应的环境变量，见 docs/settings.md。
    """,
)
CONFIG: Final = Text(
    "Settings file. Default: kagentbot.toml here, then in your configuration folder.",
    "设置文件。默认：当前目录中的 kagentbot.toml，其次是用户配置目录中的。",
)

SERVE: Final = Text(
    """Run the server until Ctrl-C or SIGTERM.

    Everything is in this one process: page, API, turns, jobs and, unless a model is configured, the bundled demo model.
    It may be killed at any moment: after the next start every accepted message still gets exactly one outcome.

    \b
    Examples:
      kagentbot serve                     on this machine only, port 8765 or the next free one
      kagentbot serve --host 0.0.0.0      for others, too: the link that is printed carries a token

    Ctrl-C lets running answers come to their end; a second Ctrl-C leaves the rest of them to the next start.
    """,
    """运行服务，直到按下 Ctrl-C 或收到 SIGTERM。

    一切都在这一个进程中：网页、API、回答、后台任务；没有配置模型时还有内置的演示模型。\
随时可以终止：下次启动后，每条已接受的消息仍然恰好有一个结果。

    \b
    示例：
      kagentbot serve                     仅限本机，端口 8765 或下一个空闲端口
      kagentbot serve --host 0.0.0.0      其他机器也能访问：打印的链接中带有令牌

    Ctrl-C 会让正在进行的回答完成；再按一次 Ctrl-C，剩下的留到下次启动时继续。
    """,
)
SERVE_SHORT: Final = Text("Run the server until Ctrl-C or SIGTERM.", "运行服务。")
HOST: Final = Text(
    "Address to listen on. Beyond 127.0.0.1 a token is demanded.", "监听地址。超出 127.0.0.1 时必须提供令牌。"
)
PORT: Final = Text("Port; a busy one gives the next free one.", "端口；被占用时使用下一个空闲端口。")

MIGRATE: Final = Text(
    """Create the database or bring it up to this version.

    `serve` does this by itself; run it alone before a rolling update.
    """,
    """创建数据库，或升级到当前版本。

    `serve` 会自动完成；滚动升级之前可以单独运行。
    """,
)
MIGRATE_SHORT: Final = Text("Create the database or bring it up to this version.", "创建或升级数据库。")

DOCTOR: Final = Text(
    """Check everything: each line is ok, a warning or an error with its fix.

    Looks at settings, files with secrets, tools, data folder, database, port, fonts, browser and clock, and tries each
    endpoint with a few words. Changes nothing and works beside a running server. The exit status is 1 if there is an
    error.
    """,
    """逐项检查：每一行是 ok（正常）、warning（警告）或 error（错误），并说明解决办法。

    检查设置、密钥文件、工具、数据目录、数据库、端口、字体、浏览器和时钟，并用几个词试用每个端点。\
不做任何改动，可以在服务运行时使用。有错误时退出状态为 1。
    """,
)
DOCTOR_SHORT: Final = Text("Check everything and say how to mend what isn't well.", "逐项检查并说明如何解决问题。")
AUDIT: Final = Text(
    "Only check that every message has exactly one outcome and nothing hangs.",
    "只检查每条消息是否恰好有一个结果、有没有卡住的工作。",
)
AS_JSON: Final = Text("Print what was found as JSON.", "以 JSON 输出检查结果。")

REPLAY: Final = Text(
    """Run TURN again offline from its journal: no model and no tool is called, nothing is written.

    Shows the frozen context, each step with its result, and whether the answer comes out as it was given.
    """,
    """根据日志离线重放第 TURN 轮：不调用模型和工具，不写入任何内容。

    显示当时的上下文、每一步及其结果，以及得到的回答是否与当时一致。
    """,
)
REPLAY_SHORT: Final = Text("Run a turn again offline from its journal.", "离线重放一轮回答。")
VERSION: Final = Text("Print the version.", "显示版本。")

INIT: Final = Text(
    """Set up a server: asks for endpoint, key, language and name, and writes kagentbot.toml and .env.

    The endpoint is tried before anything is written. The key goes into .env, which only you can read. It is never an
    argument, because others can see those: it is typed unseen, or read from --key-file or OPENAI_API_KEY.

    \b
    Examples:
      kagentbot init
      kagentbot init --yes --endpoint http://localhost:8000/v1 --model my-model
      kagentbot init --yes --endpoint https://api.openai.com/v1 --key-file key.txt --model gpt-4o-mini
    """,
    """初始化：询问端点、密钥、语言和名字，写入 kagentbot.toml 和 .env。

    写入之前会先试用端点。密钥写入只有你能读取的 .env。\
密钥从不作为命令行参数，因为别人看得到：可以在不显示的情况下输入，或从 --key-file 或 OPENAI_API_KEY 读取。

    \b
    示例：
      kagentbot init
      kagentbot init --yes --endpoint http://localhost:8000/v1 --model my-model
      kagentbot init --yes --endpoint https://api.openai.com/v1 --key-file key.txt --model gpt-4o-mini
    """,
)
INIT_SHORT: Final = Text("Set up a server: kagentbot.toml and .env.", "初始化：写入 kagentbot.toml 和 .env。")
FOLDER: Final = Text("Where to write; by default here.", "写入的目录，默认为当前目录。")
ENDPOINT: Final = Text(
    "Address of the model's API; an empty one means the demo model.", "模型接口的地址；留空表示内置演示模型。"
)
MODEL: Final = Text("Name of the model.", "模型名称。")
KEY_FILE: Final = Text(
    "File that holds the endpoint's key (- reads it from standard input).",
    "存放端点密钥的文件（- 表示从标准输入读取）。",
)
LANGUAGE: Final = Text("Language of server and agent.", "服务和智能体的语言。")
NAME: Final = Text("Name of the agent.", "智能体的名字。")
TEST: Final = Text("Whether to try the endpoint before anything is written.", "写入之前是否先试用端点。")
YES: Final = Text("Ask nothing: take the options, and defaults for the rest.", "不提问：采用给出的选项，其余用默认值。")
FORCE: Final = Text(
    "Replace files that exist; the old ones are kept beside them.", "替换已存在的文件；旧文件会保留在旁边。"
)
