"""The profile as Discord's modals, and the messages around them. Pure: what to show in, raw JSON out.

A modal has five fields, so the profile has several, chosen by buttons. What a submitted one was about is in its
`custom_id`: nothing is remembered here, so that a restart loses none. Where it holds is not in there but where it was
submitted, because a `custom_id` comes back through other people's hands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, get_args

from adapters.chat import texts as chat
from adapters.chat.profile_form import LONG, Field, Form, Given, Scope, Sizes, fields, joints, version_view
from adapters.discord import limits, texts
from adapters.discord.render.quiet import clean, escaped
from adapters.discord.replying.look import Look, Row, button, row
from adapters.discord.texts import DISCORD
from agent.language import Lang, Text
from bot.profiles import Version
from bot.rendering.split import utf16

#: A submitted modal.
SUBMIT: Final = "kagent.profile"
#: Actions of buttons and menus. Their values: a scope; a scope and a page; a scope; a scope; a scope and a number.
PLACE: Final = "kagent.profile.place"
OPEN: Final = "kagent.profile.form"
VERSIONS: Final = "kagent.profile.versions"
PICK: Final = "kagent.profile.pick"
RESTORE: Final = "kagent.profile.restore"

SIZES: Final = Sizes(limits.TEXT_INPUT, limits.SELECT_OPTIONS, limits.OPTION_TEXT, inputs=limits.MODAL_FIELDS)
#: Which values are on which modal; at most five, of which a long text may need all.
PAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "who": ("agent_name", "icon", "agent_bio", "lang"),
    "instructions": (LONG,),
    "how": ("style", "model", "tool_names", "max_iter_num", "network"),
    "talk": ("follow", "answer_in", "overlap"),
}
_TITLES: Final[Mapping[str, Text]] = {
    "who": texts.WHO,
    "instructions": texts.INSTRUCTIONS,
    "how": texts.HOW,
    "talk": texts.TALK,
}
#: What may stand between two inputs of a long text, by the letter that says so in a `custom_id`.
_JOINTS: Final[Mapping[str, str]] = {"n": "\n", "x": ""}

_TEXT_INPUT, _SELECT, _LABEL = 4, 3, 18
_ONE_LINE, _PARAGRAPH = 1, 2
#: Characters of a number that is typed.
_NUMBER: Final = 10
#: Characters of a text input's placeholder (docs, text input).
_PLACEHOLDER: Final = 100
#: Between what was done in one version.
BETWEEN: Final = " · "
#: Characters of an author's name and of what was changed, in a list of versions.
_NAME: Final = 40
_CHANGES: Final = 120


class Meta(NamedTuple):
    """What a modal is about."""

    scope: Scope
    page: str
    #: Number of the version that was shown.
    version: int
    #: What stands between the inputs of the long text.
    joints: tuple[str, ...] = ()

    @property
    def custom_id(self) -> str:
        """Well below 100 characters."""
        letters = "".join(letter for joint in self.joints for letter, one in _JOINTS.items() if one == joint)
        return ":".join((SUBMIT, self.scope, self.page, str(self.version), letters))


def meta_of(custom_id: str) -> Meta | None:
    """What a submitted modal is about; None for one that isn't ours."""
    action, *rest = custom_id.split(":")
    if action != SUBMIT or len(rest) != 4:
        return None
    scope, page, version, letters = scope_of(rest[0]), *rest[1:]
    numbered = version.isascii() and version.isdigit() and len(version) <= _NUMBER
    if scope is None or page not in PAGES or not numbered or not set(letters) <= _JOINTS.keys():
        return None
    return Meta(scope, page, int(version), tuple(_JOINTS[letter] for letter in letters[: limits.MODAL_FIELDS - 1]))


def scope_of(word: str) -> Scope | None:
    """The scope that a value names."""
    return next((scope for scope in get_args(Scope) if scope == word), None)


# --- Around the modals


def panel(scope: Scope, scopes: Sequence[Scope], lang: Lang) -> Look:
    """What may be changed where."""
    here = {"workspace": chat.IN_WORKSPACE, "channel": chat.IN_CHANNEL, "thread": chat.IN_THREAD}[scope]
    said = DISCORD.named(here).say(lang, channel=chat.CHANNEL.say(lang))
    return Look(f"**{chat.PROFILE.say(lang)}**\n{said}", panel_rows(scope, scopes, lang))


def panel_rows(scope: Scope, scopes: Sequence[Scope], lang: Lang) -> tuple[Row, ...]:
    """The buttons of that."""
    labels = {"workspace": chat.WORKSPACE, "channel": chat.CHANNEL, "thread": chat.THREAD}
    places = [
        button(PLACE, one, _upper(DISCORD.named(labels[one])), lang) | {"disabled": one == scope} for one in scopes
    ]
    forms = [button(OPEN, f"{scope}:{page}", title, lang, style="primary") for page, title in _TITLES.items()]
    above = (row(*places),) if len(places) > 1 else ()
    return (*above, row(*forms, button(VERSIONS, scope, chat.VERSIONS, lang)))


def again(meta: Meta, problems: Sequence[str], lang: Lang) -> Look:
    """What is wrong with a submitted modal, and the way back to it."""
    said = "\n".join(f"- {escaped(clean(one))}" for one in problems)
    open_ = button(OPEN, f"{meta.scope}:{meta.page}", texts.OPEN_AGAIN, lang, style="primary")
    return Look(_cut(f"{texts.NOTHING_SAVED.say(lang)}\n{said}", limits.CONTENT), (row(open_),))


def versions(found: Sequence[Version], scope: Scope, lang: Lang, *, said: str = "") -> Look:
    """The versions of a place, the newest first; `said` stands above."""
    lines = [escaped(clean(said))] if said else []
    room = limits.CONTENT - sum(utf16(line) + 1 for line in lines)
    shown: list[Version] = []
    for version in found:
        line = _version(version, lang, newest=not shown)
        room -= utf16(line) + 1
        if room < 0:
            break
        lines.append(line)
        shown.append(version)
    if not shown:
        lines.append(chat.NO_VERSIONS.say(lang))
    options = [{"label": chat.VERSION.say(lang, version=one.number), "value": str(one.number)} for one in shown[1:]]
    menu = {
        "type": _SELECT,
        "custom_id": f"{PICK}:{scope}",
        "placeholder": texts.VERSIONS_MENU.say(lang),
        "options": options[: limits.SELECT_OPTIONS],
    }
    choose = (row(menu),) if options else ()
    return Look("\n".join(lines), (*choose, row(button(PLACE, scope, texts.BACK, lang))))


def confirm(scope: Scope, number: int, lang: Lang) -> Look:
    """Whether somebody is sure."""
    said = f"**{chat.VERSION.say(lang, version=number)}**\n{chat.SURE.say(lang)}\n{chat.SURE_TEXT.say(lang)}"
    yes = button(RESTORE, f"{scope}:{number}", chat.YES, lang, style="primary")
    return Look(said, (row(yes, button(VERSIONS, scope, chat.CANCEL, lang)),))


def _version(version: Version, lang: Lang, *, newest: bool) -> str:
    one = version_view(version, lang, newest=newest)
    mark = f" *{chat.NEWEST.say(lang)}*" if newest else ""
    who = escaped(clean(_cut(" ".join(one.who.split()), _NAME)))
    when = chat.BY.say(lang, who=who, when=f"<t:{int(one.at.timestamp())}:f>")
    return f"**{one.title}**{mark} · {when}\n-# {escaped(_cut(BETWEEN.join(one.remarks), _CHANGES))}"


# --- A modal


def modal(form: Form, page: str) -> dict[str, Any]:
    """One page of the profile, filled in with what is set."""
    between = joints(form, SIZES) if LONG in PAGES[page] else ()
    shown = fields(form, SIZES, PAGES[page])
    return {
        "custom_id": Meta(form.scope, page, form.version, between).custom_id,
        "title": _TITLES[page].say(form.lang)[: limits.MODAL_TITLE],
        "components": [_labelled(field) for field in shown[: limits.MODAL_FIELDS]],
    }


def _labelled(field: Field) -> dict[str, Any]:
    return {
        "type": _LABEL,
        "label": _cut(field.label, limits.MODAL_LABEL),
        "description": _cut(_bare(field.hint), limits.MODAL_LABEL_DESCRIPTION),
        "component": _select(field) if field.choices else _input(field),
    }


def _input(field: Field) -> dict[str, Any]:
    most = _NUMBER if field.kind == "number" else field.most
    made: dict[str, Any] = {
        "type": _TEXT_INPUT,
        "custom_id": _field_id(field),
        "style": _PARAGRAPH if field.kind == "text" else _ONE_LINE,
        "required": False,
        "max_length": most,
    }
    if field.inherited:
        made["placeholder"] = _cut(field.inherited, _PLACEHOLDER)
    return made | ({"value": field.value[:most]} if field.value else {})


def _select(field: Field) -> dict[str, Any]:
    several = field.kind == "several"
    options = [
        {"label": _cut(one.label, limits.OPTION_TEXT), "value": one.value, "default": one.value in field.chosen}
        for one in field.choices
    ]
    made: dict[str, Any] = {"type": _SELECT, "custom_id": _field_id(field), "options": options}
    made["required"] = not several
    if several:
        made |= {"min_values": 0, "max_values": len(options)}
        if field.inherited:
            made["placeholder"] = _cut(field.inherited, limits.SELECT_PLACEHOLDER)
    return made


def _field_id(field: Field) -> str:
    return f"{field.name}.{field.number}"


def submitted(components: Sequence[Mapping[str, Any]]) -> dict[tuple[str, int], Given]:
    """What was typed and chosen, as `profile_form.read` takes it."""
    given: dict[tuple[str, int], Given] = {}
    for one in _inputs(components):
        name, _, number = str(one.get("custom_id") or "").rpartition(".")
        if not number.isdigit():
            continue
        if "values" in one:
            chosen = [str(value) for value in one["values"] or ()]
            # Of those of which one is chosen, the first is the only one.
            given[name, int(number)] = chosen if name == "tool_names" else next(iter(chosen), None)
        else:
            given[name, int(number)] = str(one.get("value") or "")
    return given


def _inputs(components: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for one in components:
        if "component" in one:
            yield from _inputs([one["component"]])
        elif "components" in one:
            yield from _inputs(one["components"])
        else:
            yield one


def _bare(hint: str) -> str:
    """There is no Markdown in a modal."""
    return hint.replace("`", "")


def _upper(text: Text) -> Text:
    return Text(text.en[:1].upper() + text.en[1:], text.zh)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
