"""Settings of Discord: what a value may be, and that what is wrong says how it is right."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.settings import Settings, SettingsError, load
from tests.support.pages import ROOT


def settings(folder: Path, **environ: str) -> Settings:
    return load(environ={"HOME": str(folder), **environ})


def toml(folder: Path, text: str) -> Settings:
    file = folder / "kagentbot.toml"
    file.write_text(text)
    return load(file, environ={"HOME": str(folder)})


def test_without_a_token_discord_is_not_used(tmp_path: Path) -> None:
    assert not settings(tmp_path, KAGENTBOT_DISCORD__SERVERS="112233").uses_discord


def test_with_a_token_it_is_and_serves_nobody_yet(tmp_path: Path) -> None:
    found = settings(tmp_path, DISCORD_TOKEN="a.b.c")

    assert found.uses_discord
    assert found.discord.servers == ()
    assert found.unused() == []


def test_the_token_is_never_shown(tmp_path: Path) -> None:
    found = settings(tmp_path, DISCORD_TOKEN="a.b.very-secret")

    assert "very-secret" not in f"{found!r}{found}"


@pytest.mark.parametrize("written", ['["112233445566778899"]', "[112233445566778899]"])
def test_ids_may_be_written_as_numbers(tmp_path: Path, written: str) -> None:
    assert toml(tmp_path, f"[discord]\nservers = {written}\n").discord.servers == ("112233445566778899",)


@pytest.mark.parametrize("wrong", ['["Lighthouse"]', "[true]", "[-5]", '["012345"]', "[1.5]", '["1"]'])
def test_what_is_no_id_is_refused_with_an_example(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(SettingsError) as caught:
        toml(tmp_path, f"[discord]\nservers = {wrong}\n")

    assert '["112233445566778899"]' in str(caught.value)


@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [
        ("message_content", '"always"', '"auto", "off"'),
        ("persona", '"perhaps"', "true or false"),
        ("gateway_url", '"https://gateway.discord.gg"', "wss://"),
        ("gateway_url", '"wss://host:0"', "wss://"),
        ("api_url", '"discord.com"', "https://"),
    ],
)
def test_a_wrong_value_is_refused_with_what_would_be_right(tmp_path: Path, name: str, wrong: str, right: str) -> None:
    with pytest.raises(SettingsError) as caught:
        toml(tmp_path, f"[discord]\n{name} = {wrong}\n")

    assert f"discord.{name}" in str(caught.value)
    assert right in str(caught.value)


#: Prints which of these were loaded by the command line and its help.
_LOADED = """
import json, sys
import bot.cli, bot.app
from adapters.discord.setup import doctor
names = ("discord", "aiohttp.client", "adapters.discord.connection.rest", "adapters.discord.connection.connection")
print(json.dumps([name for name in names if name in sys.modules]))
"""


def test_neither_the_command_line_nor_a_server_without_discord_loads_its_library(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOADED],
        env={"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    loaded: Any = json.loads(done.stdout)

    assert [name for name in loaded if "discord" in name] == []
