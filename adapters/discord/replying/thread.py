"""The REST API as a reply uses it: the messages of one conversation, in a channel, a thread or direct messages."""

from __future__ import annotations

import logging
from base64 import b32encode
from collections.abc import Awaitable, Callable
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

from adapters.chat.abilities import Abilities
from adapters.chat.pacing import Bucket
from adapters.discord import limits
from adapters.discord.asking.handing_out import attached
from adapters.discord.connection.rest import DiscordRefused, Rest
from adapters.discord.errors import GONE_CODES, PERMISSION_CODES
from adapters.discord.hearing.parse import DIRECT
from adapters.discord.replying.doing import Ability
from adapters.discord.replying.look import Look
from adapters.discord.replying.opening import Opening
from adapters.discord.replying.own import BESIDE, OF_JOB, OF_TURN, Sent, answers_beside, is_jobs, is_turns, list_own
from adapters.discord.replying.persona import Hook, Personas
from bot.messages import Asked, Target
from bot.ports import Ledger
from bot.posting import Own, Refused, RetryLater

log = logging.getLogger(__name__)

#: A message can't be changed any more; a new one has to take its place: it is gone, too old, or of a webhook that is.
LOST: Final = frozenset({"10008", "10015", "30046", "50005", "50021", "50027"})
#: Of these: it is too old to be changed so often.
TOO_OLD: Final = "30046"

#: The thread is archived, so its messages can't be changed; of a new one, which would wake it up, that it is locked.
_ARCHIVED: Final = "50083"
_LOCKED: Final = "160005"
#: A reply may not say to what: we may not read what was said before.
_NO_REFERENCE: Final = "160002"
#: The webhook is gone, or somebody else's by now.
_NO_HOOK: Final = frozenset({"10015", "50027"})
#: What a webhook may not, but we may: post here, under this name.
_NO_PERSONA: Final = frozenset({"50001", "50013", "50035", "220001", "220003"})

_CREATE: Final = "/channels/{channel_id}/messages"
_CHANGE: Final = "/channels/{channel_id}/messages/{message_id}"
_CREATE_AS: Final = "/webhooks/{webhook_id}/{webhook_token}"
_CHANGE_AS: Final = "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}"


class Thread:
    """Where one reply goes. What it offers raises what `bot.posting` names; every call to Discord after the first of a
    method is preceded by a check of the lease.
    """

    def __init__(
        self,
        rest: Rest,
        abilities: Abilities[Ability],
        personas: Personas,
        target: Target,
        asked: Asked,
        ledger: Ledger | None = None,
    ) -> None:
        """`ledger`: None for looking alone."""
        self._rest = rest
        self._abilities = abilities
        self._personas = personas
        self._asked = asked
        self._ledger = ledger
        self.target = target
        sent = [Sent.of(part.external_id) for part in (ledger.parts if ledger else ()) if part.external_id]
        has_thread = any(each.place == target.thread for each in sent)
        self._opening = Opening(rest, abilities, target, asked, self._check, opened=has_thread)
        #: Whether the reply is in the channel although its conversation is a thread.
        self._beside = target.thread is not None and any(each.place == target.channel for each in sent)
        self._to_asker = False
        #: Nonces of calls with an unknown outcome.
        self._doubtful: set[str] = set()
        #: How many messages of ours are known to have gone: a nonce of theirs would bring them back.
        self._gone = 0
        #: Whether the channel's webhook was found gone once.
        self._unhooked = False

    @property
    def place(self) -> str:
        """Where messages go, as far as is known."""
        return self.target.channel if self._beside else self.target.thread or self.target.channel

    @property
    def is_direct(self) -> bool:
        """Whether nobody but the asker is there."""
        return self.target.workspace == DIRECT

    def to_asker(self) -> None:
        """What comes is for the asker alone, where nobody can be told alone: it replies to the question and opens no
        thread."""
        self._to_asker = True
        self._beside = self._beside or not self._opening.is_open

    # What the budget has, for pacing.

    def posts(self) -> float:
        """Messages that could be posted right now without waiting."""
        method, path, ids = self._post_route()
        return self._rest.left(method, path, **ids)

    def post_wait(self) -> float:
        """Seconds until one could be; 0 now."""
        method, path, ids = self._post_route()
        return self._rest.wait(method, path, **ids)

    def edits(self) -> Bucket:
        """Out of which messages are edited: those of a webhook's threads share one."""
        hook, route = self._hook_in_use(), ("PATCH", _CHANGE)
        ids = {"channel_id": self.place}
        if hook is not None:
            route, ids = ("PATCH", _CHANGE_AS), {"webhook_id": hook.id, "webhook_token": hook.token}
        return Bucket(
            hook.id if hook is not None else self.place,
            self._rest.left(*route, **ids),
            self._rest.seconds_per_call(*route, **ids),
            self._rest.wait(*route, **ids),
        )

    def _post_route(self) -> tuple[str, str, dict[str, str]]:
        hook = self._hook_in_use()
        if hook is None:
            return "POST", _CREATE, {"channel_id": self.place}
        return "POST", _CREATE_AS, {"webhook_id": hook.id, "webhook_token": hook.token}

    # Messages.

    async def post(self, look: Look, position: int, *, urgent: bool) -> str:
        """Create a message, in a thread that is opened first if that hasn't happened; its id."""
        self._beside = self._beside or not await self._opening.open(urgent)
        place = self.place
        try:
            hook = await self._hook()
            if hook is not None:
                return await self._post_as(hook, place, look, urgent)
            return await self._post(place, look, position, urgent)
        except Refused as refused:
            if refused.code == _ARCHIVED:
                raise _locked(refused) from None
            if not (self._opening.is_new and refused.code in PERMISSION_CODES) or look.pictures:
                # With pictures it may be these that we may not post.
                raise
            # We may open threads here, but not write in them.
            self._opening.lacks(refused)
            self._beside = True
            self._check()
            await self._opening.remove()
            raise RetryLater(0.0) from refused

    async def edit(self, external_id: str, look: Look, position: int, *, urgent: bool) -> None:
        """Replace all that a message shows."""
        sent = Sent.of(external_id)
        content = look.content
        # What isn't given stays; flags are those that it was created with.
        content.pop("flags")
        body = {"attachments": [], **content}
        await self._awake(sent, lambda: self._change("PATCH", sent, urgent, json=body, files=attached(look.attached)))

    async def delete(self, external_id: str) -> None:
        """Delete a message; one that is gone already is no error."""
        sent = Sent.of(external_id)
        self._gone += 1
        try:
            await self._awake(sent, lambda: self._change("DELETE", sent, urgent=True))
        except Refused as refused:
            if refused.code in _NO_HOOK and sent.hook:
                # It is nobody's now; only who manages messages can delete it.
                self._check()
                await self._delete_orphan(sent)
            elif refused.code not in GONE_CODES | {"10008"}:
                raise

    async def list_own(self, since: datetime) -> list[Own]:
        """Our messages of turns (or, for a job, of jobs) in this conversation, from `since` on."""
        target = self.target
        is_job = self._ledger is not None and self._ledger.is_job
        try:
            found = await list_own(self._rest, target.thread or target.channel, since, is_jobs if is_job else is_turns)
        except Refused as refused:
            # It was never opened, or is gone.
            if target.thread is None or refused.code not in GONE_CODES:
                raise
            found = []
        if target.thread is None or is_job or not (self._opening.is_ours or self._ledger is None):
            return found
        return found + await self._listed_beside(target.thread, since)

    async def tidy_up(self) -> None:
        """After the reply was taken back: see `Opening.tidy_up`."""
        if not self._beside:
            await self._opening.tidy_up()

    # Inside.

    def _check(self) -> None:
        if self._ledger is not None:
            self._ledger.check()

    async def _post(self, place: str, look: Look, position: int, urgent: bool) -> str:
        nonce = self._nonce(position)
        body = {**look.content, "flags": self._flags, "nonce": nonce, **self._reference(position)}
        try:
            message = await self._rest.call(
                "POST", _CREATE, urgent=urgent, json=body, files=attached(look.attached), channel_id=place
            )
        except RetryLater:
            raise
        except Refused as refused:
            if refused.code != _NO_REFERENCE or "message_reference" not in body:
                raise
            self._abilities.lacks(self._rest, "reply", self.target.channel)
            raise RetryLater(0.0) from refused
        except BaseException:
            self._doubtful.add(nonce)
            raise
        external_id = str(Sent(place, str(message["id"])))
        if nonce in self._doubtful or (self._ledger is not None and self._ledger.resumed):
            # Discord may have given back what an earlier call with the same nonce has made, which may look otherwise.
            await self._make_sure(external_id, look, position, urgent)
        return external_id

    async def _make_sure(self, external_id: str, look: Look, position: int, urgent: bool) -> None:
        """Give a message that may have been there before the look that it shall have."""
        self._check()
        try:
            await self.edit(external_id, look, position, urgent=urgent)
        except Refused as refused:
            if refused.code not in LOST:
                raise
            # It was there, and somebody deleted it.
            self._gone += 1
            raise RetryLater(0.0) from refused

    async def _post_as(self, hook: Hook, place: str, look: Look, urgent: bool) -> str:
        """Create a message under the profile's name."""
        body = {**look.content, "flags": self._flags, **await self._personas.face(self._asked)}
        params = {"wait": "true", "with_components": "true"} | self._in_thread(place)
        self._check()
        try:
            message = await self._rest.call(
                "POST",
                _CREATE_AS,
                urgent=urgent,
                json=body,
                params=params,
                files=attached(look.attached),
                webhook_id=hook.id,
                webhook_token=hook.token,
            )
        except Refused as refused:
            if refused.code in _NO_HOOK and not self._unhooked:
                self._unhooked = True
                self._personas.forget(hook.id)
            elif refused.code in _NO_PERSONA | _NO_HOOK:
                self._personas.lacks(self.target.channel)
            else:
                raise
            raise RetryLater(0.0) from refused
        return str(Sent(place, str(message["id"]), hook.id))

    async def _change(self, method: str, sent: Sent, urgent: bool, **more: Any) -> None:
        """One call about a message, as whoever wrote it."""
        if not sent.hook:
            await self._rest.call(
                method, _CHANGE, urgent=urgent, channel_id=sent.place, message_id=sent.message, **more
            )
            return
        token = await self._personas.token(sent.hook)
        params = {"with_components": "true"} if method == "PATCH" else {}
        try:
            await self._rest.call(
                method,
                _CHANGE_AS,
                urgent=urgent,
                params=params | self._in_thread(sent.place),
                webhook_id=sent.hook,
                webhook_token=token,
                message_id=sent.message,
                **more,
            )
        except Refused as refused:
            if refused.code in _NO_HOOK:
                self._personas.forget(sent.hook)
            raise

    async def _awake(self, sent: Sent, call: Callable[[], Awaitable[None]]) -> None:
        """Make a call about a message; in an archived thread, which takes none, after waking it up."""
        try:
            return await call()
        except Refused as refused:
            if refused.code != _ARCHIVED:
                raise
        self._check()
        try:
            await self._rest.call(
                "PATCH", "/channels/{channel_id}", urgent=True, json={"archived": False}, channel_id=sent.place
            )
        except Refused as refused:
            raise _locked(refused) if refused.code in PERMISSION_CODES else refused from None
        self._check()
        await call()

    async def _delete_orphan(self, sent: Sent) -> None:
        try:
            await self._rest.call("DELETE", _CHANGE, channel_id=sent.place, message_id=sent.message, urgent=True)
        except Refused as refused:
            if refused.code not in GONE_CODES | {"10008"}:
                log.warning("a message stays whose webhook is gone: %s", refused)

    async def _hook(self) -> Hook | None:
        """The webhook to post through; None where the message is the bot's own."""
        if not self._may_wear():
            return None
        return await self._personas.hook(self.target.channel, self._check)

    def _hook_in_use(self) -> Hook | None:
        if not self._may_wear():
            return None
        return self._personas.known(self.target.channel)

    def _may_wear(self) -> bool:
        """Whether the profile's name is for this reply: not where it has to refer to the question, which a webhook's
        messages can't."""
        is_own = self.is_direct or self._beside or self._to_asker or (self._ledger is not None and self._ledger.is_job)
        return not is_own and self._personas.wanted(self._asked, self.target.channel)

    def _in_thread(self, place: str) -> dict[str, str]:
        return {} if place == self.target.channel else {"thread_id": place}

    def _nonce(self, position: int) -> str:
        """The same in every attempt at this part, and of no other message: not of another server of ours that numbers
        its turns anew, nor of one that is gone."""
        turn = self._ledger.nonce if self._ledger is not None else ""
        whole = f"{turn}/{position}/{self._gone}/{self.target.conversation_key}/{self._asked.message_id}"
        tag = b32encode(blake2b(whole.encode(), digest_size=15).digest()).decode().lower()
        readable = f"{turn}.{position}."
        room = limits.NONCE - len(readable)
        # With few letters of it two might be the same.
        return f"{readable}{tag[:room]}" if room >= 4 else tag[: limits.NONCE]

    @property
    def _flags(self) -> int:
        if self._ledger is not None and self._ledger.is_job:
            return OF_JOB
        return BESIDE if self._beside else OF_TURN

    def _reference(self, position: int) -> dict[str, Any]:
        """What it replies to. In a thread what was asked is right above."""
        question, target = self._asked.message_id, self.target
        if not question or not self._abilities.has(self._rest, "reply", target.channel):
            return {}
        # Beside its conversation, by this alone a message is known to belong to it.
        if not (self._beside or (position == 0 and (target.thread is None or self._to_asker))):
            return {}
        return {"message_reference": {"message_id": question, "fail_if_not_exists": False}}

    async def _listed_beside(self, question: str, since: datetime) -> list[Own]:
        """Messages of this conversation in the channel, where its thread couldn't be opened."""

        try:
            return await list_own(self._rest, self.target.channel, since, lambda one: answers_beside(one, question))
        except Refused:
            # A forum has no messages of its own.
            return []


def _locked(refused: Refused) -> DiscordRefused:
    """Moderators have locked the thread: the same refusal, with the code whose sentence says so."""
    locked = DiscordRefused(_LOCKED, 403)
    if isinstance(refused, DiscordRefused):
        locked.method, locked.path, locked.channel = refused.method, refused.path, refused.channel
    return locked
