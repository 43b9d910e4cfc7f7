"""Runs in files: what every store promises, and what a kill, a full disk and a second process do to them."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from pathlib import Path

import pytest

from evals.files import replace_file
from evals.store import FileRuns, RunError
from tests.contracts.runs import FULL, SPEC, Opened, RunStoreContract, prediction
from tests.support.pages import ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "bench" / "runs"


class TestFileRuns(RunStoreContract):
    LOST = RunError

    @pytest.fixture
    def opened(self, folder: Path) -> Iterator[Opened]:
        made: list[FileRuns] = []

        def open_() -> FileRuns:
            made.append(FileRuns(folder))
            return made[-1]

        yield open_
        for one in made:
            one.close()


@pytest.mark.parametrize("cut", [1, 40, -1])
async def test_what_a_kill_left_of_a_line_is_cut_off_and_written_again(folder: Path, cut: int) -> None:
    killed = FileRuns(folder)
    run = await killed.begin(SPEC, {})
    await killed.add(run.id, [prediction("1"), FULL])
    killed.close()
    path = folder / run.id / "predictions.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + whole.splitlines(keepends=True)[1][:cut])
    after = FileRuns(folder)
    assert list(await after.predictions(run.id)) == [prediction("1"), FULL]
    assert path.read_bytes() != whole, "a look changes nothing"
    await after.resume(run.id)
    await after.add(run.id, [prediction("2")])
    after.close()
    assert path.read_bytes().startswith(whole)
    assert list(await FileRuns(folder).predictions(run.id)) == [prediction("1"), FULL, prediction("2")]


async def test_a_torn_reply_is_no_reply_of_an_earlier_run(folder: Path) -> None:
    killed = FileRuns(folder)
    run = await killed.begin(SPEC, {})
    await killed.add(run.id, [prediction("1")])
    killed.close()
    path = folder / run.id / "predictions.jsonl"
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert await FileRuns(folder).cached([prediction("1").key.digest]) == {}


@pytest.mark.parametrize("becomes", [None, b"", b"[]\n", b'{"digest":"'])
async def test_an_earlier_run_that_is_removed_or_damaged_meanwhile_is_no_trouble(
    folder: Path, becomes: bytes | None
) -> None:
    store = FileRuns(folder)
    run = await store.begin(SPEC, {})
    await store.add(run.id, [prediction("1"), prediction("2")])
    digests = [prediction(item).key.digest for item in "12"]
    assert len(await store.cached(digests)) == len(set(digests))
    path = folder / run.id / "predictions.jsonl"
    if becomes is None:
        path.unlink()
    else:
        path.write_bytes(becomes)
    assert await store.cached(digests) == {}
    store.close()


async def test_a_run_that_was_killed_goes_on_and_one_that_ended_too(folder: Path) -> None:
    killed = FileRuns(folder)
    run = await killed.begin(SPEC, {"a": 1})
    killed.close()
    after = FileRuns(folder)
    assert (await after.resume(run.id)).state == "running"
    await after.end(run.id, "cancelled", error="stopped")
    again = await after.resume(run.id)
    assert (again.state, again.finished_at, again.error, again.manifest) == ("running", None, "", {"a": 1})
    after.close()


HOLD = """
import asyncio, sys
from pathlib import Path
from evals.store import FileRuns
from tests.contracts.runs import SPEC
store = FileRuns(Path(sys.argv[1]))
print(asyncio.run(store.begin(SPEC, {})).id, flush=True)
sys.stdin.read()
"""


async def test_two_processes_never_ask_for_one_run(folder: Path) -> None:
    other = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLD, str(folder)), stdin=PIPE, stdout=PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert other.stdout is not None
    run_id = (await other.stdout.readline()).decode().strip()
    store = FileRuns(folder)
    assert store.is_live(run_id)
    with pytest.raises(RunError) as refused:
        await store.resume(run_id)
    with pytest.raises(RunError):
        await store.add(run_id, [FULL])
    other.kill()
    await other.wait()
    assert run_id in refused.value.text.zh
    assert not store.is_live(run_id)
    await store.resume(run_id)
    assert store.is_live(run_id)
    store.close()


async def test_a_disk_that_is_full_leaves_no_half_batch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FileRuns(folder)
    run = await store.begin(SPEC, {})
    await store.add(run.id, [prediction("1")])
    write = os.write

    def full(fd: int, data: memoryview) -> int:
        if len(data) < 100:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, data[:100])

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(OSError):
            await store.add(run.id, [FULL, FULL])
    await store.add(run.id, [prediction("2")])
    store.close()
    assert list(await FileRuns(folder).predictions(run.id)) == [prediction("1"), prediction("2")]


async def test_a_line_that_was_damaged_is_named(folder: Path) -> None:
    store = FileRuns(folder)
    run = await store.begin(SPEC, {})
    await store.add(run.id, [FULL, FULL])
    store.close()
    path = folder / run.id / "predictions.jsonl"
    path.write_bytes(b"{" + path.read_bytes())
    with pytest.raises(RunError) as refused:
        await FileRuns(folder).predictions(run.id)
    assert f"{path} can't be read at line 1" in refused.value.text.en


async def test_a_run_whose_folder_was_removed_takes_nothing_more(folder: Path) -> None:
    store = FileRuns(folder)
    run = await store.begin(SPEC, {})
    for path in (folder / run.id).iterdir():
        path.unlink()
    (folder / run.id).rmdir()
    with pytest.raises(RunError, match="not there any more"):
        await store.add(run.id, [FULL])
    store.close()


def test_a_file_that_can_not_be_written_to_its_end_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(b"before")

    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError):
        replace_file(path, pieces())
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_to_a_file_stays_a_link(tmp_path: Path) -> None:
    link, path = tmp_path / "link", tmp_path / "out"
    path.write_bytes(b"before")
    link.symlink_to(path)
    replace_file(link, b"after")
    assert (link.is_symlink(), path.read_bytes()) == (True, b"after")
