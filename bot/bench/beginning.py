"""From what somebody wants to have run to a run with its job, or to the sentence that says why not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol

from sqlalchemy import Connection

from agent.clock import Clock
from agent.language import Lang, TextError
from bot.bench import jobs, texts
from bot.bench.jobs import Order
from bot.bench.measuring import without_path
from bot.bench.words import Wanted
from bot.exporting import code
from bot.messages import Target
from bot.ports import Finds, Health, NoPlace
from bot.posting import Ambiguous, Refused, RetryLater
from bot.store import bench
from bot.store.bench import Origin
from bot.store.db import Store
from evals.runs import Run, RunSpec, Sampling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.library import Kept, Library

log = logging.getLogger(__name__)

#: Names that a sentence lists at most.
_SHOWN: Final = 20


class Refusal(TextError):
    """It is not begun; `text` says why, and what to do."""


class Served(Protocol):
    """An endpoint as people see it (`bot.endpoint_views.EndpointView`)."""

    @property
    def name(self) -> str: ...

    @property
    def model(self) -> str | None: ...

    @property
    def health(self) -> Health: ...


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that may begin."""

    spec: RunSpec
    #: What of a model may be measured at a time: its own name where it is known.
    key: str
    #: Whether checks stay undecided because no judge was named.
    needs_judge: bool = False


@dataclass(frozen=True, slots=True)
class Beginning:
    """Begins runs."""

    store: Store
    clock: Clock
    library: Library
    #: The endpoints, best first.
    endpoints: Callable[[Lang], Sequence[Served]]
    outbounds: Mapping[str, object]
    #: A job was queued: look now.
    look: Callable[[], None]

    async def prepare(self, wanted: Wanted, lang: Lang) -> Prepared:
        """What is to be asked of whom. Raises `Refusal`."""
        served = self._served(wanted.model, lang)
        kept = await self.data(wanted.data)
        needs_judge = await self._suited(wanted, kept, lang)
        spec = RunSpec(
            kept.data,
            wanted.model or served.name,
            types=wanted.types,
            templates=wanted.templates,
            langs=wanted.langs,
            limit=wanted.limit,
            seed=wanted.seed,
            preset=wanted.preset,
            sampling=Sampling(),
            constrained=wanted.constrained,
            fresh=wanted.fresh,
            reasoning=wanted.reasoning,
            repeats=wanted.repeats,
            judge=wanted.judge,
        )
        return Prepared(spec, served.model or served.name, needs_judge and not wanted.judge)

    async def _suited(self, wanted: Wanted, kept: Kept, lang: Lang) -> bool:
        """Whether a judge is needed. Raises `Refusal` for what makes no sense for this data."""
        from evals.kagentbench.data import DataError

        if kept.data.kind == "suite" and (wanted.types or wanted.templates):
            raise Refusal(texts.NO_TYPES, name=code(kept.data.name))
        try:
            needs = kept.data.kind == "suite" and await asyncio.to_thread(_needs_judge, kept)
        except DataError as error:
            raise Refusal(without_path(error, kept.data.name)) from error
        if wanted.judge and not needs:
            raise Refusal(texts.NO_JUDGING, name=code(kept.data.name))
        if wanted.judge:
            self._served(wanted.judge, lang)
        return needs

    async def begin(self, prepared: Prepared, order: Order, origin: Origin) -> tuple[Run, Run | None]:
        """Begin it: the run, and the one that it has to wait for. Raises `Busy`."""

        def change(connection: Connection) -> tuple[Run, Run | None]:
            return self.begin_in(connection, prepared, order, origin, self.clock.now())

        begun = await self.store.write(change)
        self.look()
        return begun

    def begin_in(
        self, connection: Connection, prepared: Prepared, order: Order, origin: Origin, now: datetime
    ) -> tuple[Run, Run | None]:
        """The same in a transaction, which has to be given up when this raises `Busy`; `look` comes after it."""
        ahead = bench.with_job(connection)
        run = jobs.begin(connection, prepared.spec, prepared.key, order, origin, now)
        return run, ahead[0][0] if ahead else None

    def writes_in(self, target: Target) -> bool:
        """Whether jobs write on this platform at all."""
        return isinstance(self.outbounds.get(target.platform), Finds)

    async def reach(self, target: Target) -> bool:
        """Whether jobs can write in a place. Raises `Refusal` where they could, but for what the platform says."""
        outbound = self.outbounds.get(target.platform)
        if not isinstance(outbound, Finds):
            return False
        try:
            await outbound.reach(target)
        except NoPlace as error:
            raise Refusal(error.text) from error
        except (Refused, Ambiguous, RetryLater) as error:
            # It will be tried when there is something to say.
            log.info("nobody knows whether a report can be given in %s: %s", target.channel, error)
        return True

    async def data(self, name: str) -> Kept:
        """The data set of this name, by default our sample. Raises `Refusal`."""
        from evals.kagentbench.sample import SAMPLE_NAME

        def find() -> tuple[Kept | None, Sequence[str]]:
            found = self.library.find(name or SAMPLE_NAME)
            return found, () if found is not None else self.library.names()

        try:
            kept, known = await asyncio.to_thread(find)
        except OSError as error:
            raise Refusal(texts.NO_FOLDER, why=error.strerror or type(error).__name__) from error
        if kept is None:
            raise Refusal(texts.NO_DATA, name=code(name), known=_list(known))
        return kept

    def _served(self, name: str, lang: Lang) -> Served:
        served = self.endpoints(lang)
        named = [one for one in served if one.name == name] or [one for one in served if name and one.model == name]
        meant = named or ([] if name else [one for one in served if one.health.state != "down"] or list(served))
        if not meant:
            known = dict.fromkeys(word for one in served for word in (one.name, one.model) if word)
            raise Refusal(texts.NO_MODEL, name=code(name), known=_list(list(known)))
        best = next((one for one in meant if one.health.state != "down"), meant[0])
        if best.health.state == "down":
            raise Refusal(texts.DOWN, model=code(best.name), why=best.health.detail)
        return best


def _needs_judge(kept: Kept) -> bool:
    from evals.suites import read_suite
    from evals.suites.cases import asks_a_judge

    return asks_a_judge(read_suite(kept.path))


def _list(names: Sequence[str]) -> str:
    return ", ".join(code(name) for name in names[:_SHOWN]) or "–"
