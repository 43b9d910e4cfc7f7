"""What `kagentsys --help` says, in the language of the terminal."""

from __future__ import annotations

import os
from typing import Final

from agent.language import Lang, Text
from bot import click_words
from bot.settings import machine

#: Help is made before any option is read.
LANG: Final[Lang] = machine.language(os.environ)
# Before the command is declared, because what a declaration says is fixed then.
click_words.speak(LANG)

COMMAND: Final = Text(
    """Answer one question with the agent's tools, and show each step.

    \b
    Examples:
      kagentsys --query="How many days are there between 2024-02-28 and 2024-03-01?"
      kagentsys --query="今天是农历几号？" --lang=zh --json
      kagentsys --query="Who are you?" --id=monday          (goes on with --id=monday)
      kagentsys --query="Who is Andy Lau's wife?" --llm_name=kagentlms_qwen_7b_mat \\
                --use_local_llm --local_llm_host=localhost --local_llm_port=8888

    \b
    Environment: OPENAI_API_KEY; OPENAI_BASE_URL; OPENAI_API_TYPE (open_ai, or azure with OPENAI_API_BASE and
    OPENAI_API_VERSION); WEATHER_API_KEY. Settings are read as kagentbot reads them, and its endpoints are asked.
    Without a key and an endpoint the embedded model answers.
    """,
    """用智能体的工具回答一个问题，并显示每一步。

    \b
    示例：
      kagentsys --query="2024年2月28日到3月1日有多少天？" --lang=zh
      kagentsys --query="今天是农历几号？" --lang=zh --json
      kagentsys --query="你是谁？" --lang=zh --id=monday    （用 --id=monday 继续）
      kagentsys --query="刘德华的妻子是谁？" --lang=zh --llm_name=kagentlms_qwen_7b_mat \\
                --use_local_llm --local_llm_host=localhost --local_llm_port=8888

    \b
    环境变量：OPENAI_API_KEY；OPENAI_BASE_URL；OPENAI_API_TYPE（open_ai，或 azure 并设置 OPENAI_API_BASE 和
    OPENAI_API_VERSION）；WEATHER_API_KEY。设置的读取方式与 kagentbot 相同，并使用它的端点。
    没有密钥和端点时由内置模型回答。
    """,
)
ID: Final = Text("Conversation. Given, it is continued and kept.", "对话。给出时会继续该对话并保存。")
QUERY: Final = Text("What you want to know (required).", "要问的问题（必填）。")
HISTORY: Final = Text(
    "JSON list of {query, answer}; the last 3 are used.", "由 {query, answer} 组成的 JSON 列表；使用最后 3 条。"
)
LLM_NAME: Final = Text("Name of the model.", "模型名称。")
LOCAL: Final = Text("Ask the server at the host and port below.", "使用下面的主机和端口上的服务。")
HOST: Final = Text("Host of an OpenAI-compatible server.", "OpenAI 兼容服务的主机。")
PORT: Final = Text("Its port.", "它的端口。")
TOOL_NAMES: Final = Text(
    "JSON list of tools; auto means all, notool none.", "工具的 JSON 列表；auto 表示全部，notool 表示不用。"
)
MAX_ITER_NUM: Final = Text("Most tasks that are planned.", "最多规划的任务数。")
AGENT_NAME: Final = Text("Who answers; an assistant, if nothing is said.", "由谁回答；未说明时是一个助手。")
AGENT_BIO: Final = Text("Who that is.", "它的介绍。")
AGENT_INSTRUCTIONS: Final = Text("What it should heed.", "它应遵守的要求。")
EXTERNAL_KNOWLEDGE: Final = Text(
    "Link of external knowledge (taken, but not read).", "外部知识的链接（接受，但不会读取）。"
)
LANGUAGE: Final = Text("Language.", "语言。")
MAX_TOKENS_NUM: Final = Text("Most tokens of the model's input.", "模型输入的最大 token 数。")
JSON: Final = Text("Print the result as JSON and nothing else.", "只以 JSON 输出结果。")
