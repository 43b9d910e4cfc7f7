"""`kagent-bench human` and its commands."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from agent.language import Text
from evals.cli import options
from evals.cli.ending import FINE, WRONG, Ended
from evals.cli.help import LANG
from evals.cli.human import texts
from evals.cli.human.chats import case, disliked, feedback
from evals.cli.human.database import found, opened
from evals.cli.program import Desk, tell

if TYPE_CHECKING:
    from evals.human.report import Report
    from evals.human.sets import HumanSet, SetState

_CHECKED = Text("{count} questions ({langs}) in {path}.", "{path} 中有 {count} 个问题（{langs}）。")
_READY = Text(
    "Set {set} is open for rating: {done} answers of {systems} systems on {models} models. People rate it on the "
    "server's page; `kagent-bench human close {set}` ends that.",
    "回答组 {set} 已开放评分：{systems} 个系统、{models} 个模型，共 {done} 个回答。请在服务的页面上评分；"
    "用 `kagent-bench human close {set}` 结束评分。",
)
_FAILED = Text(
    "{failed} answers failed. As long as nobody has rated, the same command with --resume asks for them again; else "
    "each counts as the lowest rating.",
    "有 {failed} 个回答失败。只要还没有人评分，在同一命令后加 --resume 即可重试；否则各按最低分计。",
)
_STATES: Final = {
    "answering": Text("unfinished; --resume goes on", "未完成，可用 --resume 继续"),
    "open": Text("open for rating", "评分中"),
    "closed": Text("closed", "已关闭"),
}
_ROW = Text(
    "{set}  {name}: {questions} questions, {systems} on {models}; {state}; raters: {raters}",
    "{set}  {name}：{questions} 个问题，{systems}，模型 {models}；{state}；评分人数：{raters}",
)
_NONE_YET = Text("No sets yet.", "暂无。")
_STILL_OPEN = Text(
    "Set {set} is not closed: nobody should see what others give before it is; close it, or say --so-far.",
    "回答组 {set} 尚未关闭：关闭之前不应看到别人的评分；请先关闭，或加 --so-far。",
)
_UNANSWERED = Text(
    "Set {set} is not answered yet: `kagent-bench human run … --resume` goes on with it.",
    "回答组 {set} 尚未回答完：可用 `kagent-bench human run … --resume` 继续。",
)
_CLOSED = Text(
    "Closed: {set}. `kagent-bench human report {set}` shows the result, `human open {set}` opens it again.",
    "已关闭：{set}。用 `kagent-bench human report {set}` 查看结果，用 `human open {set}` 重新开放。",
)
_OPENED = Text("Open for rating: {set}", "已开放评分：{set}")
_SURE = Text(
    "This deletes set {set} with {answers} answers and {ratings} ratings for good: say --yes.",
    "这会永久删除回答组 {set}，含 {answers} 个回答和 {ratings} 个评分：请加 --yes 确认。",
)
_DELETED = Text("Deleted: {set}", "已删除：{set}")
_WRITTEN = Text("Written: {path}", "已写入：{path}")


@click.group(help=texts.GROUP.say(LANG), short_help=texts.GROUP_SHORT.say(LANG))
def human() -> None:
    """Ratings by people; the help is in `evals.cli.human.texts`."""


@human.command(help=texts.QUESTIONS.say(LANG))
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@options.as_json
@click.pass_obj
def questions(desk: Desk, /, file: Path, *, as_json: bool) -> int:
    """Check a file."""
    from collections import Counter

    from adapters.terminal.console import safe
    from evals.human.questions import read_questions

    desk.read_settings()
    read = read_questions(file)
    langs = Counter(one.lang for one in read)
    if as_json:
        click.echo(json.dumps({"questions": len(read), "languages": dict(langs)}, ensure_ascii=False))
        return FINE
    listed = ", ".join(f"{lang} {count}" for lang, count in langs.items())
    click.echo(safe(_CHECKED.say(desk.lang, count=len(read), langs=listed, path=file)))
    return FINE


@human.command(help=texts.RUN.say(LANG), short_help=texts.RUN_SHORT.say(LANG))
@click.option("--questions", "file", type=click.Path(path_type=Path), required=True, help=texts.FILE.say(LANG))
@click.option("--systems", metavar="LIST", default="", help=texts.SYSTEMS.say(LANG))
@click.option("--models", metavar="LIST", default="", help=texts.MODELS.say(LANG))
@click.option("--name", metavar="NAME", default="", help=texts.NAME.say(LANG))
@click.option(
    "--concurrency",
    type=click.IntRange(1, 256),
    default=4,
    show_default=True,
    metavar="N",
    help=texts.CONCURRENCY.say(LANG),
)
@click.option("--resume", is_flag=True, help=texts.RESUME.say(LANG))
@options.as_json
@click.pass_obj
def run(desk: Desk, /, *, as_json: bool, **wished: Any) -> int:
    """Answer everything."""
    from evals.cli.human.answering import Wish, answered

    done = answered(desk, Wish(**wished))
    spec = done.made.spec
    if as_json:
        facts = {"set": done.made.id, "answers": done.stand.done, "failed": done.stand.failed, "state": done.made.state}
        click.echo(json.dumps(facts))
    else:
        fields = {"set": done.made.id, "systems": len(spec.systems), "models": len(spec.models)}
        click.echo(_READY.say(desk.lang, done=done.stand.done, **fields))
    if done.stand.failed:
        tell(_FAILED.say(desk.lang, failed=done.stand.failed))
    return FINE


@human.command("list", help=texts.LIST.say(LANG))
@options.as_json
@click.pass_obj
def list_(desk: Desk, /, *, as_json: bool) -> int:
    """All sets."""
    from adapters.terminal.console import safe

    listed = asyncio.run(_listed(desk))
    if as_json:
        click.echo(json.dumps([_facts(one, raters) for one, raters in listed], ensure_ascii=False))
        return FINE
    for one, raters in listed:
        state = _STATES[one.state].say(desk.lang)
        who = {"systems": ", ".join(one.spec.systems), "models": ", ".join(one.spec.models)}
        fields = {"set": one.id, "name": one.spec.name, "questions": one.questions}
        click.echo(safe(_ROW.say(desk.lang, state=state, raters=raters, **fields, **who)))
    if not listed:
        click.echo(_NONE_YET.say(desk.lang))
    return FINE


@human.command(help=texts.REPORT.say(LANG), short_help=texts.REPORT_SHORT.say(LANG))
@click.argument("set_id", metavar="[SET]", default="")
@click.option(
    "--pass", "passed", type=click.IntRange(1, 5), default=4, show_default=True, metavar="N", help=texts.PASS.say(LANG)
)
@click.option("--so-far", is_flag=True, help=texts.SO_FAR.say(LANG))
@click.option("--markdown", "as_markdown", is_flag=True, help=texts.MARKDOWN.say(LANG))
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help=texts.HTML.say(LANG))
@options.as_json
@click.pass_obj
def report(
    desk: Desk, /, set_id: str, passed: int, html: Path | None, *, so_far: bool, as_markdown: bool, as_json: bool
) -> int:
    """The table."""
    from adapters.terminal.console import safe
    from evals.cli.outputs import Outputs, write
    from evals.human import table
    from evals.human.report import as_json as to_json

    Outputs(html=html).check([])
    made = asyncio.run(_report(desk, set_id, passed, so_far=so_far))
    if html is not None:
        write(html, table.page(made, desk.lang).encode("utf-8", "replace"))
        tell(_WRITTEN.say(desk.lang, path=html))
    if as_json:
        click.echo(json.dumps(to_json(made), ensure_ascii=False))
        return FINE
    click.echo(safe(table.markdown(made, desk.lang) if as_markdown else table.text(made, desk.lang)))
    return FINE


@human.command(help=texts.EXPORT.say(LANG))
@click.argument("set_id", metavar="[SET]", default="")
@click.option("--so-far", is_flag=True, help=texts.SO_FAR.say(LANG))
@click.pass_obj
def export(desk: Desk, /, set_id: str, *, so_far: bool) -> int:
    """Every answer with its ratings."""
    from adapters.terminal.console import safe_json

    for line in asyncio.run(_exported(desk, set_id, so_far=so_far)):
        click.echo(safe_json(json.dumps(line, ensure_ascii=False)))
    return FINE


@human.command(help=texts.CLOSE.say(LANG))
@click.argument("set_id", metavar="SET")
@click.pass_obj
def close(desk: Desk, /, set_id: str) -> int:
    """No more ratings."""
    tell(_CLOSED.say(desk.settings.lang, set=asyncio.run(_moved(desk, set_id, "closed"))))
    return FINE


@human.command("open", help=texts.OPEN.say(LANG))
@click.argument("set_id", metavar="SET")
@click.pass_obj
def open_(desk: Desk, /, set_id: str) -> int:
    """Ratings again."""
    tell(_OPENED.say(desk.settings.lang, set=asyncio.run(_moved(desk, set_id, "open"))))
    return FINE


@human.command(help=texts.DELETE.say(LANG))
@click.argument("set_id", metavar="SET")
@click.option("--yes", is_flag=True, help=texts.YES.say(LANG))
@click.pass_obj
def delete(desk: Desk, /, set_id: str, *, yes: bool) -> int:
    """Forget a set."""
    tell(_DELETED.say(desk.settings.lang, set=asyncio.run(_deleted(desk, set_id, yes=yes))))
    return FINE


for command in (feedback, disliked, case):
    human.add_command(command)


async def _listed(desk: Desk) -> list[tuple[HumanSet, int]]:
    async with opened(desk) as database:
        return [(one, len(await database.sets.raters(one.id))) for one in await database.sets.sets()]


async def _report(desk: Desk, set_id: str, passed: int, *, so_far: bool) -> Report:
    from evals.human.report import report_of

    async with opened(desk) as database:
        sets = database.sets
        made = _fit(await found(sets, set_id), so_far=so_far)
        answers, ratings = await sets.answers(made.id), await sets.ratings(made.id)
        return report_of(made, answers, ratings, await sets.raters(made.id), passed)


async def _exported(desk: Desk, set_id: str, *, so_far: bool) -> list[dict[str, Any]]:
    async with opened(desk) as database:
        sets = database.sets
        made = _fit(await found(sets, set_id), so_far=so_far)
        questions = {one.id: one for one in await sets.questions(made.id)}
        given: dict[tuple[str, str], dict[str, int | None]] = {}
        for one in await sets.ratings(made.id):
            given.setdefault((one.question, one.digest), {})[one.rater] = one.value
        drivers = [one.name for one in await sets.raters(made.id) if one.driver]
        return [
            {
                "set": made.id,
                "id": answer.key.question,
                "question": questions[answer.key.question].text,
                "lang": questions[answer.key.question].lang,
                "system": answer.key.system,
                "model": answer.key.model,
                "answer": answer.text,
                "sources": list(answer.sources),
                "error": answer.error,
                "seconds": answer.seconds,
                "ratings": {} if answer.error else given.get((answer.key.question, answer.digest), {}),
                **({"test_drivers": drivers} if drivers else {}),
            }
            for answer in await sets.answers(made.id)
        ]


async def _moved(desk: Desk, set_id: str, state: SetState) -> str:
    async with opened(desk) as database:
        made = await found(database.sets, set_id)
        if made.state == "answering":
            raise Ended(WRONG, _UNANSWERED, set=made.id)
        await database.sets.move(made.id, state)
        return made.id


async def _deleted(desk: Desk, set_id: str, *, yes: bool) -> str:
    async with opened(desk) as database:
        made = await found(database.sets, set_id)
        if not yes:
            answers, ratings = await database.sets.answers(made.id), await database.sets.ratings(made.id)
            raise Ended(WRONG, _SURE, set=made.id, answers=len(answers), ratings=len(ratings))
        await database.sets.delete(made.id)
        return made.id


def _fit(made: HumanSet, *, so_far: bool) -> HumanSet:
    """A set whose ratings may be looked at. Raises `Ended`."""
    if made.state == "answering":
        raise Ended(WRONG, _UNANSWERED, set=made.id)
    if made.state == "open" and not so_far:
        raise Ended(WRONG, _STILL_OPEN, set=made.id)
    return made


def _facts(one: HumanSet, raters: int) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.spec.name,
        "state": one.state,
        "questions": one.questions,
        "systems": list(one.spec.systems),
        "models": list(one.spec.models),
        "raters": raters,
        "created_at": one.created_at.isoformat(),
        "closed_at": one.closed_at.isoformat() if one.closed_at else None,
        "manifest": dict(one.spec.manifest),
    }
