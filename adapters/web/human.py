"""Ratings by people on the page: what raters do, what operators see, and what becomes of answers that nobody liked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

from aiohttp import web

from adapters.web import models_human as models
from adapters.web import texts
from adapters.web.render import Renderer
from adapters.web.wire import answer, body_of
from agent.language import Lang
from bot.bench.cases import CaseError
from bot.bench.human import Human
from bot.web.errors import WebError, asked_language
from evals.human.rating import Progress, RatingError, Seat, Sheet
from evals.human.sets import SetGone
from evals.library import LibraryError

log = logging.getLogger(__name__)

T = TypeVar("T")


class RatingPages:
    """Handlers, named like their operations."""

    def __init__(self, human: Human, renderer: Renderer) -> None:
        self._human = human
        self._raters = human.raters
        self._renderer = renderer

    # --- For raters. Nothing here may name a system, a model or another rater.

    async def list_rating_sets(self, _request: web.Request) -> web.Response:
        found = await self._raters.sets()
        sets = [models.RatingSet(id=one.id, name=one.name, questions=one.questions) for one in found]
        return answer(models.RatingSets(sets=sets))

    async def take_seat(self, request: web.Request) -> web.Response:
        body = await body_of(request, models.TakeSeat)
        seat = await _asked(self._raters.join(request.match_info["set_id"], body.name, body.key, driver=body.driver))
        return answer(models.Seat(name=seat.name, key=seat.key))

    async def show_sheet(self, request: web.Request) -> web.Response:
        body = await body_of(request, models.WantSheet)
        set_id, seat = request.match_info["set_id"], Seat(body.name, body.key)
        found = await _asked(self._raters.sheet(set_id, seat, body.number))
        if found is None:
            progress = await _asked(self._raters.progress(set_id, seat))
            return answer(
                models.RatingSheet(
                    number=None, question="", lang="en", answers=[], skipped=False, progress=_progress(progress)
                )
            )
        return answer(await self._sheet(found))

    async def rate_answer(self, request: web.Request) -> web.Response:
        body = await body_of(request, models.GiveRating)
        set_id, seat = request.match_info["set_id"], Seat(body.name, body.key)
        await _asked(self._raters.rate(set_id, seat, body.number, body.place, body.value))
        return answer(_progress(await _asked(self._raters.progress(set_id, seat))))

    async def skip_question(self, request: web.Request) -> web.Response:
        body = await body_of(request, models.SkipQuestion)
        set_id, seat = request.match_info["set_id"], Seat(body.name, body.key)
        await _asked(self._raters.skip(set_id, seat, body.number))
        return answer(_progress(await _asked(self._raters.progress(set_id, seat))))

    async def _sheet(self, found: Sheet) -> models.RatingSheet:
        answers = [
            models.RatedAnswer(
                place=one.place,
                html=await self._renderer.render(one.text),
                sources=list(one.sources),
                rating=one.rating,
            )
            for one in found.answers
        ]
        return models.RatingSheet(
            number=found.number,
            question=found.question,
            lang=found.lang,
            answers=answers,
            skipped=found.skipped,
            progress=_progress(found.progress),
        )

    # --- For operators

    async def list_human_sets(self, request: web.Request) -> web.Response:
        sets = []
        for one in await self._human.sets.sets():
            raters = await self._human.sets.raters(one.id)
            sets.append(
                models.HumanSet(
                    id=one.id,
                    name=one.spec.name,
                    state=one.state,
                    questions=one.questions,
                    systems=list(one.spec.systems),
                    models=list(one.spec.models),
                    raters=len(raters),
                    created_at=one.created_at,
                    closed_at=one.closed_at,
                )
            )
        return answer(models.HumanSets(sets=sets, feedback=await self._feedback(asked_language(request))))

    async def close_set(self, request: web.Request) -> web.Response:
        await _asked(self._human.sets.move(request.match_info["set_id"], "closed"))
        return web.Response(status=204)

    async def delete_set(self, request: web.Request) -> web.Response:
        await self._human.sets.delete(request.match_info["set_id"])
        return web.Response(status=204)

    async def show_set(self, request: web.Request) -> web.Response:
        from evals.human.table import markdown

        lang = asked_language(request)
        report = await self._human.report(request.match_info["set_id"])
        if report is None:
            raise WebError(409, "not_closed", texts.NOT_CLOSED)
        html = await self._renderer.render(await asyncio.to_thread(markdown, report, lang))
        return answer(models.HumanReport(name=report.name, html=html))

    async def _feedback(self, lang: Lang) -> str:
        from evals.human.feedback import rows_of, tables

        given = await self._human.feedback()
        if not given:
            return ""
        made = await asyncio.to_thread(lambda: tables(rows_of(given), lang, as_markdown=True))
        return await self._renderer.render(made)

    # --- Answers that people did not like

    async def list_disliked(self, _request: web.Request) -> web.Response:
        found = await self._human.cases.disliked()
        answers = [
            models.DislikedAnswer(
                turn_id=one.turn_id,
                question=one.question,
                html=await self._renderer.render(one.answer),
                system=one.style,
                model=one.model,
                asked_at=one.asked_at,
            )
            for one in found
        ]
        suites = await asyncio.to_thread(self._human.cases.suites)
        return answer(models.DislikedAnswers(answers=answers, suites=list(suites)))

    async def make_case(self, request: web.Request) -> web.Response:
        from evals.kagentbench.data import DataError

        body = await body_of(request, models.MakeCase)
        try:
            made = await self._human.cases.make(int(request.match_info["turn_id"]), body.suite, body.note)
        except (CaseError, LibraryError, DataError) as error:
            raise WebError(409, "not_made", error.text) from None
        except OSError as error:
            log.warning("a case could not be written: %s", error)
            raise WebError(500, "not_written", texts.NOT_WRITTEN) from None
        return answer(models.MadeCase(id=made.id), status=201)


async def _asked(doing: Awaitable[T]) -> T:
    """What a service says, its refusals as errors of the API."""
    try:
        return await doing
    except RatingError as error:
        raise WebError(409, "not_now", error.text) from None
    except SetGone:
        raise WebError(404, "not_found", texts.NO_SET) from None


def _progress(found: Progress) -> models.RatingProgress:
    return models.RatingProgress(done=found.done, skipped=found.skipped, total=found.total)
