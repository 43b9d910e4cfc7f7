"""The profile as a form: its fields, what is set and what is inherited, and what was submitted. Pure.

A platform draws the fields in its own way, all at once or some at a time, and gives back what people typed and chose.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, get_args

from adapters.chat import texts
from adapters.chat.platform import Platform
from agent.journal import Json
from agent.language import Lang, Text
from agent.profile import FIELDS, Profile, to_values
from bot.places import Place
from bot.profiles import Origin, Version
from bot.settings.profile import MOST_RUNS, ProfileSettings
from bot.settings.sources import describe

#: Where a profile is changed.
Scope = Literal["workspace", "channel", "thread"]
#: How a field is filled in: typed on one line or on several, a number, one of a few, several of a few.
Kind = Literal["line", "text", "number", "one", "several"]
#: What somebody typed into a field or chose in it; None for nothing.
Given = str | Sequence[str] | None

#: The choice that sets nothing.
INHERIT: Final = "=inherit="
#: The field that may be longer than an input, so that it is spread over several.
LONG: Final = "agent_instructions"
#: Versions that a list shows.
MOST_VERSIONS: Final = 20
#: Characters of a value that is shown beside another one.
SHOWN_VALUE: Final = 80

_ABOUT: Final = {leaf.name: Text(leaf.about.en, leaf.about.zh) for leaf in describe(ProfileSettings)}
_LENGTHS: Final = {"agent_name": 80, "icon": 500, "agent_bio": 2_000}
_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    name: get_args(ProfileSettings.model_fields[name].annotation)
    for name in ("lang", "style", "follow", "answer_in", "overlap", "network")
}


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a platform's inputs take."""

    #: Characters that can be typed into one.
    text: int
    #: Choices to choose from, and characters of the value of one.
    choices: int
    choice_value: int
    #: Inputs that a long text may be spread over.
    inputs: int


@dataclass(frozen=True, slots=True)
class Form:
    """What is filled in."""

    platform: Platform
    scope: Scope
    workspace: str
    #: "" where it was opened for the workspace alone.
    channel: str
    #: Number of the newest version at this place, 0 for none.
    version: int
    #: What is set there.
    values: Mapping[str, Json]
    #: What would hold without it, and where that comes from.
    inherited: Profile
    origins: Mapping[str, Origin]
    #: Names of the tools, and what they are called.
    tools: Mapping[str, Text]
    #: Endpoints and models that are known just now.
    models: Sequence[str]
    lang: Lang
    #: What is said about fields instead of the general words.
    hints: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the values to choose from."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """One input."""

    name: str
    #: Counts the inputs of a long text, from 0.
    number: int
    kind: Kind
    label: str
    hint: str
    #: What holds where nothing is set, and where that comes from.
    inherited: str
    #: What is set, as it is typed.
    value: str = ""
    #: The most characters, or the largest number.
    most: int = 0
    #: Of `one` the first is `INHERIT`; of `several` nothing chosen is nothing set.
    choices: tuple[Choice, ...] = ()
    chosen: tuple[str, ...] = ()


def place_of(platform: str, workspace: str, scope: Scope, channel: str, thread_key: str = "") -> Place:
    """Where the values of a form are set. `thread_key`: of the thread's conversation.

    Raises `ValueError` for a conversation of another workspace: whoever may edit is looked up in this one.
    """
    key = f"{platform}:{workspace}"
    if scope == "thread":
        if not thread_key.startswith(f"{key}:"):
            raise ValueError("a thread of another workspace")
        return Place("thread", thread_key)
    return Place("workspace", key) if scope == "workspace" else Place("channel", f"{key}:{channel}")


# --- What is shown


def fields(form: Form, sizes: Sizes, names: Sequence[str] = FIELDS) -> list[Field]:
    """The inputs for these values, in the profile's order; those of a long text stand behind one another."""
    found: list[Field] = []
    for name in FIELDS:
        if name in names:
            found += _instructions(form, sizes) if name == LONG else [_field(form, name, sizes)]
    return found


def joints(form: Form, sizes: Sizes) -> tuple[str, ...]:
    """What stands between the inputs of the long text; to be kept until the form is submitted."""
    return spread(str(form.values.get(LONG) or ""), sizes)[1]


def _field(form: Form, name: str, sizes: Sizes) -> Field:
    value = form.values.get(name)
    label, hint, inherited = texts.FIELDS[name].say(form.lang), _hint(form, name), _inherited(form, name)
    if (choices := _choices(form, name, value, sizes)) is not None:
        kind: Kind = "several" if name == "tool_names" else "one"
        known = {choice.value for choice in choices}
        chosen = tuple(_listed(value)) if kind == "several" else (str(value) if value in known else INHERIT,)
        return Field(name, 0, kind, label, hint, inherited, choices=tuple(choices), chosen=chosen)
    if name == "max_iter_num":
        return Field(name, 0, "number", label, hint, inherited, _typed(value), MOST_RUNS)
    most = min(_LENGTHS.get(name, sizes.text), sizes.text)
    return Field(name, 0, "text" if name == "agent_bio" else "line", label, hint, inherited, _typed(value), most)


def _choices(form: Form, name: str, value: Json, sizes: Sizes) -> list[Choice] | None:
    """What can be chosen; None where it is to be typed, or where there is too much to choose from."""
    if name == "tool_names":
        # A tool that is gone stays visible, so that saving doesn't lose it silently: it is said to be unknown then.
        names = list(dict.fromkeys(["auto", "notool", *form.tools, *_listed(value)]))
        found = [Choice(one, value_name(name, one, form.tools, form.lang)) for one in names]
    elif name == "model" and form.models:
        names = list(dict.fromkeys([*form.models, *([str(value)] if value else [])]))
        found = [_nothing(form, name), *(Choice(one, one) for one in names if one)]
    elif name in _CHOICES:
        names = list(_CHOICES[name])
        found = [_nothing(form, name), *(Choice(one, value_name(name, one, form.tools, form.lang)) for one in names)]
    else:
        return None
    fits = len(found) <= sizes.choices and all(len(choice.value) <= sizes.choice_value for choice in found)
    return found if fits else None


def _nothing(form: Form, name: str) -> Choice:
    """To set nothing, because a choice can't be taken back."""
    return Choice(INHERIT, texts.INHERIT.say(form.lang, value=_inherited(form, name)))


def _instructions(form: Form, sizes: Sizes) -> Iterator[Field]:
    parts, _ = spread(str(form.values.get(LONG) or ""), sizes)
    for number, part in enumerate(parts):
        label = (texts.MORE_INSTRUCTIONS if number else texts.FIELDS[LONG]).say(form.lang)
        inherited = "" if number else _inherited(form, LONG)
        yield Field(LONG, number, "text", label, _hint(form, LONG), inherited, part, sizes.text)


def _hint(form: Form, name: str) -> str:
    return form.hints.get(name, _ABOUT[name]).say(form.lang)


def _typed(value: Json) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _listed(value: Json) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else []


def spread(text: str, sizes: Sizes) -> tuple[list[str], tuple[str, ...]]:
    """A long text over inputs, and what stood between them. There is always one with room, as far as there may be."""
    parts: list[str] = []
    between: list[str] = []
    while len(text) > sizes.text:
        # At a line's end where there is one: that is what somebody would look for.
        line = text.rfind("\n", sizes.text // 2, sizes.text)
        end = line if line >= 0 else sizes.text
        parts.append(text[:end])
        between.append("\n" if line >= 0 else "")
        text = text[end + (1 if line >= 0 else 0) :]
    parts.append(text)
    if len(text) > sizes.text // 2 and len(parts) < sizes.inputs:
        parts.append("")
        between.append("\n")
    return parts, tuple(between)


# --- What was submitted


def read(given: Mapping[tuple[str, int], Given], between: Sequence[str] = ()) -> dict[str, Json]:
    """The values that are set by what was typed and chosen in the inputs (name, number). `between`: see `joints`."""
    values: dict[str, Json] = {}
    # In the profile's order, so that problems are told in it.
    for name in FIELDS:
        found = _joined(given, between) if name == LONG else _value(name, given.get((name, 0)))
        if found not in (None, "", []):
            values[name] = found
    return values


def _joined(given: Mapping[tuple[str, int], Given], between: Sequence[str]) -> str:
    first, *others = [str(given.get((LONG, number)) or "") for number in range(len(between) + 1)]
    return "".join([first, *(joint + part for joint, part in zip(between, others, strict=True) if part)]).strip()


def _value(name: str, given: Given) -> Json:
    if given is None or given == INHERIT:
        return None
    if not isinstance(given, str):
        return list(given)
    if not given.strip():
        return None
    if name == "tool_names":
        return [part.strip() for part in given.replace("，", ",").split(",") if part.strip()]
    if name == "max_iter_num":
        number = given.strip()
        # What is no number is left for the check of the profile, which says what is right.
        return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else number
    return given


# --- Values and versions in words


def value_name(name: str, value: Json, tools: Mapping[str, Text], lang: Lang) -> str:
    """What people read of one stored value; `tools`: what they are called."""
    if isinstance(value, list | tuple):
        return ", ".join(value_name(name, one, tools, lang) for one in value)
    if value in (None, ""):
        return texts.EMPTY_VALUES[name].say(lang) if name in texts.EMPTY_VALUES else "–"
    known = texts.VALUES.get(name, {})
    if value in known:
        return known[value].say(lang)
    if name == "tool_names" and value in tools:
        return f"{tools[str(value)].say(lang)} ({value})"
    return str(value)


def origin_name(origin: Origin, platform: Platform, lang: Lang) -> str:
    """Where a value comes from, in words."""
    return platform.named(texts.ORIGINS[origin.place.scope]).say(lang, version=origin.version)


def _inherited(form: Form, name: str) -> str:
    value = " ".join(value_name(name, to_values(form.inherited)[name], form.tools, form.lang).split())
    shown = value if len(value) <= SHOWN_VALUE else value[: SHOWN_VALUE - 1].rstrip() + "…"
    origin = origin_name(form.origins[name], form.platform, form.lang)
    return texts.INHERITED.say(form.lang, value=shown, origin=origin)


@dataclass(frozen=True, slots=True)
class VersionView:
    """One version in words. Whoever shows it makes the name harmless: people choose their own."""

    number: int
    title: str
    is_newest: bool
    who: str
    at: datetime
    #: What was done, a sentence each.
    remarks: tuple[str, ...]


def version_view(version: Version, lang: Lang, *, newest: bool) -> VersionView:
    """What a list says of a version; `newest`: it is in force."""
    remarks = []
    if version.restores is not None:
        # Version 0 is what was before the first: nothing.
        back = texts.RESTORED.say(lang, version=version.restores) if version.restores else texts.ALL_UNSET.say(lang)
        remarks.append(back)
    names = ", ".join(texts.FIELDS[name].say(lang) for name in version.changed if name in texts.FIELDS)
    remarks.append(texts.CHANGED.say(lang, fields=names) if names else texts.CHANGED_NOTHING.say(lang))
    who = version.author.name or version.author.id
    title = texts.VERSION.say(lang, version=version.number)
    return VersionView(version.number, title, newest, who, version.at, tuple(remarks))
