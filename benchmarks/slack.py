"""What a mention in Slack takes, beside a bare bolt app: until its event is acked, until a first sign is seen.

An open loop, as people are: so many events a second whether or not the last ones are through, and bursts. Times are
those of the fake Slack's log, so nothing that we say of ourselves is counted. A round with the server is followed by a
round with the bare app, on the same fake; medians are compared within each pair.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import system
from benchmarks.figures import Figure, Result, at_most, percentile
from benchmarks.servers import FOREIGN, ROOT, Child
from benchmarks.slack_limits import WIDER
from tests.fakes.llm import FakeLLM
from tests.fakes.slack import FakeSlack, Said
from tests.fakes.slack.log import load

#: The fake model: seconds to the first token, and from token to token.
FIRST, GAP, TOKENS = 0.25, 0.005, 50
#: Under load: an answer takes half a minute, so that fifty of them stream all the while.
LONG_GAP, LONG_TOKENS = 0.05, 600
#: Calls at the same time that the endpoint takes; what fifty turns leave is the background job's.
SLOTS = 64
_SETTINGS: dict[str, Any] = {
    "tier_factor": WIDER,
    "post_rate": WIDER,
    "post_burst": WIDER,
    "workspace_posts": 300 * WIDER,
    # Every reply would send an event about its thread's root; they are acked like any other, and say nothing here.
    "thread_noise": False,
    "unfurls": False,
}
#: Calls that people see something of.
_SIGNS = frozenset({"assistant.threads.setStatus", "agents.sessions.setStatus", "chat.postMessage", "chat.startStream"})


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    pairs: int = 3
    #: Seconds of each round; events per second; and a burst of so many at its middle.
    seconds: float = 12.0
    rate: float = 5.0
    burst: int = 10
    warm: int = 10
    #: Turns that stream while acks are measured, and for how many seconds they are.
    streaming: int = 50
    loaded_seconds: float = 15.0


QUICK = Plan(pairs=1, seconds=1.0, burst=2, warm=1, streaming=2, loaded_seconds=1.0)


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds, for each event of one round."""

    #: From the delivery of an event to its ack; two for each mention.
    acks: list[float]
    #: From the first delivery of a mention to the first call that people see something of.
    signs: list[float]
    #: CPU time of the app's process, in milliseconds for each mention.
    cpu_ms: float


class Party(Child):
    """One of `benchmarks.slack_servers`."""

    def __init__(self, which: str, folder: Path, settings: Mapping[str, str]) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        environment |= {"KAGENTBOT_DATA_DIR": str(folder / which), "KAGENTBOT_SERVER__PORT": "0", "LANG": "C.UTF-8"}
        command = [sys.executable, "-m", "benchmarks.slack_servers", which]
        super().__init__(command, folder / f"{which}.log", ROOT, {**environment, **settings})
        (folder / which).mkdir(exist_ok=True)
        self.url = ""

    async def __aenter__(self) -> Party:
        await self.start()
        self.url = f"http://127.0.0.1:{json.loads(await self.line())['port']}/slack/events"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


async def measure(quick: bool) -> Result:
    """Run all rounds."""
    plan = QUICK if quick else Plan()
    with TemporaryDirectory(prefix="kagentbot-bench-") as scratch:
        folder = Path(scratch)
        async with AsyncExitStack() as stack:
            slack = await stack.enter_async_context(FakeSlack(folder / "slack.jsonl", **_SETTINGS))
            model = await stack.enter_async_context(FakeLLM(first=FIRST, gap=GAP, tokens=TOKENS))
            bare = await stack.enter_async_context(Party("bare", folder, _settings(slack, model)))
            async with Party("ours", folder, _settings(slack, model)) as ours:
                pairs = [(await _round(slack, ours, plan), await _round(slack, bare, plan)) for _ in range(plan.pairs)]
            async with Party("idle-turns", folder, _settings(slack, model)) as idle:
                both_signs = [await _round(slack, idle, plan) for _ in range(plan.pairs)]
            # An app that isn't declared an agent has no session to set, so that nothing comes after the first sign.
            await slack.app(agent=False)
            async with Party("idle-turns", folder, _settings(slack, model)) as idle:
                first_sign = [await _round(slack, idle, plan) for _ in range(plan.pairs)]
            await slack.app(agent=True)
            loaded, streaming = await _loaded(slack, folder, plan)
    details = {"pairs": [[asdict(one) for one in pair] for pair in pairs], "loaded_acks": loaded}
    return Result(_figures(pairs, first_sign, both_signs, loaded, streaming), details)


def _settings(slack: FakeSlack, model: FakeLLM) -> dict[str, str]:
    return {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "KAGENTBOT_SLACK__API_URL": slack.api_url,
        "KAGENTBOT_SLACK__MODE": "http",
        "KAGENTBOT_LIMITS__TURNS": "10000",
        "KAGENTBOT_PROFILE__STYLE": "noagent",
        "OPENAI_BASE_URL": model.base_url,
        "OPENAI_MODEL": "fake-model",
        "KAGENTBOT_MODELS__ENDPOINT__SLOTS": str(SLOTS),
        "BENCH_SLOTS": str(SLOTS),
    }


async def _round(slack: FakeSlack, party: Party, plan: Plan) -> Round:
    await slack.app(url=party.url)
    await _mentions(slack, plan.warm, plan.rate)
    await slack.quiesce()
    before = system.cpu_seconds(party.pid)
    said = [*await _mentions(slack, int(plan.seconds * plan.rate / 2), plan.rate)]
    said += await asyncio.gather(*(slack.mention("hello") for _ in range(plan.burst)))
    said += await _mentions(slack, int(plan.seconds * plan.rate / 2), plan.rate)
    await slack.quiesce()
    await _signed(slack, said)
    cpu = system.cpu_seconds(party.pid) - before
    acks, signs = _times(slack, said)
    return Round(acks, signs, 1000 * cpu / len(said))


async def _mentions(slack: FakeSlack, count: int, rate: float) -> list[Said]:
    """People mention the app, at this rate."""
    loop = asyncio.get_running_loop()
    began, asked = loop.time(), []
    for number in range(count):
        await asyncio.sleep(max(0.0, began + number / rate - loop.time()))
        asked.append(asyncio.create_task(slack.mention(f"hello {number}")))
    return list(await asyncio.gather(*asked))


async def _signed(slack: FakeSlack, said: Sequence[Said]) -> None:
    """Wait until people have seen something of each."""
    async with asyncio.timeout(60):
        while len(_times(slack, said)[1]) < len(said):  # noqa: ASYNC110 - another process writes the log
            await asyncio.sleep(0.2)


def _times(slack: FakeSlack, said: Sequence[Said]) -> tuple[list[float], list[float]]:
    """Acks and signs, by the log."""
    ids = {one.id for one in said}
    sent: dict[str, float] = {}
    first: dict[str, float] = {}
    signs: dict[str, float] = {}
    acks: list[float] = []
    for entry in load(slack.log):
        subject = entry.get("subject", "")
        if entry["kind"] == "sent" and subject in ids:
            sent[entry["delivery"]] = entry["at"]
            first.setdefault(subject, entry["at"])
        elif entry["kind"] == "acked" and subject in ids:
            acks.append(entry["at"] - sent[entry["delivery"]])
        elif entry["kind"] == "call" and entry["accepted"] and entry["method"] in _SIGNS:
            arguments = entry["arguments"]
            channel = arguments.get("channel") or arguments.get("channel_id")
            thread = f"{channel}/{arguments.get('thread_ts')}"
            if thread in ids and thread in first:
                signs.setdefault(thread, entry["at"] - first[thread])
    return acks, list(signs.values())


async def _loaded(slack: FakeSlack, folder: Path, plan: Plan) -> tuple[list[float], int]:
    """Acks while many turns stream and a background job takes all calls of the model that they leave; and how many
    calls were under way at their end.
    """
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(FakeLLM(first=FIRST, gap=LONG_GAP, tokens=LONG_TOKENS))
        party = await stack.enter_async_context(Party("busy", folder, _settings(slack, model)))
        await slack.app(url=party.url)
        await _signed(slack, await _mentions(slack, plan.streaming, 50.0))
        said = await _mentions(slack, int(plan.loaded_seconds * plan.rate), plan.rate)
        await slack.quiesce()
        return _times(slack, said)[0], sum(call.outcome == "open" for call in model.calls())


def _figures(
    pairs: Sequence[tuple[Round, Round]],
    first_sign: Sequence[Round],
    both_signs: Sequence[Round],
    loaded: Sequence[float],
    streaming: int,
) -> list[Figure]:
    def median_ms(times: list[float]) -> float:
        return 1000 * percentile(times, 0.5)

    def middle(values: list[float]) -> float:
        return statistics.median(values)

    return [
        Figure("ack, p50", middle([median_ms(ours.acks) for ours, _ in pairs]), "ms"),
        Figure("ack of the bare app, p50", middle([median_ms(bare.acks) for _, bare in pairs]), "ms"),
        Figure(
            "commit and ack, p50: added to the bare app's",
            middle([median_ms(ours.acks) - median_ms(bare.acks) for ours, bare in pairs]),
            "ms",
            at_most(10),
        ),
        Figure("first sign, p50", middle([median_ms(ours.signs) for ours, _ in pairs]), "ms"),
        Figure("first sign of the bare app, p50", middle([median_ms(bare.signs) for _, bare in pairs]), "ms"),
        Figure(
            "first sign, p50: added to the bare app's",
            middle([median_ms(ours.signs) - median_ms(bare.signs) for ours, bare in pairs]),
            "ms",
            at_most(15),
        ),
        Figure("first sign, p99", middle([1000 * percentile(ours.signs, 0.99) for ours, _ in pairs]), "ms"),
        # A mention is two events, `message` and `app_mention`.
        Figure("CPU per event up to that sign", middle([one.cpu_ms / 2 for one in first_sign]), "ms", at_most(4)),
        Figure("CPU per mention up to that sign", middle([one.cpu_ms for one in first_sign]), "ms"),
        Figure("CPU per mention with the agent session", middle([one.cpu_ms for one in both_signs]), "ms"),
        Figure("CPU per mention of the bare app", middle([bare.cpu_ms for _, bare in pairs]), "ms"),
        Figure("CPU per mention with its answer", middle([ours.cpu_ms for ours, _ in pairs]), "ms"),
        Figure("ack, p99, while 50 turns stream", 1000 * percentile(loaded, 0.99), "ms", at_most(300)),
        Figure("calls of the model under way meanwhile", streaming, ""),
    ]
