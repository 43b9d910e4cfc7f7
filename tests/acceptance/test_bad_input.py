"""What people, programs and models may send that is no use: one clear sentence, and nothing is lost."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.fakes.llm import FakeLLM
from tests.support.postgres import PostgresServer
from tests.support.process import Done, Kagentbot, is_one_sentence, serving, with_model
from tests.support.server import until
from tests.support.web import Client, Json

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: Tokens of the model's window.
WINDOW = 4096
#: The same question in both languages.
QUESTIONS = {"en": "How are you today?", "zh": "你今天怎么样？"}


#: For what has nothing to do with the database.
ON_SQLITE = pytest.mark.parametrize("bot", ["sqlite"], indirect=True)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def llm() -> AsyncIterator[FakeLLM]:
    async with FakeLLM(context=WINDOW, enforce=True) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["sqlite", "postgresql"])
async def bot(
    request: pytest.FixtureRequest, llm: FakeLLM, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Kagentbot]:
    """A server that waits two seconds for its model, on each kind of database."""
    folder = tmp_path_factory.mktemp("input")
    settings = with_model(llm.base_url, KAGENTBOT_MODELS__ENDPOINT__TIMEOUT="2")
    with ExitStack() as stack:
        if request.param == "postgresql":
            server: PostgresServer = request.getfixturevalue("postgres")
            settings["DATABASE_URL"] = stack.enter_context(server.database())
        async with serving(folder, settings) as running:
            yield running
            assert await running.run("doctor", "--audit") == Done(0, "clean\n", "")


@pytest_asyncio.fixture(loop_scope="module")
async def client(bot: Kagentbot, llm: FakeLLM) -> AsyncIterator[Client]:
    """Somebody who talks to the server; at the end the model is well again."""
    async with bot.client() as somebody:
        yield somebody
        await llm.behave("")


async def answer(client: Client, text: str, conversation: str | None = None) -> Json:
    """The turn that answers this text."""
    turn = await client.finished((await client.send(text, conversation))["turn_id"])
    assert turn["state"] == "answered", turn
    return turn


# --- Messages --------------------------------------------------------------------------------------------------------


def body(text: str, conversation: str) -> bytes:
    """A message whose text is written as it is between the quotes of its JSON."""
    start = json.dumps({"conversation": conversation, "message_id": str(uuid4())})[:-1]
    return f'{start}, "text": "{text}"}}'.encode("utf-8", "surrogateescape")


BAD_MESSAGES = {
    "empty": ("", "empty_message"),
    "spaces": (" \\n\\t\u3000", "empty_message"),
    "only control characters": ("\\u0000\\u0007\\u001b\\u009f", "empty_message"),
    "200,000 characters": ("x" * 200_000, "message_too_long"),
    "200,000 characters in Chinese": ("长" * 200_000, "message_too_long"),
    "3,000,000 characters": ("x" * 3_000_000, "too_large"),
    "broken UTF-8": ("Hello \udcff\udcfe", "not_json"),
    "cut-off UTF-8": ("Hello \udce4\udcbd", "not_json"),
    "bare control character": ("Hello \x00", "not_json"),
    "another type": ('", "text": 5, "x": "', "invalid_request"),
    "deep nesting": ('", "more": ' + "[" * 100_000 + '"', "not_json"),
}


@pytest.mark.parametrize(("text", "code"), BAD_MESSAGES.values(), ids=BAD_MESSAGES.keys())
async def test_a_message_that_is_no_use_is_refused_in_one_sentence(client: Client, text: str, code: str) -> None:
    before = await answer(client, "Hello")
    conversation = before["conversation"]
    for lang in ("en", "zh"):
        headers = {"Content-Type": "application/json", "Accept-Language": lang}
        status, refused = await client.ask("POST", "/api/v1/messages", data=body(text, conversation), headers=headers)
        assert (status // 100, refused["error"]["code"]) == (4, code)
        assert is_one_sentence(refused["error"]["message"], lang), refused
    after = await answer(client, "Are you still there?", conversation)
    page = await client.call("GET", f"/api/v1/conversations/{conversation}")
    assert [turn["id"] for turn in page["turns"]] == [before["id"], after["id"]]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\\u0000b\\u001b[31mc\\u0085d", "ab[31mcd"),
        ("one\\r\\ntwo\\rthree\\tfour", "one\ntwo\nthree\tfour"),
        ("half \\ud83d an emoji", "half  an emoji"),
        ("a whole one: \\ud83d\\ude00", "a whole one: \U0001f600"),
        ("\\u202egnirts", "\u202egnirts"),
    ],
)
async def test_characters_that_nobody_sees_are_left_out_and_the_rest_is_answered(
    client: Client, llm: FakeLLM, text: str, kept: str
) -> None:
    conversation = (await answer(client, "Hello"))["conversation"]
    headers = {"Content-Type": "application/json"}
    posted = await client.call("POST", "/api/v1/messages", data=body(text, conversation), headers=headers)
    turn = await client.finished(posted["turn_id"])
    assert turn["state"] == "answered"
    assert [message["text"] for message in turn["messages"]] == [kept]
    assert kept in llm.calls()[-1].user


# --- The model -------------------------------------------------------------------------------------------------------

#: How a model may fail: what the fake does, and the reason that the turn has then.
FAULTS = {
    "does not accept the key": ("[fake:status=401]", "model.unauthorized"),
    "has too many requests": ("[fake:retry=1]", "model.overloaded"),
    "says 429": ("[fake:status=429]", "model.overloaded"),
    "says 500": ("[fake:status=500]", "model.unreachable"),
    "says 503": ("[fake:status=503]", "model.unreachable"),
    "is not at this path": ("[fake:status=404]", "model.rejected"),
    "is a web page": ("[fake:html]", "model.garbage"),
    "sends garbage": ("[fake:garbage]", "model.garbage"),
    "sends broken JSON": ("[fake:badjson]", "model.garbage"),
    "sends nothing": ("[fake:empty=bare]", "model.empty"),
    "sends only the end": ("[fake:empty=done]", "model.empty"),
    "sends only a reason to stop": ("[fake:empty=stop]", "model.empty"),
    "sends only spaces": ("[fake:say= ]", "model.empty"),
    "never answers": ("[fake:hang]", "model.timeout"),
    "never answers but pings": ("[fake:ping]", "model.timeout"),
    "stops in mid-answer": ("[fake:stall=3]", "model.timeout"),
    "resets the connection": ("[fake:reset=0]", "model.unreachable"),
    "resets in mid-answer": ("[fake:reset=3]", "model.unreachable"),
    "ends in mid-answer": ("[fake:end=3]", "model.unreachable"),
    "dies in mid-answer": ("[fake:error=3]", "model.unreachable"),
    "finds the prompt too long": ("[fake:overflow]", "model.context_overflow"),
}


async def fail(client: Client, lang: str, reason: str) -> Json:
    """Ask, and see the turn fail for this reason, in one sentence of the asker's language."""
    turn = await client.finished((await client.send(QUESTIONS[lang]))["turn_id"])
    assert (turn["state"], turn["reason"], turn["lang"]) == ("failed", reason, lang)
    assert is_one_sentence(turn["text"], lang), turn["text"]
    assert turn["can_retry"]
    return turn


async def retry(client: Client, failed: Json) -> None:
    """Retry, and see the same question answered in the same place."""
    retried = await client.call("POST", f"/api/v1/turns/{failed['id']}/retry")
    turn = await client.finished(retried["turn_id"])
    assert (turn["state"], turn["retry_of"]) == ("answered", failed["id"]), turn
    assert turn["messages"] == failed["messages"]
    page = await client.call("GET", f"/api/v1/conversations/{failed['conversation']}")
    assert [one["id"] for one in page["turns"]] == [turn["id"]]


async def health(client: Client) -> tuple[str, str]:
    """How the whole server is, and how its model is."""
    found = await client.call("GET", "/readyz")
    return found["status"], found["checks"]["model"]["state"]


@ON_SQLITE
@pytest.mark.parametrize(("directives", "reason"), FAULTS.values(), ids=FAULTS.keys())
async def test_a_model_that_fails_is_one_sentence_and_a_retry_works(
    client: Client, llm: FakeLLM, directives: str, reason: str
) -> None:
    await llm.behave(directives)
    failed = await asyncio.gather(*(fail(client, lang, reason) for lang in QUESTIONS))
    await llm.behave("")
    await asyncio.gather(*(retry(client, turn) for turn in failed))


@ON_SQLITE
async def test_a_model_that_is_not_there_is_one_sentence_and_a_retry_works(client: Client, llm: FakeLLM) -> None:
    await llm.stop()
    try:
        failed = await asyncio.gather(*(fail(client, lang, "model.unreachable") for lang in QUESTIONS))
        # The server is of use all the same: it takes messages and says what is wrong.
        assert await health(client) == ("degraded", "down")
        for lang in QUESTIONS:
            info = await client.call("GET", "/api/v1/info", headers={"Accept-Language": lang})
            assert info["model"]["state"] == "down"
            assert is_one_sentence(info["model"]["detail"], lang), info["model"]
    finally:
        await llm.start()
    await asyncio.gather(*(retry(client, turn) for turn in failed))
    assert (await client.call("GET", "/api/v1/info"))["model"]["state"] == "ok"


async def test_a_model_that_is_not_there_is_told_before_anybody_asks_it(tmp_path: Path) -> None:
    async with serving(tmp_path, with_model("http://127.0.0.1:9/v1")) as bot, bot.client() as client:

        async def is_told() -> bool:
            return await health(client) == ("degraded", "down")

        await until(is_told)


@ON_SQLITE
async def test_a_message_beyond_the_models_window_is_one_sentence(client: Client, llm: FakeLLM) -> None:
    conversation = (await answer(client, "Hello"))["conversation"]
    calls = len(llm.calls())
    for lang, word in (("en", "word "), ("zh", "长句")):
        turn = await client.finished((await client.send(word * WINDOW, conversation))["turn_id"])
        assert (turn["state"], turn["reason"], turn["lang"]) == ("failed", "model.context_overflow", lang)
        assert is_one_sentence(turn["text"], lang), turn["text"]
    assert len(llm.calls()) == calls
    await answer(client, "A short one", conversation)


@ON_SQLITE
async def test_a_long_conversation_goes_on_in_a_small_window(client: Client, llm: FakeLLM) -> None:
    conversation = (await answer(client, "My number is 7. " + "word " * 1500))["conversation"]
    await answer(client, "And more: " + "word " * 1500, conversation)
    turn = await answer(client, "What was my number?", conversation)
    assert any("left out" in note for note in turn["notes"])


# --- What models say -------------------------------------------------------------------------------------------------


async def shown(client: Client, llm: FakeLLM, says: str, pace: str = "") -> Json:
    """The finished turn of a model that says this, once it was seen on every way that a page has."""
    await llm.behave(f"{pace}[fake:say={says}]", times=1)
    sent = await client.send("Say it")
    async with client.events(sent["conversation"]) as events:
        streamed = await events.until(lambda turn: turn["state"] == "answered")
    turn = await client.turn(sent["turn_id"])
    page = await client.call("GET", f"/api/v1/conversations/{sent['conversation']}")
    assert page["turns"] == [turn] == [streamed]
    # The next question takes the answer along as history.
    await answer(client, "And now?", sent["conversation"])
    return turn


@pytest.mark.parametrize("pace", ["", "[fake:gap=0.05]"], ids=["at once", "slowly"])
@pytest.mark.parametrize(
    ("says", "text"),
    [
        ("one\x00two three", "onetwo three"),
        ("one\ud83dtwo three", "onetwo three"),
        ("one\udc00\ud800 two three", "one two three"),
        ("one\x1b[31m\x07 two\x85 three", "one[31m two three"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
    ],
    ids=["NUL", "half a pair", "halves in the wrong order", "control characters", "line ends"],
)
async def test_what_no_page_can_show_is_left_out_of_an_answer(
    client: Client, llm: FakeLLM, says: str, text: str, pace: str
) -> None:
    # Slowly, so that unfinished text is stored, too.
    turn = await shown(client, llm, says, pace)
    assert turn["text"] == text


@pytest.mark.parametrize(
    "says",
    [
        "<script>alert(1)</script> <img src=x onerror=alert(1)>",
        "<a href='javascript:alert(1)'>click</a> <svg onload=alert(1)>",
        "```html\n</code></pre><script>alert(1)</script>\n```",
        "</body></html><iframe srcdoc='<script>alert(1)</script>'>",
        "<javascript:alert(1)> <data:text/html,<script>alert(1)</script>>",
    ],
)
async def test_markup_in_an_answer_is_shown_as_text(client: Client, llm: FakeLLM, says: str) -> None:
    turn = await shown(client, llm, says)
    assert turn["text"] == says
    html = turn["html"]
    assert re.findall(r"<(?!/?(?:p|pre|code)\b)", html) == []
    assert re.findall(r"<[^>]*\bon\w+=", html) == []
    assert "alert(1)" in html


async def test_an_answer_of_a_million_characters_is_kept_and_shown(client: Client, llm: FakeLLM) -> None:
    # Commas, because the server counts tokens, and a word of any length is one for the fake.
    words = ("word," * 200 + " ") * 1000
    await llm.behave(f"[fake:say={words}]", times=1)
    sent = await client.send("At length, please")
    turn = await client.finished(sent["turn_id"])
    assert turn["state"] == "answered", turn["text"][:200]
    assert turn["text"] == words
    assert len(turn["html"]) > 1_000_000
    # It can't be taken along, but the conversation goes on.
    following = await answer(client, "Shorter, please", sent["conversation"])
    assert any("left out" in note for note in following["notes"])
