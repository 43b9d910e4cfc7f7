"""What a model is asked for a case: its system text, the tools that it may call, and the question."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from agent.language import Lang, Text

_TOOLS: Final = Text(
    "You can call these tools, given as JSON:\n{tools}\n\n"
    "When you need one, reply with nothing but a JSON object of this form:\n{form}\n"
    "When you need none, answer in plain text.",
    "你可以调用以下工具（JSON 格式）：\n{tools}\n\n"
    "需要工具时，只回复一个如下形式的 JSON 对象：\n{form}\n"
    "不需要工具时，直接用文字回答。",
)
_FORM: Final = Text(
    '{"task_name": "what is to be found out", "command": {"name": "the tool\'s name", "args": {"argument": "value"}}}',
    '{"task_name": "要做什么", "command": {"name": "工具名称", "args": {"参数名": "参数值"}}}',
)


def prompt_of(query: str, lang: Lang, *, system: str = "", tools: Sequence[Mapping[str, Any]] = ()) -> str:
    """The prompt: one text, because a system message does not reach every kind of model in the same way."""
    listed = "\n".join(json.dumps(tool, ensure_ascii=False) for tool in tools)
    offer = _TOOLS.say(lang, tools=listed, form=_FORM.say(lang)) if tools else ""
    return "\n\n".join(part for part in (system, offer, query) if part)
