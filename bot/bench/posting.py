"""A finished report that somebody else has made (`kagent-bench … --post`), said once: a job with a ledger."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import Connection

from agent.clock import Clock
from agent.journal import Json
from agent.language import Lang
from bot.bench.beat import Beat
from bot.delivery import Undeliverable, insist
from bot.job_ledger import open_ledger
from bot.jobs import GivenUp, Jobs, Kind, Progress
from bot.messages import Asked, Author, ReplyFile, Target
from bot.messages import Final as End
from bot.ports import Outbound
from bot.store import jobs
from bot.store.db import Store

log = logging.getLogger(__name__)

#: The kind of these jobs.
REPORT: Final = "benchmark-report"
#: Pictures of a report, and bytes of one: both charts of a run are some 60 kB each.
MOST_PICTURES: Final = 4
MOST_BYTES: Final = 2 * 1024 * 1024
#: Characters of a report.
MOST_TEXT: Final = 40_000
#: Seconds between two reports of the job.
BEAT: Final = 3.0
#: Seconds between two looks at a job that a server beside us is to run.
_LOOK: Final = 0.5
_NOBODY: Final = Author("")


@dataclass(frozen=True, slots=True)
class Report:
    """What is said."""

    #: Markdown.
    text: str
    lang: Lang
    images: tuple[ReplyFile, ...] = ()


class TooLarge(ValueError):
    """More than a job's row should hold."""


def queue_report(connection: Connection, target: Target, report: Report, now: datetime) -> int:
    """Queue a report; the job's id. Each call says it once more. Raises `TooLarge`."""
    if len(report.images) > MOST_PICTURES or len(report.text) > MOST_TEXT:
        raise TooLarge("a report has too many pictures or too long a text")
    if any(len(image.data) > MOST_BYTES for image in report.images):
        raise TooLarge(f"a picture of a report has more than {MOST_BYTES} bytes")
    payload = {
        "target": asdict(target),
        "text": report.text,
        "lang": report.lang,
        "images": [
            {"name": one.name, "type": one.media_type, "about": one.about, "data": base64.b64encode(one.data).decode()}
            for one in report.images
        ],
    }
    job_id = jobs.queue(connection, REPORT, uuid4().hex, payload, now, now)
    if job_id is None:
        raise RuntimeError("a job with a key of its own was there before")
    return job_id


def reports(store: Store, clock: Clock, outbounds: Mapping[str, Outbound], beat: float = BEAT) -> Kind:
    """The kind of job that says them, in a lane of their own: a platform that is away may keep one for minutes.

    `beat`: seconds between two reports of the job, which keep it ours while its pictures are made.
    """

    async def run(payload: Json, progress: Progress) -> None:
        target, lang = Target(**payload["target"]), payload["lang"]
        outbound = outbounds.get(target.platform)
        if outbound is None:
            raise GivenUp(f"there is no {target.platform} here")
        images = tuple(_image(one) for one in payload["images"])
        final = End("answered", payload["text"], lang, can_rate=False, images=images)
        ledger = await open_ledger(store, progress, target.platform)
        try:
            async with Beat(progress, beat, lambda: None):
                reply = await insist(lambda: outbound.open(target, ledger, Asked(_NOBODY, "", lang)), clock)
                await insist(lambda: reply.close(final), clock)
        except Undeliverable as error:
            log.warning("a report was not given in %s: %s", target.channel, error)
            raise GivenUp(str(error)) from error

    return Kind(run, lane=REPORT)


async def post_alone(
    store: Store, clock: Clock, owner: str, outbounds: Mapping[str, Outbound], job_id: int
) -> tuple[str, str]:
    """Run one report's job in this process, which has to hold the server's lock: the job's state and error at its end.

    Raises `StoreUnavailable`.
    """
    await Jobs(store, clock, owner, {REPORT: reports(store, clock, outbounds)}).only(job_id)
    return await _outcome(store, job_id)


async def post_beside(store: Store, job_id: int, seconds: float) -> tuple[str, str]:
    """Wait until a server that runs beside us has run a report's job: its state and error. Still `queued` or `running`
    when it took longer: the server will do it all the same. Raises `StoreUnavailable`.
    """
    found = ("queued", "")
    try:
        async with asyncio.timeout(seconds):
            while found[0] in ("queued", "running"):
                found = await _outcome(store, job_id)
                if found[0] in ("queued", "running"):
                    await asyncio.sleep(_LOOK)
    except TimeoutError:
        pass
    return found


async def _outcome(store: Store, job_id: int) -> tuple[str, str]:
    found = await store.read(lambda c: jobs.outcome(c, job_id))
    return ("failed", "the job is gone") if found is None else found


def _image(found: Mapping[str, Any]) -> ReplyFile:
    return ReplyFile(found["name"], found["type"], base64.b64decode(found["data"]), found["about"])
