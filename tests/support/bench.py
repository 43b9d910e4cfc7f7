"""A desk of benchmarks for tests of everything else: it has the sample, and nothing runs what it begins."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from agent.clock import Clock
from bot.bench.beginning import Beginning
from bot.bench.desk import Bench
from bot.endpoints import Endpoints
from bot.store.db import Store
from evals.library import Library


def bench_desk(
    store: Store, clock: Clock, endpoints: Endpoints, folder: Path, outbounds: Mapping[str, object] | None = None
) -> Bench:
    """The desk, with data sets in `folder`/data."""
    beginning = Beginning(store, clock, Library(folder / "data"), endpoints.list, outbounds or {}, lambda: None)
    return Bench(beginning, ZoneInfo("UTC"))
