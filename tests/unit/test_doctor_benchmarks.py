"""What the doctor says of the data sets of benchmarks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.doctor.benchmarks import look_at_benchmarks
from evals.kagentbench.sample import sample_path
from evals.library import Library


def test_where_nothing_was_imported_nothing_is_said(tmp_path: Path) -> None:
    assert look_at_benchmarks(tmp_path, "en") == []


def test_data_sets_are_named_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    library = Library(tmp_path / "bench" / "data")
    kept = [library.add(sample_path(), name) for name in ("one", "two", "three")]
    kept[1].path.unlink()
    kept[2].path.with_suffix(".json").write_text("{")
    well, *broken = look_at_benchmarks(tmp_path, "en")
    assert (well.level, well.text) == ("ok", "benchmarks: data sets one")
    assert [line.level for line in broken] == ["warning", "warning"]
    assert {line.text.split()[4] for line in broken} == {"two", "three"}


@pytest.mark.parametrize("looked", ["stat", "iterdir"])
def test_a_folder_that_can_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looked: str) -> None:
    folder = tmp_path / "bench" / "data"
    folder.mkdir(parents=True)

    def closed(self: Path, **_: object) -> None:
        raise PermissionError(13, os.strerror(13), str(self))

    monkeypatch.setattr(Path, looked, closed)
    [line] = look_at_benchmarks(tmp_path, "zh")
    assert line.level == "warning"
    assert str(folder) in line.text
