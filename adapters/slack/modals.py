"""The modals in which a profile is changed and its versions are looked at. Pure: what to show in, a view out.

Fields of different places have block ids of their own: Slack keeps what somebody typed under a block id when a view is
updated.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args

from adapters.chat import texts
from adapters.slack import limits
from adapters.slack.block_kit import (
    DIVIDER,
    Block,
    actions,
    button,
    context,
    cut,
    modal,
    option,
    plain,
    quoted,
    section,
)
from adapters.slack.texts import ICON_HINT, SLACK
from agent.journal import Json
from agent.language import Lang, Text
from agent.profile import FIELDS, Profile, to_values
from bot.places import Place
from bot.profiles import Origin, Version
from bot.settings.profile import MOST_RUNS, ProfileSettings
from bot.settings.sources import describe

PROFILE: Final = "kagent.profile"
VERSIONS: Final = "kagent.versions"
#: Action ids in these modals.
SWITCH: Final = "kagent.profile.place"
SHOW_VERSIONS: Final = "kagent.profile.versions"
RESTORE: Final = "kagent.profile.restore"
#: Action id of every field.
VALUE: Final = "value"

#: Where a profile is changed in Slack.
Scope = Literal["workspace", "channel"]

#: Stands for "not set here" in a choice.
_INHERIT: Final = "=inherit="
#: Versions that a list shows.
MOST_VERSIONS: Final = 20
#: Characters of the placeholder of a field (docs.slack.dev, plain-text input).
_PLACEHOLDER: Final = 150
_SHOWN_VALUE: Final = 80
#: Characters of the value of a choice (docs.slack.dev, option object).
_OPTION_VALUE: Final = 150
#: An input takes 3,000 characters: longer instructions are spread over so many.
_MOST_INPUTS: Final = 4

_ABOUT: Final = {leaf.name: Text(leaf.about.en, leaf.about.zh) for leaf in describe(ProfileSettings)} | {
    "icon": ICON_HINT
}
_LENGTHS: Final = {"agent_name": 80, "icon": 500, "agent_bio": 2_000}
_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    name: get_args(ProfileSettings.model_fields[name].annotation)
    for name in ("lang", "style", "follow", "answer_in", "overlap", "network")
}


@dataclass(frozen=True, slots=True)
class Form:
    """What the profile modal shows."""

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


@dataclass(frozen=True, slots=True)
class Meta:
    """What a profile modal remembers while it is open."""

    scope: Scope
    channel: str
    version: int
    #: What stands between the parts of the instructions.
    joints: tuple[str, ...] = ()

    def dump(self) -> str:
        """For `private_metadata`."""
        return json.dumps([self.scope, self.channel, self.version, *self.joints], ensure_ascii=False)


def meta_of(view: Mapping[str, Any]) -> Meta:
    """What a view remembers. Raises `ValueError` for one that isn't ours."""
    found = json.loads(view.get("private_metadata") or "null")
    if not isinstance(found, list) or len(found) < 3 or found[0] not in get_args(Scope):
        raise ValueError("no metadata of a profile")
    return Meta(found[0], str(found[1]), int(found[2]), tuple(map(str, found[3:])))


def place_of(workspace: str, scope: Scope, channel: str) -> Place:
    """Where the values of a form are set."""
    key = f"slack:{workspace}"
    return Place("workspace", key) if scope == "workspace" else Place("channel", f"{key}:{channel}")


def waiting(title: Text, lang: Lang) -> Block:
    """A modal until there is something to show."""
    return modal(title, lang, [section(texts.ONE_MOMENT.say(lang))], close=texts.CLOSE)


def note(title: Text, text: str, lang: Lang) -> Block:
    """A modal with one sentence."""
    return modal(title, lang, [section(quoted(text, limits.SECTION_TEXT // 5))], close=texts.CLOSE)


# --- The form


def profile(form: Form) -> Block:
    """The modal in which a profile is changed."""
    lang = form.lang
    instructions, joints = _spread(str(form.values.get("agent_instructions") or ""))
    blocks = [*_place(form), DIVIDER]
    for name in FIELDS:
        if name == "agent_instructions":
            blocks += _instructions(form, instructions)
        else:
            blocks.append(_input(form, name, texts.FIELDS[name], _element(form, name)))
    if form.version:
        blocks.append(actions(button(SHOW_VERSIONS, texts.VERSIONS, lang, form.scope)))
    return modal(
        texts.PROFILE,
        lang,
        blocks,
        close=texts.CANCEL,
        submit=texts.SAVE,
        callback_id=PROFILE,
        private_metadata=Meta(form.scope, form.channel, form.version, joints).dump(),
    )


def _place(form: Form) -> Iterator[Block]:
    lang = form.lang
    if form.channel:
        choices = {"channel": texts.CHANNEL, "workspace": SLACK.named(texts.WORKSPACE)}
        options = {scope: option(label.say(lang), scope) for scope, label in choices.items()}
        select = {
            "type": "static_select",
            "action_id": SWITCH,
            "options": list(options.values()),
            "initial_option": options[form.scope],
        }
        yield section(f"*{texts.HOLDS_IN.say(lang)}*", select)
    here = SLACK.named(texts.IN_WORKSPACE) if form.scope == "workspace" else texts.IN_CHANNEL
    yield context(here.say(lang, channel=f"<#{form.channel}>") if form.scope == "channel" else here.say(lang))


def _input(form: Form, name: str, label: Text, element: Block, number: int = 0) -> Block:
    return {
        "type": "input",
        "block_id": block_id(form.scope, name, number),
        "optional": True,
        "label": plain(label.say(form.lang), limits.OPTION_TEXT),
        "hint": plain(_ABOUT[name].say(form.lang), limits.FIELD_TEXT),
        "element": element,
    }


def block_id(scope: str, name: str, number: int = 0) -> str:
    """Of a field; `number` counts the parts of a long one."""
    return f"kagent.{scope}.{name}.{number}"


def _element(form: Form, name: str) -> Block:
    value = form.values.get(name)
    if name in _CHOICES:
        return _select(form, name, {choice: value_name(name, choice, form) for choice in _CHOICES[name]}, value)
    if name == "tool_names" and _choosable([*form.tools, *_listed(value), "auto", "notool"]):
        return _tools(form, value)
    if name == "model" and form.models and _choosable([*form.models, str(value or ""), ""]):
        known = dict.fromkeys([*form.models, *([str(value)] if value else [])])
        return _select(form, name, {model: model for model in known}, value)
    if name == "max_iter_num":
        element: Block = {"type": "number_input", "is_decimal_allowed": False, "min_value": "0"}
        element |= {"max_value": str(MOST_RUNS)}
    else:
        most = min(_LENGTHS.get(name, limits.PLAIN_TEXT_INPUT), limits.PLAIN_TEXT_INPUT)
        element = {"type": "plain_text_input", "multiline": name == "agent_bio", "max_length": most}
        value = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
    element |= {"action_id": VALUE, "placeholder": plain(_inherited(form, name), _PLACEHOLDER)}
    return element if value in (None, "") else {**element, "initial_value": str(value)}


def _choosable(values: Sequence[str]) -> bool:
    """Whether these can be the values of choices."""
    return len(values) <= limits.SELECT_OPTIONS and all(len(value) <= _OPTION_VALUE for value in values)


def _listed(value: Json) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else []


def _select(form: Form, name: str, choices: Mapping[str, str], value: Json) -> Block:
    """One of a few; the first choice is to set nothing, because a choice can't be taken back."""
    none = option(texts.INHERIT.say(form.lang, value=_inherited(form, name)), _INHERIT)
    options = {"": none, **{choice: option(label, choice) for choice, label in choices.items() if choice}}
    chosen = options.get(str(value or ""), none)
    return {
        "type": "static_select",
        "action_id": VALUE,
        "options": list(options.values()),
        "initial_option": chosen,
        "placeholder": plain(_inherited(form, name), _PLACEHOLDER),
    }


def _tools(form: Form, value: Json) -> Block:
    """Several; none chosen is nothing set."""
    names = dict.fromkeys(["auto", "notool", *form.tools])
    set_here = _listed(value)
    # A tool that is gone stays visible, so that saving doesn't lose it silently: it is said to be unknown then.
    shown = dict.fromkeys([*names, *set_here])
    options = {name: option(value_name("tool_names", name, form), name) for name in shown}
    element: Block = {
        "type": "multi_static_select",
        "action_id": VALUE,
        "options": list(options.values()),
        "placeholder": plain(_inherited(form, "tool_names"), _PLACEHOLDER),
    }
    chosen = [options[name] for name in set_here]
    return {**element, "initial_options": chosen} if chosen else element


def _instructions(form: Form, parts: Sequence[str]) -> Iterator[Block]:
    for number, part in enumerate(parts):
        element: Block = {
            "type": "plain_text_input",
            "action_id": VALUE,
            "multiline": True,
            "max_length": limits.PLAIN_TEXT_INPUT,
        }
        if number == 0:
            element |= {"placeholder": plain(_inherited(form, "agent_instructions"), _PLACEHOLDER)}
        if part:
            element |= {"initial_value": part}
        label = texts.MORE_INSTRUCTIONS if number else texts.FIELDS["agent_instructions"]
        yield _input(form, "agent_instructions", label, element, number)


def _spread(text: str) -> tuple[list[str], tuple[str, ...]]:
    """A long text over inputs, and what stood between them. There is always one with room, as far as there may be."""
    parts: list[str] = []
    joints: list[str] = []
    while len(text) > limits.PLAIN_TEXT_INPUT:
        # At a line's end where there is one: that is what somebody would look for.
        line = text.rfind("\n", limits.PLAIN_TEXT_INPUT // 2, limits.PLAIN_TEXT_INPUT)
        end = line if line >= 0 else limits.PLAIN_TEXT_INPUT
        parts.append(text[:end])
        joints.append("\n" if line >= 0 else "")
        text = text[end + (1 if line >= 0 else 0) :]
    parts.append(text)
    if len(text) > limits.PLAIN_TEXT_INPUT // 2 and len(parts) < _MOST_INPUTS:
        parts.append("")
        joints.append("\n")
    return parts, tuple(joints)


def submitted(view: Mapping[str, Any]) -> tuple[Meta, dict[str, Json]]:
    """What a submitted modal says: its memory, and the values that are set. Raises `ValueError` for a foreign view."""
    meta = meta_of(view)
    state = view.get("state", {}).get("values", {})
    values: dict[str, Json] = {}
    for name in FIELDS:
        if name == "agent_instructions":
            continue
        found = _value(name, state.get(block_id(meta.scope, name), {}).get(VALUE, {}))
        if found not in (None, "", []):
            values[name] = found
    long = _joined(state, meta)
    if long:
        values["agent_instructions"] = long
    # In the profile's order, so that problems are told in it.
    return meta, {name: values[name] for name in FIELDS if name in values}


def _joined(state: Mapping[str, Any], meta: Meta) -> str:
    parts = []
    for number in range(len(meta.joints) + 1):
        found = state.get(block_id(meta.scope, "agent_instructions", number), {}).get(VALUE, {})
        parts.append(str(found.get("value") or ""))
    text = parts[0]
    for joint, part in zip(meta.joints, parts[1:], strict=True):
        text += joint + part if part else ""
    return text.strip()


def _value(name: str, state: Mapping[str, Any]) -> Json:
    if "selected_options" in state:
        return [str(one["value"]) for one in state["selected_options"] or ()]
    if "selected_option" in state:
        chosen = (state["selected_option"] or {}).get("value")
        return None if chosen == _INHERIT else chosen
    raw = state.get("value")
    if raw is None or not str(raw).strip():
        return None
    if name == "tool_names":
        return [part.strip() for part in str(raw).replace("，", ",").split(",") if part.strip()]
    if name == "max_iter_num":
        number = str(raw).strip()
        # What is no number is left for the check of the profile, which says what is right.
        return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else number
    return str(raw)


# --- Values


def value_name(name: str, value: Json, form: Form | Mapping[str, Text], lang: Lang = "en") -> str:
    """What people read of one stored value. `form`, or the tools' titles and a language."""
    tools, said = (form.tools, form.lang) if isinstance(form, Form) else (form, lang)
    if isinstance(value, list | tuple):
        return ", ".join(value_name(name, one, tools, said) for one in value)
    if value in (None, ""):
        return texts.EMPTY_VALUES[name].say(said) if name in texts.EMPTY_VALUES else "–"
    known = texts.VALUES.get(name, {})
    if value in known:
        return known[value].say(said)
    if name == "tool_names" and value in tools:
        return f"{tools[str(value)].say(said)} ({value})"
    return str(value)


def origin_name(origin: Origin, lang: Lang) -> str:
    """Where a value comes from, in words."""
    return SLACK.named(texts.ORIGINS[origin.place.scope]).say(lang, version=origin.version)


def _inherited(form: Form, name: str) -> str:
    value = " ".join(value_name(name, to_values(form.inherited)[name], form).split())
    origin = origin_name(form.origins[name], form.lang)
    return texts.INHERITED.say(form.lang, value=cut(value, _SHOWN_VALUE), origin=origin)


# --- Versions


def versions(found: Sequence[Version], meta: Meta, lang: Lang, *, said: str = "", may_restore: bool = True) -> Block:
    """The versions of a place, the newest first; `said` stands above."""
    blocks: list[Block] = [section(quoted(said, limits.SECTION_TEXT // 5)), DIVIDER] if said else []
    if not found:
        blocks.append(section(texts.NO_VERSIONS.say(lang)))
    for index, version in enumerate(found[:MOST_VERSIONS]):
        bring_back = button(
            RESTORE,
            texts.BRING_BACK,
            lang,
            str(version.number),
            confirm={
                "title": plain(texts.SURE.say(lang), 100),
                "text": plain(texts.SURE_TEXT.say(lang), 300),
                "confirm": plain(texts.YES.say(lang), 30),
                "deny": plain(texts.CANCEL.say(lang), 30),
            },
        )
        accessory = bring_back if index and may_restore else None
        blocks.append(section(version_line(version, lang, newest=index == 0), accessory))
    return modal(texts.VERSIONS, lang, blocks, close=texts.CLOSE, callback_id=VERSIONS, private_metadata=meta.dump())


def version_line(version: Version, lang: Lang, *, newest: bool) -> str:
    """One version in Slack's markup."""
    title = f"*{texts.VERSION.say(lang, version=version.number)}*"
    if newest:
        title += f" _{texts.NEWEST.say(lang)}_"
    who = quoted(version.author.name or version.author.id, _SHOWN_VALUE)
    lines = [title, texts.BY.say(lang, who=who, when=at_local(version.at))]
    if version.restores is not None:
        lines.append(texts.RESTORED.say(lang, version=version.restores))
    fields = ", ".join(texts.FIELDS[name].say(lang) for name in version.changed if name in texts.FIELDS)
    lines.append(texts.CHANGED.say(lang, fields=fields) if fields else texts.CHANGED_NOTHING.say(lang))
    return "\n".join(lines)


def at_local(at: datetime) -> str:
    """A time that Slack shows in each reader's own zone."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{at:%Y-%m-%d %H:%M} UTC>"
