"""A conversation with a server over HTTP: turns followed to their end, consent, Ctrl-C, a server that goes away."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType

import pytest
from aiohttp import ClientSession

from adapters.terminal.chat_host import Host, HostError, Wanted
from adapters.terminal.chat_repl import refusal
from adapters.terminal.chat_shapes import Consent, Turn
from adapters.terminal.chat_talk import GaveUp, Interrupts, Leave, Talk
from adapters.terminal.client import Away, Refused
from agent.events import AgentEvent, Finished, TextDelta
from agent.journal import Journal
from agent.task import Task
from bot.settings import load
from bot.store.db import Store
from bot.web.server import WebOptions
from tests.support.web import Gate, Site


class Recorder:
    """A view that keeps what it was told."""

    def __init__(self, allow: bool = True) -> None:
        self._allow = allow
        self.texts: list[str] = []
        self.said: list[str] = []
        self.ended: list[Turn] = []
        self.changed = asyncio.Event()

    async def __aenter__(self) -> Recorder:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, turn: Turn) -> None:
        self.texts.append(turn.text)
        self.changed.set()

    def away(self) -> None:
        self._say("away")

    def back(self, sentence: str) -> None:
        self._say("back")

    def stopping(self) -> None:
        self._say("stopping")

    async def allow(self, consent: Consent) -> bool:
        self._say(consent.question)
        return self._allow

    def end(self, turn: Turn) -> None:
        self.ended.append(turn)

    def _say(self, what: str) -> None:
        self.said.append(what)
        self.changed.set()

    async def until_said(self, what: str) -> None:
        async with asyncio.timeout(20):
            while what not in self.said:
                self.changed.clear()
                await self.changed.wait()

    async def until_shown(self, text: str) -> None:
        async with asyncio.timeout(20):
            while text not in self.texts:
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def talking(url: str | None, folder: Path, **settings_of_test: str) -> AsyncIterator[Talk]:
    known = {"HOME": str(folder), "KAGENTBOT_DATA_DIR": str(folder / "data")}
    settings = load(environ=known | settings_of_test)
    async with ClientSession() as session:
        talk = Talk(Host(Wanted(settings, url=url), session), session, "en")
        await talk.connect(lambda: None)
        yield talk


async def test_a_turn_is_shown_as_it_grows_and_ends_once(sqlite_store: Store, tmp_path: Path) -> None:
    gate, view = Gate(), Recorder()
    async with Site(sqlite_store, gate) as site, talking(site.url, tmp_path) as talk:
        asking = asyncio.create_task(talk.ask("Hello", view, Interrupts()))
        gate.say(TextDelta("Half"))
        await view.until_shown("Half")
        gate.say(TextDelta(" whole"), Finished("Half whole"))
        turn = await asking
    assert (turn.state, turn.text) == ("answered", "Half whole")
    assert view.ended == [turn]
    assert talk.last == turn
    assert view.said == []


async def test_a_question_goes_on_with_the_conversation(sqlite_store: Store, tmp_path: Path) -> None:
    async with Site(sqlite_store) as site, talking(site.url, tmp_path) as talk:
        first = await talk.ask("One", Recorder(), Interrupts())
        second = await talk.ask("Two", Recorder(), Interrupts())
        listed = await talk.call(lambda client: client.conversations(10))
    assert first.conversation == second.conversation
    assert len(listed) == 1


async def test_ctrl_c_stops_the_turn(sqlite_store: Store, tmp_path: Path) -> None:
    gate, view, pressed = Gate(), Recorder(), Interrupts()
    async with Site(sqlite_store, gate) as site, talking(site.url, tmp_path) as talk:
        asking = asyncio.create_task(talk.ask("Hello", view, pressed))
        gate.say(TextDelta("Half"))
        await view.until_shown("Half")
        pressed.pressed()
        turn = await asking
    assert (turn.state, turn.text, view.said) == ("stopped", "Half", ["stopping"])


async def test_a_second_ctrl_c_leaves(sqlite_store: Store, tmp_path: Path) -> None:
    gate, view, pressed = Gate(), Recorder(), Interrupts()
    async with Site(sqlite_store, gate) as site, talking(site.url, tmp_path) as talk:
        asking = asyncio.create_task(talk.ask("Hello", view, pressed))
        gate.say(TextDelta("Half"))
        await view.until_shown("Half")
        pressed.pressed()
        pressed.pressed()
        with pytest.raises(Leave):
            await asking


@pytest.mark.parametrize("allow", [True, False])
async def test_a_person_decides_what_a_turn_waits_for(sqlite_store: Store, tmp_path: Path, allow: bool) -> None:
    decided: list[bool] = []

    async def careful(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        decided.append(await journal.consent("consent/0/0", "write_file", {"name": "a"}))
        yield TextDelta("Done")
        yield Finished("Done")

    view = Recorder(allow)
    async with Site(sqlite_store, careful) as site, talking(site.url, tmp_path) as talk:
        turn = await talk.ask("Write it", view, Interrupts())
    assert (turn.state, decided, len(view.said)) == ("answered", [allow], 1)
    assert "write_file" in view.said[0]


async def test_a_server_that_comes_back_goes_on_with_the_turn(sqlite_store: Store, tmp_path: Path) -> None:
    gate, view = Gate(), Recorder()
    async with Site(sqlite_store, gate) as site, talking(site.url, tmp_path) as talk:
        port = int(site.url.rpartition(":")[2])
        asking = asyncio.create_task(talk.ask("Hello", view, Interrupts()))
        gate.say(TextDelta("Half"))
        await view.until_shown("Half")
        await site.server.stop()
        await view.until_said("away")
        site.server._options = WebOptions(port=port)
        await site.server.start()
        await view.until_said("back")
        gate.say(TextDelta(" whole"), Finished("Half whole"))
        turn = await asking
    assert (turn.text, view.said, len(view.ended)) == ("Half whole", ["away", "back"], 1)


async def test_ctrl_c_ends_the_wait_for_a_server_that_has_gone(sqlite_store: Store, tmp_path: Path) -> None:
    gate, view, pressed = Gate(), Recorder(), Interrupts()
    async with Site(sqlite_store, gate) as site, talking(site.url, tmp_path) as talk:
        asking = asyncio.create_task(talk.ask("Hello", view, pressed))
        gate.say(TextDelta("Half"))
        await view.until_shown("Half")
        await site.server.stop()
        await view.until_said("away")
        pressed.pressed()
        with pytest.raises(GaveUp) as gave_up:
            await asking
        assert gave_up.value.kept
        with pytest.raises(Away):
            await talk.call(lambda client: client.info())


async def test_what_the_server_refuses_is_its_own_sentence(sqlite_store: Store, tmp_path: Path) -> None:
    async with Site(sqlite_store) as site, talking(site.url, tmp_path) as talk:
        with pytest.raises(Refused, match="1,000"):
            await talk.ask("x" * 2000, Recorder(), Interrupts())


async def test_a_failed_turn_is_answered_again(sqlite_store: Store, tmp_path: Path) -> None:
    gate = Gate()
    async with Site(sqlite_store, gate) as site, talking(site.url, tmp_path) as talk:
        gate.say(RuntimeError("broken"))
        failed = await talk.ask("Hello", Recorder(), Interrupts())
        gate.answer("Better")
        again = await talk.retry(failed, Recorder(), Interrupts())
    assert (failed.state, failed.can_retry) == ("failed", True)
    assert (again.state, again.text) == ("answered", "Better")


@pytest.mark.parametrize(
    "url", ["127.0.0.1:80", "http://", "http://a/?b", "http://user:pw@127.0.0.1:1", "http://[", ""]
)
async def test_an_address_that_is_none_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(HostError):
        async with talking(url, tmp_path):
            pass


async def test_a_token_is_taken_from_the_settings_and_missed_in_one_sentence(
    sqlite_store: Store, tmp_path: Path
) -> None:
    async with Site(sqlite_store, options=WebOptions(port=0, token="correct-horse")) as site:
        async with talking(site.url, tmp_path, KAGENTBOT_SERVER__TOKEN="correct-horse") as talk:
            assert (await talk.ask("Hello", Recorder(), Interrupts())).state == "answered"
        async with talking(site.url, tmp_path) as talk:
            with pytest.raises(Refused) as refused:
                await talk.ask("Hello", Recorder(), Interrupts())
    assert refusal(refused.value, "en") == "This server asks for its token: set KAGENTBOT_SERVER__TOKEN to it."


async def test_the_token_that_a_server_made_goes_to_that_server_only(sqlite_store: Store, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "web-token").write_text("correct-horse")
    async with Site(sqlite_store, options=WebOptions(port=0, token="correct-horse")) as site:
        async with talking(site.url, tmp_path) as talk:
            with pytest.raises(Refused):
                await talk.call(lambda client: client.info())
        (data / "server.json").write_text(json.dumps({"url": site.url, "pid": os.getpid()}))
        async with talking(None, tmp_path) as talk:
            assert (await talk.call(lambda client: client.info())).name == "kagentbot"


@pytest.mark.parametrize("note", ["", "{}", "[1]", '{"url": "http://127.0.0.1:1", "pid": "x"}', '{"url": 5, "pid": 0}'])
async def test_a_note_that_tells_nothing_is_as_good_as_none(note: str, tmp_path: Path) -> None:
    (tmp_path / "server.json").write_text(note)
    settings = load(environ={"HOME": str(tmp_path), "KAGENTBOT_DATA_DIR": str(tmp_path)})
    async with ClientSession() as session:
        with pytest.raises(Away):
            await Host(Wanted(settings), session).again(0.0)
