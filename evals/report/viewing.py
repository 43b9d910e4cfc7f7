"""What the page's viewer shows of each item: an index that filters go by, and texts that stay packed until opened."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from agent.journal import Json
from evals.kagentbench.items import METRICS_OF, Item
from evals.kagentbench.results import ItemResult, TemplateResult
from evals.runs import Prediction, RunSpec

#: Items whose texts are packed together: little enough to unpack at a click, enough to pack well.
BLOCK: Final = 40
#: Characters of one text (a prompt, a reply, a golden) that are shown: its head and its tail beyond.
MOST_CHARS: Final = 20_000
#: Characters of a query in the list, and of what a search finds it by.
MOST_QUERY: Final = 300
#: Goldens of an item, and templates of a reply, that are shown.
_MOST_GOLDENS, _MOST_TEMPLATES = 20, 24
_UNREADABLE, _WRONG_TOOL, _RAISED = 1, 2, 4


@dataclass(frozen=True, slots=True)
class View:
    """One item with all that was said about it."""

    item: Item
    result: ItemResult
    #: As a line of an official predictions file has it: template → reply, or the reply alone for a profile.
    predicted: Any = None


def viewer(views: Iterable[View]) -> Json:
    """The viewer's data as JSON: `index` has a short list per item, `blocks` the texts of so many items each.

    Everything in it is untrusted text; it becomes text nodes and nothing else.
    """
    index: list[Json] = []
    blocks: list[str] = []
    waiting: list[Json] = []
    names: dict[str, int] = {}
    for view in views:
        index.append(_entry(view, names))
        waiting.append(_texts(view))
        if len(waiting) == BLOCK:
            blocks.append(packed(waiting))
            waiting = []
    if waiting:
        blocks.append(packed(waiting))
    return {"block": BLOCK, "templates": list(names), "index": index, "blocks": blocks}


def _entry(view: View, names: dict[str, int]) -> Json:
    """[type, id, query, lang, score, item raises, [[template, score, flags], …]]."""
    result = view.result
    replies = [
        [names.setdefault(short(one.template, 60), len(names)), _mean(one.scores), _flags(one)]
        for one in result.templates[:_MOST_TEMPLATES]
    ]
    query = short(result.query, MOST_QUERY)
    return [result.type, short(result.id, 120), query, result.lang, _mean(result.scores), bool(result.raises), replies]


def _flags(one: TemplateResult) -> int:
    wrong = one.right_tool is False
    return one.unreadable * _UNREADABLE + wrong * _WRONG_TOOL + bool(one.raises) * _RAISED


def _mean(scores: Mapping[Any, float]) -> float:
    return round(sum(scores.values()) / len(scores), 4) if scores else 0.0


def _texts(view: View) -> Json:
    """What is shown of an opened item."""
    item, result = view.item, view.result
    return {
        "query": short(result.query),
        "line": item.line,
        "raises": short(result.raises),
        "goldens": [_golden(golden) for golden in item.goldens[:_MOST_GOLDENS]],
        "more": max(0, len(item.goldens) - _MOST_GOLDENS),
        "replies": [_reply(view, one) for one in result.templates[:_MOST_TEMPLATES]],
        "metrics": list(METRICS_OF[result.type]),
    }


def _reply(view: View, one: TemplateResult) -> Json:
    predicted = view.predicted
    text = predicted.get(one.template) if isinstance(predicted, Mapping) else predicted
    return {
        "template": short(one.template, 60),
        "prompt": short(view.item.prompts.get(one.template, "")),
        "reply": None if text is None else shown(text),
        "parsed": None if one.parsed is None else [shown(part) for part in one.parsed],
        "scores": [one.scores.get(metric) for metric in METRICS_OF[view.result.type]],
        "raises": short(one.raises),
    }


def _golden(golden: Any) -> Json:
    """Rows of a golden: name and text."""
    if not isinstance(golden, Mapping):
        return [["golden_result", shown(golden)]]
    return [[short(str(name), 60), shown(value)] for name, value in list(golden.items())[:12]]


def shown(value: Any) -> str:
    """Any JSON value as text: strings as they are."""
    if isinstance(value, str):
        return short(value)
    try:
        return short(json.dumps(value, ensure_ascii=False, indent=1))
    except (TypeError, ValueError, RecursionError):
        return "…"


def short(text: str, most: int = MOST_CHARS) -> str:
    """A text, or its head and its tail."""
    if len(text) <= most:
        return text
    tail = most // 4 if most == MOST_CHARS else 0
    cut = f" … [{len(text) - most:,}] … " if tail else "…"
    return text[: most - tail - (0 if tail else 1)] + cut + (text[-tail:] if tail else "")


def packed(items: list[Json]) -> str:
    """Deflated JSON in base64: browsers unpack it themselves."""
    # ASCII only: half a surrogate pair, which a model can write, stays a harmless escape.
    made = json.dumps(items, allow_nan=False).encode("ascii")
    return base64.b64encode(zlib.compress(made, 6)).decode("ascii")


def views(
    items: Iterable[Item], results: Iterable[ItemResult], predicted: Mapping[tuple[str, str], Any]
) -> Iterator[View]:
    """Items with their results and replies, in the order of the results; `predicted` goes by type and id."""
    by_key = {(item.type, str(item.id)): item for item in items}
    for result in results:
        key = (result.type, result.id)
        if key in by_key:
            yield View(by_key[key], result, predicted.get(key))


def views_of(items: Sequence[Item], predictions: Sequence[Prediction], spec: RunSpec) -> Iterator[View]:
    """The items of a run with their replies of the first repeat, and what these score. Blocking, as scoring is."""
    from evals.evaluations import evaluations
    from evals.running.predictions import model_predict, texts_of

    texts = texts_of(predictions)
    [evaluation] = evaluations(items, predictions, replace(spec, repeats=1))
    predicted: dict[tuple[str, str], Any] = {item.key: model_predict(item, texts.get(item.key, {})) for item in items}
    return views(items, evaluation.items, predicted)
