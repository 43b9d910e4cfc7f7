"""Components of messages and modals: finding what can be pressed, and filling in a form as a person does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tests.fakes.discord.typed import refuse

Json = dict[str, Any]

ROW, BUTTON, SELECT, TEXT_INPUT, USERS, ROLES, MENTIONABLES, CHANNELS = range(1, 9)
SECTION, TEXT, LABEL, UPLOAD, RADIO, CHECKBOXES, CHECKBOX = 9, 10, 18, 19, 21, 22, 23
#: Of a button: a link, which tells no app that it was pressed; one of a purchase.
_LINK, _PREMIUM = 5, 6

SELECTS = frozenset({SELECT, USERS, ROLES, MENTIONABLES, CHANNELS})
#: What holds something that a person fills in.
_INPUTS = SELECTS | {TEXT_INPUT, UPLOAD, RADIO, CHECKBOXES, CHECKBOX}


def inside(components: Iterable[Json]) -> Iterator[Json]:
    """All components, however deep."""
    for one in components:
        yield one
        yield from inside(one.get("components") or ())
        for name in ("component", "accessory"):
            if one.get(name):
                yield from inside([one[name]])


def pressable(components: Iterable[Json]) -> list[Json]:
    """Buttons and menus in the order in which they are seen, those that are greyed out not among them."""
    return [
        one
        for one in inside(components)
        if one["type"] in SELECTS | {BUTTON} and one.get("custom_id") and not one.get("disabled")
    ]


def find(components: Iterable[Json], custom_id: str) -> Json:
    """The button or menu with this custom_id, or the only one whose custom_id begins with it and a colon."""
    there = pressable(components)
    exact = [one for one in there if one["custom_id"] == custom_id]
    like = exact or [one for one in there if one["custom_id"].startswith(f"{custom_id}:")]
    if len(like) != 1:
        raise refuse(f"{len(like)} things to press are called {custom_id}")
    return like[0]


def labels(components: Iterable[Json]) -> list[str]:
    """What is written on everything that can be pressed or chosen."""
    found = []
    for one in inside(components):
        if one["type"] == BUTTON:
            emoji = (one.get("emoji") or {}).get("name") or ""
            found.append(one.get("label") or emoji or one.get("url") or one.get("custom_id", ""))
        elif one["type"] in SELECTS:
            found.append(one.get("placeholder") or "/".join(option["label"] for option in one.get("options") or ()))
    return found


def pressed(component: Json, values: Sequence[str] | None) -> Json:
    """The `data` of a press, or of a choice. Raises `DiscordError` for what isn't offered."""
    data: Json = {
        "custom_id": component["custom_id"],
        "component_type": component["type"],
        "id": component.get("id", 0),
    }
    if component["type"] == BUTTON:
        if component.get("style") in (_LINK, _PREMIUM):
            raise refuse("pressing this tells no app")
        return data
    return data | {"values": _chosen(component, list(values or ()))}


def _chosen(component: Json, values: list[str]) -> list[str]:
    offered = [option["value"] for option in component.get("options") or ()]
    if component["type"] in (SELECT, RADIO, CHECKBOXES) and not set(values) <= set(offered):
        raise refuse(f"not offered: {', '.join(set(values) - set(offered))}")
    fewest = component.get("min_values", 1) if component.get("required", True) else 0
    if not fewest <= len(values) <= max(1, component.get("max_values", 1)):
        raise refuse(f"{len(values)} is not a number of choices of {component['custom_id']}")
    return values


def inputs(modal: Json) -> list[Json]:
    """What is to be filled in."""
    return [one for one in inside(modal.get("components") or ()) if one["type"] in _INPUTS]


def filled(modal: Json, values: Mapping[str, Any]) -> list[Json]:
    """The components of a submitted form, `values` by custom_id; what isn't named stays as it was shown. Raises
    `DiscordError` for what the client doesn't let through."""
    unknown = values.keys() - {one["custom_id"] for one in inputs(modal)}
    if unknown:
        raise refuse(f"no field {', '.join(sorted(unknown))}")
    return [_submitted(one, values) for one in modal.get("components") or ()]


def _submitted(component: Json, values: Mapping[str, Any]) -> Json:
    kind = component["type"]
    shown: Json = {"type": kind, "id": component.get("id", 0)}
    if kind == LABEL:
        return shown | {"component": _submitted(component["component"], values)}
    if kind == ROW:
        return shown | {"components": [_submitted(one, values) for one in component["components"]]}
    if kind not in _INPUTS:
        return shown
    shown["custom_id"] = component["custom_id"]
    value = values.get(component["custom_id"], before(component))
    if kind == TEXT_INPUT:
        return shown | {"value": _text(component, str(value or ""))}
    if kind == CHECKBOX:
        return shown | {"value": bool(value)}
    if kind == RADIO:
        chosen = [] if value is None else [str(value)]
        _chosen(component, chosen)
        return shown | {"value": value}
    several = [value] if isinstance(value, str) else list(value or ())
    return shown | {"values": _chosen(component, several)}


def before(component: Json) -> Any:
    """What a field holds before anybody touches it."""
    kind = component["type"]
    if kind == TEXT_INPUT:
        return component.get("value") or ""
    if kind == CHECKBOX:
        return bool(component.get("default"))
    if kind in (SELECT, RADIO, CHECKBOXES):
        chosen = [option["value"] for option in component.get("options") or () if option.get("default")]
        return (chosen[0] if chosen else None) if kind == RADIO else chosen
    return [one["id"] for one in component.get("default_values") or ()]


def _text(component: Json, text: str) -> str:
    name = component["custom_id"]
    if not text and not component.get("required", True):
        return text
    if not text:
        raise refuse(f"{name} is required")
    if not component.get("min_length", 0) <= len(text) <= component.get("max_length", 4000):
        raise refuse(f"{name} is too short or too long")
    return text
