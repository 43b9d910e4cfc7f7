"""What the READMEs and docs/ tell is so: their commands run, their settings are accepted, their links lead somewhere.

A comment above each block of commands says how it is checked:

    <!-- run -->                     it runs and ends well
    <!-- run: clean clone -->        the same, in an empty folder; it makes the checkout that all other blocks run in
    <!-- run: server -->             it starts a server, which answers a question and ends on SIGTERM
    <!-- run: beside a server -->    it runs while a server on the same data does
    <!-- run: by .ci/run -->         .ci/run runs these commands
    <!-- run: ARGS=... -->           it runs with these ARGS, because the whole of it would take minutes
    <!-- syntax: needs ... -->       it can't run here; what it needs is a GPU, a token or a program

The checkout is a clone of a commit of the working tree, so a change is tested before it is committed.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agent.llm import gguf
from bot.settings import load
from tests.support.pages import ROOT, Block, anchors_of, blocks_of, prose_of
from tests.support.postgres import PostgresServer
from tests.support.reader import Reader

READMES = ("README.md", "README_ZH.md")
PAGES = [*READMES, "CHANGELOG.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
#: The READMEs have the same commands, so those of one are enough.
PAGES_TO_RUN = [page for page in PAGES if page != "README_ZH.md"]

RUNS = ("", "clean clone", "server", "beside a server", "by .ci/run")
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
NAMED_FILE = re.compile(r"`((?:agent|bot|adapters|migrations|tests|docs|scripts|benchmarks|requirements)/[\w./-]*)`")

QUESTION = "How many days are there between 2024-02-28 and 2024-03-01?"
#: Seconds in which a clean clone has to answer its first question on two cores, downloads included.
FIRST_ANSWER = 180

#: What the pages leave open.
ADDRESS = "<address of this repository>"
GGUF = "/path/to/model.gguf"
POSTGRES = "postgresql://kagentbot:PASSWORD@localhost/kagentbot"
#: Addresses of model servers, and what answers there in the tests.
MODELS = {
    "http://localhost:8000/v1": "vllm",
    "http://localhost:8080/v1": "llama.cpp",
    "http://localhost:8001/v1": "llama_cpp.server",
}


# --- What can be told from reading


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_commands_says_how_it_is_checked(page: str) -> None:
    assert [str(block) for block in blocks_of(page, "bash", "shell", "console", "shell-session")] == []
    wrong = []
    for block in blocks_of(page, "sh"):
        right = block.how in RUNS or block.how.startswith("ARGS=") if block.kind == "run" else block.kind == "syntax"
        if not right or (block.kind == "syntax" and not block.how.startswith("needs ")):
            wrong.append(f"{block}: {block.kind} {block.how}")
    assert wrong == []


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_commands_is_valid_shell(page: str) -> None:
    for block in blocks_of(page, "sh"):
        done = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), str(block)


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_settings_is_accepted(page: str, tmp_path: Path) -> None:
    file = tmp_path / "kagentbot.toml"
    for block in blocks_of(page, "toml"):
        file.write_text(block.text, "utf-8")
        assert load(file, {"HOME": str(tmp_path)}).files, str(block)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file_or_a_heading(page: str) -> None:
    lost = []
    for _, _, target in LINK.findall(prose_of(page)):
        name, _, anchor = target.partition("#")
        if name.startswith("https://"):
            continue
        file = (ROOT / page).parent / name if name else ROOT / page
        known = file.resolve().is_relative_to(ROOT) and file.exists()
        if not known or (anchor and anchor not in anchors_of(str(file.resolve().relative_to(ROOT)))):
            lost.append(target)
    assert lost == []


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_is_there(page: str) -> None:
    assert [name for name in NAMED_FILE.findall(prose_of(page)) if not (ROOT / name).exists()] == []


def test_both_readmes_have_the_same_commands() -> None:
    english, chinese = ([(block.kind, block.how, block.text) for block in blocks_of(page, "sh")] for page in READMES)
    assert english == chinese


@pytest.mark.parametrize(("page", "other"), [READMES, READMES[::-1]])
def test_each_readme_links_to_the_other_at_its_top(page: str, other: str) -> None:
    top = prose_of(page).split("\n## ", 1)[0]
    assert other in [target for _, _, target in LINK.findall(top)]


@pytest.mark.parametrize("page", READMES)
def test_each_readme_shows_a_screenshot_and_says_what_is_on_it(page: str) -> None:
    pictures = [(words, ROOT / target) for bang, words, target in LINK.findall(prose_of(page)) if bang]
    assert pictures
    for words, file in pictures:
        assert words
        assert file.read_bytes().startswith(b"\x89PNG\r\n")


def test_the_changelog_tells_of_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert f"## {version}\n" in (ROOT / "CHANGELOG.md").read_text("utf-8")


# --- What has to be run


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose newest commit is the working tree."""
    folder = tmp_path_factory.mktemp("repository") / "of kagentbot"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    for name in git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        here, there = ROOT / name, folder / name
        if not here.is_file():
            if name and there.is_file():
                there.unlink()
        elif not there.is_file() or here.read_bytes() != there.read_bytes():
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(here, there)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "The working tree")
    return folder


@dataclass(frozen=True, slots=True)
class FirstRun:
    """What came of the first block of README.md."""

    #: The checkout that it made.
    checkout: Path
    said: str
    #: The turn that answered the question.
    turn: dict[str, Any]
    #: Files of the data folder after the end.
    left: list[str]


@pytest.fixture(scope="module")
def first_run(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> FirstRun:
    """The first block of README.md, run as it stands there."""
    folder = tmp_path_factory.mktemp("clean clone")
    block = blocks_of("README.md", "sh")[0]
    assert block.how == "clean clone"
    reader = Reader(folder / "home", folder, lambda text: text.replace(ADDRESS, f"'{repository}'"))
    with reader.serving(block, FIRST_ANSWER) as server:
        turn = server.ask(QUESTION)
    left = sorted(path.name for path in reader.database.parent.iterdir())
    return FirstRun(folder / "kagentbot", server.said, turn, left)


@contextlib.contextmanager
def fake_model(kind: str) -> Iterator[str]:
    """The address of a fake model server."""
    command = [sys.executable, "-m", "tests.fakes.llm", f"--kind={kind}", "--context=8192"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}/v1"
        process.kill()


@pytest.fixture
def fill(request: pytest.FixtureRequest) -> Iterator[Callable[[str], str]]:
    """Puts something real for what the pages leave open, and makes it as it is needed."""
    with contextlib.ExitStack() as stack:

        def database() -> str:
            postgres: PostgresServer = request.getfixturevalue("postgres")
            return stack.enter_context(postgres.empty_database())

        def model(kind: str) -> str:
            return stack.enter_context(fake_model(kind))

        made: dict[str, Callable[[], str]] = {
            GGUF: lambda: str(gguf.bundled()),
            POSTGRES: database,
            **{address: partial(model, kind) for address, kind in MODELS.items()},
        }

        def filled(text: str) -> str:
            for place, make in made.items():
                if place in text:
                    text = text.replace(place, make())
            return text

        yield filled


def test_make_run_from_a_clean_clone_answers_the_offered_question(first_run: FirstRun) -> None:
    assert first_run.turn["state"] == "answered"
    assert first_run.turn["text"].startswith("**2 days**")
    assert [step["tool"] for step in first_run.turn["steps"]] == ["time_delta"]


def test_make_run_from_a_clean_clone_says_where_the_data_is(first_run: FirstRun) -> None:
    assert "Conversations are kept in " in first_run.said
    assert "/home/.local/share/kagentbot/kagentbot.db\n" in first_run.said


def test_a_server_that_was_stopped_has_closed_its_database(first_run: FirstRun) -> None:
    assert first_run.left == ["kagentbot.db", "kagentbot.db.lock"]


@pytest.mark.parametrize("page", [page for page in PAGES_TO_RUN if blocks_of(page, "sh")])
def test_the_commands_of_a_page_work_one_after_the_other(
    page: str, first_run: FirstRun, tmp_path: Path, fill: Callable[[str], str]
) -> None:
    reader = Reader(tmp_path / "home", first_run.checkout, fill)
    start = Block(page, 0, "sh", "make run", "run", "server")
    with contextlib.ExitStack() as beside:
        running = False
        for block in blocks_of(page, "sh"):
            if running and block.how != "beside a server":
                beside.close()
                running = False
            if block.kind == "syntax" or block.how == "clean clone":
                continue
            if block.how == "by .ci/run":
                assert_ci_runs(block)
            elif block.how == "server":
                with reader.serving(block) as server:
                    check_answer(block, server.said, server.ask(QUESTION))
            elif block.how.startswith("ARGS="):
                # In our own checkout, which has the packages for that.
                reader.run(block, ROOT, ARGS=block.how.removeprefix("ARGS="))
            else:
                if block.how == "beside a server" and not running:
                    assert beside.enter_context(reader.serving(start)).ask(QUESTION)["state"] == "answered"
                    running = True
                reader.run(block)


def check_answer(block: Block, said: str, turn: dict[str, Any]) -> None:
    """An answer is there, and it is the model and the database of the block that it came from and went to."""
    assert (turn["state"], bool(turn["text"])) == ("answered", True), f"{block}: {turn}"
    # The demo model's server answers this question by a tool, and any other one by its model.
    another = any(place in block.text for place in (GGUF, *MODELS))
    assert bool(turn["model"]) is another, f"{block}: {turn}"
    assert ("kept in postgresql://" in said) is (POSTGRES in block.text), f"{block}: {said}"


def assert_ci_runs(block: Block) -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8").replace(" --no-print-directory", "")
    for command in filter(None, block.text.splitlines()):
        assert re.search(rf"^{re.escape(command)}\b", script, re.MULTILINE), f"{block}: {command}"
