"""The data sets of this installation: the sample, and files that were imported, each checked once and kept by name.

    data/NAME.jsonl    the file as it was given, byte for byte
    data/NAME.json     what was found when it was checked: kind, hash, counts

A server and the command line use the same folder.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from agent.language import Text, TextError
from evals.files import replace_file, sync_folder
from evals.kagentbench.sample import SAMPLE_NAME, is_sample, sample_path
from evals.runs import DataKind, DataSet

_NAME: Final = re.compile(r"\w[\w.-]{0,59}")
_PIECE: Final = 1 << 20

_BAD_NAME = Text(
    "“{name}” can't be the name of a data set: take letters, digits, dots, hyphens and underscores, at most 60.",
    "“{name}” 不能用作数据集的名称：请用字母、数字、点、连字符和下划线，最多 60 个字符。",
)
_RESERVED = Text(
    "“sample” is the data set that comes with kagent-bench: choose another name.",
    "“sample”是 kagent-bench 自带的数据集：请换一个名称。",
)
_TAKEN = Text(
    "There is another data set called “{name}”: choose another name, or remove that one first.",
    "已有另一个名为“{name}”的数据集：请换一个名称，或先删除原来的。",
)
_UNKNOWN = Text(
    "There is no file and no data set called “{name}”; the data sets are: {known}.",
    "没有名为“{name}”的文件或数据集；现有数据集：{known}。",
)
_NOT_OURS = Text("“sample” comes with kagent-bench and can't be removed.", "“sample”是 kagent-bench 自带的，无法删除。")


class LibraryError(TextError):
    """A data set that can't be had or kept; `text` is one sentence for people."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A data set that was checked."""

    data: DataSet
    path: Path
    #: Items by type; of a suite, all below `suite`.
    types: Mapping[str, int] = field(default_factory=dict)
    #: Items by language.
    langs: Mapping[str, int] = field(default_factory=dict)
    #: Prompts by template.
    templates: Mapping[str, int] = field(default_factory=dict)
    #: UTC; None for the sample.
    imported_at: datetime | None = None


class Library:
    """The data sets in a folder, and the sample. Everything here blocks while it reads."""

    def __init__(self, folder: Path) -> None:
        """The folder is made with the first import."""
        self._folder = folder

    def every(self) -> Sequence[Kept]:
        """The sample, then what was imported, by name."""
        return [_sample(), *self._imported()]

    def names(self) -> Sequence[str]:
        """What `find` finds."""
        files = self._folder.glob("*.json") if self._folder.is_dir() else ()
        return [SAMPLE_NAME, *sorted(path.stem for path in files if _NAME.fullmatch(path.stem))]

    def find(self, name: str) -> Kept | None:
        """The data set of this name."""
        if name == SAMPLE_NAME:
            return _sample()
        return self._kept(name) if _NAME.fullmatch(name) else None

    def open(self, given: str, *, partial: bool = False) -> Kept:
        """A file, checked now, or the data set of this name. Raises `LibraryError`, and what `check` raises."""
        path = Path(given)
        if path.is_file() or path.suffix in (".jsonl", ".json") or len(path.parts) > 1:
            return check(path, partial=partial)
        found = self.find(given)
        if found is None:
            raise self._unknown(given)
        return found

    def add(self, source: Path, name: str = "", *, partial: bool = False) -> Kept:
        """Check a file and keep a copy, by default under its own name. The same file again changes nothing.

        Raises `DataError` for what is wrong with the file, `LibraryError` for its name, `OSError`.
        """
        name = name or re.sub(r"[^\w.-]+", "-", source.stem).strip(".-")[:60]
        if name == SAMPLE_NAME:
            raise LibraryError(_RESERVED)
        if not _NAME.fullmatch(name):
            raise LibraryError(_BAD_NAME, name=name)
        checked = check(source, name, partial=partial)
        there = self.find(name)
        if there is not None and there.data.sha256 == checked.data.sha256:
            return there
        if there is not None:
            raise LibraryError(_TAKEN, name=name)
        made = Kept(
            checked.data,
            self._folder / f"{name}.jsonl",
            checked.types,
            checked.langs,
            checked.templates,
            datetime.now(UTC),
        )
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(made.path, _pieces(source))
        # Last: what has no facts is no data set.
        replace_file(self._facts(name), _json(made))
        return made

    def suite_file(self, name: str) -> Path:
        """Where the suite of this name is, or would be; its folder is made. Raises `LibraryError`, `OSError`."""
        if name == SAMPLE_NAME:
            raise LibraryError(_RESERVED)
        if not _NAME.fullmatch(name):
            raise LibraryError(_BAD_NAME, name=name)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._folder / f"{name}.jsonl"

    def changed(self, name: str) -> Kept | None:
        """Check a file again that was changed in its place; None, and forgotten, where nothing is left of it.

        Raises `DataError` for what is wrong with it, `OSError`.
        """
        path = self._folder / f"{name}.jsonl"
        if not path.exists() or path.stat().st_size == 0:
            self._facts(name).unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            return None
        checked = check(path, name, partial=True)
        found = replace(checked, imported_at=datetime.now(UTC))
        replace_file(self._facts(name), _json(found))
        return found

    def remove(self, name: str) -> None:
        """Forget a data set; runs with it stay. Raises `LibraryError`, `OSError`."""
        if name == SAMPLE_NAME:
            raise LibraryError(_NOT_OURS)
        kept = self.find(name)
        if kept is None:
            raise self._unknown(name)
        self._facts(name).unlink()
        kept.path.unlink(missing_ok=True)
        sync_folder(self._folder)

    def _unknown(self, name: str) -> LibraryError:
        return LibraryError(_UNKNOWN, name=name[:200], known=", ".join(f"“{known}”" for known in self.names()))

    def _imported(self) -> Iterator[Kept]:
        for name in self.names()[1:]:
            if (kept := self._kept(name)) is not None:
                yield kept

    def _kept(self, name: str) -> Kept | None:
        path = self._folder / f"{name}.jsonl"
        try:
            found = json.loads(self._facts(name).read_bytes())
            data = DataSet(**found["data"])
            imported_at = datetime.fromisoformat(found["imported_at"])
            return Kept(data, path, found["types"], found["langs"], found["templates"], imported_at)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _facts(self, name: str) -> Path:
        return self._folder / f"{name}.json"


def check(path: Path, name: str = "", *, partial: bool = False) -> Kept:
    """Read a whole file, official or suite. `partial`: a type may be missing.

    Raises `evals.kagentbench.data.DataError` for whatever is wrong with it.
    """
    from evals.kagentbench.data import sha256_of

    if is_suite(path):
        return _checked_suite(path, name)
    sha256 = sha256_of(path)
    kind: DataKind = "sample" if is_sample(sha256) else "official"
    return _official(path, name or path.name, kind, sha256, partial=partial)


def is_suite(path: Path) -> bool:
    """Whether a file's first line is an item of a suite; False for what can't be read at all."""
    if not path.is_file():  # opening a pipe may wait for ever
        return False
    try:
        with path.open("rb") as file:
            first = json.loads(file.readline(_PIECE))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(first, dict) and "checks" in first and "type" not in first


def _sample() -> Kept:
    from evals.kagentbench.data import sha256_of

    path = sample_path()
    return _official(path, SAMPLE_NAME, "sample", sha256_of(path))


def _official(path: Path, name: str, kind: DataKind, sha256: str, *, partial: bool = False) -> Kept:
    from evals.kagentbench.data import read_items

    types, langs, templates = Counter[str](), Counter[str](), Counter[str]()
    for item in read_items(path, partial=partial):
        types[item.type] += 1
        langs[item.lang] += 1
        templates.update(list(item.prompts))
    return Kept(DataSet(name, kind, sha256, types.total()), path, dict(types), dict(langs), dict(templates))


def _checked_suite(path: Path, name: str) -> Kept:
    from evals.kagentbench.data import sha256_of
    from evals.suites import read_suite

    items = read_suite(path)
    langs: Counter[str] = Counter(item.lang for item in items)
    data = DataSet(name or path.name, "suite", sha256_of(path), len(items))
    return Kept(data, path, {"suite": len(items)}, dict(langs))


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def _json(kept: Kept) -> bytes:
    facts: dict[str, Any] = asdict(kept)
    del facts["path"]
    facts["imported_at"] = kept.imported_at.isoformat() if kept.imported_at else None
    return json.dumps(facts, ensure_ascii=False, indent=1).encode() + b"\n"
