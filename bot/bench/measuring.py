"""One run from its first question to its summary: asked in this process, scored in another."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agent.clock import Clock
from agent.journal import Json
from agent.language import Text, TextError
from bot.bench import texts
from bot.bench.scoring import Scorer, ScoringFailed
from bot.exporting import code
from evals.runs import Prediction, Run, RunSpec, RunStore

if TYPE_CHECKING:
    from evals.kagentbench.data import DataError
    from evals.library import Library
    from evals.running.asked import Asked
    from evals.running.asking import Asker
    from evals.running.progress import Progress

log = logging.getLogger(__name__)

#: Seconds between two looks at the scores so far.
SCORE_EVERY: Final = 5.0


class RunFailed(TextError):
    """A run that can't be brought to its end; `text` says why, for people."""


@dataclass
class Standing:
    """Where a run stands, for its message and for `status`."""

    done: int = 0
    total: int = 0
    cached: int = 0
    failed: int = 0
    rate: float = 0.0
    left: float | None = None
    #: "" while it asks, then `scoring`; then, where there is a judge, `judging`.
    phase: str = ""
    #: Of the items that are scored so far.
    scores: Mapping[str, float | None] = field(default_factory=dict)
    scored: int = 0
    #: Replies that there were when the last attempt began, and the number of the last attempt that had more than the
    #: one before it.
    before: int = -1
    further: int = 0
    #: Attempts that ended with an error of ours.
    errors: int = 0

    @classmethod
    def of(cls, found: Json) -> Standing:
        """What `json` made."""
        known = found if isinstance(found, Mapping) else {}
        return cls(**{name: value for name, value in known.items() if name in cls.__dataclass_fields__})

    def json(self) -> dict[str, Any]:
        """As it is kept with the job."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def take(self, progress: Progress) -> None:
        """Note what the runner says."""
        for name in ("done", "total", "cached", "failed", "rate", "left"):
            setattr(self, name, getattr(progress, name))


@dataclass(frozen=True, slots=True)
class Measuring:
    """What runs are measured with."""

    library: Library
    asker: Callable[[str], Asker]
    clock: Clock
    score_every: float = SCORE_EVERY

    async def run(self, run: Run, runs: RunStore, standing: Standing) -> tuple[Mapping[str, Any], Json]:
        """Ask what is left to ask, and score: what belongs into the manifest, and the summary.

        Raises `RunFailed`, and what `runs` raises.
        """
        from evals.running import runner

        path, items = await self._items(run.spec)
        asker = self.asker(run.spec.model)
        pending = list(await runs.predictions(run.id))
        async with Scorer() as scorer:
            await _scoring(scorer.open(path, run.spec))
            asking = asyncio.create_task(
                runner.run(
                    run.spec,
                    items,
                    asker,
                    runs,
                    run.id,
                    watch=standing.take,
                    on_predictions=pending.extend,
                    clock=self.clock,
                    cache=not run.spec.fresh,
                ),
                name=f"ask for run {run.id}",
            )
            try:
                whole = await self._follow(asking, scorer, pending, standing)
                await asking
            except runner.EndpointDown as error:
                raise RunFailed(texts.MODEL_AWAY, why=Text(*(said.rstrip(".。") for said in error.text))) from error
            finally:
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
            standing.phase = "scoring"
            summary = await self._summary(scorer if whole else None, pending, path, run, runs)
        if run.spec.judge:
            standing.phase = "judging"
            summary = await self._judged(summary, items, run, runs)
        from evals.manifest import manifest_of

        made = partial(
            manifest_of, run.spec, model=asker.name, endpoint=asker.server, context_tokens=asker.context_tokens
        )
        return await asyncio.to_thread(made), summary

    async def _judged(self, summary: Json, items: Sequence[Any], run: Run, runs: RunStore) -> Json:
        """With the verdicts of a suite's judge, which is asked behind all chats, like the model."""
        from bot.bench import suites

        judge = self.asker(run.spec.judge)
        return await suites.with_judge(summary, items, await runs.predictions(run.id), judge)

    async def _items(self, spec: RunSpec) -> tuple[Path, Sequence[Asked]]:
        from evals.kagentbench.data import DataError, read_items, sha256_of
        from evals.running.selecting import select
        from evals.suites import read_suite

        def read() -> tuple[Path, Sequence[Asked]]:
            kept = self.library.find(spec.data.name)
            # The file itself, too: somebody may have put another one in its place.
            if kept is None or kept.data.sha256 != spec.data.sha256 or sha256_of(kept.path) != spec.data.sha256:
                raise RunFailed(texts.DATA_GONE, name=code(spec.data.name))
            if spec.data.kind == "suite":
                return kept.path, select(read_suite(kept.path), spec)
            return kept.path, select(read_items(kept.path, partial=True), spec)

        try:
            path, items = await asyncio.to_thread(read)
        except DataError as error:
            raise RunFailed(without_path(error, spec.data.name)) from error
        except OSError as error:
            log.warning("a data set can't be read: %s", error)
            raise RunFailed(texts.DATA_GONE, name=code(spec.data.name)) from error
        if not items:
            raise RunFailed(texts.NOTHING_LEFT)
        return path, items

    async def _follow(
        self, asking: asyncio.Task[Any], scorer: Scorer, pending: list[Prediction], standing: Standing
    ) -> bool:
        """Score what comes in until all is asked; whether the scorer has everything but what is pending."""
        whole = True
        while not asking.done():
            await asyncio.wait({asking}, timeout=self.score_every)
            if not pending or not whole:
                continue
            taken = list(pending)
            try:
                found = await scorer.add(taken)
            except ScoringFailed as error:
                # At the end it is tried once more, from the start.
                log.warning("no scores so far: %s", error)
                whole = False
            else:
                del pending[: len(taken)]
                standing.scores, standing.scored = found["scores"], found["items"]
        return whole

    async def _summary(
        self, scorer: Scorer | None, pending: Sequence[Prediction], path: Path, run: Run, runs: RunStore
    ) -> Json:
        try:
            if scorer is not None:
                await scorer.add(pending)
                return await scorer.finish()
        except ScoringFailed as error:
            log.warning("scoring again: %s", error)
        async with Scorer() as another:
            await _scoring(another.open(path, run.spec))
            await _scoring(another.add(await runs.predictions(run.id)))
            return await _scoring(another.finish())


def without_path(error: DataError, name: str) -> Text:
    """What is wrong with a data set, for a chat: people know it by its name, and its file's place is the server's."""
    return Text(*(said.replace(str(error.path), code(name)) for said in error.text))


async def _scoring(call: Any) -> Any:
    try:
        return await call
    except ScoringFailed as error:
        log.exception("a run could not be scored")
        raise RunFailed(texts.NOT_SCORED) from error
