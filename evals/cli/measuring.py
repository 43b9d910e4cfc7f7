"""A run from its beginning to its replies: what is wanted, which run goes on, asking, and every way to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from agent.language import Text
from evals.cli import models
from evals.cli.ending import NO_MODEL, WRONG, Ended, not_written
from evals.cli.program import Desk, tell
from evals.cli.progress import Asking
from evals.runs import Run, RunSpec, spec_json

if TYPE_CHECKING:
    from evals.library import Kept
    from evals.running.asking import Asker
    from evals.runs import Prediction

#: Runs that `--resume` looks through.
_LOOKED_AT = 500

_BEGINS = Text(
    "Run {run}: {model} on {data} (items: {items}, prompts: {prompts}).",
    "运行 {run}：{model}，数据 {data}，{items} 道题，{prompts} 个提示。",
)
_DEMO = Text(
    "No endpoint is configured, so the demo model answers: its scores only show that everything works.",
    "没有配置端点，由内置演示模型回答：它的成绩只用来证明一切正常。",
)
_GOES_ON = Text(
    "Run {run} goes on: {done} of {prompts} replies are there.", "继续运行 {run}：{prompts} 条回复中已有 {done} 条。"
)
_COULD_GO_ON = Text(
    "Run {run} with these options is unfinished; --resume goes on with it. This is a new one.",
    "使用相同选项的运行 {run} 尚未完成，加 --resume 可继续；现在开始的是一次新的运行。",
)
_NOTHING_LEFT = Text(
    "No item is left by --types, --templates and --lang: choose less narrowly.",
    "按 --types、--templates 和 --lang 筛选后没有剩下任何题目：请放宽条件。",
)
_NO_RUN = Text(
    "There is no unfinished run to go on with: leave out --resume to begin one.",
    "没有可以继续的未完成运行：去掉 --resume 即可开始新的运行。",
)
_DIFFERS = Text(
    "The newest unfinished run, {run}, has other options ({differences}): give it the same, or leave out --resume.",
    "最近一次未完成的运行 {run} 使用了不同的选项（{differences}）：请使用相同的选项，或去掉 --resume。",
)
_DIFFERENCE = Text("{option}: {there} there, {here} here", "{option}：那里是 {there}，这里是 {here}")
_STOPPED = Text(
    "Stopped at {done} of {total} replies; all of them are kept. The same command with --resume goes on.",
    "已停止，{total} 条回复中已完成 {done} 条，全部已保存。在同一命令后加 --resume 即可继续。",
)
_DOWN = Text(
    "{why} {done} of {total} replies are kept: the same command with --resume goes on.",
    "{why}已保存 {total} 条回复中的 {done} 条：在同一命令后加 --resume 即可继续。",
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the options say, the model aside."""

    model: models.Wanted
    spec: RunSpec
    kept: Kept
    resume: bool = False
    fresh: bool = False
    concurrency: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A run whose every reply is there."""

    run: Run
    #: The model's own name.
    model: str
    #: Those that the run asks about, with the prompts that it asks.
    items: Sequence[Any]
    predictions: Sequence[Prediction]


@dataclass(slots=True)
class _Stand:
    """How far asking has come, for what is said when it stops."""

    done: int = 0
    total: int = 0


async def ask(desk: Desk, wish: Wish, items: Sequence[Any]) -> Asked:
    """Ask everything. The run is not ended in the store: its numbers are still to come.

    `items` are all of the data. Raises `Ended` and what `evals.cli.ending` knows, after keeping what is done.
    """
    from evals.running.selecting import select

    choice = await models.choose(desk, wish.model)
    spec = replace(wish.spec, model=choice.name)
    chosen = select(items, spec)
    if not chosen:
        raise Ended(WRONG, _NOTHING_LEFT)
    total = sum(len(item.prompts) for item in chosen) * spec.repeats
    earlier = await _earlier(desk, spec, resume=wish.resume)
    if choice.endpoint is None:
        tell(_DEMO.say(desk.lang))
    stand = _Stand(total=total)
    async with models.asker_of(choice, desk) as asker:
        if earlier is not None and wish.resume:
            run = await desk.runs.resume(earlier.id)
            done = len(await desk.runs.predictions(run.id))
            tell(_GOES_ON.say(desk.lang, run=run.id, done=min(done, total), prompts=total))
        else:
            if earlier is not None:
                tell(_COULD_GO_ON.say(desk.lang, run=earlier.id))
            run = await desk.runs.begin(spec, _manifest(wish, spec, asker, choice))
            fields = {"run": run.id, "model": asker.name, "data": spec.data.name, "items": len(chosen)}
            tell(_BEGINS.say(desk.lang, prompts=total, **fields))
        async with _kept(desk, run, stand, choice):
            await _all(desk, run, chosen, asker, wish, stand)
        return Asked(run, asker.name, chosen, await desk.runs.predictions(run.id))


async def _all(desk: Desk, run: Run, items: Sequence[Any], asker: Asker, wish: Wish, stand: _Stand) -> None:
    from evals.running import runner
    from evals.running.pace import Pace

    with Asking(desk.lang) as bar:

        def watch(progress: runner.Progress) -> None:
            stand.done = progress.done
            bar.watch(progress)

        pace = None if wish.concurrency is None else Pace(wish.concurrency, wish.concurrency)
        await runner.run(run.spec, items, asker, desk.runs, run.id, watch=watch, pace=pace, cache=not wish.fresh)


@contextlib.asynccontextmanager
async def _kept(desk: Desk, run: Run, stand: _Stand, choice: models.Choice) -> AsyncIterator[None]:
    """Whatever ends the asking, the run says so, and people are told how to go on."""
    from evals.running.runner import EndpointDown

    interrupted = _interruptible()
    try:
        yield
    except asyncio.CancelledError:
        number = interrupted.get("signal")
        if number is None:
            raise
        await desk.runs.end(run.id, "cancelled")
        raise Ended(128 + number, _STOPPED, done=stand.done, total=stand.total) from None
    except EndpointDown as error:
        reason = models.why(choice, error.error)
        await desk.runs.end(run.id, "failed", error=reason.en)
        raise Ended(NO_MODEL, _DOWN, why=reason, done=stand.done, total=stand.total) from None
    except Exception as error:
        # A disk that is full: the run's end may not be written either.
        with contextlib.suppress(OSError):
            await desk.runs.end(run.id, "failed", error=str(error)[:500])
        if isinstance(error, OSError) and not error.filename:
            # Of a file that was open, as a full disk is: only its number is known there.
            raise not_written(error, desk.settings.data_dir / "bench" / "runs" / run.id) from None
        raise
    finally:
        _uninterruptible()


def _interruptible() -> Mapping[str, int]:
    """Ctrl-C and SIGTERM cancel the task that runs now; which of them did."""
    loop, task, found = asyncio.get_running_loop(), asyncio.current_task(), dict[str, int]()

    def stop(number: signal.Signals) -> None:
        # Once: a second one must not keep the first from keeping what is done.
        if task is not None and not found:
            found["signal"] = int(number)
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    return found


def _uninterruptible() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().remove_signal_handler(number)


async def _earlier(desk: Desk, spec: RunSpec, *, resume: bool) -> Run | None:
    """The newest unfinished run with this spec, that no process works on. Raises `Ended` where `--resume` needs one."""
    found = [run for run in await desk.runs.runs(_LOOKED_AT) if run.state != "done"]
    same = [run for run in found if _options(run.spec) == _options(spec)]
    if not resume:
        return next((run for run in same if not desk.runs.is_live(run.id)), None)
    if same:
        return same[0]
    if not found:
        raise Ended(WRONG, _NO_RUN)
    newest = found[0]
    differences = Text(*(_differences(newest.spec, spec, lang) for lang in ("en", "zh")))
    raise Ended(WRONG, _DIFFERS, run=newest.id, differences=differences)


def _options(spec: RunSpec) -> dict[str, Any]:
    """What two runs must have in common to be one; a file may have been renamed."""
    found = spec_json(spec)
    found["data"] = spec.data.sha256
    return found


def _differences(there: RunSpec, here: RunSpec, lang: Any) -> str:
    a, b = _options(there) | {"data": there.data.name}, _options(here) | {"data": here.data.name}
    if there.data.sha256 != here.data.sha256 and there.data.name == here.data.name:
        a["data"], b["data"] = there.data.sha256[:12], here.data.sha256[:12]
    found = [
        _DIFFERENCE.say(lang, option=name, there=_shown(a[name]), here=_shown(b[name]))
        for name in a
        if a[name] != b[name]
    ]
    return ("；" if lang == "zh" else "; ").join(found)


def _shown(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value)) or "–"
    return "–" if value is None else str(value)


def _manifest(wish: Wish, spec: RunSpec, asker: Asker, choice: models.Choice) -> Mapping[str, Any]:
    from evals.manifest import manifest_of

    path = str(wish.kept.path.resolve())
    return manifest_of(
        spec,
        model=asker.name,
        endpoint=asker.server,
        server=choice.server,
        context_tokens=asker.context_tokens,
        path=path,
    )
