"""The operations of the JSON API about benchmarks."""

from __future__ import annotations

from typing import Final

from adapters.web import models_bench as models
from adapters.web.operation import Operation

_BENCH: Final = "/api/v1/bench"
_RUN: Final = _BENCH + "/runs/{run_id}"

BENCH: Final[tuple[Operation, ...]] = (
    Operation(
        "list_runs",
        "GET",
        _BENCH + "/runs",
        "Runs of benchmarks, the newest first, and how far those are that go on",
        200,
        models.BenchRuns,
        query=models.BenchRunsQuery,
    ),
    Operation(
        "start_run",
        "POST",
        _BENCH + "/runs",
        "Measure a model; one run per model goes on at a time",
        202,
        models.BenchBegun,
        body=models.BenchOrder,
    ),
    Operation("show_run", "GET", _RUN, "A run and its numbers", 200, models.BenchReport),
    Operation("cancel_run", "POST", _RUN + "/cancel", "End a run; its replies are kept", 204),
    Operation("delete_run", "DELETE", _RUN, "Delete a run that is over, with its replies, for good", 204),
    Operation(
        "draw_run",
        "GET",
        _RUN + "/charts/{chart}",
        "A chart of a run",
        200,
        query=models.LanguageQuery,
        media="image/png",
    ),
    Operation(
        "list_items",
        "GET",
        _RUN + "/items",
        "Items of a run that is over",
        200,
        models.BenchItems,
        query=models.BenchItemsQuery,
    ),
    Operation(
        "show_item",
        "GET",
        _RUN + "/items/{place}",
        "An item: prompts, replies, what was read in them, goldens, scores",
        200,
        models.BenchItemTexts,
    ),
    Operation(
        "download_predictions",
        "GET",
        _RUN + "/predictions",
        "The replies of a run as an official predictions file",
        200,
        media="application/jsonl",
    ),
    Operation(
        "download_report",
        "GET",
        _RUN + "/report",
        "The report of a run as one HTML file",
        200,
        query=models.LanguageQuery,
        media="text/html",
    ),
    Operation(
        "compare_runs",
        "GET",
        _BENCH + "/comparison",
        "What changed from one run to another",
        200,
        models.BenchTables,
        query=models.BenchCompareQuery,
    ),
    Operation(
        "show_leaderboard",
        "GET",
        _BENCH + "/leaderboard",
        "Best and last run of each model over a data set",
        200,
        models.BenchTables,
        query=models.BenchBoardQuery,
    ),
    Operation(
        "list_choices",
        "GET",
        _BENCH + "/choices",
        "Models and data sets that a run may have",
        200,
        models.BenchChoices,
    ),
    Operation(
        "list_schedules", "GET", _BENCH + "/schedules", "What is measured every week", 200, models.BenchSchedules
    ),
    Operation(
        "add_schedule",
        "POST",
        _BENCH + "/schedules",
        "Measure a model every week from now on",
        204,
        body=models.BenchOrder,
    ),
    Operation("delete_schedule", "DELETE", _BENCH + "/schedules/{schedule_id}", "Measure it every week no longer", 204),
)
