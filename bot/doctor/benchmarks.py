"""The data sets of benchmarks; nothing is said where none was ever imported."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from agent.language import Lang, Text
from bot.doctor.lines import Line, line
from evals.kagentbench.sample import SAMPLE_NAME
from evals.library import Library

_SETS: Final = Text("benchmarks: data sets {names}", "基准测试：数据集 {names}")
_CLOSED: Final = Text(
    "benchmarks: {path} can't be read ({error}): give this user the right to",
    "基准测试：{path} 无法读取（{error}）：请授予当前用户读权限",
)
_BROKEN: Final = Text(
    "benchmarks: the data set {name} is damaged or its file is gone: import it again with kagent-bench import",
    "基准测试：数据集 {name} 已损坏或文件缺失：请用 kagent-bench import 重新导入",
)


def look_at_benchmarks(data_dir: Path, lang: Lang) -> list[Line]:
    """Whether data sets that were imported can be read. Blocking."""
    folder = data_dir / "bench" / "data"
    try:
        if not folder.is_dir():
            return []
        # What nobody may look into has no files, as far as `glob` tells.
        list(folder.iterdir())
        library = Library(folder)
        names = [name for name in library.names() if name != SAMPLE_NAME]
        broken = [name for name in names if not _whole(library, name)]
    except OSError as error:
        return [line("warning", _CLOSED, lang, path=error.filename or folder, error=error.strerror or error)]
    found = [line("warning", _BROKEN, lang, name=name) for name in broken]
    if well := [name for name in names if name not in broken]:
        found.insert(0, line("ok", _SETS, lang, names=", ".join(well)))
    return found


def _whole(library: Library, name: str) -> bool:
    kept = library.find(name)
    return kept is not None and os.access(kept.path, os.R_OK)
