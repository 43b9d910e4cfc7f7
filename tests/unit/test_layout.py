"""The rules of the tree that no other tool checks: rooms, file sizes, names, places, dependencies."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ROOMS = [ROOT / name for name in ("agent", "evals", "bot", "adapters") if (ROOT / name).is_dir()]
COMPOSITION = {
    *(ROOT / "bot" / name for name in ("app.py", "cli.py", "cli_help.py")),
    *(ROOT / "bot" / "settings").glob("*.py"),
    *(ROOT / "evals" / "cli").glob("*.py"),
}
LONGEST_FILE = 450
#: The comment that explains a longer one, followed by the reason.
LONG_FILE = re.compile(r"^# Long file: \w.{20,}", re.MULTILINE)

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PIN = re.compile(r"^(?P<name>[\w.-]+)(\[[\w,-]+])?==(?P<version>[\w.]+)( ;.*)?$")
ROW = re.compile(r"^\| (?P<name>[\w.-]+) \| (?P<version>\d[\w.]*) \| (?P<why>.+) \| (?P<instead>.+) \|$", re.MULTILINE)


def python_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def project_files() -> list[Path]:
    """Every file that is tracked by git, or would be with the next commit."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def text_of(path: Path) -> str:
    """The file's text; nothing if it is a picture or the like."""
    content = path.read_bytes()
    return "" if b"\0" in content else content.decode(errors="replace")


def imports_of(path: Path) -> set[str]:
    """The full names of the modules that a file imports, at whatever place in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes(), filename=str(path))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(requirements: list[str]) -> dict[str, str]:
    found = [PIN.match(requirement) for requirement in requirements]
    assert all(found), f"each dependency is pinned with ==: {requirements}"
    return {normalised(match["name"]): match["version"] for match in found if match}


def run_pins() -> dict[str, str]:
    return pins(PROJECT["project"]["dependencies"])


def group_pins(group: str) -> dict[str, str]:
    return pins(PROJECT["dependency-groups"][group])


def undeclared(files: list[Path], declared: set[str]) -> list[str]:
    """Imports of other people's packages that pyproject.toml doesn't name."""
    distributions = packages_distributions()
    own = {path.name for path in ROOT.iterdir() if path.is_dir()}
    found = []
    for path in files:
        for name in sorted({name.partition(".")[0] for name in imports_of(path)}):
            if name in sys.stdlib_module_names or name in own:
                continue
            providers = {normalised(distribution) for distribution in distributions.get(name, [])}
            if not providers & declared:
                found.append(f"{relative(path)}: {name}")
    return found


def test_every_room_says_in_its_docstring_what_it_is_for() -> None:
    folders = {path.parent for room in ROOMS for path in python_files(room)}
    silent = []
    for folder in sorted(folders):
        init = folder / "__init__.py"
        docstring = ast.get_docstring(ast.parse(init.read_text())) if init.is_file() else None
        words = len((docstring or "").split())
        # A room of its own says also what it must not do, which takes a few words more.
        if words < (20 if folder in ROOMS else 8):
            silent.append(f"{relative(init)}: {words} words")
    assert ROOMS
    assert silent == []


def test_a_long_file_says_why_it_is_long() -> None:
    long = []
    for path in (path for room in ROOMS for path in python_files(room)):
        text = path.read_text()
        if text.count("\n") > LONGEST_FILE and not LONG_FILE.search(text):
            long.append(relative(path))
    assert long == []


def test_no_platform_is_named_below_the_adapters() -> None:
    platforms = re.compile(r"slack|discord", re.IGNORECASE)
    found = []
    for path in project_files():
        if path.relative_to(ROOT).parts[0] not in {"agent", "evals", "bot"} or path in COMPOSITION:
            continue
        text = text_of(path)
        lines = [number for number, line in enumerate(text.splitlines(), 1) if platforms.search(line)]
        found += [f"{relative(path)}:{number}" for number in lines]
        if platforms.search(path.name):
            found.append(relative(path))
    assert found == []


def test_no_file_names_a_package_index_or_a_folder_of_some_machine() -> None:
    # Put together here, so that this file doesn't contain what it looks for.
    index_hosts = ["pypi" + ".org", "python" + "hosted.org", "npm" + "js.org", "deb.debian" + ".org"]
    options = ["--index" + "-url", "--extra-index" + "-url", "--find" + "-links"]
    places = re.compile(
        "|".join(re.escape(text) for text in [*index_hosts, *options])
        + r"|(?<![\w.~})-])/(?:ro"
        + r"ot|wo"
        + r"rk|home/\w+|Users/\w+|tmp/team)/"
    )
    found = []
    for path in project_files():
        for number, line in enumerate(text_of(path).splitlines(), 1):
            if match := places.search(line):
                found.append(f"{relative(path)}:{number}: {match[0]}")
    assert found == []


def test_the_agent_knows_no_web_server() -> None:
    found = [relative(path) for path in python_files(ROOT / "agent") if "aiohttp.web" in imports_of(path)]
    assert found == []


def test_no_room_imports_tests_or_benchmarks() -> None:
    found = []
    for path in (path for room in [*ROOMS, ROOT / "migrations"] for path in python_files(room)):
        roots = {name.partition(".")[0] for name in imports_of(path)}
        if roots & {"tests", "benchmarks", "scripts"}:
            found.append(relative(path))
    assert found == []


def test_import_linter_knows_every_room() -> None:
    with_code = {room.name for room in ROOMS if python_files(room)}
    assert set(PROJECT["tool"]["importlinter"]["root_packages"]) == with_code


def test_the_server_imports_only_packages_that_it_declares() -> None:
    files = [path for room in [*ROOMS, ROOT / "migrations"] for path in python_files(room)]
    assert undeclared(files, set(run_pins())) == []


def test_tests_and_benchmarks_import_only_packages_that_are_declared() -> None:
    files = [path for name in ("tests", "benchmarks", "scripts") for path in python_files(ROOT / name)]
    assert undeclared(files, {*run_pins(), *group_pins("test"), *group_pins("build")}) == []


def test_every_dependency_has_its_reason_and_every_reason_its_dependency() -> None:
    declared = {**run_pins(), **group_pins("test"), **group_pins("build"), **group_pins("model")}
    declared.update(pins(PROJECT["build-system"]["requires"]))
    lock_tool = re.search(r"^UV_VERSION=(\S+)$", (ROOT / "scripts" / "lock").read_text(), re.MULTILINE)
    assert lock_tool
    declared["uv"] = lock_tool[1]
    page = (ROOT / "docs" / "dependencies.md").read_text()
    assert {normalised(row["name"]): row["version"] for row in ROW.finditer(page)} == declared


def test_the_locks_hold_exactly_the_versions_of_the_project_file() -> None:
    for lock, wanted in (
        ("run", run_pins()),
        ("test", {**run_pins(), **group_pins("test")}),
        ("build", group_pins("build")),
        ("model", group_pins("model")),
    ):
        text = (ROOT / "requirements" / f"{lock}.txt").read_text()
        locked = dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))
        assert {name: locked.get(name) for name in wanted} == wanted, f"requirements/{lock}.txt: run `make lock`"


def test_every_locked_package_has_a_hash() -> None:
    for lock in sorted((ROOT / "requirements").glob("*.txt")):
        entries = re.split(r"^(?=[\w.-]+==)", lock.read_text(), flags=re.MULTILINE)[1:]
        assert entries
        assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
