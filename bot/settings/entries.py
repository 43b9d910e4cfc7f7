"""What is said about mistakes in a list of tables, such as `[[models.endpoints]]`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from agent.language import Text
from bot.settings.sources import UNKNOWN_IN_GROUP, UNKNOWN_LIKE, Found, Leaf, describe, fill, wrong

_MISSING = Text("`{name}` ({where}) is missing: it must be {right}.", "缺少 `{name}`（{where}）：应为{right}。")
_SAME_NAME = Text(
    "`{name}` ({where}) has two entries called “{twice}”: give each one a name of its own.",
    "`{name}`（{where}）中有两项都叫“{twice}”：请使用不同的名称。",
)
#: A name that may be shown: no secret that was put in the wrong line.
_NAME = re.compile(r"[\w.-]{1,40}")


def wrong_entry(leaf: Leaf, found: Found, place: Sequence[int | str]) -> Text:
    """The sentence for one mistake. `place` is where it is: the entry's index and the name in it, as far as it goes.

    Shows no value that may be secret.
    """
    entry = _entry(found.value, place)
    if entry is None or leaf.table is None:
        return _same_name(leaf, found) or wrong(leaf, found)
    name = f"{leaf.name}[{_shown(entry, place)}].{place[1]}"
    columns = {column.name: column for column in describe(leaf.table)}
    column = columns.get(str(place[1]))
    if column is None:
        return _unknown(name, str(place[1]), found, columns)
    if column.name not in entry:
        return fill(_MISSING, name=name, where=found.where, right=column.about.right)
    return wrong(Leaf((name,), column.field, column.about), found._replace(value=entry[column.name]))


def _entry(value: object, place: Sequence[int | str]) -> Mapping[str, Any] | None:
    """The entry, where the mistake is in one."""
    if not isinstance(value, list) or len(place) < 2:
        return None
    entry = value[int(place[0])]
    return entry if isinstance(entry, Mapping) else None


def _shown(entry: Mapping[str, Any], place: Sequence[int | str]) -> str:
    name = entry.get("name")
    return name if isinstance(name, str) and _NAME.fullmatch(name) else f"#{int(place[0]) + 1}"


def _same_name(leaf: Leaf, found: Found) -> Text | None:
    entries = found.value if isinstance(found.value, list) else []
    names = [entry.get("name") for entry in entries if isinstance(entry, Mapping)]
    twice = next((name for name in names if isinstance(name, str) and names.count(name) > 1), None)
    return None if twice is None else fill(_SAME_NAME, name=leaf.name, where=found.where, twice=twice)


def _unknown(name: str, last: str, found: Found, columns: Mapping[str, Leaf]) -> Text:
    fields = {"name": f"`{name}`", "place": found.where}
    if close := difflib.get_close_matches(last, columns, 1):
        return fill(UNKNOWN_LIKE, other=f"`{close[0]}`", **fields)
    return fill(UNKNOWN_IN_GROUP, known=", ".join(f"`{one}`" for one in columns), **fields)
