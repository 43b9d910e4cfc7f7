"""A database that is full, closed, damaged or away: one clear sentence, nothing is lost, and work goes on by itself."""

from __future__ import annotations

import asyncio
import resource
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import pytest
import pytest_asyncio

from bot.store import migrate
from tests.fakes.llm import FakeLLM
from tests.support.postgres import PostgresServer
from tests.support.process import Done, Kagentbot, is_one_sentence, serving, with_model
from tests.support.web import Client, Json

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: An answer that takes a second, so that there is time to do harm in its middle.
SLOW = "[fake:gap=0.05][fake:tokens=20]"
#: Bytes of a small disk: more than a write-ahead log ever has.
DISK = 16 << 20


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def llm() -> AsyncIterator[FakeLLM]:
    async with FakeLLM() as running:
        yield running


class Post:
    """A message that is sent until it is accepted."""

    def __init__(self, client: Client, conversation: str | None, text: str) -> None:
        self._client = client
        self._body = {"conversation": conversation, "message_id": str(uuid4()), "text": text}

    async def refused(self) -> bool:
        """Send it; whether it was refused because of the database, in one sentence of either language."""
        for lang in ("en", "zh"):
            headers = {"Accept-Language": lang}
            status, found = await self._client.ask("POST", "/api/v1/messages", self._body, headers=headers)
            if status == 202:
                return False
            assert (status, found["error"]["code"]) == (503, "store_unavailable")
            assert is_one_sentence(found["error"]["message"], lang), found
        return True

    async def answered(self) -> Json:
        """Send it, and see it answered."""
        sent = await self._client.call("POST", "/api/v1/messages", self._body)
        turn = await self._client.finished(sent["turn_id"])
        assert turn["state"] == "answered", turn
        return turn


async def begun(client: Client) -> Json:
    """A turn in mid-answer."""
    sent = await client.send(f"{SLOW} A long answer, please")
    return await client.turn_when(sent["turn_id"], lambda turn: len(turn["text"].split()) > 2)


# --- A full disk -----------------------------------------------------------------------------------------------------


class Disk(Protocol):
    def fill(self, bot: Kagentbot) -> None: ...
    def free(self, bot: Kagentbot) -> None: ...


class SmallDisk:
    """A disk of its own, with another file that takes all that is left."""

    def _other(self, bot: Kagentbot) -> Path:
        return seen_by(bot) / "other"

    def fill(self, bot: Kagentbot) -> None:
        with self._other(bot).open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))

    def free(self, bot: Kagentbot) -> None:
        self._other(bot).unlink()


class Quota:
    """A limit on the size of files."""

    def fill(self, bot: Kagentbot) -> None:
        log = bot.data / "kagentbot.db-wal"
        self._limit(bot, log.stat().st_size)

    def free(self, bot: Kagentbot) -> None:
        self._limit(bot, resource.RLIM_INFINITY)

    def _limit(self, bot: Kagentbot, size: int) -> None:
        _, most = resource.prlimit(bot.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(bot.pid, resource.RLIMIT_FSIZE, (size, most))


def seen_by(bot: Kagentbot) -> Path:
    """The data folder as the server sees it."""
    return Path(f"/proc/{bot.pid}/root{bot.data}")


@pytest.mark.parametrize("kind", [SmallDisk, Quota])
async def test_a_full_disk_refuses_in_one_sentence_and_loses_nothing(
    kind: Callable[[], Disk], llm: FakeLLM, tmp_path: Path
) -> None:
    disk, data = kind(), tmp_path / "disk"
    confined = ("--disk", f"{data}={DISK}") if kind is SmallDisk else ()
    settings = with_model(llm.base_url, KAGENTBOT_DATA_DIR=str(data))
    async with serving(tmp_path, settings, confined=confined) as bot, bot.client() as client:
        running = await begun(client)
        disk.fill(bot)
        # A few more may fit into what the log has already.
        accepted: list[Post] = []
        while not await (post := Post(client, None, "Is there any room?")).refused():
            accepted.append(post)
            assert len(accepted) < 1000
        status, readiness = await client.ask("GET", "/readyz")
        assert (status, readiness["checks"]["database"]["state"]) == (503, "down")
        disk.free(bot)
        for one in [*accepted, post]:
            await one.answered()
        turn = await client.finished(running["id"])
        assert turn["state"] == "answered"
        assert len(turn["text"].split()) == 20
        listed = await client.call("GET", "/api/v1/conversations")
        assert len(listed["conversations"]) == len(accepted) + 2
        # Only the server sees its disk, so the audit is made on a copy.
        shutil.copytree(seen_by(bot), tmp_path / "copy")
    copy = Kagentbot(tmp_path, {"KAGENTBOT_DATA_DIR": str(tmp_path / "copy")})
    assert await copy.run("doctor", "--audit") == Done(0, "clean\n", "")


# --- A database that can't be used -----------------------------------------------------------------------------------


def read_only_file(data: Path) -> None:
    for file in data.iterdir():
        file.chmod(0o400)


def read_only_folder(data: Path) -> None:
    data.chmod(0o500)


def nothing_allowed(data: Path) -> None:
    data.chmod(0o000)


def no_database(data: Path) -> None:
    (data / "kagentbot.db").write_bytes(b"Dear diary, " * 1000)


def a_folder(data: Path) -> None:
    (data / "kagentbot.db").unlink()
    (data / "kagentbot.db").mkdir()


@pytest.fixture(scope="module")
def started_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a server that has run."""
    data = tmp_path_factory.mktemp("once")
    migrate.upgrade(f"sqlite:///{data}/kagentbot.db")
    return data


@pytest.mark.parametrize(
    ("harm", "lang"),
    [(read_only_file, "en"), (read_only_folder, "zh"), (nothing_allowed, "en"), (no_database, "zh"), (a_folder, "en")],
)
async def test_a_database_that_can_not_be_used_is_one_sentence(
    harm: Callable[[Path], None], lang: str, started_once: Path, llm: FakeLLM, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(started_once, data)
    locale = {"en": "C.UTF-8", "zh": "zh_CN.UTF-8"}[lang]
    settings = with_model(llm.base_url, KAGENTBOT_DATA_DIR=str(data), LANG=locale)
    bot = Kagentbot(tmp_path, settings, confined=("--plain-user",))
    harm(data)
    try:
        serve, doctor, replay = await asyncio.gather(bot.run("serve"), bot.run("doctor"), bot.run("replay", "1"))
    finally:
        data.chmod(0o700)
    assert (serve.status, serve.out) == (3, "")
    assert is_one_sentence(serve.err.removesuffix("\n"), lang), serve.err
    assert (doctor.status, doctor.err) == (1, "")
    assert any(line.startswith("error ") for line in doctor.out.splitlines()), doctor.out
    assert (replay.status, replay.out) == (1, "")
    assert is_one_sentence(replay.err.removesuffix("\n"), lang), replay.err


# --- A database that goes away ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [PostgresServer.stop, PostgresServer.kill])
async def test_postgresql_that_goes_away_in_mid_answer_and_comes_back_loses_nothing(
    how: Callable[[PostgresServer], None], postgres: PostgresServer, llm: FakeLLM, tmp_path: Path
) -> None:
    with postgres.database() as url:
        settings = with_model(llm.base_url, DATABASE_URL=url)
        async with serving(tmp_path, settings) as bot, bot.client() as client:
            running = await begun(client)
            await asyncio.to_thread(how, postgres)
            try:
                post = Post(client, running["conversation"], "Are you there?")
                assert await post.refused()
                status, readiness = await client.ask("GET", "/readyz")
                assert (status, readiness["checks"]["database"]["state"]) == (503, "down")
                assert (await client.ask("GET", "/healthz"))[0] == 200
            finally:
                # Not in a thread: the server dies with the thread that started it.
                postgres.start()
            assert not await post.refused()
            turn = await client.finished(running["id"])
            assert turn["state"] == "answered"
            assert len(turn["text"].split()) == 20
            # Sent once more, it is the same message.
            await post.answered()
            page = await client.call("GET", f"/api/v1/conversations/{running['conversation']}")
            assert [one["state"] for one in page["turns"]] == ["answered", "answered"]
            assert await bot.run("doctor", "--audit") == Done(0, "clean\n", "")
