"""`kagent-bench human run`: what is wanted, which set goes on, and the models that answer."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.language import Text
from evals.cli import models
from evals.cli.ending import INTERRUPTED, NO_MODEL, WRONG, Ended
from evals.cli.human.database import opened
from evals.cli.models import Choice, Wanted
from evals.cli.program import Desk, tell
from evals.cli.progress import Bar

if TYPE_CHECKING:
    from evals.human.answering import Contestant, Stand
    from evals.human.sets import HumanSet, HumanStore, Question, SetSpec

#: Sets that `--resume` looks through.
_LOOKED_AT: Final = 200
#: Answers that one model makes at the same time, unless somebody knows better.
CONCURRENCY: Final = 4

_ANSWERING = Text("Answering", "回答")
_FAILED = Text(", {failed} failed", "，{failed} 个失败")
_BEGINS = Text(
    "Set {set}: {questions} questions, systems {systems}, models {models}: {total} answers.",
    "回答组 {set}：{questions} 个问题，系统 {systems}，模型 {models}，共 {total} 个回答。",
)
_GOES_ON = Text("Set {set} goes on.", "继续回答组 {set}。")
_COULD_GO_ON = Text(
    "Set {set} with these options is unfinished; --resume goes on with it. This is a new one.",
    "使用相同选项的回答组 {set} 尚未完成，加 --resume 可继续；现在开始的是新的一组。",
)
_NOTHING = Text(
    "There is no unfinished set of these questions, systems and models: leave out --resume to begin one.",
    "没有使用这些问题、系统和模型且尚未完成的一组：去掉 --resume 即可新建。",
)
_BUSY = Text("Another process is answering set {set}: let it finish.", "另一个进程正在处理回答组 {set}：请等它完成。")
_STOPPED = Text(
    "Stopped; every answer that is done is kept. The same command with --resume goes on.",
    "已停止，完成的回答都已保存。在同一命令后加 --resume 即可继续。",
)
_DOWN = Text(
    "{why} What is answered is kept: the same command with --resume goes on.",
    "{why}已完成的回答都已保存：在同一命令后加 --resume 即可继续。",
)
_TWICE = Text(
    "--models names “{name}” twice: name each model once.", "--models 中“{name}”出现了两次：每个模型只写一次。"
)
_UNKNOWN = Text(
    "There is no agent system called “{name}”: choose from {known}.", "没有名为“{name}”的智能体系统：可选的有 {known}。"
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the options say."""

    file: Path
    systems: str = ""
    models: str = ""
    name: str = ""
    concurrency: int = CONCURRENCY
    resume: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """A set that is open, and how its answering ended."""

    made: HumanSet
    stand: Stand


def answered(desk: Desk, wish: Wish) -> Answered:
    """Answer everything. Raises `Ended` and what `evals.cli.ending` knows, after keeping what is done."""
    try:
        return asyncio.run(_answered(desk, wish))
    except KeyboardInterrupt:
        raise Ended(INTERRUPTED, _STOPPED) from None


async def _answered(desk: Desk, wish: Wish) -> Answered:
    from evals.human.questions import read_questions
    from evals.running.trying import EndpointDown

    desk.read_settings()
    questions = read_questions(wish.file)
    systems = systems_of(wish.systems)
    choices = await _choices(desk, wish.models)
    spec = _spec(desk, wish, systems, choices)
    async with opened(desk, make=True) as database, AsyncExitStack() as stack:
        contestants = [await stack.enter_async_context(_contestant(one, desk, wish.concurrency)) for one in choices]
        made = await _set(desk, database.sets, spec, questions, resume=wish.resume)
        with _alone(desk, made.id):
            try:
                stand = await _work(desk, database.sets, made, contestants)
            except EndpointDown as error:
                raise Ended(NO_MODEL, _DOWN, why=error.text) from None
            await database.sets.move(made.id, "open")
        return Answered(await database.sets.find(made.id) or made, stand)


async def _work(desk: Desk, sets: HumanStore, made: HumanSet, contestants: Sequence[Contestant]) -> Stand:
    from agent.clock import SystemClock
    from bot.agents import tools_of
    from evals.human.answering import Conditions, answer_all

    conditions = Conditions(desk.settings.profile.build(), tools_of(desk.settings), SystemClock())
    with Bar(desk.lang, _ANSWERING) as bar:

        def watch(stand: Stand) -> None:
            more = _FAILED.say(desk.lang, failed=stand.failed) if stand.failed else ""
            bar.show(stand.done + stand.failed, stand.total, more)

        return await answer_all(sets, made, contestants, conditions, watch)


def systems_of(given: str) -> tuple[str, ...]:
    """Agent systems of the registry, the one without an agent first, as the published table has it; all for "".

    Raises `Ended`.
    """
    from agent.styles.noagent import NoAgent
    from agent.styles.registry import STYLES

    known = tuple(sorted(STYLES, key=lambda name: name != NoAgent.name))
    wanted = [word for part in given.split(",") if (word := part.strip().lower())]
    for word in wanted:
        if word not in known:
            raise Ended(WRONG, _UNKNOWN, name=word[:80], known=", ".join(known))
    return tuple(name for name in known if name in wanted) if wanted else known


async def _choices(desk: Desk, given: str) -> list[Choice]:
    names = [word for part in given.split(",") if (word := part.strip())]
    chosen = [await models.choose(desk, Wanted(name)) for name in names or [""]]
    seen: set[str] = set()
    for one in chosen:
        if one.name in seen:
            raise Ended(WRONG, _TWICE, name=one.name[:80])
        seen.add(one.name)
    return chosen


def _spec(desk: Desk, wish: Wish, systems: tuple[str, ...], choices: Sequence[Choice]) -> SetSpec:
    from datetime import datetime
    from importlib.metadata import version
    from zoneinfo import ZoneInfo

    from agent.profile import to_values
    from evals.human.sets import SetSpec
    from evals.kagentbench.data import sha256_of

    settings = desk.settings
    profile = settings.profile.build()
    manifest = {
        "questions": wish.file.name,
        "version": version("kagentbot"),
        "zone": settings.timezone,
        "profile": to_values(profile),
        "servers": {one.name: one.server for one in choices},
    }
    now = datetime.now(ZoneInfo(settings.timezone)).isoformat()
    name = " ".join((wish.name or wish.file.stem).split())[:200]
    return SetSpec(name, sha256_of(wish.file), systems, tuple(one.name for one in choices), now, manifest)


async def _set(desk: Desk, sets: HumanStore, spec: SetSpec, questions: Sequence[Question], *, resume: bool) -> HumanSet:
    """The set that is worked on: one that goes on, or a new one. Raises `Ended`."""
    earlier = await _unfinished(sets, spec)
    if resume and earlier is None:
        raise Ended(WRONG, _NOTHING)
    if resume and earlier is not None:
        tell(_GOES_ON.say(desk.lang, set=earlier.id))
        await sets.move(earlier.id, "answering")
        return earlier
    if earlier is not None and earlier.state == "answering":
        tell(_COULD_GO_ON.say(desk.lang, set=earlier.id))
    made = await sets.begin(spec, questions)
    fields = {"systems": ", ".join(spec.systems), "models": ", ".join(spec.models), "questions": made.questions}
    total = made.questions * len(spec.systems) * len(spec.models)
    tell(_BEGINS.say(desk.lang, set=made.id, total=total, **fields))
    return made


async def _unfinished(sets: HumanStore, spec: SetSpec) -> HumanSet | None:
    """The newest set of the same questions, systems and models that lacks answers and has no ratings yet."""
    for one in await sets.sets(_LOOKED_AT):
        theirs = one.spec
        if (theirs.questions_sha256, theirs.systems, theirs.models) != (
            spec.questions_sha256,
            spec.systems,
            spec.models,
        ):
            continue
        if one.state == "answering":
            return one
        if one.state == "open" and await _lacks_answers(sets, one):
            return one
    return None


async def _lacks_answers(sets: HumanStore, one: HumanSet) -> bool:
    """Whether answers failed that may be asked for again: nobody has rated yet."""
    return not await sets.ratings(one.id) and any(answer.error for answer in await sets.answers(one.id))


@asynccontextmanager
async def _contestant(choice: Choice, desk: Desk, concurrency: int) -> AsyncIterator[Contestant]:
    """One model alone in a pool. Raises `ModelError` where it can't be asked."""
    from agent.llm.client import OpenAIChatModel
    from agent.llm.pool import EndpointPool, Member
    from bot.backend import Embedded
    from evals.human.answering import Contestant

    if choice.endpoint is not None:
        chat = OpenAIChatModel(choice.endpoint)
        pool = EndpointPool([Member(chat, concurrency, choice.name, most=lambda: chat.most_slots)])
        try:
            if (trouble := await chat.check()) is not None:
                raise trouble
            yield Contestant(choice.name, pool, concurrency)
        finally:
            await pool.aclose()
            await chat.aclose()
        return
    embedded = Embedded.of(desk.settings.models)
    pool = EndpointPool([embedded.member])
    await embedded.server.start()
    try:
        await embedded.server.ready(embedded.server.config.patience)
        yield Contestant(choice.name, pool, min(concurrency, embedded.server.config.slots))
    finally:
        await pool.aclose()
        await embedded.stop()


@contextmanager
def _alone(desk: Desk, set_id: str) -> Iterator[None]:
    """No other process of this machine answers the same set. Raises `Ended`."""
    folder = desk.settings.data_dir / "bench" / "human"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = os.open(folder / f"{set_id}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Ended(WRONG, _BUSY, set=set_id) from None
    finally:
        os.close(fd)
