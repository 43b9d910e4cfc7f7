"""A run over sockets: against servers with few slots, which queue or refuse what is too much."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.llm.endpoint import Endpoint
from evals.running.models import EndpointAsker
from evals.running.runner import EndpointDown, run
from evals.store import FileRuns
from tests.fakes.llm.harness import FakeLLM
from tests.support.asking import items, spec


@pytest.mark.parametrize("flags", [{"queue": 1}, {"queue": 0, "refuses_with": 503}])
async def test_every_prompt_is_answered_by_a_server_with_few_slots(flags: dict[str, int], tmp_path: Path) -> None:
    async with FakeLLM(None, first=0.03, slots=2, **flags) as llm:
        asker, store = EndpointAsker(Endpoint(llm.base_url)), FileRuns(tmp_path)
        begun = await store.begin(spec(), {})
        progress = await run(spec(), items(30), asker, store, begun.id)
        await asker.aclose()
        answered = [call.user for call in llm.calls() if call.outcome == "finished"]
        refused = sum(call.outcome == "refused" for call in llm.calls())
    assert (progress.done, progress.failed) == (30, 0)
    assert len(answered) == len(set(answered)) == 30
    assert refused > 0
    assert {one.key.model for one in await store.predictions(begun.id)} == {"fake-model"}
    store.close()


async def test_a_server_that_is_not_there_is_one_sentence_with_its_address(tmp_path: Path) -> None:
    asker, store = EndpointAsker(Endpoint("http://127.0.0.1:9/v1", model="m")), FileRuns(tmp_path)
    begun = await store.begin(spec(), {})
    with pytest.raises(EndpointDown, match="unreachable") as raised:
        await run(spec(), items(3), asker, store, begun.id, patience=0.0)
    assert "127.0.0.1:9" in raised.value.say("en")
    assert "127.0.0.1:9" in raised.value.say("zh")
    await asker.aclose()
    store.close()
