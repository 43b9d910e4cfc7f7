"""Commands for every platform: `help`, `new`, `profile`, … as a platform's own commands, or said to the agent.

One that is said as a message is a turn of its own (`in_turn`); the inbox and the adapters know it by `command_of`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, cast

from sqlalchemy import Connection

from agent.clock import Clock
from agent.texts import OFFERED_QUESTIONS
from agent.tools.registry import Tool, select
from bot import command_texts as texts
from bot import texts as reasons
from bot.bench import words as bench_words
from bot.bench.desk import Bench, BenchAsked
from bot.bench.texts import GRANTED_ONLY
from bot.bench.words import Verb
from bot.command_profile import Asked, Denied, ProfileCommands
from bot.command_words import CHINESE, NAMES, Command, Name, begins, command_of, parse
from bot.control import Control
from bot.dispatch.claim import Claimed
from bot.endpoints import Endpoints
from bot.erasure import Erasure
from bot.exporting import code, dumped, exported, file_name, markdown, sound
from bot.invocation import CommandReply, Invocation
from bot.limits import Limits, day
from bot.messages import NO_WORKSPACE, Author, ReplyFile, Target
from bot.people import People
from bot.policy import may
from bot.present import title_of, tool_titles
from bot.profiles import Profiles
from bot.store import commands, conversations, messages, turns, usage, views
from bot.store.db import Store
from bot.store.usage import Whose
from bot.wording import GENERAL, Wording

__all__ = ["CommandReply", "Commands", "Invocation", "command_of", "spares"]

#: Turns that one query of an export reads; others may use the database in between.
_PAGE: Final = 200
#: Characters of unknown words that are repeated.
_SHOWN: Final = 60

Handler = Callable[[Asked], Awaitable[CommandReply]]


def spares(text: str) -> bool:
    """Whether a text is a command that is not denied to anybody: having one's own data deleted."""
    command = parse(text)
    return command is not None and command.name == "forget"


@dataclass(frozen=True, slots=True)
class Desk:
    """What commands work with."""

    store: Store
    clock: Clock
    control: Control
    endpoints: Endpoints
    tools: tuple[Tool, ...]
    profiles: Profiles
    erasure: Erasure
    people: People
    limits: Limits
    bench: Bench
    version: str
    #: What people call things, by platform.
    wordings: Mapping[str, Wording] = field(default_factory=dict)


class Commands:
    """Obeys commands."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        profile = ProfileCommands(desk.profiles, desk.people, desk.endpoints, desk.limits.zone)
        self._handlers: Mapping[Name, Handler] = {
            "help": self._help,
            "new": self._new,
            "profile": profile.profile,
            "model": profile.model,
            "tools": self._tools,
            "stop": self._stop,
            "forget": self._forget,
            "export": self._export,
            "usage": self._usage,
            "status": self._status,
            "leave": self._leave,
            "bench": self._bench,
        }

    async def run(self, invocation: Invocation) -> CommandReply:
        """Obey; everything that is wrong is a sentence of the reply. Raises `StoreUnavailable`."""
        words = invocation.words.strip()
        command = parse(words) if words else Command("help")
        lang = invocation.lang
        if command is None:
            return CommandReply(_unknown(words, self._asked(invocation, Command("help"), direct=False)))
        asked = self._asked(invocation, command, direct=await self._direct(invocation))
        denied = self._desk.limits.denied(invocation.target, invocation.author, direct=asked.direct)
        if denied is not None and command.name != "forget":
            return CommandReply(reasons.reason_text(denied, lang))
        try:
            return await self._handlers[command.name](asked)
        except Denied as error:
            return CommandReply(error.text)

    async def bench(self, invocation: Invocation) -> CommandReply:
        """The platform's own command for benchmarks; its words are what follows that."""
        found = bench_words.said(invocation.words)
        command = Command("bench") if found is None else Command("bench", found.verb, found.args)
        asked = self._asked(invocation, command, direct=await self._direct(invocation))
        denied = self._desk.limits.denied(invocation.target, invocation.author, direct=asked.direct)
        if denied is not None:
            return CommandReply(reasons.reason_text(denied, invocation.lang))
        try:
            await self._check_bench(asked)
        except Denied as error:
            return CommandReply(error.text)
        if found is None:
            return CommandReply(asked.say(texts.DETAILS["bench"]))
        return await self._desk.bench.obey(BenchAsked(asked, found.verb, found.args, own=True))

    async def may_bench(self, target: Target, author: Author) -> bool:
        """Whether somebody may run benchmarks. Raises `StoreUnavailable`."""
        granted = self._desk.limits.may_benchmark(target.platform, target.workspace, author.id)
        if (granted and author.kind != "bot") or self._desk.people.alone(target.platform):
            return True
        return may(await self._desk.people.role(author, target), "benchmark")

    async def in_turn(self, claimed: Claimed, command: str) -> CommandReply:
        """Obey a command that was said as a message; `bot.turns.RunCommand`."""
        # The turn keeps the beginning of long commands only; a message that is gone has no more than that.
        said = command_of(claimed.task.question) or ""
        words = said if said.startswith(command) else command
        turn = claimed.turn
        return await self.run(
            Invocation(
                claimed.target, claimed.asked.author, words, turn.lang, True, turn_id=turn.id, said_at=turn.sent_at
            )
        )

    def _asked(self, invocation: Invocation, command: Command, *, direct: bool) -> Asked:
        wording = self._desk.wordings.get(invocation.target.platform, GENERAL)
        if invocation.target.workspace == NO_WORKSPACE:
            wording = wording._replace(workspace=texts.ALONE)
        return Asked(invocation, command, direct, wording)

    async def _direct(self, invocation: Invocation) -> bool:
        if invocation.direct or not invocation.in_conversation:
            return invocation.direct
        key = invocation.target.conversation_key
        return await self._desk.store.read(lambda c: conversations.is_direct(c, key))

    # --- Help, tools, status

    async def _help(self, asked: Asked) -> CommandReply:
        if asked.command.args:
            name = next(name for name in NAMES if name == asked.command.args[0])
            about = asked.say(texts.ABOUT[name])
            line = f"{asked.said(name, CHINESE[name])}{'：' if asked.lang == 'zh' else ': '}{about}"
            return CommandReply(f"{line}\n\n{asked.say(texts.DETAILS[name])}")
        colon = "：" if asked.lang == "zh" else ": "
        lines = [f"- {asked.said(name, CHINESE[name])}{colon}{asked.say(texts.ABOUT[name])}" for name in NAMES]
        more = asked.say(texts.HELP_MORE, example=asked.form("help profile", "帮助 配置"))
        lead = asked.invocation.lead.strip()
        head = asked.say(texts.HELP_BEHIND, lead=code(lead)) if lead else asked.say(texts.HELP)
        questions = [f"- {question}" for question in OFFERED_QUESTIONS[asked.lang]]
        return CommandReply("\n".join([head, "", *lines, "", more, "", asked.say(texts.HELP_ASK), "", *questions]))

    async def _tools(self, asked: Asked) -> CommandReply:
        profile = (await self._desk.profiles.effective(asked.target)).profile
        chosen = select(self._desk.tools, profile.tool_names, network=profile.network)
        if await self._desk.people.role(asked.invocation.author, asked.target) == "guest":
            # As `bot.agents` does when a guest asks.
            chosen = tuple(tool for tool in chosen if not tool.writes)
        if not chosen:
            return CommandReply(asked.say(texts.NO_TOOLS))
        titles = tool_titles(chosen)
        lines = [asked.say(texts.TOOLS), ""]
        for tool in chosen:
            title = title_of(titles, tool.name, asked.lang)
            if tool.writes:
                title = asked.list([title, asked.say(texts.TOOL_WRITES)])
            lines.append(asked.say(texts.TOOL, name=code(tool.name), title=title))
        return CommandReply("\n".join(lines))

    async def _status(self, asked: Asked) -> CommandReply:
        desk, key = self._desk, asked.target.conversation_key
        profile = (await desk.profiles.effective(asked.target)).profile
        health = desk.endpoints.health(asked.lang)

        def query(connection: Connection) -> tuple[conversations.Place | None, int]:
            place = conversations.find(connection, key)
            live = [] if place is None else turns.live_of(connection, place.id)
            return place, len([turn_id for turn_id in live if turn_id != asked.invocation.turn_id])

        place, running = await desk.store.read(query)
        said = health.detail or asked.say(texts.HEALTHY[health.state])
        name = asked.list([code(desk.endpoints.name), *([asked.say(texts.DEMO)] if desk.endpoints.demo else [])])
        lines = [
            asked.say(texts.STATUS_VERSION, version=code(desk.version)),
            asked.say(texts.STATUS_MODEL, name=name, health=said),
        ]
        if asked.invocation.in_conversation:
            lines.append(asked.say(texts.STATUS_LIVE, count=running) if running else asked.say(texts.STATUS_IDLE))
        if asked.direct:
            lines.append(asked.say(texts.STATUS_DIRECT))
        elif place is not None and place.muted:
            lines.append(asked.say(texts.STATUS_MUTED))
        else:
            lines.append(asked.say(texts.STATUS_FOLLOW[profile.follow]))
        return CommandReply("\n".join(lines))

    # --- The conversation

    async def _stop(self, asked: Asked) -> CommandReply:
        desk, invocation = self._desk, asked.invocation
        if invocation.in_conversation:
            key, own = asked.target.conversation_key, invocation.turn_id
            count = await desk.control.stop_in(key, invocation.author, but=own)
            if own is not None:
                # What ran when the command came was told at once.
                count += await desk.store.read(lambda c: commands.stopped_by(c, own))
        else:
            count = await desk.control.stop_own(asked.target, invocation.author)
        return CommandReply(asked.say(texts.STOPPED if count else texts.NOTHING_RUNS))

    async def _new(self, asked: Asked) -> CommandReply:
        key = asked.target.conversation_key
        since = asked.invocation.said_at or self._desk.clock.now()
        begun = await self._desk.store.write(lambda c: conversations.begin_anew(c, key, since))
        if begun:
            return CommandReply(asked.say(texts.NEW), private=False)
        return CommandReply(asked.say(texts.NEW_THREAD))

    async def _leave(self, asked: Asked) -> CommandReply:
        if not asked.invocation.in_conversation:
            return self._elsewhere(asked, "leave", "离开")
        if asked.direct:
            return CommandReply(asked.say(texts.NOT_LEFT))
        key = asked.target.conversation_key

        def query(connection: Connection) -> None:
            place = conversations.find(connection, key)
            if place is not None:
                conversations.mute(connection, place.id, muted=True)

        await self._desk.store.write(query)
        return CommandReply(asked.say(texts.LEFT), private=False)

    async def _export(self, asked: Asked) -> CommandReply:
        key = asked.target.conversation_key
        found = await self._desk.store.read(lambda c: views.conversation_by_key(c, asked.target.platform, key))
        if found is None or not asked.invocation.in_conversation:
            return self._elsewhere(asked, "export", "导出")
        said = await self._whole(found.id, asked.invocation.author)
        own = key.removeprefix(f"{asked.target.platform}:")
        export = exported(own, found.title, said, self._desk.clock.now())
        if asked.command.verb == "json":
            data, kind, extension = dumped(export, indent=2), "application/json", "json"
        else:
            data, kind, extension = sound(markdown(export, asked.lang)).encode(), "text/markdown", "md"
        name = file_name(found.title, own, extension)
        text = asked.say(texts.EXPORTED, name=code(name))
        return CommandReply(text, file=ReplyFile(name, kind, data))

    async def _whole(self, conversation_id: int, author: Author) -> list[views.TurnView]:
        """All that was said, without commands: what they answer may be one person's business."""
        found: list[views.TurnView] = []
        before: int | None = None
        while True:
            page, hidden = await self._desk.store.read(_page(conversation_id, author.id, before))
            found[:0] = [view for view in page if view.id not in hidden]
            if len(page) < _PAGE:
                return found
            before = page[0].id

    def _elsewhere(self, asked: Asked, en: str, zh: str) -> CommandReply:
        if asked.invocation.spelled is not None:
            return CommandReply(asked.say(texts.IN_THREAD, words=asked.form(en, zh)))
        return CommandReply(asked.say(texts.IN_CONVERSATION, words=asked.said(en, zh)))

    # --- Forgetting

    async def _forget(self, asked: Asked) -> CommandReply:
        confirmed = "confirm" in asked.command.args
        match asked.command.verb:
            case "me":
                if not confirmed:
                    words = asked.form("forget me confirm", "忘记我 确认")
                    about = texts.FORGET_ME_ALONE if asked.alone else texts.FORGET_ME
                    return CommandReply(asked.say(about, words=words))
                await self._forget_me(asked)
                return CommandReply(asked.say(texts.FORGOT_ME_ALONE if asked.alone else texts.FORGOT_ME))
            case "this":
                return await self._forget_this(asked, confirmed)
            case _:
                forms = {"this": asked.form("forget this", "忘记这个对话"), "me": asked.form("forget me", "忘记我")}
                return CommandReply(asked.say(texts.FORGET, **forms))

    async def _forget_me(self, asked: Asked) -> None:
        invocation, target = asked.invocation, asked.target
        # A limit of a person is not got around by this: what they used within a day still counts.
        keep_use = self._desk.clock.now() - timedelta(days=1) if self._desk.limits.user.any else None
        await self._desk.erasure.person(
            target.platform, target.workspace, invocation.author, spare=invocation.turn_id, used_before=keep_use
        )

    async def _forget_this(self, asked: Asked, confirmed: bool) -> CommandReply:
        desk, invocation, key = self._desk, asked.invocation, asked.target.conversation_key
        place = await desk.store.read(lambda c: conversations.find(c, key))
        if place is None or not invocation.in_conversation:
            return self._elsewhere(asked, "forget this", "忘记这个对话")
        role = await desk.people.role(invocation.author, asked.target)
        if not may(role, "erase"):
            if not may(role, "tune"):
                raise Denied(asked.say(texts.MEMBERS_ONLY))
            shared = await desk.store.read(lambda c: messages.others_spoke(c, place.id, invocation.author.id))
            if shared or place.past_wanted:
                raise Denied(asked.say(texts.SHARED, words=asked.form("forget me", "忘记我")))
        if not confirmed:
            words = asked.form("forget this confirm", "忘记这个对话 确认")
            return CommandReply(asked.say(texts.FORGET_THIS, words=words))
        await desk.erasure.conversation(key, invocation.author, spare=invocation.turn_id)
        return CommandReply(asked.say(texts.FORGOT_THIS), private=False)

    # --- Usage and benchmarks

    async def _usage(self, asked: Asked) -> CommandReply:
        desk, target, about = self._desk, asked.target, asked.command.verb
        if about and not may(await desk.people.role(asked.invocation.author, target), "count"):
            raise Denied(asked.admins_only)
        whose = Whose(
            target.platform,
            target.workspace,
            user_id=None if about else asked.invocation.author.id,
            channel=target.channel if about == "channel" else None,
        )
        now = desk.clock.now()

        def query(connection: Connection) -> dict[str, usage.Total]:
            begun, _ = day(now, desk.limits.zone_of(connection, whose))
            moments = {"today": begun, "week": now - timedelta(days=7), "month": now - timedelta(days=30)}
            return {name: usage.total(connection, whose, moment) for name, moment in moments.items()}

        found = await desk.store.read(query)
        lines = [asked.say(texts.USAGE_ALONE if about == "workspace" and asked.alone else texts.USAGE[about]), ""]
        lines += [
            asked.say(texts.USED[name], turns=f"{total.turns:,}", tokens=f"{total.tokens:,}")
            for name, total in found.items()
        ]
        allowance = {"": desk.limits.user, "channel": desk.limits.channel}.get(about)
        if allowance is not None and allowance.day:
            lines.append(asked.say(texts.LEFT_TODAY, left=f"{max(0, allowance.day - found['today'].turns):,}"))
        if allowance is not None and allowance.day_tokens:
            lines.append(asked.say(texts.LEFT_TOKENS, left=f"{max(0, allowance.day_tokens - found['today'].tokens):,}"))
        return CommandReply("\n".join(lines))

    async def _bench(self, asked: Asked) -> CommandReply:
        await self._check_bench(asked)
        return await self._desk.bench.obey(
            BenchAsked(asked, cast("Verb", asked.command.verb), asked.command.args, own=False)
        )

    async def _check_bench(self, asked: Asked) -> None:
        """Raises `Denied` for whoever may not run benchmarks."""
        if not await self.may_bench(asked.target, asked.invocation.author):
            raise Denied(asked.say(GRANTED_ONLY))


def _page(
    conversation_id: int, viewer: str, before: int | None
) -> Callable[[Connection], tuple[Sequence[views.TurnView], set[int]]]:
    def query(connection: Connection) -> tuple[Sequence[views.TurnView], set[int]]:
        page = views.page(connection, conversation_id, viewer, _PAGE, before)
        return page, commands.among(connection, [view.id for view in page])

    return query


def _unknown(words: str, asked: Asked) -> str:
    """That this is no command, and what helps: about the command that it begins with, if it does."""
    shown = code(words if len(words) <= _SHOWN else f"{words[: _SHOWN - 1]}…")
    name = begins(words)
    if name is None:
        return asked.say(texts.UNKNOWN, words=shown, help=asked.form("help", "帮助"))
    help_ = asked.form(f"help {name}", f"帮助 {CHINESE[name]}")
    return asked.say(texts.UNKNOWN_FORM, words=shown, help=help_, name=asked.said(name, CHINESE[name]))
