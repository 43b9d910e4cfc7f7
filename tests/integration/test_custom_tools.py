"""Tools of one's own in a server: named in the settings, offered by the page, and refused before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.agents import tools_of
from bot.cli import EXIT_SETTINGS, main
from bot.settings import SettingsError, load

DICE = Path(__file__).resolve().parents[2] / "examples" / "dice_tool.py"

ASK = "def ask(what: bytes) -> str:\n    '''Asks.\n\n    Args:\n        what: It.\n    '''\n"


def config(folder: Path, text: str) -> Path:
    file = folder / "kagentbot.toml"
    file.write_text(text, "utf-8")
    return file


def test_paths_of_tools_begin_beside_the_settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "dice.py").write_text(DICE.read_text("utf-8"), "utf-8")
    monkeypatch.chdir("/")
    settings = load(config(tmp_path, '[tools]\nfiles = ["own/dice.py"]\n'), {"HOME": str(tmp_path)})
    assert settings.tools.files == (tmp_path / "own" / "dice.py",)
    assert [tool.name for tool in tools_of(settings)][-1] == "roll_dice"


def test_a_broken_tool_is_told_in_the_language_of_the_settings(tmp_path: Path) -> None:
    settings = load(config(tmp_path, 'language = "zh"\n[tools]\nfiles = ["nosuch.py"]\n'), {"HOME": str(tmp_path)})
    with pytest.raises(SettingsError, match=r"无法加载 .*nosuch\.py 中的工具"):
        tools_of(settings)


@pytest.mark.parametrize("command", [["serve"], ["replay", "1"]])
def test_a_broken_tool_ends_the_start_with_one_sentence(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KAGENTBOT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KAGENTBOT_LANGUAGE", "en")
    (tmp_path / "mine.py").write_text(
        "def ask(what: bytes) -> str:\n    '''Asks.\n\n    Args:\n        what: It.\n    '''\n"
    )
    file = config(tmp_path, '[tools]\nfiles = ["mine.py"]\n')
    done = CliRunner().invoke(main, ["--config", str(file), *command])
    assert done.exit_code == EXIT_SETTINGS
    assert done.output.count("\n") == 1
    assert f"{tmp_path / 'mine.py'}: the function `ask` can't be a tool: TypeError" in done.output
    assert not (tmp_path / "data").exists()
