"""Delivery of events to the bot's webhook: at least once, in no certain order, until each one is acked."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import aiohttp

from tests.fakes.platform.config import Config
from tests.fakes.platform.log import Log


class Deliverer:
    """Sends events to wherever the bot is just now; it may go away and come back at another address."""

    def __init__(self, log: Log, secret: str, seed: int) -> None:
        self._log = log
        self._secret = secret
        self._random = random.Random(seed)
        self._session: aiohttp.ClientSession | None = None
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._count = 0
        self._idle = asyncio.Event()
        self._idle.set()
        #: The bot's webhook; None while there is no bot.
        self.url: str | None = None
        self.config = Config()

    async def stop(self) -> None:
        """Deliver nothing more."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def send(self, event: str, subject: str, body: dict[str, Any]) -> None:
        """Queue one event about the message `subject`, in as many copies as are set; the copies share their delivery
        id."""
        self._count += 1
        delivery = f"Ev{self._count:06d}"
        payload = {"delivery_id": delivery, "kind": event, **body}
        for _ in range(self.config.copies):
            task = asyncio.create_task(self._until_acked(delivery, event, subject, payload))
            self._tasks[task] = delivery
            self._idle.clear()
            task.add_done_callback(self._done)

    async def quiesce(self, timeout: float) -> list[str]:
        """Wait until every event is acked; the delivery ids that are not after `timeout` seconds."""
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

    async def _until_acked(self, delivery: str, event: str, subject: str, payload: dict[str, Any]) -> None:
        await asyncio.sleep(self.config.delay + self._random.random() * self.config.jitter)
        pause = self.config.retry_first
        attempt = 0
        while True:
            attempt += 1
            about = {
                "delivery": delivery,
                "event": event,
                "subject": subject,
                "addressed": payload["addressed"],
                "attempt": attempt,
            }
            self._log.write("sent", **about)
            why, answer = await self._attempt(payload)
            if why is None:
                self._log.write("acked", **about, answer=answer)
                if self._random.random() >= self.config.lost_ack:
                    return
            else:
                self._log.write("unacked", **about, why=why)
            await asyncio.sleep(pause)
            pause = min(pause * 2, self.config.retry_longest)

    async def _attempt(self, payload: dict[str, Any]) -> tuple[str | None, Any]:
        """One delivery: why it failed, or None and what the bot answered."""
        if self.url is None:
            return "nobody there", None
        if self._session is None:
            self._session = aiohttp.ClientSession()
        try:
            async with self._session.post(
                self.url,
                json=payload,
                headers={"X-Fake-Secret": self._secret},
                timeout=aiohttp.ClientTimeout(self.config.ack_timeout),
            ) as response:
                text = await response.text()
                if response.status // 100 != 2:
                    return f"status {response.status}", None
                return None, text
        except TimeoutError:
            return "timed out", None
        except aiohttp.ClientError as error:
            return type(error).__name__, None
