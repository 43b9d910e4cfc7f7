"""Attached files as text. Each one is read in a child process, so these tests start some."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from agent.tools.documents import Document, DocumentError, Documents, problem, shown_name
from tests.support import pdf

#: Seconds of work, and no text.
COSTLY = pdf.costly(3_000, 20_000)


async def read(data: bytes, name: str = "notes.txt", media_type: str = "application/octet-stream", **more) -> Document:
    return await Documents().extract(name, media_type, data, most_chars=more.get("most_chars", 10_000))


async def refused(data: bytes, name: str = "notes.bin", **more) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        await Documents(**more).extract(name, "application/octet-stream", data, most_chars=10_000)
    return caught.value


async def test_a_pdf_gives_its_pages_with_their_numbers() -> None:
    found = await read(pdf.pdf("Invoice (paid)\nTotal 42", "Second page"))
    assert found == Document("[1/2]\nInvoice (paid)\nTotal 42\n\n[2/2]\nSecond page", 2)


async def test_a_long_pdf_is_cut_and_says_so() -> None:
    found = await read(pdf.pdf(*["word " * 40] * 9), most_chars=500)
    assert (len(found.text), found.pages, found.cut) == (500, 9, True)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("naïve 你好".encode(), "naïve 你好"),
        ("\ufeffnaïve 你好".encode(), "naïve 你好"),
        ("naïve 你好".encode("utf-16"), "naïve 你好"),
        ("a plain line of text".encode("utf-16-be"), "a plain line of text"),
        ("你好，世界。今天天气 fine".encode("gb18030"), "你好，世界。今天天气 fine"),
        ("Déjà vu à la café".encode("cp1252"), "Déjà vu à la café"),
        (b'{"a": [1, 2]}\r\n', '{"a": [1, 2]}'),
        (b"name,age\nAda,36\n", "name,age\nAda,36"),
        (b"def f(x):\n    return x < 1\n", "def f(x):\n    return x < 1"),
        (b"\x1b[31mERROR\x1b[0m disk full\n", "ERROR disk full"),
        (b"started\n" * 20 + b"\0", ("started\n" * 20).strip()),
    ],
    ids=[
        "utf-8",
        "mark",
        "utf-16",
        "utf-16 without mark",
        "gb18030",
        "cp1252",
        "json",
        "csv",
        "code",
        "log",
        "cut log",
    ],
)
async def test_text_is_told_by_its_bytes(data: bytes, text: str) -> None:
    assert (await read(data, "no-extension")).text == text


async def test_of_html_only_the_text_is_taken() -> None:
    page = b"<!DOCTYPE html><title>News</title><script>steal()</script><p>One &amp; two</p><p hidden>Three<br>four"
    assert (await read(page)).text == "News\nOne & two\nThree\nfour"


async def test_a_long_text_is_cut_and_says_so() -> None:
    assert await read("字".encode() * 30_000) == Document("字" * 10_000, None, cut=True)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b" \n ", "empty"),
        (pdf.pdf("", ""), "scanned"),
        (pdf.locked("secret"), "encrypted"),
        (pdf.pdf("text")[:200], "broken"),
        (b"%PDF-1.7\nno such thing", "broken"),
        (pdf.endless(), "broken"),
        (pdf.bomb(400), "too_hard"),
        (bytes(100_000), "unknown"),
        (bytes(range(256)) * 50, "unknown"),
        (b"PK\x03\x04" + bytes(range(200)) * 9, "unknown"),
    ],
    ids=["empty", "blank", "scan", "locked", "cut", "rubbish", "endless", "bomb", "nul", "binary", "zip"],
)
async def test_what_gives_no_text_says_why(data: bytes, code: str) -> None:
    error = await refused(data)
    assert error.code == code
    assert "notes.bin" in error.text.en
    assert "notes.bin" in error.text.zh


async def test_a_file_that_takes_too_long_is_given_up() -> None:
    error = await refused(COSTLY, seconds=0.4)
    assert error.code == "too_hard"


def _children(parent: int) -> list[int]:
    """Processes with this parent that read documents."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            stat = (entry / "stat").read_text().rpartition(")")[2].split()
            ours = entry.name.isdigit() and int(stat[1]) == parent
            if ours and b"documents_child" in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


async def test_a_reader_has_no_variables_and_no_descriptors_of_ours_and_ends_with_its_caller(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KAGENTBOT_SECRET_KEY", "not for children")
    with (tmp_path / "open").open("w") as ours:
        os.set_inheritable(ours.fileno(), True)
        reading = asyncio.create_task(read(COSTLY))
        while not (children := _children(os.getpid())) or not _is_at_work(children[0]):
            assert not reading.done()
            await asyncio.sleep(0.01)
        proc = Path("/proc", str(children[0]))
        assert (proc / "environ").read_bytes() == b""
        targets = [str(link.readlink()) for link in (proc / "fd").iterdir()]
        assert not [target for target in targets if str(tmp_path) in target]
        limits = (proc / "limits").read_text()
        assert "Max address space         671088640" in limits
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
    assert _children(os.getpid()) == []


def _is_at_work(pid: int) -> bool:
    """Whether this child has used a quarter of a second: it has long been confined by then."""
    try:
        fields = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[0] != "Z" and int(fields[11]) + int(fields[12]) >= 25


async def test_a_reader_is_gone_when_its_caller_was_killed() -> None:
    script = (
        "import asyncio, sys; from agent.tools.documents import Documents; from tests.support import pdf\n"
        "asyncio.run(Documents().extract('a', '', pdf.costly(3_000, 20_000), most_chars=10_000))"
    )
    root = Path(__file__).parents[2]
    caller = await asyncio.create_subprocess_exec(sys.executable, "-c", script, cwd=root)
    async with asyncio.timeout(30):
        while not (children := _children(caller.pid)) or not _is_at_work(children[0]):
            assert caller.returncode is None
            await asyncio.sleep(0.01)
    caller.kill()
    await caller.wait()
    # By itself it would go on for some eight seconds.
    async with asyncio.timeout(4):
        while _is_at_work(children[0]):  # noqa: ASYNC110 - it is nobody's child any more
            await asyncio.sleep(0.01)


async def test_no_more_than_two_files_are_read_at_the_same_time() -> None:
    most = 0
    documents = Documents()
    work = [
        asyncio.create_task(documents.extract(f"{n}.txt", "text/plain", b"text " * 200_000, most_chars=10))
        for n in range(6)
    ]
    while not all(task.done() for task in work):
        most = max(most, len(_children(os.getpid())))
        await asyncio.sleep(0.005)
    assert [task.result().text for task in work] == ["text text "] * 6
    assert 1 <= most <= 2


def test_a_name_can_neither_break_a_line_nor_end_a_mark() -> None:
    assert shown_name('a"><b>\n\u202eevil\x00.txt') == "a b evil .txt"
    assert len(shown_name("x" * 500)) == 80


def test_every_problem_is_told_in_both_languages() -> None:
    said = problem("unknown", "{x}.docx")
    assert said.en.startswith("“{x}.docx” is of a kind")
    assert said.zh.startswith("“{x}.docx”的格式")
