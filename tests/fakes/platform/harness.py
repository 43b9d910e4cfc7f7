"""Start and stop the fake in a test, play the people in it, and read what happened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tests.fakes.hosting import Hosted
from tests.fakes.platform.judge import Reply, Report, judge, replies
from tests.fakes.platform.log import load
from tests.fakes.platform.replay import Replay
from tests.fakes.platform.rules import Place, RuleError

TOKEN = "fake-token"
SECRET = "fake-secret"


class Said(NamedTuple):
    """A question that carries a marker."""

    id: str
    marker: str


class FakePlatform(Hosted[Replay]):
    """The platform in its own process. Use as an async context manager.

    `faults` and `settings` are those of `faults.FAULTS` and `config.Config`; they hold until `set` changes them.
    """

    def __init__(
        self, log: Path | None = None, *, seed: int = 1, faults: dict[str, float] | None = None, **settings: Any
    ) -> None:
        words = [f"--seed={seed}", f"--token={TOKEN}", f"--secret={SECRET}"]
        super().__init__("platform", log, Replay(), words, settings | ({"faults": faults} if faults else {}))
        self._asked = 0
        self.token = TOKEN
        self.secret = SECRET

    # What people and the world do.

    async def say(
        self, place: Place, text: str, *, author: str = "U1", addressed: bool = True, sent_at: float | None = None
    ) -> str:
        """A person writes exactly this; the message's id. `sent_at` is the platform's time, where it matters."""
        said = await self.control(
            "say", **place._asdict(), author=author, text=text, addressed=addressed, sent_at=sent_at
        )
        return str(said["message"])

    async def ask(self, place: Place, text: str, **how: Any) -> Said:
        """A person writes this with a marker of its own at the end."""
        self._asked += 1
        marker = f"[m:{self._asked}]"
        return Said(await self.say(place, f"{text} {marker}", **how), marker)

    async def edit(self, message: str, text: str, *, addressed: bool = True) -> None:
        """The author changes a message."""
        await self.control("edit", message=message, text=text, addressed=addressed)

    async def delete(self, message: str) -> None:
        """The author deletes a message; a message of the bot is deleted by a moderator, and the bot isn't told."""
        await self.control("delete", message=message)

    async def press_stop(self, message: str, by: str = "U1") -> None:
        """A person presses Stop on a message of the bot. Raises `RuleError` when it has no such button (any more)."""
        await self.control("stop", message=message, by=by)

    async def bot(self, url: str | None) -> None:
        """The bot's webhook is here from now on (None: nowhere)."""
        await self.control("bot", url=url)

    async def script(self, method: str, fault: str, *, skip: int = 0, times: int = 1) -> None:
        """Let calls of this method fail in this way, after `skip` that don't."""
        await self.control("script", method=method, fault=fault, skip=skip, times=times)

    async def call(self, method: str, **body: Any) -> dict[str, Any]:
        """One call of the web API with the bot's token. Raises `RuleError`; whatever else is wrong, as aiohttp does."""
        return await self._post(f"/api/{method}", body, {"Authorization": f"Bearer {self.token}"})

    # What happened.

    async def quiesce(self, timeout: float = 30.0) -> list[str]:
        """Wait until every event is acked; the delivery ids that are not by then."""
        return list((await self.control("quiesce", timeout=timeout))["pending"])

    async def state(self) -> list[dict[str, Any]]:
        """All messages that are visible now, people's and the bot's, oldest first."""
        return list((await self.control("state"))["messages"])

    async def outcomes(self) -> dict[str, list[Reply]]:
        """For each person's message that carries a marker, the bot's visible replies that answer it."""
        replay = await self.replay()
        shown = replies(replay)
        return {
            human.id: [reply for reply in shown if reply.place == human.place and reply.markers & human.markers]
            for human in replay.humans.values()
            if human.markers
        }

    def judge(self, complete: Callable[[str, str], bool] | None = None) -> Report:
        """The judge's verdict over the log file as it is now."""
        return judge(load(self.log), complete=complete)

    def _error(self, answer: dict[str, Any]) -> Exception:
        return RuleError(answer["error"])
