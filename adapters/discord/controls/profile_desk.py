"""Changing a profile in Discord: the panel, its modals, saving, versions, bringing one back.

Whoever presses or submits is checked each time (`ProfileForms`), though only they can see the panel.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from adapters.chat import texts as chat
from adapters.chat.profile_form import Scope, read
from adapters.chat.profile_forms import Editing, ProfileForms
from adapters.discord import texts
from adapters.discord.controls import modals
from adapters.discord.controls.front import Click, Front, Interaction, Work
from adapters.discord.controls.modals import Meta
from adapters.discord.replying.look import Look, Row
from agent.journal import Json
from agent.language import Lang, Text

#: Submitted forms that were wrong and are kept for whoever opens them again.
_MOST_KEPT: Final = 100
#: Digits of a version's number.
_DIGITS: Final = 9

#: Who, where, which modal.
_Kept = tuple[str, str, Scope, str]


class ProfileDesk:
    """The panel and the modals."""

    def __init__(self, front: Front, forms: ProfileForms) -> None:
        self._front = front
        self._forms = forms
        self._kept: OrderedDict[_Kept, Mapping[str, Json]] = OrderedDict()
        self._works: Mapping[str, Work] = {
            modals.PLACE: self._switched,
            modals.VERSIONS: self._versions,
            modals.PICK: self._picked,
            modals.RESTORE: self._restored,
        }

    @property
    def actions(self) -> tuple[str, ...]:
        """Of what can be pressed."""
        return (modals.OPEN, *self._works)

    def rows(self, click: Click, lang: Lang) -> tuple[Row, ...]:
        """The buttons of the panel, for somebody who may change something."""
        scopes = _scopes(click)
        return modals.panel_rows(scopes[0], scopes, lang)

    async def show(self, click: Click, lang: Lang) -> None:
        """The panel, as the answer to a command."""
        await self._served(self._shown, click, lang)

    async def _shown(self, click: Click, lang: Lang) -> None:
        await self._front.answer(click, [await self._panel(click, lang, _scopes(click)[0])])

    async def pressed(self, interaction: Interaction, action: str) -> None:
        """Obey a press on the panel."""
        if action == modals.OPEN:
            await self._front.open("a form of the profile", interaction, self._modal)
        else:
            await self._front.handle("the profile", interaction, partial(self._served, self._works[action]))

    async def submitted(self, interaction: Interaction, meta: Meta) -> None:
        """Save what was filled in."""

        async def save(click: Click, lang: Lang) -> None:
            await self._save(click, lang, meta)

        await self._front.handle("saving a profile", interaction, partial(self._served, save))

    async def _served(self, work: Work, click: Click, lang: Lang) -> None:
        refused = self._front.refusal(click, lang)
        if refused is None:
            await work(click, lang)
        else:
            await self._front.tell(click, refused, lang)

    # What is done

    async def _switched(self, click: Click, lang: Lang) -> None:
        await self._front.change(click, await self._panel(click, lang, _scope(click, _value(click))))

    async def _panel(self, click: Click, lang: Lang, scope: Scope) -> Look:
        if not await self._forms.may_edit(_editing(click, scope, lang)):
            return Look(texts.FORMS_ARE_FOR_ADMINS.say(lang))
        return modals.panel(scope, _scopes(click), lang)

    async def _modal(self, click: Click, lang: Lang) -> dict[str, Any] | Text:
        word, _, page = _value(click).partition(":")
        if page not in modals.PAGES:
            return texts.OUTDATED
        if (refused := self._front.refusal(click, lang)) is not None:
            return Text(refused, refused)
        scope = _scope(click, word)
        form = await self._forms.form(_editing(click, scope, lang))
        if isinstance(form, Text):
            return form
        kept = self._kept.pop(_kept(click, scope, page), None)
        if kept is not None:
            others = {name: value for name, value in form.values.items() if name not in modals.PAGES[page]}
            form = replace(form, values={**others, **kept})
        return modals.modal(form, page)

    async def _save(self, click: Click, lang: Lang, meta: Meta) -> None:
        data: Any = click.interaction.data or {}
        names = modals.PAGES[meta.page]
        given = read(modals.submitted(data.get("components") or ()), meta.joints)
        values = {name: value for name, value in given.items() if name in names}
        scope = _scope(click, meta.scope)
        saved = await self._forms.save(_editing(click, scope, lang), values, based_on=meta.version, names=names)
        if not saved.problems:
            await self._front.tell(click, saved.said, lang)
            return
        # Discord has closed the modal: what somebody has typed is there when they open it again.
        self._keep(_kept(click, scope, meta.page), values)
        await self._front.answer(click, [modals.again(meta._replace(scope=scope), list(saved.problems.values()), lang)])

    def _keep(self, key: _Kept, values: Mapping[str, Json]) -> None:
        self._kept[key] = values
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)

    async def _versions(self, click: Click, lang: Lang) -> None:
        await self._front.change(click, await self._listed(click, lang, _scope(click, _value(click))))

    async def _listed(self, click: Click, lang: Lang, scope: Scope, said: str = "") -> Look:
        found = await self._forms.versions(_editing(click, scope, lang))
        return Look(found.say(lang)) if isinstance(found, Text) else modals.versions(found, scope, lang, said=said)

    async def _picked(self, click: Click, lang: Lang) -> None:
        data: Any = click.interaction.data or {}
        number = _number(str(next(iter(data.get("values") or ()), "")))
        scope = _scope(click, _value(click))
        look = await self._listed(click, lang, scope) if number is None else modals.confirm(scope, number, lang)
        await self._front.change(click, look)

    async def _restored(self, click: Click, lang: Lang) -> None:
        word, _, digits = _value(click).partition(":")
        scope, number = _scope(click, word), _number(digits)
        said = chat.GONE_VERSION.say(lang)
        if number is not None:
            said = await self._forms.restore(_editing(click, scope, lang), number)
        await self._front.change(click, await self._listed(click, lang, scope, said))


def _value(click: Click) -> str:
    return (click.interaction.custom_id or "").partition(":")[2]


def _scopes(click: Click) -> tuple[Scope, ...]:
    """Where something may be set from here, the nearest first."""
    if click.direct:
        return ("channel",)
    return ("channel", "workspace") if click.target.thread is None else ("thread", "channel", "workspace")


def _scope(click: Click, word: str) -> Scope:
    """The one that is named, where there is such a place here."""
    there = _scopes(click)
    return next((scope for scope in there if scope == word), there[0])


def _editing(click: Click, scope: Scope, lang: Lang) -> Editing:
    target = click.target
    thread_key = target.conversation_key if target.thread is not None else ""
    return Editing(click.user, target.workspace, scope, target.channel, lang, thread_key)


def _kept(click: Click, scope: Scope, page: str) -> _Kept:
    return click.user.id, click.target.conversation_key, scope, page


def _number(digits: str) -> int | None:
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS else None
