"""The file of questions: JSONL, each line `{"id": …, "question": …, "lang": "en" | "zh"}`, `lang` being optional."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from agent.language import Text, TextError, detect
from evals.human.sets import Question
from evals.kagentbench.data import DataError, lines

#: Characters of a question and of an id.
MOST_QUESTION: Final = 20_000
MOST_ID: Final = 120
#: Questions of a set: ten times the published evaluation's, and more than anybody rates.
MOST: Final = 2_000

_LINE = Text("“{file}”, line {line}: {problem}.", "“{file}”第 {line} 行：{problem}。")
_EMPTY = Text(
    "“{file}” has no questions: each line is a JSON object with “id” and “question”.",
    "“{file}”中没有问题：每行应是包含“id”和“question”的 JSON 对象。",
)
_MANY = Text(
    "“{file}” has more than {most} questions: divide it into several sets.",
    "“{file}”的问题超过 {most} 个：请分成多个文件。",
)
_NO_JSON = Text("it is not valid JSON ({problem})", "不是有效的 JSON（{problem}）")
_NO_OBJECT = Text("it is not a JSON object", "不是 JSON 对象")
_NO_ID = Text("“id” is missing: a text or a whole number", "缺少“id”：应为文本或整数")
_LONG_ID = Text("“id” has more than {most} characters", "“id”超过 {most} 个字符")
_NO_QUESTION = Text("“question” is missing: a text that is not empty", "缺少“question”：应为非空文本")
_LONG = Text("“question” has more than {most:,} characters", "“question”超过 {most:,} 个字符")
_ODD = Text("“{name}” has characters that can't be shown", "“{name}”含有无法显示的字符")
_LANG = Text("“lang” is “en” or “zh”, or left out", "“lang”应为“en”或“zh”，也可以省略")
_UNKNOWN = Text(
    "“{name}” is unknown: a line has “id”, “question” and “lang”", "未知字段“{name}”：每行只有“id”、“question”和“lang”"
)
_TWICE = Text("the id “{id}” stands in line {other}, too", "id“{id}”在第 {other} 行已经出现过")


class _Wrong(TextError):
    """A line that is no question; `text` says why, as the end of a sentence."""


def read_questions(path: Path) -> Sequence[Question]:
    """All questions of a file; empty lines don't count. Raises `DataError` with the number of the line."""
    found: dict[str, Question] = {}
    for number, raw in lines(path):
        if not raw.strip():
            continue
        try:
            one = _question(raw, number)
            if one.id in found:
                raise _Wrong(_TWICE, id=one.id, other=found[one.id].line)
        except _Wrong as wrong:
            said = _LINE.filled(file=path.name, line=number, problem=wrong.text)
            raise DataError(said, path, number) from None
        found[one.id] = one
        if len(found) > MOST:
            raise DataError(_MANY.filled(file=path.name, most=MOST), path)
    if not found:
        raise DataError(_EMPTY.filled(file=path.name), path)
    return tuple(found.values())


def _question(raw: bytes, number: int) -> Question:
    found = _object(raw.removeprefix(b"\xef\xbb\xbf"))
    for name in found:
        if name not in ("id", "question", "lang"):
            raise _Wrong(_UNKNOWN, name=str(name)[:60])
    id_, text, lang = found.get("id"), found.get("question"), found.get("lang")
    if isinstance(id_, bool) or not isinstance(id_, str | int) or not str(id_).strip():
        raise _Wrong(_NO_ID)
    if len(str(id_)) > MOST_ID:
        raise _Wrong(_LONG_ID, most=MOST_ID)
    if not str(id_).isprintable():
        raise _Wrong(_ODD, name="id")
    if not isinstance(text, str) or not text.strip():
        raise _Wrong(_NO_QUESTION)
    if len(text) > MOST_QUESTION:
        raise _Wrong(_LONG, most=MOST_QUESTION)
    if "\0" in text or any("\ud800" <= ch <= "\udfff" for ch in text):
        raise _Wrong(_ODD, name="question")
    if lang not in (None, "en", "zh"):
        raise _Wrong(_LANG)
    return Question(str(id_), text, lang or detect(text), number)


def _object(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except UnicodeDecodeError:
        raise _Wrong(_NO_JSON, problem="UTF-8") from None
    except json.JSONDecodeError as error:
        raise _Wrong(_NO_JSON, problem=f"{error.msg}, {error.pos + 1}") from None
    except (ValueError, RecursionError) as error:
        raise _Wrong(_NO_JSON, problem=type(error).__name__) from None
    if not isinstance(found, dict):
        raise _Wrong(_NO_OBJECT)
    return found
