"""What a command writes: tried before the work begins, written as a whole at its end."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.language import Text
from evals.cli.ending import NOT_WRITTEN, WRONG, Ended, not_written
from evals.files import replace_file

#: Files that a folder of charts gets.
RADAR, BARS = "radar.png", "bars.png"
#: Endings that mean a picture, but not one that is drawn here.
_OTHER_PICTURES: Final = frozenset((".svg", ".jpg", ".jpeg", ".pdf", ".webp", ".gif", ".html"))
#: For files of the user's, less what their umask takes away.
_MODE: Final = 0o666

_NO_FOLDER = Text(
    "{path} can't be written, because there is no folder {folder}: make it, or choose another place.",
    "无法写入 {path}，因为目录 {folder} 不存在：请先创建它，或换一个位置。",
)
_IS_FOLDER = Text(
    "{path} can't be written, because it is a folder: name a file in it.",
    "无法写入 {path}，因为它是目录：请指定其中的文件名。",
)
_NO_FILE = Text(
    "{path} is no ordinary file, which a result could take the place of: name another one.",
    "{path} 不是普通文件，不能用结果替换它：请换一个文件名。",
)
_NO_FOLDER_BUT_FILE = Text(
    "{path} is a file, and charts need a folder: name another one, or a file that ends in .png.",
    "{path} 是文件，而图表需要目录：请换一个名称，或使用以 .png 结尾的文件名。",
)
_NO_PNG = Text(
    "Charts are PNG pictures, so {path} can't be one: name a folder, or a file that ends in .png.",
    "图表为 PNG 图片，不能写成 {path}：请指定目录，或以 .png 结尾的文件名。",
)
_IS_INPUT = Text(
    "{path} is read and would be overwritten: choose another name for what is written.",
    "{path} 是要读取的文件，会被覆盖：请为输出换一个名称。",
)
_TWICE = Text(
    "{path} is to be written twice: give each output a name of its own.",
    "{path} 会被写入两次：请为每个输出指定不同的名称。",
)


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where a command writes; None for what is not wanted."""

    html: Path | None = None
    #: A folder for the charts, or a file that ends in .png for the radar; for a suite's only chart.
    chart: Path | None = None
    #: Predictions files, one for each repeat.
    predictions: tuple[Path, ...] = ()

    def pictures(self, radar: bytes | None, bars: bytes) -> list[tuple[Path, bytes]]:
        """Where which chart goes. A suite has no radar; then the bars are what a single file gets."""
        if self.chart is None:
            return []
        if is_picture(self.chart):
            return [(self.chart, radar or bars)]
        named = ((RADAR, radar), (BARS, bars))
        return [(self.chart / name, picture) for name, picture in named if picture is not None]

    def check(self, inputs: Sequence[Path]) -> None:
        """Raise `Ended` for a place that can't be written, or that is an input; nothing is left behind."""
        read = {Path(os.path.realpath(path)) for path in inputs}  # `resolve` raises where links form a loop
        seen: set[Path] = set()
        for path in (*self.predictions, self.html, self.chart):
            if path is None:
                continue
            if path.resolve() in read:
                raise Ended(WRONG, _IS_INPUT, path=path)
            if path.resolve() in seen:
                raise Ended(WRONG, _TWICE, path=path)
            seen.add(path.resolve())
            if path == self.chart and path.suffix.lower() in _OTHER_PICTURES:
                raise Ended(WRONG, _NO_PNG, path=path)
            if path == self.chart and not is_picture(path):
                _try_folder(path)
            else:
                _try_file(path)


def is_picture(path: Path) -> bool:
    """Whether a chart's place is a file."""
    return path.suffix.lower() == ".png"


def write(path: Path, content: bytes) -> None:
    """Write a file of the user's; its folder is made if it is to be one of charts. Raises `Ended`."""
    try:
        if not path.parent.exists():
            path.parent.mkdir(parents=True)
        replace_file(path, content, _MODE)
    except OSError as error:
        raise not_written(error, path) from None


def _try_file(path: Path) -> None:
    if path.is_dir():
        raise Ended(NOT_WRITTEN, _IS_FOLDER, path=path)
    if path.exists() and not path.is_file():
        # A device or a pipe: /dev/full would become a file.
        raise Ended(NOT_WRITTEN, _NO_FILE, path=path)
    folder = path.resolve().parent
    if not folder.is_dir():
        raise Ended(NOT_WRITTEN, _NO_FOLDER, path=path, folder=folder)
    _try(folder, path)


def _try_folder(path: Path) -> None:
    """A folder of charts is made at the end, so what it will be made in counts."""
    there = path.resolve()
    if there.exists() and not there.is_dir():
        raise Ended(NOT_WRITTEN, _NO_FOLDER_BUT_FILE, path=path)
    while not there.exists():
        there = there.parent
    _try(there, path)


def _try(folder: Path, path: Path) -> None:
    try:
        fd, made = tempfile.mkstemp(prefix=".kagent-bench.", dir=folder)
        os.close(fd)
        Path(made).unlink()
    except OSError as error:
        raise not_written(error, path) from None
