"""The report as one HTML file: opened from a disk, it asks nobody for anything.

Replies, prompts and names are other people's text. In the document they are escaped, in the data they are JSON without
a character that HTML or a script could take for markup, and the viewer makes text nodes of them; a policy in the
document allows its own style and script by their hashes and nothing else.
"""

from __future__ import annotations

import base64
import html as markup
import json
import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from agent.journal import Json
from agent.language import Lang, Text
from evals.report import compare, leaderboard, table, words
from evals.report.charts import Charts
from evals.report.compare import Comparison
from evals.report.grid import Grid
from evals.report.summary import Summary
from evals.report.viewing import View, viewer

_STATIC = Path(__file__).with_name("static")
_LANGS: Final[tuple[Lang, ...]] = ("en", "zh")
#: Names of a manifest's fields that would be a secret, whoever put them there.
_SECRET = re.compile(r"key|token|secret|password|authorization", re.IGNORECASE)
#: In JSON within HTML: the ends of elements and comments, and what some scripts take for the end of a line.
_JSON_ESCAPES = {ord(ch): f"\\u{ord(ch):04x}" for ch in "<>&\u2028\u2029"}

_TITLE = Text("KAgentBench report", "KAgentBench 报告")
#: What the switch to the other language says, in that language.
_OTHER_LANG: Final[Mapping[Lang, str]] = {"en": "中文", "zh": "English"}
_MARKS = Text(
    "Marked because it is not a complete, unconstrained run over a file in the official form: it is not comparable "
    "with the published rows.",
    "带有标记，说明它不是在官方格式文件上完整、无约束的运行，不能与官方公布的结果比较。",
)
_NOTES = Text("Notes", "说明")
_COMPARISON = Text("Difference", "变化")
_CHARTS = Text("Charts", "图表")
_RADAR = Text("Radar chart of the five numbers; they are in the table, too.", "五项得分的雷达图，数值见表格。")
_BARS = Text(
    "Bars of all numbers with their intervals; they are in the tables, too.", "各项得分及区间的条形图，数值见表格。"
)
_ITEMS = Text("Items", "条目")
_MANIFEST = Text("Manifest", "运行清单")
_NO_SCRIPT = Text("The items can be read where scripts are allowed.", "启用脚本后可查看各条目。")

#: What the viewer says; its script looks these up by name.
_VIEWER: Final = {
    "type": Text("Type", "类型"),
    "template": words.TEMPLATE_HEAD,
    "language": Text("Language", "语言"),
    "show": Text("Show", "筛选"),
    "order": Text("Order", "排序"),
    "search": Text("Search query or id", "搜索问题或编号"),
    "any": Text("all", "全部"),
    "unreadable": Text("unreadable", "无法解析"),
    "wrong": Text("wrong tool", "工具错误"),
    "raised": Text("published scorer ends", "会使官方评分程序中止"),
    "as_filed": Text("as in the file", "按文件顺序"),
    "worst": Text("lowest score first", "得分从低到高"),
    "best": Text("highest score first", "得分从高到低"),
    "en": words.LANG["en"],
    "zh": words.LANG["zh"],
    "found": Text("{n} of {all} items", "共 {all} 条，符合 {n} 条"),
    "none": Text("No item is like this.", "没有符合条件的条目。"),
    "earlier": Text("Earlier", "上一页"),
    "later": Text("Later", "下一页"),
    "page": Text("{from}–{to}", "{from}–{to}"),
    "choose": Text(
        "Choose an item to see its prompts, replies and goldens.", "选择一个条目，查看提示词、回复和标准答案。"
    ),
    "line": Text("line {n}", "第 {n} 行"),
    "reply": Text("Reply", "回复"),
    "no_reply": Text("The reply is not in this report.", "本报告中没有该回复。"),
    "empty": Text("(empty)", "（空）"),
    "read": Text("What was read", "解析结果"),
    "thought": Text("thought", "思考 thought"),
    "tool": Text("tool", "工具 tool"),
    "args": Text("arguments", "参数 args"),
    "prompt": Text("Prompt", "提示词"),
    "goldens": Text("Goldens ({n})", "标准答案（{n}）"),
    "more": Text("{n} more are not shown.", "另有 {n} 条未显示。"),
    "raises": Text("The published scorer ends here: {why}", "官方评分程序会在此中止：{why}"),
    "right": Text("right tool", "工具正确"),
    "broken": Text(
        "This part of the report can't be read; the file may be damaged.", "报告的这一部分无法读取，文件可能已损坏。"
    ),
    **{f"number_{number}": said for number, said in words.NUMBER.items()},
}


def html(
    summary: Summary,
    lang: Lang,
    *,
    charts: Charts | None = None,
    comparison: Comparison | None = None,
    manifest: Mapping[str, Any] | None = None,
    views: Iterable[View] = (),
) -> str:
    """The whole page, in both languages, with `lang` shown first. Encodes to UTF-8 whatever models wrote.

    Without `views` it has no list of items. Some 0.1 s of CPU per 100 items: not for an event loop.
    """
    data = viewer(views)
    style, script = ((_STATIC / name).read_text("utf-8") for name in ("page.css", "page.js"))
    texts = {one: {name: text.say(one) for name, text in _VIEWER.items()} for one in _LANGS}
    articles = "".join(
        _article(one, lang, summary, charts, comparison, manifest, bool(data["index"])) for one in _LANGS
    )
    title = markup.escape(f"{summary.mark}{summary.model} · {_TITLE.say(lang)}")
    page = f"""<!doctype html>
<html lang="{_html_lang(lang)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_policy(style, script)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{articles}
<script type="application/json" id="data">{_json(data)}</script>
<script type="application/json" id="texts">{_json(texts)}</script>
<script>{script}</script>
</body>
</html>
"""
    # Half a surrogate pair can't be written to a file.
    return page.encode("utf-8", "replace").decode("utf-8")


def _policy(style: str, script: str) -> str:
    hashes = {name: base64.b64encode(sha256(text.encode()).digest()).decode() for name, text in
              (("style", style), ("script", script))}  # fmt: skip
    return (
        f"default-src 'none'; style-src 'sha256-{hashes['style']}'; script-src 'sha256-{hashes['script']}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _html_lang(lang: Lang) -> str:
    return "zh-CN" if lang == "zh" else "en"


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).translate(_JSON_ESCAPES)


def _article(
    lang: Lang,
    shown: Lang,
    summary: Summary,
    charts: Charts | None,
    comparison: Comparison | None,
    manifest: Mapping[str, Any] | None,
    items: bool,
) -> str:
    """All of the page in one language; the other one is there and hidden."""
    parts = [_top(lang, summary)]
    if charts:
        parts.append(_section(_CHARTS.say(lang), _pictures(charts, lang), "charts"))
    parts += [_section(one.title, _table(one)) for one in table.grids(summary, lang)]
    notes = table.notes(summary, lang) + (leaderboard.notes([summary], lang) if summary.comparable else [])
    parts.append(_section(_NOTES.say(lang), _list(notes)))
    if comparison:
        grids = "".join(f"<h3>{_text(one.title)}</h3>{_table(one)}" for one in compare.grids(comparison, lang))
        parts.append(_section(_COMPARISON.say(lang), _list(compare.verdict(comparison, lang)) + grids))
    if items:
        body = f'<noscript><p>{_NO_SCRIPT.say(lang)}</p></noscript><div class="viewer"></div>'
        parts.append(_section(_ITEMS.say(lang), body, "items"))
    if manifest:
        parts.append(_section(_MANIFEST.say(lang), f"<pre>{_text(listed(manifest))}</pre>"))
    hidden = "" if lang == shown else " hidden"
    return f'<main lang="{_html_lang(lang)}" data-lang="{lang}"{hidden}>{"".join(parts)}</main>\n'


def _top(lang: Lang, summary: Summary) -> str:
    mark = f'<p class="mark">{_text(summary.mark.strip())}<span>{_MARKS.say(lang)}</span></p>' if summary.mark else ""
    switch = f'<button type="button" class="switch" lang="{_html_lang("en" if lang == "zh" else "zh")}">'
    return (
        f'<header><div class="row"><p class="eyebrow">{_TITLE.say(lang)}</p>{switch}{_OTHER_LANG[lang]}</button>'
        f"</div>"
        f"<h1>{_text(summary.model)}</h1><p class=line><code>{_text(summary.line)}</code></p>{mark}"
        f"<p class=facts>{_text(summary.spec.data.name)} · {_ITEMS.say(lang)}: {words.count(summary.items)} · "
        f"{words.REPLIES.say(lang)}: {words.count(summary.replies)}</p></header>"
    )


def _section(title: str, body: str, name: str = "") -> str:
    chosen = f' class="{name}"' if name else ""
    return f"<section{chosen}><h2>{_text(title)}</h2>{body}</section>"


def _pictures(charts: Charts, lang: Lang) -> str:
    return "".join(
        f'<img src="data:image/png;base64,{base64.b64encode(picture).decode()}" alt="{_text(said.say(lang))}">'
        for picture, said in ((charts.radar, _RADAR), (charts.bars, _BARS))
    )


def _table(grid: Grid) -> str:
    head = "".join(f"<th scope=col{_side(grid, place)}>{_text(cell)}</th>" for place, cell in enumerate(grid.head))
    rows = "".join(
        "<tr>"
        + "".join(
            f"<th scope=row>{_text(cell)}</th>" if place == 0 else f"<td{_side(grid, place)}>{_text(cell)}</td>"
            for place, cell in enumerate(row)
        )
        + "</tr>"
        for row in grid.rows
    )
    return (
        f'<div class="wide" tabindex=0 role=region aria-label="{_text(grid.title)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _side(grid: Grid, place: int) -> str:
    return "" if grid.flush_left(place) else " class=n"


def _list(said: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{_text(one)}</li>" for one in said) + "</ul>"


def listed(manifest: Mapping[str, Any]) -> str:
    """A manifest for people, without anything that is called a secret."""
    return json.dumps(_open(manifest), ensure_ascii=False, indent=2, default=str)


def _open(value: Any) -> Any:
    """A manifest without anything that is called a secret."""
    if isinstance(value, Mapping):
        return {
            str(name): "…" if _SECRET.search(str(name)) and not isinstance(inner, int | float) else _open(inner)
            for name, inner in value.items()
        }
    return [_open(one) for one in value] if isinstance(value, list | tuple) else value


def _text(shown: str) -> str:
    return markup.escape(shown)
