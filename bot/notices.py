"""Things that the agent says of its own accord, once: a job of one message each, with a ledger."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection

from agent.clock import Clock
from agent.journal import Json
from agent.language import Lang, Text
from bot.delivery import Undeliverable, insist
from bot.job_ledger import open_ledger
from bot.jobs import Kind, Progress
from bot.messages import Asked, Author, Final, Target
from bot.ports import Outbound
from bot.store import jobs
from bot.store.db import Store

log = logging.getLogger(__name__)

#: The kind of these jobs.
NOTICE = "notice"
#: Nobody in particular is spoken to.
_NOBODY = Author("")


def queue(connection: Connection, target: Target, key: str, text: Text, lang: Lang, now: datetime) -> None:
    """Say this in a place, as soon as may be. To be called in the transaction that makes it true: while a notice with
    the same key waits, there is no second one.
    """
    payload = {"target": asdict(target), "text": text.say(lang), "lang": lang}
    jobs.queue(connection, NOTICE, key, payload, now, now)


def notices(store: Store, clock: Clock, outbounds: Mapping[str, Outbound]) -> Kind:
    """The kind of job that says them."""

    async def run(payload: Json, progress: Progress) -> None:
        target, lang = Target(**payload["target"]), payload["lang"]
        outbound = outbounds.get(target.platform)
        if outbound is None:
            log.warning("a notice was not given: there is no %s any more", target.platform)
            return
        asked = Asked(_NOBODY, "", lang)
        final = Final("answered", payload["text"], lang, can_rate=False)
        ledger = await open_ledger(store, progress, target.platform)
        try:
            reply = await insist(lambda: outbound.open(target, ledger, asked), clock)
            await insist(lambda: reply.close(final), clock)
        except Undeliverable as error:
            # Asking again would bring the same.
            log.warning("a notice was not given in %s: %s", target.channel, error)

    return Kind(run)
