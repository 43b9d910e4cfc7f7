"""The process that scores, counts and compares, so that the server's own never does: `python -m bot.bench.figures`.

It reads requests on its standard input and answers each on its standard output (`bot.bench.framing`); it ends when its
input does, so it can't outlive the server. Whatever a hostile reply does to a scorer, it does here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from bot.bench import comparing
from bot.bench.framing import message, prediction_of, read_message
from evals.kagentbench.items import TYPES, Item, Type
from evals.kagentbench.results import ItemResult
from evals.running.predictions import latest, model_predict
from evals.runs import Prediction, RunSpec, spec_of

if TYPE_CHECKING:
    from bot.bench.suites import Checking
    from evals.report.viewing import View

#: What this process leaves to the server (nice(1)).
_NICE: Final = 10


class Figures:
    """The scores of one run, as its replies come in."""

    def __init__(self) -> None:
        self._spec: RunSpec | None = None
        self._items: dict[tuple[str, str], Item] = {}
        self._predictions: list[Prediction] = []
        #: Texts of the first repeat, by item and template; items in it have not been scored.
        self._coming: dict[tuple[str, str], dict[str, str]] = {}
        self._scored: list[ItemResult] = []
        #: Of a run of a suite, which has no scores.
        self._checking: Checking | None = None

    def open(self, path: str, spec: Mapping[str, Any]) -> int:
        """Read the items of a run; how many there are."""
        from evals.kagentbench.data import read_items
        from evals.running.selecting import select

        self._spec = spec_of(spec)
        if self._spec.data.kind == "suite":
            return self._open_suite(Path(path), self._spec)
        chosen = select(read_items(Path(path), partial=True), self._spec)
        self._items = {item.key: item for item in chosen}
        return len(self._items)

    def _open_suite(self, path: Path, spec: RunSpec) -> int:
        from bot.bench.suites import Checking
        from evals.running.selecting import select
        from evals.suites import read_suite

        cases = select(read_suite(path), spec)
        self._checking = Checking(cases, spec)
        return len(cases)

    def add(self, predictions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Take replies; the scores of the items that all their templates have a reply of, or a suite's pass rate."""
        if self._checking is not None:
            return self._checking.add(self._taken(predictions))
        from evals.kagentbench.score import score_items, total

        for one in self._taken(predictions):
            item = self._items.get((one.key.type, one.key.item))
            if item is not None and one.key.repeat == 0:
                self._coming.setdefault(item.key, {})[one.key.template] = one.text
        whole = [key for key, texts in self._coming.items() if texts.keys() >= self._items[key].prompts.keys()]
        pairs = [(self._items[key], model_predict(self._items[key], self._coming.pop(key))) for key in whole]
        self._scored += score_items(pairs)
        found = total(self._scored, _counts(self._scored), complete=False)
        return {"scores": dict(found.scores), "items": len(self._scored)}

    def finish(self) -> dict[str, Any]:
        """The summary of all replies."""
        from evals.evaluations import evaluations
        from evals.report.summary import summary_of

        if self._spec is None:
            raise RuntimeError("no run is open")
        replies = list(latest(self._predictions).values())
        if self._checking is not None:
            return {"summary": self._checking.finish(replies)}
        found = evaluations(list(self._items.values()), replies, self._spec)
        return {"summary": summary_of(found, self._spec, predictions=replies)}

    def take(self, predictions: Sequence[Mapping[str, Any]]) -> int:
        """Take replies without scoring them now; how many there are."""
        self._taken(predictions)
        return len(self._predictions)

    def sheets(self) -> dict[str, Any]:
        """Every item with what was said to it, for a viewer."""
        from bot.bench import sheets

        return sheets.sheets(self._views())

    def official(self, path: str) -> int:
        """Write all replies as an official predictions file; its lines."""
        from bot.bench import sheets

        return sheets.official(Path(path), self._items, self._predictions)

    def page(self, path: str, given: Mapping[str, Any], lang: Any) -> int:
        """Write the report as one HTML file (`bot.bench.sheets.page`); its bytes."""
        from bot.bench import sheets

        if self._checking is not None:
            return sheets.suite_page(Path(path), given, self._checking.cases, self._predictions, lang)
        return sheets.page(Path(path), given, self._views(), lang)

    def _taken(self, predictions: Sequence[Mapping[str, Any]]) -> list[Prediction]:
        made = [prediction_of(one) for one in predictions]
        self._predictions += made
        return made

    def _views(self) -> Iterator[View]:
        from evals.report.viewing import views_of

        if self._spec is None or self._checking is not None:
            raise RuntimeError("no run of a benchmark is open")
        return views_of(list(self._items.values()), self._predictions, self._spec)

    def compare(self, a: Any, b: Any, lang: Any) -> dict[str, Any]:
        """Two runs side by side, as Markdown. Of summaries, as `finish` gives them."""
        return {"markdown": comparing.side_by_side(a, b, lang)}

    def difference(self, a: Any, b: Any, lang: Any) -> dict[str, Any]:
        """What has changed from one run to another, in words."""
        return {"markdown": comparing.change(a, b, lang)}


def _counts(items: Sequence[ItemResult]) -> dict[Type, int]:
    return {kind: sum(one.type == kind for one in items) for kind in TYPES}


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer requests until there are no more. What goes wrong is an answer, too."""
    figures = Figures()
    while (request := read_message(source)) is not None:
        call: Callable[..., Any] = getattr(figures, request["call"])
        try:
            answer = {"value": call(**request["given"])}
        except Exception as error:  # noqa: BLE001 - told to whoever asked, who decides
            answer = {"error": f"{type(error).__name__}: {error}"[:500]}
        sink.write(message(answer))
        sink.flush()


if __name__ == "__main__":
    os.nice(_NICE)
    serve(sys.stdin.buffer, sys.stdout.buffer)
