"""The commands about profiles and models: what holds here, who may change it, and how to take it back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from agent.journal import Json
from agent.language import Lang, Text
from agent.profile import FIELDS, to_values
from bot import command_texts as texts
from bot.command_words import Command
from bot.endpoints import Endpoints, EndpointView
from bot.exporting import code
from bot.invocation import CommandReply, Invocation
from bot.messages import NO_WORKSPACE, Target
from bot.people import People
from bot.places import Place, places
from bot.policy import GRANTING, TUNABLE, may
from bot.profiles import NoVersion, ProfileConflict, ProfileError, Profiles, Version
from bot.wording import GENERAL, Wording

#: Characters of a value that one line shows.
_SHOWN: Final = 80
#: Versions that are listed.
_VERSIONS: Final = 10
#: Times that a change is tried again when somebody else changes the same place meanwhile.
_TRIES: Final = 5
#: What people may write for a value, as it is stored.
_VALUES: Final[Mapping[str, str]] = {
    "中文": "zh",
    "英文": "en",
    "英语": "en",
    "汉语": "zh",
    "chinese": "zh",
    "english": "en",
    "自动": "auto",
    "开": "on",
    "关": "off",
}
_CHOSEN: Final = frozenset(("lang", "style", "follow", "answer_in", "overlap", "network"))
#: What stands for the usual order of the models.
_USUAL: Final = frozenset(("auto", "default", "自动", "默认"))


@dataclass(frozen=True, slots=True)
class Asked:
    """A command in its place."""

    invocation: Invocation
    command: Command
    #: Whether nobody but the author is there.
    direct: bool
    wording: Wording = GENERAL

    @property
    def lang(self) -> Lang:
        return self.invocation.lang

    @property
    def target(self) -> Target:
        return self.invocation.target

    @property
    def alone(self) -> bool:
        """Whether it is a direct conversation that belongs to no workspace: nobody is an administrator there."""
        return self.target.workspace == NO_WORKSPACE

    @property
    def admins_only(self) -> str:
        """That the author may not do that."""
        return self.say(texts.OPERATORS_ONLY if self.alone else texts.ADMINS_ONLY)

    def say(self, text: Text, **fields: object) -> str:
        """A sentence in the author's language, and in the words of their platform."""
        return self.wording.worded(text).say(self.lang, **fields)

    def form(self, en: str, zh: str) -> str:
        """A command as the author would write it here."""
        words = zh if self.lang == "zh" else en
        spelled = self.invocation.spelled
        return code(spelled(words) if spelled is not None else self.invocation.lead + words)

    def said(self, en: str, zh: str) -> str:
        """A command as the author would say it to the agent."""
        return code(zh if self.lang == "zh" else en)

    def list(self, words: Collection[str]) -> str:
        """Several things in a row."""
        return ("、" if self.lang == "zh" else ", ").join(words)


class Denied(Exception):
    """The author may not do that; `text` says who may."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class ProfileCommands:
    """`profile` and `model`."""

    def __init__(self, profiles: Profiles, people: People, endpoints: Endpoints, zone: ZoneInfo) -> None:
        self._profiles = profiles
        self._people = people
        self._endpoints = endpoints
        self._zone = zone

    async def profile(self, asked: Asked) -> CommandReply:
        """Show the profile, or change it."""
        command = asked.command
        if not command.verb:
            return await self._show(asked)
        place = self._place(asked)
        if place is None:
            return CommandReply(asked.say(texts.NO_PLACE))
        try:
            match command.verb:
                case "set":
                    name, value = command.args
                    return await self._set(asked, place, name, _value(name, value))
                case "unset":
                    return await self._set(asked, place, command.args[0], None)
                case "undo":
                    return await self._undo(asked, place)
                case "restore":
                    return await self._restore(asked, place, int(command.args[0]), texts.RESTORED)
                case _:
                    return await self._versions(asked, place)
        except ProfileError as error:
            return CommandReply("\n".join(text.say(asked.lang) for _, text in error.problems))
        except ProfileConflict as error:
            return CommandReply(error.text.say(asked.lang))
        except NoVersion as error:
            fields = {"place": self._called(asked, place), "number": error.number}
            return CommandReply(
                _upper(asked.say(texts.NO_VERSION, **fields, versions=asked.form("profile versions", "配置 版本")))
            )

    async def model(self, asked: Asked) -> CommandReply:
        """List the models, or choose one."""
        if not asked.command.args:
            return await self._models(asked)
        place = self._place(asked)
        if place is None:
            return CommandReply(asked.say(texts.NO_PLACE))
        named = asked.command.args[0]
        known = self._endpoints.names()
        if named.casefold() in _USUAL:
            return await self._set(asked, place, "model", None)
        # As it is written there, whatever the case here.
        exact = {name.casefold(): name for name in reversed(known)}.get(named.casefold())
        if exact is None:
            listed = asked.list([code(name) for name in known])
            return CommandReply(asked.say(texts.NO_MODEL, name=code(named), known=listed))
        return await self._set(asked, place, "model", exact)

    async def _show(self, asked: Asked) -> CommandReply:
        effective = await self._profiles.effective(asked.target)
        lines = [asked.say(texts.EFFECTIVE)]
        for name, value in to_values(effective.profile).items():
            origin = effective.origins[name]
            came = asked.say(texts.FROM_SETTINGS)
            if origin.place.scope != "default":
                place = self._called(asked, origin.place)
                came = asked.say(texts.FROM_PLACE, place=place, number=origin.version)
            lines.append(asked.say(texts.HELD, name=code(name), value=_shown(asked, value), origin=came))
        return CommandReply("\n".join([lines[0], "", *lines[1:]]), opens="profile")

    async def _set(self, asked: Asked, place: Place, name: str, value: Json) -> CommandReply:
        if name in FIELDS:
            await self._check(asked, place, {name})
        saved, before = await self._changed(asked, place, name, value)
        called = self._called(asked, place)
        if saved is None:
            return CommandReply(_upper(asked.say(texts.NOTHING_SET, place=called)))
        if saved.number == before:
            return CommandReply(_upper(asked.say(texts.SAME, place=called)))
        fields = {"name": code(name), "place": called, "number": saved.number}
        if value is None:
            return CommandReply(asked.say(texts.UNSET, **fields), private=False)
        where = asked.wording.worded(texts.PLACES[place.scope]).zh
        undo = asked.form(f"profile undo for {place.scope}", f"配置 撤销 用于{where}")
        shown = _shown(asked, saved.values.get(name))
        lines = [asked.say(texts.SET, **fields, value=shown, undo=undo)]
        lines += [text.say(asked.lang) for _, text in self._profiles.warnings({name: saved.values.get(name)})]
        return CommandReply("\n".join(lines), private=False)

    async def _changed(self, asked: Asked, place: Place, name: str, value: Json) -> tuple[Version | None, int]:
        """Change one value, whatever others change there meanwhile: the version now, the number before."""
        author = asked.invocation.author
        for left in reversed(range(_TRIES)):
            newest = await self._profiles.newest(place)
            number = newest.number if newest else 0
            # Without what only another version of this program knows.
            old = {key: held for key, held in newest.values.items() if key in FIELDS} if newest else {}
            if newest is None and value is None and name in FIELDS:
                return None, 0
            try:
                return await self._profiles.save(place, {**old, name: value}, author, based_on=number), number
            except ProfileConflict:
                if not left:
                    raise
        raise AssertionError("the last try returns or raises")

    async def _undo(self, asked: Asked, place: Place) -> CommandReply:
        newest = await self._profiles.newest(place)
        if newest is None:
            return CommandReply(_upper(asked.say(texts.NOTHING_SET, place=self._called(asked, place))))
        return await self._restore(asked, place, newest.number - 1, texts.UNDONE)

    async def _restore(self, asked: Asked, place: Place, number: int, said: Text) -> CommandReply:
        newest = await self._profiles.newest(place)
        now = 0 if newest is None else newest.number
        changes = [difference.field for difference in await self._profiles.compare(place, now, number)]
        await self._check(asked, place, set(changes))
        called = self._called(asked, place)
        if not changes:
            return CommandReply(_upper(asked.say(texts.SAME, place=called)))
        version = await self._profiles.restore(place, number, asked.invocation.author)
        names = asked.list([code(name) for name in changes])
        fields = {"place": called, "old": number, "number": version.number, "names": names}
        return CommandReply(_upper(asked.say(said, **fields)), private=False)

    async def _versions(self, asked: Asked, place: Place) -> CommandReply:
        found = await self._profiles.versions(place, _VERSIONS)
        called = self._called(asked, place)
        if not found:
            return CommandReply(_upper(asked.say(texts.NOTHING_SET, place=called)))
        lines = [asked.say(texts.VERSIONS, place=called), ""]
        for one in found:
            names = asked.list([code(name) for name in one.changed]) or asked.say(texts.NO_CHANGE)
            if one.restores is not None:
                back = texts.RESTORES if one.restores else texts.ALL_UNSET
                names = asked.list([names, asked.say(back, number=one.restores)])
            at = f"{one.at.astimezone(self._zone):%Y-%m-%d %H:%M}"
            author = code(one.author.name or one.author.id)
            lines.append(asked.say(texts.VERSION, number=one.number, at=at, author=author, names=names))
        return CommandReply("\n".join(lines))

    async def _models(self, asked: Asked) -> CommandReply:
        effective = await self._profiles.effective(asked.target)
        chosen = effective.profile.model
        lines = [asked.say(texts.MODELS), ""]
        lines += [_endpoint(asked, view) for view in self._endpoints.list(asked.lang)]
        here = asked.say(texts.MODEL_HERE, name=code(chosen)) if chosen else asked.say(texts.MODEL_ANY)
        how = asked.say(texts.MODEL_HOW, example=asked.form("model NAME", "模型 名称"))
        return CommandReply("\n".join([*lines, "", here, how]))

    def _place(self, asked: Asked) -> Place | None:
        """The place that a change is for; None if there is none of that kind here."""
        chain = {str(place.scope): place for place in places(asked.target)}
        usual = "thread" if "thread" in chain and not asked.direct else "channel"
        return chain.get(asked.command.scope or usual)

    def _called(self, asked: Asked, place: Place) -> str:
        if place.scope == "workspace" and asked.alone:
            return asked.say(texts.ALL_ALONE)
        name = "direct" if place.scope == "channel" and asked.direct else place.scope
        return asked.say(texts.PLACES[name])

    async def _check(self, asked: Asked, place: Place, names: Collection[str]) -> None:
        """Raises `Denied` unless the author may change these values at this place."""
        role = await self._people.role(asked.invocation.author, asked.target)
        if may(role, "profile"):
            return
        if place.scope == "workspace" or not may(role, "tune"):
            raise Denied(asked.admins_only)
        own = asked.direct and place.scope in ("channel", "thread")
        if place.scope == "channel" and not own:
            tunable = asked.list([code(name) for name in FIELDS if name in TUNABLE])
            raise Denied(asked.say(texts.TUNE_THREAD, names=tunable))
        kept = [name for name in names if (name in GRANTING if own else name not in TUNABLE)]
        if kept:
            who = texts.OPERATORS_OF_VALUES if asked.alone else texts.ADMINS_OF_VALUES
            raise Denied(asked.say(who, names=asked.list([code(name) for name in kept])))


def _endpoint(asked: Asked, view: EndpointView) -> str:
    model = code(view.model) if view.model else asked.say(texts.UNKNOWN_MODEL)
    health = asked.say(texts.HEALTHY[view.health.state])
    words = asked.list([model, asked.say(texts.DEMO)]) if view.demo else model
    return asked.say(texts.MODEL, name=code(view.name), model=words, health=health)


def _value(name: str, words: str) -> Json:
    """A value as it is stored, from what somebody wrote."""
    if name == "tool_names":
        return [word for word in words.replace("，", ",").replace("、", ",").replace(",", " ").split() if word]
    return _VALUES.get(words.strip().casefold(), words.strip().casefold()) if name in _CHOSEN else words


def _shown(asked: Asked, value: Json) -> str:
    words = (
        asked.list([str(word) for word in value])
        if isinstance(value, Sequence) and not isinstance(value, str)
        else value
    )
    line = " ".join(str(words).split())
    if not line:
        return asked.say(texts.NOTHING)
    return code(line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…")


def _upper(sentence: str) -> str:
    """The sentence with its first letter as a sentence begins."""
    return sentence[:1].upper() + sentence[1:]
