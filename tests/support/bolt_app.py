"""A minimal slack_bolt app, unmodified bolt and SDK, as somebody would write it who has never seen the fake."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk.oauth.installation_store import FileInstallationStore
from slack_sdk.oauth.state_store import FileOAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack import FakeSlack
from tests.fakes.slack.deliver import Mode

Body = dict[str, Any]


class BoltApp:
    """What it saw, and the app itself."""

    def __init__(self, app: AsyncApp) -> None:
        self.app = app
        #: Every event, by (event_id, type, retry number).
        self.events: list[tuple[str, str, str]] = []
        #: Whole bodies, oldest first.
        self.bodies: list[Body] = []
        #: Requests to leave unanswered, and how many there were; the rest is answered.
        self.deaf = 0
        self.release = asyncio.Event()
        self.handlers: list[AsyncSocketModeHandler] = []


@asynccontextmanager
async def bolt_app(fake: FakeSlack, mode: Mode, *, sockets: int = 1) -> AsyncIterator[BoltApp]:
    """The app, reached by the fake in this way."""
    client = AsyncWebClient(token=fake.bot_token, base_url=fake.api_url)
    mine = BoltApp(AsyncApp(client=client, signing_secret=fake.signing_secret))
    _listen(mine)
    if mode == "http":
        runner = web.AppRunner(mine.app.web_app("/slack/events"), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        await fake.app(mode=mode, url=f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events")
        try:
            yield mine
        finally:
            mine.release.set()
            await runner.cleanup()
        return
    await fake.app(mode=mode)
    for _ in range(sockets):
        handler = AsyncSocketModeHandler(mine.app, fake.app_token, ping_interval=1)
        await handler.connect_async()
        mine.handlers.append(handler)
    await fake.until_connected(sockets)
    try:
        yield mine
    finally:
        mine.release.set()
        for handler in mine.handlers:
            await handler.close_async()


@asynccontextmanager
async def oauth_app(fake: FakeSlack, folder: Path) -> AsyncIterator[tuple[str, FileInstallationStore]]:
    """An app that workspaces install themselves: its address, and what it keeps of them."""
    app = (await fake.world())["app"]
    store = FileInstallationStore(base_dir=str(folder))
    settings = AsyncOAuthSettings(
        client_id=app["client_id"],
        client_secret=app["client_secret"],
        scopes=["chat:write", "app_mentions:read"],
        installation_store=store,
        state_store=FileOAuthStateStore(expiration_seconds=600, base_dir=str(folder)),
    )
    flow = AsyncOAuthFlow(client=AsyncWebClient(base_url=fake.api_url), settings=settings)
    bolt = AsyncApp(signing_secret=fake.signing_secret, oauth_flow=flow)
    runner = web.AppRunner(bolt.web_app("/slack/events"), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    settings.redirect_uri = f"{address}/slack/oauth_redirect"
    flow.redirect_uri = settings.redirect_uri
    settings.authorize_url_generator.redirect_uri = settings.redirect_uri
    try:
        yield address, store
    finally:
        await runner.cleanup()


def _listen(mine: BoltApp) -> None:
    app = mine.app

    @app.middleware
    async def record(body: Body, request: Any, next: Any) -> None:  # noqa: A002 (bolt's name)
        mine.bodies.append(body)
        event = body.get("event", body)
        retry = (request.headers.get("x-slack-retry-num") or ["0"])[0]
        kind = event.get("type") or body.get("command", "")
        mine.events.append((body.get("event_id", ""), kind, retry))
        if mine.deaf > 0:
            mine.deaf -= 1
            await mine.release.wait()
        await next()

    @app.event("app_mention")
    async def mentioned(event: Body, client: AsyncWebClient) -> None:
        await _say(client, event, f"You said: {event['text']}", blocks=_menu(event["text"]))

    @app.event("message")
    async def direct(event: Body, client: AsyncWebClient) -> None:
        if event.get("channel_type") == "im" and event.get("subtype") in (None, "file_share"):
            await _say(client, event, f"Privately: {event['text']}")

    @app.event("app_home_opened")
    async def home(event: Body, client: AsyncWebClient) -> None:
        if event["tab"] == "home":
            view = {"type": "home", "blocks": [_text(f"Home of {event['user']}"), _button("open", "from home")]}
            await client.views_publish(user_id=event["user"], view=view)
        else:
            prompts = [{"title": "Ask", "message": "What can you do?"}]
            await client.assistant_threads_setSuggestedPrompts(channel_id=event["channel"], prompts=prompts)

    @app.command("/kagent")
    async def command(ack: AsyncAck, respond: AsyncRespond, body: Body) -> None:
        await ack(f"pong {body['text']}")
        await respond(text="and once more", response_type="in_channel")

    @app.action("open")
    async def open_modal(ack: AsyncAck, body: Body, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=_form())

    @app.action("replace")
    async def replace(ack: AsyncAck, respond: AsyncRespond, body: Body) -> None:
        await ack()
        await respond(text=f"replaced by {body['actions'][0]['value']}", replace_original=True)

    @app.action("choose")
    async def choose(ack: AsyncAck, respond: AsyncRespond, body: Body) -> None:
        await ack()
        action = body["actions"][0]
        chosen = action.get("value") or action["selected_option"]["value"]
        await respond(text=f"chosen {chosen}", response_type="ephemeral", replace_original=False)

    @app.action("kind")
    async def kind(ack: AsyncAck) -> None:
        await ack()

    @app.view("form")
    async def submitted(ack: AsyncAck, body: Body) -> None:
        name = body["view"]["state"]["values"]["who"]["name"]["value"]
        if name == "nobody":
            await ack(response_action="errors", errors={"who": "There is no such person"})
        elif name == "more":
            await ack(response_action="push", view=_form("Second"))
        else:
            await ack()

    @app.view_closed("form")
    async def closed(ack: AsyncAck) -> None:
        await ack()

    @app.event(re.compile(".*"))
    async def anything_else() -> None:
        pass


async def _say(client: AsyncWebClient, event: Body, text: str, **more: Any) -> None:
    thread = event.get("thread_ts") or event["ts"]
    await client.chat_postMessage(channel=event["channel"], thread_ts=thread, text=text, **more)


def _menu(text: str) -> list[Body]:
    options = [{"text": {"type": "plain_text", "text": str(stars)}, "value": str(stars)} for stars in range(1, 6)]
    return [
        _text(f"You said: {text}"),
        {
            "type": "actions",
            "elements": [
                {"type": "button", "action_id": "open", "text": {"type": "plain_text", "text": "Open"}, "value": "1"},
                {"type": "button", "action_id": "replace", "text": {"type": "plain_text", "text": "X"}, "value": "you"},
                {"type": "overflow", "action_id": "choose", "options": options},
            ],
        },
    ]


def _form(title: str = "Form") -> Body:
    who = {"type": "plain_text_input", "action_id": "name", "max_length": 20}
    block = {"type": "input", "block_id": "who", "label": {"type": "plain_text", "text": "Who"}, "element": who}
    return {
        "type": "modal",
        "callback_id": "form",
        "title": {"type": "plain_text", "text": title},
        "submit": {"type": "plain_text", "text": "Send"},
        "notify_on_close": True,
        "private_metadata": "T1/C1",
        "blocks": [block, {"type": "actions", "block_id": "more", "elements": [_menu_of("kind", "a", "b")]}],
    }


def _menu_of(action_id: str, *words: str) -> Body:
    options = [{"text": {"type": "plain_text", "text": word}, "value": word} for word in words]
    return {"type": "static_select", "action_id": action_id, "options": options}


def _text(text: str) -> Body:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _button(action_id: str, value: str) -> Body:
    button = {"type": "button", "action_id": action_id, "text": {"type": "plain_text", "text": "Go"}, "value": value}
    return {"type": "actions", "elements": [button]}
