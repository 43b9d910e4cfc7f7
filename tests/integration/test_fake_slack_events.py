"""How the fake Slack delivers, and what people can do in it, shown by an unmodified bolt app at the other end."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import get_args

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError

from tests.fakes.slack import FakeSlack, Place, Replay, SlackError
from tests.fakes.slack.deliver import Mode
from tests.fakes.slack.http import Forgery
from tests.fakes.slack.prepared import ALICE, BOB, C1, DORA, GUS, LONELY, ROBOT, SHARED, T1, T2
from tests.support.bolt_app import bolt_app, oauth_app

BOTH: tuple[Mode, ...] = get_args(Mode)


@pytest.mark.parametrize("mode", BOTH)
async def test_a_mention_is_two_events_with_one_timestamp_and_is_answered_in_its_thread(mode: Mode) -> None:
    async with FakeSlack(mode=mode) as slack, bolt_app(slack, mode) as app:
        said = await slack.mention("hello")
        reply = await slack.reply(said)
        await slack.quiesce()
        mine = [body for body in app.bodies if body["event"].get("client_msg_id")]
        kinds = {body["event"]["type"]: body for body in mine}
        assert reply.text == f"You said: <@{slack.bot_user}> hello"
        assert reply.place == Place(C1, said.ts)
        assert kinds.keys() == {"message", "app_mention"}
        assert {body["event"]["ts"] for body in mine} == {said.ts}
        assert len({body["event_id"] for body in mine}) == 2
        assert len({body["event"]["client_msg_id"] for body in mine}) == 1


@pytest.mark.parametrize("mode", BOTH)
async def test_a_direct_message_is_a_thread_root_and_is_answered_there(mode: Mode) -> None:
    async with FakeSlack(mode=mode) as slack, bolt_app(slack, mode) as app:
        said = await slack.dm("between us")
        assert (await slack.reply(said)).text == "Privately: between us"
        event = app.bodies[0]["event"]
        assert event["channel_type"] == "im"
        assert "thread_ts" not in event


@pytest.mark.parametrize("mode", BOTH)
async def test_a_commands_answer_is_private_and_its_response_url_can_speak_to_all(mode: Mode) -> None:
    async with FakeSlack(mode=mode) as slack, bolt_app(slack, mode):
        assert await slack.command("status", user=BOB) == "pong status"
        await slack.until(lambda replay: [m for m in replay.visible() if m.text == "and once more"])
        assert await slack.ephemerals(BOB, C1) == ["pong status"]
        assert await slack.ephemerals(ALICE) == []


@pytest.mark.parametrize("mode", BOTH)
async def test_a_button_opens_a_modal_that_shows_its_errors_and_closes_when_it_is_right(mode: Mode) -> None:
    async with FakeSlack(mode=mode) as slack, bolt_app(slack, mode) as app:
        message = (await slack.reply(await slack.mention("menu"))).messages[0]
        assert await slack.press("open", on=message, user=BOB)
        await _until_view(slack, BOB, "Form")
        with pytest.raises(SlackError, match="required"):
            await slack.submit(user=BOB)
        assert (await slack.submit({"name": "nobody"}, user=BOB))["errors"] == {"who": "There is no such person"}
        assert (await slack.submit({"name": "more"}, user=BOB))["outcome"] == "pushed"
        assert (await slack.submit({"name": "Carol"}, user=BOB))["outcome"] == "closed"
        view = await slack.view(BOB)
        assert view is not None
        assert view["title"]["text"] == "Form"
        await slack.close(user=BOB)
        assert await slack.view(BOB) is None
        assert [body["type"] for body in app.bodies if "view" in body][-1] == "view_closed"


async def test_a_choice_comes_with_all_that_an_app_needs_to_answer_it() -> None:
    async with FakeSlack() as slack, bolt_app(slack, "http") as app:
        said = await slack.mention("menu")
        message = (await slack.reply(said)).messages[0]
        await slack.press("choose", "4", on=message, user=GUS)
        await slack.until(lambda replay: replay.private(GUS))
        body = next(body for body in app.bodies if body["type"] == "block_actions")
        assert await slack.ephemerals(GUS) == ["chosen 4"]
        assert body["actions"][0]["selected_option"]["value"] == "4"
        assert body["user"] == {"id": GUS, "username": "gus", "name": "gus", "team_id": T1}
        assert body["team"]["id"] == T1
        assert body["channel"]["id"] == C1
        assert body["message"]["ts"] == message.ts
        assert body["container"] == {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": C1,
            "is_ephemeral": False,
            "thread_ts": said.ts,
        }


async def test_a_choice_in_a_modal_comes_with_what_it_holds_by_then() -> None:
    async with FakeSlack() as slack, bolt_app(slack, "http") as app:
        await slack.press("open", on=(await slack.reply(await slack.mention("menu"))).messages[0])
        await _until_view(slack, ALICE, "Form")
        assert await slack.press("kind", "b", values={"name": "Carol"})
        held = app.bodies[-1]["view"]["state"]["values"]
        assert held["who"]["name"]["value"] == "Carol"
        assert held["more"]["kind"]["selected_option"]["value"] == "b"


async def test_a_button_can_replace_the_message_that_it_is_in_and_is_gone_then() -> None:
    async with FakeSlack() as slack, bolt_app(slack, "http"):
        message = (await slack.reply(await slack.mention("menu"))).messages[0]
        await slack.press("replace", on=message)
        await slack.until(lambda replay: replay.bots[message.id].text == "replaced by you")
        with pytest.raises(SlackError, match="no_such_element"):
            await slack.press("replace", on=message)


async def test_the_app_home_is_published_for_whoever_opens_it() -> None:
    async with FakeSlack() as slack, bolt_app(slack, "http") as app:
        await slack.open_home(BOB)
        await slack.until(lambda replay: replay.called("views.publish"))
        home = await slack.home(BOB)
        assert home is not None
        assert home["blocks"][0]["text"]["text"] == f"Home of {BOB}"
        assert await slack.home(ALICE) is None
        assert await slack.press("open", home=True, user=BOB)
        await _until_view(slack, BOB, "Form")
        assert next(body for body in app.bodies if body["type"] == "block_actions")["container"]["type"] == "view"


@pytest.mark.parametrize("mode", BOTH)
async def test_an_event_without_an_ack_comes_again_with_its_number_and_the_reason(mode: Mode) -> None:
    async with FakeSlack(mode=mode, ack_timeout=0.3) as slack, bolt_app(slack, mode) as app:
        app.deaf = 2
        said = await slack.dm("anybody?")
        await slack.reply(said)
        await slack.quiesce()
        mine = {name for name, _, _ in app.events if (name, "message", "0") == app.events[0]}
        tries = [retry for name, _, retry in app.events if name in mine]
        reasons = [entry["why"] for entry in (await slack.replay()).entries if entry["kind"] == "unacked"]
        assert tries == ["0", "1", "2"]
        assert reasons == ["http_timeout" if mode == "http" else "timeout"] * 2


async def test_slack_gives_up_after_three_redeliveries() -> None:
    async with FakeSlack(ack_timeout=0.2) as slack, bolt_app(slack, "http") as app:
        app.deaf = 10
        said = await slack.dm("anybody?")
        assert await slack.quiesce() == []
        assert (await slack.replay()).deliveries(said.id, "sent") == 4
        assert (await slack.replay()).deliveries(said.id, "given_up") == 1


async def test_delayed_events_go_on_until_the_app_is_back() -> None:
    async with FakeSlack(delayed_every=0.1) as slack:
        said = await slack.dm("are you there yet?")
        await slack.until(lambda replay: replay.deliveries(said.id, "unacked") > 4)
        async with bolt_app(slack, "http"):
            assert (await slack.reply(said)).text == "Privately: are you there yet?"


async def test_an_app_can_ask_not_to_be_told_again() -> None:
    async with FakeSlack() as slack:
        server = await asyncio.start_server(_refuse_for_good, "127.0.0.1", 0)
        async with server:
            await slack.app(url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
            said = await slack.dm("hello?")
            assert await slack.quiesce() == []
            assert (await slack.replay()).deliveries(said.id, "sent") == 1


@pytest.mark.parametrize(("redirects", "why"), [(2, None), (3, "too_many_redirects")])
async def test_redirects_are_followed_twice(redirects: int, why: str | None) -> None:
    async def server(request: web.Request) -> web.Response:
        left = int(request.match_info["left"])
        return web.Response(status=307, headers={"Location": f"/{left - 1}"}) if left else web.Response()

    app = web.Application()
    app.router.add_post("/{left}", server)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with FakeSlack(retries=[]) as slack:
        await slack.app(url=f"http://127.0.0.1:{runner.addresses[0][1]}/{redirects}")
        await slack.dm("hello")
        await slack.quiesce()
        ends = [e.get("why") for e in (await slack.replay()).entries if e["kind"] in ("acked", "unacked")]
    await runner.cleanup()
    assert ends == [why]


async def test_copies_share_their_event_id_and_a_lost_ack_brings_the_event_again() -> None:
    async with FakeSlack(copies=3, jitter=0.02, lost_ack=1.0) as slack, bolt_app(slack, "http") as app:
        said = await slack.dm("once")
        await slack.quiesce()
        first = next(b["event_id"] for b in app.bodies if b["event"].get("ts") == said.ts)
        assert Counter(name for name, _, _ in app.events)[first] == 12


async def test_with_jitter_events_overtake_each_other() -> None:
    async with FakeSlack(jitter=0.3) as slack, bolt_app(slack, "http") as app:
        said = [(await slack.say(f"message {number}")).ts for number in range(8)]
        await slack.quiesce()
        arrived = [body["event"]["ts"] for body in app.bodies]
        assert arrived != said
        assert sorted(arrived) == said


async def test_a_command_that_is_not_answered_in_time_tells_its_author_so_and_comes_once() -> None:
    async with FakeSlack(ack_timeout=0.3) as slack, bolt_app(slack, "http") as app:
        app.deaf = 1
        assert await slack.command("status") == "operation_timeout"
        await slack.quiesce()
        assert [kind for _, kind, _ in app.events] == ["/kagent"]


@pytest.mark.parametrize("forgery", get_args(Forgery))
async def test_what_slack_did_not_sign_just_now_is_refused(forgery: Forgery) -> None:
    async with FakeSlack() as slack, bolt_app(slack, "http") as app:
        assert await slack.forge(forgery) == 401
        assert app.bodies == []


async def test_a_request_url_is_verified_by_its_answer_to_a_challenge() -> None:
    async with FakeSlack() as slack:
        assert not await slack.verify()
        async with bolt_app(slack, "http"):
            assert await slack.verify()


async def test_the_one_who_writes_from_another_workspace_is_told_by_it() -> None:
    async with FakeSlack() as slack, bolt_app(slack, "http") as app:
        said = await slack.mention("from outside", user=DORA, channel=SHARED, team=T2)
        await slack.reply(said)
        body = next(body for body in app.bodies if body["event"]["type"] == "app_mention")
        assert body["authorizations"][0]["team_id"] == T1
        assert (body["team_id"], body["context_team_id"]) == (T2, T1)
        assert body["is_ext_shared_channel"] is True
        assert (body["event"]["user_team"], body["event"]["source_team"]) == (T2, T2)


async def test_where_the_bot_is_not_nobody_tells_it_anything() -> None:
    async with FakeSlack() as slack, bolt_app(slack, "http") as app:
        await slack.mention("hello?", channel=LONELY)
        await slack.control("kick", channel=C1)
        await slack.mention("and here?")
        await slack.control("invite", channel=C1)
        said = await slack.mention("now?")
        await slack.reply(said)
        people = [body["event"]["ts"] for body in app.bodies if body["event"].get("client_msg_id")]
        assert set(people) == {said.ts}


async def test_prompts_are_there_once_somebody_has_opened_the_messages_tab() -> None:
    async with FakeSlack() as slack, bolt_app(slack, "http"):
        assert await slack.prompts(BOB) == []
        await slack.open_home(BOB, "messages")
        await slack.until(lambda replay: replay.called("assistant.threads.setSuggestedPrompts", accepted=True))
        assert await slack.prompts(BOB) == [{"title": "Ask", "message": "What can you do?"}]


async def test_a_shared_file_comes_with_an_address_that_the_bot_may_read() -> None:
    async with FakeSlack() as slack, bolt_app(slack, "http") as app:
        file = await slack.upload("notes.txt", b"remember", mimetype="text/plain")
        await slack.dm("look", files=[file])
        await slack.quiesce()
        event = app.bodies[0]["event"]
        assert event["subtype"] == "file_share"
        async with aiohttp.ClientSession() as session:
            token = {"Authorization": f"Bearer {slack.bot_token}"}
            async with session.get(event["files"][0]["url_private_download"], headers=token) as answer:
                assert await answer.read() == b"remember"


async def test_closing_everything_is_told_once_for_each_modal_as_cleared() -> None:
    async with FakeSlack() as slack, bolt_app(slack, "http") as app:
        await slack.press("open", on=(await slack.reply(await slack.mention("menu"))).messages[0])
        await _until_view(slack, ALICE, "Form")
        await slack.submit({"name": "more"})
        await slack.close(everything=True)
        closed = [body for body in app.bodies if body["type"] == "view_closed"]
        assert [body["is_cleared"] for body in closed] == [True, True]


@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")  # slack_sdk's
async def test_a_workspace_installs_the_app_through_its_own_pages(tmp_path: Path) -> None:
    async with FakeSlack() as slack, oauth_app(slack, tmp_path) as (address, store):
        page = f"{address}/slack/install"
        cancelled = await slack.install(page, team=T2, user=DORA, cancel=True)
        foreign = await slack.install(page, team=T2, user=DORA, foreign=True)
        assert "access_denied" in cancelled["text"]
        assert foreign["status"] == 400
        assert await store.async_find_bot(enterprise_id=None, team_id=T2) is None
        installed = await slack.install(page, team=T2, user=DORA)
        bot = await store.async_find_bot(enterprise_id=None, team_id=T2)
        assert installed["status"] == 200
        assert installed["asked"]["scope"] == "chat:write,app_mentions:read"
        assert bot is not None
        assert bot.bot_token in {install["token"] for install in (await slack.world())["installs"]}


async def test_another_bot_is_told_by_its_bot_id() -> None:
    async with FakeSlack() as slack, bolt_app(slack, "http") as app:
        await slack.say("beep", user=ROBOT)
        await slack.quiesce()
        assert app.bodies[0]["event"]["bot_id"] == "BROBOT"


async def test_edits_deletions_and_unfurls_are_hidden_messages_about_another() -> None:
    async with FakeSlack() as slack, bolt_app(slack, "http") as app:
        said = await slack.say("one")
        await slack.edit(said, "two")
        await slack.control("unfurl", channel=said.channel, ts=said.ts)
        await slack.delete(said)
        await slack.quiesce()
        events = sorted((body["event"] for body in app.bodies), key=lambda event: str(event["event_ts"]))
        assert [event.get("subtype") for event in events] == [
            None,
            "message_changed",
            "message_changed",
            "message_deleted",
        ]
        assert (events[1]["message"]["text"], events[1]["previous_message"]["text"]) == ("two", "one")
        assert events[2]["message"]["text"] == events[2]["previous_message"]["text"] == "two"
        assert events[3]["deleted_ts"] == said.ts


async def test_slacks_stop_ends_the_streams_and_tells_the_app_which() -> None:
    async with FakeSlack() as slack, bolt_app(slack, "http") as app:
        said = await slack.mention("a long story")
        with pytest.raises(SlackError, match="no_stop_button"):
            await slack.press_stop(said.place)
        streamed = await app.app.client.chat_startStream(
            channel=C1, thread_ts=said.ts, recipient_team_id=T1, recipient_user_id=ALICE, markdown_text="Once upon"
        )
        await slack.press_stop(said.place, BOB)
        await slack.quiesce()
        stop = next(b["event"] for b in app.bodies if b["event"]["type"] == "agent_session_stopped")
        assert (stop["user"], stop["thread_ts"]) == (BOB, said.ts)
        assert stop["streaming_message_ts"] == [streamed["ts"]]
        assert (await slack.replay()).stops[0].place == said.place


async def test_an_uninstalled_app_is_told_and_its_token_is_worth_nothing() -> None:
    async with FakeSlack() as slack, bolt_app(slack, "http") as app:
        await slack.mention("warm up")
        await slack.quiesce()
        await slack.control("uninstall", team=T1)
        await slack.quiesce()
        kinds = {body["event"]["type"] for body in app.bodies}
        assert {"app_uninstalled", "tokens_revoked"} <= kinds
        with pytest.raises(SlackApiError) as refused:
            await app.app.client.auth_test()
        assert refused.value.response["error"] == "account_inactive"


async def _refuse_for_good(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 500 No\r\nX-Slack-No-Retry: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    await writer.drain()
    writer.close()


async def _until_view(slack: FakeSlack, user: str, title: str) -> None:
    """The app opens its modals after the ack; the call is in the log as soon as it is done."""

    def opened(replay: Replay) -> bool:
        return bool(replay.called("views.open", accepted=True))

    await slack.until(opened)
    view = await slack.view(user)
    assert view is not None
    assert view["title"]["text"] == title
