"""A benchmark from Slack: the real server as a process, its message, its charts, SIGKILL, cancelling, and who may."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.bench import texts
from tests.fakes.llm import FakeLLM
from tests.support import bench_scenes as scenes
from tests.support.bench_story import InSlack, in_slack_story
from tests.support.process import with_model

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model() -> AsyncIterator[FakeLLM]:
    async with scenes.a_model() as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(model: FakeLLM, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[InSlack]:
    """A channel whose people can measure a slow model."""
    folder = tmp_path_factory.mktemp("bench")
    async with scenes.started(in_slack_story(folder, with_model(model.base_url))) as made:
        yield made


async def test_a_server_that_is_killed_in_mid_run_brings_it_to_its_end_in_the_same_message(
    story: InSlack, model: FakeLLM
) -> None:
    found = await scenes.killed(story, model)
    assert found.reply.startswith("Begun: run ")
    assert found.posted == 1
    assert "[sample 4] plan : " in found.report.text
    assert len(found.report.pictures) == 2
    assert found.asked == 16
    assert found.repeated <= found.under_way
    # As people get them, not just by name.
    assert all(picture.startswith(b"\x89PNG") for picture in (await story.download()).values())
    assert (await story.bot.run("doctor", "--audit")).out == "clean\n"


async def test_a_run_is_cancelled(story: InSlack) -> None:
    said, report = await scenes.cancelled(story)
    assert "ends now" in said
    assert "Cancelled after" in report.text
    assert report.pictures == ()


async def test_whoever_may_not_is_told_who_may(story: InSlack) -> None:
    before = await story.posted()
    assert await story.types("run", story.stranger) == texts.GRANTED_ONLY.en
    assert await story.posted() == before
