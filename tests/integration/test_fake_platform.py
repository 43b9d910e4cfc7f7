"""The fake platform itself: that it misbehaves as it says, and that its judge sees what a bot does on it."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from tests.fakes.adapter.api import FakeApi
from tests.fakes.adapter.inbound import target_of
from tests.fakes.platform import FakePlatform, Place
from tests.fakes.platform.log import load
from tests.fakes.platform.rules import PAGE, STREAM_LIMIT, TEXT_LIMIT, RuleError, Rules

pytestmark = pytest.mark.asyncio(loop_scope="module")

_channels = count(1)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running() -> AsyncIterator[FakePlatform]:
    async with FakePlatform() as platform:
        yield platform


@pytest_asyncio.fixture(loop_scope="module")
async def fake(running: FakePlatform) -> AsyncIterator[FakePlatform]:
    await running.set(reset=True, read_lag=0.0, retry_first=0.02, retry_longest=0.05)
    yield running
    await running.bot(None)


@pytest.fixture
def place() -> Place:
    """A conversation that no other test uses."""
    return Place("T1", f"C{next(_channels)}", "1")


class Webhook:
    """A bot that keeps what it is sent and answers as it is told."""

    def __init__(self, answer: Callable[[dict[str, Any]], Awaitable[int]]) -> None:
        self._answer = answer
        self._runner: web.AppRunner | None = None
        self.got: list[dict[str, Any]] = []

    async def start(self) -> str:
        app = web.Application()
        app.router.add_post("/", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/"

    async def stop(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.got.append(body)
        return web.Response(status=await self._answer(body))


@pytest_asyncio.fixture(loop_scope="module")
async def webhook(fake: FakePlatform) -> AsyncIterator[Callable[..., Awaitable[Webhook]]]:
    """Starts a bot that answers with these status codes, then with 200."""
    started: list[Webhook] = []

    async def start(*statuses: int) -> Webhook:
        left = list(statuses)

        async def answer(body: dict[str, Any]) -> int:
            return left.pop(0) if left else 200

        hook = Webhook(answer)
        started.append(hook)
        await fake.bot(await hook.start())
        return hook

    yield start
    await fake.bot(None)
    for hook in started:
        await hook.stop()


StartWebhook = Callable[..., Awaitable[Webhook]]


# The process.


async def test_the_process_ends_with_its_standard_input(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.platform", "--port=0", f"--log={tmp_path / 'log'}", stdin=PIPE, stdout=PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert json.loads(await process.stdout.readline())["port"] > 0
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), 20) == 0


async def test_the_log_on_disk_has_everything_when_the_process_is_killed(tmp_path: Path, place: Place) -> None:
    async with FakePlatform(tmp_path / "log", copies=0) as platform:
        await platform.say(place, "Hello")
        await platform.call("post", **place._asdict(), text="Good day")
    kinds = [(entry["kind"], entry.get("accepted")) for entry in load(tmp_path / "log")]
    assert kinds == [("said", None), ("call", True)]


async def test_an_unknown_fault_or_setting_is_an_error_of_the_test(fake: FakePlatform) -> None:
    with pytest.raises(ValueError, match="earthquake"):
        await fake.set(faults={"earthquake": 1.0})
    with pytest.raises(ValueError, match="weather"):
        await fake.set(weather="bad")
    with pytest.raises(ValueError, match="earthquake"):
        await fake.script("post", "earthquake")


# Events.


async def test_an_event_comes_again_until_it_is_acked(fake: FakePlatform, place: Place, webhook: StartWebhook) -> None:
    hook = await webhook(500, 503)
    message = await fake.say(place, "Hello")
    assert await fake.quiesce() == []
    assert len({body["delivery_id"] for body in hook.got}) == 1
    replay = await fake.replay()
    assert (replay.deliveries(message, "unacked"), replay.deliveries(message, "acked")) == (2, 1)
    assert replay.humans[message].accepted_at is not None


async def test_an_event_comes_again_when_the_ack_takes_too_long(
    fake: FakePlatform, place: Place, webhook: StartWebhook
) -> None:
    hook = await webhook()
    patient = asyncio.Event()

    async def slow_once(body: dict[str, Any]) -> int:
        if len(hook.got) == 1:
            await patient.wait()
        return 200

    hook._answer = slow_once
    await fake.set(ack_timeout=0.1)
    await fake.say(place, "Hello")
    assert await fake.quiesce() == []
    patient.set()
    assert len(hook.got) >= 2


async def test_an_event_finds_the_bot_at_its_new_address(
    fake: FakePlatform, place: Place, webhook: StartWebhook
) -> None:
    message = await fake.say(place, "Hello")
    assert len(await fake.quiesce(timeout=0.1)) == 1
    hook = await webhook()
    assert await fake.quiesce() == []
    assert [body["message"] for body in hook.got] == [message]


async def test_copies_share_their_delivery_id(fake: FakePlatform, place: Place, webhook: StartWebhook) -> None:
    hook = await webhook()
    await fake.set(copies=3)
    await fake.say(place, "Hello")
    await fake.quiesce()
    assert len(hook.got) == 3
    assert len({body["delivery_id"] for body in hook.got}) == 1


async def test_a_twin_comes_unaddressed_and_then_addressed(
    fake: FakePlatform, place: Place, webhook: StartWebhook
) -> None:
    hook = await webhook()
    await fake.set(twins=True)
    await fake.say(place, "Hello")
    await fake.quiesce()
    twins = sorted(hook.got, key=lambda body: str(body["delivery_id"]))
    assert [(body["kind"], body["addressed"]) for body in twins] == [("message", False), ("mention", True)]
    assert len({body["delivery_id"] for body in twins}) == 2
    assert len({body["message"] for body in twins}) == 1


async def test_an_ack_that_gets_lost_means_one_more_delivery(
    fake: FakePlatform, place: Place, webhook: StartWebhook
) -> None:
    hook = await webhook()
    await fake.set(lost_ack=1.0)
    await fake.say(place, "Hello")
    await fake.until(lambda replay: len(hook.got) >= 3)
    await fake.set(lost_ack=0.0)
    assert await fake.quiesce() == []


async def test_events_overtake_each_other(fake: FakePlatform, place: Place, webhook: StartWebhook) -> None:
    hook = await webhook()
    await fake.set(jitter=0.3)
    said = [await fake.say(place, f"{number}") for number in range(12)]
    await fake.quiesce()
    arrived = [body["message"] for body in hook.got]
    assert sorted(arrived) == said
    assert arrived != said


async def test_edits_deletions_and_stop_are_events(fake: FakePlatform, place: Place, webhook: StartWebhook) -> None:
    hook = await webhook()
    message = await fake.say(place, "Hello")
    post = await fake.call("post", **place._asdict(), text="Hm", buttons=["stop"])
    await fake.quiesce()
    await fake.edit(message, "Hello again")
    await fake.quiesce()
    await fake.press_stop(post["message"], by="U2")
    await fake.quiesce()
    await fake.delete(message)
    await fake.quiesce()
    assert [body["kind"] for body in hook.got] == ["message", "edited", "stop", "deleted"]
    assert hook.got[1]["text"] == "Hello again"
    assert (hook.got[2]["message"], hook.got[2]["by"]) == (post["message"], "U2")


async def test_a_message_may_come_with_an_older_time(fake: FakePlatform, place: Place, webhook: StartWebhook) -> None:
    hook = await webhook()
    late = await fake.say(place, "second", sent_at=2_000.0)
    early = await fake.say(place, "first", sent_at=1_000.0)
    await fake.quiesce()
    assert early < late
    assert {body["message"]: body["sent_at"] for body in hook.got} == {late: 2_000.0, early: 1_000.0}


# The web API.


async def test_there_is_no_idempotency(fake: FakePlatform, place: Place) -> None:
    first = await fake.call("post", **place._asdict(), text="Hello", metadata={"nonce": "1"})
    second = await fake.call("post", **place._asdict(), text="Hello", metadata={"nonce": "1"})
    assert first["message"] < second["message"]
    assert len((await fake.replay()).visible(place)) == 2


async def test_a_new_message_is_not_listed_at_once(fake: FakePlatform, place: Place) -> None:
    await fake.set(read_lag=60.0)
    await fake.call("post", **place._asdict(), text="Hello")
    assert (await fake.call("list", **place._asdict(), since=0))["messages"] == []
    await fake.set(read_lag=0.0)
    assert len((await fake.call("list", **place._asdict(), since=0))["messages"]) == 1


async def test_listings_lag_behind_deletions_too() -> None:
    class Timed(Rules):
        at = 100.0

        def now(self) -> float:
            return self.at

    rules, place = Timed(), Place("T1", "C1")
    message = rules.post(place, {}, "Hello")
    rules.at = 110.0
    rules.delete(message.id)
    rules.at = 111.0
    listed, _ = rules.listing(place, 0.0, None, PAGE, 2.0)
    assert [found.id for found in listed] == [message.id]
    rules.at = 113.0
    assert rules.listing(place, 0.0, None, PAGE, 2.0) == ([], None)


async def test_a_long_listing_comes_in_pages_and_the_adapter_reads_them_all(fake: FakePlatform, place: Place) -> None:
    posted = [(await fake.call("post", **place._asdict(), text=f"{n}"))["message"] for n in range(PAGE + 5)]
    first = await fake.call("list", **place._asdict(), since=0, limit=1000)
    assert len(first["messages"]) == PAGE
    assert first["cursor"] is not None
    api = FakeApi(fake.url, fake.token, timeout=5)
    replay = await fake.replay()
    target = target_of(place._asdict())
    since = replay.bots[posted[2]].created_at
    own = await api.list_own(target, datetime.fromtimestamp(since, UTC))
    await api.close()
    assert sorted(message.id for message in own) == posted[2:]


async def test_people_are_in_listings_and_not_ours(fake: FakePlatform, place: Place) -> None:
    await fake.set(copies=0)
    await fake.say(place, "Hello")
    (listed,) = (await fake.call("list", **place._asdict(), since=0))["messages"]
    assert not listed["own"]


@pytest.mark.parametrize(
    ("piece", "times", "error"), [("x", 0, "no_text"), (" \n", 1, "no_text"), ("x", TEXT_LIMIT + 1, "msg_too_long")]
)
async def test_a_text_has_to_fit(fake: FakePlatform, place: Place, piece: str, times: int, error: str) -> None:
    text = piece * times
    with pytest.raises(RuleError, match=error):
        await fake.call("post", **place._asdict(), text=text)
    posted = await fake.call("post", **place._asdict(), text="x" * TEXT_LIMIT)
    with pytest.raises(RuleError, match=error):
        await fake.call("edit", message=posted["message"], text=text)


async def test_only_own_and_existing_messages_can_be_changed(fake: FakePlatform, place: Place) -> None:
    await fake.set(copies=0)
    human = await fake.say(place, "Hello")
    posted = (await fake.call("post", **place._asdict(), text="Hello"))["message"]
    await fake.call("delete", message=posted)
    for message in (human, posted, "nothing"):
        with pytest.raises(RuleError, match="not_found"):
            await fake.call("edit", message=message, text="Changed")
        with pytest.raises(RuleError, match="not_found"):
            await fake.call("delete", message=message)


async def test_a_stream_grows_and_ends(fake: FakePlatform, place: Place) -> None:
    message = (await fake.call("start_stream", **place._asdict(), text="a"))["message"]
    await fake.call("append", message=message, text="b")
    with pytest.raises(RuleError, match="streaming"):
        await fake.call("edit", message=message, text="c")
    await fake.call("stop_stream", message=message)
    for method in ("append", "stop_stream"):
        with pytest.raises(RuleError, match="not_streaming"):
            await fake.call(method, message=message, text="c")
    await fake.call("edit", message=message, text="abc")
    assert (await fake.replay()).bots[message].text == "abc"


async def test_a_stream_runs_out(fake: FakePlatform, place: Place) -> None:
    await fake.set(stream_ttl=0.0)
    message = (await fake.call("start_stream", **place._asdict(), text="a"))["message"]
    with pytest.raises(RuleError, match="not_streaming"):
        await fake.call("append", message=message, text="b")


async def test_a_stream_holds_only_so_much(fake: FakePlatform, place: Place) -> None:
    message = (await fake.call("start_stream", **place._asdict(), text="a" * 1000))["message"]
    await fake.call("append", message=message, text="b" * (STREAM_LIMIT - 1000))
    with pytest.raises(RuleError, match="msg_too_long"):
        await fake.call("append", message=message, text="c")


async def test_stop_ends_a_stream(fake: FakePlatform, place: Place) -> None:
    await fake.set(copies=0)
    message = (await fake.call("start_stream", **place._asdict(), text="a"))["message"]
    await fake.press_stop(message)
    with pytest.raises(RuleError, match="stopped_by_user"):
        await fake.call("append", message=message, text="b")


async def test_stop_can_be_pressed_only_where_it_is(fake: FakePlatform, place: Place) -> None:
    message = (await fake.call("post", **place._asdict(), text="Done"))["message"]
    with pytest.raises(RuleError, match="no_stop_button"):
        await fake.press_stop(message)


async def test_mentions_ring_unless_the_call_says_no(fake: FakePlatform, place: Place) -> None:
    loud = (await fake.call("post", **place._asdict(), text="@all <@U1> wake up"))["message"]
    quiet = (await fake.call("post", **place._asdict(), text="@all wake up", mentions=False))["message"]
    bots = (await fake.replay()).bots
    assert bots[loud].pings == ["@all", "<@U1>"]
    assert bots[quiet].pings == []


async def test_a_wrong_token_is_refused(fake: FakePlatform, place: Place) -> None:
    body = {**place._asdict(), "text": "Hello"}
    async with aiohttp.ClientSession() as session, session.post(f"{fake.url}/api/post", json=body) as response:
        assert await response.json() == {"ok": False, "error": "invalid_auth"}
    assert (await fake.replay()).created(place) == []


# Faults on the wire.


@pytest.mark.parametrize(
    ("fault", "told", "exists"),
    [
        ("reset", "broken", False),
        ("rate_limited", "429", False),
        ("unavailable", "500", False),
        ("error", "internal_error", False),
        ("done_reset", "broken", True),
        ("done_late", "timed out", True),
        ("done_unavailable", "500", True),
        ("done_error", "internal_error", True),
        ("slow", "ok", True),
        ("late", "timed out", False),
    ],
)
async def test_a_fault_does_what_it_says(fake: FakePlatform, place: Place, fault: str, told: str, exists: bool) -> None:
    await fake.set(late=1.0, slow=0.05)
    await fake.script("post", fault)
    assert await _post(fake, place, timeout=0.4) == told
    assert len((await fake.replay()).created(place)) == int(exists)
    assert await _post(fake, place, timeout=5.0) == ("429" if fault == "rate_limited" else "ok")


async def test_a_late_call_is_done_when_nobody_waits_any_more(fake: FakePlatform, place: Place) -> None:
    await fake.set(late=0.3)
    await fake.script("post", "late")
    assert await _post(fake, place, timeout=0.1) == "timed out"
    await fake.until(lambda replay: replay.created(place))


async def test_a_rate_limit_holds_for_its_method_and_channel_until_it_is_over(fake: FakePlatform, place: Place) -> None:
    await fake.set(retry_after=1.0)
    await fake.script("post", "rate_limited")
    assert await _post(fake, place) == "429"
    assert await _post(fake, place) == "429"
    assert [call["early"] for call in (await fake.replay()).calls[-2:]] == [False, True]
    assert await _post(fake, Place("T1", f"C{next(_channels)}")) == "ok"
    await asyncio.sleep(1.0)
    assert await _post(fake, place) == "ok"


async def test_scripted_faults_come_when_and_as_often_as_told(fake: FakePlatform, place: Place) -> None:
    await fake.script("post", "error", skip=1, times=2)
    assert [await _post(fake, place) for _ in range(4)] == ["ok", "internal_error", "internal_error", "ok"]


async def test_faults_come_by_chance_and_the_seed_repeats_them(place: Place) -> None:
    async def run() -> list[str]:
        async with FakePlatform(seed=7, faults={"error": 0.5}) as platform:
            return [await _post(platform, place) for _ in range(20)]

    first, second = await asyncio.gather(run(), run())
    assert first == second
    assert set(first) == {"ok", "internal_error"}


async def _post(fake: FakePlatform, place: Place, timeout: float = 5.0) -> str:
    """One post by a plain client: what it is told."""
    headers = {"Authorization": f"Bearer {fake.token}"}
    body = {**place._asdict(), "text": "Hello"}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(timeout)) as session,
            session.post(f"{fake.url}/api/post", json=body, headers=headers) as response,
        ):
            if response.status != 200:
                return str(response.status)
            answer = await response.json()
    except TimeoutError:
        return "timed out"
    except aiohttp.ClientError:
        return "broken"
    return "ok" if answer["ok"] else str(answer["error"])
