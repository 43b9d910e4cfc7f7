"""``scripts/setup``: free when there is nothing to do, and one sentence when it can't go on."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Seconds that set-up may add to a command when everything is in place (it takes some 10 ms).
NOTHING_TO_DO = 2.0


def setup(folder: Path, mode: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [str(folder / "scripts" / "setup"), mode]
    variables = {name: value for name, value in os.environ.items() if name not in {"PYTHON", "MAKEFLAGS"}}
    return subprocess.run(
        command,
        env={**variables, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A folder with what set-up reads, and nothing of what it makes."""
    for name in ("scripts", "requirements"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_a_second_call_does_nothing_and_takes_no_time() -> None:
    first = setup(ROOT, "check")
    assert first.returncode == 0, first.stderr
    started = time.monotonic()
    second = setup(ROOT, "check")
    taken = time.monotonic() - started
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    assert taken < NOTHING_TO_DO


def test_a_python_that_does_not_exist_is_one_sentence(fresh: Path) -> None:
    done = setup(fresh, "run", PYTHON="/nowhere/python3")
    assert done.returncode == 1
    assert done.stderr == "setup: PYTHON=/nowhere/python3 is not a Python 3.11 or newer.\n"


def test_a_machine_without_python_is_one_sentence(fresh: Path) -> None:
    tools = fresh / "tools"
    tools.mkdir()
    for name in ("bash", "cat", "cmp", "dirname", "env", "mkdir"):
        tool = shutil.which(name)
        assert tool
        (tools / name).symlink_to(tool)
    done = setup(fresh, "run", PATH=str(tools))
    assert done.returncode == 1
    assert done.stderr == (
        "setup: no Python 3.11 or newer found: install one, or name it with PYTHON=/path/to/python3.\n"
    )


def test_a_package_that_cannot_be_installed_stops_with_the_reason(fresh: Path) -> None:
    # An index that has nothing: the folder itself.
    done = setup(fresh, "run", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(fresh), PIP_CONFIG_FILE=os.devnull)
    assert done.returncode == 1
    assert "No matching distribution found for hatchling" in done.stderr
    assert "setup: pip could not install requirements/build.txt" in done.stderr


def test_an_unknown_mode_is_refused_with_the_usage() -> None:
    done = setup(ROOT, "everything")
    assert done.returncode == 2
    assert done.stderr == "usage: scripts/setup run|check|test\n"
