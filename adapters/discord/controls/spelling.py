"""The core's commands as people type them in Discord: a path of names, then options as `name:value`. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, cast

from adapters.discord import texts
from agent.language import Lang, Text
from bot.bench import words as bench_words
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
#: The command of its own for benchmarks, and its options: as in English and Chinese.
BENCH_COMMAND: Final = "kagent-bench"
BENCH_OPTIONS: Final[Mapping[str, Text]] = {
    "model": Text("model", "模型"),
    "limit": Text("limit", "数量"),
    "data": Text("data", "数据"),
    "types": Text("types", "类型"),
    "templates": Text("templates", "模板"),
    "lang": Text("lang", "语言"),
    "constrained": Text("constrained", "受约束"),
    "fresh": Text("fresh", "重新"),
    "repeats": Text("repeats", "次数"),
    "preset": Text("preset", "格式"),
    "reasoning": Text("reasoning", "推理"),
    "judge": Text("judge", "评判"),
    "a": Text("a", "运行一"),
    "b": Text("b", "运行二"),
    "when": Text("when", "频率"),
}
_WHEN: Final[Mapping[str, Text]] = {"weekly": texts.BENCH_WEEKLY, "off": texts.BENCH_OFF}
HERE: Final[Mapping[str, Text]] = {
    "thread": texts.HERE_THREAD,
    "channel": texts.HERE_CHANNEL,
    "workspace": texts.HERE_SERVER,
}


def spelled(words: str, lead: str, lang: Lang, usual: str) -> str:
    """Words of the core as they are typed behind `lead`; as they are where they are no command.

    `usual`: the place that is meant where none is said.
    """
    if lead.strip() == f"/{BENCH_COMMAND}":
        found = bench_words.said(words)
        return f"{lead}{words}" if found is None else _benchmark(found.verb, found.args, lang)
    command = parse(words)
    if command is not None and command.name == "bench" and command.verb:
        # `/kagent bench` has no options of its own.
        return _benchmark(cast("bench_words.Verb", command.verb), command.args, lang)
    return f"{lead}{words}" if command is None else f"{lead}{' '.join(_words(command, lang, usual))}"


def _benchmark(verb: bench_words.Verb, args: Sequence[str], lang: Lang) -> str:
    """A command about benchmarks."""
    free = iter({"compare": ("a", "b"), "schedule": ("when", "model")}.get(verb, ("model",)))
    typed = [f"/{BENCH_COMMAND}", *([bench_words.CHINESE[verb] if lang == "zh" else verb] if verb else [])]
    for word in args:
        name, sign, value = word.partition("=")
        if not sign:
            name, value = (word, "True") if word in ("constrained", "fresh") else (next(free, ""), word)
        if name == "when" and value in _WHEN:
            label = _WHEN[value].say(lang)
            value = f"{label[:1].upper()}{label[1:]}"
        if name in BENCH_OPTIONS:
            typed.append(f"{BENCH_OPTIONS[name].say(lang)}:{value}")
    return " ".join(typed)


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
