"""What the commands say of themselves: in both languages, grouped, and complete."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from adapters.terminal import kagentsys_help
from agent.language import Text, detect
from bot import cli_help
from bot.cli import main
from tests.support.pages import ROOT

TEXTS = {
    f"{module.__name__}.{name}": value
    for module in (cli_help, kagentsys_help)
    for name, value in vars(module).items()
    if isinstance(value, Text)
}


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_each_text_of_help_is_there_in_both_languages(name: str) -> None:
    english, chinese = TEXTS[name]
    assert (detect(english), detect(chinese)) == ("en", "zh")


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_both_languages_show_the_same_commands(name: str) -> None:
    def commands(text: str) -> list[str]:
        lines = [line.split() for line in text.splitlines() if line.strip().startswith("kagentbot ")]
        return [" ".join(words[:2]) for words in lines]

    assert commands(TEXTS[name].en) == commands(TEXTS[name].zh)


def test_every_command_stands_below_a_heading() -> None:
    named = [name for names in cli_help.HEADINGS.values() for name in names]
    assert sorted(named) == sorted(main.commands)


def test_the_page_about_the_command_line_has_every_command_and_option() -> None:
    page = (ROOT / "docs" / "cli.md").read_text("utf-8")
    for name, command in main.commands.items():
        assert f"## kagentbot {name}\n" in page, name
        if name in ("chat", "profile"):
            # Their own pages and help tell their options.
            continue
        section = page.partition(f"## kagentbot {name}\n")[2].partition("\n## ")[0]
        options = [option for one in command.params for option in one.opts if option.startswith("--")]
        assert [option for option in options if f"`{option}" not in section] == [], name


@pytest.mark.parametrize(("locale", "heading"), [("C.UTF-8", "Run a server:"), ("zh_CN.UTF-8", "运行服务:")])
def test_help_speaks_the_language_of_the_terminal(locale: str, heading: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot.cli", "--help"],
        env={"LANG": locale, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    assert heading in done.stdout.decode()
