"""`kagentbot doctor`: each thing that it looks at, well and unwell, on real databases, sockets and model servers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import Connection, insert, text

from bot.backend import pack
from bot.doctor import Line, audit, examine, run_doctor, surroundings
from bot.doctor.surroundings import Ticks
from bot.ports import StoreUnavailable
from bot.secrets import Secrets
from bot.settings import Settings, load
from bot.settings.models import ListedEndpoint
from bot.store import endpoints
from bot.store.db import open_store, sqlite_path
from bot.store.tables import conversation, message
from bot.web.server import WebOptions, WebServer
from tests.fakes.llm.harness import FakeLLM

SECRET = "sk-do-not-show-me"
DICE = str(Path(__file__).resolve().parents[2] / "examples" / "dice_tool.py")

Loader = Callable[..., Settings]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loader:
    """`load` in an empty home; the port is any free one unless it is given."""
    monkeypatch.chdir(tmp_path)

    def find(**environ: str) -> Settings:
        return load(environ={"HOME": str(tmp_path), "PORT": "0", **environ})

    return find


@contextlib.asynccontextmanager
async def taken_port() -> AsyncIterator[int]:
    """A port that some other program listens on. It takes connections and says nothing of itself."""

    async def close(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(close, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def lines_about(found: Settings, subject: str) -> list[Line]:
    return [line for line in await examine(found) if line.text.startswith(subject)]


def lose_a_message(connection: Connection) -> None:
    """Store a message that was accepted and has no turn."""
    now = datetime.now(UTC) - timedelta(hours=1)
    place = {"platform": "test", "workspace": "w", "channel": "c"}
    key = connection.execute(
        insert(conversation).values(key="test:1", created_at=now, last_message_at=now, **place)
    ).inserted_primary_key
    assert key is not None
    connection.execute(
        insert(message).values(
            conversation_id=key[0],
            generation=1,
            message_id="1",
            role="user",
            author_id="u",
            text="hello",
            attachments=[],
            sent_at=now,
            received_at=now,
            addressed=True,
            **place,
        )
    )


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def run(url: str, query: Callable[[Connection], object]) -> None:
    store = open_store(url)
    await store.write(query)
    await store.close()


# --- Audit


async def test_an_untouched_database_has_no_broken_invariants(database_url: str) -> None:
    assert await audit(database_url) == []


async def test_a_lost_message_is_found(database_url: str) -> None:
    await run(database_url, lose_a_message)
    [finding] = await audit(database_url)
    assert finding.en == "message 1 was accepted, but has no turn"


async def test_the_audit_works_while_another_process_writes(sqlite_url: str) -> None:
    writer = sqlite3.connect(str(sqlite_path(sqlite_url)), isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE conversation SET epoch = 1")
    try:
        assert await audit(sqlite_url) == []
    finally:
        writer.close()


async def test_a_missing_database_is_not_clean_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="no database of this version"):
        await audit(f"sqlite:///{tmp_path}/none.db")
    assert names_in(tmp_path) == []


def test_a_clean_audit_prints_clean_and_exits_with_0(
    settings: Loader, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_doctor(settings(DATABASE_URL=sqlite_url), audit_only=True) == 0
    assert capsys.readouterr().out == "clean\n"


def test_an_audit_with_findings_prints_them_alone_and_exits_with_1(
    settings: Loader, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(run(sqlite_url, lose_a_message))
    assert run_doctor(settings(DATABASE_URL=sqlite_url), audit_only=True) == 1
    assert capsys.readouterr().out == "message 1 was accepted, but has no turn\n"


def test_an_audit_speaks_the_language_of_the_machine(
    settings: Loader, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    chinese = settings(DATABASE_URL=sqlite_url, LANG="zh_CN.UTF-8")
    run_doctor(chinese, audit_only=True)
    asyncio.run(run(sqlite_url, lose_a_message))
    run_doctor(chinese, audit_only=True)
    assert capsys.readouterr().out == "无异常\n消息 1 已被接受，但没有对应的轮次\n"


def test_an_audit_of_no_database_exits_with_1(settings: Loader, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_doctor(settings(), audit_only=True) == 1
    assert capsys.readouterr().out == (
        "There is no database of this version to audit: check `database_url`, or start the server once.\n"
    )


# --- All of it


@pytest.fixture
def equipped(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that has everything: a font with Chinese characters and a browser, in this folder."""
    folder = tmp_path_factory.mktemp("programs")
    for name, script in (("fc-list", "echo 'Noto Sans CJK SC,Noto Sans CJK SC Regular'"), ("chromium", "exit 0")):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def without_numbers(printed: str) -> list[str]:
    """Lines without what differs from run to run: ports, sizes and times."""
    return [re.sub(r"\d+(\.\d+)?", "#", line) for line in printed.splitlines()]


def test_a_fresh_machine_is_well(
    settings: Loader, equipped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_doctor(settings()) == 0
    data = tmp_path / ".local/share/kagentbot"
    assert without_numbers(capsys.readouterr().out) == without_numbers(
        f"""\
ok       settings: no settings file, so the defaults hold
ok       tools: 4 built in
ok       data folder: {data} can be written, 1.0 GiB free
ok       database: {data}/kagentbot.db does not exist yet; the first start makes it
ok       model: the bundled demo model; for real use set OPENAI_BASE_URL to an endpoint
ok       port: 8765 is free
ok       fonts: Noto Sans CJK SC has Chinese characters
ok       browser: {equipped}/chromium
ok       clock: runs evenly; there is no other machine to compare it with
"""
    )
    assert names_in(tmp_path) == []


async def test_a_set_up_with_everything_is_well(
    settings: Loader, equipped: Path, sqlite_url: str, tmp_path: Path
) -> None:
    async with FakeLLM(model="my-model", kind="vllm", context=8192, gap=0.01) as llm:
        (tmp_path / "kagentbot.toml").write_text(f'[models.endpoint]\nbase_url = "{llm.base_url}"\n')
        found = settings(DATABASE_URL=sqlite_url, KAGENTBOT_TOOLS__FILES=DICE)
        lines = await examine(found)
    assert {line.level for line in lines if "JSON Schema" not in line.text} == {"ok"}
    subjects = list(dict.fromkeys(line.text.partition(":")[0] for line in lines))
    assert subjects == [
        "settings", "tools", "data folder", "database", "invariants", "model default", "port", "fonts", "browser",
        "clock",
    ]  # fmt: skip


def test_a_broken_set_up_is_told_line_by_line_with_what_mends_it(
    settings: Loader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(surroundings, "_FONT_FOLDERS", ())
    (tmp_path / ".env").write_text(f"OPENAI_API_KEY={SECRET}\n")
    (tmp_path / ".env").chmod(0o644)
    (tmp_path / "mine.py").write_text("1 / 0\n")
    (tmp_path / "letter.db").write_text("Dear Ada, " * 500)
    (tmp_path / "letter.db").chmod(0o600)
    (tmp_path / "data").mkdir(mode=0o755)
    (tmp_path / "data" / "web-token").write_text("x")
    (tmp_path / "data" / "web-token").chmod(0o644)
    assert (
        run_doctor(
            settings(
                DATABASE_URL="sqlite:///letter.db",
                KAGENTBOT_DATA_DIR=str(tmp_path / "data"),
                KAGENTBOT_TOOLS__FILES="mine.py",
                KAGENTBOT_SERVER__HOST="203.0.113.7",
                OPENAI_BASE_URL="http://127.0.0.1:9/v1",
                WEATHER_API_KEY=SECRET,
            )
        )
        == 1
    )
    printed = capsys.readouterr().out
    port = next(line for line in printed.splitlines() if " port: " in line)
    database = next(line for line in printed.splitlines() if " database: " in line)
    assert without_numbers(printed) == without_numbers(
        f"""\
warning  settings: {tmp_path}/.env holds secrets, and other users of this machine can read it: run chmod 600 \
{tmp_path}/.env
warning  settings: {tmp_path}/data/web-token is a secret, and other users of this machine can read it: run chmod 600 \
{tmp_path}/data/web-token
warning  WEATHER_API_KEY is set, but this version has no weather tool yet: it is not used.
error    tools: The tools of {tmp_path}/mine.py can't be loaded: ZeroDivisionError: division by zero.
ok       data folder: {tmp_path}/data can be written, 1.0 GiB free
warning  data folder: other users of this machine can look into {tmp_path}/data: run chmod 700 {tmp_path}/data
ok       data folder: {tmp_path} can be written, 1.0 GiB free
{database}
error    model default: 127.0.0.1:9 can't be reached: check the address, and that the server runs.
{port}
warning  fonts: none with Chinese characters was found, so pictures of charts can't show them: install one, for \
example the system's package fonts-noto-cjk
warning  browser: none was found, so tools can't read web pages that need one (everything else works): install Chromium
ok       clock: runs evenly; there is no other machine to compare it with
"""
    )
    assert (database[:7], "is not a database" in database) == ("error  ", True)
    assert port[:7] == "error  "
    assert SECRET not in printed


def test_everything_can_be_had_as_json(settings: Loader, equipped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_doctor(settings(), as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is True
    assert {"level": "ok", "text": "fonts: Noto Sans CJK SC has Chinese characters"} in found["lines"]


def test_an_audit_can_be_had_as_json(settings: Loader, sqlite_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(run(sqlite_url, lose_a_message))
    assert run_doctor(settings(DATABASE_URL=sqlite_url), audit_only=True, as_json=True) == 1
    assert json.loads(capsys.readouterr().out) == {
        "ok": False,
        "findings": ["message 1 was accepted, but has no turn"],
    }


def test_an_error_exits_with_1(settings: Loader, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_doctor(settings(KAGENTBOT_MODELS__EMBEDDED__GGUF=str(tmp_path / "none.gguf"))) == 1
    assert f"error    model: `models.embedded.gguf` names {tmp_path / 'none.gguf'}" in capsys.readouterr().out


def test_a_warning_exits_with_0(settings: Loader, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_doctor(settings(WEATHER_API_KEY="x")) == 0
    assert "warning  WEATHER_API_KEY is set, but" in capsys.readouterr().out


async def test_everything_is_said_in_chinese_where_the_machine_speaks_it(settings: Loader, database_url: str) -> None:
    await run(database_url, lose_a_message)
    found = await examine(
        settings(LANG="zh_CN.UTF-8", DATABASE_URL=database_url, OPENAI_BASE_URL="http://127.0.0.1:9/v1")
    )
    subjects = [line.text.partition("：")[0] for line in found]
    assert list(dict.fromkeys(subjects)) == [
        "设置", "工具", "数据目录", "数据库", "不变式", "模型 default", "端口", "字体", "浏览器", "时钟",
    ]  # fmt: skip


async def test_no_secret_is_in_any_line(settings: Loader, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"OPENAI_API_KEY={SECRET}\nKAGENTBOT_SERVER__TOKEN={SECRET}\n")
    found = await examine(
        settings(
            DATABASE_URL=f"postgresql://u:{SECRET}@127.0.0.1:9/d",
            OPENAI_BASE_URL=f"http://u:{SECRET}@127.0.0.1:9/v1",
            DISCORD_TOKEN=SECRET,
            WEATHER_API_KEY=SECRET,
        )
    )
    assert sum(line.level == "error" for line in found) == 2
    assert SECRET not in str(found)


# --- Settings


async def test_files_that_were_read_are_named(settings: Loader, tmp_path: Path) -> None:
    (tmp_path / "kagentbot.toml").write_text("log_level = 'debug'\n")
    assert await lines_about(settings(), "settings") == [
        Line("ok", f"settings: read from {tmp_path / 'kagentbot.toml'}")
    ]


@pytest.mark.parametrize(("mode", "level"), [(0o600, "ok"), (0o640, "warning"), (0o604, "warning")])
async def test_a_file_with_secrets_should_be_the_users_own(
    settings: Loader, tmp_path: Path, mode: int, level: str
) -> None:
    file = tmp_path / ".env"
    file.write_text("OPENAI_API_KEY=k\nOPENAI_BASE_URL=http://127.0.0.1:9/v1\n")
    file.chmod(mode)
    [line] = await lines_about(settings(), "settings")
    assert line.level == level
    assert line.text.endswith(f"run chmod 600 {file}") is (level == "warning")


async def test_a_tool_that_does_not_exist_is_named(settings: Loader) -> None:
    lines = await lines_about(settings(KAGENTBOT_PROFILE__TOOL_NAMES="time_delta,weathr"), "tools")
    assert [line.level for line in lines] == ["ok", "warning"]
    assert "(weathr): choose from" in lines[1].text


async def test_a_tool_of_one_s_own_that_cannot_be_loaded_is_an_error(settings: Loader, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("1 / 0\n")
    [line] = await lines_about(settings(KAGENTBOT_TOOLS__FILES="mine.py"), "tools")
    assert line.level == "error"
    assert f"The tools of {tmp_path / 'mine.py'} can't be loaded: ZeroDivisionError" in line.text


async def test_a_tool_of_one_s_own_may_be_named_in_the_profile(settings: Loader) -> None:
    found = settings(KAGENTBOT_TOOLS__FILES=DICE, KAGENTBOT_PROFILE__TOOL_NAMES="roll_dice,掷骰子,time_delta")
    assert await lines_about(found, "tools") == [Line("ok", "tools: 4 built in, and your own: roll_dice")]


# --- Data folder


async def test_a_folder_that_cannot_be_written_is_an_error(settings: Loader, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    [line] = await lines_about(settings(KAGENTBOT_DATA_DIR=str(tmp_path / "file/data")), "data folder")
    assert line.level == "error"
    assert "can't be written (Not a directory)" in line.text


@pytest.mark.parametrize(("free", "level"), [(50 << 20, "error"), (500 << 20, "warning"), (5 << 30, "ok")])
async def test_a_disk_that_fills_up_is_noticed(
    settings: Loader, monkeypatch: pytest.MonkeyPatch, free: int, level: str
) -> None:
    usage = shutil.disk_usage("/")._replace(free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    [line] = await lines_about(settings(), "data folder")
    assert line.level == level


# --- Database


async def test_an_up_to_date_database_is_well(settings: Loader, database_url: str) -> None:
    lines = await lines_about(settings(DATABASE_URL=database_url), "database")
    assert [(line.level, line.text.endswith("is up to date")) for line in lines if "chmod" not in line.text] == [
        ("ok", True)
    ]


async def test_broken_invariants_are_errors(settings: Loader, sqlite_url: str) -> None:
    await run(sqlite_url, lose_a_message)
    [line] = await lines_about(settings(DATABASE_URL=sqlite_url), "invariants")
    assert line.level == "error"
    assert "message 1 was accepted, but has no turn" in line.text


async def test_a_database_without_tables_is_a_warning(settings: Loader, tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch(mode=0o600)
    [line] = await lines_about(settings(DATABASE_URL="sqlite:///empty.db"), "database")
    assert line.level == "warning"
    assert "kagentbot migrate" in line.text


async def test_a_database_of_a_newer_version_is_an_error(settings: Loader, database_url: str) -> None:
    await run(database_url, lambda c: c.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    lines = await lines_about(settings(DATABASE_URL=database_url), "database")
    assert lines[-1].level == "error"
    assert "was written by a newer version or by another program" in lines[-1].text


async def test_a_file_that_is_no_database_is_an_error(settings: Loader, tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear Ada, " * 500)
    lines = await lines_about(settings(DATABASE_URL="sqlite:///letter.db"), "database")
    assert lines[-1].level == "error"
    assert "is not a database" in lines[-1].text


async def test_a_database_server_that_is_away_is_an_error(settings: Loader) -> None:
    [line] = await lines_about(settings(DATABASE_URL="postgresql://u:p@127.0.0.1:9/bot"), "database")
    assert line.level == "error"
    assert line.text.startswith("database: postgresql://127.0.0.1:9/bot: ")
    assert "refused" in line.text


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o644, True)])
async def test_a_database_file_should_be_the_users_own(
    settings: Loader, sqlite_url: str, mode: int, warned: bool
) -> None:
    path = sqlite_path(sqlite_url)
    assert path is not None
    path.chmod(mode)
    lines = await lines_about(settings(DATABASE_URL=sqlite_url), "database")
    assert any(line.level == "warning" and f"run chmod 600 {path}" in line.text for line in lines) is warned


# --- Models


async def test_an_endpoint_that_answers_is_well(settings: Loader) -> None:
    async with FakeLLM(model="my-model", api_key="k-1", kind="vllm", context=8192, gap=0.01) as llm:
        lines = await lines_about(settings(OPENAI_BASE_URL=llm.base_url, OPENAI_API_KEY="k-1"), "model default")
    assert [line.level for line in lines[:3]] == ["ok", "ok", "ok"]
    assert [line.text for line in lines[:3]] == [
        f"model default: 127.0.0.1:{llm.port} answers.",
        "model default: The model is “my-model”.",
        "model default: The window has 8192 tokens.",
    ]
    assert any("JSON Schema" in line.text for line in lines)
    assert any("tokens a second" in line.text for line in lines)


async def test_every_endpoint_of_the_settings_is_tried(settings: Loader, tmp_path: Path) -> None:
    async with FakeLLM(model="one") as first:
        (tmp_path / "kagentbot.toml").write_text(
            f'[[models.endpoints]]\nname = "gpu"\nbase_url = "{first.base_url}"\n'
            '[[models.endpoints]]\nname = "cpu"\nbase_url = "http://127.0.0.1:9/v1"\n'
        )
        lines = await lines_about(settings(), "model")
    assert "model gpu: The model is “one”." in [line.text for line in lines]
    assert [line.level for line in lines if line.text.startswith("model cpu: ")] == ["error"]


async def test_an_endpoint_of_the_page_is_tried(settings: Loader, sqlite_url: str, tmp_path: Path) -> None:
    found = settings(DATABASE_URL=sqlite_url)
    packed = pack(ListedEndpoint(name="mine", base_url="http://127.0.0.1:9/v1"))
    sealed = Secrets(found.secret_keys, found.data_dir).seal(packed)
    await run(sqlite_url, lambda c: endpoints.save(c, "mine", sealed, "somebody", datetime.now(UTC)))
    [line] = await lines_about(found, "model")
    assert line == Line(
        "error", "model mine: 127.0.0.1:9 can't be reached: check the address, and that the server runs."
    )


async def test_an_endpoint_of_the_page_that_cannot_be_decrypted_is_an_error(settings: Loader, sqlite_url: str) -> None:
    sealed = Secrets(("another-key-than-ours",), Path()).seal("{}")
    await run(sqlite_url, lambda c: endpoints.save(c, "mine", sealed, "somebody", datetime.now(UTC)))
    [line] = await lines_about(settings(DATABASE_URL=sqlite_url), "model")
    assert line.level == "error"
    assert "KAGENTBOT_SECRET_KEY" in line.text


@pytest.mark.parametrize("as_json", [True, False])
async def test_what_a_server_says_reaches_no_terminal_as_a_command(
    settings: Loader, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    async with FakeLLM(model="m\x1b]0;title\x07\x9b31m\u202e") as llm:
        await asyncio.to_thread(run_doctor, settings(OPENAI_BASE_URL=llm.base_url), as_json=as_json)
    printed = capsys.readouterr().out
    assert "The model is “m ]0;title  31m ”." in printed
    assert all(line.isprintable() for line in printed.splitlines())


async def test_a_key_that_is_not_accepted_is_an_error(settings: Loader) -> None:
    async with FakeLLM(api_key="k-1") as llm:
        [line] = await lines_about(settings(OPENAI_BASE_URL=llm.base_url, OPENAI_API_KEY=SECRET), "model")
    assert line.level == "error"
    assert "does not accept the key" in line.text


async def test_a_model_that_the_endpoint_lacks_is_a_warning(settings: Loader) -> None:
    async with FakeLLM(model="my-model") as llm:
        lines = await lines_about(settings(OPENAI_BASE_URL=llm.base_url, OPENAI_MODEL="another"), "model")
    assert Line("warning", "model default: The server does not list “another”; it has my-model.") in lines


async def test_an_endpoint_that_is_away_is_an_error(settings: Loader) -> None:
    [line] = await lines_about(settings(OPENAI_BASE_URL="http://127.0.0.1:9/v1"), "model")
    assert line.level == "error"
    assert "can't be reached" in line.text


async def test_a_server_that_is_no_model_is_an_error(settings: Loader) -> None:
    async with taken_port() as port:
        [line] = await lines_about(settings(OPENAI_BASE_URL=f"http://127.0.0.1:{port}/v1"), "model")
    assert line.level == "error"


async def test_a_machine_that_cannot_run_the_embedded_model_is_told_to_use_another(
    settings: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What Python keeps for a module that must not be imported.
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    [line] = await lines_about(settings(), "model")
    assert line.level == "error"
    assert line.text.endswith("set OPENAI_BASE_URL to an endpoint")


# --- Clock


@contextlib.asynccontextmanager
async def server_that_says(date: datetime) -> AsyncIterator[str]:
    """A server whose clock says this."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=404, headers={"Date": format_datetime(date, usegmt=True)})

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    async with TestServer(app, host="127.0.0.1") as server:
        yield f"http://127.0.0.1:{server.port}/v1"


async def test_a_clock_that_agrees_with_the_endpoint_is_well(settings: Loader) -> None:
    async with server_that_says(datetime.now(UTC)) as url:
        assert await lines_about(settings(OPENAI_BASE_URL=url), "clock") == [Line("ok", "clock: agrees with 127.0.0.1")]


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_clock_that_disagrees_with_the_endpoint_is_a_warning(settings: Loader, hours: int) -> None:
    async with server_that_says(datetime.now(UTC) + timedelta(hours=hours)) as url:
        [line] = await lines_about(settings(OPENAI_BASE_URL=url), "clock")
    assert line.level == "warning"
    assert re.match(r"clock: 3\d\d\d s away from that of 127\.0\.0\.1: keep both right with NTP", line.text)


async def test_the_clock_is_compared_with_that_of_a_database_server(settings: Loader, postgres_url: str) -> None:
    [line] = await lines_about(settings(DATABASE_URL=postgres_url), "clock")
    assert (line.level, line.text.startswith("clock: agrees with ")) == ("ok", True)


async def test_a_clock_that_was_moved_meanwhile_is_a_warning(settings: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ticks, "jumped", lambda _: -30.0)
    [line] = await lines_about(settings(), "clock")
    assert line.level == "warning"
    assert line.text.startswith("clock: it jumped by 30 s")


# --- Fonts and browser


async def test_a_machine_without_a_chinese_font_and_a_browser_gets_warnings_that_say_what_is_lost(
    settings: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(surroundings, "_FONT_FOLDERS", ())
    for subject, loss in (("fonts", "pictures of charts can't show them"), ("browser", "everything else works")):
        [line] = await lines_about(settings(), subject)
        assert line.level == "warning"
        assert loss in line.text


async def test_a_font_is_found_by_its_file_where_there_is_no_fontconfig(
    settings: Loader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    (tmp_path / "fonts").mkdir()
    (tmp_path / "fonts" / "NotoSansCJK-Regular.ttc").touch()
    monkeypatch.setattr(surroundings, "_FONT_FOLDERS", (str(tmp_path / "fonts"),))
    assert await lines_about(settings(), "fonts") == [
        Line("ok", "fonts: NotoSansCJK-Regular.ttc has Chinese characters")
    ]


# --- Port


async def test_a_port_that_another_program_has_is_a_warning(settings: Loader) -> None:
    async with taken_port() as port:
        [line] = await lines_about(settings(PORT=str(port)), "port")
    assert line.level == "warning"
    assert line.text.startswith(f"port: another program has {port}, so the server would take ")


async def test_a_port_that_our_own_server_has_is_well(settings: Loader) -> None:
    server = WebServer(WebOptions(port=0), [])
    port = (await server.start()).port
    try:
        [line] = await lines_about(settings(PORT=str(port)), "port")
    finally:
        await server.stop()
    assert line == Line("ok", f"port: a kagentbot server answers on {port}")


async def test_our_own_server_is_known_on_the_port_that_it_took_instead(settings: Loader) -> None:
    async with taken_port() as port:
        server = WebServer(WebOptions(port=port), [])
        taken = (await server.start()).port
        try:
            [line] = await lines_about(settings(PORT=str(port)), "port")
        finally:
            await server.stop()
    assert taken > port
    assert line == Line("ok", f"port: a kagentbot server answers on {taken}")


async def test_an_address_that_the_machine_lacks_is_an_error(settings: Loader) -> None:
    [line] = await lines_about(settings(KAGENTBOT_SERVER__HOST="192.0.2.1"), "port")
    assert line.level == "error"
    assert "no address 192.0.2.1" in line.text
