"""What is kept of every reply of a run, packed: enough for intervals and for comparing two runs reply by reply."""

from __future__ import annotations

import base64
import math
import zlib
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from agent.journal import Json
from agent.language import Lang
from evals.kagentbench.items import METRICS_OF, TEMPLATES, Metric, Type
from evals.kagentbench.results import ItemResult, TemplateResult

#: Bytes that name an item: enough that no two of some thousand share them.
_NAME = 8
_NOTHING = math.nan

#: Replies to one item with one template that are counted at most: the repeats of a run.
_MOST = 255
#: Templates with columns of their own; predictions may name any number, and each costs room in tables.
_MOST_TEMPLATES = 12
#: Where the others are counted.
OTHERS = "…"


@dataclass(slots=True)
class TemplateColumns:
    """One template of one type, item by item; all arrays are as long as the type has items."""

    #: Mean over the repeats, 0 to 1; NaN where the item has no reply with this template.
    scores: dict[Metric, array[float]]
    #: Replies, 0 or 1 per repeat; and of these, how many:
    replies: array[int]
    unreadable: array[int]
    #: have a tool at all to be right or wrong about, and the right one.
    tools: array[int]
    right: array[int]
    raised: array[int]


@dataclass(slots=True)
class Columns:
    """All items of one type."""

    type: Type
    #: `item_name` of each item, the same in every run over the same data.
    names: list[bytes] = field(default_factory=list)
    #: Which query each belongs to, counted from 0: `_query` says which items share one.
    queries: array[int] = field(default_factory=lambda: array("I"))
    langs: list[Lang] = field(default_factory=list)
    #: Of the item, as the scorer has it: the mean over its templates and, here, over the repeats.
    scores: dict[Metric, array[float]] = field(default_factory=dict)
    #: Items that the published scorer would have died on as a whole.
    raised: int = 0
    templates: dict[str, TemplateColumns] = field(default_factory=dict)


def item_name(item: ItemResult) -> bytes:
    """Names an item by its type, id and query, so that an id that now means another question is another item."""
    text = f"{item.type}\0{item.id}\0{item.query}"
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_NAME).digest()


def columns_of(kind: Type, repeats: Sequence[Iterable[ItemResult]]) -> Columns:
    """The items of one type, from an evaluation per repeat; items of other types are passed over."""
    found: dict[bytes, list[ItemResult]] = {}
    for items in repeats:
        for item in items:
            if item.type == kind:
                found.setdefault(item_name(item), []).append(item)
    columns = Columns(kind, scores={metric: array("f") for metric in METRICS_OF[kind]})
    numbers: dict[str, int] = {}
    groups = list(found.values())
    for group in groups:
        first = group[0]
        columns.names.append(item_name(first))
        columns.queries.append(numbers.setdefault(_query(first), len(numbers)))
        columns.langs.append(first.lang)
        columns.raised += sum(bool(item.raises) for item in group)
        for metric, scores in columns.scores.items():
            scores.append(_mean([item.scores[metric] for item in group if metric in item.scores]))
    names = _names(one.template for group in groups for item in group for one in item.templates)
    for name in dict.fromkeys(names.values()):
        per_item = [
            [one for item in group for one in item.templates if names[one.template] == name] for group in groups
        ]
        columns.templates[name] = _template(kind, per_item)
    return columns


def _query(item: ItemResult) -> str:
    """What makes two items one question: the same text. "Who are you?" to another character is another question."""
    text = item.query.strip()
    return text if text and item.type != "profile" else f"\0{item.id}"


def _names(templates: Iterable[str]) -> dict[str, str]:
    """Under which name each template is kept: its own, unless a file has absurdly many."""
    seen = Counter(templates)
    own = {name for name in TEMPLATES if name in seen} | {name for name, _ in seen.most_common(_MOST_TEMPLATES)}
    order = [name for name in TEMPLATES if name in own] + [name for name in seen if name not in TEMPLATES]
    return {name: name if name in own else OTHERS for name in order}


def _template(kind: Type, per_item: Sequence[Sequence[TemplateResult]]) -> TemplateColumns:
    def count(of: Sequence[TemplateResult]) -> int:
        return min(_MOST, len(of))

    return TemplateColumns(
        scores={
            metric: array(
                "f", [_mean([one.scores[metric] for one in ones if metric in one.scores]) for ones in per_item]
            )
            for metric in METRICS_OF[kind]
        },
        replies=array("B", map(count, per_item)),
        unreadable=array("B", [count([one for one in ones if one.unreadable]) for ones in per_item]),
        tools=array("B", [count([one for one in ones if one.right_tool is not None]) for ones in per_item]),
        right=array("B", [count([one for one in ones if one.right_tool]) for ones in per_item]),
        raised=array("B", [count([one for one in ones if one.raises]) for ones in per_item]),
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else _NOTHING


def pack(columns: Columns) -> Json:
    """As JSON; `unpack` reads it. Some 40 bytes per item with five templates."""
    return {
        "items": len(columns.names),
        "names": _packed(b"".join(columns.names)),
        "queries": _packed(columns.queries),
        "langs": "".join("z" if lang == "zh" else "e" for lang in columns.langs),
        "scores": {metric: _packed(scores) for metric, scores in columns.scores.items()},
        "raised": columns.raised,
        "templates": {
            name: {
                "scores": {metric: _packed(scores) for metric, scores in one.scores.items()},
                "counts": _packed(b"".join(bytes(part) for part in _counts(one))),
            }
            for name, one in columns.templates.items()
        },
    }


def unpack(kind: Type, packed: Json) -> Columns:
    """What `pack` packed. Raises ValueError or KeyError for anything else."""
    items = int(packed["items"])
    names = _bytes(packed["names"])
    if len(names) != items * _NAME:
        raise ValueError("names of different lengths")
    columns = Columns(
        kind,
        names=[names[start : start + _NAME] for start in range(0, items * _NAME, _NAME)],
        queries=_numbers(packed["queries"]),
        langs=["zh" if letter == "z" else "en" for letter in packed["langs"]],
        scores={metric: _floats(packed["scores"][metric]) for metric in METRICS_OF[kind]},
        raised=int(packed["raised"]),
    )
    for name, one in packed["templates"].items():
        counts = _bytes(one["counts"])
        if len(counts) != 5 * items:
            raise ValueError("counts of another length")
        parts = [array("B", counts[start : start + items]) for start in range(0, 5 * items, items)] if items else []
        scores = {metric: _floats(one["scores"][metric]) for metric in METRICS_OF[kind]}
        columns.templates[name] = TemplateColumns(scores, *(parts or [array("B") for _ in range(5)]))
    lengths = {len(columns.names), len(columns.queries), len(columns.langs), *map(len, columns.scores.values())}
    if lengths | {len(scores) for one in columns.templates.values() for scores in one.scores.values()} != {items}:
        raise ValueError("columns of different lengths")
    return columns


def _counts(one: TemplateColumns) -> tuple[array[int], ...]:
    return one.replies, one.unreadable, one.tools, one.right, one.raised


def _packed(values: array[float] | array[int] | bytes) -> str:
    # Little-endian, as every machine that this runs on is; `unpack` notices wrong lengths, not wrong order.
    return base64.b64encode(zlib.compress(bytes(values), 6)).decode()


def _bytes(packed: str) -> bytes:
    try:
        return zlib.decompress(base64.b64decode(packed, validate=True))
    except zlib.error as error:
        raise ValueError("not a packed column") from error


def _floats(packed: str) -> array[float]:
    found = array("f")
    found.frombytes(_bytes(packed))
    return found


def _numbers(packed: str) -> array[int]:
    found = array("I")
    found.frombytes(_bytes(packed))
    return found
