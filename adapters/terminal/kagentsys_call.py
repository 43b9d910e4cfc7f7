"""What a `kagentsys` command line asks for, checked."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.terminal.kagentsys_models import Refused, Wanted
from agent.language import Lang, Text
from agent.profile import Profile
from agent.task import Exchange
from agent.tools.control import ends_planning
from agent.tools.registry import Tool, unknown_names
from bot.messages import Target

#: Where these conversations are kept.
PLATFORM = "terminal"
#: Tools of KAgentSys that may be missing here, by all their names: a call that names one goes on without it.
_OF_KAGENTSYS = frozenset(
    ("web_search", "search", "网页搜索", "browse_website", "网页浏览器", "get_weather_info", "查询天气")
)
#: Characters of an id: the column's length.
_LONGEST_ID = 128

_ASSISTANT = Text("Assistant", "智能助手")
_HISTORY = Text(
    '--history must be a JSON list such as [{"query": "…", "answer": "…"}].',
    '--history 应为 JSON 列表，例如 [{"query": "…", "answer": "…"}]。',
)
_TOOLS = Text(
    '--tool_names must be a JSON list of names such as ["auto"], ["notool"] or ["time_delta"].',
    '--tool_names 应为名称的 JSON 列表，例如 ["auto"]、["notool"] 或 ["time_delta"]。',
)
_UNKNOWN_TOOLS = Text(
    "--tool_names has names that no tool has here ({names}): choose from {known}.",
    "--tool_names 中有这里不存在的工具（{names}）：可选 {known}。",
)
_ID = Text(
    "--id must have 1 to {most} characters, none of them a control character.",
    "--id 应有 1 到 {most} 个字符，且不含控制字符。",
)
_QUERY = Text(
    '--query is missing or empty: say what you want to know, for example --query="How many days is it until June 1?".',
    '缺少 --query 或其内容为空：请写明要问的问题，例如 --query="距离6月1日还有多少天？"。',
)


@dataclass(frozen=True, slots=True)
class Call:
    """What the command line asks for."""

    id: str
    #: Whether the id was given, so that the conversation goes on.
    continued: bool
    query: str
    #: None: none was given, so the stored one counts.
    history: tuple[Exchange, ...] | None
    wanted: Wanted
    profile: Profile
    lang: Lang
    #: Most tokens of a prompt.
    input_tokens: int
    #: Named tools of KAgentSys that don't exist here; the profile is without them.
    lacking: tuple[str, ...] = ()

    @property
    def target(self) -> Target:
        return Target(PLATFORM, "", self.id, None, f"{PLATFORM}:{self.id}")


def read_call(id_: str, lang: Lang, tools: Sequence[Tool], given: dict[str, Any], typed: Callable[[str], bool]) -> Call:
    """The options as one object. `typed` says whether an option was given at all. Raises `Refused`."""
    if not given["query"].strip():
        raise Refused(_QUERY)
    if not 1 <= len(id_) <= _LONGEST_ID or not id_.isprintable():
        raise Refused(_ID, most=_LONGEST_ID)
    tool_names, lacking = _tool_names(given["tool_names"], tools)
    profile = Profile(
        agent_name=given["agent_name"] or _ASSISTANT.say(lang),
        agent_bio=given["agent_bio"],
        agent_instructions=given["agent_instructions"],
        lang=lang,
        tool_names=tool_names,
        max_iter_num=given["max_iter_num"],
    )
    return Call(
        id=id_,
        continued=typed("id_"),
        query=given["query"],
        history=_history(given["history"]) if typed("history") else None,
        wanted=Wanted(
            llm_name=given["llm_name"].strip().lower(),
            named=typed("llm_name"),
            local=given["use_local_llm"],
            host=given["local_llm_host"],
            port=given["local_llm_port"],
        ),
        profile=profile,
        lang=lang,
        input_tokens=given["max_tokens_num"],
        lacking=lacking,
    )


def _tool_names(text: str, tools: Sequence[Tool]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names for the profile, and those of KAgentSys's tools that don't exist here. Raises `Refused`."""
    try:
        names = json.loads(text)
    except ValueError:
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) and name.strip() for name in names):
        raise Refused(_TOOLS)
    # A style that plans offers both of the tools that end a plan, whether they are named here or not.
    chosen = tuple(name for name in names if not ends_planning(name))
    missing = unknown_names(tools, chosen)
    lacking = tuple(name for name in missing if name.strip().casefold() in _OF_KAGENTSYS)
    if unknown := [name for name in missing if name not in lacking]:
        raise Refused(_UNKNOWN_TOOLS, names=", ".join(unknown), known=", ".join(tool.name for tool in tools))
    left = tuple(name for name in chosen if name not in lacking)
    return left if left or not names else ("notool",), lacking


def _history(text: str) -> tuple[Exchange, ...]:
    try:
        entries = json.loads(text)
    except ValueError:
        entries = None
    if not isinstance(entries, list):
        raise Refused(_HISTORY)
    return tuple(_exchange(entry) for entry in entries)


def _exchange(entry: object) -> Exchange:
    if (
        not isinstance(entry, dict)
        or not isinstance(entry.get("query"), str)
        or not isinstance(entry.get("answer"), str)
    ):
        raise Refused(_HISTORY)
    return Exchange(entry["query"], entry["answer"])
