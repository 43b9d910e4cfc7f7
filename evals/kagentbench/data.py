"""Reading files in the benchmark's format: one JSON object a line.

Everything that can be wrong with such a file is a `DataError`: one sentence that names the file and the line, and says
what to do. What is read here is checked here; nobody further down meets a line that is no item.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from agent.language import Lang, Text, detect
from evals.kagentbench.decode import holds_float, loads_exactly, loads_line, loads_reply
from evals.kagentbench.items import PROFILE_PROMPT, TYPES, Item

#: Bytes that are read at a time.
_BLOCK: Final = 1 << 20
#: A line may begin with one of these, which is no part of it: a byte order mark, or a record separator (RFC 7464).
_MARKS: Final = (b"\xef\xbb\xbf", b"\x1e")

#: What the file is, for people.
Line = tuple[int, bytes]


class DataError(Exception):
    """What is wrong with a file, and the way out."""

    def __init__(self, text: Text, path: Path, line: int | None = None) -> None:
        super().__init__(text.en)
        #: One sentence.
        self.text = text
        self.path = path
        #: 1 for the first; None where no line is to blame.
        self.line = line

    def __reduce__(self) -> tuple[Any, ...]:
        return DataError, (self.text, self.path, self.line)


def language_of(query: str) -> Lang:
    """The language that a query counts for."""
    return detect(query)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal. Raises `DataError` if it can't be read."""
    digest = hashlib.sha256()
    for block in blocks(path):
        digest.update(block)
    return digest.hexdigest()


def read_items(path: Path, *, partial: bool = False) -> Sequence[Item]:
    """All items of a benchmark file. Raises `DataError`; a type without items is an error unless `partial`."""
    items = tuple(iter_items(path))
    if not items:
        raise DataError(_said(_EMPTY, path), path)
    found = {item.type for item in items}
    missing = [kind for kind in TYPES if kind not in found]
    if missing and not partial:
        raise missing_types(path, missing)
    return items


def iter_items(path: Path) -> Iterator[Item]:
    """The items of a benchmark file one by one; the file is never in memory as a whole. Raises `DataError`."""
    seen: dict[tuple[str, str], int] = {}
    for number, raw in lines(path):
        item = _item(path, number, raw)
        if item.key in seen:
            raise duplicate(path, item.type, item.id, seen[item.key], number)
        seen[item.key] = number
        yield item


def lines(path: Path) -> Iterator[Line]:
    """The lines of a file with their numbers, without their ends. Raises `DataError` if the file can't be read."""
    number, parts = 0, list[bytes]()  # of a line that is longer than a block
    for block in blocks(path):
        first, *others = block.split(b"\n")
        parts.append(first)
        for raw in others:
            number += 1
            yield number, b"".join(parts)
            parts = [raw]
    if any(parts):
        yield number + 1, b"".join(parts)


def blocks(path: Path) -> Iterator[bytes]:
    """A file piece by piece. Raises `DataError` if it can't be read."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # opening a pipe may wait for ever; a file is read twice
            raise DataError(_said(_NO_ORDINARY, path), path)
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                yield block
    except FileNotFoundError:
        raise DataError(_said(_NO_FILE, path), path) from None
    except IsADirectoryError:
        raise DataError(_said(_FOLDER, path), path) from None
    except OSError as error:
        raise DataError(_said(_UNREADABLE, path, problem=error.strerror or str(error)), path) from None


def read_line(path: Path, number: int, raw: bytes) -> tuple[dict[str, Any], bool]:
    """The object in a line with `type` and `id`, and whether its numbers are exact (see `decode.loads_line`).

    Raises `DataError`.
    """
    if raw.startswith(_MARKS):
        raw = raw.removeprefix(_MARKS[0]) if raw.startswith(_MARKS[0]) else raw[1:]
    try:
        value, exact = loads_line(raw)
    except UnicodeDecodeError:
        raise DataError(_said(_NOT_UTF8, path, number), path, number) from None
    except RecursionError:
        raise DataError(_said(_TOO_DEEP, path, number), path, number) from None
    except ValueError as error:
        if not raw.strip():
            raise DataError(_said(_BLANK, path, number), path, number) from None
        raise DataError(_said(_NOT_JSON, path, number, problem=str(error)), path, number) from None
    if not isinstance(value, dict):
        raise DataError(_said(_NO_OBJECT, path, number), path, number)
    if "type" not in value or "id" not in value:
        name = "id" if "type" in value else "type"
        raise DataError(_said(_NO_FIELD, path, number, field=name), path, number)
    if isinstance(value["id"], dict | list) or not isinstance(value["type"], str):
        name = "id" if isinstance(value["type"], str) else "type"
        raise DataError(_said(_ODD_FIELD, path, number, field=name), path, number)
    if not exact and type(value["id"]) is float:
        value, exact = loads_exactly(raw), True
    return value, exact


def exactly(raw: bytes, value: dict[str, Any], exact: bool, fields: Sequence[str]) -> dict[str, Any]:
    """The line's object, read again if one of these fields may hold a number that is not exact."""
    if exact or not any(holds_float(value.get(field)) for field in fields):
        return value
    for mark in _MARKS:
        raw = raw.removeprefix(mark)
    again: dict[str, Any] = loads_exactly(raw)
    return again


def unpacked(value: Any) -> Any:
    """A field that some files hold as JSON in a string: the list or object in it; anything else as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        with suppress(ValueError, RecursionError):
            found = loads_reply(value)
            if isinstance(found, dict | list):
                return found
    return value


def missing_types(path: Path, missing: Sequence[str]) -> DataError:
    """That a file has no items of these types."""
    return DataError(_said(_MISSING, path, types=", ".join(missing)), path)


def duplicate(path: Path, kind: str, identity: Any, first: int, second: int) -> DataError:
    """That two lines have the same id."""
    return DataError(_said(_DUPLICATE, path, second, first=first, type=kind, id=_short(identity)), path, second)


def empty(path: Path) -> DataError:
    """That a file has nothing in it."""
    return DataError(_said(_EMPTY, path), path)


def different_counts(bench: Path, path: Path, kind: str, wanted: int, found: int) -> DataError:
    """That two files have different numbers of items of a type."""
    return DataError(_said(_COUNTS, path, bench=bench, type=kind, wanted=wanted, found=found), path)


def unknown_id(bench: Path, path: Path, kind: str, identity: Any, number: int) -> DataError:
    """That a prediction is for an item that the benchmark doesn't have."""
    return DataError(_said(_UNKNOWN_ID, path, number, bench=bench, type=kind, id=_short(identity)), path, number)


def nothing_of(path: Path, field: str) -> DataError:
    """That no line of a file has what it is read for: another kind of file."""
    return DataError(_said({"model_predict": _NO_PREDICTIONS}.get(field, _NO_GOLDENS), path), path)


def _item(path: Path, number: int, raw: bytes) -> Item:
    value, exact = read_line(path, number, raw)
    value = exactly(raw, value, exact, ("golden_result_list", "memory_last_task", "funcs"))
    kind = value["type"]
    if kind not in TYPES:
        said = _said(_UNKNOWN_TYPE, path, number, type=_short(kind), types=", ".join(TYPES))
        raise DataError(said, path, number)
    goldens, funcs = unpacked(value.get("golden_result_list")), unpacked(value.get("funcs") or [])
    for name, found in (("golden_result_list", goldens), ("funcs", funcs)):
        if not isinstance(found, list):
            raise DataError(_said(_ODD_FIELD, path, number, field=name), path, number)
    query, memory = value.get("query", ""), value.get("memory", "")
    query = query if isinstance(query, str) else str(query)
    return Item(
        type=kind,
        id=value["id"],
        query=query,
        prompts=_prompts(path, number, unpacked(value.get("prompt_input"))),
        memory=memory if isinstance(memory, str) else "",
        funcs=tuple(funcs),
        goldens=tuple(goldens),
        lang=language_of(query),
        memory_last_task=unpacked(value.get("memory_last_task")),
        line=number,
        raw=value,
    )


def _prompts(path: Path, number: int, found: Any) -> Mapping[str, str]:
    if isinstance(found, str) and found:
        return {PROFILE_PROMPT: found}
    if found is None or found == "":
        return {}
    if isinstance(found, dict) and all(isinstance(prompt, str) for prompt in found.values()):
        return found
    raise DataError(_said(_ODD_FIELD, path, number, field="prompt_input"), path, number)


def _said(text: Text, path: Path, line: int | None = None, **fields: object) -> Text:
    every = {"path": path, "line": line, **fields}
    return Text(text.en.format(**every), text.zh.format(**every))


def _short(value: object) -> str:
    text = " ".join(str(value).split())  # a sentence stays one line
    return text if len(text) <= 80 else text[:79] + "…"


_NO_FILE = Text("There is no file {path}: check its name.", "文件 {path} 不存在：请检查文件名。")
_FOLDER = Text("{path} is a folder: name a file in it.", "{path} 是一个文件夹：请指定其中的文件。")
_NO_ORDINARY = Text(
    "{path} is a pipe or a device, not a file: save what it holds as a file.",
    "{path} 是管道或设备，不是普通文件：请先将其内容保存为文件。",
)
_UNREADABLE = Text("{path} can't be read ({problem}).", "无法读取 {path}（{problem}）。")
_EMPTY = Text("{path} is empty: it needs one JSON object a line.", "{path} 是空文件：每行应为一个 JSON 对象。")
_BLANK = Text("Line {line} of {path} is blank: remove it.", "{path} 第 {line} 行是空行：请删除。")
_NOT_UTF8 = Text(
    "Line {line} of {path} is not UTF-8: save the file as UTF-8.",
    "{path} 第 {line} 行不是 UTF-8 编码：请将文件另存为 UTF-8。",
)
_NOT_JSON = Text(
    "Line {line} of {path} is not valid JSON ({problem}): correct or remove it.",
    "{path} 第 {line} 行不是有效的 JSON（{problem}）：请改正或删除该行。",
)
_TOO_DEEP = Text(
    "Line {line} of {path} nests too deeply to be read: correct or remove it.",
    "{path} 第 {line} 行嵌套过深，无法读取：请改正或删除该行。",
)
_NO_OBJECT = Text(
    "Line {line} of {path} is not a JSON object, and each line has to be one (JSON lines): correct or remove it.",
    "{path} 第 {line} 行不是 JSON 对象，而每行都应是一个（JSON Lines 格式）：请改正或删除该行。",
)
_NO_FIELD = Text(
    "Line {line} of {path} has no “{field}”: every line needs a type and an id.",
    "{path} 第 {line} 行缺少“{field}”：每行都必须有 type 和 id。",
)
_ODD_FIELD = Text(
    "“{field}” in line {line} of {path} has the wrong form: see the file format in docs/kagentbench.md.",
    "{path} 第 {line} 行的“{field}”格式不对：格式说明见 docs/kagentbench.md。",
)
_UNKNOWN_TYPE = Text(
    "Line {line} of {path} has the unknown type “{type}”: it must be one of {types}.",
    "{path} 第 {line} 行的类型“{type}”未知：必须是 {types} 之一。",
)
_MISSING = Text(
    "{path} has no items of type {types}: use a complete file, or allow a partial one (--allow-partial).",
    "{path} 中没有类型为 {types} 的条目：请使用完整的文件，或允许部分评测（--allow-partial）。",
)
_DUPLICATE = Text(
    "Lines {first} and {line} of {path} have the same type and id ({type}, {id}): remove one of them.",
    "{path} 第 {first} 行和第 {line} 行的 type 和 id 相同（{type}，{id}）：请删除其中一行。",
)
_COUNTS = Text(
    "{bench} has {wanted} items of type {type}, {path} has {found}: use two files that belong together, "
    "or allow a partial one (--allow-partial).",
    "{bench} 中有 {wanted} 个 {type} 条目，{path} 中有 {found} 个：请使用配套的两个文件，"
    "或允许部分评测（--allow-partial）。",
)
_UNKNOWN_ID = Text(
    "Line {line} of {path} is for the item {type} {id}, which {bench} does not have: "
    "use two files that belong together.",
    "{path} 第 {line} 行对应的条目 {type} {id} 不在 {bench} 中：请使用配套的两个文件。",
)
_NO_PREDICTIONS = Text(
    "No line of {path} has “model_predict”, so it holds no predictions: name the benchmark file first, then the file "
    "with the model's replies.",
    "{path} 中没有任何一行包含“model_predict”，因此不是预测文件：请先写基准文件，再写包含模型回复的文件。",
)
_NO_GOLDENS = Text(
    "No line of {path} has “golden_result_list”, so it holds no benchmark: name the benchmark file first, then the "
    "predictions.",
    "{path} 中没有任何一行包含“golden_result_list”，因此不是基准文件：请先写基准文件，再写预测文件。",
)
