"""Which run before it a run is best compared with."""

from __future__ import annotations

from collections.abc import Sequence

from evals.runs import Run


def earlier_than(run: Run, found: Sequence[Run]) -> Run | None:
    """Of these, the newest first: the last one over the same data before this run that has numbers, rather by the same
    model, rather one that asked the same; None where there is none.
    """
    before = [
        one
        for one in found
        if one.started_at < run.started_at and one.summary is not None and one.spec.data.sha256 == run.spec.data.sha256
    ]
    # `max` takes the first of equals, which is the newest.
    return max(before, key=lambda one: (one.spec.model == run.spec.model, alike(one, run)), default=None)


def alike(a: Run, b: Run) -> bool:
    """Whether two runs over the same data asked about the same items and prompts."""
    chosen = [(run.spec.types, run.spec.templates, run.spec.langs, run.spec.limit, run.spec.seed) for run in (a, b)]
    return chosen[0] == chosen[1]
