"""Puts a chat together: the server, the terminal, and one question or many."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import ClientSession, DummyCookieJar
from rich.console import Console

from adapters.terminal import chat_texts as texts
from adapters.terminal.chat_host import Host, HostError, Reached, Wanted
from adapters.terminal.chat_prompt import HISTORY_NAME, ask_yes
from adapters.terminal.chat_repl import Repl, interrupts, refusal
from adapters.terminal.chat_shapes import Turn
from adapters.terminal.chat_talk import GaveUp, Leave, Talk
from adapters.terminal.chat_view import JsonView, LiveView, PlainView, View
from adapters.terminal.client import Away, Refused
from adapters.terminal.console import lines, make_console, one_line, safe_json
from agent.language import Lang

#: Exit statuses: there is an answer; there is none; Ctrl-C, as shells expect.
ANSWERED, NO_ANSWER, INTERRUPTED = 0, 1, 130

#: A conversation's key on the page (its form there: `ConversationKey`).
_KEY = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Order:
    """What the command line asks for."""

    wanted: Wanted
    #: "" for a conversation at the prompt.
    question: str
    #: The conversation to go on with: its key, or `last`; None begins one.
    conversation: str | None
    as_json: bool


def run(order: Order) -> int:
    """Chat; the exit status."""
    try:
        return asyncio.run(_Chat(order).run())
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the answer has gone: what is left of it goes nowhere, without a complaint at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NO_ANSWER


class _Chat:
    def __init__(self, order: Order) -> None:
        self._order = order
        self._lang: Lang = order.wanted.settings.lang
        self._out = make_console()
        self._err = make_console(sys.stderr)
        self._signal: signal.Signals | None = None

    async def run(self) -> int:
        with self._ended_by_signals():
            try:
                async with ClientSession(cookie_jar=DummyCookieJar()) as session:
                    host = Host(self._order.wanted, session)
                    try:
                        return await self._talk(Talk(host, session, self._lang), host)
                    finally:
                        await self._close(host)
            except asyncio.CancelledError:
                if self._signal is None:
                    raise
                return 128 + self._signal
            except HostError as error:
                self._complain(str(error))
            except Refused as error:
                self._complain(refusal(error, self._lang))
            except Away:
                self._complain(texts.NO_ANSWER.say(self._lang))
            return NO_ANSWER

    async def _talk(self, talk: Talk, host: Host) -> int:
        self._tell(await talk.connect(starting=self._starting), host)
        conversation = await self._conversation(talk)
        if self._order.question:
            talk.key = conversation
            return await self._once(talk)
        repl = Repl(talk, self._out, self._lang, self._order.wanted.settings.data_dir / HISTORY_NAME)
        await repl.run(conversation)
        return ANSWERED

    async def _conversation(self, talk: Talk) -> str | None:
        """The key of the conversation to go on with. Raises `Refused` if there is none."""
        wanted = self._order.conversation
        if wanted != "last":
            if wanted is not None:
                await self._find(talk, wanted)
            return wanted
        newest = await talk.client.conversations(1)
        return newest[0].key if newest else None

    async def _find(self, talk: Talk, key: str) -> None:
        said = texts.NO_CONVERSATION.say(self._lang, key=one_line(key, 60))
        # Anything else is never sent: in an address, `..` or `?` would make it another one.
        if not _KEY.fullmatch(key):
            raise Refused(HTTPStatus.NOT_FOUND, "not_found", said)
        try:
            await talk.client.conversation(key, 1)
        except Refused as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            raise Refused(error.status, error.code, said) from None

    async def _once(self, talk: Talk) -> int:
        began = time.monotonic()
        try:
            with interrupts() as pressed:
                async with self._view() as view:
                    turn = await talk.ask(self._order.question, view, pressed)
        except GaveUp as gave_up:
            self._complain((texts.KEPT if gave_up.kept else texts.NOT_SENT).say(self._lang))
            return INTERRUPTED
        except Leave:
            return INTERRUPTED
        if self._order.as_json:
            print(safe_json(_outcome(turn, time.monotonic() - began)), file=sys.stdout, flush=True)  # noqa: T201
        if turn.state == "answered":
            return ANSWERED
        return INTERRUPTED if pressed.any else NO_ANSWER

    def _view(self) -> View:
        ask = ask_yes if sys.stdin.isatty() and self._err.is_terminal else None
        if self._order.as_json:
            return JsonView(self._out, self._err, self._lang, ask)
        if ask is not None and self._out.is_terminal and not self._out.is_dumb_terminal:
            return LiveView(self._out, self._lang, ask)
        return PlainView(self._out, self._err, self._lang, ask)

    # --- What is said beside the conversation

    @property
    def _beside(self) -> Console:
        """A question's answer is alone on standard output, whatever else there is to say."""
        return self._err if self._order.question else self._out

    def _starting(self) -> None:
        self._beside.print(lines([(texts.STARTING.say(self._lang), "dim")]))

    def _tell(self, reached: Reached, host: Host) -> None:
        sentence = texts.OWN if reached.how == "own" else texts.ATTACHED
        said = sentence.say(self._lang, url=reached.url, log=host.log)
        self._beside.print(lines([(said, "dim")]), soft_wrap=True)

    def _complain(self, sentence: str) -> None:
        self._err.print(lines([(sentence, "red")]), soft_wrap=True)

    async def _close(self, host: Host) -> None:
        if host.has_own and not self._order.question:
            self._beside.print(lines([(texts.ENDING.say(self._lang), "dim")]))
        await asyncio.shield(host.close())

    @contextlib.contextmanager
    def _ended_by_signals(self) -> Iterator[None]:
        """A terminal that is closed, or SIGTERM, ends the chat in order, and with it a server of its own."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def end(number: signal.Signals) -> None:
            self._signal = number
            if task is not None:
                task.cancel()

        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, end, number)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGHUP):
                loop.remove_signal_handler(number)


def _outcome(turn: Turn, seconds: float) -> str:
    """A turn for programs."""
    found = {
        "state": turn.state,
        "text": turn.text,
        "notes": turn.notes,
        "sources": turn.sources,
        "steps": [{"tool": s.tool, "title": s.title, "args": s.args, "state": s.state} for s in turn.steps],
        "model": turn.model,
        "reason": turn.reason,
        "conversation": turn.conversation,
        "turn_id": turn.id,
        "seconds": round(seconds, 3),
    }
    return json.dumps(found, ensure_ascii=False, indent=2)
