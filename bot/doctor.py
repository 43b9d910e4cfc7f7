"""`kagentbot doctor`: finds beforehand what an operator would otherwise hear from users, and says how to mend it.

Changes nothing and works beside a running server.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, NamedTuple

import aiohttp
import click
from sqlalchemy.exc import SQLAlchemyError

from agent.clock import SystemClock
from agent.language import Lang, Text
from agent.llm import faults, gguf
from agent.llm.chat import ModelError
from agent.llm.connection import Connection
from agent.llm.endpoint import Endpoint
from agent.llm.errors import caught, explain, fault
from agent.llm.probe import PROBE_SECONDS
from agent.tools.registry import unknown_names
from bot.agents import tools_of
from bot.ports import StoreUnavailable
from bot.settings import Settings, SettingsError
from bot.settings.models import OPENAI_URL
from bot.store import migrate
from bot.store.audit import findings
from bot.store.db import open_store, sqlite_path
from bot.web.listen import ListenError, listen

#: Free bytes below which the server will soon stop, or should be looked after.
_TOO_FULL = 100 << 20
_NEARLY_FULL = 1 << 30
#: Seconds for whoever has our port to say who it is.
_ASK_SECONDS = 2.0
#: Names of models that are shown, where the wanted one isn't among them.
_SHOWN_MODELS = 8
#: Longest detail from a database, in characters.
_DETAIL = 200

Level = Literal["ok", "warning", "error"]


class Line(NamedTuple):
    """One thing that was looked at: how it is and, if it isn't well, what to do."""

    level: Level
    text: str


_NO_FILES: Final = Text("settings: no settings file, so the defaults hold", "设置：没有设置文件，使用默认值")
_FILE: Final = Text("settings: read from {path}", "设置：读取自 {path}")
_FILE_OPEN: Final = Text(
    "settings: {path} holds secrets, and other users of this machine can read it: run chmod 600 {path}",
    "设置：{path} 中有密钥，而本机其他用户可以读取：请运行 chmod 600 {path}",
)
_TOOLS: Final = Text("settings: {error}", "设置：{error}")
_UNKNOWN_TOOLS: Final = Text(
    "settings: profile.tool_names has names that no tool has ({names}): choose from {known}",
    "设置：profile.tool_names 中有不存在的工具（{names}）：可选 {known}",
)
_FOLDER: Final = Text("data folder: {path} can be written, {free} free", "数据目录：{path} 可写，剩余空间 {free}")
_FOLDER_CLOSED: Final = Text(
    "data folder: {path} can't be written ({error}): give this user the right to, or set KAGENTBOT_DATA_DIR to another",
    "数据目录：{path} 不可写（{error}）：请授予当前用户写权限，或把 KAGENTBOT_DATA_DIR 设为其他目录",
)
_FOLDER_FULL: Final = Text(
    "data folder: {path} has only {free} left: free some space", "数据目录：{path} 只剩 {free}：请清理空间"
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
#: All that a clean audit prints.
_NO_FINDING: Final = Text("clean", "无异常")
_CLEAN: Final = Text("invariants: all hold", "不变式：全部成立")
_FINDING: Final = Text(
    "invariants: {finding}: please report this with the log", "不变式：{finding}：请连同日志一起反馈"
)
_MODEL: Final = Text("model: {host} answers with {model}", "模型：{host} 可用，模型为 {model}")
_MODEL_UNNAMED: Final = Text(
    "model: {host} has several models and none is chosen, so {model} would answer: set OPENAI_MODEL",
    "模型：{host} 有多个模型而没有指定，将由 {model} 回答：请设置 OPENAI_MODEL",
)
_MODEL_MISSING: Final = Text(
    "model: {host} has no model {model}: set OPENAI_MODEL to one that it has ({known})",
    "模型：{host} 没有模型 {model}：请把 OPENAI_MODEL 设为它有的模型（{known}）",
)
_MODEL_UNLISTED: Final = Text(
    "model: {host} answers, but lists no models: check the address (most end in /v1), and set OPENAI_MODEL",
    "模型：{host} 可以访问，但没有列出模型：请检查地址（通常以 /v1 结尾），并用 OPENAI_MODEL 指定模型",
)
_MODEL_FAILED: Final = Text("model: {sentence} ({detail})", "模型：{sentence}（{detail}）")
_MODEL_WRONG: Final = Text("model: {sentence}", "模型：{sentence}")
_EMBEDDED: Final = Text("model: the embedded one, {file}", "模型：内置模型 {file}")
_EMBEDDED_DEMO: Final = Text(
    "model: the bundled demo model; for real use set OPENAI_BASE_URL to an endpoint",
    "模型：内置的演示模型；正式使用请把 OPENAI_BASE_URL 设为一个端点",
)
_NO_XLLAMACPP: Final = Text(
    "model: the embedded model can't run, because xllamacpp is not installed here: set OPENAI_BASE_URL to an endpoint",
    "模型：没有安装 xllamacpp，内置模型无法运行：请把 OPENAI_BASE_URL 设为一个端点",
)
_PORT_FREE: Final = Text("port: {port} is free", "端口：{port} 空闲")
_PORT_OURS: Final = Text("port: a kagentbot server answers on {port}", "端口：kagentbot 服务正在 {port} 上运行")
_PORT_WRONG: Final = Text("port: {sentence}", "端口：{sentence}")
_PORT_TAKEN: Final = Text(
    "port: another program has {port}, so the server would take {other}: end that program, or set PORT",
    "端口：{port} 被其他程序占用，服务将使用 {other}：请结束该程序，或设置 PORT",
)


def run_doctor(settings: Settings, audit_only: bool = False) -> int:
    """Print what was found. The exit status is 1 if anything is an error, or with `audit_only` an invariant broken."""
    if audit_only:
        return asyncio.run(_print_audit(settings))
    lines = asyncio.run(examine(settings))
    for line in lines:
        click.echo(f"{line.level:<8} {line.text}")
    return int(any(line.level == "error" for line in lines))


async def _print_audit(settings: Settings) -> int:
    try:
        found = await audit(settings.database_url)
    except StoreUnavailable as error:
        found = [error.text]
    for text in found or [_NO_FINDING]:
        click.echo(text.say(settings.lang))
    return int(bool(found))


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


async def examine(settings: Settings) -> list[Line]:
    """Look at everything that the server needs."""
    lang = settings.lang
    parts = await asyncio.gather(
        asyncio.to_thread(_settings, settings, lang),
        asyncio.to_thread(_folder, settings.data_dir, lang),
        _database(settings, lang),
        _model(settings, lang),
        _port(settings.server.host, settings.server.port, lang),
    )
    return [line for part in parts for line in part]


def _settings(settings: Settings, lang: Lang) -> list[Line]:
    lines = [] if settings.files else [Line("ok", _NO_FILES.say(lang))]
    for path, holds_secrets in settings.files:
        unsafe = holds_secrets and _others_can_read(path)
        lines.append(Line("warning" if unsafe else "ok", (_FILE_OPEN if unsafe else _FILE).say(lang, path=path)))
    lines += [Line("warning", sentence) for sentence in settings.unused()]
    try:
        tools = tools_of(settings)
    except SettingsError as error:
        return [*lines, Line("error", _TOOLS.say(lang, error=error.say(lang)))]
    if names := unknown_names(tools, settings.profile.tool_names):
        known = ", ".join(tool.name for tool in tools)
        lines.append(Line("warning", _UNKNOWN_TOOLS.say(lang, names=", ".join(names), known=known)))
    return lines


def _others_can_read(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & 0o077)
    except OSError:
        return False


def _folder(folder: Path, lang: Lang) -> list[Line]:
    # The server makes the folder if it is missing; what counts is where it would be made.
    try:
        there = next(place for place in (folder, *folder.parents) if os.path.exists(place))  # noqa: PTH110
        with tempfile.TemporaryFile(dir=there):
            free = shutil.disk_usage(there).free
    except OSError as error:
        return [Line("error", _FOLDER_CLOSED.say(lang, path=folder, error=error.strerror or type(error).__name__))]
    level: Level = "error" if free < _TOO_FULL else "warning" if free < _NEARLY_FULL else "ok"
    text = _FOLDER if level == "ok" else _FOLDER_FULL
    return [Line(level, text.say(lang, path=folder, free=_size(free)))]


def _size(count: int) -> str:
    return f"{count / (1 << 30):.1f} GiB" if count >= _NEARLY_FULL else f"{count >> 20} MiB"


async def _database(settings: Settings, lang: Lang) -> list[Line]:
    where = settings.shown_database()
    lines = []
    path = sqlite_path(settings.database_url)
    exists = path is None or await asyncio.to_thread(os.path.exists, path)
    if path is not None and exists:
        if path.parent != settings.data_dir:
            lines += await asyncio.to_thread(_folder, path.parent, lang)
        if not await asyncio.to_thread(os.access, path, os.R_OK | os.W_OK):
            return [*lines, Line("error", _DATABASE_CLOSED.say(lang, path=path))]
        if await asyncio.to_thread(_others_can_read, path):
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


async def _model(settings: Settings, lang: Lang) -> list[Line]:
    wanted = settings.models.endpoint
    if wanted.base_url is None:
        return await asyncio.to_thread(_embedded, settings.models.embedded.gguf, lang)
    key = wanted.api_key.get_secret_value() if wanted.api_key else ""
    endpoint = Endpoint(base_url=wanted.base_url, api_key=key, model=wanted.model or "")
    try:
        names = await _list_models(endpoint)
    except ModelError as error:
        sentence = faults.say(error, lang)
        return [Line("error", _MODEL_FAILED.say(lang, sentence=sentence, detail=error.detail))]
    return [_compare(endpoint, names, lang)]


def _compare(endpoint: Endpoint, names: list[str], lang: Lang) -> Line:
    fields = {"host": endpoint.host, "model": endpoint.model or next(iter(names), "?")}
    if not names:
        return Line("warning", _MODEL_UNLISTED.say(lang, **fields))
    if endpoint.model and endpoint.model not in names:
        known = ", ".join(names[:_SHOWN_MODELS]) + (", …" if len(names) > _SHOWN_MODELS else "")
        return Line("warning", _MODEL_MISSING.say(lang, known=known, **fields))
    if not endpoint.model and (len(names) > 1 or endpoint.base_url == OPENAI_URL):
        return Line("warning", _MODEL_UNNAMED.say(lang, **fields))
    return Line("ok", _MODEL.say(lang, **fields))


async def _list_models(endpoint: Endpoint) -> list[str]:
    """What `GET /v1/models` names, asked as the server asks. Raises `ModelError`."""
    import openai

    connection = Connection(endpoint)
    headers = {} if endpoint.api_key else {"Authorization": openai.Omit()}
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            client = await connection.client()
            listed: object = await client.get("/models", cast_to=object, options={"headers": headers})
    except TimeoutError:
        raise fault("timeout", f"no answer within {PROBE_SECONDS:g} s", endpoint) from None
    except openai.NotFoundError:
        # Some servers speak the API and list nothing. A wrong path looks the same; the warning names both.
        return []
    except caught() as error:
        raise explain(error, endpoint) from None
    finally:
        await connection.close()
    if not isinstance(listed, Mapping) or not isinstance(listed.get("data"), list):
        raise fault("garbage", "the list of models is none", endpoint)
    return [str(entry.get("id")) for entry in listed["data"] if isinstance(entry, Mapping)]


def _embedded(file: Path | None, lang: Lang) -> list[Line]:
    if importlib.util.find_spec("xllamacpp") is None:
        return [Line("error", _NO_XLLAMACPP.say(lang))]
    try:
        path = gguf.bundled() if file is None else gguf.check(file)
    except ModelError as error:
        return [Line("error", _MODEL_WRONG.say(lang, sentence=faults.say(error, lang)))]
    return [Line("ok", _EMBEDDED_DEMO.say(lang) if file is None else _EMBEDDED.say(lang, file=path))]


async def _port(host: str, port: int, lang: Lang) -> list[Line]:
    try:
        listening = await listen(host, port)
    except ListenError as error:
        return [Line("error", _PORT_WRONG.say(lang, sentence=error.say(lang)))]
    for sock in listening.sockets:
        sock.close()
    if port in (0, listening.port):
        return [Line("ok", _PORT_FREE.say(lang, port=listening.port))]
    # A server of ours is on the port that was free when it started: any of those that are busy now.
    tried = range(port, listening.port)
    for busy, ours in zip(tried, await asyncio.gather(*(_is_ours(host, one) for one in tried)), strict=True):
        if ours:
            return [Line("ok", _PORT_OURS.say(lang, port=busy))]
    return [Line("warning", _PORT_TAKEN.say(lang, port=port, other=listening.port))]


async def _is_ours(host: str, port: int) -> bool:
    """Whether a kagentbot server is what listens there."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    shown = f"[{reachable}]" if ":" in reachable else reachable
    limit = aiohttp.ClientTimeout(total=_ASK_SECONDS)
    url = f"http://{shown}:{port}/healthz"
    try:
        async with aiohttp.ClientSession(timeout=limit) as session, session.get(url, allow_redirects=False) as response:
            return response.headers.get("Server") == "kagentbot"
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        return False
