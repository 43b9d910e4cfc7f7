"""One HTML file for a report: opened from a disk, it asks nobody for anything.

Replies, prompts and names are other people's text. In the document they are escaped, in the data they are JSON without
a character that HTML or a script could take for markup, and the viewer makes text nodes of them; a policy in the
document allows its own style and script by their hashes and nothing else.
"""

from __future__ import annotations

import base64
import html as markup
import json
import re
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from agent.journal import Json
from agent.language import Lang, Text
from evals.report import words
from evals.report.grid import Grid

_STATIC = Path(__file__).with_name("static")
_LANGS: Final[tuple[Lang, ...]] = ("en", "zh")
#: Names of a manifest's fields that would be a secret, whoever put them there.
_SECRET = re.compile(r"key|token|secret|password|authorization", re.IGNORECASE)
#: In JSON within HTML: the ends of elements and comments, and what some scripts take for the end of a line.
_JSON_ESCAPES = {ord(ch): f"\\u{ord(ch):04x}" for ch in "<>&\u2028\u2029"}

#: What the switch to the other language says, in that language.
_OTHER_LANG: Final[Mapping[Lang, str]] = {"en": "中文", "zh": "English"}
_CHARTS = Text("Charts", "图表")
_MANIFEST = Text("Manifest", "运行清单")
_NO_SCRIPT = Text("The items can be read where scripts are allowed.", "启用脚本后可查看各条目。")

#: What any viewer says; its script looks these up by name.
VIEWER: Final[Mapping[str, Text]] = {
    "language": Text("Language", "语言"),
    "show": Text("Show", "筛选"),
    "order": Text("Order", "排序"),
    "any": Text("all", "全部"),
    "as_filed": Text("as in the file", "按文件顺序"),
    "en": words.LANG["en"],
    "zh": words.LANG["zh"],
    "earlier": Text("Earlier", "上一页"),
    "later": Text("Later", "下一页"),
    "page": Text("{from}–{to}", "{from}–{to}"),
    "line": Text("line {n}", "第 {n} 行"),
    "reply": Text("Reply", "回复"),
    "no_reply": Text("The reply is not in this report.", "本报告中没有该回复。"),
    "empty": Text("(empty)", "（空）"),
    "prompt": Text("Prompt", "提示词"),
    "broken": Text(
        "This part of the report can't be read; the file may be damaged.", "报告的这一部分无法读取，文件可能已损坏。"
    ),
}


def document(lang: Lang, title: str, article: Callable[[Lang], str], data: Json, texts: Mapping[str, Text]) -> str:
    """The whole page, in both languages, with `lang` shown first. Encodes to UTF-8 whatever models wrote.

    `article`: what is said in a language, as HTML. `data`, `texts`: what the viewer shows (`static/page.js`), and in
    which words.
    """
    style, script = ((_STATIC / name).read_text("utf-8") for name in ("page.css", "page.js"))
    said = {one: {name: text.say(one) for name, text in texts.items()} for one in _LANGS}
    articles = "".join(
        f'<main lang="{html_lang(one)}" data-lang="{one}"{"" if one == lang else " hidden"}>{article(one)}</main>\n'
        for one in _LANGS
    )
    page = f"""<!doctype html>
<html lang="{html_lang(lang)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_policy(style, script)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>{escaped(title)}</title>
<style>{style}</style>
</head>
<body>
{articles}
<script type="application/json" id="data">{_json(data)}</script>
<script type="application/json" id="texts">{_json(said)}</script>
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


def html_lang(lang: Lang) -> str:
    """The language as HTML calls it."""
    return "zh-CN" if lang == "zh" else "en"


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).translate(_JSON_ESCAPES)


def top(lang: Lang, title: str, model: str, line: str, mark: str, why: str, facts: str) -> str:
    """The head: whose report it is, the line, its mark if there is one and `why`, and a few facts."""
    marked = f'<p class="mark">{escaped(mark.strip())}<span>{escaped(why)}</span></p>' if mark else ""
    switch = f'<button type="button" class="switch" lang="{html_lang("en" if lang == "zh" else "zh")}">'
    return (
        f'<header><div class="row"><p class="eyebrow">{escaped(title)}</p>{switch}{_OTHER_LANG[lang]}</button></div>'
        f"<h1>{escaped(model)}</h1><p class=line><code>{escaped(line)}</code></p>{marked}"
        f"<p class=facts>{escaped(facts)}</p></header>"
    )


def section(title: str, body: str, name: str = "") -> str:
    """A part with its heading; `body` is HTML."""
    chosen = f' class="{name}"' if name else ""
    return f"<section{chosen}><h2>{escaped(title)}</h2>{body}</section>"


def charts(pictures: Iterable[tuple[bytes | None, Text]], lang: Lang) -> str:
    """Pictures, each with what it shows, as a section; "" where there are none."""
    shown = "".join(
        f'<img src="data:image/png;base64,{base64.b64encode(picture).decode()}" alt="{escaped(said.say(lang))}">'
        for picture, said in pictures
        if picture
    )
    return section(_CHARTS.say(lang), shown, "charts") if shown else ""


def items(title: str, lang: Lang) -> str:
    """Where the viewer will be."""
    body = f'<noscript><p>{_NO_SCRIPT.say(lang)}</p></noscript><div class="viewer"></div>'
    return section(title, body, "items")


def manifest(found: Mapping[str, Any] | None, lang: Lang) -> str:
    """A manifest as a section; "" for none."""
    return section(_MANIFEST.say(lang), f"<pre>{escaped(listed(found))}</pre>") if found else ""


def table(grid: Grid) -> str:
    """A table without its title."""
    head = "".join(f"<th scope=col{_side(grid, place)}>{escaped(cell)}</th>" for place, cell in enumerate(grid.head))
    rows = "".join(
        "<tr>"
        + "".join(
            f"<th scope=row>{escaped(cell)}</th>" if place == 0 else f"<td{_side(grid, place)}>{escaped(cell)}</td>"
            for place, cell in enumerate(row)
        )
        + "</tr>"
        for row in grid.rows
    )
    return (
        f'<div class="wide" tabindex=0 role=region aria-label="{escaped(grid.title)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _side(grid: Grid, place: int) -> str:
    return "" if grid.flush_left(place) else " class=n"


def bullets(said: Iterable[str]) -> str:
    """Sentences, one below the other."""
    return "<ul>" + "".join(f"<li>{escaped(one)}</li>" for one in said) + "</ul>"


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


def escaped(shown: str) -> str:
    """Text that is shown as it is."""
    return markup.escape(shown)
