"""Changing a profile by a form: what it shows, saving, versions, bringing one back.

Whoever opens or submits one is checked each time: what comes back came through other people's hands.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from adapters.chat import texts
from adapters.chat.languages import chain_of
from adapters.chat.platform import Platform
from adapters.chat.profile_form import MOST_VERSIONS, Form, Scope, place_of
from agent.journal import Json
from agent.language import Lang, Text
from bot.messages import Author, Target
from bot.people import People
from bot.places import Place
from bot.policy import may
from bot.ports import StoreUnavailable
from bot.profiles import NoVersion, ProfileConflict, ProfileError, Profiles, Version


@dataclass(frozen=True, slots=True)
class Editing:
    """Somebody changes the profile of a place."""

    by: Author
    workspace: str
    scope: Scope
    #: Of scope `workspace`: the one to come back to; "" for none.
    channel: str
    lang: Lang
    #: Of scope `thread`: the key of its conversation.
    thread_key: str = ""


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a submitted form."""

    #: What was done; "" where there were problems, and then nothing was.
    said: str = ""
    #: One sentence by the name of the field; "" where it isn't about one field.
    problems: Mapping[str, str] = field(default_factory=dict)


class ProfileForms:
    """Forms of one platform."""

    def __init__(
        self,
        platform: Platform,
        people: People,
        profiles: Profiles,
        tools: Mapping[str, Text],
        models: Callable[[], Collection[str]],
        *,
        hints: Mapping[str, Text] | None = None,
    ) -> None:
        """`tools`: names and titles; `models`: endpoints and models that are known just now; `hints`: what is said
        about fields instead of the general words."""
        self._platform = platform
        self._people = people
        self._profiles = profiles
        self._tools = tools
        self._models = models
        self._hints = hints or {}

    async def may_edit(self, editing: Editing) -> bool:
        """Whether they may. Raises `StoreUnavailable`."""
        place = f"{self._platform.id}:{editing.workspace}:{editing.channel}"
        here = Target(self._platform.id, editing.workspace, editing.channel, None, place)
        return may(await self._people.role(editing.by, here), "profile")

    async def form(self, editing: Editing) -> Form | Text:
        """What the form shows, or why it doesn't. Raises `StoreUnavailable`."""
        if not await self.may_edit(editing):
            return self._platform.named(texts.ADMINS_ONLY)
        channel = "" if editing.scope == "workspace" else editing.channel
        thread_key = editing.thread_key if editing.scope == "thread" else ""
        chain = chain_of(self._platform.id, editing.workspace, channel, thread_key)
        inherited = await self._profiles.effective_at(chain[:-1])
        newest = await self._profiles.newest(self._place(editing))
        return Form(
            platform=self._platform,
            scope=editing.scope,
            workspace=editing.workspace,
            channel=editing.channel,
            version=newest.number if newest else 0,
            values=newest.values if newest else {},
            inherited=inherited.profile,
            origins=inherited.origins,
            tools=self._tools,
            models=sorted(self._models()),
            lang=editing.lang,
            hints=self._hints,
        )

    async def save(
        self, editing: Editing, values: Mapping[str, Json], *, based_on: int, names: Collection[str] | None = None
    ) -> Saved:
        """Make these values what is set at the place. `based_on`: `Form.version` of the form that was submitted.

        `names`: the values that the form had, where it hadn't all; the others stay as they are.
        """
        try:
            return await self._save(editing, values, based_on, names)
        except ProfileError as error:
            return Saved(problems=_problems(error, editing.lang))
        except ProfileConflict as conflict:
            return Saved(problems={"": conflict.text.say(editing.lang)})
        except StoreUnavailable:
            return Saved(problems={"": texts.NOT_NOW.say(editing.lang)})

    async def _save(
        self, editing: Editing, values: Mapping[str, Json], based_on: int, names: Collection[str] | None
    ) -> Saved:
        if not await self.may_edit(editing):
            return Saved(problems={"": self._platform.named(texts.ADMINS_ONLY).say(editing.lang)})
        place = self._place(editing)
        if names is not None:
            newest = await self._profiles.newest(place)
            kept = {} if newest is None else {name: one for name, one in newest.values.items() if name not in names}
            values = {**kept, **values}
        made = await self._profiles.save(place, values, editing.by, based_on=based_on)
        said = [texts.SAVED.say(editing.lang, version=made.number)]
        said += [warning.say(editing.lang) for _, warning in self._profiles.warnings(made.values)]
        return Saved(" ".join(said))

    async def versions(self, editing: Editing) -> list[Version] | Text:
        """The last versions of the place, the newest first, or why they aren't shown. Raises `StoreUnavailable`."""
        if not await self.may_edit(editing):
            return self._platform.named(texts.ADMINS_ONLY)
        return await self._profiles.versions(self._place(editing), limit=MOST_VERSIONS)

    async def restore(self, editing: Editing, number: int) -> str:
        """Bring a version back; what became of it, in a sentence. Raises `StoreUnavailable`."""
        lang = editing.lang
        if not await self.may_edit(editing):
            return self._platform.named(texts.ADMINS_ONLY).say(lang)
        try:
            made = await self._profiles.restore(self._place(editing), number, editing.by)
        except NoVersion:
            return texts.GONE_VERSION.say(lang)
        except (ProfileError, ProfileConflict) as problem:
            return problem.text.say(lang)
        return texts.BROUGHT_BACK.say(lang, number=number, version=made.number)

    def _place(self, editing: Editing) -> Place:
        return place_of(self._platform.id, editing.workspace, editing.scope, editing.channel, editing.thread_key)


def _problems(error: ProfileError, lang: Lang) -> dict[str, str]:
    """The sentences, each at its field."""
    # Of two problems with one field, the first. There is no markup there, and fields have names for people.
    return {
        name: text.say(lang).replace(f"`{name}`", _named(name, lang)).replace("`", "")
        for name, text in reversed(error.problems)
    }


def _named(name: str, lang: Lang) -> str:
    label = texts.FIELDS.get(name)
    return f"“{label.say(lang)}”" if label is not None else name
