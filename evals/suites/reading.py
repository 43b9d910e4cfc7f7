"""A suite's file: reading it as a whole, and adding a case to it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

from agent.language import Lang, Text, detect
from evals.files import sync_folder
from evals.kagentbench.data import DataError
from evals.suites.cases import Case, Regex
from evals.suites.parsing import Wrong, bad_pattern, case_from
from evals.suites.regexes import unusable

#: Bytes of one line.
MOST_LINE: Final = 1 << 20
#: Characters of an answer and of a note that a case quotes.
_MOST_QUOTED: Final = 2_000

_LINE = Text("“{file}”, line {line}: {problem}.", "“{file}”第 {line} 行：{problem}。")
_CANT_OPEN = Text(
    "“{file}” can't be read ({problem}): check its name.", "无法读取“{file}”（{problem}）：请检查文件名。"
)
_NO_CASES = Text(
    "“{file}” has no cases: a suite has one JSON object on each line.",
    "“{file}”中没有用例：测试集每行是一个 JSON 对象。",
)
_NO_JSON = Text("it is not valid JSON ({problem})", "不是有效的 JSON（{problem}）")
_TOO_LONG = Text("it is longer than a megabyte", "长度超过 1 MB")
_TWICE = Text("the id “{id}” stands in line {other}, too", "id“{id}”在第 {other} 行已经出现过")
_NO_CASE = Text("This can't be added to “{file}”: {problem}.", "无法添加到“{file}”：{problem}。")

_RUBRIC = Text(
    "The answer is correct and helpful and does not have the fault of an earlier answer that a reader marked as bad.",
    "回答正确、有用，且没有之前那个被读者评为差的回答中的问题。",
)
_SAID = Text(" The reader said about it: {note}", "读者对它的说明：{note}")


def read_suite(path: Path) -> Sequence[Case]:
    """All cases of a suite. Blocking; empty lines don't count.

    Raises `DataError` for whatever is wrong with the file, with the number of the line.
    """
    cases: dict[str, Case] = {}
    for number, line in _lines(path):
        try:
            case = case_from(_json(line), number)
            if case.id in cases:
                raise Wrong(_TWICE, id=case.id, other=cases[case.id].line)
        except Wrong as wrong:
            raise _error(path, number, wrong) from None
        cases[case.id] = case
    if not cases:
        raise DataError(_NO_CASES.filled(file=path.name), path)
    _check_patterns(path, list(cases.values()))
    return tuple(cases.values())


def case_of(question: str, answer: str, note: str = "") -> dict[str, Any]:
    """A case from a question that was answered badly: a judge has to find that the fault is gone.

    It is a beginning: whoever adds it to a suite knows better what a good answer contains. The same question, answer
    and note give the same id.
    """
    lang: Lang = detect(question)
    said = " ".join(note.split())
    check = {"type": "judge", "rubric": _RUBRIC.say(lang) + (_SAID.say(lang, note=_quoted(said)) if said else "")}
    if answer.strip():
        check["bad"] = _quoted(answer)
    made = hashlib.sha256(f"{question}\0{answer}\0{note}".encode(errors="surrogatepass")).hexdigest()
    return {
        "id": f"feedback-{made[:12]}",
        "query": question,
        "lang": lang,
        "checks": [check],
        "notes": note,
    }


def append_case(path: Path, case: Mapping[str, Any]) -> Case:
    """Add a case to a suite, which is made where there is none; durable on return. Blocking.

    Two that add at the same time both get in. Raises `DataError` where the case or the file is wrong, or has its id
    already, and `OSError`; the file is then as it was.
    """
    try:
        made = case_from(dict(case))
    except Wrong as wrong:
        raise DataError(_NO_CASE.filled(file=path.name, problem=wrong.text), path) from None
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "r+b", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = os.fstat(file.fileno()).st_size
        known = read_suite(path) if size else ()
        if (same := next((one for one in known if one.id == made.id), None)) is not None:
            twice = Wrong(_TWICE, id=made.id, other=same.line)
            raise DataError(_NO_CASE.filled(file=path.name, problem=twice.text), path)
        line = json.dumps(dict(case), ensure_ascii=not _is_utf8(case)).encode() + b"\n"
        before = b"" if not size or os.pread(file.fileno(), 1, size - 1) == b"\n" else b"\n"
        _write(file, before + line, size)
    sync_folder(path.parent)
    return made


def _write(file: BinaryIO, content: bytes, size: int) -> None:
    """All of it at the end of the file, or nothing."""
    try:
        written = 0
        while written < len(content):
            written += os.write(file.fileno(), content[written:])
        os.fsync(file.fileno())
    except BaseException:
        os.ftruncate(file.fileno(), size)
        raise


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(MOST_LINE + 1):
                number += 1
                if len(line) > MOST_LINE:
                    raise _error(path, number, Wrong(_TOO_LONG))
                if number == 1:
                    line = line.removeprefix(b"\xef\xbb\xbf")
                if line.strip():
                    yield number, line
    except OSError as error:
        problem = error.strerror or str(error)
        raise DataError(_CANT_OPEN.filled(file=path.name, problem=problem), path) from error


def _json(line: bytes) -> Any:
    try:
        return json.loads(line)
    except UnicodeDecodeError:
        raise Wrong(_NO_JSON, problem="UTF-8") from None
    except json.JSONDecodeError as error:
        raise Wrong(_NO_JSON, problem=f"{error.msg}, {error.pos + 1}") from None
    except (ValueError, RecursionError) as error:
        raise Wrong(_NO_JSON, problem=type(error).__name__) from None


def _check_patterns(path: Path, cases: Sequence[Case]) -> None:
    found = [
        (case.line, number, check.pattern)
        for case in cases
        for number, check in enumerate(case.checks, 1)
        if isinstance(check, Regex)
    ]
    bad = unusable([pattern for _, _, pattern in found])
    if bad is not None:
        place, why = bad
        line, number, _ = found[place]
        raise _error(path, line, bad_pattern(number, why))


def _error(path: Path, line: int, wrong: Wrong) -> DataError:
    return DataError(_LINE.filled(file=path.name, line=line, problem=wrong.text), path, line)


def _is_utf8(case: Mapping[str, Any]) -> bool:
    """Whether its texts can be written as they are: half of a surrogate pair can't."""
    try:
        json.dumps(dict(case), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _quoted(text: str) -> str:
    return text if len(text) <= _MOST_QUOTED else f"{text[: _MOST_QUOTED - 1]}…"
