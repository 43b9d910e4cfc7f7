"""click's own words in Chinese: all that the installed version has, and none that it hasn't."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import click
import pytest

from bot.click_words import MODULES, WORDS
from tests.support.pages import ROOT

#: Windows alone has this module.
ELSEWHERE = "_winconsole"
FILES = [path for path in sorted(Path(click.__file__).parent.glob("*.py")) if path.stem != ELSEWHERE]


def marked(tree: ast.Module) -> Iterator[str]:
    """The words that a module of click hands to gettext."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "ngettext"):
            words = node.args[: 2 if node.func.id == "ngettext" else 1]
            # `_(extra["required"])` is the one place that names its words elsewhere.
            yield from (
                str(ast.literal_eval(word.slice if isinstance(word, ast.Subscript) else word))
                for word in words
                if isinstance(word, ast.Constant | ast.Subscript)
            )


def asks_gettext(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.ImportFrom) and node.module == "gettext" for node in ast.walk(tree))


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_each_word_of_click_is_there_once() -> None:
    found = {word for path in FILES for word in marked(ast.parse(path.read_text("utf-8")))}
    assert len(found) > 60
    assert Counter(words.en for words in WORDS) == Counter(found)


def test_each_module_of_click_that_asks_gettext_is_reached() -> None:
    asking = [path.stem for path in FILES if asks_gettext(ast.parse(path.read_text("utf-8")))]
    assert sorted(MODULES) == asking


@pytest.mark.parametrize("words", WORDS, ids=lambda words: words.en)
def test_the_chinese_has_the_same_gaps_and_can_be_filled(words: tuple[str, str]) -> None:
    english, chinese = words
    assert gaps(chinese) == gaps(english)
    assert chinese.format_map(dict.fromkeys(gaps(chinese), "x"))


def said(locale: str, folder: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        env={"LANG": locale, "HOME": str(folder), "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        cwd=folder,
        capture_output=True,
        check=False,
    )
    return (done.stdout + done.stderr).decode()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("bot.cli", "profile", "--help"), ("用法:", "选项:", "命令:", "显示本说明并退出。")),
        (("bot.cli", "serve", "--port", "many"), ("运行 '", "错误：'--port' 的值无效：'many' 不是有效的数字。")),
        (("bot.cli", "serve", "--hlp"), ("没有选项 '--hlp'。", "你是不是想用 '--help'？")),
        (("bot.cli", "init", "--folder", __file__), (f"目录 '{__file__}' 是一个文件。",)),
        (("adapters.terminal.kagentsys", "--help"), ("用法:", "[默认：test]")),
        (("adapters.terminal.kagentsys", "--lang=fr"), ("'--lang' 的值无效：'fr' 不在可选值 'en', 'zh' 之中（",)),
    ],
)
def test_a_chinese_terminal_reads_chinese(command: tuple[str, ...], words: tuple[str, ...], tmp_path: Path) -> None:
    found = said("zh_CN.UTF-8", tmp_path, *command)
    assert [word for word in words if word not in found] == [], found
    english = ("Usage", "Options:", "Commands:", "Show this", "Try ", "Error", "No such", "Invalid", "default:")
    assert [word for word in english if word in found] == []


def test_an_english_terminal_reads_english(tmp_path: Path) -> None:
    found = said("C.UTF-8", tmp_path, "bot.cli", "serve", "--port", "many")
    assert "Error: Invalid value for '--port': 'many' is not a valid integer range." in found
