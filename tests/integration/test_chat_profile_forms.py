"""Changing a profile by a form, whatever the platform."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.chat import texts
from adapters.chat.platform import Platform
from adapters.chat.profile_form import Form, Scope
from adapters.chat.profile_forms import Editing, ProfileForms
from agent.language import Text
from bot.messages import Author
from bot.places import Place
from bot.ports import StoreUnavailable
from bot.present import tool_titles
from bot.store.db import Store
from tests.support.desk import Desk
from tests.support.orders import ADMIN, MEMBER, Orders

HERE = Platform("test", "Here", Text("server", "服务器"), Text("thread", "子区"))
CHANNEL = Place("channel", "test:w:ch")


class Office:
    """Forms, and the profiles behind them."""

    def __init__(self, store: Store, folder: Path) -> None:
        desk = Desk(store)
        self.orders = Orders(store, desk.clock, desk.bell, desk.live, folder)
        self.profiles: Any = self.orders.profiles
        titles = tool_titles(self.orders.tools)
        self.forms = ProfileForms(HERE, self.orders.people, self.profiles, titles, self.orders.endpoints.names)

    async def set(self) -> dict[str, Any]:
        """What is set in the channel."""
        newest = await self.profiles.newest(CHANNEL)
        return {} if newest is None else dict(newest.values)


def editing(by: Author = ADMIN, scope: Scope = "channel") -> Editing:
    return Editing(by, "w", scope, "ch", "en")


@pytest.fixture
async def office(sqlite_store: Store, tmp_path: Path) -> AsyncIterator[Office]:
    made = Office(sqlite_store, tmp_path)
    yield made
    await made.orders.close()


async def test_a_form_shows_what_is_set_and_what_is_inherited(office: Office) -> None:
    await office.profiles.save(Place("workspace", "test:w"), {"agent_name": "Ada"}, ADMIN, based_on=0)
    await office.profiles.save(CHANNEL, {"lang": "zh"}, ADMIN, based_on=0)
    form = await office.forms.form(editing())
    assert isinstance(form, Form)
    assert (form.version, dict(form.values), form.inherited.agent_name) == (1, {"lang": "zh"}, "Ada")
    assert form.origins["agent_name"].place.scope == "workspace"


async def test_a_thread_has_a_form_of_its_own(office: Office) -> None:
    await office.forms.save(editing(), {"lang": "zh"}, based_on=0)
    thread = replace(editing(scope="thread"), thread_key="test:w:t1")
    assert not (await office.forms.save(thread, {"agent_name": "Ada"}, based_on=0)).problems
    form = await office.forms.form(thread)
    assert isinstance(form, Form)
    assert (dict(form.values), form.inherited.lang) == ({"agent_name": "Ada"}, "zh")
    assert await office.set() == {"lang": "zh"}


async def test_a_part_of_the_values_is_saved_and_the_others_stay(office: Office) -> None:
    await office.forms.save(editing(), {"agent_name": "Ada", "agent_bio": "b", "lang": "zh"}, based_on=0)
    names = ["agent_name", "agent_bio"]
    saved = await office.forms.save(editing(), {"agent_name": "Bea"}, based_on=1, names=names)
    assert not saved.problems
    assert await office.set() == {"agent_name": "Bea", "lang": "zh"}


async def test_what_somebody_else_has_changed_meanwhile_is_not_overwritten(office: Office) -> None:
    await office.forms.save(editing(), {"lang": "zh"}, based_on=0)
    saved = await office.forms.save(editing(), {"agent_name": "Ada"}, based_on=0, names=["agent_name"])
    assert list(saved.problems) == [""]
    assert await office.set() == {"lang": "zh"}


async def test_what_is_wrong_is_said_at_its_field_in_words_for_people(office: Office) -> None:
    saved = await office.forms.save(editing(), {"max_iter_num": "many", "tool_names": ["nothing"]}, based_on=0)
    assert set(saved.problems) == {"max_iter_num", "tool_names"}
    assert "`" not in "".join(saved.problems.values())
    assert texts.FIELDS["max_iter_num"].en in saved.problems["max_iter_num"]
    assert await office.set() == {}


async def test_a_model_that_nobody_knows_is_saved_with_a_warning(office: Office) -> None:
    saved = await office.forms.save(editing(), {"model": "nobody"}, based_on=0)
    assert "nobody" in saved.said
    assert await office.set() == {"model": "nobody"}


async def test_members_see_and_change_nothing(office: Office) -> None:
    await office.forms.save(editing(), {"lang": "zh"}, based_on=0)
    refused = HERE.named(texts.ADMINS_ONLY)
    assert "server" in refused.en
    assert await office.forms.form(editing(MEMBER)) == refused
    assert await office.forms.versions(editing(MEMBER)) == refused
    assert await office.forms.restore(editing(MEMBER), 0) == refused.en
    saved = await office.forms.save(editing(MEMBER), {}, based_on=1)
    assert saved.problems == {"": refused.en}
    assert await office.set() == {"lang": "zh"}


async def test_a_version_is_brought_back(office: Office) -> None:
    for number, lang in enumerate(("zh", "en")):
        await office.forms.save(editing(), {"lang": lang}, based_on=number)
    assert "as version 3" in await office.forms.restore(editing(), 1)
    assert await office.set() == {"lang": "zh"}
    found = await office.forms.versions(editing())
    assert not isinstance(found, Text)
    assert [(version.number, version.restores) for version in found] == [(3, 1), (2, None), (1, None)]


async def test_a_version_that_there_is_not_is_said_to_be_gone(office: Office) -> None:
    assert await office.forms.restore(editing(), 9) == texts.GONE_VERSION.en


async def test_a_database_that_takes_nothing_is_said_so(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object, **__: object) -> None:
        raise StoreUnavailable(Text("The disk is full.", "磁盘已满。"))

    monkeypatch.setattr(office.profiles, "save", full)
    saved = await office.forms.save(editing(), {"lang": "zh"}, based_on=0)
    assert saved.problems == {"": texts.NOT_NOW.en}
