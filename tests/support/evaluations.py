"""Evaluations made up for tests of the report: by hand, or from a seed, with queries that are easy or hard as such."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agent.language import Lang
from evals.kagentbench.items import (
    METRICS,
    METRICS_OF,
    PROFILE_PROMPT,
    TEMPLATES,
    TYPES,
    WEIGHTS,
    Item,
    Metric,
    Type,
)
from evals.kagentbench.results import Evaluation, ItemResult, Parsed, TemplateResult
from evals.report.summary import Summary, read, summary_of
from evals.report.viewing import View
from evals.runs import DataKind, DataSet, Prediction, RunSpec


def item(
    kind: Type,
    name: str,
    scores: Mapping[str, float | Sequence[float]],
    *,
    query: str | None = None,
    lang: Lang = "en",
    **each: Any,
) -> ItemResult:
    """An item whose replies score so, template by template: one number, or one for each that the type counts for."""
    metrics = METRICS_OF[kind]
    replies = []
    for template, score in scores.items():
        values = [score] if isinstance(score, int | float) else list(score)
        usual: dict[str, Any] = {}
        if kind in ("plantooluse", "reflextion"):
            usual = {"parsed": Parsed("think", "web_search", {"text": name}), "right_tool": values[0] > 0}
        spread = values * len(metrics) if len(values) == 1 else values
        replies.append(TemplateResult(template, dict(zip(metrics, spread, strict=True)), **usual | each))
    means = {
        metric: sum(one.scores[metric] for one in replies) / len(replies) if replies else 0.0 for metric in metrics
    }
    return ItemResult(kind, name, f"about {name}" if query is None else query, lang, tuple(replies), means)


def evaluation(
    items: Iterable[ItemResult], *, complete: bool = True, expected: Mapping[Type, int] | None = None
) -> Evaluation:
    """What the scorer would say of these items."""
    ordered = sorted(items, key=lambda one: TYPES.index(one.type))
    scores: dict[Metric, float | None] = {}
    for metric in METRICS:
        values = [one.scores[metric] for one in ordered if metric in one.scores]
        scores[metric] = sum(values) / len(values) if values else None
    known = [value for value in scores.values() if value is not None]
    overall = sum(WEIGHTS[metric] * (scores[metric] or 0) for metric in METRICS) if len(known) == len(METRICS) else None
    counted = expected or {kind: sum(one.type == kind for one in ordered) for kind in TYPES}
    return Evaluation(
        tuple(ordered), scores, overall, counted, complete, "d" * 64, {"rules": "r1", "unicode": "14.0.0"}
    )


def drawn(seed: int, queries: int, *, skill: float = 0.5, trouble: float = 0.1) -> Evaluation:
    """Results with so many queries of each type; some queries are hard for every template."""
    chance = random.Random(seed)
    items = []
    for kind in TYPES:
        for number in range(queries):
            base = random.Random(f"{kind}{number}").betavariate(2, 2)
            lang: Lang = "zh" if number % 2 else "en"
            query = f"第 {number} 个问题" if lang == "zh" else f"question {number}"
            names = (PROFILE_PROMPT,) if kind == "profile" else TEMPLATES
            replies = []
            for name in names:
                broken = chance.random() < trouble
                right = not broken and chance.random() < skill + base / 3
                score = 0.0 if broken else max(0.0, min(1.0, skill * 0.6 + base * 0.4 + chance.gauss(0, 0.1)))
                planned = kind in ("plantooluse", "reflextion")
                values = dict.fromkeys(METRICS_OF[kind], score * right if planned else score)
                parsed = Parsed("think", "None" if broken else "web_search", {}) if planned else None
                replies.append(
                    TemplateResult(
                        name,
                        values,
                        parsed=parsed,
                        unreadable=broken,
                        right_tool=right if planned else None,
                        raises="ValueError: Hypothesis is empty." if broken and number % 3 == 0 else "",
                    )
                )
            means = {metric: sum(one.scores[metric] for one in replies) / len(replies) for metric in METRICS_OF[kind]}
            items.append(ItemResult(kind, f"{kind}-{number}", query, lang, tuple(replies), means))
    return evaluation(items)


def view(result: ItemResult, text: str = "a reply", goldens: tuple[Any, ...] = ()) -> View:
    """What the page shows of an item: every reply and prompt says this text."""
    prompts = {one.template: f"Prompt of {one.template}: {text}" for one in result.templates}
    found = Item(result.type, result.id, result.query, prompts, "", (), goldens, result.lang, line=7)
    replies = {one.template: f"{one.template}: {text}" for one in result.templates}
    return View(found, result, replies.get(PROFILE_PROMPT, replies))


def spec(kind: DataKind = "official", **fields: Any) -> RunSpec:
    """A run over a file of this kind."""
    data = DataSet("bench.jsonl", kind, "d" * 64, fields.pop("items", 0))
    return RunSpec(data, fields.pop("model", "qwen-7b"), **fields)


def summary(
    *evaluations: Evaluation, of: RunSpec | None = None, predictions: Sequence[Prediction] = (), model: str = ""
) -> Summary:
    """Summed up, and sent through JSON as a database does."""
    found = summary_of(evaluations, of or spec(), predictions=predictions, model=model)
    return read(json.loads(json.dumps(found, allow_nan=False)))
