"""The modals in which a profile is changed and its versions are looked at. Pure: what to show in, a view out.

Fields of different places have block ids of their own: Slack keeps what somebody typed under a block id when a view is
updated.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from adapters.chat import profile_form, texts
from adapters.chat.profile_form import MOST_VERSIONS, SHOWN_VALUE, Field, Form, Given, Scope, Sizes, version_view
from adapters.slack import limits
from adapters.slack.controls.block_kit import (
    DIVIDER,
    Block,
    actions,
    button,
    context,
    modal,
    option,
    plain,
    quoted,
    section,
)
from adapters.slack.texts import SLACK
from agent.journal import Json
from agent.language import Lang, Text
from agent.profile import FIELDS
from bot.profiles import Version

PROFILE: Final = "kagent.profile"
VERSIONS: Final = "kagent.versions"
#: Action ids in these modals.
SWITCH: Final = "kagent.profile.place"
SHOW_VERSIONS: Final = "kagent.profile.versions"
RESTORE: Final = "kagent.profile.restore"
#: Where a profile is changed in Slack.
SCOPES: Final[tuple[Scope, ...]] = ("workspace", "channel")
#: Action id of every field.
VALUE: Final = "value"

#: Characters of the placeholder of a field (docs.slack.dev, plain-text input).
_PLACEHOLDER: Final = 150
#: Characters of the value of a choice (docs.slack.dev, option object).
_OPTION_VALUE: Final = 150
#: Values that matter in Slack, which answers each question in its own thread.
NAMES: Final = tuple(name for name in FIELDS if name != "answer_in")
SIZES: Final = Sizes(limits.PLAIN_TEXT_INPUT, limits.SELECT_OPTIONS, _OPTION_VALUE, inputs=4)


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
    if not isinstance(found, list) or len(found) < 3 or found[0] not in SCOPES:
        raise ValueError("no metadata of a profile")
    return Meta(found[0], str(found[1]), int(found[2]), tuple(map(str, found[3:])))


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
    blocks = [*_place(form), DIVIDER, *(_input(form, field) for field in profile_form.fields(form, SIZES, NAMES))]
    if form.version:
        blocks.append(actions(button(SHOW_VERSIONS, texts.VERSIONS, lang, form.scope)))
    return modal(
        texts.PROFILE,
        lang,
        blocks,
        close=texts.CANCEL,
        submit=texts.SAVE,
        callback_id=PROFILE,
        private_metadata=Meta(form.scope, form.channel, form.version, profile_form.joints(form, SIZES)).dump(),
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


def _input(form: Form, field: Field) -> Block:
    return {
        "type": "input",
        "block_id": block_id(form.scope, field.name, field.number),
        "optional": True,
        "label": plain(field.label, limits.OPTION_TEXT),
        "hint": plain(field.hint, limits.FIELD_TEXT),
        "element": _element(field),
    }


def block_id(scope: str, name: str, number: int = 0) -> str:
    """Of a field; `number` counts the parts of a long one."""
    return f"kagent.{scope}.{name}.{number}"


def _element(field: Field) -> Block:
    element: Block = {"action_id": VALUE}
    if field.inherited:
        element["placeholder"] = plain(field.inherited, _PLACEHOLDER)
    if field.choices:
        options = {choice.value: option(choice.label, choice.value) for choice in field.choices}
        chosen = [options[value] for value in field.chosen]
        element["options"] = list(options.values())
        if field.kind == "one":
            return element | {"type": "static_select", "initial_option": chosen[0]}
        return element | {"type": "multi_static_select"} | ({"initial_options": chosen} if chosen else {})
    if field.kind == "number":
        element |= {"type": "number_input", "is_decimal_allowed": False}
        element |= {"min_value": "0", "max_value": str(field.most)}
    else:
        element |= {"type": "plain_text_input", "multiline": field.kind == "text", "max_length": field.most}
    return element | {"initial_value": field.value} if field.value else element


def submitted(view: Mapping[str, Any]) -> tuple[Meta, dict[str, Json]]:
    """What a submitted modal says: its memory, and the values that are set. Raises `ValueError` for a foreign view."""
    meta = meta_of(view)
    given: dict[tuple[str, int], Given] = {}
    for block, state in view.get("state", {}).get("values", {}).items():
        lead, _, rest = str(block).partition(f"kagent.{meta.scope}.")
        name, _, number = rest.rpartition(".")
        if not lead and number.isdigit():
            given[name, int(number)] = _given(state.get(VALUE, {}))
    return meta, profile_form.read(given, meta.joints)


def _given(state: Mapping[str, Any]) -> Given:
    if "selected_options" in state:
        return [str(one["value"]) for one in state["selected_options"] or ()]
    if "selected_option" in state:
        chosen = (state["selected_option"] or {}).get("value")
        return None if chosen is None else str(chosen)
    raw = state.get("value")
    return None if raw is None else str(raw)


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
    view = version_view(version, lang, newest=newest)
    title = f"*{view.title}*"
    if view.is_newest:
        title += f" _{texts.NEWEST.say(lang)}_"
    by = texts.BY.say(lang, who=quoted(view.who, SHOWN_VALUE), when=at_local(view.at))
    return "\n".join([title, by, *view.remarks])


def at_local(at: datetime) -> str:
    """A time that Slack shows in each reader's own zone."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{at:%Y-%m-%d %H:%M} UTC>"
