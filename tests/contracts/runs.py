"""What every `evals.runs.RunStore` promises: files for the script, the database for the server.

A subclass brings the fixture `opened`, which opens the same place anew with each call, as another process would.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from evals.runs import DataSet, Prediction, PredictionKey, RunSpec, RunState, RunStore, Sampling

Opened = Callable[[], RunStore]

DATA = DataSet("sample", "sample", "ab" * 32, 40)
SPEC = RunSpec(
    DATA,
    "gpu",
    types=("profile",),
    templates=("ReACT", "KuaiAgent"),
    langs=("zh",),
    limit=20,
    seed=7,
    preset="qwen",
    sampling=Sampling(seed=3),
    constrained=True,
    reasoning="keep",
    repeats=2,
)
MANIFEST = {"rules": "r1", "model": "qwen-7b", "nested": {"list": [1, 2.5, None, "中文"]}}


def prediction(item: str = "1", text: str = "a reply", prompt: str = "11" * 32, **fields: Any) -> Prediction:
    """A reply; two with the same prompt are interchangeable."""
    key = PredictionKey("profile", item, "prompt", prompt, "qwen-7b", "how")
    return replace(Prediction(key, text), **fields)


FULL = prediction(
    "7",
    "两行\n\u2028and a {brace}",
    reasoning="thought",
    finish_reason="stop",
    prompt_tokens=12,
    completion_tokens=34,
    seconds=1.25,
    cached=True,
    cut_tokens=5,
)


class RunStoreContract:
    """The suite."""

    #: What is raised for a run that is not there or not ours.
    LOST: type[Exception]

    @pytest.fixture
    def opened(self) -> Opened:
        raise NotImplementedError

    async def test_a_run_that_was_begun_is_there_for_others_at_once(self, opened: Opened) -> None:
        begun = await opened().begin(SPEC, MANIFEST)
        found = await opened().find(begun.id)
        assert found == begun
        assert (found.spec, found.manifest, found.state, found.finished_at) == (SPEC, MANIFEST, "running", None)
        assert found.started_at.utcoffset() is not None

    async def test_a_run_is_found_by_what_its_id_begins_with_where_that_means_one(self, opened: Opened) -> None:
        store = opened()
        first = await store.begin(SPEC, {})
        assert await store.find(first.id[:-1] or first.id) is not None
        second = await store.begin(SPEC, {})
        assert (await store.find(first.id), await store.find(second.id)) == (first, second)
        assert await store.find("") is None
        assert await store.find("no-such-run") is None

    async def test_the_newest_runs_come_first_and_no_more_than_asked_for(self, opened: Opened) -> None:
        store = opened()
        ids = [(await store.begin(SPEC, {"n": number})).id for number in range(3)]
        assert [run.id for run in await opened().runs()] == ids[::-1]
        assert [run.id for run in await opened().runs(most=2)] == ids[:0:-1]

    async def test_no_run_has_been_begun_at_first(self, opened: Opened) -> None:
        assert list(await opened().runs()) == []
        assert await opened().cached([FULL.key.digest]) == {}

    async def test_replies_are_kept_as_they_are_and_in_their_order(self, opened: Opened) -> None:
        store = opened()
        run = await store.begin(SPEC, {})
        other = await store.begin(SPEC, {})
        await store.add(run.id, [prediction("1"), FULL])
        await store.add(run.id, [])
        await store.add(run.id, [prediction("2", "", error="timeout")])
        await store.add(other.id, [prediction("3")])
        kept = await opened().predictions(run.id)
        assert list(kept) == [prediction("1"), FULL, prediction("2", "", error="timeout")]
        assert list(await opened().predictions(other.id)) == [prediction("3")]

    async def test_a_reply_of_an_earlier_run_is_found_by_its_digest(self, opened: Opened) -> None:
        store = opened()
        for text in ("old", "new"):
            run = await store.begin(SPEC, {})
            await store.add(run.id, [prediction("1", text), prediction("2", "other", prompt="22" * 32)])
            await store.end(run.id, "done")
        failed = prediction("3", "", prompt="33" * 32, error="timeout")
        run = await store.begin(SPEC, {})
        await store.add(run.id, [failed])
        digests = [prediction("9").key.digest, failed.key.digest, "0" * 64]
        found = await opened().cached(digests)
        assert {digest: one.text for digest, one in found.items()} == {digests[0]: "new"}

    @pytest.mark.parametrize("state", ["done", "cancelled", "failed"])
    async def test_how_a_run_ended_is_kept(self, opened: Opened, state: RunState) -> None:
        store = opened()
        run = await store.begin(SPEC, MANIFEST)
        await store.add(run.id, [FULL])
        await store.end(run.id, state, {"scores": [0.5, None]}, "" if state == "done" else "为什么")
        found = await opened().find(run.id)
        assert found is not None
        assert (found.state, found.summary) == (state, {"scores": [0.5, None]})
        assert found.error == ("" if state == "done" else "为什么")
        assert found.finished_at is not None
        assert found.finished_at >= found.started_at
        assert list(await opened().predictions(run.id)) == [FULL]

    async def test_nothing_is_added_to_a_run_that_is_not_there(self, opened: Opened) -> None:
        with pytest.raises(self.LOST):
            await opened().add("20200101-000000-000", [FULL])
