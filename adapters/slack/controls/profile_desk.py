"""Changing a profile in Slack: opening the modal, switching the place, saving, versions, bringing one back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext

from adapters.chat import texts
from adapters.chat.profile_form import Scope
from adapters.chat.profile_forms import Editing, ProfileForms, Saved
from adapters.chat.tried import tried
from adapters.slack.controls import modals
from adapters.slack.controls.front import Click, Front, click_of
from adapters.slack.controls.modals import Meta
from adapters.slack.texts import SLACK
from agent.language import Lang, Text
from agent.profile import FIELDS

#: Seconds for saving, which is done before a submission is acked: Slack waits for three, and one may have gone into
#: finding the language.
_SUBMIT_S: Final = 1.5

#: Told when a workspace's profile may have changed, for whoever sees it in the App Home.
Changed = Callable[[Click, Lang], Awaitable[None]]


class ProfileDesk:
    """The modals of a profile. Whoever opens or submits one is checked each time."""

    def __init__(self, front: Front, forms: ProfileForms) -> None:
        self._front = front
        self._forms = forms
        #: Set by the App Home.
        self.changed: Changed | None = None

    def register(self, app: AsyncApp) -> None:
        """Put the listeners on bolt's app."""
        app.view(modals.PROFILE)(self._submitted)
        app.action(modals.SWITCH)(self._switched)
        app.action(modals.SHOW_VERSIONS)(self._show_versions)
        app.action(modals.RESTORE)(self._restored)

    async def open(self, click: Click, lang: Lang, scope: Scope, channel: str) -> None:
        """Open the modal: something at once, because the trigger is short-lived, then the form."""
        view_id = await self._front.open(click, modals.waiting(texts.PROFILE, lang), lang)
        if view_id is not None:
            await self._show(click, view_id, lang, texts.PROFILE, lambda: self._form(click, lang, scope, channel))

    async def open_versions(self, click: Click, lang: Lang, scope: Scope, channel: str) -> None:
        """Open the list of versions."""
        view_id = await self._front.open(click, modals.waiting(texts.VERSIONS, lang), lang)
        if view_id is not None:
            meta = Meta(scope, channel, 0)
            await self._show(click, view_id, lang, texts.VERSIONS, lambda: self._versions(click, lang, meta))

    async def _show(
        self, click: Click, view_id: str, lang: Lang, title: Text, make: Callable[[], Awaitable[dict[str, Any]]]
    ) -> None:
        """What was made, or one sentence, in an open modal."""
        view = await tried("showing a profile", make(), SLACK)
        shown = modals.note(title, view.say(lang), lang) if isinstance(view, Text) else view
        await self._front.update(click, view_id, shown)

    async def _form(self, click: Click, lang: Lang, scope: Scope, channel: str) -> dict[str, Any]:
        found = await self._forms.form(_editing(click, scope, channel, lang))
        if isinstance(found, Text):
            return modals.note(texts.PROFILE, found.say(lang), lang)
        return modals.profile(found)

    async def _versions(self, click: Click, lang: Lang, meta: Meta, said: str = "") -> dict[str, Any]:
        found = await self._forms.versions(_editing(click, meta.scope, meta.channel, lang))
        if isinstance(found, Text):
            return modals.note(texts.VERSIONS, found.say(lang), lang)
        return modals.versions(found, meta, lang, said=said)

    # Listeners

    async def _switched(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        await ack()
        click, view = click_of(body, context), body.get("view") or {}
        scope: Scope = "workspace" if click.value == "workspace" else "channel"
        meta = modals.meta_of(view)

        async def work() -> None:
            lang = await self._front.lang(click)
            await self._show(
                click, str(view["id"]), lang, texts.PROFILE, lambda: self._form(click, lang, scope, meta.channel)
            )

        self._front.start("another place of a profile", work())

    async def _show_versions(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        await ack()
        click, view = click_of(body, context), body.get("view") or {}
        meta = modals.meta_of(view)

        async def work() -> None:
            lang = await self._front.lang(click)
            await self._show(click, str(view["id"]), lang, texts.VERSIONS, lambda: self._versions(click, lang, meta))

        self._front.start("the versions of a profile", work())

    async def _restored(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        await ack()
        click, view = click_of(body, context), body.get("view") or {}
        meta, number = modals.meta_of(view), int(click.value)

        async def work() -> None:
            lang = await self._front.lang(click)
            await self._show(
                click, str(view["id"]), lang, texts.VERSIONS, lambda: self._restore(click, lang, meta, number)
            )
            await self._tell_home(click, lang)

        self._front.start("bringing a version back", work())

    async def _restore(self, click: Click, lang: Lang, meta: Meta, number: int) -> dict[str, Any]:
        said = await self._forms.restore(_editing(click, meta.scope, meta.channel, lang), number)
        return await self._versions(click, lang, meta, said)

    async def _submitted(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        """Save. What is wrong is shown at its field, so the ack waits for the check, but not for long."""
        click = click_of(body, context)
        lang = await self._front.lang(click)
        try:
            meta, values = modals.submitted(body["view"])
        except (ValueError, KeyError):
            await ack(response_action="update", view=modals.note(texts.PROFILE, texts.TROUBLE.say(lang), lang))
            return
        try:
            async with asyncio.timeout(_SUBMIT_S):
                editing = _editing(click, meta.scope, meta.channel, lang)
                saved = await self._forms.save(editing, values, based_on=meta.version, names=modals.NAMES)
        except TimeoutError:
            saved = Saved(problems={"": texts.NOT_NOW.say(lang)})
        if saved.problems:
            # What is about no field stands at the first one.
            errors = {modals.block_id(meta.scope, name or FIELDS[0]): said for name, said in saved.problems.items()}
            await ack(response_action="errors", errors=errors)
            return
        await ack(response_action="update", view=modals.note(texts.PROFILE, saved.said, lang))
        self._front.start("the App Home after a change", self._tell_home(click, lang))

    async def _tell_home(self, click: Click, lang: Lang) -> None:
        if self.changed is not None:
            await self.changed(click, lang)


def _editing(click: Click, scope: Scope, channel: str, lang: Lang) -> Editing:
    return Editing(click.user, click.workspace, scope, channel, lang)
