"""What the commands say of themselves: in both languages, grouped, and complete."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.discord.setup import setup_help as discord_help
from adapters.slack.setup import setup_help
from adapters.terminal import kagentsys_help
from agent.language import Text, detect
from bot import cli_help, profile_help
from bot.cli import main
from tests.support.pages import ROOT

TEXTS = {
    f"{module.__name__}.{name}": value
    for module in (cli_help, profile_help, kagentsys_help, setup_help, discord_help)
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


#: Prints what each command and each of its options says of itself, by name.
SAYINGS = """
import json
from adapters.terminal.kagentsys import command as kagentsys
from bot.cli import main

found = {}
def add(name, command):
    found[name] = command.help
    options = (one for one in command.params if one.param_type_name == "option")
    found.update({f"{name} {one.opts[0]}": one.help for one in options})
    for inner, each in getattr(command, "commands", {}).items():
        add(f"{name} {inner}", each)
add("kagentbot", main)
add("kagentsys", kagentsys)
print(json.dumps(found))
"""


@pytest.mark.parametrize(("locale", "lang"), [("C.UTF-8", "en"), ("zh_CN.UTF-8", "zh")])
def test_every_command_and_option_explains_itself_in_the_language_of_the_terminal(
    locale: str, lang: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SAYINGS],
        env={"LANG": locale, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert {"kagentbot profile set --channel", "kagentbot chat --url", "kagentsys --id"} <= set(found)
    assert [name for name, said in found.items() if not said or detect(said) != lang] == []


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
