"""The tools of the sample, and how each agent system lists them in its prompt."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from agent.language import Lang

_FOLDER: Final = Path(__file__).parent
Function = Mapping[str, Any]


def functions(lang: Lang) -> dict[str, Function]:
    """All tools by name: objects with `name`, `description` and the JSON Schema of their `parameters`."""
    described = json.loads((_FOLDER / f"tools.{lang}.json").read_text(encoding="utf-8"))
    return {name: _function(name, about, parameters) for name, (about, parameters) in described.items()}


def listed(template: str, tools: Sequence[Function], lang: Lang) -> str:
    """The list of tools as it stands in the prompt of a template."""
    return _LISTS[template](tools, lang)


def _function(name: str, about: str, parameters: Mapping[str, tuple[str, str, bool]]) -> Function:
    properties = {key: {"type": kind, "description": meaning} for key, (kind, meaning, _) in parameters.items()}
    required = [key for key, (_, _, needed) in parameters.items() if needed]
    schema = {"type": "object", "properties": properties, "required": required}
    return {"name": name, "description": about, "parameters": schema}


def _properties(tool: Function) -> Mapping[str, Mapping[str, str]]:
    found: Mapping[str, Mapping[str, str]] = tool["parameters"]["properties"]
    return found


def _first_parameters(tools: Sequence[Function], lang: Lang) -> str:
    return "\n".join(_with_first_parameter(tool, lang) for tool in tools)


def _with_first_parameter(tool: Function, lang: Lang) -> str:
    name, about = tool["name"], tool["description"]
    first = next(iter(_properties(tool).items()), None)
    if lang == "zh":
        wanted = f"{first[0]}（{first[1]['description']}）" if first else "无"
        return f"{name}：{about}输入：{wanted}"
    wanted = f"{first[0]} ({first[1]['description']})" if first else "none"
    return f"{name}: {about} Input: {wanted}"


def _numbered(tools: Sequence[Function], lang: Lang) -> str:
    rows = []
    for number, tool in enumerate(tools, 1):
        args = ", ".join(f'"{key}": <{one["description"]}>' for key, one in _properties(tool).items())
        rows.append(f'{number}. "{tool["name"]}": {tool["description"]} args: {{{args}}}')
    return "\n".join(rows)


def _documents(tools: Sequence[Function], lang: Lang) -> str:
    return json.dumps(list(tools), ensure_ascii=False)


def _one_a_line(tools: Sequence[Function], lang: Lang) -> str:
    return "\n".join(json.dumps(_as_api(tool), ensure_ascii=False) for tool in tools)


def _as_api(tool: Function) -> dict[str, Any]:
    required = tool["parameters"]["required"]
    parameters = [{"name": key, **one, "required": key in required} for key, one in _properties(tool).items()]
    return {"api_name": tool["name"], "description": tool["description"], "parameters": parameters}


def _commands(tools: Sequence[Function], lang: Lang) -> str:
    return "\n".join(f"{number}. {json.dumps(tool, ensure_ascii=False)}" for number, tool in enumerate(tools, 1))


_LISTS: Final[Mapping[str, Callable[[Sequence[Function], Lang], str]]] = {
    "ReACT": _first_parameters,
    "AutoGPT": _numbered,
    "ToolLlama": _documents,
    "ModelScope": _one_a_line,
    "KuaiAgent": _commands,
}
