"""Benchmarks on the page: runs, their numbers, charts, items and files."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from aiohttp import web

from adapters.web import models_bench as models
from adapters.web.export import disposition
from adapters.web.present import PLATFORM, VIEWER, target_of
from adapters.web.render import Renderer
from adapters.web.wire import answer, body_of, query_of
from agent.language import Text
from bot.bench import words
from bot.bench.beginning import Refusal
from bot.bench.console import Console, Listed, NotThere
from bot.bench.viewing import Entry, Filter
from bot.bench.words import Wanted
from bot.store.bench import Origin
from bot.store.bench_schedules import Schedule
from bot.web.errors import WebError, asked_language
from evals.library import Kept
from evals.runs import RunSpec

#: Where schedules live that were made here: a place of their own, in which nobody writes.
_HERE = target_of("benchmarks")
#: Bytes of a file that are sent at a time.
_PIECE = 1 << 18

T = TypeVar("T")


class BenchPages:
    """Handlers, named like their operations."""

    def __init__(self, console: Console, renderer: Renderer) -> None:
        self._console = console
        self._renderer = renderer

    async def list_runs(self, request: web.Request) -> web.Response:
        query = query_of(request, models.BenchRunsQuery)
        found = await self._console.runs(query.limit + 1, query.before)
        shown = found[: query.limit]
        following = shown[-1].view.number if len(found) > query.limit else None
        return answer(models.BenchRuns(runs=[_run(one) for one in shown], next=following))

    async def start_run(self, request: web.Request) -> web.Response:
        body, lang = await body_of(request, models.BenchOrder), asked_language(request)
        origin = Origin(PLATFORM, author_id=VIEWER, lang=lang)
        run_id = await _asked(self._console.start(_wanted(body), origin, lang))
        return answer(models.BenchBegun(id=run_id), status=202)

    async def show_run(self, request: web.Request) -> web.Response:
        run_id = request.match_info["run_id"]
        found = await _asked(self._console.run(run_id))
        report = await _asked(self._console.report(run_id, asked_language(request)))
        html = await self._renderer.render(report.tables) if report.tables else ""
        return answer(models.BenchReport(run=_run(found), html=html, manifest=report.manifest, earlier=report.earlier))

    async def cancel_run(self, request: web.Request) -> web.Response:
        await _asked(self._console.cancel(request.match_info["run_id"]))
        return web.Response(status=204)

    async def delete_run(self, request: web.Request) -> web.Response:
        await _asked(self._console.forget(request.match_info["run_id"]))
        return web.Response(status=204)

    async def draw_run(self, request: web.Request) -> web.Response:
        lang = query_of(request, models.LanguageQuery).lang or asked_language(request)
        which = request.match_info["chart"]
        picture = await _asked(
            self._console.chart(request.match_info["run_id"], "radar" if which == "radar" else "bars", lang)
        )
        return web.Response(body=picture, content_type="image/png")

    # --- Items

    async def list_items(self, request: web.Request) -> web.Response:
        query = query_of(request, models.BenchItemsQuery)
        wanted = Filter(query.type, query.template, query.lang, query.show, query.q, query.order)
        sheets, found = await _asked(self._console.items(request.match_info["run_id"], wanted))
        page = found[query.start : query.start + query.limit]
        return answer(
            models.BenchItems(
                items=[_item(one) for one in page],
                found=len(found),
                all=len(sheets),
                templates=list(sheets.templates),
            )
        )

    async def show_item(self, request: web.Request) -> web.Response:
        place = int(request.match_info["place"])
        entry, texts = await _asked(self._console.item(request.match_info["run_id"], place))
        return answer(models.BenchItemTexts(item=_item(entry), **texts))

    # --- Files

    async def download_predictions(self, request: web.Request) -> web.StreamResponse:
        run_id = request.match_info["run_id"]
        return await _file(
            request,
            "application/jsonl",
            f"kagentbench-{run_id}",
            "jsonl",
            lambda p: self._console.predictions(run_id, p),
        )

    async def download_report(self, request: web.Request) -> web.StreamResponse:
        run_id = request.match_info["run_id"]
        lang = query_of(request, models.LanguageQuery).lang or asked_language(request)
        return await _file(
            request, "text/html", f"kagentbench-{run_id}", "html", lambda p: self._console.page(run_id, p, lang)
        )

    # --- Several runs

    async def compare_runs(self, request: web.Request) -> web.Response:
        query = query_of(request, models.BenchCompareQuery)
        said = await _asked(self._console.compare(query.a, query.b, asked_language(request)))
        return answer(models.BenchTables(html=await self._renderer.render(said)))

    async def show_leaderboard(self, request: web.Request) -> web.Response:
        query = query_of(request, models.BenchBoardQuery)
        said = await _asked(self._console.leaderboard(query.data, asked_language(request)))
        return answer(models.BenchTables(html=await self._renderer.render(said) if said else ""))

    async def list_choices(self, request: web.Request) -> web.Response:
        served = self._console.models(asked_language(request))
        kept = await _asked(self._console.data())
        found = [models.BenchModel(name=one.name, model=one.model or "", state=one.health.state) for one in served]
        return answer(models.BenchChoices(models=found, data=[_data(one) for one in kept]))

    # --- Schedules

    async def list_schedules(self, _request: web.Request) -> web.Response:
        found = await self._console.schedules()
        return answer(models.BenchSchedules(schedules=[_schedule(one) for one in found]))

    async def add_schedule(self, request: web.Request) -> web.Response:
        body, lang = await body_of(request, models.BenchOrder), asked_language(request)
        await _asked(self._console.measure_weekly(_HERE, _wanted(body), VIEWER, lang))
        return web.Response(status=204)

    async def delete_schedule(self, request: web.Request) -> web.Response:
        await _asked(self._console.forget_schedule(int(request.match_info["schedule_id"])))
        return web.Response(status=204)


async def _asked(doing: Awaitable[T]) -> T:
    """What a service says, its refusals as errors of the API."""
    try:
        return await doing
    except Refusal as error:
        missing = isinstance(error, NotThere)
        # Sentences for chats have names as code.
        plain = Text(error.text.en.replace("`", ""), error.text.zh.replace("`", ""))
        raise WebError(404 if missing else 409, "not_found" if missing else "not_now", plain) from None


async def _file(
    request: web.Request, media: str, name: str, extension: str, make: Callable[[Path], Awaitable[None]]
) -> web.StreamResponse:
    """A file that is made for this request, sent piece by piece, and gone afterwards. It is to be kept, never shown:
    what models wrote must not become a document of this server.
    """
    with tempfile.TemporaryDirectory(prefix="kagentbot-") as folder:
        path = Path(folder) / f"{name}.{extension}"
        await _asked(make(path))
        response = web.StreamResponse(headers={"Content-Disposition": disposition(name, "", extension)})
        response.content_type, response.charset = media, "utf-8"
        response.content_length = path.stat().st_size
        await response.prepare(request)
        with path.open("rb") as file:
            while piece := await asyncio.to_thread(file.read, _PIECE):
                await response.write(piece)
        await response.write_eof()
        return response


def _wanted(body: models.BenchOrder) -> Wanted:
    return Wanted(
        model=body.model,
        data=body.data,
        types=tuple(body.types),
        templates=tuple(body.templates),
        langs=tuple(body.langs),
        limit=body.limit,
        seed=body.seed,
        preset=body.preset,
        repeats=body.repeats,
        reasoning=body.reasoning,
        constrained=body.constrained,
        judge=body.judge,
    )


def _run(one: Listed) -> models.BenchRun:
    view, spec = one.view, one.view.spec
    state = "lost" if view.state == "running" and not view.live else view.state
    return models.BenchRun(
        number=view.number,
        id=view.id,
        state=state,
        model=spec.model,
        data=spec.data.name,
        data_sha256=spec.data.sha256,
        suite=spec.data.kind == "suite",
        items=spec.data.items if spec.limit is None else min(spec.limit, spec.data.items),
        options=_options(spec),
        mark=view.mark.strip(),
        line=view.line,
        overall=view.overall,
        error=view.error,
        started_at=view.started_at,
        finished_at=view.finished_at,
        platform=view.origin.platform,
        author="" if view.origin.platform == PLATFORM else one.author,
        progress=_progress(one) if view.live else None,
    )


def _options(spec: RunSpec) -> str:
    return words.words_of(
        Wanted(
            types=spec.types,
            templates=spec.templates,
            langs=spec.langs,
            limit=spec.limit,
            seed=spec.seed,
            preset=spec.preset,
            repeats=spec.repeats,
            reasoning=spec.reasoning,
            constrained=spec.constrained,
            fresh=spec.fresh,
            judge=spec.judge,
        )
    )


def _progress(one: Listed) -> models.BenchProgress:
    found = one.view.progress
    left = found.get("left")
    return models.BenchProgress(
        done=int(found.get("done") or 0),
        total=int(found.get("total") or 0),
        cached=int(found.get("cached") or 0),
        failed=int(found.get("failed") or 0),
        rate=float(found.get("rate") or 0.0),
        left=None if left is None else float(left),
        scoring=found.get("phase") in ("scoring", "judging"),
        scores=dict(found.get("scores") or {}),
        scored=int(found.get("scored") or 0),
    )


def _item(one: Entry) -> models.BenchItem:
    return models.BenchItem(
        place=one.place,
        type=one.type,
        id=one.id,
        query=one.query,
        lang=one.lang,
        score=one.score,
        unreadable=one.has("unreadable"),
        wrong=one.has("wrong"),
        raised=one.has("raised"),
    )


def _data(one: Kept) -> models.BenchData:
    return models.BenchData(
        name=one.data.name,
        kind=one.data.kind,
        items=one.data.items,
        sha256=one.data.sha256,
        types=dict(one.types),
        langs=dict(one.langs),
        templates=dict(one.templates),
        imported_at=one.imported_at,
    )


def _schedule(one: Schedule) -> models.BenchSchedule:
    options = words.words_of(words.unpacked(one.wanted))
    return models.BenchSchedule(
        id=one.id, model=one.model, options=options, next_at=one.next_at, platform=one.target.platform
    )
