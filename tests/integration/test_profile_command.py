"""`kagentbot profile`: what each command does and says."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main

EVERYWHERE = ("--workspace", "test:w")
PLACE = ("--channel", "test:w:talk")
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command on a fresh database, with no settings but those that a test gives."""
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(sqlite_template, data / "kagentbot.db")
    environment = {"HOME": str(tmp_path), "KAGENTBOT_DATA_DIR": str(data), "KAGENTBOT_LANGUAGE": "en"}

    def invoke(*arguments: str, **settings: str) -> Result:
        return CliRunner().invoke(main, ["profile", *arguments], env=environment | settings)

    return invoke


def test_values_of_a_place_are_set_and_shown_with_their_origin(run: Run) -> None:
    Path("rules.txt").write_text("Answer briefly.\nNever guess.\n")
    assert run("set", *EVERYWHERE, "lang=zh", "overlap=merge").output == "Version 1 of workspace test:w.\n"
    assert run("set", *PLACE, "agent_instructions=@rules.txt", "tool_names=calculator,时间差工具").exit_code == 0
    shown = run("show", *PLACE).output.splitlines()
    assert "lang                zh  [workspace test:w, version 1]" in shown
    assert "tool_names          calculator, 时间差工具  [channel test:w:talk, version 1]" in shown
    assert "agent_instructions  Answer briefly. Never guess.  [channel test:w:talk, version 1]" in shown
    assert "max_iter_num        5  [settings]" in shown


def test_setting_one_value_keeps_the_others(run: Run) -> None:
    run("set", *PLACE, "lang=zh")
    run("set", *PLACE, "overlap=merge")
    run("unset", *PLACE, "lang")
    shown = run("show", *PLACE).output
    assert "overlap             merge  [channel test:w:talk, version 3]" in shown
    assert "lang                auto  [settings]" in shown


def test_what_is_so_already_makes_no_version(run: Run) -> None:
    run("set", *PLACE, "lang=zh")
    assert run("set", *PLACE, "lang=zh").output == "Nothing to change: channel test:w:talk is at version 1.\n"


def test_versions_say_who_changed_what(run: Run) -> None:
    run("set", *PLACE, "lang=zh", "icon=🦉")
    run("unset", *PLACE, "icon")
    run("rollback", *PLACE, "1", LOGNAME="ann")
    listed = run("versions", *PLACE).output.splitlines()
    assert [line.split()[0] for line in listed] == ["3", "2", "1"]
    assert listed[0].endswith("  ann  icon  (brings back version 1)")
    assert listed[2].endswith("icon, lang")


def test_versions_are_compared(run: Run) -> None:
    run("set", *PLACE, "lang=zh", "agent_bio=one\ntwo")
    run("set", *PLACE, "agent_bio=one\nthree", "icon=🦉")
    assert run("diff", *PLACE, "1", "2").output.splitlines() == [
        "icon",
        "  - (inherited)",
        "  + 🦉",
        "agent_bio",
        "  - two",
        "  + three",
    ]
    assert run("diff", *PLACE, "2", "2").output == "No difference.\n"


def test_a_channel_may_be_named_beside_its_workspace(run: Run) -> None:
    run("set", *EVERYWHERE, "--channel", "talk", "lang=zh")
    assert "lang                zh  [channel test:w:talk, version 1]" in run("show", *PLACE).output


def test_what_a_terminal_would_obey_is_not_printed(run: Run) -> None:
    run("set", *PLACE, "agent_bio=\x1b[31mred\u202eder")
    assert "agent_bio           [31mredder  [channel" in run("show", *PLACE).output


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("set", *EVERYWHERE, "lang=klingon"),
        ("set", *EVERYWHERE, "tool_names=nosuch"),
        ("set", *EVERYWHERE, "icon=robot"),
        ("set", *EVERYWHERE, "colour=red"),
        ("set", *EVERYWHERE, "lang"),
        ("set", *EVERYWHERE, "agent_bio=@nowhere.txt"),
        ("set", "lang=zh"),
        ("set", *EVERYWHERE, "--conversation", "test:1", "lang=zh"),
        ("show", "--conversation", "test:nowhere"),
        ("show", "--channel", "general"),
        ("show", "--workspace", "x" * 300),
        ("rollback", *EVERYWHERE, "9"),
        ("diff", *EVERYWHERE, "0", "9"),
        ("unset", *EVERYWHERE, "colour"),
    ],
    ids=" ".join,
)
def test_what_is_wrong_is_one_line_that_says_what_to_do(run: Run, arguments: tuple[str, ...], lang: str) -> None:
    done = run(*arguments, KAGENTBOT_LANGUAGE=lang)
    assert (done.exit_code, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert any("\u4e00" <= ch <= "\u9fff" for ch in done.stderr) is (lang == "zh")


def test_every_value_that_is_wrong_has_its_sentence(run: Run) -> None:
    done = run("set", *EVERYWHERE, "lang=klingon", "max_iter_num=many", "tool_names=nosuch")
    assert [line.split()[0] for line in done.stderr.splitlines()] == ["`lang`", "`max_iter_num`", "`tool_names`"]


def test_a_model_that_no_endpoint_has_is_named_and_set_all_the_same(run: Run) -> None:
    known = {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "OPENAI_MODEL": "big"}
    assert run("set", *PLACE, "model=big", **known).stderr == ""
    done = run("set", *PLACE, "model=huge", **known)
    assert (done.exit_code, done.stdout) == (0, "Version 2 of channel test:w:talk.\n")
    assert "huge" in done.stderr
    # Without a name in the settings, only the endpoint knows.
    assert run("set", *PLACE, "model=tiny", OPENAI_BASE_URL="http://127.0.0.1:9/v1").stderr == ""


def test_without_a_database_it_says_what_to_do(run: Run, tmp_path: Path) -> None:
    done = run("show", KAGENTBOT_DATA_DIR=str(tmp_path / "none"))
    assert (done.exit_code, done.stdout) == (1, "")
    assert "kagentbot migrate" in done.stderr
    assert not (tmp_path / "none").exists()


def test_help_teaches_by_examples(run: Run) -> None:
    said = run("--help").output
    for command in ("show", "set", "unset", "versions", "diff", "rollback", "places"):
        assert f"kagentbot profile {command}" in said
