"""Items, replies and files for tests of the score, and its rules taken literally."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from evals.kagentbench.pairing import answers_of
from evals.kagentbench.rating import Rater
from evals.kagentbench.results import ItemResult

GOLDENS = Path(__file__).parents[1] / "golden" / "kagentbench"

SEARCH = {"name": "search", "parameters": {"type": "object", "properties": {"text": {"type": "string"}}}}
PLAN: Mapping[str, Any] = {
    "type": "plantooluse",
    "id": "p1",
    "query": "How warm is it in Lisbon?",
    "golden_result_list": [{"thought": "Look it up.", "tool_name": "search", "tool_args": {"text": "Lisbon weather"}}],
    "funcs": [SEARCH],
    "prompt_input": {"ReACT": "prompt", "KuaiAgent": "prompt"},
    "memory": "",
    "memory_last_task": {},
}
REFLEXTION: Mapping[str, Any] = {
    **PLAN,
    "type": "reflextion",
    "id": "r1",
    "memory_last_task": {"tool_name": "search", "tool_args": {"text": "Lisbon"}},
}
CONCLUSION: Mapping[str, Any] = {
    **PLAN,
    "type": "conclusion",
    "id": "c1",
    "golden_result_list": [{"golden_result": "It is warm."}, {"golden_result": "About 24 degrees."}],
}
PROFILE: Mapping[str, Any] = {
    **CONCLUSION,
    "type": "profile",
    "id": "f1",
    "prompt_input": {"prompt": "Say who you are."},
}
#: One item of each type, and replies to all their prompts.
ITEMS = (PLAN, REFLEXTION, CONCLUSION, PROFILE)
REPLIES: Mapping[str, Any] = {
    "plantooluse": {"ReACT": "Look it up.\nAction: search\nAction Input: Lisbon weather", "KuaiAgent": "no JSON"},
    "reflextion": {"ReACT": "Look it up.\nAction: search\nAction Input: Lisbon weather", "KuaiAgent": "no JSON"},
    "conclusion": {"ReACT": "It is warm.", "KuaiAgent": "It is cold."},
    "profile": "It is warm.",
}


def kuai(thought: Any, tool: Any, args: Any) -> dict[str, str]:
    """One reply, in KuaiAgent's form."""
    return {"KuaiAgent": json.dumps({"task_name": thought, "command": {"name": tool, "args": args}})}


def rated(item: Mapping[str, Any], replies: Any, *, strict: bool = False, has_query: bool = True) -> ItemResult:
    """The result of one item."""
    return Rater(strict=strict).rate(answers_of(dict(item), strict=strict, has_query=has_query), replies)


def raised(result: ItemResult) -> str:
    """What the published scorer would have died of first; "" for nothing."""
    return next(filter(None, [result.raises, *(one.raises for one in result.templates)]), "")


def prediction(item: Mapping[str, Any], replies: Any = None) -> dict[str, Any]:
    """A line of predictions for an item."""
    replies = REPLIES[item["type"]] if replies is None else replies
    return {"type": item["type"], "id": item["id"], "query": item["query"], "model_predict": replies}


def write(path: Path, values: Iterable[Any]) -> Path:
    """A file of JSON lines."""
    path.write_text("".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values), encoding="utf-8")
    return path


def pair(folder: Path, items: Iterable[Mapping[str, Any]] = ITEMS) -> tuple[Path, Path]:
    """A benchmark and its predictions."""
    items = list(items)
    return write(folder / "bench.jsonl", items), write(folder / "pred.jsonl", [prediction(item) for item in items])


def golden_lines(name: str) -> Iterator[dict[str, Any]]:
    """The objects in a golden file."""
    with (GOLDENS / name).open(encoding="utf-8") as file:
        yield from map(json.loads, file)


#: NLTK 3.8.1's rules for the words of one sentence, in its order: a pattern, and what takes its place.
#: "-> pad" puts a blank at both ends of the text.
_RULES: tuple[tuple[str, str], ...] = (
    ("[«“‘„]|`+", r" \g<0> "),
    ('^"', "``"),
    ("``", " `` "),
    ("([ (\\[{<])(\"|'')", r"\1 `` "),
    (r"(?i)'(?!re|ve|ll|m|t|s|d|n)(\w)\b", r"' \1"),
    (r"""([^.])\.([\])}>"'»”’ ]*)\s*$""", r"\1 . \2 "),
    (r"([:,])(\D)", r" \1 \2"),
    (r"[:,]$", r" \g<0> "),
    (r"\.{2,}", r" \g<0> "),
    ("[;@#$%&]", r" \g<0> "),
    (r"""([^.])\.([\])}>"']*)\s*$""", r"\1 .\2 "),
    ("[?!]", r" \g<0> "),
    ("([^'])' ", r"\1 ' "),
    (r"\*", r" \g<0> "),
    (r"[\]\[(){}<>]", r" \g<0> "),
    ("--", " -- "),
    (r"\A|\Z", " "),
    ("[»”’]", r" \g<0> "),
    ("''", " '' "),
    ('"', " '' "),
    ("([^' ])('[sS]|'[mM]|'[dD]|') ", r"\1 \2 "),
    ("([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) ", r"\1 \2 "),
    *((rf"(?i)\b{word}", r" \1 \2 ") for word in (r"(can)(not)\b", r"(d)('ye)\b", r"(gim)(me)\b", r"(gon)(na)\b")),
    *((rf"(?i)\b{word}", r" \1 \2 ") for word in (r"(got)(ta)\b", r"(lem)(me)\b", r"(more)('n)\b")),
    (r"(?i)\b(wan)(na)(?=\s)", r" \1 \2 "),
    (r"(?i) ('t)(is)\b", r" \1 \2 "),
    (r"(?i) ('t)(was)\b", r" \1 \2 "),
)


def literal_words(sentence: str) -> list[str]:
    """The words of one sentence, every rule taken literally."""
    for pattern, replacement in _RULES:
        sentence = re.sub(pattern, replacement, sentence)
    return sentence.split()
