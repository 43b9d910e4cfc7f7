"""What `kagent-bench` says of itself, how options are read, and what its help costs."""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import evals.cli
from agent.language import Text, detect
from agent.llm.chat import ModelError
from agent.llm.endpoint import Endpoint
from evals import library, manifest, store
from evals.cli import commands, ending, options
from evals.cli import help as texts
from evals.cli.ending import Ended
from evals.cli.models import Choice, why
from evals.cli.options import Bound
from evals.cli.outputs import Outputs
from tests.support.pages import ROOT

MODULES = [
    importlib.import_module(f"evals.cli.{found.name}")
    for found in pkgutil.iter_modules(evals.cli.__path__)
    if found.name != "__main__"
]
TEXTS = {
    f"{module.__name__}.{name}": value
    for module in (*MODULES, library, manifest, store)
    for name, value in vars(module).items()
    if isinstance(value, Text)
}
FIELD = re.compile(r"\{[^}]*\}")


def every_command() -> Iterator[tuple[str, click.Command]]:
    """All commands by how they are called, those of groups included."""
    for name, command in commands.group.commands.items():
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {one}", found) for one, found in command.commands.items())


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_each_text_is_there_in_both_languages(name: str) -> None:
    # A text of nothing but fields is the same in both.
    english, chinese = (FIELD.sub("", text) for text in TEXTS[name])
    assert (detect(english, "en"), detect(chinese, "zh")) == ("en", "zh")


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_both_languages_show_the_same_commands(name: str) -> None:
    def shown(text: str) -> list[str]:
        lines = [line.split() for line in text.splitlines() if line.startswith("      kagent-bench ")]
        return [" ".join(words[:2]) for words in lines]

    assert shown(TEXTS[name].en) == shown(TEXTS[name].zh)


def test_every_command_stands_below_a_heading() -> None:
    named = [name for names in texts.HEADINGS.values() for name in names]
    assert set(commands.group.commands) <= set(named)


def test_the_page_about_the_command_line_has_every_command_and_option() -> None:
    page = (ROOT / "docs" / "cli.md").read_text("utf-8")
    section = page.partition("\n## kagent-bench\n")[2].partition("\n## ")[0]
    for name, command in every_command():
        assert f"`kagent-bench {name}" in section, name
        given = [option for one in command.params for option in one.opts if option.startswith("--")]
        hidden = {option for one in command.params if getattr(one, "hidden", False) for option in one.opts}
        assert [option for option in given if f"`{option}" not in section and option not in hidden] == [], name


def test_the_page_has_every_exit_status() -> None:
    page = (ROOT / "docs" / "cli.md").read_text("utf-8").partition("\n## kagent-bench\n")[2].partition("\n## ")[0]
    known = (ending.FINE, ending.NOT_MET, ending.WRONG, ending.NO_MODEL, ending.NOT_WRITTEN, ending.INTERRUPTED)
    for status in known:
        assert f"| {status} |" in page
        assert f"\n      {status} " in texts.MAIN.en
        assert f"\n      {status} " in texts.MAIN.zh


#: Packages that no help needs, and that cost more than all the rest of it.
HEAVY = {"pydantic", "rich", "sqlalchemy", "numpy", "matplotlib", "openai", "httpx2", "rapidfuzz", "orjson", "asyncio"}
LOADED = """
import sys
from evals.cli import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    print("loaded", ended.code, *sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"]])
def test_help_loads_nothing_that_it_does_not_need(arguments: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        env={"HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "LANG": "zh_CN.UTF-8"},
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    told = done.stdout.decode()
    status, *loaded = told.rpartition("loaded ")[2].split()
    assert status == "0"
    assert "评测" in told or "模型" in told
    assert HEAVY & set(loaded) <= {"asyncio"}


def test_types_are_known_by_the_numbers_that_they_count_for_too() -> None:
    assert options.types_of("profile, plan,REFLECTION") == ("plantooluse", "reflextion", "profile")
    assert options.types_of("") == ()


def test_templates_are_those_of_the_data_in_any_case() -> None:
    assert options.templates_of("react,Mine", ("ReACT", "AutoGPT", "Mine")) == ("ReACT", "Mine")


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (lambda: options.types_of("profil"), "--types doesn't know “profil”: choose from plantooluse"),
        (lambda: options.langs_of("fr"), "--lang doesn't know “fr”: choose from en, zh."),
        (lambda: options.templates_of("KAgent", ("ReACT",)), "--templates doesn't know “KAgent”: choose from ReACT."),
        (lambda: options.bounds_of(["overall"]), "--fail-under overall isn't METRIC=NUMBER"),
        (lambda: options.bounds_of(["speed=3"]), "--fail-under speed=3 isn't METRIC=NUMBER"),
        (lambda: options.bounds_of(["plan=140"]), "--fail-under plan=140 isn't METRIC=NUMBER"),
    ],
)
def test_what_an_option_does_not_know_is_said(read: object, said: str) -> None:
    with pytest.raises(Ended) as ended:
        read()  # type: ignore[operator]
    assert ended.value.status == ending.WRONG
    assert ended.value.text.en.startswith(said)


def test_a_bound_has_a_number_and_a_value() -> None:
    assert options.bounds_of(["overall=40", "Plan=30.5"]) == (Bound("overall", 40.0), Bound("plan", 30.5))


def test_a_bound_is_about_a_number_that_the_result_will_have() -> None:
    overall, rate = options.bounds_of(["overall=40"]), options.bounds_of(["pass=90"])
    options.check_bounds(overall, is_suite=False)
    options.check_bounds(rate, is_suite=True)
    options.check_bounds(options.bounds_of(["tooluse=1"]), is_suite=False, types=("plantooluse",))
    for bounds, is_suite, types in ((overall, True, ()), (rate, False, ()), (overall, False, ("profile",))):
        with pytest.raises(Ended) as ended:
            options.check_bounds(bounds, is_suite=is_suite, types=types)
        assert ended.value.status == ending.WRONG


def test_a_reader_who_has_gone_is_no_failure() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    said = "from evals.cli.program import put; put('a\\n' * 100_000); print('b')"
    with os.fdopen(writing, "wb") as pipe:
        done = subprocess.run([sys.executable, "-c", said], cwd=ROOT, stdout=pipe, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_who_named_an_address_is_told_of_options_and_not_of_settings() -> None:
    endpoint = Endpoint("http://gpu:8000/v1")
    at_address, configured = Choice("gpu", endpoint, by_address=True), Choice("gpu", endpoint)
    refused = ModelError("unauthorized", "401", host="gpu:8000")
    assert "--api-key-env" in why(at_address, refused).en
    assert "--api-key-env" not in why(configured, refused).en
    rejected = ModelError("rejected", "404: no such model", host="gpu:8000")
    assert "404: no such model" in why(at_address, rejected).zh


@pytest.mark.parametrize("place", ["missing/report.html", "file.txt/report.html", "folder"])
def test_an_output_that_can_not_be_written_is_told_before_the_work(tmp_path: Path, place: str) -> None:
    (tmp_path / "file.txt").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(Ended) as ended:
        Outputs(html=tmp_path / place).check([])
    assert ended.value.status == ending.NOT_WRITTEN
    assert str(tmp_path / place) in ended.value.text.zh


def test_an_output_takes_the_place_of_no_pipe_and_no_device(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Ended, match="is no ordinary file"):
        Outputs(html=tmp_path / "pipe").check([])
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize(("name", "said"), [("bars.svg", "Charts are PNG"), ("taken", "charts need a folder")])
def test_a_chart_has_a_place_that_charts_can_have(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(Ended, match=said):
        Outputs(chart=tmp_path / name).check([])


def test_an_output_is_no_input_and_no_other_output(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.touch()
    with pytest.raises(Ended, match="would be overwritten"):
        Outputs(predictions=(path,)).check([path])
    with pytest.raises(Ended, match="written twice"):
        Outputs(html=tmp_path / "b", predictions=(tmp_path / "b",)).check([path])


def test_trying_an_output_leaves_nothing_behind(tmp_path: Path) -> None:
    Outputs(html=tmp_path / "a.html", chart=tmp_path / "new" / "charts", predictions=(tmp_path / "p",)).check([])
    assert list(tmp_path.iterdir()) == []


def test_a_chart_is_a_folder_with_two_or_one_picture(tmp_path: Path) -> None:
    folder, picture = Outputs(chart=tmp_path / "charts"), Outputs(chart=tmp_path / "radar.PNG")
    charts = tmp_path / "charts"
    assert folder.pictures(b"r", b"b") == [(charts / "radar.png", b"r"), (charts / "bars.png", b"b")]
    assert picture.pictures(b"r", b"b") == [(tmp_path / "radar.PNG", b"r")]
    # A suite has no radar.
    assert folder.pictures(None, b"b") == [(charts / "bars.png", b"b")]
    assert picture.pictures(None, b"b") == [(tmp_path / "radar.PNG", b"b")]
    assert Outputs().pictures(b"r", b"b") == []
