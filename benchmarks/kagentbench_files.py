"""A benchmark file and a predictions file of the size of the full set, from words of our own.

Sizes follow what is known of the published data: 1,317 plans, 272 reflextions, 1,225 conclusions and 433 profiles; a
median of 37 tokens in the thoughts, 235 in the conclusions and 112 in the profiles among the goldens; about 47 MB of
benchmark and 54 MB of predictions, most of it prompts. The texts mean nothing.
"""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

COUNTS = {"plantooluse": 1317, "reflextion": 272, "conclusion": 1225, "profile": 433}
#: Golden answers of an item by type.
GOLDENS = {"plantooluse": 4, "reflextion": 4, "conclusion": 5, "profile": 5}
_TEMPLATES = ("ReACT", "AutoGPT", "ToolLlama", "ModelScope", "KuaiAgent")
_SEED = 20_240_401
#: Share of Chinese items, and the tokens of an English text per token of a Chinese one.
_CHINESE, _EN_SHARE = 0.7, 0.3

_EN_WORDS = (
    "the of and to in for on with from about it is was has been will can may more most less between during after "
    "before city river bridge museum station market season weather report price share level growth report source "
    "study people visitors team company school record event holiday calendar history distance population minister "
    "recent public official average early late north south first second large small open closed warm heavy light "
    "opened built reached shows gives says compared expected rose fell found needed planned moved changed remains"
)
_EN = _EN_WORDS.split()
_NAME_WORDS = "Lisbon Hanoi Toronto Kyoto Dr. Marsh Mr. Vale Oslo Peru BYD GPT-4 U.S. J. Reed St. Anne Nile"
_NAMES = _NAME_WORDS.split()
_MARKS = (", ", ", ", ", ", ": ", "; ", " (approx.) ", " -- ", ", e.g. ", " 'so far' ", ' "as planned" ')
_EN_EXTRA = ("doesn't", "it's", "they've", "1,204", "3.75", "27%", "2021-04-18", "14:30", "$12.50", "can't", "no. 7")
_ENDS = (". ", ". ", ". ", ". ", "? ", "! ", "... ")
_ZH_WORDS = (
    "城市 河流 大桥 博物馆 车站 市场 季节 天气 报告 价格 股价 水平 增长 来源 研究 人们 游客 团队 "
    "公司 学校 纪录 活动 假期 日历 历史 距离 人口 最近 公开 官方 平均 早期 北部 南部 第一 第二 "
    "大型 开放 温暖 建成 达到 显示 表示 相比 预计 上升 下降 发现 需要 计划 变化 仍然 根据 目前 "
    "其中 已经 可以 没有 因此 但是 同时 以及 主要 大约 其他 关注 介绍 影响 情况 问题 结果 信息 "
    "时间"
)
_ZH = _ZH_WORDS.split()
_ZH_EXTRA = ("2021年4月18日", "27%", "3.75亿", "GPT-4", "BYD", "“目前”", "《年报》", "（约数）", "12元", "14:30")
_ZH_ENDS = ("。", "。", "。", "！", "？", "……")
_TOOLS = ("web_search", "get_weather", "get_calendar", "time_delta", "browse_page", "get_price", "wiki", "Finish")


def write(folder: Path, scale: float = 1.0) -> tuple[Path, Path]:
    """The two files; `scale` is their share of the full size."""
    make = _Maker(Random(_SEED))
    bench, predictions = folder / "benchmark.jsonl", folder / "predictions.jsonl"
    kinds = [kind for kind, count in COUNTS.items() for _ in range(round(count * scale))]
    make.random.shuffle(kinds)
    with bench.open("w", encoding="utf-8") as first, predictions.open("w", encoding="utf-8") as second:
        for number, kind in enumerate(kinds):
            item = make.item(kind, number)
            first.write(json.dumps(item, ensure_ascii=False) + "\n")
            second.write(json.dumps({**item, "model_predict": make.replies(item)}, ensure_ascii=False) + "\n")
    return bench, predictions


class _Maker:
    def __init__(self, random: Random) -> None:
        self.random = random

    def text(self, chinese: bool, tokens: int) -> str:
        """Sentences of about so many tokens in Chinese, or about as long in English, which has longer tokens."""
        return self._chinese(tokens) if chinese else self._english(max(4, round(tokens * _EN_SHARE)))

    def item(self, kind: str, number: int) -> dict[str, Any]:
        chinese = self.random.random() < _CHINESE
        funcs = [self._func(name, chinese) for name in self.random.sample(_TOOLS, 6)]
        names = ("prompt",) if kind == "profile" else _TEMPLATES
        memory = self.text(chinese, 110)
        shared = f"{json.dumps(funcs, ensure_ascii=False)}\n{memory}\n{self.text(chinese, 40)}"
        return {
            "id": f"{number:08x}-{self.random.getrandbits(32):08x}",
            "type": kind,
            "query": self.text(chinese, 14),
            "golden_result_list": self._goldens(kind, chinese, funcs),
            "funcs": funcs if kind in ("plantooluse", "reflextion") else [],
            "prompt_input": {name: f"[{name}] {shared}" for name in names},
            "memory": memory,
            "memory_type": "task" if kind == "reflextion" else "conversation",
            "memory_last_task": self._plan(chinese, funcs) if kind == "reflextion" else {},
        }

    def replies(self, item: dict[str, Any]) -> Any:
        goldens = item["golden_result_list"]
        if item["type"] == "profile":
            return self._like(self.random.choice(goldens)["golden_result"])
        if item["type"] == "conclusion":
            return {name: self._conclusion(name, goldens) for name in item["prompt_input"]}
        return {name: self._plan_reply(name, item, goldens) for name in item["prompt_input"]}

    def _goldens(self, kind: str, chinese: bool, funcs: list[Any]) -> list[Any]:
        if kind in ("plantooluse", "reflextion"):
            return [self._plan(chinese, funcs) for _ in range(GOLDENS[kind])]
        length = 222 if kind == "conclusion" else 104
        first = self.text(chinese, self._around(length))
        return [{"golden_result": self._like(first) if n else first} for n in range(GOLDENS[kind])]

    def _plan(self, chinese: bool, funcs: list[Any]) -> dict[str, Any]:
        func = self.random.choice(funcs)
        args = {name: self.text(chinese, 4).rstrip("。. ") for name in func["parameters"]["properties"]}
        return {"thought": self.text(chinese, self._around(33)), "tool_name": func["name"], "tool_args": args}

    def _func(self, name: str, chinese: bool) -> dict[str, Any]:
        properties = {
            key: {"type": "string", "description": self.text(chinese, 8)}
            for key in self.random.sample(("text", "day", "place"), 2)
        }
        parameters = {"type": "object", "properties": properties, "required": list(properties)[:1]}
        return {"name": name, "description": self.text(chinese, 16), "parameters": parameters}

    def _plan_reply(self, template: str, item: dict[str, Any], goldens: list[Any]) -> str:
        golden = self.random.choice(goldens)
        thought, tool, args = self._like(golden["thought"]), golden["tool_name"], golden["tool_args"]
        if self.random.random() < 0.45:
            tool = self.random.choice(_TOOLS)
        args = {name: self._like(value) for name, value in args.items()}
        said = json.dumps(args, ensure_ascii=False, indent=4)
        if self.random.random() < 0.03:
            said = said[:-3]
        match template:
            case "ReACT":
                return f"{thought}\nAction: {tool}\nAction Input: {next(iter(args.values()))}\nObservation:"
            case "AutoGPT":
                head = json.dumps({"text": thought, "plan": "- a\n- b", "speak": thought[:40]}, ensure_ascii=False)
                return f'{{\n    "thoughts": {head},\n    "command": {{\n"name": "{tool}",\n"args": {said}\n}}\n}}'
            case "ToolLlama":
                return f"Thought: {thought}\nAction: {tool}\nAction Input: {said}"
            case "ModelScope":
                call = f'{{\n"api_name": "{tool}",\n"parameters": {said}\n}}'
                return f"{thought}\n<|startofthink|>{call}<|endofthink|>"
        thought = json.dumps(thought, ensure_ascii=False)
        return f'{{\n    "task_name": {thought},\n    "command": {{\n"name": "{tool}",\n"args": {said}\n}}\n}}'

    def _conclusion(self, template: str, goldens: list[Any]) -> str:
        text = self._like(self.random.choice(goldens)["golden_result"])
        if template == "AutoGPT" and self.random.random() < 0.5:
            return f'do_nothing(response="{text}")'
        if template == "ToolLlama":
            return f'{{"return_type": "give_answer", "final_answer": "{text}"}}'
        return text

    def _like(self, text: str) -> str:
        """The text with a part of it changed."""
        parts = text.split(" ") if " " in text else list(text)
        glue = " " if " " in text else ""
        words = _EN if glue else _ZH
        random = self.random
        changed = [random.choice(words) if random.random() < 0.2 else part for part in parts if random.random() < 0.9]
        return glue.join(changed) or text

    def _around(self, tokens: int) -> int:
        return max(5, round(self.random.lognormvariate(0, 0.35) * tokens))

    def _english(self, tokens: int) -> str:
        random, parts, left = self.random, [], tokens
        while left > 0:
            length = min(max(3, left), random.randint(8, 22))
            left -= length
            words = [
                random.choice(_EN if (chance := random.random()) < 0.86 else _NAMES if chance < 0.95 else _EN_EXTRA)
                for _ in range(length)
            ]
            words[0] = words[0].capitalize()
            half = length // 2
            parts.append(" ".join(words[:half]) + random.choice(_MARKS) + " ".join(words[half:]) + random.choice(_ENDS))
        return "".join(parts).rstrip()

    def _chinese(self, tokens: int) -> str:
        random, parts, left = self.random, [], tokens
        while left > 0:
            length = min(max(3, left // 2), random.randint(5, 14))
            left -= 2 * length
            words = [random.choice(_ZH if random.random() < 0.93 else _ZH_EXTRA) for _ in range(length)]
            half = length // 2
            parts.append("".join(words[:half]) + "，" + "".join(words[half:]) + random.choice(_ZH_ENDS))
        return "".join(parts)
