"""`kagentbot doctor`: each thing that it looks at, well and unwell, on real databases, sockets and model servers."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, text

from bot.doctor import Line, audit, examine, run_doctor
from bot.ports import StoreUnavailable
from bot.settings import Settings, load
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


def test_a_fresh_machine_is_well(settings: Loader, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_doctor(settings(), audit_only=False) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in printed] == ["ok"] * len(printed)
    assert [line.split()[1] for line in printed] == ["settings:", "data", "database:", "model:", "port:"]
    assert names_in(tmp_path) == []


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
    assert list(dict.fromkeys(subjects)) == ["设置", "数据目录", "数据库", "不变式", "模型", "端口"]


async def test_no_secret_is_in_any_line(settings: Loader, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"OPENAI_API_KEY={SECRET}\nKAGENTBOT_SERVER__TOKEN={SECRET}\n")
    found = await examine(
        settings(
            DATABASE_URL=f"postgresql://u:{SECRET}@127.0.0.1:9/d",
            OPENAI_BASE_URL=f"http://u:{SECRET}@127.0.0.1:9/v1",
            DISCORD_TOKEN=SECRET,
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
    lines = await lines_about(settings(KAGENTBOT_PROFILE__TOOL_NAMES="time_delta,weathr"), "settings")
    assert [line.level for line in lines] == ["ok", "warning"]
    assert "(weathr): choose from" in lines[1].text


async def test_a_tool_of_one_s_own_that_cannot_be_loaded_is_an_error(settings: Loader, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("1 / 0\n")
    lines = await lines_about(settings(KAGENTBOT_TOOLS__FILES="mine.py"), "settings")
    assert [line.level for line in lines] == ["ok", "error"]
    assert f"The tools of {tmp_path / 'mine.py'} can't be loaded: ZeroDivisionError" in lines[1].text


async def test_a_tool_of_one_s_own_may_be_named_in_the_profile(settings: Loader) -> None:
    found = settings(KAGENTBOT_TOOLS__FILES=DICE, KAGENTBOT_PROFILE__TOOL_NAMES="roll_dice,掷骰子,time_delta")
    assert [line.level for line in await lines_about(found, "settings")] == ["ok"]


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


# --- Model


async def test_an_endpoint_that_answers_is_well(settings: Loader) -> None:
    async with FakeLLM(model="my-model", api_key="k-1") as llm:
        [line] = await lines_about(settings(OPENAI_BASE_URL=llm.base_url, OPENAI_API_KEY="k-1"), "model")
    assert line == Line("ok", f"model: 127.0.0.1:{llm.port} answers with my-model")


async def test_a_key_that_is_not_accepted_is_an_error(settings: Loader) -> None:
    async with FakeLLM(api_key="k-1") as llm:
        [line] = await lines_about(settings(OPENAI_BASE_URL=llm.base_url, OPENAI_API_KEY=SECRET), "model")
    assert line.level == "error"
    assert "check `models.endpoint.api_key` (or OPENAI_API_KEY)" in line.text


async def test_a_model_that_the_endpoint_lacks_is_a_warning(settings: Loader) -> None:
    async with FakeLLM(model="my-model") as llm:
        [line] = await lines_about(settings(OPENAI_BASE_URL=llm.base_url, OPENAI_MODEL="another"), "model")
    assert line.level == "warning"
    assert line.text.endswith("has no model another: set OPENAI_MODEL to one that it has (my-model)")


async def test_an_endpoint_that_is_away_is_an_error(settings: Loader) -> None:
    [line] = await lines_about(settings(OPENAI_BASE_URL="http://127.0.0.1:9/v1"), "model")
    assert line.level == "error"
    assert "can't be reached" in line.text


async def test_a_server_that_is_no_model_is_an_error(settings: Loader) -> None:
    async with taken_port() as port:
        [line] = await lines_about(settings(OPENAI_BASE_URL=f"http://127.0.0.1:{port}/v1"), "model")
    assert line.level == "error"


async def test_a_wrong_path_is_a_warning_that_says_how_most_end(settings: Loader) -> None:
    async with FakeLLM() as llm:
        [line] = await lines_about(settings(OPENAI_BASE_URL=f"{llm.origin}/v7"), "model")
    assert line.level == "warning"
    assert "most end in /v1" in line.text


async def test_a_machine_that_cannot_run_the_embedded_model_is_told_to_use_another(
    settings: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What Python keeps for a module that must not be imported.
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    [line] = await lines_about(settings(), "model")
    assert line.level == "error"
    assert line.text.endswith("set OPENAI_BASE_URL to an endpoint")


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
