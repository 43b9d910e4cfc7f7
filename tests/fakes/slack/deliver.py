"""Delivery of envelopes to the app: an event at least once, in no certain order, until it is acked or given up; a
press, a submitted view and a command once, while a person waits for it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any, Literal

from tests.fakes.slack.config import Config
from tests.fakes.slack.envelope import Envelope
from tests.fakes.slack.http import Answer, Forgery, Poster
from tests.fakes.slack.log import Log
from tests.fakes.slack.socket import Sockets

#: How the app is reached.
Mode = Literal["http", "socket"]


class Deliverer:
    """Sends envelopes to wherever the app is just now; it may go away and come back elsewhere."""

    def __init__(self, log: Log, poster: Poster, sockets: Sockets, config: Callable[[], Config], seed: int) -> None:
        self._log = log
        self._poster = poster
        self._sockets = sockets
        self._config = config
        self._random = random.Random(seed)
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._count = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self.mode: Mode = "http"

    async def stop(self) -> None:
        """Deliver nothing more."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def send(self, envelope: Envelope) -> None:
        """Queue one event, in as many copies as are set; the copies share their event_id."""
        for _ in range(self._config().copies):
            task = asyncio.create_task(self._until_acked(envelope))
            self._tasks[task] = _delivery(envelope)
            self._idle.clear()
            task.add_done_callback(self._done)

    async def ask(self, envelope: Envelope) -> Answer:
        """Deliver something that a person waits for: one attempt, and its answer."""
        self._count += 1
        about = _about(envelope) | {"delivery": f"In{self._count:06d}", "attempt": 0}
        return await self._attempt(envelope, about, reason="")

    async def forge(self, envelope: Envelope, forgery: Forgery) -> int:
        """Post a request that isn't Slack's over HTTP; the status that the app answers."""
        self._log.write("forged", **_about(envelope), forgery=forgery)
        timeout = self._config().ack_timeout
        answer = await self._poster.post(envelope.kind, envelope.payload, timeout=timeout, forged=forgery)
        return answer.status

    async def verify(self) -> bool:
        """Whether the request URL passes Slack's check: it must answer with the challenge it is sent."""
        challenge = f"challenge-{self._random.getrandbits(32):08x}"
        payload = {"token": "deprecated", "challenge": challenge, "type": "url_verification"}
        answer = await self._poster.post("events_api", payload, timeout=self._config().ack_timeout)
        body = answer.body if isinstance(answer.body, dict) else {}
        return answer.why is None and challenge in (body.get("challenge"), body.get("text"))

    async def quiesce(self, timeout: float) -> list[str]:
        """Wait until every event is acked or given up; the event ids that are not after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._idle.wait()
        except TimeoutError:
            pass
        return sorted(set(self._tasks.values()))

    def _done(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if not self._tasks:
            self._idle.set()
        if not task.cancelled():
            # An error in here is a defect of the fake and must be seen.
            task.result()

    async def _until_acked(self, envelope: Envelope) -> None:
        """First delivery and redeliveries: at once, after a minute, after five; then hourly, if that is switched on."""
        config = self._config()
        await asyncio.sleep(config.delay + self._random.random() * config.jitter)
        about = _about(envelope) | {"delivery": _delivery(envelope)}
        attempt, reason = 0, ""
        while True:
            answer = await self._attempt(envelope, about | {"attempt": attempt}, reason)
            config = self._config()
            if answer.why is None and self._random.random() >= config.lost_ack:
                return
            # A lost ack looks to Slack like no answer in time.
            reason = answer.why or ("timeout" if self.mode == "socket" else "http_timeout")
            pause = _pause(config, attempt)
            if answer.final or pause is None:
                self._log.write("given_up", **about, attempts=attempt + 1, why=reason, asked=answer.final)
                return
            attempt += 1
            await asyncio.sleep(pause)

    async def _attempt(self, envelope: Envelope, about: dict[str, Any], reason: str) -> Answer:
        self._log.write("sent", **about)
        timeout, attempt = self._config().ack_timeout, about["attempt"]
        if self.mode == "socket":
            answer = await self._sockets.send(
                envelope.kind, envelope.payload, timeout=timeout, attempt=attempt, reason=reason
            )
        else:
            answer = await self._poster.post(
                envelope.kind, envelope.payload, timeout=timeout, attempt=attempt, reason=reason
            )
        if answer.why is None:
            self._log.write("acked", **about, answer=answer.body, socket=answer.socket)
        else:
            self._log.write("unacked", **about, why=answer.why, status=answer.status, socket=answer.socket)
        return answer


def _pause(config: Config, attempt: int) -> float | None:
    """Seconds before the next redelivery; None: there is none any more."""
    if attempt < len(config.retries):
        return config.retries[attempt] * config.retry_scale
    return config.delayed_every if config.delayed_every > 0 else None


def _delivery(envelope: Envelope) -> str:
    return str(envelope.payload["event_id"])


def _about(envelope: Envelope) -> dict[str, Any]:
    """What the log says of an envelope."""
    event = envelope.payload.get("event", envelope.payload)
    return {
        "envelope": envelope.kind,
        "event": event.get("type") or envelope.payload.get("command", ""),
        "subtype": event.get("subtype", ""),
        "team": envelope.team_id,
        "subject": envelope.subject,
    }
