"""`kagent-bench human feedback`, `disliked` and `case`: what people think of answers in chats."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import click

from agent.language import Text
from evals.cli import options
from evals.cli.ending import FINE, WRONG, Ended
from evals.cli.help import LANG
from evals.cli.human import texts
from evals.cli.human.database import opened
from evals.cli.program import Desk, tell

if TYPE_CHECKING:
    from bot.bench.cases import Cases
    from bot.store.db import Store
    from bot.store.feedback import Disliked, Given
    from evals.suites.cases import Case

_NONE = Text("No answer in a chat has a thumbs-down.", "聊天中没有被点踩的回答。")
_MADE = Text(
    "Made: case {case} of “{suite}”, for a judge to check. Edit it in {path}: you know better what a good answer "
    "contains. It is deleted with the words that it copies.",
    "已生成：“{suite}”的用例 {case}，由评判模型检查。可在 {path} 中修改：好的回答应包含什么，你更清楚。"
    "原文被删除时，它也会一并删除。",
)
#: Characters of a question and an answer in a list.
_SHOWN = 200


@click.command(help=texts.FEEDBACK.say(LANG))
@click.option(
    "--pass", "passed", type=click.IntRange(1, 5), default=4, show_default=True, metavar="N", help=texts.PASS.say(LANG)
)
@click.option("--markdown", "as_markdown", is_flag=True, help=texts.MARKDOWN.say(LANG))
@options.as_json
@click.pass_obj
def feedback(desk: Desk, /, passed: int, *, as_markdown: bool, as_json: bool) -> int:
    """Thumbs and ratings of chats."""
    from adapters.terminal.console import safe
    from evals.human import feedback as live

    rows = live.rows_of(asyncio.run(_given(desk)), passed)
    if as_json:
        click.echo(json.dumps({"different_questions": True, "pass": passed, "rows": live.as_json(rows)}))
        return FINE
    click.echo(safe(live.tables(rows, desk.lang, as_markdown=as_markdown, passed=passed)))
    return FINE


@click.command(help=texts.DISLIKED.say(LANG))
@options.as_json
@click.pass_obj
def disliked(desk: Desk, /, *, as_json: bool) -> int:
    """Answers with a thumbs-down."""
    from adapters.terminal.console import safe, safe_json

    found = asyncio.run(_disliked(desk))
    if as_json:
        facts = [{**one._asdict(), "asked_at": one.asked_at.isoformat()} for one in found]
        click.echo(safe_json(json.dumps(facts, ensure_ascii=False)))
        return FINE
    for one in found:
        click.echo(safe(f"{one.turn_id}  {one.asked_at:%Y-%m-%d}  {one.style}  {one.model}"))
        click.echo(safe(f"    {_short(one.question)}"))
        click.echo(safe(f"    → {_short(one.answer)}"))
    if not found:
        click.echo(_NONE.say(desk.lang))
    return FINE


@click.command(help=texts.CASE.say(LANG), short_help=texts.CASE_SHORT.say(LANG))
@click.argument("turn", metavar="TURN", type=click.IntRange(1))
@click.option("--suite", metavar="NAME", required=True, help=texts.SUITE.say(LANG))
@click.option("--note", metavar="TEXT", default="", help=texts.NOTE.say(LANG))
@click.pass_obj
def case(desk: Desk, /, turn: int, suite: str, note: str) -> int:
    """A case from a bad answer."""
    made = asyncio.run(_made(desk, turn, suite, note))
    path = desk.library.suite_file(suite)
    tell(_MADE.say(desk.lang, case=made.id, suite=suite, path=path))
    return FINE


async def _given(desk: Desk) -> list[Given]:
    from bot.store import feedback as rows

    async with opened(desk) as database:
        return await database.store.read(rows.given)


async def _disliked(desk: Desk) -> Any:
    async with opened(desk) as database:
        found: list[Disliked] = list(await _cases(desk, database.store).disliked())
        return found


async def _made(desk: Desk, turn: int, suite: str, note: str) -> Case:
    from bot.bench.cases import CaseError

    async with opened(desk) as database:
        try:
            return await _cases(desk, database.store).make(turn, suite, note)
        except CaseError as error:
            raise Ended(WRONG, error.text) from None


def _cases(desk: Desk, store: Store) -> Cases:
    from adapters.web.present import PLATFORM
    from bot.bench.cases import Cases

    # On the page there is one person, who runs the server.
    return Cases(store, desk.library, (PLATFORM,))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"
