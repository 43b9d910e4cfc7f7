"""The core's commands as people type them in Discord: a path of names, then options as `name:value`. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from adapters.discord import texts
from agent.language import Lang, Text
from bot.command_words import CHINESE, NAMES, Command, parse

#: What forms of a command are called in Chinese; in English as the core calls them.
FORMS: Final[Mapping[str, str]] = {
    "show": "查看",
    "undo": "撤销",
    "versions": "版本",
    "this": "这个对话",
    "me": "我",
}
#: Options: as in English and Chinese.
COMMAND: Final = Text("command", "命令")
NAME: Final = Text("name", "名称")
WHERE: Final = Text("where", "范围")
CONFIRM: Final = Text("confirm", "确认")
HERE: Final[Mapping[str, Text]] = {
    "thread": texts.HERE_THREAD,
    "channel": texts.HERE_CHANNEL,
    "workspace": texts.HERE_SERVER,
}


def spelled(words: str, lead: str, lang: Lang, usual: str) -> str:
    """Words of the core as they are typed behind `lead`; as they are where they are no command.

    `usual`: the place that is meant where none is said.
    """
    command = parse(words)
    return f"{lead}{words}" if command is None else f"{lead}{' '.join(_words(command, lang, usual))}"


def _words(command: Command, lang: Lang, usual: str) -> Iterator[str]:
    yield _named(command.name, CHINESE[command.name], lang)
    form = "show" if command.name == "profile" and not command.verb else command.verb
    if form:
        yield _named(form, FORMS.get(form, form), lang)
    if command.name == "help" and command.args:
        about = next(name for name in NAMES if name == command.args[0])
        yield f"{COMMAND.say(lang)}:{_named(about, CHINESE[about], lang)}"
    if command.name == "model" and command.args:
        yield f"{NAME.say(lang)}:{command.args[0]}"
    if command.name == "forget" and command.args:
        yield f"{CONFIRM.say(lang)}:True"
    if command.scope and command.scope != usual:
        here = HERE[command.scope].say(lang)
        yield f"{WHERE.say(lang)}:{here[:1].upper()}{here[1:]}"


def _named(en: str, zh: str, lang: Lang) -> str:
    return zh if lang == "zh" else en
