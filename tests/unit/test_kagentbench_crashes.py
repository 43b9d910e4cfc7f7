"""What the published scorer makes of 113 odd items and replies: a number, or an exception.

`crash_table.json` has a name and an outcome for each; here each name is built anew. Values that depend on texts that
the table doesn't show are compared only as zero or not.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from typing import Any

import pytest

from evals.kagentbench.results import ItemResult
from tests.support.kagentbench import CONCLUSION, GOLDENS, PLAN, PROFILE, REFLEXTION, kuai, raised, rated

TABLE = json.loads((GOLDENS / "crash_table.json").read_text("utf-8"))
_GOLDEN = PLAN["golden_result_list"][0]
_RIGHT = kuai("Look it up.", "search", {"text": "Lisbon weather"})
_SAME_THOUGHT = kuai("Look it up.", "search", {})


def autogpt(**fields: Any) -> dict[str, str]:
    return {"AutoGPT": json.dumps({"thoughts": {"text": "a"}, "command": {"name": "search", "args": {}}, **fields})}


def kuai_command(command: Any) -> dict[str, str]:
    return {"KuaiAgent": json.dumps({"task_name": "a", "command": command})}


def plan(**fields: Any) -> dict[str, Any]:
    return {**PLAN, **fields}


def golden(**fields: Any) -> dict[str, Any]:
    return plan(golden_result_list=[{**_GOLDEN, **fields}])


def without(item: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key != name}


def reflextion(last: Any, goldens: Any = PLAN["golden_result_list"]) -> dict[str, Any]:
    return {**REFLEXTION, "memory_last_task": last, "golden_result_list": goldens}


_NONE = {"thought": "None", "tool_name": "None", "tool_args": {}}
_ACTION = {"ReACT": "a\nAction: search\nAction Input: b"}
_OTHER_BLANK = {"thought": "Look it up.", "tool_name": "other", "tool_args": {"text": " "}}
_LAST = {"tool_name": "search", "tool_args": {"text": "Lisbon weather"}}
#: Name → item, replies.
CASES: Mapping[str, tuple[Mapping[str, Any], Any]] = {
    "plan: ReACT '' first": (PLAN, {"ReACT": ""}),
    "plan: ReACT '' after KuaiAgent (reuses its parse)": (PLAN, {**kuai_command({"name": "x"}), "ReACT": ""}),
    "plan: unknown template first": (PLAN, {"XAgent": "a"}),
    "plan: unknown template later": (PLAN, {**kuai_command({"name": "x"}), "XAgent": "a"}),
    "plan: model_predict {}": (PLAN, {}),
    "plan: model_predict str": (PLAN, "text"),
    "plan: model_predict None": (PLAN, None),
    "plan: ReACT None": (PLAN, {"ReACT": None}),
    "plan: ReACT dict": (PLAN, {"ReACT": {}}),
    "plan: ReACT number": (PLAN, {"ReACT": 5}),
    "plan: ReACT blank '  '": (PLAN, {"ReACT": "  "}),
    "plan: AutoGPT None": (PLAN, {"AutoGPT": None}),
    "plan: ToolLlama None": (PLAN, {"ToolLlama": None}),
    "plan: ModelScope None": (PLAN, {"ModelScope": None}),
    "plan: KuaiAgent None": (PLAN, {"KuaiAgent": None}),
    "plan: ModelScope ''": (PLAN, {"ModelScope": ""}),
    "plan: AutoGPT thought ' ' (blank)": (PLAN, autogpt(thoughts={"text": " "})),
    "plan: Kuai task_name '\\n'": (PLAN, kuai("\n", "search", {})),
    "plan: AutoGPT thoughts is str with 'text'": (PLAN, autogpt(thoughts="a text")),
    "plan: AutoGPT thoughts is str w/o 'text'": (PLAN, autogpt(thoughts="a")),
    "plan: AutoGPT thoughts 1": (PLAN, autogpt(thoughts=1)),
    "plan: AutoGPT thoughts 0": (PLAN, autogpt(thoughts=0)),
    "plan: AutoGPT thoughts true": (PLAN, autogpt(thoughts=True)),
    "plan: AutoGPT thoughts ['text']": (PLAN, autogpt(thoughts=["text"])),
    "plan: AutoGPT command 'rename'": (PLAN, autogpt(command="rename")),
    "plan: AutoGPT command 'args'": (PLAN, autogpt(command="args")),
    "plan: AutoGPT command null": (PLAN, autogpt(command=None)),
    "plan: AutoGPT command 5": (PLAN, autogpt(command=5)),
    "plan: Kuai command null": (PLAN, kuai_command(None)),
    "plan: Kuai command 5": (PLAN, kuai_command(5)),
    "plan: Kuai command 'name'": (PLAN, kuai_command("name")),
    "plan: Kuai command 'args'": (PLAN, kuai_command("args")),
    "plan: Kuai command ''": (PLAN, kuai_command("")),
    "plan: Kuai command ['args']": (PLAN, kuai_command(["args"])),
    "plan: label without funcs": (without(PLAN, "funcs"), _RIGHT),
    "plan: func without name, ReACT with action": (plan(funcs=[{"parameters": {}}]), _ACTION),
    "plan: golden list []": (plan(golden_result_list=[]), _RIGHT),
    "plan: all goldens None": (plan(golden_result_list=[_NONE]), _RIGHT),
    "plan: golden thought ' '": (golden(thought=" "), _RIGHT),
    "plan: golden tool_args is str, pred args {}": (golden(tool_args="a"), _SAME_THOUGHT),
    "plan: golden tool_args is str, pred args nonempty": (golden(tool_args="a"), _RIGHT),
    "plan: golden tool_args {} vs pred {'text':..}, same tool": (golden(tool_args={}), _RIGHT),
    "plan: golden arg blank ' ' same key other tool": (plan(golden_result_list=[_GOLDEN, _OTHER_BLANK]), _RIGHT),
    "plan: pred arg blank ' ' same key other tool": (golden(tool_name="other"), kuai("a", "search", {"text": " "})),
    "plan: pred arg '' same key same tool": (PLAN, kuai("Look it up.", "search", {"text": ""})),
    "refl: golden list all None": (reflextion(_LAST, [_NONE]), _RIGHT),
    "refl: no memory_last_task": (without(REFLEXTION, "memory_last_task"), _RIGHT),
    "refl: memory_last_task {}": (reflextion({}), _RIGHT),
    "refl: memory_last_task without tool_args, other tool": (reflextion({"tool_name": "x"}), kuai("a", "y", {})),
    "refl: last == golden": (reflextion(_LAST), _RIGHT),
    "refl: last == prediction but != golden (no penalty)": (
        reflextion({"tool_name": "search", "tool_args": {"text": "Lisbon"}}),
        kuai("Look it up.", "search", {"text": "Lisbon"}),
    ),
    "concl: {}": (CONCLUSION, {}),
    "concl: str": (CONCLUSION, "text"),
    "concl: golden []": ({**CONCLUSION, "golden_result_list": []}, {"ReACT": "a"}),
    "concl: golden [] and pred ''": ({**CONCLUSION, "golden_result_list": []}, {"ReACT": ""}),
    "concl: golden '' ": ({**CONCLUSION, "golden_result_list": [{"golden_result": ""}]}, {"ReACT": "a"}),
    "concl: golden ' ' ": ({**CONCLUSION, "golden_result_list": [{"golden_result": " "}]}, {"ReACT": "a"}),
    "concl: AutoGPT response= empty": (CONCLUSION, {"AutoGPT": 'do_nothing(response="")'}),
    "concl: AutoGPT response= blank": (CONCLUSION, {"AutoGPT": 'do_nothing(response=" ")'}),
    "concl: ToolLlama final_answer blank": (CONCLUSION, {"ToolLlama": '{"final_answer": " "}'}),
    "concl: ToolLlama final_answer empty": (CONCLUSION, {"ToolLlama": '{"final_answer": ""}'}),
    "profile: golden []": ({**PROFILE, "golden_result_list": []}, "a"),
}
#: What the table's number of such a case is made of is not known.
_UNSHOWN = "{'a': 'b'}", "profile: 5"


@pytest.mark.parametrize("row", TABLE, ids=[row["case"] for row in TABLE])
def test_an_odd_item_or_reply_gives_the_published_outcome(row: dict[str, Any]) -> None:
    found = result_of(row["case"])

    if "error" in row:
        assert raised(found) == f"{row['error']}: {row['message']}"
        assert set(found.scores.values()) == {0.0}
    elif row["case"].endswith(_UNSHOWN):
        assert not raised(found)
    else:
        wanted = row["ok"] if isinstance(row["ok"], list) else [row["ok"]]
        assert not raised(found)
        assert numbers(row["case"], found) == pytest.approx(numbers(row["case"], wanted), abs=1e-12, rel=0)


def result_of(case: str) -> ItemResult:
    """The result of the case with this name."""
    if case == "plan: prediction without query":
        return rated(PLAN, _RIGHT, has_query=False)
    if case.startswith("concl: goldens as plain strings"):
        return rated({**CONCLUSION, "golden_result_list": ["It is warm."]}, {"ReACT": "a"}, strict=True)
    if case in CASES:
        return rated(*CASES[case])
    kind, _, rest = case.partition(": ")
    template, _, value = rest.rpartition(" = ")
    reply = ast.literal_eval(value)
    return rated(CONCLUSION, {template: reply}) if kind == "concl" else rated(PROFILE, reply)


def numbers(case: str, found: ItemResult | list[float]) -> list[float]:
    """The scores; of the one case with a text that isn't shown, only whether there is a penalty."""
    scores = list(found.scores.values()) if isinstance(found, ItemResult) else found
    return [float(score > 0.7) for score in scores] if "no penalty" in case else scores
