"""Files that people attach: fetched from their platform once, kept with their message, handed to the agent as text or
picture."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

from sqlalchemy import Connection

from agent.clock import Clock
from agent.journal import Json
from agent.language import Text
from agent.llm import images
from agent.task import TaskFile
from agent.tools.documents import DocumentError, Documents, shown_name
from bot.inbox import clean
from bot.messages import Attachment, Target
from bot.ports import Fetches
from bot.posting import Ambiguous, Refused, RetryLater
from bot.store import blobs, files
from bot.store.blobs import TooLarge
from bot.store.db import Store

log = logging.getLogger(__name__)

#: Files of one question; bytes of each.
MOST_FILES: Final = 10
MOST_BYTES: Final = blobs.MAX_BYTES
#: Bytes that all files together may take in the database.
QUOTA: Final = 4 << 30
#: Characters of one file's text, and of all files of a question: what a large window takes.
MOST_CHARS: Final = 200_000
MOST_CHARS_IN_ALL: Final = 400_000
#: Bytes of all pictures of a question. A request carries them, a third longer.
MOST_PICTURE_BYTES: Final = 12_000_000
#: Files that are fetched at the same time; tries for each, and the longest wait between two, in seconds.
_AT_ONCE: Final = 3
_TRIES: Final = 3
_LONGEST_WAIT: Final = 5.0

#: Why a file isn't there, by the code that the journal keeps. `{name}` is the file, `{most}` a limit.
PROBLEMS: Final[dict[str, Text]] = {
    "gone": Text("“{name}” is no longer there: attach it again.", "“{name}”已不存在：请重新上传。"),
    "too_large": Text(
        "“{name}” is larger than {most} MB: attach a smaller part of it.",
        "“{name}”超过了 {most} MB：请只上传其中一部分。",
    ),
    "not_allowed": Text(
        "“{name}” could not be opened, because the app lacks the permission to read files here: ask an administrator "
        "to grant it.",
        "无法打开“{name}”，因为应用没有在这里读取文件的权限：请联系管理员授权。",
    ),
    "refused": Text(
        "The platform did not hand out “{name}”: attach it again, or paste its text into a message.",
        "平台没有提供“{name}”：请重新上传，或把文字直接粘贴到消息里。",
    ),
    "external": Text(
        "“{name}” is kept in another service that can't be opened from here: attach the file itself.",
        "“{name}”存放在其他服务中，无法从这里打开：请直接上传文件。",
    ),
    "unavailable": Text(
        "“{name}” could not be fetched just now: try again in a minute.", "暂时无法取得“{name}”：请过一分钟再试。"
    ),
    "too_many": Text(
        "“{name}” was left out, because at most {most} files are read at once: send it in another message.",
        "“{name}”没有读取，因为一次最多读取 {most} 个文件：请在另一条消息中发送。",
    ),
    "no_room": Text(
        "“{name}” could not be kept, because the server's room for files is used up: tell whoever runs it.",
        "“{name}”未能保存，因为服务器的文件空间已满：请告知管理员。",
    ),
    "pictures": Text(
        "“{name}” was left out, because the pictures before it are large already: send it in another message.",
        "“{name}”没有读取，因为前面的图片已经很大：请在另一条消息中发送。",
    ),
}
#: What platforms say, as far as it tells more than that they refuse.
_REASONS: Final[dict[str, str]] = {
    "too_large": "too_large",
    "external_file": "external",
    **dict.fromkeys(("gone", "not_found", "file_not_found", "file_deleted", "unknown_file", "expired"), "gone"),
    **dict.fromkeys(
        ("not_allowed", "missing_scope", "no_permission", "access_denied", "forbidden", "not_visible"), "not_allowed"
    ),
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file as the journal keeps it: where its bytes are, or why they aren't anywhere."""

    id: str
    name: str
    #: As the platform said.
    media_type: str
    size: int
    #: SHA-256 of its bytes, in the database.
    digest: str | None = None
    #: A code of `PROBLEMS`.
    problem: str | None = None
    #: Whether it came with an earlier message.
    earlier: bool = False


class Attachments:
    """Fetches, keeps and reads files. Holds nothing of any turn between calls."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        documents: Documents | None = None,
        *,
        quota: int = QUOTA,
        most: int = MOST_BYTES,
    ) -> None:
        """`quota`: bytes of all files together; `most`: of each."""
        self._store = store
        self._clock = clock
        self._documents = documents or Documents()
        self._quota = quota
        self._most = most

    async def load(
        self, target: Target, attachments: Sequence[Attachment], outbound: Fetches | None, *, earlier: bool = False
    ) -> Json:
        """Fetch the files and keep them in the database; what `task_files` needs, as JSON.

        A file that can't be had is there with its problem. What was fetched before isn't fetched again. `earlier`: they
        came with an earlier message than the question. Raises `StoreUnavailable`.
        """
        wanted, rest = attachments[:MOST_FILES], attachments[MOST_FILES:]
        ids = {one.id for one in wanted}
        known = await self._store.read(lambda c: files.kept(c, target, ids)) if wanted else {}
        room = asyncio.Semaphore(_AT_ONCE)

        async def fetched(one: Attachment) -> bytes | str | None:
            if one.id in known:
                return None
            async with room:
                return await self._fetch(target, one, outbound)

        got = await asyncio.gather(*map(fetched, wanted))
        loaded = []
        # One after the other: they may be files of one message, whose row each of them changes.
        for one, data in zip(wanted, got, strict=True):
            row = Loaded(one.id, clean(one.name), one.media_type, one.size, known.get(one.id))
            loaded.append(row if data is None else await self._keep(target, row, data))
        loaded += (Loaded(one.id, clean(one.name), one.media_type, one.size, problem="too_many") for one in rest)
        return {"files": [asdict(replace(one, earlier=earlier)) for one in loaded]}

    async def task_files(self, loaded: Json) -> tuple[TaskFile, ...]:
        """The files as the agent takes them, read from the database. Raises `StoreUnavailable`."""
        rows = [Loaded(**row) for row in loaded["files"]]
        readable = sum(row.problem is None for row in rows)
        most_chars = min(MOST_CHARS, MOST_CHARS_IN_ALL // max(1, readable))
        read = await asyncio.gather(*(self._read(row, most_chars) for row in rows))
        left, found = MOST_PICTURE_BYTES, []
        for file in read:
            size = len(file.image.data) if file.image is not None else 0
            if size > left:
                file = replace(file, image=None, problem=_problem("pictures", file.name))
            else:
                left -= size
            found.append(file)
        return tuple(found)

    async def _fetch(self, target: Target, one: Attachment, outbound: Fetches | None) -> bytes | str:
        """The file's bytes, or the code of its problem."""
        if outbound is None:
            return "refused"
        if one.size > self._most:
            return "too_large"
        for attempt in range(1, _TRIES + 1):
            try:
                data = await outbound.fetch(target, one, self._most)
            except Refused as refused:
                log.info("a file was refused: %s", refused)
                return _REASONS.get(refused.code, "refused")
            except (Ambiguous, RetryLater) as error:
                log.info("a file could not be fetched yet: %s", error)
                wait = error.seconds if isinstance(error, RetryLater) else 0.5 * attempt
                if attempt == _TRIES or wait > _LONGEST_WAIT:
                    break
                await self._clock.sleep(wait)
            else:
                return data if len(data) <= self._most else "too_large"
        return "unavailable"

    async def _keep(self, target: Target, row: Loaded, data: bytes | str) -> Loaded:
        if isinstance(data, str):
            return replace(row, problem=data)
        now, media_type = self._clock.now(), images.media_type_of(data) or "application/octet-stream"

        def query(connection: Connection) -> str | None:
            return files.keep(connection, target, row.id, data, media_type, now, quota=self._quota)

        try:
            digest = await self._store.write(query)
        except TooLarge as error:
            log.warning("a file was not kept: %s", error)
            return replace(row, problem="no_room")
        # Without one, its message was erased meanwhile.
        return replace(row, size=len(data), digest=digest, problem=None if digest else "gone")

    async def _read(self, row: Loaded, most_chars: int) -> TaskFile:
        file = TaskFile(row.name, row.media_type, earlier=row.earlier)
        if row.problem is not None or row.digest is None:
            return replace(file, problem=_problem(row.problem or "gone", row.name))
        digest = row.digest
        stored = await self._store.read(lambda c: blobs.get(c, digest))
        if stored is None:
            return replace(file, problem=_problem("gone", row.name))
        if (picture := images.media_type_of(stored.data)) is not None:
            refusal = images.refusal(stored.data, picture, shown_name(row.name))
            image = images.Image(picture, stored.data, row.name) if refusal is None else None
            return replace(file, media_type=picture, problem=refusal, image=image)
        try:
            document = await self._documents.extract(row.name, row.media_type, stored.data, most_chars=most_chars)
        except DocumentError as error:
            return replace(file, problem=error.text)
        return replace(file, text=document.text, cut=document.cut)


def _problem(code: str, name: str) -> Text:
    """The sentence for a problem with the file of this name."""
    most = MOST_FILES if code == "too_many" else MOST_BYTES >> 20
    # A later version of this program may have written a code that this one doesn't know.
    text, shown = PROBLEMS.get(code, PROBLEMS["refused"]), shown_name(name)
    return Text(text.say("en", name=shown, most=most), text.say("zh", name=shown, most=most))
