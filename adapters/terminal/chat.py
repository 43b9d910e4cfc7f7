"""`kagentbot chat`: the command. What it needs is imported when it runs: other commands start faster without."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from agent.language import Lang, Text
from bot.settings import SettingsError, load, machine

#: Exit status of wrong use, settings included; those of a chat are in `chat_run`.
_WRONG_USE = 2
#: Most characters of a question that are read from a pipe; the server has a limit of its own.
_LONGEST = 1_000_000

_HELP = Text(
    """Talk to the agent in this terminal, or ask it one QUESTION.

    It uses the server that runs on this machine. If none does, it starts one, which ends with the chat. Everything
    that is said is on the web page, too.

    \b
    Examples:
      kagentbot chat                                  a conversation; /help shows its commands
      kagentbot chat "Which day is 2026-02-17?"       one question, its answer, and back to the shell
      kagentbot chat --conversation last "And 2027?"  goes on with the newest conversation
      echo "3 km in miles?" | kagentbot chat          the question comes from a pipe
      kagentbot chat "Summarise this:" - < notes.txt  - stands for what comes from the pipe
      kagentbot chat --json "2 + 2?" | jq -r .text    the outcome as JSON
      kagentbot chat --url https://bot.example.com    a server elsewhere

    \b
    In a conversation:
      Enter sends, Alt-Enter (or \\ at the end of a line) begins a new line.
      Ctrl-C stops the answer, not the program; Ctrl-C twice or Ctrl-D leaves.

    A server that asks for its token gets the one in KAGENTBOT_SERVER__TOKEN (or in .env or kagentbot.toml).

    Exit status: 0 there is an answer, 1 there is none, 2 wrong use, 130 ended by Ctrl-C.
    """,
    """在终端里与助手聊天，或只问一个问题（QUESTION）。

    优先使用本机正在运行的服务；如果没有，就启动一个，聊天结束时它也会结束。所有内容在网页上同样可以看到。

    \b
    示例：
      kagentbot chat                                  开始聊天；/help 查看命令
      kagentbot chat "2026年2月17日是星期几？"        问一个问题，得到回答后返回 shell
      kagentbot chat --conversation last "2027年呢？" 继续最近的对话
      echo "3公里是多少英里？" | kagentbot chat       问题来自管道
      kagentbot chat "总结一下：" - < notes.txt       - 表示管道中的内容
      kagentbot chat --json "2 + 2？" | jq -r .text   以 JSON 输出结果
      kagentbot chat --url https://bot.example.com    使用其他机器上的服务

    \b
    聊天时：
      Enter 发送，Alt-Enter（或行尾的 \\）换行。
      Ctrl-C 停止回答而不退出；连按两次 Ctrl-C 或按 Ctrl-D 退出。

    需要令牌的服务使用 KAGENTBOT_SERVER__TOKEN（也可写在 .env 或 kagentbot.toml 中）。

    退出状态：0 有回答，1 没有回答，2 用法错误，130 被 Ctrl-C 终止。
    """,
)
_CONVERSATION = Text(
    "Go on with this conversation: its key (the last part of its address on the page), or `last` for the newest.",
    "继续这个对话：它的标识（网页地址的最后一段），或用 `last` 表示最近的一个。",
)
_URL = Text("Address of the server, for example http://127.0.0.1:8765.", "服务的地址，例如 http://127.0.0.1:8765。")
_JSON = Text("Print the outcome of the question as JSON.", "以 JSON 输出结果。")

_LANG: Lang = machine.language(os.environ)


@click.command(
    help=_HELP.say(_LANG), short_help=Text("Talk to the agent in this terminal.", "在终端里与助手聊天。").say(_LANG)
)
@click.argument("question", nargs=-1)
@click.option("-c", "--conversation", metavar="KEY|last", default=None, help=_CONVERSATION.say(_LANG))
@click.option("--url", metavar="URL", default=None, help=_URL.say(_LANG))
@click.option("--json", "as_json", is_flag=True, help=_JSON.say(_LANG))
@click.pass_obj
def chat(
    config: Path | None, question: tuple[str, ...], conversation: str | None, url: str | None, as_json: bool
) -> None:
    """The command; its help is above."""
    from adapters.terminal import chat_texts as texts
    from adapters.terminal.chat_host import Wanted
    from adapters.terminal.chat_run import Order, run

    try:
        settings = load(config)
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(_WRONG_USE)
    words = _question(question)
    if not words and (question or not sys.stdin.isatty() or as_json):
        click.echo(texts.NO_QUESTION.say(settings.lang), err=True)
        sys.exit(_WRONG_USE)
    if not words and not sys.stdout.isatty():
        click.echo(texts.NEEDS_TERMINAL.say(settings.lang), err=True)
        sys.exit(_WRONG_USE)
    sys.exit(run(Order(Wanted(settings, config, url), words, conversation, as_json)))


def _question(words: tuple[str, ...]) -> str:
    """The words of the command line, `-` replaced by what the pipe has; the pipe alone if there are none."""
    if words == () and not sys.stdin.isatty():
        words = ("-",)
    return " ".join(_piped() if word == "-" else word for word in words).strip()


def _piped() -> str:
    # Bytes, because a pipe may hold anything, and a word that can't be read is better than no question.
    return "\n" + sys.stdin.buffer.read(_LONGEST).decode(errors="replace").strip() + "\n"
