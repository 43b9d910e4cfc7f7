"""Beside a running server: a second one is refused, and every other command works while turns are answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.fakes.llm import FakeLLM
from tests.support.process import Done, Kagentbot, NotReady, is_one_sentence, serving, with_model
from tests.support.web import Client

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: People who talk at the same time, each as soon as the last answer is there.
PEOPLE = 3


class Load:
    """People who talk to a server until they are told to stop."""

    def __init__(self, bot: Kagentbot) -> None:
        self._bot = bot
        self._enough = asyncio.Event()
        self._talks: list[asyncio.Task[None]] = []
        #: Turns that were answered, oldest first.
        self.answered: list[int] = []
        self._more = asyncio.Condition()

    async def _talk(self, client: Client, person: int) -> None:
        conversation = None
        number = 0
        while not self._enough.is_set():
            number += 1
            marker = f"[m:{person}-{number}]"
            sent = await client.send(f"{marker} Hello", conversation)
            conversation = sent["conversation"]
            turn = await client.finished(sent["turn_id"])
            assert (turn["state"], marker in turn["text"]) == ("answered", True), turn
            async with self._more:
                self.answered.append(sent["turn_id"])
                self._more.notify_all()

    async def begin(self, client: Client) -> None:
        self._talks = [asyncio.create_task(self._talk(client, person)) for person in range(PEOPLE)]
        await self.goes_on()

    async def goes_on(self) -> None:
        """Return when each of them may have got another answer; raises what went wrong for one of them."""
        wanted = len(self.answered) + 2 * PEOPLE
        enough = asyncio.create_task(self._wait_for(wanted))
        try:
            async with asyncio.timeout(30):
                await asyncio.wait([enough, *self._talks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            enough.cancel()
        for talk in self._talks:
            if talk.done():
                talk.result()

    async def _wait_for(self, count: int) -> None:
        async with self._more:
            await self._more.wait_for(lambda: len(self.answered) >= count)

    async def end(self) -> None:
        """Let everybody get their last answer. Raises what went wrong."""
        self._enough.set()
        await asyncio.gather(*self._talks)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def llm() -> AsyncIterator[FakeLLM]:
    async with FakeLLM(first=0.05, gap=0.01) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def bot(llm: FakeLLM, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kagentbot]:
    async with serving(tmp_path_factory.mktemp("beside"), with_model(llm.base_url)) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def load(bot: Kagentbot) -> AsyncIterator[Load]:
    """People who talk to the server during all tests of this file; the last lines see that nobody lost a word."""
    async with bot.client() as client:
        talking = Load(bot)
        await talking.begin(client)
        yield talking
        await talking.end()
    assert await bot.run("doctor", "--audit") == Done(0, "clean\n", "")


async def test_a_second_server_is_refused_in_one_sentence(bot: Kagentbot, load: Load) -> None:
    for lang, locale in (("en", "C.UTF-8"), ("zh", "zh_CN.UTF-8")):
        async with Kagentbot(bot.home.parent / lang, {"PORT": "0", "KAGENTBOT_DATA_DIR": str(bot.data)}) as second:
            with pytest.raises(NotReady) as caught:
                await second.start(LANG=locale)
        done = caught.value.done
        assert (done.status, done.out) == (3, "")
        assert str(bot.data / "kagentbot.db") in done.err
        assert is_one_sentence(done.err.removesuffix("\n"), lang), done.err
    await load.goes_on()


@pytest.mark.parametrize(("link", "to"), [("folder", "."), ("another.db", "kagentbot.db")])
async def test_a_second_server_on_the_same_file_by_another_name_is_refused_too(
    link: str, to: str, bot: Kagentbot, load: Load, tmp_path: Path
) -> None:
    (tmp_path / link).symlink_to(bot.data / to)
    file = tmp_path / link if to != "." else tmp_path / link / "kagentbot.db"
    settings = {"PORT": "0", "DATABASE_URL": f"sqlite:///{file}"}
    async with Kagentbot(tmp_path, settings) as second:
        with pytest.raises(NotReady) as caught:
            await second.start()
    assert caught.value.done.status == 3
    await load.goes_on()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("migrate",), "already up to date\n"),
        (("doctor", "--audit"), "clean\n"),
        (("version",), "kagentbot "),
    ],
)
async def test_a_command_works_beside_a_server_under_load(
    bot: Kagentbot, load: Load, command: tuple[str, ...], said: str
) -> None:
    done = await bot.run(*command)
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(said)
    await load.goes_on()


async def test_doctor_finds_nothing_wrong_with_a_server_under_load(bot: Kagentbot, load: Load) -> None:
    done = await bot.run("doctor", PORT=str(bot.port))
    assert (done.status, done.err) == (0, "")
    assert f"port: a kagentbot server answers on {bot.port}" in done.out
    assert "invariants: all hold" in done.out
    # What the machine lacks, and what the fake server doesn't tell, has nothing to do with the load.
    about_the_server = [
        line for line in done.out.splitlines() if line.split()[1] not in ("model", "fonts:", "browser:")
    ]
    assert [line for line in about_the_server if not line.startswith("ok ")] == []
    await load.goes_on()


async def test_a_turn_is_replayed_beside_a_server_under_load(bot: Kagentbot, load: Load) -> None:
    done = await bot.run("replay", str(load.answered[-1]))
    assert (done.status, done.err) == (0, "")
    assert done.out.endswith("the same answer as was given\n")
    await load.goes_on()


async def test_the_audit_is_clean_whenever_it_is_made(bot: Kagentbot, load: Load) -> None:
    for done in await asyncio.gather(*(bot.run("doctor", "--audit") for _ in range(3))):
        assert done == Done(0, "clean\n", "")
    await load.goes_on()
