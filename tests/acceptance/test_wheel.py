"""The built wheel, installed into an environment of its own, works from any directory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("agent", "evals", "bot", "adapters", "migrations")
#: Seconds for a command that does next to nothing, on a machine that is busy with other things.
LIMIT = 120


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout with no network and with the locked build backend."""
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel in it, and the dependencies of the running one within reach.

    Installing the dependencies again would take a network and most of a minute and would test pip; what is tested is
    our wheel. A ``.pth`` line puts the running environment's packages at the end of the path. ``.pth`` files in there
    are not followed, so the checkout, which is installed by one, stays out of reach: what the wheel lacks is missing.
    """
    folder = tmp_path_factory.mktemp("empty") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    pip("--python", str(python), "install", "--no-index", "--no-deps", str(wheel))
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


class Elsewhere:
    """Runs the installed commands in an empty folder, with an empty HOME and no other setting of this machine."""

    def __init__(self, environment: Path, folder: Path) -> None:
        self.bin = environment / "bin"
        self.home = folder / "home"
        self.cwd = folder / "somewhere else"
        self.home.mkdir()
        self.cwd.mkdir()

    def run(self, command: str, *arguments: str) -> str:
        done = subprocess.run(
            [str(self.bin / command), *arguments],
            cwd=self.cwd,
            env={"HOME": str(self.home), "PATH": os.defpath, "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def elsewhere(environment: Path, tmp_path: Path) -> Elsewhere:
    return Elsewhere(environment, tmp_path)


def test_the_wheel_carries_every_file_of_the_rooms(wheel: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-z", *ROOMS], cwd=ROOT, capture_output=True, check=True)
    tracked = {name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()}
    assert tracked
    assert tracked - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_the_wheel_carries_page_files_and_migrations(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert [name for name in names if name.startswith("adapters/web/static/") and name.endswith(".html")]
    assert [name for name in names if name.startswith("migrations/versions/") and name.endswith(".py")]


def test_the_wheel_carries_nothing_but_the_rooms(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.startswith("kagentbot-")} <= set(ROOMS)


def test_the_installed_rooms_are_the_wheels_own(elsewhere: Elsewhere, environment: Path) -> None:
    files = elsewhere.run("python", "-c", "import agent, bot, adapters; print(agent.__file__, bot.__file__)").split()
    assert [file for file in files if not Path(file).is_relative_to(environment)] == []


def test_the_installed_command_tells_its_version(elsewhere: Elsewhere) -> None:
    assert "0.1.0" in elsewhere.run("kagentbot", "version")


def test_the_installed_command_lists_its_subcommands(elsewhere: Elsewhere) -> None:
    text = elsewhere.run("kagentbot", "--help")
    assert [name for name in ("serve", "migrate", "doctor", "replay") if name not in text] == []


def test_the_installed_kagentsys_answers_and_leaves_nothing(elsewhere: Elsewhere) -> None:
    result = json.loads(elsewhere.run("kagentsys", "--query", "3 + 4 = ?", "--json"))
    assert (result["id"], "7" in result["response"]) == ("test", True)
    assert [path for path in elsewhere.home.rglob("*") if path.suffix == ".db"] == []


def test_the_installed_kagent_bench_has_its_sample(elsewhere: Elsewhere) -> None:
    assert elsewhere.run("kagent-bench", "data", "list").startswith("sample: 40 items")


def test_the_installed_command_makes_a_database_under_an_empty_home(elsewhere: Elsewhere) -> None:
    elsewhere.run("kagentbot", "migrate")
    written = [path for path in elsewhere.home.rglob("*") if path.is_file()]
    assert [path for path in written if path.read_bytes()[:15] == b"SQLite format 3"]
    assert list(elsewhere.cwd.iterdir()) == []
