"""Files that people attach: fetched, kept, read, deleted. On a real store, with a platform that hands out files."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from agent.clock import SystemClock
from agent.events import AgentEvent, Finished, TextDelta
from agent.journal import Journal
from agent.llm.client import OpenAIChatModel
from agent.llm.endpoint import Endpoint
from agent.llm.pool import EndpointPool, Member
from agent.llm.sight import plain_png
from agent.profile import Profile
from agent.task import Task, TaskFile
from agent.tools.builtin import builtin_tools
from bot.agents import bind_agent
from bot.attachments import MOST_FILES, PROBLEMS, Attachments
from bot.erasure import Erasure
from bot.messages import Attachment, Deleted, Target
from bot.posting import Ambiguous, Refused, RetryLater
from bot.replay import run_replay
from bot.settings.loading import load
from bot.store import blobs
from bot.store.db import Store
from bot.store.tables import blob, message
from tests.fakes.llm import FakeLLM
from tests.support import pdf
from tests.support.agent import OneModelPool, Says
from tests.support.server import ANN, Platform, Server, say, settled, target

PNG = plain_png(64, (255, 0, 0))


@dataclass
class Shelf(Platform):
    """A platform with files, by their ids."""

    files: dict[str, bytes] = field(default_factory=dict)
    #: What fetching a file raises, as often as there are any.
    troubles: dict[str, list[Exception]] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)

    async def fetch(self, target: Target, attachment: Attachment, most: int) -> bytes:
        self.fetched.append(attachment.id)
        if self.troubles.get(attachment.id):
            raise self.troubles[attachment.id].pop(0)
        if attachment.id not in self.files:
            raise Refused("file_not_found")
        if len(self.files[attachment.id]) > most:
            raise Refused("too_large")
        return self.files[attachment.id]


class Noting:
    """An agent that keeps the tasks that it gets."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []

    async def __call__(self, task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        self.tasks.append(task)
        yield TextDelta("ok")
        yield Finished("ok")


class Quick(SystemClock):
    """Its waits take no time."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


def attach(*names: str, size: int = 10) -> tuple[Attachment, ...]:
    return tuple(Attachment(f"F-{name}", name, "application/octet-stream", size, "somewhere") for name in names)


async def ask(store: Store, shelf: Shelf, *names: str, **limits: Any) -> tuple[TaskFile, ...]:
    """Attach these files to a question; what the agent gets of them."""
    agent, clock = Noting(), Quick()
    async with Server(store, shelf, agent, files=Attachments(store, clock, **limits)) as server:
        await server.inbox.receive(say("look", "m1", attachments=attach(*names)))
        await settled(store)
    return agent.tasks[0].files


async def stored(store: Store) -> list[str]:
    return await store.read(lambda c: list(c.execute(select(blob.c.digest)).scalars()))


async def test_text_pdf_and_pictures_reach_the_agent(store: Store) -> None:
    shelf = Shelf(files={"F-a.txt": b"plain words", "F-b.pdf": pdf.pdf("On paper"), "F-c.jpg": PNG})
    text, paper, picture = await ask(store, shelf, "a.txt", "b.pdf", "c.jpg")
    assert (text.name, text.text, text.problem) == ("a.txt", "plain words", None)
    assert paper.text == "On paper"
    assert picture.image is not None
    # What it is, its bytes tell.
    assert (picture.media_type, picture.image.media_type, picture.image.data) == ("image/png", "image/png", PNG)
    assert len(await stored(store)) == 3


async def test_the_message_names_what_was_stored(store: Store) -> None:
    await ask(store, Shelf(files={"F-a.txt": b"plain words"}), "a.txt")
    rows = await store.read(lambda c: c.execute(select(message.c.attachments).where(message.c.role == "user")).all())
    assert rows[0][0][0]["digest"] == hashlib.sha256(b"plain words").hexdigest()


@pytest.mark.parametrize(
    ("name", "shelf", "code"),
    [
        ("a", Shelf(), "gone"),
        ("a", Shelf(troubles={"F-a": [Refused("missing_scope")]}), "not_allowed"),
        ("a", Shelf(troubles={"F-a": [Refused("external_file")]}), "external"),
        ("a", Shelf(troubles={"F-a": [Refused("something_new")]}), "refused"),
        ("a", Shelf(files={"F-a": b"x" * 2000}), "too_large"),
        ("a", Shelf(troubles={"F-a": [Ambiguous(), Ambiguous(), Ambiguous()]}), "unavailable"),
        ("a", Shelf(troubles={"F-a": [RetryLater(60)]}), "unavailable"),
    ],
    ids=["gone", "scope", "elsewhere", "unknown", "large", "flaky", "later"],
)
async def test_a_file_that_can_not_be_had_says_why(sqlite_store: Store, name: str, shelf: Shelf, code: str) -> None:
    (file,) = await ask(sqlite_store, shelf, name, most=1000)
    assert file.problem is not None
    assert file.problem.en == PROBLEMS[code].say("en", name="a", most=10)
    assert file.problem.zh == PROBLEMS[code].say("zh", name="a", most=10)
    assert await stored(sqlite_store) == []


async def test_a_fetch_that_failed_for_the_moment_is_tried_again(sqlite_store: Store) -> None:
    shelf = Shelf(files={"F-a": b"words"}, troubles={"F-a": [RetryLater(1), Ambiguous()]})
    (file,) = await ask(sqlite_store, shelf, "a")
    assert (file.text, len(shelf.fetched)) == ("words", 3)


async def test_a_file_that_is_said_to_be_too_large_is_not_fetched(sqlite_store: Store) -> None:
    shelf = Shelf(files={"F-a": b"words"})
    files = Attachments(sqlite_store, Quick())
    loaded = await files.load(target(), attach("a", size=20 << 20), shelf)
    assert [row["problem"] for row in loaded["files"]] == ["too_large"]
    assert shelf.fetched == []


async def test_of_many_files_the_first_ten_are_read(sqlite_store: Store) -> None:
    names = [f"{n}.txt" for n in range(MOST_FILES + 2)]
    shelf = Shelf(files={f"F-{name}": name.encode() for name in names})
    files = await ask(sqlite_store, shelf, *names)
    assert [file.text for file in files[:MOST_FILES]] == names[:MOST_FILES]
    assert all(file.problem is not None and "at most 10 files" in file.problem.en for file in files[MOST_FILES:])


async def test_a_full_quota_is_said(sqlite_store: Store) -> None:
    (file,) = await ask(sqlite_store, Shelf(files={"F-a": b"x" * 600}), "a", quota=500)
    assert file.problem is not None
    assert "room for files is used up" in file.problem.en


async def test_a_picture_that_no_model_takes_is_refused_with_a_sentence(sqlite_store: Store) -> None:
    wide = PNG[:16] + (20_000).to_bytes(4, "big") + PNG[20:]
    shelf = Shelf(files={"F-wide.png": wide, "F-cut.png": PNG[:20]})
    large, broken = await ask(sqlite_store, shelf, "wide.png", "cut.png")
    assert large.image is None
    assert large.problem is not None
    assert "too large a picture" in large.problem.en
    assert broken.problem is not None
    assert "damaged" in broken.problem.en


async def test_a_turn_that_is_taken_over_does_not_fetch_again(sqlite_store: Store) -> None:
    shelf, files = Shelf(files={"F-a": b"words"}), Attachments(sqlite_store, Quick())
    async with Server(sqlite_store, shelf, Noting(), files=files) as server:
        await server.inbox.receive(say("look", "m1", attachments=attach("a")))
        await settled(sqlite_store)
    shelf.files.clear()
    loaded = await files.load(target(), attach("a"), shelf)
    assert [file.text for file in await files.task_files(loaded)] == ["words"]
    assert shelf.fetched == ["F-a"]


async def test_a_deleted_message_takes_its_file_along(store: Store) -> None:
    shelf = Shelf(files={"F-a": b"mine", "F-b": b"shared"})
    async with Server(store, shelf, Noting(), files=Attachments(store, Quick())) as server:
        await server.inbox.receive(say("look", "m1", attachments=attach("a", "b")))
        await settled(store)
        await server.inbox.receive(say("again", "m2", key="c2", at=1, attachments=attach("b")))
        await settled(store)
        assert len(await stored(store)) == 2
        await server.inbox.receive(Deleted(target(), "m1"))
    assert await stored(store) == [hashlib.sha256(b"shared").hexdigest()]


async def test_a_deleted_conversation_takes_its_files_along(store: Store) -> None:
    async with Server(store, Shelf(files={"F-a": b"mine"}), Noting(), files=Attachments(store, Quick())) as server:
        await server.inbox.receive(say("look", "m1", attachments=attach("a")))
        await settled(store)
        assert len(await stored(store)) == 1
        await Erasure(store, SystemClock(), server.dispatcher, server.live).conversation(target().conversation_key, ANN)
    assert await stored(store) == []


async def test_a_file_whose_message_was_erased_meanwhile_is_not_kept(store: Store) -> None:
    files = Attachments(store, Quick())
    loaded = await files.load(target("never"), attach("a"), Shelf(files={"F-a": b"words"}))
    assert [row["problem"] for row in loaded["files"]] == ["gone"]
    assert await stored(store) == []


async def test_a_file_that_is_no_longer_kept_is_said_to_be_gone(sqlite_store: Store) -> None:
    files, clock = Attachments(sqlite_store, Quick()), SystemClock()
    async with Server(sqlite_store, Shelf(files={"F-a": b"words"}), Noting(), files=files) as server:
        await server.inbox.receive(say("look", "m1", attachments=attach("a")))
        await settled(sqlite_store)
    loaded = await files.load(target(), attach("a"), None)
    await sqlite_store.write(lambda c: blobs.forget(c, clock.now() + timedelta(days=1), 10))
    (file,) = await files.task_files(loaded)
    assert file.problem is not None
    assert file.problem.en == "“a” is no longer there: attach it again."


async def test_pictures_that_are_too_large_together_are_left_out(sqlite_store: Store) -> None:
    big = [PNG + bytes([n]) * 4_900_000 for n in range(4)]
    shelf = Shelf(files={f"F-{n}.png": data for n, data in enumerate(big)})
    files = await ask(sqlite_store, shelf, *(f"{n}.png" for n in range(4)))
    assert [file.image is not None for file in files] == [True, True, False, False]
    assert files[2].problem is not None
    assert "pictures before it" in files[2].problem.en


async def test_a_question_without_files_gets_those_that_were_attached_before(store: Store) -> None:
    agent, shelf = Noting(), Shelf(files={"F-old": b"old", "F-a": b"mine", "F-b": b"another's"})
    async with Server(store, shelf, agent, files=Attachments(store, Quick())) as server:
        await server.inbox.receive(say("look", "m1", attachments=attach("old")))
        await server.inbox.receive(say("this one", "m2", at=1, attachments=attach("b"), addressed=False))
        await settled(store)
        await server.inbox.receive(say("sum it up", "m3", at=2))
        await settled(store)
        await server.inbox.receive(say("and this", "m4", at=3, attachments=attach("a")))
        await settled(store)
        await server.inbox.receive(say("hello", "m5", key="c2", at=4))
        await settled(store)
    seen = [[(file.text, file.earlier) for file in task.files] for task in agent.tasks]
    assert seen == [[("old", False)], [("another's", True)], [("mine", False)], []]
    assert shelf.fetched == ["F-old", "F-b", "F-a"]


@pytest.mark.parametrize("style", ["noagent", "kuaiagent"])
@pytest.mark.parametrize("vision", [True, False])
async def test_files_reach_a_model_server_and_the_answer_says_what_it_could_not_see(
    sqlite_store: Store, style: str, vision: bool
) -> None:
    shelf = Shelf(files={"F-note.md": b"The door code is [m:4711].", "F-door.png": PNG})
    async with FakeLLM(vision=vision, context=4096, enforce=True, kind="llama.cpp") as llm:
        chat = OpenAIChatModel(Endpoint(llm.base_url))
        pool = EndpointPool([Member(chat, 4)])
        profile = Profile(style=style)
        files = Attachments(sqlite_store, Quick())
        async with Server(
            sqlite_store, shelf, bind_agent(pool, builtin_tools()), profile=profile, files=files
        ) as server:
            await server.inbox.receive(say("What is the code?", "m1", attachments=attach("note.md", "door.png")))
            assert list((await settled(sqlite_store)).values()) == ["answered"]
        await pool.aclose()
        await chat.aclose()
    (final,) = shelf.closes
    assert "[m:4711]" in final.text
    assert ("[saw:red 64x64]" in final.text) is vision
    assert [note for note in final.notes if "cannot look at pictures" in note] == (
        [] if vision else ["The model that answered cannot look at pictures, so it did not see “door.png”."]
    )


async def test_a_replay_needs_neither_platform_nor_model(
    sqlite_url: str, sqlite_store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pool = OneModelPool(Says("The paper says: On paper."))
    agent = bind_agent(pool, ())
    shelf = Shelf(files={"F-b.pdf": pdf.pdf("On paper")})
    async with Server(sqlite_store, shelf, agent, files=Attachments(sqlite_store, Quick())) as server:
        await server.inbox.receive(say("What is it?", "m1", attachments=attach("b.pdf")))
        states = await settled(sqlite_store)
    assert "On paper" in pool.model.requests[-1].messages[-1].content
    settings = load(environ={"DATABASE_URL": sqlite_url, "KAGENTBOT_DATA_DIR": str(tmp_path), "HOME": str(tmp_path)})
    assert await run_replay(settings, next(iter(states))) == 0
    assert "The paper says: On paper." in capsys.readouterr().out
