"""Slash commands: acked at once, answered where they were typed, seen by whoever typed them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext

from adapters.chat import texts
from adapters.chat.commanding import Runs, brought, portions
from adapters.chat.tried import tried
from adapters.slack import limits
from adapters.slack.asking.handing_out import send_file
from adapters.slack.controls.front import Click, Front, click_of
from adapters.slack.controls.profile_desk import ProfileDesk
from adapters.slack.hearing.markup import plain
from adapters.slack.hearing.parse import is_direct
from adapters.slack.render.mrkdwn import sections
from adapters.slack.setup.manifest import BENCH_COMMAND, COMMAND
from adapters.slack.texts import SLACK
from agent.language import Lang
from bot.invocation import CommandReply, Invocation
from bot.messages import ReplyFile
from bot.people import People

_Run = Callable[[Invocation], Awaitable[CommandReply]]

#: Characters of one post: more is cut off where Slack shows it.
_POST: Final = limits.TEXT_RECOMMENDED


class Commanding:
    """Runs commands and brings their replies."""

    def __init__(self, front: Front, commands: Runs, people: People, desk: ProfileDesk) -> None:
        self._front = front
        self._people = people
        self._commands = commands
        self._desk = desk

    def register(self, app: AsyncApp) -> None:
        """Put the listeners on bolt's app."""
        app.command(COMMAND)(self._listener(self._commands.run, COMMAND))
        app.command(BENCH_COMMAND)(self._listener(self._commands.bench, BENCH_COMMAND))

    async def usage(self, click: Click, lang: Lang) -> str:
        """What somebody has used, as Markdown. Raises `StoreUnavailable`."""
        return (await self._commands.run(_invocation(click, "usage", lang))).text

    def _listener(self, run: _Run, name: str) -> Callable[..., Awaitable[None]]:
        async def listener(ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
            await ack()
            words = plain(str(body.get("text") or ""), "", "", lambda _: "")
            self._front.start("a command", self._run(run, name, click_of(body, context), words))

        return listener

    async def _run(self, run: _Run, name: str, click: Click, words: str) -> None:
        lang = await self._front.lang(click)
        if said := await tried("a command", self._bring(click, run, _invocation(click, words, lang, name)), SLACK):
            await self._front.tell(click, said, lang)

    async def _bring(self, click: Click, run: _Run, invocation: Invocation) -> None:
        lang = invocation.lang
        found = await brought(run(invocation), invocation, self._people)
        if found.opens_profile:
            await self._desk.open(click, lang, "channel" if click.channel else "workspace", click.channel)
            return
        if found.file is not None:
            await self._hand_out(click, found.file, found.text)
            await self._front.tell(click, texts.FILE_SENT.say(lang, name=found.file.name), lang)
            return
        # A response_url takes five posts; one may be gone.
        parts, is_cut = portions(sections(found.text, _POST), limits.RESPONSE_URL_POSTS - 1)
        for part in parts:
            await self._front.answer(click, {"text": part}, private=found.private)
        if is_cut:
            await self._front.tell(click, texts.CUT, lang)

    async def _hand_out(self, click: Click, file: ReplyFile, said: str) -> None:
        """The file goes to whoever asked, whatever channel that was in."""
        note = next(iter(sections(said, _POST)), "")
        api = await self._front.api(click)
        await send_file(api, click.user.id, file.name, file.data, note, api_url=self._front.api_url)


def _invocation(click: Click, words: str, lang: Lang, name: str = COMMAND) -> Invocation:
    direct = is_direct({"channel": click.channel})
    return Invocation(click.target, click.user, words, lang, in_conversation=False, direct=direct, lead=f"{name} ")
