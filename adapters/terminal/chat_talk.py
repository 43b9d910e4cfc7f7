"""One conversation with a server: questions out, their turns shown until they are over, whatever happens to the server.

The server keeps every accepted question and shows complete pictures of turns, so after any gap it is enough to find it
again, send what was not confirmed once more under the same id, and look at the turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from aiohttp import ClientSession

from adapters.terminal import chat_texts as texts
from adapters.terminal.chat_host import Host, Reached
from adapters.terminal.chat_shapes import Consent, Turn
from adapters.terminal.chat_view import View
from adapters.terminal.client import Away, Client, Refused, pause
from agent.language import Lang

#: Seconds within which a second Ctrl-C leaves the chat.
LEAVE_S = 2.0
#: Seconds without the server of which nobody needs to hear: a proxy that cuts streams, a connection made anew.
_UNNOTICED_S = 0.4

T = TypeVar("T")


class Leave(Exception):
    """The person wants to leave the chat."""


class GaveUp(Exception):
    """The person won't wait any longer for a server that has gone."""

    def __init__(self, kept: bool) -> None:
        super().__init__(f"question kept: {kept}")
        #: Whether the server had confirmed the question.
        self.kept = kept


class Interrupts:
    """Ctrl-C, counted. `pressed` is called for each one."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[float] = asyncio.Queue()
        self._last = float("-inf")
        #: Whether there was any.
        self.any = False

    def pressed(self) -> None:
        self.any = True
        self._waiting.put_nowait(time.monotonic())

    async def next(self) -> bool:
        """Waits for a Ctrl-C; True if it is the second one within two seconds."""
        at = await self._waiting.get()
        second = at - self._last < LEAVE_S
        self._last = at
        return second


class Talk:
    """A conversation, and the server that has it."""

    def __init__(self, host: Host, session: ClientSession, lang: Lang) -> None:
        self._host = host
        self._session = session
        self._lang: Lang = lang
        self._client: Client | None = None
        #: The conversation; None: the next question begins one.
        self.key: str | None = None
        #: The model that a new conversation begins with; "" for the server's choice.
        self.model = ""
        #: The turn that was shown last.
        self.last: Turn | None = None
        #: The turn that is being followed.
        self._turn_id: int | None = None
        self._stop_wanted = False
        self._jobs: set[asyncio.Task[None]] = set()
        self._reached: Reached | None = None
        #: Since when the server doesn't answer, how it was reached before, how often it was looked for.
        self._gone: float | None = None
        self._before: Reached | None = None
        self._attempt = 0
        #: Whether the person was told so, and what will tell them.
        self._away = False
        self._alarm: asyncio.TimerHandle | None = None

    async def connect(self, starting: Callable[[], None]) -> Reached:
        """Find the server, or start one and say so before. Raises `HostError`."""
        self._reached = await self._host.reach(starting)
        self._client = Client(self._session, self._reached.url, self._reached.token, self._lang)
        return self._reached

    @property
    def client(self) -> Client:
        """The server. Only after `connect`."""
        if self._client is None:
            raise RuntimeError("not connected")
        return self._client

    async def call(self, work: Callable[[Client], Awaitable[T]]) -> T:
        """One request; a server that has gone is looked for once. Raises `Away`, `Refused` or `HostError`."""
        try:
            if self._gone is None:
                return await work(self.client)
        except Away:
            self._gone = time.monotonic()
        client = await self._found()
        found = await work(client)
        self._gone = None
        return found

    # --- Turns

    async def ask(self, question: str, view: View, interrupts: Interrupts) -> Turn:
        """Ask, and show the turn until it is over. Raises `Refused`, `HostError`, `Leave` or `GaveUp`."""
        message_id = uuid.uuid4()

        async def asked() -> Turn:
            key, model = self.key, self.model
            posted = await self._steadily(lambda: self.client.post(question, key, message_id, model), view)
            self.key, self.model = posted.conversation, ""
            if posted.turn_id is None:
                raise Refused(410, "deleted", texts.WITHDRAWN.say(self._lang))
            return await self._follow(posted.turn_id, view, interrupts)

        return await self._stoppable(asked(), view, interrupts)

    async def retry(self, turn: Turn, view: View, interrupts: Interrupts) -> Turn:
        """Let a failed or stopped turn be answered again. Raises as `ask` does."""

        async def asked() -> Turn:
            return await self._follow(await self.client.retry(turn.id), view, interrupts)

        return await self._stoppable(asked(), view, interrupts)

    async def watch(self, turn: Turn, view: View, interrupts: Interrupts) -> Turn:
        """Show a turn that is going on already. Raises as `ask` does."""
        return await self._stoppable(self._follow(turn.id, view, interrupts), view, interrupts)

    async def _stoppable(self, work: Coroutine[Any, Any, Turn], view: View, interrupts: Interrupts) -> Turn:
        """Ctrl-C stops the turn, a second one within two seconds leaves the chat."""
        self._turn_id, self._stop_wanted = None, False
        task = asyncio.create_task(work)
        pressed = asyncio.create_task(interrupts.next())
        try:
            while True:
                await asyncio.wait({task, pressed}, return_when=asyncio.FIRST_COMPLETED)
                if task.done():
                    self.last = task.result()
                    return self.last
                if pressed.result():
                    raise Leave
                if self._away:
                    raise GaveUp(self._turn_id is not None)
                view.stopping()
                self._stop_wanted = True
                self._ask_to_stop()
                pressed = asyncio.create_task(interrupts.next())
        finally:
            if self._alarm is not None:
                self._alarm.cancel()
            self._away = False
            pressed.cancel()
            for job in (task, *self._jobs):
                job.cancel()
            await asyncio.gather(task, *self._jobs, return_exceptions=True)

    def _ask_to_stop(self) -> None:
        turn_id = self._turn_id
        if turn_id is None:
            # As soon as the question has become a turn.
            return

        async def stop() -> None:
            # If it can't be told now, it is told when the server is back. What is refused is over, or was deleted.
            with contextlib.suppress(Away, Refused):
                await self.client.stop(turn_id)

        job = asyncio.create_task(stop())
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)

    async def _follow(self, turn_id: int, view: View, interrupts: Interrupts) -> Turn:
        """Show the turn, or the one that its question was merged into, until it is over."""
        self._turn_id = turn_id
        turn = await self._steadily(lambda: self._watched(turn_id, view, interrupts), view)
        if turn.state in ("merged", "superseded") and turn.merged_into is not None:
            return await self._follow(turn.merged_into, view, interrupts)
        view.end(turn)
        return turn

    async def _watched(self, turn_id: int, view: View, interrupts: Interrupts) -> Turn:
        """One connection's worth of the turn. Raises `Away` if that ends first."""
        if self._stop_wanted:
            self._ask_to_stop()
        # By its row first: a turn that is over may not be in the stream any more, and the row knows the conversation.
        turn = await self.client.turn(turn_id)
        self.key = turn.conversation
        consents = _Consents(self.client, view, interrupts)
        try:
            async with self.client.pictures(turn.conversation) as pictures:
                turn = await self.client.turn(turn_id)
                self._arrived(view)
                while turn.live:
                    view.show(turn)
                    await consents.see(turn)
                    turn = await _next_picture(pictures, turn)
        finally:
            await consents.close()
        return turn

    # --- A server that goes away

    async def _steadily(self, work: Callable[[], Awaitable[T]], view: View) -> T:
        """Do it; while the server is away, look for it and do it again. Raises `HostError` if it can't come back."""
        while True:
            try:
                if self._gone is not None:
                    await self._found()
                found = await work()
            except Away:
                await self._missed(view)
            else:
                self._arrived(view)
                return found

    async def _found(self) -> Client:
        """The server, once more. Raises `Away` or `HostError`."""
        gone_for = time.monotonic() - self._gone if self._gone is not None else 0.0
        self._reached = await self._host.again(gone_for)
        self._client = Client(self._session, self._reached.url, self._reached.token, self._lang)
        return self._client

    async def _missed(self, view: View) -> None:
        if self._gone is None:
            self._gone = time.monotonic()
            self._before = self._reached
            self._alarm = asyncio.get_running_loop().call_later(_UNNOTICED_S, self._announce, view)
        await pause(self._attempt)
        self._attempt += 1

    def _announce(self, view: View) -> None:
        self._away = True
        view.away()

    def _arrived(self, view: View) -> None:
        """The server answers."""
        if self._alarm is not None:
            self._alarm.cancel()
        if self._away:
            how = self._reached and self._reached.how
            took_over = how == "own" and how != (self._before and self._before.how)
            view.back((texts.BACK_OWN if took_over else texts.BACK).say(self._lang, log=self._host.log))
        self._gone, self._attempt, self._away, self._alarm = None, 0, False, None


async def _next_picture(pictures: AsyncIterator[Turn], known: Turn) -> Turn:
    """The next newer picture of this turn. Raises `Away` when the stream ends."""
    async for picture in pictures:
        if picture.id == known.id and picture.replaces(known):
            return picture
    raise Away("the stream ended")


class _Consents:
    """Asks the person what a turn waits for; takes the question back when somebody else has answered it."""

    def __init__(self, client: Client, view: View, interrupts: Interrupts) -> None:
        self._client = client
        self._view = view
        self._interrupts = interrupts
        self._key: str | None = None
        self._asking: asyncio.Task[None] | None = None

    async def see(self, turn: Turn) -> None:
        """Look at a picture of the turn."""
        wanted = turn.consent.key if turn.consent else None
        if wanted == self._key:
            return
        await self.close()
        self._key = wanted
        if turn.consent is not None:
            self._asking = asyncio.create_task(self._ask(turn.id, turn.consent))

    async def close(self) -> None:
        """Ask nothing any more."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
            self._asking = None

    async def _ask(self, turn_id: int, consent: Consent) -> None:
        try:
            allow = await self._view.allow(consent)
        except (KeyboardInterrupt, EOFError):
            self._interrupts.pressed()
            return
        # Said too late, or while the server is away: after the next connection it is asked again, if it is still open.
        with contextlib.suppress(Away, Refused):
            await self._client.decide(turn_id, consent.key, allow)
