"""Slack's own signs of work in a thread: the status line, and the agent session with its Stop button.

Both are best effort and never waited for. A session that was set to `processing` stays so until somebody ends it, so
whatever may have set it is remembered here, and ended with the reply.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final
from weakref import WeakValueDictionary

from adapters.chat.tasks import OUTSIDE, Tasks
from adapters.slack import texts
from adapters.slack.connection.api import SlackApi
from adapters.slack.connection.clients import Clients
from adapters.slack.replying.abilities import Abilities, Ability
from adapters.slack.replying.thread import persona_of
from bot.messages import Asked, Target
from bot.posting import Refused

log = logging.getLogger(__name__)

#: Slack's word when nobody would hear of a press on its Stop button, which it doesn't show then.
_UNHEARD: Final = "missing_agent_session_stopped_event_subscription"
#: Refusals that say something about the app rather than about this one call.
_LACKING: Final = frozenset(
    {"not_authorized", "missing_scope", "no_permission", "unknown_method", "method_deprecated", "feature_not_enabled"}
    | {"access_denied", "not_allowed", "assistant_not_enabled", "team_access_not_granted"}
)
#: Refusals that say something about the channel.
_NOT_HERE: Final = frozenset({"channel_type_not_supported", "messages_tab_disabled"})
#: Calls of a method that are left for those who need them more: ends of sessions, and other people's buttons.
_SPARE: Final = 4.0
#: Threads that are remembered; replies that this process has lost leave theirs behind.
_MOST: Final = 10_000
#: Seconds for which the end of a session is tried.
_ENDING_S: Final = 60.0


class Signs:
    """One for the process."""

    def __init__(self, clients: Clients, abilities: Abilities, tasks: Tasks) -> None:
        self._clients = clients
        self._abilities = abilities
        self._tasks = tasks
        #: Threads whose session may be `processing`, and whether Slack has said that it is, so that it shows Stop.
        self._processing: dict[str, bool] = {}
        #: So that the end of one turn's session never overtakes, or undoes, the beginning of the next one's.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def begin(self, target: Target, asked: Asked) -> None:
        """Show that we are at work. Raises what the Web API does. To be cancelled when the reply is complete."""
        try:
            await self.say(target, asked)
            await self._begin_session(target)
        except asyncio.CancelledError:
            # The reply was faster, and its end may have overtaken this.
            self.rest(target, silent=False)
            raise

    async def _begin_session(self, target: Target) -> None:
        """Streams make a session by themselves; without one, this is what shows Slack's Stop."""
        api = await self._clients.api(target.workspace)
        if not self._abilities.has(api, "session") or api.left("agents.sessions.setStatus") < _SPARE:
            return
        async with self._lock(target):
            self._mark(target)
            answer = await self._try(api, "session", "agents.sessions.setStatus", target, status="processing")
        if answer is not None:
            self._heard(api, target, answer)

    async def say(self, target: Target, asked: Asked, status: str = "") -> None:
        """Show the status line, with what we are doing where it is known. Slack clears it with the next message."""
        api = await self._clients.api(target.workspace)
        if not self._abilities.has(api, "status"):
            return
        more: dict[str, Any] = {"loading_messages": [status]} if status else {}
        if "chat:write.customize" in api.scopes:
            more |= persona_of(asked)
        await self._try(
            api, "status", "assistant.threads.setStatus", target, status=texts.THINKING.say(asked.lang), **more
        )

    def streams(self, target: Target) -> None:
        """A stream was begun here, which makes a session that is `processing`."""
        self._mark(target)
        self._processing[target.conversation_key] = True

    def can_stop(self, target: Target) -> bool:
        """Whether Slack shows its own Stop in this thread."""
        return self._processing.get(target.conversation_key, False)

    def ended(self, target: Target) -> None:
        """The end of a stream has ended the session, too."""
        self._processing.pop(target.conversation_key, None)

    def rest(self, target: Target, *, silent: bool, resumed: bool = False) -> None:
        """End the signs, behind the caller's back. `silent`: nothing was posted that clears the status line.

        `resumed`: a process before this one may have begun them.
        """
        processing = self._processing.pop(target.conversation_key, None) is not None
        if processing or resumed:
            self._tasks.start("ending a session's status", self._idle(target))
        if silent:
            self._tasks.start("clearing a status", self._clear(target))

    async def _idle(self, target: Target) -> None:
        api = await self._clients.api(target.workspace)
        if not self._abilities.has(api, "session"):
            return
        async with self._lock(target):
            await self._quietly(
                lambda: api.call_patiently(
                    "agents.sessions.setStatus",
                    urgent=True,
                    most_s=_ENDING_S,
                    channel_id=target.channel,
                    thread_ts=target.thread,
                    status="active",
                )
            )

    async def _clear(self, target: Target) -> None:
        api = await self._clients.api(target.workspace)
        if self._abilities.has(api, "status"):
            await self._quietly(lambda: self._try(api, "status", "assistant.threads.setStatus", target, status=""))

    def _mark(self, target: Target) -> None:
        self._processing.setdefault(target.conversation_key, False)
        if len(self._processing) > _MOST:
            del self._processing[next(iter(self._processing))]

    def _lock(self, target: Target) -> asyncio.Lock:
        return self._locks.setdefault(target.conversation_key, asyncio.Lock())

    async def _quietly(self, call: Callable[[], Awaitable[object]]) -> None:
        try:
            await call()
        except OUTSIDE as error:
            log.debug("no sign of work: %s", error)

    async def _try(
        self, api: SlackApi, ability: Ability, method: str, target: Target, **arguments: Any
    ) -> dict[str, Any] | None:
        """One call; None where the workspace or the channel doesn't offer it, which is remembered."""
        if not self._abilities.has(api, ability, target.channel):
            return None
        try:
            return await api.call(method, channel_id=target.channel, thread_ts=target.thread, **arguments)
        except Refused as refused:
            if refused.code not in _LACKING | _NOT_HERE:
                raise
            self._abilities.lacks(api, ability, "" if refused.code in _LACKING else target.channel)
            return None

    def _heard(self, api: SlackApi, target: Target, answer: dict[str, Any]) -> None:
        """Slack shows its Stop, unless it says that nobody would hear of it."""
        if _UNHEARD in str(answer.get("warning") or ""):
            self._abilities.lacks(api, "stop")
        if target.conversation_key in self._processing:
            self._processing[target.conversation_key] = self._abilities.has(api, "stop")
