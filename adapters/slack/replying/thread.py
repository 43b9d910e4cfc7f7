"""The Web API as a reply uses it: the messages of one thread, or, of a job, in a channel itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from adapters.chat.parts import PRIVATE
from adapters.slack.connection.api import SlackApi
from adapters.slack.connection.clients import Clients
from adapters.slack.hearing.parse import time_of
from adapters.slack.replying.abilities import Abilities
from adapters.slack.replying.look import Look
from agent.profile import Profile
from bot.messages import Asked, Target
from bot.posting import Own, Refused, RetryLater

Chunk = dict[str, Any]

#: `event_type` of the metadata of all messages of a turn, and of a job.
TURN_EVENT: Final = "kagentbot_turn"
JOB_EVENT: Final = "kagentbot_job"
#: Messages asked for at once: the most that Slack gives (slack 2.1).
_PAGE: Final = 1_000
_EMOJI: Final = re.compile(r":[^\s:]{1,100}:$")
#: Longest name that a message is shown under; Slack cuts what is longer.
_NAME: Final = 80
#: The name that a profile has while nobody has chosen one.
_UNNAMED: Final = Profile().agent_name
_MICROSECOND: Final = timedelta(microseconds=1)


class Thread:
    """One thread of one conversation. Every method is one call (listing: one per page) and raises what `bot.posting`
    names. `urgent`: for the end of an answer, see `SlackApi.call`.
    """

    def __init__(
        self,
        clients: Clients,
        abilities: Abilities,
        target: Target,
        asked: Asked,
        nonce: str,
        *,
        is_job: bool = False,
    ) -> None:
        """`nonce`: of the turn, or of the job if `is_job`."""
        self._clients = clients
        self._abilities = abilities
        self._channel = target.channel
        self._asked = asked
        self._nonce = nonce
        self._is_job = is_job
        self.target = target

    @property
    def is_direct(self) -> bool:
        """Whether nobody but the asker is there."""
        return self._channel.startswith("D")

    async def api(self) -> SlackApi:
        """The workspace's API, looked up anew: the app may have been installed again."""
        return await self._clients.api(self.target.workspace)

    async def post(self, look: Look, position: int, *, urgent: bool) -> str:
        """Create a message; its id."""
        answer = await self._create(
            "chat.postMessage",
            urgent=urgent,
            metadata=self._metadata(position),
            unfurl_links=False,
            unfurl_media=False,
            **look.content,
        )
        return str(answer["ts"])

    async def whisper(self, look: Look) -> str:
        """Create a message that only the asker sees; its id, which is good for nothing."""
        # Slack shows such a message in a thread only where the thread has replies; it has none when the question began
        # it (docs.slack.dev, chat.postEphemeral).
        began = self.target.thread == self._asked.message_id
        place = {} if began else {"thread_ts": self.target.thread}
        api = await self.api()
        answer = await api.call(
            "chat.postEphemeral",
            channel=self._channel,
            urgent=True,
            user=self._asked.author.id,
            **place,
            **look.content,
        )
        return f"{PRIVATE}{answer['message_ts']}"

    async def has_recipient(self) -> bool:
        """Whether Slack can be told whom a stream is for, as it demands in channels."""
        user, team = await self._recipient()
        return self.is_direct or bool(user and team)

    async def start(self, chunks: Sequence[Chunk]) -> str:
        """Create a message that can be appended to; its id."""
        user, team = await self._recipient()
        recipient = {"recipient_user_id": user, "recipient_team_id": team} if user and team else {}
        answer = await self._create(
            "chat.startStream",
            urgent=False,
            **recipient,
            task_display_mode="timeline",
            chunks=list(chunks),
        )
        return str(answer["ts"])

    async def append(self, ts: str, chunks: Sequence[Chunk]) -> None:
        """Add to a stream. Not to be repeated when the outcome is unknown."""
        api = await self.api()
        await api.call("chat.appendStream", channel=self._channel, ts=ts, chunks=list(chunks))

    async def stop(
        self, ts: str, position: int, *, session: str, chunks: Sequence[Chunk] = (), look: Look | None = None
    ) -> None:
        """End a stream, with what it lacks and the buttons of `look`; the session's status is `session` then."""
        more: dict[str, Any] = {"chunks": list(chunks)} if chunks else {}
        if look is not None and look.below:
            more["blocks"] = list(look.below)
        api = await self.api()
        await api.call(
            "chat.stopStream",
            channel=self._channel,
            urgent=True,
            ts=ts,
            metadata=self._metadata(position),
            session_status=session,
            **more,
        )

    async def edit(self, ts: str, look: Look, position: int, *, urgent: bool) -> None:
        """Replace all that a message shows."""
        api = await self.api()
        await api.call(
            "chat.update",
            channel=self._channel,
            urgent=urgent,
            ts=ts,
            metadata=self._metadata(position),
            **look.blocks,
        )

    async def delete(self, external_id: str) -> None:
        """Delete a message; one that is gone already is no error, and one that only the asker sees goes by itself."""
        if external_id.startswith(PRIVATE):
            return
        api = await self.api()
        try:
            await api.call("chat.delete", channel=self._channel, urgent=True, ts=external_id)
        except Refused as refused:
            if refused.code != "message_not_found":
                raise

    async def list_own(self, since: datetime) -> list[Own]:
        """Our messages of turns in this thread (of a job: its own), from `since` on; not the private ones, which Slack
        doesn't list."""
        api = await self.api()
        return [
            Own(str(message["ts"]), time_of(str(message["ts"])))
            for message in await messages_of(api, self.target, oldest=since)
            if self._is_wanted(message, api) and time_of(str(message["ts"])) >= since
        ]

    async def _create(self, method: str, *, urgent: bool, **arguments: Any) -> dict[str, Any]:
        """One creating call, as the profile's persona where that is granted."""
        api = await self.api()
        arguments |= {"thread_ts": self.target.thread}
        persona = self._persona(api)
        try:
            return await api.call(method, channel=self._channel, urgent=urgent, **persona, **arguments)
        except Refused as refused:
            if not persona or refused.code != "missing_scope":
                raise
            # Taken away since the installation.
            self._abilities.lacks(api, "persona")
            raise RetryLater(0.0) from refused

    def _persona(self, api: SlackApi) -> dict[str, str]:
        """Under which name and icon a message appears."""
        if "chat:write.customize" not in api.scopes or not self._abilities.has(api, "persona"):
            return {}
        return persona_of(self._asked)

    async def _recipient(self) -> tuple[str, str]:
        """Whom a stream is for, and their own workspace; "" unknown."""
        author = self._asked.author
        if author.kind == "bot":
            return "", ""
        api = await self.api()
        return author.id, author.team or api.team_id

    def _metadata(self, position: int) -> dict[str, Any]:
        if self._is_job:
            return {"event_type": JOB_EVENT, "event_payload": {"job": self._nonce, "part": position}}
        return {"event_type": TURN_EVENT, "event_payload": {"turn": self._nonce, "part": position}}

    def _is_wanted(self, message: dict[str, Any], api: SlackApi) -> bool:
        return _is_of_job(message, api, self._nonce) if self._is_job else _is_turns(message, api)


def persona_of(asked: Asked) -> dict[str, str]:
    """The profile's name and icon as Slack's arguments; an icon that is neither an emoji's name nor an address is
    left out, and so is a name that nobody has chosen: people know the app by its own."""
    persona = {"username": asked.name[:_NAME]} if asked.name and asked.name != _UNNAMED else {}
    if asked.icon.startswith("https://"):
        return persona | {"icon_url": asked.icon}
    return persona | {"icon_emoji": asked.icon} if _EMOJI.match(asked.icon) else persona


async def messages_of(api: SlackApi, target: Target, **bounds: datetime) -> list[dict[str, Any]]:
    """A thread's messages as Slack lists them, oldest first, its root included; [] where there is no such thread (any
    more). Without a thread those of the channel, which are not in its threads. `bounds`: `oldest` and `latest`,
    inclusive.
    """
    method = "conversations.history"
    of: dict[str, Any] = {}
    if target.thread is not None:
        method, of = "conversations.replies", {"ts": target.thread}
    found: dict[str, dict[str, Any]] = {}
    asked: dict[str, Any] = {name: ts_of(at) for name, at in bounds.items()}
    while True:
        try:
            page = await api.call(
                method,
                channel=target.channel,
                **of,
                limit=_PAGE,
                inclusive=True,
                include_all_metadata=True,
                **asked,
            )
        except Refused as refused:
            if refused.code == "thread_not_found":
                return []
            raise
        # The root is on every page.
        found |= {str(message["ts"]): message for message in page.get("messages") or () if message.get("ts")}
        cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            return [found[ts] for ts in sorted(found, key=time_of)]
        asked["cursor"] = cursor


def ts_of(at: datetime) -> str:
    """A time as Slack writes it, exact to the microsecond; for what is before Slack's time, 0."""
    micros = (at - datetime.fromtimestamp(0, UTC)) // _MICROSECOND
    return f"{max(0, micros) // 1_000_000}.{max(0, micros) % 1_000_000:06d}"


def is_ours(message: dict[str, Any], api: SlackApi) -> bool:
    """Whether our bot wrote a listed message."""
    bot = message.get("bot_id")
    return message.get("user") == api.bot_user_id or (bool(bot) and bot == api.bot_id)


def _is_turns(message: dict[str, Any], api: SlackApi) -> bool:
    """Whether a listed message is one of ours that belongs to a turn: what says so, or says nothing, as a stream does
    before its end, and is no file that was handed to somebody."""
    kind = (message.get("metadata") or {}).get("event_type")
    return is_ours(message, api) and (kind == TURN_EVENT or (not kind and not message.get("files")))


def _is_of_job(message: dict[str, Any], api: SlackApi, nonce: str) -> bool:
    """Whether this job has posted a listed message: another may be at work in the same place."""
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") or {}
    return is_ours(message, api) and metadata.get("event_type") == JOB_EVENT and payload.get("job") == nonce
