"""What is made of a whole run in the process that scores: the items for a viewer, and files for people."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.language import Lang
from evals.files import replace_file
from evals.kagentbench.items import Item
from evals.report.viewing import View, viewer
from evals.running.predictions import write_predictions
from evals.runs import Prediction

if TYPE_CHECKING:
    from evals.report.charts import Charts
    from evals.suites.cases import Case


def sheets(views: Iterator[View]) -> dict[str, Any]:
    """The viewer's data (`evals.report.viewing.viewer`) as JSON."""
    made: dict[str, Any] = viewer(views)
    return made


def official(path: Path, items: Mapping[tuple[str, str], Item], replies: Sequence[Prediction]) -> int:
    """Write a predictions file in the published format. How many lines it has; raises `OSError`."""
    return write_predictions(path, list(items.values()), replies)


def page(path: Path, given: Mapping[str, Any], views: Iterator[View], lang: Lang) -> int:
    """Write the one-file report. Its bytes; raises `OSError`, and ValueError for another version's summary.

    `given`: `summary`, `earlier` (a summary to compare with, or None), `manifest`, and `radar` and `bars` in base64
    (None where there are none).
    """
    from evals.report import compare, summary
    from evals.report.page import html

    read = summary.read(given["summary"])
    charts = _charts(given, lang)
    comparison = compare.compare(summary.read(given["earlier"]), read) if given["earlier"] else None
    made = html(read, lang, charts=charts, comparison=comparison, manifest=given["manifest"], views=views).encode()
    replace_file(path, [made], mode=0o600)
    return len(made)


def suite_page(
    path: Path, given: Mapping[str, Any], cases: Sequence[Case], replies: Sequence[Prediction], lang: Lang
) -> int:
    """The same for a run of a suite."""
    from evals.suites import summary
    from evals.suites.evaluating import answers_of
    from evals.suites.page import html
    from evals.suites.viewing import views

    read = summary.read(given["summary"])
    earlier = summary.read(given["earlier"]) if given["earlier"] else None
    shown = views(cases, read.evaluations[0].results, answers_of(replies))
    charts = _charts(given, lang)
    made = html(read, lang, charts=charts, earlier=earlier, manifest=given["manifest"], views=shown).encode()
    replace_file(path, [made], mode=0o600)
    return len(made)


def _charts(given: Mapping[str, Any], lang: Lang) -> Charts | None:
    from evals.report.charts import Charts

    if not given["bars"]:
        return None
    radar = base64.b64decode(given["radar"]) if given["radar"] else None
    return Charts(radar, base64.b64decode(given["bars"]), lang)
