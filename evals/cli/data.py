"""`kagent-bench import` and `kagent-bench data`; and the items of whatever data a command was given."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agent.journal import Json
from agent.language import Lang, Text
from evals.cli import help as texts
from evals.cli import options
from evals.cli.ending import FINE
from evals.cli.help import LANG
from evals.cli.program import Desk, put, tell

if TYPE_CHECKING:
    from evals.library import Kept

_IMPORTED = Text("Imported as “{name}”: {facts}", "已导入为“{name}”：{facts}")
_UNDO = Text(
    "kagent-bench run --data {name} measures a model with it; kagent-bench data remove {name} undoes this.",
    "用 kagent-bench run --data {name} 评测模型；用 kagent-bench data remove {name} 撤销导入。",
)
_NO_PROMPTS = Text(
    "Without a prompt: {count} of {all} items, the first in line {line}. They can't be asked; a run leaves them out.",
    "{all} 道题中有 {count} 道没有提示，第一道在第 {line} 行。它们无法提问，运行时会跳过。",
)
_NO_GOLDENS = Text(
    "Without a golden result: {count} of {all} items, the first in line {line}. Whatever is replied, they score 0.",
    "{all} 道题中有 {count} 道没有标准答案，第一道在第 {line} 行。无论怎样回答都是 0 分。",
)
_REMOVED = Text("Removed: {name}", "已删除：{name}")
_FACTS = Text(
    "{items} items ({types}); {langs}; SHA-256 {sha256}", "{items} 道题（{types}）；{langs}；SHA-256 {sha256}"
)


@click.command("import", help=texts.IMPORT.say(LANG), short_help=texts.IMPORT_SHORT.say(LANG))
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", default="", help=texts.IMPORT_NAME.say(LANG))
@options.partial
@options.as_json
@click.pass_obj
def import_(desk: Desk, /, file: Path, name: str, *, partial: bool, as_json: bool) -> int:
    """Check and keep a file; the help is in `evals.cli.help`."""
    desk.read_settings()
    kept = desk.library.add(file, name, partial=partial)
    if as_json:
        put(json.dumps(facts_of(kept), ensure_ascii=False) + "\n")
        return FINE
    click.echo(_IMPORTED.say(desk.lang, name=kept.data.name, facts=described(kept, desk.lang)))
    for remark in _remarks(kept, desk.lang):
        tell(remark)
    tell(_UNDO.say(desk.lang, name=kept.data.name))
    return FINE


def _remarks(kept: Kept, lang: Lang) -> Iterator[str]:
    """What is allowed in a file, and surely not meant."""
    if kept.data.kind == "suite":
        # A case without a question or a check is refused.
        return
    items = items_of(kept)
    for text, found in (
        (_NO_PROMPTS, [item for item in items if not any(item.prompts.values())]),
        (_NO_GOLDENS, [item for item in items if not any(map(_says, item.goldens))]),
    ):
        if found:
            yield text.say(lang, count=f"{len(found):,}", all=f"{len(items):,}", line=found[0].line)


def _says(golden: Any) -> bool:
    return any(golden.values()) if isinstance(golden, Mapping) else bool(golden)


@click.group(help=texts.DATA_GROUP.say(LANG), short_help=texts.DATA_GROUP_SHORT.say(LANG))
def data() -> None:
    """Data sets; the help is in `evals.cli.help`."""


@data.command("list", help=texts.DATA_LIST.say(LANG))
@options.as_json
@click.pass_obj
def data_list(desk: Desk, /, *, as_json: bool) -> int:
    """All data sets."""
    kept = desk.library.every()
    if as_json:
        click.echo(json.dumps([facts_of(one) for one in kept], ensure_ascii=False))
        return FINE
    for one in kept:
        click.echo(f"{one.data.name}: {described(one, desk.settings.lang)}")
    return FINE


@data.command("remove", help=texts.DATA_REMOVE.say(LANG))
@click.argument("name", metavar="NAME")
@click.pass_obj
def data_remove(desk: Desk, /, name: str) -> int:
    """Forget a data set."""
    desk.library.remove(name)
    tell(_REMOVED.say(desk.settings.lang, name=name))
    return FINE


def items_of(kept: Kept) -> Sequence[Any]:
    """All items, or all cases of a suite. Raises `DataError`."""
    if kept.data.kind == "suite":
        from evals.suites import read_suite

        return read_suite(kept.path)
    from evals.kagentbench.data import read_items

    # What may be missing was decided when the data was opened.
    return read_items(kept.path, partial=True)


def described(kept: Kept, lang: Lang) -> str:
    """The counts and the hash on one line."""
    return _FACTS.say(
        lang, items=kept.data.items, types=_counts(kept.types), langs=_counts(kept.langs), sha256=kept.data.sha256
    )


def facts_of(kept: Kept) -> dict[str, Json]:
    """The same as JSON."""
    return {
        "name": kept.data.name,
        "kind": kept.data.kind,
        "sha256": kept.data.sha256,
        "items": kept.data.items,
        "types": dict(kept.types),
        "languages": dict(kept.langs),
        "templates": dict(kept.templates),
        "imported_at": kept.imported_at.isoformat() if kept.imported_at else None,
    }


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
