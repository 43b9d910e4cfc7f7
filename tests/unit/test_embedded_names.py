"""The embedded model is found by every name that people are told."""

from __future__ import annotations

import pytest

from agent.llm.pool import EndpointPool
from bot.backend import Embedded
from bot.endpoint_views import of_embedded
from bot.settings.models import ModelSettings


@pytest.fixture
def embedded() -> Embedded:
    """Not started."""
    return Embedded.of(ModelSettings())


async def test_what_a_list_calls_it_is_what_the_pool_calls_it(embedded: Embedded) -> None:
    pool, view = EndpointPool([embedded.member]), of_embedded(embedded, "en")
    for name in (view.name, view.model or "", embedded.chat.name):
        assert pool.model_called(name) is embedded.chat, name


async def test_another_name_is_not_its(embedded: Embedded) -> None:
    assert EndpointPool([embedded.member]).model_called("gpu") is None
