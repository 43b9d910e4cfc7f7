"""What everything that people press has in common: who pressed where, in which language they are answered, how."""

from __future__ import annotations

import logging
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from slack_bolt.context.async_context import AsyncBoltContext

from adapters.chat import texts
from adapters.chat.languages import Languages
from adapters.chat.presses import Press
from adapters.chat.tasks import OUTSIDE, Tasks
from adapters.slack import limits
from adapters.slack.connection.api import SlackApi
from adapters.slack.connection.clients import Clients
from adapters.slack.controls.block_kit import Block, quoted
from adapters.slack.errors import sentence
from adapters.slack.hearing.listen import workspace_here
from adapters.slack.hearing.parse import PLATFORM, is_direct
from adapters.slack.texts import SLACK
from agent.language import Lang, Text
from bot.messages import Author, Target
from bot.people import People
from bot.policy import Role
from bot.posting import Refused
from bot.profiles import Profiles

log = logging.getLogger(__name__)

Body = Mapping[str, Any]

#: Seconds for one post to a response_url.
_POST_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Click:
    """Somebody pressed, chose, submitted or typed something."""

    workspace: str
    #: Where; "" for the App Home and for modals.
    channel: str
    #: The thread of the message that was pressed; "" where there is none.
    thread: str
    user: Author
    action_id: str = ""
    #: Of the button, or of what was chosen.
    value: str = ""
    #: Opens a window for three seconds.
    trigger_id: str = ""
    #: Where private answers go; "" for the App Home and for modals.
    response_url: str = ""

    @property
    def target(self) -> Target:
        """The channel as a conversation: what is pressed in no thread belongs to none."""
        key = f"{PLATFORM}:{self.workspace}:{self.channel}"
        return Target(PLATFORM, self.workspace, self.channel, None, key)

    def press(self, lang: Lang) -> Press:
        """The press of a button below an answer."""
        return Press(self.user, self.target, lang, direct=is_direct({"channel": self.channel}))


def click_of(body: Body, context: AsyncBoltContext) -> Click:
    """Who did what, from the payload of a press, a submission, a command, or an event of the App Home."""
    action: Body = next(iter(body.get("actions") or ()), {})
    container = body.get("container") or {}
    channel = body.get("channel") or {}
    message = body.get("message") or {}
    return Click(
        workspace_here(context),
        str(body.get("channel_id") or channel.get("id") or container.get("channel_id") or ""),
        str(container.get("thread_ts") or message.get("thread_ts") or message.get("ts") or ""),
        _user_of(body, context),
        str(action.get("action_id") or ""),
        _value_of(action),
        str(body.get("trigger_id") or ""),
        str(body.get("response_url") or ""),
    )


def _user_of(body: Body, context: AsyncBoltContext) -> Author:
    user = body.get("user")
    if not isinstance(user, dict):
        return Author(str(body.get("user_id") or context.user_id or ""), str(body.get("user_name") or ""))
    team = str(user.get("team_id") or "")
    foreign = bool(team) and not context.is_enterprise_install and team not in (context.team_id, context.enterprise_id)
    name = str(user.get("name") or user.get("username") or "")
    return Author(str(user.get("id") or ""), name, "external" if foreign else "member", team if foreign else "")


def _value_of(action: Body) -> str:
    chosen = action.get("selected_option") or {}
    return str(
        action.get("value")
        or chosen.get("value")
        or action.get("selected_conversation")
        or action.get("selected_channel")
        or ""
    )


class Front:
    """Who somebody is to us, and how they are answered."""

    def __init__(self, clients: Clients, people: People, profiles: Profiles, tasks: Tasks, *, lang: Lang) -> None:
        """`lang`: where neither a person nor a profile says which."""
        self._clients = clients
        self._people = people
        self._tasks = tasks
        self._languages = Languages(PLATFORM, people, profiles, lang)

    @property
    def api_url(self) -> str:
        """Where the Web API is."""
        return self._clients.api_url

    def start(self, what: str, work: Coroutine[Any, Any, None]) -> None:
        """Go on with this after the ack."""
        self._tasks.start(what, work)

    async def api(self, click: Click) -> SlackApi:
        """The Web API of a click's workspace. Raises as `Clients.api` does."""
        return await self._clients.api(click.workspace)

    async def lang(self, click: Click) -> Lang:
        """The language of somebody's client, else that of the profile that holds there."""
        return await self._languages.of(click.workspace, click.channel, click.user.id)

    async def role(self, click: Click) -> Role:
        """What somebody may do here. Raises `StoreUnavailable`."""
        return await self._people.role(click.user, click.target)

    async def tell(self, click: Click, text: Text | str, lang: Lang) -> None:
        """One sentence that only this person sees; where there is no place for it, nothing."""
        said = text.say(lang) if isinstance(text, Text) else text
        try:
            await self.answer(click, {"text": quoted(said, limits.SECTION_TEXT)})
        except OUTSIDE as error:
            log.info("a private answer was not taken: %s", error)

    async def answer(self, click: Click, content: Mapping[str, Any], *, private: bool = True) -> None:
        """Answer a click in its place. Raises as `SlackApi.call` does."""
        if not click.channel:
            return
        thread: dict[str, Any] = {"thread_ts": click.thread} if click.thread else {}
        api = await self.api(click)
        if click.response_url:
            body = {"response_type": "ephemeral" if private else "in_channel", "replace_original": False}
            body |= {"unfurl_links": False, "unfurl_media": False}
            await post(api, click.response_url, {**body, **thread, **content})
        elif private:
            await api.call_patiently(
                "chat.postEphemeral", channel=click.channel, user=click.user.id, **thread, **content
            )
        else:
            await api.call_patiently("chat.postMessage", channel=click.channel, **thread, **content)

    async def open(self, click: Click, view: Block, lang: Lang) -> str | None:
        """Open a modal; its id, or None, and then they have been told why not."""
        try:
            api = await self.api(click)
            opened = await api.call("views.open", urgent=True, trigger_id=click.trigger_id, view=view)
            return str(opened["view"]["id"])
        except Refused as refused:
            await self.tell(click, sentence(refused.code, lang, needed=getattr(refused, "needed", "")), lang)
        except OUTSIDE:
            await self.tell(click, SLACK.named(texts.BUSY), lang)
        return None

    async def update(self, click: Click, view_id: str, view: Block) -> None:
        """Show something else in a modal that may have been closed meanwhile. Raises as `SlackApi.call` does."""
        api = await self.api(click)
        try:
            await api.call_patiently("views.update", urgent=True, view_id=view_id, view=view)
        except Refused as refused:
            if refused.code != "not_found":
                raise


async def post(api: SlackApi, url: str, body: Mapping[str, Any]) -> None:
    """Post to a response_url. Raises `Refused` when Slack takes no more there."""
    timeout = aiohttp.ClientTimeout(total=_POST_S)
    try:
        async with api.session.post(url, json=dict(body), proxy=api.proxy, timeout=timeout) as response:
            if response.status != 200:
                raise Refused("response_url")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise Refused("response_url") from error
