"""Runs in files: one folder for each, readable with nothing but an editor.

    runs/20260301-140522-731/
      spec.json            what is asked of which model, and when it began
      manifest.json        hashes, versions, the model's own name
      predictions.jsonl    every reply, appended and synced: what stands there survives a kill
      summary.json         how it ended; not there while it goes on, or after a kill
      lock                 held by the process that asks

A kill can tear the last line of predictions.jsonl. A reader leaves such a line out, and whoever goes on with the run
cuts it off first. The other files are replaced as a whole or not at all.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from agent.clock import Clock, SystemClock
from agent.journal import Json
from agent.language import Text, TextError
from evals.files import replace_file, sync_folder
from evals.runs import Prediction, PredictionKey, Run, RunSpec, RunState, spec_json, spec_of

SPEC, MANIFEST, PREDICTIONS, SUMMARY, LOCK = (
    "spec.json",
    "manifest.json",
    "predictions.jsonl",
    "summary.json",
    "lock",
)
#: A line of predictions.jsonl begins so, then come the digest's 64 characters, or none for a call that failed.
_DIGEST: Final = b'{"digest":"'
_DIGEST_CHARS: Final = 64

_IN_USE = Text(
    "Run {run} is going on in another process: wait for its end, or stop that process first.",
    "运行 {run} 正在另一个进程中进行：请等它结束，或先停止那个进程。",
)
_GONE = Text("Run {run} is not there any more: somebody removed its folder.", "运行 {run} 已不存在：它的目录已被删除。")
_DAMAGED = Text(
    "{path} can't be read at line {line}: restore the file from a backup, or remove the folder of this run.",
    "{path} 的第 {line} 行无法读取：请从备份中恢复该文件，或删除这次运行的目录。",
)


class RunError(TextError):
    """A run that can't be used; `text` is one sentence for people."""


class FileRuns:
    """`evals.runs.RunStore` in a folder. `close` gives back the runs that are held."""

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        """The folder is made when the first run begins."""
        self._folder = folder
        self._clock = clock or SystemClock()
        #: The runs that this process asks: their lock's file descriptor.
        self._held: dict[str, int] = {}
        #: Digest → file and offset of its line; made when first asked for.
        self._index: dict[str, tuple[Path, int]] | None = None

    # --- RunStore

    async def begin(self, spec: RunSpec, manifest: Mapping[str, Any]) -> Run:
        """A new run, held by this process. Raises `OSError`."""
        return await asyncio.to_thread(self._begin, spec, manifest)

    async def find(self, run_id: str) -> Run | None:
        """The run with this id, or the only one whose id begins so; None for none, and for several."""
        return await asyncio.to_thread(self._find, run_id)

    async def runs(self, most: int = 50) -> Sequence[Run]:
        """The newest runs, newest first; folders that hold no run are left out."""
        return await asyncio.to_thread(self._runs, most)

    async def add(self, run_id: str, predictions: Sequence[Prediction]) -> None:
        """Append replies; synced on return. Raises `RunError`, or `OSError` where nothing was written."""
        await asyncio.to_thread(self._add, run_id, predictions)

    async def predictions(self, run_id: str) -> Sequence[Prediction]:
        """All replies of a run, in their order. Raises `RunError` for a file that was damaged."""
        return await asyncio.to_thread(lambda: list(_read(self._folder / run_id / PREDICTIONS)))

    async def cached(self, digests: Sequence[str]) -> Mapping[str, Prediction]:
        """Replies of earlier runs by `PredictionKey.digest`, errors left out; the newest of several."""
        return await asyncio.to_thread(self._cached, digests)

    async def end(self, run_id: str, state: RunState, summary: Json = None, error: str = "") -> None:
        """The run is over, and free for others. Raises `OSError`."""
        await asyncio.to_thread(self._end, run_id, state, summary, error)

    # --- What a command line needs besides

    async def resume(self, run_id: str) -> Run:
        """Go on with a run of this store: it is running again, and held. Raises `RunError` while another process has
        it.
        """
        return await asyncio.to_thread(self._resume, run_id)

    def is_live(self, run_id: str) -> bool:
        """Whether a process, this one included, asks for this run just now."""
        if run_id in self._held:
            return True
        try:
            fd = os.open(self._folder / run_id / LOCK, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            return not _locked(fd)
        finally:
            os.close(fd)

    def is_ours(self, run_id: str) -> bool:
        """Whether a run is kept here."""
        return (self._folder / run_id / SPEC).is_file()

    def close(self) -> None:
        """Give back what is held; runs that have not ended can be resumed."""
        for run_id in list(self._held):
            self._release(run_id)

    # --- The work

    def _begin(self, spec: RunSpec, manifest: Mapping[str, Any]) -> Run:
        now = self._clock.now()
        # Complete before it has its name, so that nobody finds half a run.
        made = self._folder / f".{secrets.token_hex(8)}"
        try:
            made.mkdir(mode=0o700, parents=True)
            fd = os.open(made / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            _locked(fd)
            replace_file(made / SPEC, _json({"started_at": now.isoformat(), "spec": spec_json(spec)}))
            replace_file(made / MANIFEST, _json(manifest))
            (made / PREDICTIONS).touch(0o600)
            sync_folder(made)
            run_id = self._named(made, now)
            sync_folder(self._folder)
        except OSError:
            shutil.rmtree(made, ignore_errors=True)
            raise
        self._held[run_id] = fd
        return self._run(run_id)

    def _named(self, made: Path, now: datetime) -> str:
        """Give a new run its name: the time, so that names are in the order of their beginnings."""
        while True:
            run_id = f"{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03}"
            try:
                made.rename(self._folder / run_id)
            except OSError as error:
                # Another run began in the same millisecond.
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
                now += timedelta(milliseconds=1)
                continue
            return run_id

    def _find(self, run_id: str) -> Run | None:
        ids = self._ids()
        meant = [run_id] if run_id in ids else [one for one in ids if run_id and one.startswith(run_id)]
        return self._run(meant[0]) if len(meant) == 1 else None

    def _runs(self, most: int) -> list[Run]:
        return [self._run(run_id) for run_id in self._ids()[:most]]

    def _ids(self) -> list[str]:
        """The newest first: ids begin with the time."""
        if not self._folder.is_dir():
            return []
        return sorted((path.parent.name for path in self._folder.glob(f"[!.]*/{SPEC}")), reverse=True)

    def _run(self, run_id: str) -> Run:
        folder = self._folder / run_id
        begun, ended = _load(folder / SPEC), _load(folder / SUMMARY)
        try:
            finished = ended.get("finished_at")
            return Run(
                id=run_id,
                spec=spec_of(begun["spec"]),
                state=ended.get("state", "running"),
                started_at=datetime.fromisoformat(begun["started_at"]),
                finished_at=datetime.fromisoformat(finished) if finished else None,
                manifest=_load(folder / MANIFEST),
                summary=ended.get("summary"),
                error=ended.get("error", ""),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise RunError(_DAMAGED, path=folder / SPEC, line=1) from None

    def _add(self, run_id: str, predictions: Sequence[Prediction]) -> None:
        folder = self._folder / run_id
        if run_id not in self._held:
            self._hold(run_id)
        if not folder.is_dir():
            raise RunError(_GONE, run=run_id)
        lines = b"".join(_line(prediction) for prediction in predictions)
        with (folder / PREDICTIONS).open("r+b", buffering=0) as file:
            kept = file.seek(0, os.SEEK_END)
            try:
                _write_all(file.fileno(), lines)
                os.fsync(file.fileno())
            except OSError:
                # Half a batch would look like one that was kept.
                file.truncate(kept)
                raise

    def _cached(self, digests: Sequence[str]) -> dict[str, Prediction]:
        if self._index is None:
            self._index = {}
            for run_id in reversed(self._ids()):
                path = self._folder / run_id / PREDICTIONS
                self._index |= {digest: (path, offset) for digest, offset in _digests(path)}
        found: dict[str, Prediction] = {}
        by_file: dict[Path, list[tuple[int, str]]] = {}
        for digest in digests:
            if digest in self._index:
                path, offset = self._index[digest]
                by_file.setdefault(path, []).append((offset, digest))
        for path, places in by_file.items():
            # Somebody may have removed that run meanwhile, or damaged it: then it is asked, like anything new.
            with suppress(OSError, ValueError, KeyError, TypeError), path.open("rb") as file:
                for offset, digest in sorted(places):
                    file.seek(offset)
                    read = _prediction(json.loads(file.readline()))
                    found |= {digest: read} if read.key.digest == digest else {}
        return found

    def _end(self, run_id: str, state: RunState, summary: Json, error: str) -> None:
        ended = {"state": state, "finished_at": self._clock.now().isoformat(), "error": error, "summary": summary}
        replace_file(self._folder / run_id / SUMMARY, _json(ended))
        self._release(run_id)

    def _resume(self, run_id: str) -> Run:
        if run_id not in self._held:
            self._hold(run_id)
        (self._folder / run_id / SUMMARY).unlink(missing_ok=True)
        sync_folder(self._folder / run_id)
        return self._run(run_id)

    def _hold(self, run_id: str) -> None:
        """Take a run that exists, and cut off what a kill left of a line."""
        folder = self._folder / run_id
        try:
            fd = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            raise RunError(_GONE, run=run_id) from None
        if not _locked(fd):
            os.close(fd)
            raise RunError(_IN_USE, run=run_id)
        self._held[run_id] = fd
        path = folder / PREDICTIONS
        path.touch(0o600)
        os.truncate(path, _whole(path))

    def _release(self, run_id: str) -> None:
        fd = self._held.pop(run_id, None)
        if fd is not None:
            os.close(fd)


def _locked(fd: int) -> bool:
    """Take the lock of this file, unless another process has it."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass") + b"\n"


def _load(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes().decode("utf-8", "surrogatepass"))
    except FileNotFoundError:
        return {}
    except ValueError:
        raise RunError(_DAMAGED, path=path, line=1) from None
    return found if isinstance(found, dict) else {}


def _line(prediction: Prediction) -> bytes:
    """One line; its digest stands first, where it is found without reading the rest."""
    digest = "" if prediction.error else prediction.key.digest
    # ASCII: no reply can break a line, whatever a program takes for the end of one.
    return json.dumps({"digest": digest} | asdict(prediction), separators=(",", ":")).encode() + b"\n"


def _prediction(found: Mapping[str, Any]) -> Prediction:
    fields = {name: value for name, value in found.items() if name in Prediction.__slots__}
    return Prediction(**fields | {"key": PredictionKey(**found["key"])})


def _read(path: Path) -> Iterator[Prediction]:
    """The replies of a file that may be written at the same time."""
    if not path.is_file():
        return
    whole = _whole(path)
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if file.tell() > whole:
                return
            try:
                yield _prediction(json.loads(line))
            except (ValueError, KeyError, TypeError):
                raise RunError(_DAMAGED, path=path, line=number) from None


def _digests(path: Path) -> Iterator[tuple[str, int]]:
    """The digest and the place of each reply that may be used again."""
    if not path.is_file():
        return
    offset, whole = 0, _whole(path)
    first, last = len(_DIGEST), len(_DIGEST) + _DIGEST_CHARS
    with path.open("rb") as file:
        for line in file:
            if offset + len(line) <= whole and line.startswith(_DIGEST) and line[last : last + 1] == b'"':
                yield line[first:last].decode(), offset
            offset += len(line)


def _whole(path: Path) -> int:
    """Bytes of the file up to the end of its last whole line."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        # Backwards in pieces: a line may hold a reply of any length.
        while end > 0:
            begin = max(0, end - 65_536)
            file.seek(begin)
            found = file.read(end - begin).rfind(b"\n")
            if found >= 0:
                return begin + found + 1
            end = begin
    return 0


def _write_all(fd: int, data: bytes) -> None:
    """Without a buffer, the system may take less than it is given."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]
