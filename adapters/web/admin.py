"""What is set on the page: who the agent is, and which endpoints answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, get_args

from aiohttp import web

from adapters.web import models_admin as models
from adapters.web import texts
from adapters.web.present import PERSON, PLATFORM, stored_key, target_of
from adapters.web.wire import answer, body_of, query_of
from agent.language import Lang, Text
from agent.profile import FIELDS, to_values
from bot.bench.console import Console
from bot.bench.human import Human
from bot.endpoints import EndpointDraft, EndpointError, EndpointView, TestReport
from bot.erasure import Erasure
from bot.messages import Author, Target
from bot.places import Place, places
from bot.profiles import Effective, ProfileConflict, ProfileError, Profiles, Version
from bot.settings.profile import MOST_RUNS, ProfileSettings
from bot.settings.sources import describe
from bot.store import views
from bot.store.db import Store
from bot.web.errors import WebError, asked_language

_ABOUT: Mapping[str, Text] = {leaf.name: Text(leaf.about.en, leaf.about.zh) for leaf in describe(ProfileSettings)}
_STYLES: tuple[str, ...] = get_args(ProfileSettings.model_fields["style"].annotation)
#: Stands for a conversation that doesn't exist yet.
_NEW = ""


class EndpointDesk(Protocol):
    """What the page needs of `bot.endpoints.Endpoints`."""

    def list(self, lang: Lang) -> list[EndpointView]: ...

    async def test(self, draft: EndpointDraft, lang: Lang) -> TestReport: ...

    async def save(self, draft: EndpointDraft, author: Author, lang: Lang) -> EndpointView: ...

    async def remove(self, name: str, author: Author) -> None: ...

    async def restore(self, name: str, author: Author, lang: Lang) -> EndpointView: ...


@dataclass(frozen=True, slots=True)
class Desk:
    """The services behind what is set and measured on the page."""

    profiles: Profiles
    endpoints: EndpointDesk
    erasure: Erasure
    bench: Console
    human: Human


class ProfileAdmin:
    """Handlers about profiles, named like their operations."""

    def __init__(self, store: Store, profiles: Profiles, titles: Mapping[str, Text]) -> None:
        self._store = store
        self._profiles = profiles
        self._titles = titles

    async def show_profile(self, request: web.Request) -> web.Response:
        query = query_of(request, models.ProfileQuery)
        lang = asked_language(request)
        chain = places(await self._target(query.conversation))
        effective = await self._profiles.effective_at(chain if query.conversation else chain[:2])
        tools = [models.ToolChoice(name=name, title=title.say(lang)) for name, title in self._titles.items()]
        return answer(
            models.EffectiveProfile(
                agent_name=effective.profile.agent_name,
                icon=effective.profile.icon,
                values=_values(effective, lang),
                choices=models.Choices(tools=tools, styles=list(_STYLES), max_iter_num=MOST_RUNS),
            )
        )

    async def show_scope(self, request: web.Request) -> web.Response:
        query = query_of(request, models.ProfileQuery)
        place = await self._place(request, query.conversation)
        return answer(await self._scope(place, query.conversation, asked_language(request)))

    async def save_profile(self, request: web.Request) -> web.Response:
        query = query_of(request, models.ProfileQuery)
        body = await body_of(request, models.SaveProfile)
        place = await self._place(request, query.conversation)
        try:
            await self._profiles.save(place, body.values, PERSON, based_on=body.based_on)
        except (ProfileError, ProfileConflict) as error:
            raise _refused(error) from None
        return answer(await self._scope(place, query.conversation, asked_language(request)))

    async def list_versions(self, request: web.Request) -> web.Response:
        query = query_of(request, models.VersionsQuery)
        place = await self._place(request, query.conversation)
        found = await self._profiles.versions(place, query.limit + 1, query.before)
        shown = found[: query.limit]
        lang = asked_language(request)
        following = shown[-1].number if len(found) > query.limit else None
        return answer(models.Versions(versions=[_version(one, lang) for one in shown], next=following))

    async def compare_versions(self, request: web.Request) -> web.Response:
        query = query_of(request, models.CompareQuery)
        place = await self._place(request, query.conversation)
        try:
            found = await self._profiles.compare(place, query.a, query.b)
        except LookupError:
            raise WebError(404, "not_found", texts.NO_VERSION) from None
        differences = [models.Difference(name=one.field, before=one.before, after=one.after) for one in found]
        return answer(models.Comparison(a=query.a, b=query.b, differences=differences))

    async def restore_profile(self, request: web.Request) -> web.Response:
        query = query_of(request, models.ProfileQuery)
        body = await body_of(request, models.RestoreProfile)
        place = await self._place(request, query.conversation)
        try:
            await self._profiles.restore(place, body.version, PERSON)
        except LookupError:
            raise WebError(404, "not_found", texts.NO_VERSION) from None
        except (ProfileError, ProfileConflict) as error:
            raise _refused(error) from None
        return answer(await self._scope(place, query.conversation, asked_language(request)))

    async def begin_with(self, target: Target, model: str) -> None:
        """Let a conversation that begins now ask this model first. Raises `WebError` for an impossible name."""
        try:
            await self._profiles.save(places(target)[-1], {"model": model}, PERSON, based_on=0)
        except ProfileError as error:
            raise _refused(error) from None
        except ProfileConflict:
            # The same message came before, and what it began with has been changed since.
            pass

    async def _target(self, key: str | None) -> Target:
        """The conversation's place. Raises `WebError` if there is no such conversation."""
        if key is None:
            return target_of(_NEW)
        found = await self._store.read(lambda c: views.conversation_by_key(c, PLATFORM, stored_key(key)))
        if found is None:
            raise WebError(404, "not_found", texts.NO_CONVERSATION)
        return target_of(key)

    async def _place(self, request: web.Request, key: str | None) -> Place:
        scope = request.match_info["scope"]
        if scope == "channel" and key is None:
            raise WebError(400, "invalid_request", texts.INVALID, field="conversation")
        chain = places(await self._target(key))
        return next(place for place in chain if place.scope == scope)

    async def _scope(self, place: Place, key: str | None, lang: Lang) -> models.ScopeProfile:
        chain = places(target_of(key or _NEW))
        above = await self._profiles.effective_at(chain[: chain.index(place)])
        newest = await self._profiles.newest(place)
        values = {} if newest is None else dict(newest.values)
        return models.ScopeProfile(
            scope="workspace" if place.scope == "workspace" else "channel",
            version=0 if newest is None else newest.number,
            values=values,
            inherited=_values(above, lang),
            warnings=[text.say(lang) for _, text in self._profiles.warnings(values)],
        )


class EndpointAdmin:
    """Handlers about endpoints, named like their operations."""

    def __init__(self, endpoints: EndpointDesk) -> None:
        self._endpoints = endpoints

    async def list_endpoints(self, request: web.Request) -> web.Response:
        found = self._endpoints.list(asked_language(request))
        return answer(models.EndpointList(endpoints=[_endpoint(one) for one in found]))

    async def test_endpoint(self, request: web.Request) -> web.Response:
        body = await body_of(request, models.TestEndpoint)
        try:
            report = await self._endpoints.test(_draft(body.name, body), asked_language(request))
        except EndpointError as error:
            raise _wrong(error) from None
        lines = [models.TestLine(name=line.name, state=line.state, text=line.text) for line in report.lines]
        return answer(models.TestReport(lines=lines, models=list(report.models), ok=report.ok))

    async def save_endpoint(self, request: web.Request) -> web.Response:
        body = await body_of(request, models.SaveEndpoint)
        draft, lang = _draft(request.match_info["name"], body), asked_language(request)
        try:
            return answer(_endpoint(await self._endpoints.save(draft, PERSON, lang)))
        except EndpointError as error:
            raise _wrong(error) from None

    async def remove_endpoint(self, request: web.Request) -> web.Response:
        try:
            await self._endpoints.remove(request.match_info["name"], PERSON)
        except EndpointError as error:
            raise _wrong(error) from None
        return web.Response(status=204)

    async def restore_endpoint(self, request: web.Request) -> web.Response:
        try:
            view = await self._endpoints.restore(request.match_info["name"], PERSON, asked_language(request))
            return answer(_endpoint(view))
        except EndpointError as error:
            raise _wrong(error) from None


def _values(effective: Effective, lang: Lang) -> list[models.ProfileValue]:
    values: dict[str, Any] = to_values(effective.profile)
    return [
        models.ProfileValue(
            name=name,
            about=_ABOUT[name].say(lang),
            value=values[name],
            scope=effective.origins[name].place.scope,
            version=effective.origins[name].version,
        )
        for name in FIELDS
    ]


def _version(one: Version, lang: Lang) -> models.Version:
    known = texts.AUTHORS.get(one.author.id)
    author = known.say(lang) if known is not None else one.author.name or one.author.id
    return models.Version(
        version=one.number, author=author, at=one.at, restores=one.restores, changed=list(one.changed)
    )


def _refused(error: ProfileError | ProfileConflict) -> WebError:
    if isinstance(error, ProfileConflict):
        return WebError(409, "conflict", error.text)
    return WebError(400, "invalid_profile", error.text, about=error.field)


def _draft(name: str, body: models.SaveEndpoint) -> EndpointDraft:
    return EndpointDraft(
        name=name,
        base_url=body.base_url,
        api_key=body.api_key,
        model=body.model,
        priority=body.priority,
        slots=body.slots,
        context_tokens=body.context_tokens,
        chat_format=body.chat_format,
        reasoning=body.reasoning,
        vision=body.vision,
    )


def _wrong(error: EndpointError) -> WebError:
    return WebError(400, "invalid_endpoint", error.text, about=error.field)


def _endpoint(view: EndpointView) -> models.Endpoint:
    return models.Endpoint(
        name=view.name,
        host=view.host,
        model=view.model,
        source=view.source,
        priority=view.priority,
        slots=view.slots,
        chat_format=view.chat_format,
        state=view.health.state,
        detail=view.health.detail,
        context_tokens=view.context_tokens,
        structured=view.structured,
        reasoning=view.reasoning,
        sees=view.sees,
        tokenizer=view.tokenizer,
        demo=view.demo,
        removable=view.removable,
    )
