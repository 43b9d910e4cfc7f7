"""Components of messages and forms: what may be in them (facts "Limits")."""

from __future__ import annotations

from typing import Any

from tests.fakes.discord import errors
from tests.fakes.discord.world import DiscordError

Json = dict[str, Any]

ROW, BUTTON, STRING_SELECT, TEXT_INPUT, USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT = range(1, 9)
SECTION, TEXT_DISPLAY, THUMBNAIL, GALLERY, FILE, SEPARATOR = range(9, 15)
CONTAINER, LABEL, FILE_UPLOAD = 17, 18, 19
RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX = 21, 22, 23

SELECTS = frozenset({STRING_SELECT, USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT})
#: What a Label of a form may hold (facts "2.6+: Select in modals; 2.7").
_LABELLED = SELECTS | {TEXT_INPUT, FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX}
#: What stands at the top of a Components-V2 message.
_TOP = frozenset({ROW, SECTION, TEXT_DISPLAY, GALLERY, FILE, SEPARATOR, CONTAINER})

_ROWS, _BUTTONS, _CHOICES, _CUSTOM_ID = 5, 5, 25, 100
#: Of a Components-V2 message.
_ALL, _DISPLAYED = 40, 4000
_LINK, _PREMIUM = 5, 6


def check_message(rows: Any, *, v2: bool) -> list[Json]:
    """The components of a message, with an `id` each where none was given."""
    if not isinstance(rows, list):
        raise errors.invalid_form("components", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    names: set[str] = set()
    if v2:
        _check_layout(rows)
    elif len(rows) > _ROWS:
        raise errors.bad_length("components", 1, _ROWS)
    for number, row in enumerate(rows):
        path = f"components.{number}"
        kind = row.get("type")
        if kind == ROW:
            _check_row(row, path, names)
        elif not v2 or kind not in _TOP:
            raise errors.bad_choice(f"{path}.type", "1")
    return numbered(rows)


def check_modal(data: Any) -> Json:
    """What callback type 9 carries: title, custom_id, and one to five labelled fields."""
    if not isinstance(data, dict):
        raise errors.required("data")
    _length(data, "title", "data.title", 45, least=1)
    _length(data, "custom_id", "data.custom_id", _CUSTOM_ID, least=1)
    fields = data.get("components")
    if not isinstance(fields, list) or not 1 <= len(fields) <= 5:
        raise errors.bad_length("data.components", 1, 5)
    names: set[str] = set()
    for number, field in enumerate(fields):
        _check_field(field, f"data.components.{number}", names)
    return data | {"components": numbered(fields)}


def named(rows: list[Json], custom_id: str) -> Json | None:
    """The component that has this custom_id."""
    for row in rows:
        if row.get("custom_id") == custom_id:
            return row
        below = [*row.get("components", []), *(row[name] for name in ("component", "accessory") if row.get(name))]
        found = named(below, custom_id) if below else None
        if found is not None:
            return found
    return None


def interactive(rows: list[Json]) -> bool:
    """Whether anything in it can be pressed so that the app hears of it."""
    return any("custom_id" in one for row in rows for one in [row, *row.get("components", [])])


def numbered(rows: list[Json], _next: list[int] | None = None) -> list[Json]:
    """Components with the `id` that Discord gives to those that have none."""
    counter = _next if _next is not None else [0]
    shown = []
    for row in rows:
        counter[0] += 1
        one = {"id": counter[0], **row}
        if "components" in row:
            one["components"] = numbered(row["components"], counter)
        shown.append(one)
    return shown


def _check_row(row: Json, path: str, names: set[str]) -> None:
    items = row.get("components")
    if not isinstance(items, list) or not items:
        raise errors.bad_length(f"{path}.components", 1, _BUTTONS)
    if len(items) > _BUTTONS:
        raise errors.bad_length(f"{path}.components", 1, _BUTTONS)
    kinds = {item.get("type") for item in items}
    if kinds != {BUTTON} and (len(items) > 1 or not kinds <= SELECTS):
        code, words = "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The specified component exceeds the maximum width"
        raise errors.invalid_form(f"{path}.components", code, words)
    for number, item in enumerate(items):
        check = _check_button if item["type"] == BUTTON else _check_select
        check(item, f"{path}.components.{number}", names)


def _check_button(item: Json, path: str, names: set[str]) -> None:
    style = item.get("style")
    if style not in range(1, _PREMIUM + 1):
        raise errors.bad_choice(f"{path}.style", "1, 2, 3, 4, 5, 6")
    _length(item, "label", f"{path}.label", 80)
    if style == _LINK:
        if not item.get("url"):
            raise errors.required(f"{path}.url")
        return
    if not item.get("label") and not item.get("emoji"):
        code, words = "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED", "A label or an emoji is required"
        raise errors.invalid_form(path, code, words)
    _custom_id(item, path, names)


def _check_select(item: Json, path: str, names: set[str]) -> None:
    _custom_id(item, path, names)
    _length(item, "placeholder", f"{path}.placeholder", 150)
    if item["type"] != STRING_SELECT:
        return
    options = item.get("options")
    if not isinstance(options, list) or not 1 <= len(options) <= _CHOICES:
        raise errors.bad_length(f"{path}.options", 1, _CHOICES)
    _check_options(options, f"{path}.options")


def _check_options(options: list[Json], path: str) -> None:
    values = set()
    for number, option in enumerate(options):
        for name, least in (("label", 1), ("value", 1), ("description", 0)):
            _length(option, name, f"{path}.{number}.{name}", 100, least=least)
        if option["value"] in values:
            code, words = "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "The specified option value is already used"
            raise errors.invalid_form(f"{path}.{number}.value", code, words)
        values.add(option["value"])


def _check_field(field: Json, path: str, names: set[str]) -> None:
    """One top-level component of a form: a Label with its field, text, or, as it once was, a row with a text input."""
    kind = field.get("type")
    if kind == TEXT_DISPLAY:
        _length(field, "content", f"{path}.content", _DISPLAYED, least=1)
        return
    if kind == ROW:
        items = field.get("components") or []
        if len(items) != 1 or items[0].get("type") != TEXT_INPUT:
            raise errors.bad_choice(f"{path}.components.0.type", "4")
        _length(items[0], "label", f"{path}.components.0.label", 45, least=1)
        _check_input(items[0], f"{path}.components.0", names)
        return
    if kind != LABEL:
        raise errors.bad_choice(f"{path}.type", "1, 10, 18")
    _length(field, "label", f"{path}.label", 45, least=1)
    _length(field, "description", f"{path}.description", 100)
    item = field.get("component")
    if not isinstance(item, dict) or item.get("type") not in _LABELLED:
        raise errors.bad_choice(f"{path}.component.type", ", ".join(str(one) for one in sorted(_LABELLED)))
    _check_input(item, f"{path}.component", names)


def _check_input(item: Json, path: str, names: set[str]) -> None:
    kind = item["type"]
    if kind in SELECTS:
        _check_select(item, path, names)
        return
    _custom_id(item, path, names)
    if kind == TEXT_INPUT:
        _length(item, "placeholder", f"{path}.placeholder", 100)
        most = item.get("max_length")
        _length(item, "value", f"{path}.value", most if most is not None else 4000)
        for name, least in (("min_length", 0), ("max_length", 1)):
            if item.get(name) is not None and not least <= item[name] <= 4000:
                raise errors.invalid_form(f"{path}.{name}", "NUMBER_TYPE_MAX", "int value should be 4000 or less.")
    if kind in (RADIO_GROUP, CHECKBOX_GROUP):
        options = item.get("options")
        most = 10
        if not isinstance(options, list) or not 1 <= len(options) <= most:
            raise errors.bad_length(f"{path}.options", 1, most)
        _check_options(options, f"{path}.options")


def _check_layout(rows: list[Json]) -> None:
    """Components V2: so many in all, and so many characters (facts 0.8)."""
    everything = list(_walk(rows))
    if len(everything) > _ALL:
        raise _too_many()
    shown = sum(len(str(one.get("content", ""))) for one in everything if one.get("type") == TEXT_DISPLAY)
    if shown > _DISPLAYED:
        code, words = "COMPONENT_MAX_TOTAL_TEXT_SIZE", f"The total text size must be {_DISPLAYED} or fewer."
        raise errors.invalid_form("components", code, words)


def _too_many() -> DiscordError:
    code, words = "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", f"Must be {_ALL} or fewer components in total."
    return errors.invalid_form("components", code, words)


def _walk(rows: list[Json]) -> list[Json]:
    found = []
    for row in rows:
        found.append(row)
        found += _walk(row.get("components", []))
        if isinstance(row.get("accessory"), dict):
            found.append(row["accessory"])
    return found


def _custom_id(item: Json, path: str, names: set[str]) -> None:
    _length(item, "custom_id", f"{path}.custom_id", _CUSTOM_ID, least=1)
    if item["custom_id"] in names:
        code, words = "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated"
        raise errors.invalid_form(f"{path}.custom_id", code, words)
    names.add(item["custom_id"])


def _length(item: Json, name: str, path: str, most: int, *, least: int = 0) -> None:
    value = item.get(name)
    if value is None:
        if least:
            raise errors.required(path)
        return
    if not isinstance(value, str):
        raise errors.invalid_form(path, "STRING_TYPE_CONVERT", "Could not interpret value as string.")
    if not least <= len(value) <= most:
        raise errors.bad_length(path, least, most) if least else errors.too_long(path, most)
