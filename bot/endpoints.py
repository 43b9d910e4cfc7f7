"""The endpoints that answer: those of the settings, those that were entered on the page, and the embedded model."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from agent.clock import Clock
from agent.language import Lang, Text
from agent.llm import faults
from agent.llm.client import OpenAIChatModel
from agent.llm.pool import EndpointPool
from bot.backend import Backend, Embedded, configured, endpoint_of, open_backend, pack, unpack
from bot.endpoint_views import (
    EndpointDraft,
    EndpointError,
    EndpointView,
    embedded_health,
    filled,
    lost,
    of_backend,
    of_embedded,
)
from bot.messages import Author
from bot.ports import Health, StoreUnavailable
from bot.secrets import Secrets, SecretsError
from bot.settings.models import EMBEDDED_NAME, PRIORITY_STEP, ListedEndpoint, ModelSettings
from bot.settings.sources import describe
from bot.store import endpoints as rows
from bot.store.db import Store
from bot.store.endpoints import EndpointRow
from bot.trial import TestLine, TestReport, try_endpoint

__all__ = [
    "EndpointDraft",
    "EndpointError",
    "EndpointView",
    "Endpoints",
    "TestLine",
    "TestReport",
]

log = logging.getLogger(__name__)

#: Seconds between two looks at what other processes have changed.
_POLL_SECONDS: Final = 10.0
#: Seconds that `save` waits for the first word of a new endpoint's server.
_GREETING_SECONDS: Final = 3.0
#: Stands for a name that a draft has not been given yet.
_UNNAMED: Final = "new"

_WRONG = Text("`{name}` must be {right}.", "`{name}` 应为{right}。")
_TAKEN = Text(
    "An endpoint called “{name}” is in the settings: choose another name.",
    "设置中已有名为“{name}”的端点：请换一个名称。",
)
_NOT_HERE = Text("There is no endpoint called “{name}”.", "没有名为“{name}”的端点。")
_NOT_OURS = Text(
    "“{name}” can't be removed here: it is not from this page, so change the settings instead.",
    "“{name}”不是在页面上添加的，无法在这里删除：请修改设置。",
)
_NOTHING_TO_RESTORE = Text(
    "“{name}” can't be brought back: it was not removed since the server started. Enter it again.",
    "无法恢复“{name}”：服务启动以来没有删除过它。请重新填写。",
)
_UNKNOWN_FORM = Text(
    "“{name}” was saved by another version and can't be used: enter it again.",
    "“{name}”由其他版本保存，无法使用：请重新填写。",
)
_STANDING_IN = Text("{names} can't be asked just now; “{name}” answers.", "{names}暂时无法使用；由“{name}”回答。")
_QUOTED = Text("“{name}”", "“{name}”")
_JOINED = Text(", ", "、")


@dataclass(frozen=True, slots=True)
class _Kept:
    """An endpoint of the page as it is in the database."""

    stamp: tuple[int, int, datetime]
    #: None where it can't be read; then `trouble` says why.
    backend: Backend | None
    trouble: Text | None = None


class Endpoints:
    """The endpoints of a server; what is saved or removed holds for the next call of a model.

    `pool` is what calls them. `start`, then `stop`.
    """

    def __init__(
        self, models: ModelSettings, store: Store, clock: Clock, secrets: Secrets, *, poll: float = _POLL_SECONDS
    ) -> None:
        self.pool = EndpointPool()
        self._store = store
        self._clock = clock
        self._secrets = secrets
        self._poll = poll
        self._fixed = configured(models)
        self._kept: dict[str, _Kept] = {}
        #: What was removed in this process, to bring it back.
        self._removed: dict[str, ListedEndpoint] = {}
        self._embedded = Embedded.of(models)
        #: One change at a time; starting and stopping the embedded model has a lock of its own.
        self._changing = asyncio.Lock()
        self._tending = asyncio.Lock()
        self._started = False
        #: Asks those that were entered last how they are.
        self._greeting: asyncio.Task[None] | None = None
        self._background: set[asyncio.Task[None]] = set()
        self._seat()

    # --- From start to stop

    async def start(self) -> None:
        """Read what the page has saved, start the embedded model if nothing else answers, and ask all how they are.

        Waits for no server. Raises `StoreUnavailable`.
        """
        self._started = True
        async with self._changing:
            await self._load()
        self._spawn(self.pool.look(*(backend.chat for backend in self._fixed)))
        self._spawn(self._watch())

    async def stop(self) -> None:
        """End everything that was started."""
        self._started = False
        tasks = tuple(self._background)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.pool.aclose()
        async with self._tending:
            await self._embedded.stop()
        for backend in self._backends:
            await backend.chat.aclose()

    # --- What people see

    @property
    def name(self) -> str:
        """What would answer now."""
        return self.pool.serving().name

    @property
    def demo(self) -> bool:
        """Whether that is the bundled demo model."""
        return self.pool.serving().demo

    def names(self) -> tuple[str, ...]:
        """What a profile may call them: by the endpoint or by the model."""
        models = [backend.chat.name for backend in self._backends] or [self._embedded.server.alias]
        return tuple(dict.fromkeys([*(backend.name for backend in self._backends), *models]))

    def health(self, lang: Lang) -> Health:
        """Of all together: `degraded` while one can't be asked and another one answers."""
        if self._alone:
            return embedded_health(self._embedded, lang)
        troubles = [(backend, self.pool.trouble(backend.chat)) for backend in self._backends]
        down = [backend for backend, trouble in troubles if trouble is not None]
        if not down:
            return Health("ok")
        well = [backend for backend, trouble in troubles if trouble is None]
        if not well:
            trouble = troubles[0][1]
            return Health("down", faults.say(trouble, lang) if trouble is not None else "")
        quoted = _JOINED.say(lang).join(_QUOTED.say(lang, name=backend.name) for backend in down)
        return Health("degraded", _STANDING_IN.say(lang, names=quoted, name=well[0].name))

    def list(self, lang: Lang) -> list[EndpointView]:
        """All of them, in the order in which they are asked."""
        closed = [lost(name, kept.trouble, lang) for name, kept in self._kept.items() if kept.trouble is not None]
        if self._alone:
            return [of_embedded(self._embedded, lang), *closed]
        return [*(self._view(backend, lang) for backend in self._backends), *closed]

    # --- What people change

    async def test(self, draft: EndpointDraft, lang: Lang) -> TestReport:
        """Connect and ask: for models, window, structured output and a short reply. Takes at most some 20 seconds.

        Nothing is kept. Raises `EndpointError` for a draft that is wrong before anybody is asked.
        """
        settings = _checked(draft if draft.name else replace(draft, name=_UNNAMED))
        return await try_endpoint(endpoint_of(settings, settings.name), lang)

    async def save(self, draft: EndpointDraft, author: Author, lang: Lang = "en") -> EndpointView:
        """Keep the draft, encrypted; it is in use at once. Replaces one of the page with the same name.

        Raises `EndpointError`, `StoreUnavailable`.
        """
        settings = _checked(draft)
        if any(backend.name == settings.name for backend in self._fixed):
            raise EndpointError("name", filled(_TAKEN, name=settings.name))
        return await self._save(settings, author, lang)

    async def remove(self, name: str, author: Author) -> None:
        """Use it no more and forget it.

        Raises `EndpointError` for one that isn't there or isn't the page's, `StoreUnavailable`.
        """
        async with self._changing:
            kept = self._kept.get(name)
            if kept is None:
                known = name == EMBEDDED_NAME or any(backend.name == name for backend in self._fixed)
                raise EndpointError("name", filled(_NOT_OURS if known else _NOT_HERE, name=name))
            await self._store.write(lambda c: rows.remove(c, name))
            if kept.backend is not None and isinstance(kept.backend.settings, ListedEndpoint):
                self._removed[name] = kept.backend.settings
            log.info("endpoint %s was removed by %s", name, author.id)
            await self._load()

    async def restore(self, name: str, author: Author, lang: Lang = "en") -> EndpointView:
        """Bring back what `remove` has taken away in this process. Raises `EndpointError`, `StoreUnavailable`."""
        settings = self._removed.get(name)
        if settings is None:
            raise EndpointError("name", filled(_NOTHING_TO_RESTORE, name=name))
        return await self._save(settings, author, lang)

    async def _save(self, settings: ListedEndpoint, author: Author, lang: Lang) -> EndpointView:
        name, now = settings.name, self._clock.now()
        try:
            sealed = await asyncio.to_thread(self._secrets.seal, pack(settings))
        except SecretsError as error:
            raise EndpointError("", error.text) from None
        async with self._changing:
            await self._store.write(lambda c: rows.save(c, name, sealed, author.id, now))
            self._removed.pop(name, None)
            log.info("endpoint %s was saved by %s", name, author.id)
            await self._load()
            backend = self._kept[name].backend
        if backend is None:
            raise EndpointError("", self._kept[name].trouble or filled(_NOT_HERE, name=name))
        if self._greeting is not None:
            await asyncio.wait({self._greeting}, timeout=_GREETING_SECONDS)
        return self._view(backend, lang)

    # --- What is in use

    @property
    def _backends(self) -> tuple[Backend, ...]:
        """All that can be asked, best first."""
        fixed = {backend.name for backend in self._fixed}
        entered = [kept.backend for name, kept in self._kept.items() if name not in fixed]
        known = (*self._fixed, *(backend for backend in entered if backend is not None))
        return tuple(sorted(known, key=lambda backend: backend.priority))

    @property
    def _alone(self) -> bool:
        """Whether nothing is configured, so that the embedded model answers."""
        return not self._backends

    def _seat(self) -> None:
        self.pool.replace([backend.member for backend in self._backends] or [self._embedded.member])

    async def _load(self) -> None:
        """Use what is in the database now."""
        found = await self._store.read(rows.every)
        former, now = self._kept, dict[str, _Kept]()
        for row in found:
            old = former.get(row.name)
            now[row.name] = old if old is not None and old.stamp == row.stamp else await self._open(row)
        self._kept = now
        if self._alone:
            await self._tend()
        self._seat()
        if not self._alone and self._embedded.server.state.phase != "stopped":
            self._spawn(self._retire_embedded())
        used = _chats(now)
        for chat in _chats(former):
            if chat not in used:
                self._spawn(self._retire(chat))
        if new := [chat for chat in used if chat not in _chats(former)]:
            self._greeting = self._spawn(self.pool.look(*new))

    async def _open(self, row: EndpointRow) -> _Kept:
        try:
            packed = await asyncio.to_thread(self._secrets.unseal, row.sealed)
            if not await asyncio.to_thread(self._secrets.is_current, row.sealed):
                # The key was changed: what is sealed with the old one is sealed anew, so that the old one can go.
                sealed = await asyncio.to_thread(self._secrets.seal, packed)
                await self._store.write(lambda c: rows.reseal(c, row, sealed))
        except SecretsError as error:
            log.error("endpoint %s: %s", row.name, error.text.en)
            return _Kept(row.stamp, None, error.text)
        settings = unpack(packed)
        if settings is None or settings.name != row.name:
            return _Kept(row.stamp, None, filled(_UNKNOWN_FORM, name=row.name))
        priority = PRIORITY_STEP if settings.priority is None else settings.priority
        return _Kept(row.stamp, open_backend(settings, row.name, priority, entered=True))

    async def _watch(self) -> None:
        """Notice what other processes have changed."""
        while True:
            await asyncio.sleep(self._poll)
            try:
                found = {row.name: row.stamp for row in await self._store.read(rows.every)}
                if found == {name: kept.stamp for name, kept in self._kept.items()}:
                    continue
                async with self._changing:
                    await self._load()
            except StoreUnavailable as error:
                log.warning("endpoints could not be read: %s", error.text.en)

    async def _tend(self) -> None:
        """Have the embedded model up; it is loading when this returns."""
        async with self._tending:
            if self._started and self._embedded.server.state.phase == "stopped":
                await self._embedded.server.start()
                self._spawn(self._embedded.chat.warm())

    async def _retire_embedded(self) -> None:
        """Stop the embedded model when its last call has ended, unless it is needed again by then."""
        await self.pool.released(self._embedded.chat)
        async with self._tending:
            if not self._alone:
                await self._embedded.stop()

    async def _retire(self, chat: OpenAIChatModel) -> None:
        try:
            await self.pool.released(chat)
        finally:
            await chat.aclose()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    def _view(self, backend: Backend, lang: Lang) -> EndpointView:
        return of_backend(backend, self.pool.trouble(backend.chat), lang)


def _chats(kept: Mapping[str, _Kept]) -> tuple[OpenAIChatModel, ...]:
    return tuple(one.backend.chat for one in kept.values() if one.backend is not None)


def _checked(draft: EndpointDraft) -> ListedEndpoint:
    """The draft as settings. Raises `EndpointError` for the first thing that is wrong."""
    given: Mapping[str, Any] = {name: value for name, value in asdict(draft).items() if value not in (None, "")}
    try:
        return ListedEndpoint(**given)
    except ValidationError as error:
        wrong = str(error.errors(include_input=False, include_context=False, include_url=False)[0]["loc"][0])
    # Raised outside the handler above: a traceback with that error could show values.
    right = next(leaf.about.right for leaf in describe(ListedEndpoint) if leaf.name == wrong)
    raise EndpointError(wrong, filled(_WRONG, name=wrong, right=right))
