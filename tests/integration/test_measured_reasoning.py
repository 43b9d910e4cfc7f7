"""What becomes of a thinking model's thoughts in a run, as `--reasoning` wants it, over a socket."""

from __future__ import annotations

from agent.llm.endpoint import Endpoint
from evals.running.asking import Question, Reply
from evals.running.models import EndpointAsker
from evals.runs import ReasoningMode
from tests.fakes.llm.harness import Call, FakeLLM

#: The server thinks six words, then says this.
PROMPT = "Hi [fake:reasoning=6][fake:say=It is 7.]"


async def asked(fake: FakeLLM, reasoning: ReasoningMode, prompt: str = PROMPT) -> tuple[Reply, list[Call]]:
    """The reply to one prompt, and what the server was sent for it."""
    asker = EndpointAsker(Endpoint(fake.base_url))
    await asker.ready()
    known = len(fake.calls())
    reply = await asker.ask(Question(prompt, reasoning=reasoning, reasoning_tokens=1000))
    await asker.aclose()
    return reply, fake.calls()[known:]


async def test_thoughts_are_taken_out_and_kept_beside_the_reply() -> None:
    async with FakeLLM(kind="reasoning") as fake:
        reply, _ = await asked(fake, "strip")
    assert reply.text == "It is 7."
    assert reply.reasoning


async def test_a_reply_that_unexpected_thoughts_cut_off_is_asked_for_again_with_room_for_them() -> None:
    async with FakeLLM(kind="reasoning", log_requests=True) as fake:
        reply, calls = await asked(fake, "strip", PROMPT.replace("=6", "=550"))
    assert [call.body["max_tokens"] for call in calls] == [520, 520 + 1000]
    assert (reply.text, reply.finish_reason) == ("It is 7.", "stop")


async def test_kept_thoughts_stand_in_the_reply() -> None:
    async with FakeLLM(kind="reasoning") as fake:
        reply, _ = await asked(fake, "keep")
    assert reply.text.startswith("<think>")
    assert reply.text.endswith("</think>It is 7.")
    assert reply.reasoning == ""


async def test_a_model_that_is_to_think_no_thought_is_told_so_and_gets_no_budget() -> None:
    async with FakeLLM(kind="reasoning", log_requests=True) as fake:
        _, [call] = await asked(fake, "off")
    assert call.body["chat_template_kwargs"] == {"enable_thinking": False}
    assert call.body["max_tokens"] == 520
