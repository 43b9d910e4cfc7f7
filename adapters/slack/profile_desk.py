"""Changing a profile in Slack: opening the modal, switching the place, saving, versions, bringing one back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Final

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext

from adapters.chat import texts
from adapters.chat.languages import chain_of
from adapters.chat.tried import tried
from adapters.slack import modals
from adapters.slack.front import Click, Front, click_of
from adapters.slack.modals import Form, Meta, Scope
from adapters.slack.parse import PLATFORM
from adapters.slack.texts import SLACK
from agent.language import Lang, Text
from bot.policy import may
from bot.ports import StoreUnavailable
from bot.profiles import NoVersion, ProfileConflict, ProfileError, Profiles

#: Seconds for saving, which is done before a submission is acked: Slack waits for three, and one may have gone into
#: finding the language.
_SUBMIT_S: Final = 1.5

#: Told when a workspace's profile may have changed, for whoever sees it in the App Home.
Changed = Callable[[Click, Lang], Awaitable[None]]


class ProfileDesk:
    """The modals of a profile. Whoever opens or submits one is checked each time."""

    def __init__(
        self,
        front: Front,
        profiles: Profiles,
        tools: Mapping[str, Text],
        models: Callable[[], Collection[str]],
    ) -> None:
        """`tools`: names and titles; `models`: endpoints and models that are known just now."""
        self._front = front
        self._profiles = profiles
        self._tools = tools
        self._models = models
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

    async def _may_edit(self, click: Click) -> bool:
        return may(await self._front.role(click), "profile")

    async def _form(self, click: Click, lang: Lang, scope: Scope, channel: str) -> dict[str, Any]:
        if not await self._may_edit(click):
            return modals.note(texts.PROFILE, SLACK.named(texts.ADMINS_ONLY).say(lang), lang)
        chain = chain_of(PLATFORM, click.workspace, channel if scope == "channel" else "")
        inherited = await self._profiles.effective_at(chain[:-1])
        newest = await self._profiles.newest(chain[-1])
        return modals.profile(
            Form(
                scope=scope,
                workspace=click.workspace,
                channel=channel,
                version=newest.number if newest else 0,
                values=newest.values if newest else {},
                inherited=inherited.profile,
                origins=inherited.origins,
                tools=self._tools,
                models=sorted(self._models()),
                lang=lang,
            )
        )

    async def _versions(self, click: Click, lang: Lang, meta: Meta, said: str = "") -> dict[str, Any]:
        place = modals.place_of(click.workspace, meta.scope, meta.channel)
        found = await self._profiles.versions(place, limit=modals.MOST_VERSIONS)
        if not await self._may_edit(click):
            return modals.note(texts.VERSIONS, SLACK.named(texts.ADMINS_ONLY).say(lang), lang)
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
        if not await self._may_edit(click):
            return modals.note(texts.VERSIONS, SLACK.named(texts.ADMINS_ONLY).say(lang), lang)
        place = modals.place_of(click.workspace, meta.scope, meta.channel)
        try:
            made = await self._profiles.restore(place, number, click.user)
            said = texts.BROUGHT_BACK.say(lang, number=number, version=made.number)
        except NoVersion:
            said = texts.GONE_VERSION.say(lang)
        except (ProfileError, ProfileConflict) as problem:
            said = problem.text.say(lang)
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
        first = modals.block_id(meta.scope, "agent_name")
        try:
            async with asyncio.timeout(_SUBMIT_S):
                if not await self._may_edit(click):
                    await ack(response_action="errors", errors={first: SLACK.named(texts.ADMINS_ONLY).say(lang)})
                    return
                place = modals.place_of(click.workspace, meta.scope, meta.channel)
                made = await self._profiles.save(place, values, click.user, based_on=meta.version)
        except ProfileError as error:
            await ack(response_action="errors", errors=_errors(error, meta, lang))
            return
        except ProfileConflict as conflict:
            await ack(response_action="errors", errors={first: conflict.text.say(lang)})
            return
        except (StoreUnavailable, TimeoutError):
            await ack(response_action="errors", errors={first: texts.NOT_NOW.say(lang)})
            return
        said = [texts.SAVED.say(lang, version=made.number)]
        said += [warning.say(lang) for _, warning in self._profiles.warnings(made.values)]
        await ack(response_action="update", view=modals.note(texts.PROFILE, " ".join(said), lang))
        self._front.start("the App Home after a change", self._tell_home(click, lang))

    async def _tell_home(self, click: Click, lang: Lang) -> None:
        if self.changed is not None:
            await self.changed(click, lang)


def _errors(error: ProfileError, meta: Meta, lang: Lang) -> dict[str, str]:
    """The sentences, each at its field."""
    # Of two problems with one field, the first. Slack shows no markup there, and fields have names for people.
    return {
        modals.block_id(meta.scope, name): text.say(lang).replace(f"`{name}`", _named(name, lang)).replace("`", "")
        for name, text in reversed(error.problems)
    }


def _named(name: str, lang: Lang) -> str:
    label = texts.FIELDS.get(name)
    return f"“{label.say(lang)}”" if label is not None else name
