"""The sample that comes with the package is what it says it is: forty sensible items in the official format."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from agent.language import detect
from agent.llm.tokens import estimate
from evals.kagentbench.data import read_items, sha256_of
from evals.kagentbench.items import TEMPLATES, Item, Metric
from evals.kagentbench.results import TemplateResult
from evals.kagentbench.sample import is_sample, sample_path
from evals.kagentbench.score import score_items
from scripts.sample.build import lines

ITEMS = read_items(sample_path())
PLANS = [item for item in ITEMS if item.type in ("plantooluse", "reflextion")]
CONCLUSIONS = [item for item in ITEMS if item.type == "conclusion"]
PROFILES = [item for item in ITEMS if item.type == "profile"]

#: What a perfect reply has, less what R(x, x) lacks to 1.
PERFECT = 0.999
NUMBER = re.compile(r"\d+(?:\.\d+)?")


def called(item: Item) -> Any:
    return pytest.param(item, id=str(item.id))


def schema_of(item: Item, tool: str) -> Mapping[str, Any]:
    (found,) = [func for func in item.funcs if func["name"] == tool]
    return found["parameters"]


# --- The file


def test_the_file_is_what_its_sources_make() -> None:
    assert sample_path().read_text(encoding="utf-8") == lines(), "run `python -m scripts.sample`"


def test_it_has_forty_items_half_in_each_language() -> None:
    counts = Counter((item.type, item.lang) for item in ITEMS)
    assert counts == {
        **{("plantooluse", lang): 8 for lang in ("en", "zh")},
        **{(kind, lang): 4 for kind in ("reflextion", "conclusion", "profile") for lang in ("en", "zh")},
    }


def test_every_item_but_a_profile_has_the_five_templates() -> None:
    assert {tuple(item.prompts) for item in (*PLANS, *CONCLUSIONS)} == {TEMPLATES}
    assert {tuple(item.prompts) for item in PROFILES} == {("prompt",)}


def test_it_knows_itself_by_its_hash() -> None:
    assert is_sample(sha256_of(sample_path()))
    assert not is_sample("0" * 64)


@pytest.mark.parametrize("item", [called(item) for item in ITEMS])
def test_a_prompt_fits_a_small_window_and_holds_what_it_has_to(item: Item) -> None:
    for prompt in item.prompts.values():
        assert estimate(prompt) < 2500
        assert item.query in prompt
        # Where a prompt is too long, it is cut there.
        assert item.memory in prompt
        assert all(func["name"] in prompt for func in item.funcs)
        assert "$" not in prompt
        assert detect(prompt) == item.lang


@pytest.mark.parametrize("item", [called(item) for item in ITEMS])
def test_goldens_are_four_or_five_that_differ_in_the_language_of_the_item(item: Item) -> None:
    texts = [golden.get("thought") or golden["golden_result"] for golden in item.goldens]
    assert 4 <= len(set(texts)) == len(item.goldens) <= 5
    assert {detect(text) for text in texts} == {item.lang}


@pytest.mark.parametrize("item", [called(item) for item in PLANS])
def test_a_golden_calls_a_tool_of_the_item_as_its_schema_wants(item: Item) -> None:
    for golden in item.goldens:
        schema = schema_of(item, golden["tool_name"])
        assert set(schema["required"]) <= set(golden["tool_args"]) <= set(schema["properties"])


@pytest.mark.parametrize("item", [called(item) for item in PLANS if item.type == "reflextion"])
def test_a_reflexion_never_wants_the_last_task_again(item: Item) -> None:
    last = item.memory_last_task
    assert json.loads(item.memory.splitlines()[-1])["command"]["name"] == last["tool_name"]
    assert all((one["tool_name"], one["tool_args"]) != (last["tool_name"], last["tool_args"]) for one in item.goldens)


@pytest.mark.parametrize("item", [called(item) for item in CONCLUSIONS])
def test_a_conclusion_has_no_number_that_its_memory_has_not(item: Item) -> None:
    known = {float(number) for number in NUMBER.findall(f"{item.memory} {item.query}")}
    for golden in item.goldens:
        assert {float(number) for number in NUMBER.findall(golden["golden_result"])} <= known


# --- A golden, written as each agent system wants it, is read again


def react(item: Item, golden: Mapping[str, Any]) -> str:
    first = next(iter(schema_of(item, golden["tool_name"])["properties"]), "")
    value = golden["tool_args"].get(first, "")
    return f"{golden['thought']}\nAction: {golden['tool_name']}\nAction Input: {value}"


def autogpt(item: Item, golden: Mapping[str, Any]) -> str:
    thoughts = {"text": golden["thought"], "reasoning": "-", "plan": "-", "criticism": "-", "speak": "-"}
    command = {"name": golden["tool_name"], "args": golden["tool_args"]}
    return json.dumps({"thoughts": thoughts, "command": command}, ensure_ascii=False, indent=4)


def toolllama(item: Item, golden: Mapping[str, Any]) -> str:
    args = json.dumps(golden["tool_args"], ensure_ascii=False)
    return f"Thought: {golden['thought']}\nAction: {golden['tool_name']}\nAction Input: {args}"


def modelscope(item: Item, golden: Mapping[str, Any]) -> str:
    call = {"api_name": golden["tool_name"], "parameters": golden["tool_args"]}
    return f"<|startofthink|>{json.dumps(call, ensure_ascii=False)}<|endofthink|>"


def kuaiagent(item: Item, golden: Mapping[str, Any]) -> str:
    command = {"name": golden["tool_name"], "args": golden["tool_args"]}
    return json.dumps({"task_name": golden["thought"], "command": command}, ensure_ascii=False, indent=4)


WRITTEN: Mapping[str, Callable[[Item, Mapping[str, Any]], str]] = {
    "ReACT": react,
    "AutoGPT": autogpt,
    "ToolLlama": toolllama,
    "ModelScope": modelscope,
    "KuaiAgent": kuaiagent,
}
CONCLUDED = {
    "ReACT": "{}",
    "AutoGPT": 'task_complete(response="{}")',
    "ToolLlama": 'Thought: -\nAction: Finish\nAction Input: {{"return_type": "give_answer", "final_answer": "{}"}}',
    "ModelScope": "{}",
    "KuaiAgent": "{}",
}


def scored(item: Item, predict: Any) -> Mapping[str, TemplateResult]:
    (found,) = score_items([(item, predict)])
    return {one.template: one for one in found.templates}


@pytest.mark.parametrize("item", [called(item) for item in PLANS])
def test_the_golden_of_a_plan_is_perfect_wherever_its_format_can_hold_it(item: Item) -> None:
    for golden in item.goldens:
        found = scored(item, {template: write(item, golden) for template, write in WRITTEN.items()})
        for template, one in found.items():
            # A call of ReACT has one argument, and ModelScope's thought isn't read.
            tool = 1.0 if template != "ReACT" else 1 / max(1, len(golden["tool_args"]))
            thought = 0.0 if template == "ModelScope" else 1.0
            wanted: Mapping[Metric, float] = (
                {"plan": thought, "tooluse": tool}
                if item.type == "plantooluse"
                else {"reflextion": 0.3 * thought + 0.7 * tool}
            )
            assert one.right_tool
            assert not one.raises
            for metric, least in wanted.items():
                assert one.scores[metric] >= PERFECT * least, (template, golden)


@pytest.mark.parametrize("item", [called(item) for item in CONCLUSIONS])
def test_the_golden_of_a_conclusion_is_perfect_in_every_form(item: Item) -> None:
    for golden in item.goldens:
        found = scored(item, {one: form.format(golden["golden_result"]) for one, form in CONCLUDED.items()})
        assert min(one.scores["conclusion"] for one in found.values()) >= PERFECT


@pytest.mark.parametrize("item", [called(item) for item in PROFILES])
def test_the_golden_of_a_profile_is_perfect(item: Item) -> None:
    for golden in item.goldens:
        (one,) = scored(item, golden["golden_result"]).values()
        assert one.scores["profile"] >= PERFECT
