"""Asks a model everything that a run asks, at the pace that its server takes; what is done is kept at once."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from agent.clock import Clock, SystemClock
from agent.llm.chat import ModelError
from evals.running.asked import Asked
from evals.running.asking import Asker, Reply
from evals.running.keeping import Keeper
from evals.running.pace import Pace, Ticket
from evals.running.progress import Meter, Progress
from evals.running.selecting import select
from evals.running.trying import DOUBTFUL, MOST_DOUBTFUL, OF_SERVER, TRIES, EndpointDown, Health, back_off
from evals.running.work import Call, Maker, Prompt, of_cache, prompts_of, replied
from evals.runs import Prediction, RunSpec, RunStore

__all__ = ["EndpointDown", "Progress", "run"]

#: Seconds between two calls of `watch`.
WATCH_S: Final = 0.5
#: Prompts that are made ready (cut, looked up) at a time, and how many of them side by side.
_AHEAD: Final = 32
_AT_ONCE: Final = 8
#: Seconds without a single success, after a failure, until the endpoint is down.
PATIENCE_S: Final = 60.0


async def run(
    spec: RunSpec,
    items: Sequence[Asked],
    asker: Asker,
    store: RunStore,
    run_id: str,
    *,
    watch: Callable[[Progress], None] | None = None,
    on_predictions: Callable[[Sequence[Prediction]], None] | None = None,
    clock: Clock | None = None,
    patience: float = PATIENCE_S,
    pace: Pace | None = None,
    cache: bool = True,
) -> Progress:
    """Ask all that this run has no reply for yet, and return when all of it is kept.

    `items` may be the whole file: what `spec` leaves out is not asked. A run goes on where it was left: what the store
    has a reply to is not asked again; what failed is. With `cache`, replies of earlier runs to the very same call are
    taken over. A prompt that the model fails at for good is kept with its fault, and the run goes on.

    `watch` is called at most every `WATCH_S` seconds, and at the end. `on_predictions` is called with what has just
    been kept. Both must be quick, for nothing else happens meanwhile.

    When the process is killed, everything is kept but the calls under way; as such count the replies of the last
    moment, at most `keeping.MOST_WAITING` of them, that were on their way into the store. When it is cancelled, calls
    under way are ended, and all replies are kept before `CancelledError` is raised.

    Raises `EndpointDown` when nothing has succeeded for `patience` seconds, when the key is refused, and when
    everything is; and whatever the store raises. What was done is kept then, too.
    """
    clock = clock or SystemClock()
    chosen = select(items, spec)
    health = Health(patience)
    await _ready(asker, health, clock)
    prompts = list(prompts_of(chosen, spec))
    earlier = await store.predictions(run_id)
    # Hashes of all prompts that were asked: not on the loop.
    done = await asyncio.to_thread(replied, prompts, earlier, asker.name)
    meter = Meter(len(prompts), clock.monotonic())
    for prediction in done.values():
        meter.earlier(prediction)
    work = deque(prompt for prompt in prompts if prompt.place not in done)
    asking = _Asking(
        spec, asker, store, run_id, clock, health, meter, pace or Pace(), work, watch, on_predictions, cache
    )
    return await asking.run()


async def _ready(asker: Asker, health: Health, clock: Clock) -> None:
    """Find out what the server is, with patience."""
    chance, tries = random.Random(), 0
    while True:
        try:
            return await asker.ready()
        except ModelError as error:
            tries += 1
            health.failed(clock.monotonic())
            if error.fault not in OF_SERVER or health.is_down(clock.monotonic(), None):
                raise EndpointDown(error) from None
            await clock.sleep(back_off(error, tries, chance))


@dataclass(slots=True)
class _Try:
    """A call that waits for its next try."""

    call: Call
    #: Tries that count: those that failed while others succeeded.
    tries: int = 0
    #: All of them.
    all_tries: int = 0
    not_before: float = 0.0
    #: What the server had answered when it was tried last.
    answers: int = -1
    shortened: bool = False


@dataclass(eq=False)
class _Asking:
    """One run under way."""

    spec: RunSpec
    asker: Asker
    store: RunStore
    run_id: str
    clock: Clock
    health: Health
    meter: Meter
    pace: Pace
    #: What is not made ready yet.
    work: deque[Prompt]
    watch: Callable[[Progress], None] | None
    on_predictions: Callable[[Sequence[Prediction]], None] | None
    cache: bool
    chance: random.Random = field(default_factory=random.Random)
    #: Ready to be asked.
    _fresh: deque[_Try] = field(default_factory=deque)
    #: Failed, and to be tried again.
    _again: list[_Try] = field(default_factory=list)
    _under_way: dict[asyncio.Task[None], Ticket] = field(default_factory=dict)
    #: Failures of a kind that may be everybody's: kept when somebody succeeds.
    _doubtful: list[Prediction] = field(default_factory=list)
    #: What ends the run.
    _failure: BaseException | None = None
    _last_error: ModelError | None = None
    _all_ready: bool = False

    def __post_init__(self) -> None:
        self._maker = Maker(self.spec, self.asker)
        #: Something has ended, or is ready, or is kept.
        self._changed = asyncio.Event()
        #: More should be made ready.
        self._hungry = asyncio.Event()
        self._keeper = Keeper(self.store, self.run_id, self.clock, self._on_kept)

    async def run(self) -> Progress:
        """All of it."""
        feeding = asyncio.create_task(self._feed())
        feeding.add_done_callback(self._note)
        watching = asyncio.create_task(self._watch())
        watching.add_done_callback(self._note)
        try:
            await self._ask_all()
            self._settle()
        except asyncio.CancelledError:
            self._doubtful.clear()
            raise
        finally:
            watching.cancel()
            feeding.cancel()
            for task in self._under_way:
                task.cancel()
            try:
                await asyncio.gather(feeding, watching, *self._under_way, return_exceptions=True)
            finally:
                # Even when it is cancelled once more meanwhile: what has come is to be kept.
                await self._keeper.close()
        if self._failure or self._keeper.error:
            raise self._failure or self._keeper.error or RuntimeError("it ended without a reason")
        progress = self._progress()
        if self.watch is not None:
            self.watch(progress)
        return progress

    async def _ask_all(self) -> None:
        """Start calls as the pace allows until there is nothing left, or no sense in going on."""
        while self._failure is None and self._keeper.error is None:
            now = self.clock.monotonic()
            wait = None if self._keeper.full else self.pace.wait(now)
            due = self._next(now) if wait == 0 else None
            if due is not None:
                self._start(due, now)
                continue
            if self._all_ready and not (self._fresh or self._again or self._under_way):
                return
            times = [one.not_before - now for one in self._again] if wait == 0 else []
            if wait:
                times.append(wait)
            await self._until_changed(min(times) if times else None)

    def _next(self, now: float) -> _Try | None:
        """What failed goes first, as soon as its time has come: its prompt is still in the server's cache."""
        due = min(self._again, key=lambda one: one.not_before, default=None)
        if due is not None and due.not_before <= now:
            self._again.remove(due)
            return due
        self._hungry.set()
        return self._fresh.popleft() if self._fresh else None

    async def _until_changed(self, seconds: float | None) -> None:
        self._changed.clear()
        if seconds is None:
            await self._changed.wait()
            return
        pause = asyncio.ensure_future(self.clock.sleep(max(0.0, seconds)))
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait((pause, changed), return_when=asyncio.FIRST_COMPLETED)
        finally:
            pause.cancel()
            changed.cancel()

    def _start(self, one: _Try, now: float) -> None:
        one.all_tries += 1
        ticket = self.pace.start(now)
        task = asyncio.create_task(self._ask(one, ticket))
        self._under_way[task] = ticket
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]
        self._note(task)

    def _note(self, task: asyncio.Task[None]) -> None:
        """What a task of ours raised ends the run."""
        error = None if task.cancelled() else task.exception()
        if error is not None and self._failure is None:
            self._failure = error
        self._changed.set()

    async def _ask(self, one: _Try, ticket: Ticket) -> None:
        try:
            reply = await self.asker.ask(one.call.question)
        except ModelError as error:
            self._failed(one, ticket, error)
            if error.fault == "context_overflow" and not one.shortened:
                await self._shorten(one, error)
        except BaseException:
            self.pace.withdrawn(ticket, self.clock.monotonic())
            raise
        else:
            self.pace.replied(ticket, self.clock.monotonic())
            self._answered()
            self._keeper.keep([_kept(one.call, reply)])

    def _failed(self, one: _Try, ticket: Ticket, error: ModelError) -> None:
        now = self.clock.monotonic()
        self._last_error = error
        if error.fault in OF_SERVER:
            self.pace.refused(ticket, now, error.fault, error.retry_after)
            self.health.failed(now)
        else:
            self.pace.replied(ticket, now)
        if error.fault == "unauthorized":
            self._failure = EndpointDown(error)
            return
        if error.fault == "context_overflow":
            self._answered()
            if one.shortened:
                self._keeper.keep([_failed(one.call, error)])
            return
        # A server that is away fails everybody: that is no try of the call's own.
        if error.fault not in OF_SERVER or self.health.answers > one.answers:
            one.tries += 1
        one.answers = self.health.answers
        oldest = min((other.started for other in self._under_way.values() if other is not ticket), default=None)
        if self.health.is_down(now, oldest):
            if self.health.answers and self._is_last(one):
                # Everybody else was answered: it is the prompt.
                self._give_up(one.call, error)
            else:
                self._failure = EndpointDown(error)
        elif one.tries >= TRIES.get(error.fault, 1):
            self._give_up(one.call, error)
        else:
            one.not_before = now + back_off(error, one.all_tries, self.chance)
            self._again.append(one)

    async def _shorten(self, one: _Try, error: ModelError) -> None:
        shorter = await self._maker.shorter(one.call)
        if shorter is None:
            self._keeper.keep([_failed(one.call, error)])
            return
        one.call, one.shortened = shorter, True
        self._again.append(one)

    def _give_up(self, call: Call, error: ModelError) -> None:
        failed = _failed(call, error)
        if error.fault not in DOUBTFUL:
            self._keeper.keep([failed])
            return
        self._doubtful.append(failed)
        if len(self._doubtful) >= MOST_DOUBTFUL:
            self._failure = EndpointDown(error)

    def _answered(self) -> None:
        """The server does what it is there for."""
        self.health.answered()
        if self._doubtful:
            self._keeper.keep(self._doubtful)
            self._doubtful = []

    def _settle(self) -> None:
        """All is asked: what is to be said of failures that may have been everybody's."""
        if not self._doubtful or self._failure is not None:
            return
        if self.health.answers or self._last_error is None:
            self._keeper.keep(self._doubtful)
        else:
            self._failure = EndpointDown(self._last_error)

    def _is_last(self, one: _Try) -> bool:
        return self._all_ready and not (self._fresh or self._again) and len(self._under_way) == 1

    async def _feed(self) -> None:
        """Make prompts ready, some ahead of their time."""
        while self.work:
            while len(self._fresh) >= _AHEAD + self.pace.limit or self._keeper.full:
                self._hungry.clear()
                await self._hungry.wait()
            prompts = [self.work.popleft() for _ in range(min(_AHEAD, len(self.work)))]
            calls = await self._made(prompts)
            found = await self.store.cached([call.key.digest for call in calls]) if self.cache else {}
            self._keeper.keep([of_cache(found[call.key.digest], call) for call in calls if call.key.digest in found])
            self._fresh += [_Try(call) for call in calls if call.key.digest not in found]
            self._changed.set()
        self._all_ready = True
        self._changed.set()

    async def _made(self, prompts: Sequence[Prompt]) -> list[Call]:
        room = asyncio.Semaphore(_AT_ONCE)

        async def one(prompt: Prompt) -> Call:
            async with room:
                return await self._maker.call(prompt)

        return await asyncio.gather(*map(one, prompts))

    def _on_kept(self, batch: Sequence[Prediction]) -> None:
        now = self.clock.monotonic()
        for prediction in batch:
            self.meter.kept(prediction, now)
        if batch and self.on_predictions is not None:
            self.on_predictions(batch)
        self._changed.set()
        self._hungry.set()

    async def _watch(self) -> None:
        while self.watch is not None:
            self.watch(self._progress())
            await self.clock.sleep(WATCH_S)

    def _progress(self) -> Progress:
        return self.meter.progress(self.clock.monotonic(), len(self._under_way))


def _kept(call: Call, reply: Reply) -> Prediction:
    return Prediction(
        call.key,
        reply.text,
        reasoning=reply.reasoning,
        finish_reason=reply.finish_reason,
        prompt_tokens=reply.prompt_tokens,
        completion_tokens=reply.completion_tokens,
        seconds=reply.seconds,
        cut_tokens=call.cut_tokens,
    )


def _failed(call: Call, error: ModelError) -> Prediction:
    return Prediction(call.key, "", error=error.fault, cut_tokens=call.cut_tokens)
