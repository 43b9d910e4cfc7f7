"""A conversation as a file: names that every system takes, and Markdown that says what was said."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from aiohttp import content_disposition_filename
from aiohttp.multipart import parse_content_disposition

from adapters.web.export import disposition
from bot.exporting import Export, ExportedStep, ExportedTurn, markdown

AT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
KEY = "abcdef0123456789" * 2


def name_of(title: str) -> str:
    kind, parameters = parse_content_disposition(disposition(title, KEY, "md"))
    assert kind == "attachment"
    return content_disposition_filename(parameters) or ""


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Plain words", "Plain words.md"),
        ("../../etc/passwd", "etc passwd.md"),
        ('a"b\r\nSet-Cookie: x=1', "a b Set-Cookie x=1.md"),
        ("CON: *?<>|", "CON.md"),
        ("  ...  ", "conversation-abcdef01.md"),
        ("", "conversation-abcdef01.md"),
        ("\u202egnp.exe", "gnp.exe.md"),
        ("中秋节是哪一天？", "中秋节是哪一天？.md"),
        ("字" * 200, "字" * 60 + ".md"),
        ("\U0001f600 smile", "\U0001f600 smile.md"),
    ],
)
def test_a_file_name_is_safe_on_every_system(title: str, name: str) -> None:
    assert name_of(title) == name


def test_the_header_is_plain_ascii_with_a_name_for_old_programs() -> None:
    header = disposition("中秋 \r\n festival", KEY, "json")
    assert header.isascii()
    assert "\r" not in header
    assert "\n" not in header
    assert 'filename="festival.json"' in header
    assert 'filename="conversation.json"' in disposition("中秋", KEY, "json")


def turn(**fields: object) -> ExportedTurn:
    base = {
        "id": 1,
        "state": "answered",
        "asked_at": AT,
        "finished_at": AT,
        "questions": ["Why?"],
        "answer": "Because.",
        "steps": [],
        "sources": [],
        "notes": [],
        "model": None,
        "rating": 0,
    }
    return ExportedTurn.model_validate({**base, **fields})


def file_of(*turns: ExportedTurn) -> str:
    return markdown(Export(key=KEY, title="T", exported_at=AT, turns=list(turns)), "en")


def test_a_turn_without_an_answer_says_what_became_of_it() -> None:
    text = file_of(turn(state="stopped", answer=""), turn(state="failed", answer="It broke."))
    assert "### Answer\n\n*Stopped*" in text
    assert "### Answer\n\nIt broke." in text


def test_a_deleted_question_is_named_as_such() -> None:
    assert "*This message was deleted.*" in file_of(turn(questions=[""]))


def test_a_failed_step_is_marked_and_backticks_stay_inside_their_code() -> None:
    step = ExportedStep(tool="run", args={"code": "`a` ``b``"}, state="failed", result="No.")
    text = file_of(turn(steps=[step]))
    assert '- ``` run({"code": "`a` ``b``"}) ``` (failed)\n\n  > No.' in text
