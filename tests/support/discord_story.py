"""The story of people with the bot in Discord, for tests and a transcript: the real server and the fake Discord."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.language import Lang, Text
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.harness import Said
from tests.fakes.discord.judge import Reply
from tests.fakes.discord.log import Entry
from tests.fakes.discord.prepared import ALICE, BOB, CAROL, LIGHTHOUSE, MODERATORS
from tests.fakes.discord.replay import BotMessage, Replay
from tests.fakes.llm import FakeLLM
from tests.support import story as stories

Asked = stories.Asked[Said, BotMessage]

#: Keys under which components, forms and answers to interactions have text for people.
_TEXTS = frozenset({"content", "label", "placeholder", "title", "description", "name"})


@dataclass(kw_only=True)
class DiscordStory(stories.Story[Said, BotMessage]):
    """Somebody and their Discord."""

    discord: FakeDiscord
    _channels: int = 0

    @property
    def user(self) -> str:
        """Alice, who owns the server, or Carol with Discord in Chinese, who manages it."""
        return CAROL if self.lang == "zh" else ALICE

    @property
    def others(self) -> tuple[str, str]:
        return (BOB, CAROL) if self.user == ALICE else (BOB, ALICE)

    async def log(self) -> list[Entry]:
        return (await self.discord.replay()).entries

    async def seen(self) -> list[str]:
        return seen(await self.entries(), self.user)

    async def channel(self, *members: str) -> str:
        self._channels += 1
        added = await self.discord.control("add", kind="channel", guild=LIGHTHOUSE, name=f"scene-{self._channels}")
        return str(added["id"])

    async def speak(self, text: str, user: str, channel: str, thread: str = "") -> Said:
        return await self.discord.say(text, user=user, channel=thread or channel)

    async def talk(self, text: str, user: str, channel: str) -> Said:
        said = await self.speak(text, user, channel)
        await self.discord.open_thread(text, on=said, user=user)
        return said

    async def mention(self, text: str, channel: str, thread: str = "", files: tuple[str, ...] = ()) -> Said:
        return await self.discord.ask(text, user=self.user, channel=thread or channel, files=list(files))

    async def bid(self, words: Text, channel: str, thread: str) -> Said:
        return await self.discord.mention(self.say(words), user=self.user, channel=thread or channel)

    async def upload(self, name: str, content: bytes) -> str:
        return await self.discord.upload(name, content, mimetype="text/plain")

    async def reply(self, said: Said, timeout: float) -> Reply:
        return await self.discord.reply(said, timeout)

    async def private(self, channel: str, more_than: int = -1) -> list[str]:
        def told(replay: Replay) -> list[str] | None:
            texts = [message.text for message in replay.private(self.user, channel) if message.text]
            return texts if len(texts) > more_than else None

        found: list[str] | None = told(await self.discord.replay()) if more_than < 0 else await self.discord.until(told)
        return found or []

    async def press(self, action: str, value: str, message: BotMessage) -> object:
        return await self.discord.press(f"{action}:{value}", on=message, user=self.user)

    async def shown(self, said: Said) -> None:
        await self.discord.until(lambda replay: [m for m in visible(replay, said) if m.text.strip()])

    async def button(self, said: Said, action: str) -> None:
        await self.discord.until(lambda replay: any(has(m, action) for m in visible(replay, said)), 60.0)

    async def start(self) -> None:
        await self.bot.start()
        await self.discord.until_connected()

    # --- What only Discord has

    async def command(self, words: str, channel: str, **options: Any) -> BotMessage:
        """Our person types a slash command; what they alone are shown, as soon as it is there."""
        return await self.answered(lambda: self.discord.command(words, options, user=self.user, channel=channel))

    async def answered(self, act: Callable[[], Awaitable[object]]) -> BotMessage:
        """The private message that comes, or changes, when our person does this."""
        before = await self._private()
        await act()

        def news(replay: Replay) -> BotMessage | None:
            now = {message.id: message for message in replay.private(self.user)}
            changed = [one for id_, one in now.items() if one.text and _state(one) != before.get(id_)]
            return changed[-1] if changed else None

        found = await self.discord.until(news)
        assert found is not None
        return found

    async def _private(self) -> dict[str, object]:
        return {message.id: _state(message) for message in (await self.discord.replay()).private(self.user)}

    async def form(self, custom_id: str, on: BotMessage) -> dict[str, Any]:
        """The form that a button opens."""
        pressed = await self.discord.press(custom_id, on=on, user=self.user)
        assert pressed["outcome"] == "form", pressed
        form: dict[str, Any] = pressed["form"]
        return form

    async def submit(self, **values: str) -> BotMessage:
        """Our person fills in the form in front of them; what they are told."""
        told = "; ".join(f"{name} = {value}" for name, value in values.items())
        self.note(Text(f"fills in {told}", f"填写 {told}"))
        filled = {f"{name}.0": value for name, value in values.items()}
        return await self.answered(lambda: self.discord.submit(filled, user=self.user))


def visible(replay: Replay, said: Said) -> list[BotMessage]:
    """What everybody sees of the bot where this is answered: in its thread, or where it was said."""
    human = replay.humans.get(said.id)
    return replay.visible(human.place if human is not None else said.place)


def has(message: BotMessage, action: str) -> bool:
    """Whether a message has a button of this action."""
    return any(name.partition(":")[0] == action for name in message.buttons)


def _state(message: BotMessage) -> object:
    return message.text, tuple(message.buttons)


@contextlib.asynccontextmanager
async def story(
    folder: Path,
    lang: Lang,
    tell: Callable[[Text], None] = lambda _: None,
    note: Callable[[Text], None] = lambda _: None,
    **settings: str,
) -> AsyncIterator[DiscordStory]:
    """Everything started and connected. Answers carry the names that channels give the bot."""
    async with FakeDiscord(folder / "discord.jsonl") as discord, FakeLLM(log_requests=True) as model:
        await discord.control("roles", guild=LIGHTHOUSE, user=CAROL, roles=[MODERATORS])
        platform = discord.environment() | {"KAGENTBOT_DISCORD__PERSONA": "true"}
        async with stories.a_server(folder, model, platform, settings) as bot:
            begun = DiscordStory(lang=lang, model=model, bot=bot, tell=tell, note=note, discord=discord)
            await begun.start()
            # Discord has to know the commands before anybody can type them.
            await discord.until(lambda replay: replay.called("PUT /applications/{application}/commands", accepted=True))
            yield begun


def seen(entries: Iterable[Entry], user: str) -> list[str]:
    """Every text of the bot's that this person sees, in the order in which it came, each once: messages to all or to
    them, buttons, forms.
    """
    found: dict[str, None] = {}
    for entry in entries:
        for shown in entry.get("shown") or ():
            if shown["ephemeral_to"] in ("", user):
                found |= dict.fromkeys([shown["content"], shown["name"], *_texts(shown["components"])])
        data = (entry.get("arguments") or {}).get("data") if entry["kind"] == "call" and entry["accepted"] else None
        # A form, or suggestions, as the answer to an interaction; what becomes of a message is in `shown`.
        if isinstance(data, Mapping) and ("title" in data or "choices" in data):
            found |= dict.fromkeys(_texts(data))
    return [text for text in found if text and text.strip()]


def _texts(value: Any, key: str = "") -> Iterator[str]:
    """All strings under one of the keys that hold text."""
    if isinstance(value, str):
        if key in _TEXTS:
            yield value
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one, key)
    elif isinstance(value, Mapping):
        # The names of emojis are no texts.
        for name, one in value.items():
            yield from () if name == "emoji" else _texts(one, name)
