"""The App Home: how the agent is set up in the workspace and where each value comes from, changes, usage."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext

from adapters.chat import texts
from adapters.chat.languages import chain_of
from adapters.chat.profile_form import origin_name, place_of, value_name
from adapters.chat.tasks import OUTSIDE
from adapters.slack import limits
from adapters.slack import texts as ours
from adapters.slack.controls import modals
from adapters.slack.controls.block_kit import DIVIDER, Block, actions, button, context, header, plain, quoted, section
from adapters.slack.controls.front import Click, Front, click_of
from adapters.slack.controls.profile_desk import ProfileDesk
from adapters.slack.hearing.parse import PLATFORM
from adapters.slack.render.mrkdwn import sections
from adapters.slack.texts import SLACK
from agent.language import Lang, Text
from agent.profile import to_values
from agent.texts import OFFERED_QUESTIONS
from bot.policy import may
from bot.profiles import Effective, Profiles, Version

log = logging.getLogger(__name__)

EDIT: Final = "kagent.home.edit"
VERSIONS: Final = "kagent.home.versions"
CHANNEL: Final = "kagent.home.channel"

#: Characters of a value.
_VALUE: Final = 300
_LAST_CHANGES: Final = 3

#: What the usage command says to somebody, as Markdown.
Usage = Callable[[Click, Lang], Awaitable[str]]


class Home:
    """Publishes the App Home, and greets in the Messages tab."""

    def __init__(
        self,
        front: Front,
        profiles: Profiles,
        desk: ProfileDesk,
        tools: Mapping[str, Text],
        usage: Usage,
    ) -> None:
        self._front = front
        self._profiles = profiles
        self._desk = desk
        self._tools = tools
        self._usage = usage
        desk.changed = self.publish

    def register(self, app: AsyncApp) -> None:
        """Put the listeners on bolt's app."""
        app.event("app_home_opened")(self._opened)
        app.action(EDIT)(self._pressed)
        app.action(VERSIONS)(self._pressed)
        app.action(CHANNEL)(self._pressed)

    async def publish(self, click: Click, lang: Lang) -> None:
        """Show somebody their App Home as it is now. Raises as `SlackApi.call` does."""
        effective = await self._profiles.effective_at(chain_of(PLATFORM, click.workspace))
        place = place_of(PLATFORM, click.workspace, "workspace", "")
        changes = await self._profiles.versions(place, limit=_LAST_CHANGES)
        may_edit = may(await self._front.role(click), "profile")
        usage = await self._usage(click, lang)
        view = home(effective, changes, self._tools, lang, may_edit=may_edit, usage=usage)
        api = await self._front.api(click)
        await api.call_patiently("views.publish", user_id=click.user.id, view=view)

    async def _opened(self, body: dict[str, Any], context: AsyncBoltContext) -> None:
        event = body["event"]
        click = click_of({"user": {"id": event.get("user"), "team_id": ""}}, context)
        if event.get("tab") == "messages":
            self._front.start("prompts", self._prompt(click, str(event.get("channel") or "")))
        elif event.get("tab", "home") == "home":
            self._front.start("the App Home", self._show(click))

    async def _show(self, click: Click) -> None:
        await self.publish(click, await self._front.lang(click))

    async def _prompt(self, click: Click, channel: str) -> None:
        lang = await self._front.lang(click)
        api = await self._front.api(click)
        questions = (ours.WHAT_CAN_YOU_DO.say(lang), *OFFERED_QUESTIONS[lang])[: limits.SUGGESTED_PROMPTS]
        await api.call_patiently(
            "assistant.threads.setSuggestedPrompts",
            channel_id=channel,
            title=ours.PROMPTS.say(lang),
            prompts=[{"title": question, "message": question} for question in questions],
        )

    async def _pressed(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        await ack()
        self._front.start("a window from the App Home", self._open(click_of(body, context)))

    async def _open(self, click: Click) -> None:
        lang = await self._front.lang(click)
        try:
            if click.action_id == VERSIONS:
                await self._desk.open_versions(click, lang, "workspace", "")
            elif click.action_id == CHANNEL and click.value:
                await self._desk.open(click, lang, "channel", click.value)
            elif click.action_id == EDIT:
                await self._desk.open(click, lang, "workspace", "")
        except OUTSIDE as error:
            log.warning("no window from the App Home: %s", error)


def home(
    effective: Effective,
    changes: Sequence[Version],
    tools: Mapping[str, Text],
    lang: Lang,
    *,
    may_edit: bool,
    usage: str,
) -> Block:
    """The view."""
    profile = effective.profile
    title = ours.HOME_TITLE.say(lang, name=profile.agent_name)
    blocks = [header(title), section(ours.HOME_HELLO.say(lang)), DIVIDER]
    blocks.append(section(f"*{ours.HOME_PROFILE.say(lang)}*"))
    blocks += [_value(name, effective, tools, lang) for name in modals.NAMES]
    if may_edit:
        blocks.append(_edits(lang))
    if changes:
        blocks += [DIVIDER, section(f"*{ours.HOME_VERSIONS_TITLE.say(lang)}*")]
        lines = [modals.version_line(change, lang, newest=not index) for index, change in enumerate(changes)]
        blocks += [section(line) for line in lines]
    if usage:
        blocks += [DIVIDER, section(f"*{ours.HOME_USAGE.say(lang)}*")]
        blocks += [section(part) for part in sections(usage)]
    return {"type": "home", "blocks": blocks[: limits.BLOCKS_PER_VIEW]}


def _value(name: str, effective: Effective, tools: Mapping[str, Text], lang: Lang) -> Block:
    value = value_name(name, to_values(effective.profile)[name], tools, lang)
    said = quoted(" ".join(value.split()), _VALUE)
    return context(f"*{texts.FIELDS[name].say(lang)}*  {said}  _{origin_name(effective.origins[name], SLACK, lang)}_")


def _edits(lang: Lang) -> Block:
    channel = {
        "type": "conversations_select",
        "action_id": CHANNEL,
        "placeholder": plain(ours.HOME_CHANNEL.say(lang), limits.OPTION_TEXT),
        "filter": {"include": ["public", "private"], "exclude_bot_users": True},
    }
    edit = button(EDIT, ours.HOME_EDIT, lang, "workspace", style="primary")
    return actions(edit, button(VERSIONS, ours.HOME_VERSIONS, lang, "workspace"), channel)
