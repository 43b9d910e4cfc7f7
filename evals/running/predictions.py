"""From the replies of a run to a predictions file in the published format."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.journal import Json
from evals.files import replace_file
from evals.running.asked import Asked
from evals.runs import Prediction

#: A prompt of a run: type, id as text, template, repeat.
Place = tuple[str, str, str, int]


def place_of(prediction: Prediction) -> Place:
    """Which prompt this replies to."""
    key = prediction.key
    return key.type, key.item, key.template, key.repeat


def latest(predictions: Iterable[Prediction]) -> dict[Place, Prediction]:
    """One reply per prompt: a run that is resumed asks again what failed, so there may be several. The last reply
    counts, and a failure only where there is none.
    """
    kept: dict[Place, Prediction] = {}
    for prediction in predictions:
        place = place_of(prediction)
        if place not in kept or not prediction.error or kept[place].error:
            kept[place] = prediction
    return kept


def texts_of(predictions: Iterable[Prediction], repeat: int = 0) -> dict[tuple[str, str], dict[str, str]]:
    """The replies of one repeat by item (`Asked.key`) and template. A model's failure is an empty text."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for (kind, item, template, time), prediction in latest(predictions).items():
        if time == repeat:
            found.setdefault((kind, item), {})[template] = prediction.text
    return found


def model_predict(item: Asked, replies: Mapping[str, str]) -> Json:
    """An item's `model_predict` of replies by template: a text for a profile or a case of a suite, else an object.
    None while nothing of it has been asked.
    """
    found = {template: replies[template] for template in item.prompts if template in replies}
    if not found:
        return None
    return next(iter(found.values())) if item.type in ("profile", "suite") else found


def prediction_lines(
    items: Iterable[Asked], predictions: Iterable[Prediction], repeat: int = 0
) -> Iterator[dict[str, Any]]:
    """The lines of a predictions file, in the order of the items: all fields of the item's line, and `model_predict`.

    Prompts that were not asked (yet) are left out, and items without any.
    """
    replies = texts_of(predictions, repeat)
    for item in items:
        predict = model_predict(item, replies.get(item.key, {}))
        if predict is not None:
            line = dict(item.raw) or {"type": item.type, "id": item.id, "query": item.query}
            yield {**line, "model_predict": predict}


def write_predictions(path: Path, items: Sequence[Asked], predictions: Iterable[Prediction], repeat: int = 0) -> int:
    """Write a predictions file, as a whole or not at all. How many lines it has. Blocking; raises `OSError`."""
    lines = [json_line(line) for line in prediction_lines(items, predictions, repeat)]
    replace_file(path, lines, mode=0o644)
    return len(lines)


def json_line(value: Mapping[str, Any]) -> bytes:
    """One line of a JSON-lines file. What a reply may hold and UTF-8 may not (half of a surrogate pair) is escaped."""
    try:
        return json.dumps(value, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:
        return json.dumps(value).encode() + b"\n"
