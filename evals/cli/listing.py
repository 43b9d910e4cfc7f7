"""`kagent-bench list` and `kagent-bench show`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agent.journal import Json
from agent.language import Lang, Text
from evals.cli import help as texts
from evals.cli import kept, options
from evals.cli.data import described, facts_of
from evals.cli.ending import FINE, WRONG, Ended
from evals.cli.help import LANG
from evals.cli.program import Desk, put

if TYPE_CHECKING:
    from evals.kagentbench.items import Item
    from evals.kagentbench.results import ItemResult, TemplateResult
    from evals.runs import Prediction, Run

_STATES: Mapping[str, Text] = {
    "running": Text("running", "进行中"),
    "killed": Text("killed", "被强制终止"),
    "done": Text("done", "已完成"),
    "cancelled": Text("stopped", "已停止"),
    "failed": Text("failed", "失败"),
}
_GOES_ON = Text(
    "{state}; --resume with the same options goes on: {options}", "{state}，使用相同选项并加 --resume 可继续：{options}"
)
_RUNS = Text("Runs", "运行")
_NO_RUNS = Text("none yet", "暂无")
_DATA = Text("Data sets", "数据集")
_ROW = Text("{run}  {model} on {data}: {state}", "{run}  {model}，数据 {data}：{state}")
_NO_ITEM = Text(
    "Run {run} asks about no item {given}: its items are {known}; --run names another run.",
    "运行 {run} 中没有题目 {given}：它的题目有 {known}；可用 --run 指定其他运行。",
)
_SEVERAL = Text(
    "Several items of run {run} are called {given}, or begin so: name one as {known}.",
    "运行 {run} 中有多道题叫 {given} 或以此开头：请写成 {known} 之一。",
)
_QUERY = Text("Query", "问题")
_PROMPT = Text("Prompt", "提示")
_REPLY = Text("Reply", "回复")
_NO_REPLY = Text("(no reply: {why})", "（没有回复：{why}）")
_NOT_ASKED = Text("not asked yet", "尚未提问")
_READ = Text("Read", "解析结果")
_RAISES = Text("The published scorer ends here: {why}", "官方评分程序会在此终止：{why}")
_SCORE = Text("Score", "得分")
_GOLDENS = Text("Goldens", "标准答案")
#: The newest runs that are looked at for one with a reply to an item.
_LOOKED_AT = 20
#: Ids that a complaint lists.
_MOST_NAMED = 12


@click.command("list", help=texts.LIST.say(LANG), short_help=texts.LIST_SHORT.say(LANG))
@click.option("--most", type=click.IntRange(1, 10_000), default=20, show_default=True, help=texts.MOST.say(LANG))
@options.as_json
@click.pass_obj
def list_(desk: Desk, /, most: int, *, as_json: bool) -> int:
    """Runs and data sets; the help is in `evals.cli.help`."""
    from adapters.terminal.console import safe

    lang = desk.settings.lang
    runs, sets = asyncio.run(kept.newest(desk, most)), desk.library.every()
    if as_json:
        found = {"runs": [_facts(desk, run) for run in runs], "data": [facts_of(one) for one in sets]}
        put(json.dumps(found, ensure_ascii=False) + "\n")
        return FINE
    lines = [f"{_RUNS.say(lang)}:" if runs else f"{_RUNS.say(lang)}: {_NO_RUNS.say(lang)}"]
    for run in runs:
        fields = {"run": run.id, "model": _model(run), "data": run.spec.data.name}
        lines.append("  " + _ROW.say(lang, state=_stands(desk, run, lang), **fields))
        if run.summary is not None:
            lines.append(f"    {run.summary.get('line', '')}")
    lines.append(f"{_DATA.say(lang)}:")
    lines += [f"  {one.data.name}: {described(one, lang)}" for one in sets]
    put("".join(f"{safe(line)}\n" for line in lines))
    return FINE


def _state(desk: Desk, run: Run) -> str:
    killed = run.state == "running" and desk.runs.is_ours(run.id) and not desk.runs.is_live(run.id)
    return "killed" if killed else run.state


def _stands(desk: Desk, run: Run, lang: Lang) -> str:
    """Its state; of one that this script may go on with, how."""
    state = _state(desk, run)
    said = _STATES[state].say(lang)
    if state in ("running", "done") or not desk.runs.is_ours(run.id):
        # A server goes on with its own.
        return said
    return _GOES_ON.say(lang, state=said, options=options.written(run.spec))


def _model(run: Run) -> str:
    return str(run.manifest.get("model", {}).get("name") or run.spec.model)


def _facts(desk: Desk, run: Run) -> dict[str, Json]:
    return {
        "id": run.id,
        "state": _state(desk, run),
        "model": _model(run),
        "data": run.spec.data.name,
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "line": None if run.summary is None else run.summary.get("line"),
        "error": run.error,
        "manifest": dict(run.manifest),
    }


@click.command(help=texts.SHOW.say(LANG), short_help=texts.SHOW_SHORT.say(LANG))
@click.argument("item", metavar="ITEM")
@click.option("--run", "run_id", metavar="RUN", default="", help=texts.SHOW_RUN.say(LANG))
@click.option("--templates", metavar="LIST", default="", help=texts.TEMPLATES.say(LANG))
@click.option("--data", type=click.Path(path_type=Path), metavar="FILE", help=texts.COMPARE_DATA.say(LANG))
@options.as_json
@click.pass_obj
def show(desk: Desk, /, item: str, run_id: str, templates: str, data: Path | None, *, as_json: bool) -> int:
    """One item of a run; the help is in `evals.cli.help`."""
    from adapters.terminal.console import safe, safe_json
    from evals.evaluations import item_result

    lang = desk.settings.lang
    run = asyncio.run(kept.found(desk, run_id) if run_id else _answering(desk, item, data))
    items = kept.items_of(desk, run, data)
    meant = _meant(run, items, item)
    chosen = options.templates_of(templates, meant.prompts) or tuple(meant.prompts)
    predictions = asyncio.run(kept.predictions_of(desk, run))
    replies = replies_of(meant, predictions)
    is_case = run.spec.data.kind == "suite"
    result = [None] * run.spec.repeats if is_case else item_result(meant, replies, run.spec)
    facts = _item_facts(run, meant, chosen, replies, result)
    if as_json:
        put(safe_json(json.dumps(facts, ensure_ascii=False)) + "\n")
        return FINE
    put("".join(f"{safe(line)}\n" for line in _lines(facts, lang)))
    return FINE


async def _answering(desk: Desk, given: str, data: Path | None) -> Run:
    """The newest run with a reply to an item of that name, else with one whose name begins so, else the newest of all.

    `data`: only runs over this file, where there is one. Raises `Ended` where there is no run.
    """
    from evals.store import RunError

    runs = await kept.newest(desk, _LOOKED_AT)
    if data is not None:
        from evals.kagentbench.data import sha256_of

        sha256 = await asyncio.to_thread(sha256_of, data)
        runs = [run for run in runs if run.spec.data.sha256 == sha256] or runs
    begins: Run | None = None
    name = given.rpartition(":")[2]
    for run in runs:
        try:
            answered = {one.key.item for one in await kept.predictions_of(desk, run) if not one.error}
        except RunError:
            # A damaged one is of no interest while nobody names it.
            continue
        if given in answered or name in answered:
            return run
        if begins is None and any(one.startswith(given) for one in answered):
            begins = run
    return begins or (runs[0] if runs else await kept.found(desk, ""))


def _meant(run: Run, items: Sequence[Any], given: str) -> Any:
    """The item that is meant. Raises `Ended`."""
    kind, _, name = given.rpartition(":")
    found = [one for one in items if str(one.id) == given]
    if not found and kind:
        wanted = options.types_of(kind) if kind != "suite" else ("suite",)
        found = [one for one in items if str(one.id) == name and one.type in wanted]
    if not found:
        # As runs are: by the beginning, where only one begins so.
        found = [one for one in items if str(one.id).startswith(given)]
    if not found:
        raise Ended(WRONG, _NO_ITEM, run=run.id, given=given[:80], known=_named(str(one.id) for one in items))
    if len(found) > 1:
        raise Ended(WRONG, _SEVERAL, run=run.id, given=given[:80], known=_named(f"{o.type}:{o.id}" for o in found))
    return found[0]


def _named(names: Iterable[str]) -> str:
    found = list(names)
    return ", ".join(found[:_MOST_NAMED]) + (", …" if len(found) > _MOST_NAMED else "")


def replies_of(item: Item, predictions: Sequence[Prediction]) -> dict[tuple[str, int], Prediction]:
    """The replies to an item by template and repeat."""
    from evals.running.predictions import latest

    return {
        (template, repeat): one
        for (kind, id_, template, repeat), one in latest(predictions).items()
        if (kind, id_) == item.key
    }


def _item_facts(
    run: Run,
    item: Any,
    templates: Sequence[str],
    replies: Mapping[tuple[str, int], Prediction],
    results: Sequence[ItemResult | None],
) -> dict[str, Any]:
    return {
        "run": run.id,
        "type": item.type,
        "id": item.id,
        "query": item.query,
        "goldens": list(item.raw.get("checks", ()) if item.type == "suite" else item.goldens),
        "templates": [
            _template_facts(item, template, repeat, replies.get((template, repeat)), result)
            for repeat, result in enumerate(results)
            for template in templates
        ],
    }


def _template_facts(
    item: Any, template: str, repeat: int, reply: Prediction | None, result: ItemResult | None
) -> dict[str, Any]:
    scored: TemplateResult | None = None
    if result is not None:
        scored = next((one for one in result.templates if one.template == template), None)
    return {
        "template": template,
        "repeat": repeat + 1,
        "prompt": item.prompts[template],
        "cut_tokens": reply.cut_tokens if reply else 0,
        "reply": reply.text if reply else None,
        "reasoning": reply.reasoning if reply else "",
        "error": reply.error if reply else "",
        "seconds": reply.seconds if reply else None,
        "read": scored.parsed._asdict() if scored and scored.parsed else None,
        "scores": dict(scored.scores) if scored else {},
        "right_tool": scored.right_tool if scored else None,
        "raises": scored.raises if scored else "",
    }


def _lines(facts: Mapping[str, Any], lang: Lang) -> Iterator[str]:
    """The facts for people."""
    yield f"{facts['type']}:{facts['id']}  ({facts['run']})"
    yield f"{_QUERY.say(lang)}: {facts['query']}"
    for one in facts["templates"]:
        yield ""
        yield f"── {one['template']}" + (f" ({one['repeat']})" if one["repeat"] > 1 else "") + " ──"
        yield f"[{_PROMPT.say(lang)}]"
        yield one["prompt"]
        yield f"[{_REPLY.say(lang)}]"
        if one["reply"] is None or one["error"]:
            yield _NO_REPLY.say(lang, why=one["error"] or _NOT_ASKED.say(lang))
        else:
            yield one["reply"]
        if one["read"] is not None:
            yield f"[{_READ.say(lang)}]"
            yield json.dumps(one["read"], ensure_ascii=False)
        if one["raises"]:
            yield _RAISES.say(lang, why=one["raises"])
        if one["scores"]:
            yield f"[{_SCORE.say(lang)}] " + ", ".join(
                f"{name} {100 * value:.2f}" for name, value in one["scores"].items()
            )
    yield ""
    yield f"[{_GOLDENS.say(lang)}]"
    for golden in facts["goldens"]:
        yield f"- {json.dumps(golden, ensure_ascii=False)}"
