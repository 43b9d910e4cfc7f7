"""The data folder, the database, and the invariants of what is stored."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from agent.clock import SystemClock
from agent.language import Lang, Text
from bot.doctor.configuration import others_can_read
from bot.doctor.lines import Level, Line, line
from bot.ports import StoreUnavailable
from bot.settings import Settings
from bot.store import migrate
from bot.store.audit import findings
from bot.store.db import open_store, sqlite_path

#: Free bytes below which the server will soon stop, or should be looked after.
_TOO_FULL = 100 << 20
_NEARLY_FULL = 1 << 30
#: Longest detail from a database, in characters.
_DETAIL = 200

_FOLDER: Final = Text("data folder: {path} can be written, {free} free", "数据目录：{path} 可写，剩余空间 {free}")
_FOLDER_CLOSED: Final = Text(
    "data folder: {path} can't be written ({error}): give this user the right to, or set KAGENTBOT_DATA_DIR to another",
    "数据目录：{path} 不可写（{error}）：请授予当前用户写权限，或把 KAGENTBOT_DATA_DIR 设为其他目录",
)
_FOLDER_FULL: Final = Text(
    "data folder: {path} has only {free} left: free some space", "数据目录：{path} 只剩 {free}：请清理空间"
)
_FOLDER_OPEN: Final = Text(
    "data folder: other users of this machine can look into {path}: run chmod 700 {path}",
    "数据目录：本机其他用户可以查看 {path}：请运行 chmod 700 {path}",
)
_DATABASE_OPEN: Final = Text(
    "database: other users of this machine can read {path}: run chmod 600 {path}",
    "数据库：本机其他用户可以读取 {path}：请运行 chmod 600 {path}",
)
_DATABASE_CLOSED: Final = Text(
    "database: {path} can't be read and written: give this user the right to, or set DATABASE_URL to another",
    "数据库：{path} 无法读写：请授予当前用户读写权限，或把 DATABASE_URL 设为其他数据库",
)
_DATABASE: Final = Text("database: {where} is up to date", "数据库：{where} 是最新的")
_DATABASE_NONE: Final = Text(
    "database: {where} does not exist yet; the first start makes it", "数据库：{where} 尚不存在，首次启动时创建"
)
_DATABASE_BEHIND: Final = Text(
    "database: {where} is empty or of an older version: the next start (or kagentbot migrate) brings it up to date",
    "数据库：{where} 是空的或版本较旧：下次启动（或运行 kagentbot migrate）时会升级",
)
_DATABASE_UNKNOWN: Final = Text(
    "database: {where} was written by a newer version or by another program: start that version, or set DATABASE_URL "
    "to another database",
    "数据库：{where} 由更新的版本或其他程序写入：请启动那个版本，或把 DATABASE_URL 设为其他数据库",
)
_DATABASE_AWAY: Final = Text("database: {where}: {sentence} ({detail})", "数据库：{where}：{sentence}（{detail}）")
_DATABASE_WRONG: Final = Text("database: {where}: {detail}", "数据库：{where}：{detail}")
_CANNOT_AUDIT: Final = Text(
    "There is no database of this version to audit: check `database_url`, or start the server once.",
    "没有可检查的当前版本数据库：请检查 `database_url`，或先启动一次服务。",
)
_CLEAN: Final = Text("invariants: all hold", "不变式：全部成立")
_FINDING: Final = Text(
    "invariants: {finding}: please report this with the log", "不变式：{finding}：请连同日志一起反馈"
)


async def audit(database_url: str) -> list[Text]:
    """The broken invariants of the stored state, a sentence each; empty when all hold.

    Raises `StoreUnavailable` when the database can't be read or isn't of this version.
    """
    if await asyncio.to_thread(migrate.check, database_url) != "current":
        raise StoreUnavailable(_CANNOT_AUDIT)
    store = open_store(database_url)
    try:
        now = SystemClock().now()
        return await store.read(lambda connection: findings(connection, now))
    finally:
        await store.close()


def look_at_folder(folder: Path, lang: Lang) -> list[Line]:
    """Whether a folder can be written, and how much room it has."""
    # The server makes the folder if it is missing; what counts is where it would be made.
    try:
        there = next(place for place in (folder, *folder.parents) if os.path.exists(place))  # noqa: PTH110
        with tempfile.TemporaryFile(dir=there):
            free = shutil.disk_usage(there).free
    except OSError as error:
        return [line("error", _FOLDER_CLOSED, lang, path=folder, error=error.strerror or type(error).__name__)]
    level: Level = "error" if free < _TOO_FULL else "warning" if free < _NEARLY_FULL else "ok"
    text = _FOLDER if level == "ok" else _FOLDER_FULL
    return [line(level, text, lang, path=folder, free=_size(free))]


def look_at_data(folder: Path, lang: Lang) -> list[Line]:
    """The same of the folder that is ours alone, so also who else may look into it."""
    lines = look_at_folder(folder, lang)
    if others_can_read(folder):
        lines.append(line("warning", _FOLDER_OPEN, lang, path=folder))
    return lines


def _size(count: int) -> str:
    return f"{count / (1 << 30):.1f} GiB" if count >= _NEARLY_FULL else f"{count >> 20} MiB"


async def look_at_database(settings: Settings, lang: Lang) -> list[Line]:
    """Whether it can be used, is of this version, and holds what it should."""
    where = settings.shown_database()
    lines: list[Line] = []
    path = sqlite_path(settings.database_url)
    exists = path is None or await asyncio.to_thread(os.path.exists, path)
    if path is not None and exists:
        if path.parent != settings.data_dir:
            lines += await asyncio.to_thread(look_at_folder, path.parent, lang)
        if not await asyncio.to_thread(os.access, path, os.R_OK | os.W_OK):
            return [*lines, Line("error", _DATABASE_CLOSED.say(lang, path=path))]
        if await asyncio.to_thread(others_can_read, path):
            lines.append(Line("warning", _DATABASE_OPEN.say(lang, path=path)))
    try:
        state = await asyncio.to_thread(migrate.check, settings.database_url)
        found = await audit(settings.database_url) if state == "current" else []
    except StoreUnavailable as error:
        fields = {"where": where, "sentence": error.text.say(lang), "detail": _one_line(error)}
        return [*lines, Line("error", _DATABASE_AWAY.say(lang, **fields))]
    except SQLAlchemyError as error:
        return [*lines, Line("error", _DATABASE_WRONG.say(lang, where=where, detail=_one_line(error)))]
    if state != "current":
        text = _DATABASE_UNKNOWN if state == "unknown" else _DATABASE_BEHIND if exists else _DATABASE_NONE
        level: Level = "error" if state == "unknown" else "warning" if exists else "ok"
        return [*lines, Line(level, text.say(lang, where=where))]
    lines.append(Line("ok", _DATABASE.say(lang, where=where)))
    lines += [Line("error", _FINDING.say(lang, finding=finding.say(lang))) for finding in found]
    return lines if found else [*lines, Line("ok", _CLEAN.say(lang))]


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:_DETAIL]
