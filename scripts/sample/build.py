"""Items with all their prompts, in the official format, from the sources beside this module.

`items/TYPE.LANG.json` say what is asked, when, what went before and what good replies look like; `tools.LANG.json` and
`templates/` are what prompts are made of, so that a better wording is one change.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain, zip_longest
from pathlib import Path
from string import Template
from typing import Any, Final

from agent.language import Lang
from evals.kagentbench.items import PROFILE_PROMPT, TEMPLATES, TYPES, Type
from scripts.sample.tools import Function, functions, listed

Json = dict[str, Any]

_FOLDER: Final = Path(__file__).parent
_LANGS: Final[tuple[Lang, ...]] = ("en", "zh")
_WEEKDAYS: Final[Mapping[Lang, Sequence[str]]] = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "zh": ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"),
}
_NO_MEMORY: Final[Mapping[Lang, str]] = {"en": "(nothing yet)", "zh": "（暂无）"}
#: Which of a template's files a type uses: a reflexion is one more step of a plan.
_FILE: Final[Mapping[Type, str]] = {
    "plantooluse": "plan",
    "reflextion": "plan",
    "conclusion": "conclusion",
    "profile": "profile",
}


def lines() -> str:
    """The file: one item a line, grouped by type, English and Chinese in turn."""
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in items())


def items() -> list[Json]:
    """All items in the official format."""
    return [
        one
        for kind in TYPES
        for one in _alternating(*([_item(kind, lang, s) for s in _sources(kind, lang)] for lang in _LANGS))
    ]


def _sources(kind: Type, lang: Lang) -> list[Json]:
    found: list[Json] = json.loads((_FOLDER / "items" / f"{kind}.{lang}.json").read_text(encoding="utf-8"))
    return found


def _alternating(*groups: Sequence[Json]) -> list[Json]:
    return [one for one in chain.from_iterable(zip_longest(*groups)) if one is not None]


def _item(kind: Type, lang: Lang, source: Json) -> Json:
    funcs = [functions(lang)[name] for name in source.get("tools", ())]
    memory = _memory(source)
    last = source["done"][-1] if kind == "reflextion" else None
    return {
        "id": source["id"],
        "query": source["query"],
        "type": kind,
        "golden_result_list": [_golden(kind, one) for one in source["goldens"]],
        "funcs": funcs,
        "prompt_input": _prompts(kind, lang, source, funcs, memory),
        "memory": memory,
        "memory_type": "task" if source.get("done") else "conversation",
        "memory_last_task": _task(last) if last else {},
    }


def _golden(kind: Type, golden: Any) -> Json:
    if kind in ("conclusion", "profile"):
        return {"golden_result": golden}
    thought, tool, args = golden
    return {"thought": thought, "tool_name": tool, "tool_args": args}


def _task(done: Sequence[Any]) -> Json:
    task, tool, args, result = done
    return {"task_name": task, "tool_name": tool, "tool_args": args, "result": result}


def _memory(source: Json) -> str:
    talk = (f"User: {asked}\nAssistant: {answered}" for asked, answered in source.get("conversation", ()))
    tasks = (
        json.dumps({"task_name": task, "command": {"name": tool, "args": args}, "result": result}, ensure_ascii=False)
        for task, tool, args, result in source.get("done", ())
    )
    return "\n".join((*talk, *tasks))


def _prompts(kind: Type, lang: Lang, source: Json, funcs: Sequence[Function], memory: str) -> dict[str, str]:
    known = {
        "query": source["query"],
        "memory": memory or _NO_MEMORY[lang],
        "now": _now(source["now"], lang) if "now" in source else "",
        "names": ", ".join(one["name"] for one in funcs),
        **source.get("profile", {}),
    }
    if kind == "profile":
        return {PROFILE_PROMPT: _filled(PROFILE_PROMPT, kind, lang, known)}
    return {one: _filled(one, kind, lang, {**known, "tools": listed(one, funcs, lang)}) for one in TEMPLATES}


def _filled(template: str, kind: Type, lang: Lang, known: Mapping[str, str]) -> str:
    path = _FOLDER / "templates" / lang / f"{template}.{_FILE[kind]}.txt"
    # Without the file's last line end: a model goes on behind "Thought:".
    return Template(path.read_text(encoding="utf-8").removesuffix("\n")).substitute(known)


def _now(moment: str, lang: Lang) -> str:
    weekday = _WEEKDAYS[lang][datetime.fromisoformat(moment).weekday()]
    return f"{moment}（{weekday}）" if lang == "zh" else f"{moment} ({weekday})"
