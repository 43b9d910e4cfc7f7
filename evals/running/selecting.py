"""Which items a run asks, and which of their prompts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from agent.language import Lang
from evals.kagentbench.items import PROFILE_PROMPT, TYPES
from evals.running.asked import Asked
from evals.runs import RunSpec

AnyAsked = TypeVar("AnyAsked", bound=Asked)


def select(items: Sequence[AnyAsked], spec: RunSpec) -> Sequence[AnyAsked]:
    """The items that a run of this spec asks, in the order of the file, each with the prompts that are asked.

    `spec.templates` are about items whose prompts have templates: a profile has one prompt, which stays. Items of
    which no prompt is left are left out. The same items and the same spec give the same selection, and a selection of
    a selection is itself.
    """
    wanted = [
        narrowed
        for item in items
        if (not spec.types or item.type in spec.types) and (not spec.langs or item.lang in spec.langs)
        for narrowed in [_narrowed(item, spec.templates)]
        if narrowed.prompts
    ]
    if spec.limit is None or spec.limit >= len(wanted):
        return wanted
    chosen = _evenly(wanted, spec.limit, spec.seed)
    return [item for at, item in enumerate(wanted) if at in chosen]


def _narrowed(item: AnyAsked, templates: Sequence[str]) -> AnyAsked:
    prompts = {
        name: prompt
        for name, prompt in item.prompts.items()
        if not templates or name in templates or (item.type == "profile" and name == PROFILE_PROMPT)
    }
    return item if len(prompts) == len(item.prompts) else replace(item, prompts=prompts)


def _evenly(items: Sequence[Asked], limit: int, seed: int) -> set[int]:
    """Places of items, drawn in turn from each group of type and language until there are enough."""
    groups: dict[tuple[str, Lang], list[int]] = {}
    for at, item in enumerate(items):
        groups.setdefault((item.type, item.lang), []).append(at)
    # By a hash of each item, so that a file that grew keeps most of what was drawn from it before.
    for group in groups.values():
        group.sort(key=lambda at: _lot(items[at], seed))
    turns = _in_turn(groups)
    chosen: set[int] = set()
    for round_ in range(len(items)):
        for group in turns:
            if round_ < len(group) and len(chosen) < limit:
                chosen.add(group[round_])
        if len(chosen) >= limit:
            break
    return chosen


def _in_turn(groups: Mapping[tuple[str, Lang], list[int]]) -> list[list[int]]:
    """The groups so that every type comes before a second language of one, and languages alternate."""
    types = [*TYPES, *sorted({type_ for type_, _ in groups} - set(TYPES))]
    langs = sorted({lang for _, lang in groups})
    order = [
        (type_, langs[(number + shift) % len(langs)])
        for shift in range(len(langs))
        for number, type_ in enumerate(types)
    ]
    return [groups[place] for place in order if place in groups]


def _lot(item: Asked, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}\0{item.type}\0{item.id}".encode(errors="surrogatepass")).digest()
