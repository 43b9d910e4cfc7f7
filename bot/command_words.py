"""What counts as a command: a whole message in one of the forms below, in English or Chinese.

Nothing else is one: "help me with my taxes" is a question. Where a form takes an argument, it is of a closed kind (the
name of a value, a number, one word), so that no sentence that people say to an agent fits it by chance.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from agent.profile import FIELDS
from bot.bench import words as bench_words

Name = Literal[
    "help", "new", "profile", "model", "tools", "stop", "forget", "export", "usage", "status", "leave", "bench"
]
Scope = Literal["", "workspace", "channel", "thread"]

NAMES: Final[tuple[Name, ...]] = get_args(Name)


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it was meant."""

    name: Name
    #: What exactly, for commands that can do several things.
    verb: str = ""
    #: Names, values, numbers; for `help` the command that help is wanted with.
    args: tuple[str, ...] = ()
    #: The place that was named; "" for the usual one.
    scope: Scope = ""

    @property
    def words(self) -> str:
        """The command in canonical words, which `parse` understands as the same command."""
        said = [self.name, self.verb, *self.args]
        if self.scope:
            said.append(f"for {self.scope}")
        return " ".join(word for word in said if word)


#: Chinese names of the commands, as help shows them.
CHINESE: Final[Mapping[Name, str]] = {
    "help": "帮助",
    "new": "新对话",
    "profile": "配置",
    "model": "模型",
    "tools": "工具",
    "stop": "停止",
    "forget": "忘记",
    "export": "导出",
    "usage": "用量",
    "status": "状态",
    "leave": "离开",
    "bench": "基准测试",
}

#: Other names of a profile's values.
_FIELD_NAMES: Final[Mapping[str, str]] = {
    **{field: field for field in FIELDS},
    "name": "agent_name",
    "bio": "agent_bio",
    "instructions": "agent_instructions",
    "language": "lang",
    "tools": "tool_names",
    "steps": "max_iter_num",
    "名字": "agent_name",
    "名称": "agent_name",
    "图标": "icon",
    "简介": "agent_bio",
    "自我介绍": "agent_bio",
    "要求": "agent_instructions",
    "指令": "agent_instructions",
    "语言": "lang",
    "工具": "tool_names",
    "步数": "max_iter_num",
    "智能体系统": "style",
    "模型": "model",
    "跟随": "follow",
    "回答位置": "answer_in",
    "网络": "network",
}
_SCOPES: Final[Mapping[str, Scope]] = {
    "workspace": "workspace",
    "channel": "channel",
    "thread": "thread",
    "工作区": "workspace",
    "频道": "channel",
    "话题": "thread",
    # As some platforms call them.
    "server": "workspace",
    "服务器": "workspace",
    "消息列": "thread",
    "子区": "thread",
}

_THIS: Final = Command("forget", "this")
_ME: Final = Command("forget", "me")


def _confirmed(command: Command) -> Command:
    return replace(command, args=("confirm",))


_EXACT: Final[Mapping[str, Command]] = {
    **{name: Command(name) for name in NAMES},
    **{chinese: Command(name) for name, chinese in CHINESE.items()},
    **{f"help {name}": Command("help", args=(name,)) for name in NAMES},
    **{f"帮助 {chinese}": Command("help", args=(name,)) for name, chinese in CHINESE.items()},
    "?": Command("help"),
    "？": Command("help"),
    "命令": Command("help"),
    "使用帮助": Command("help"),
    "new conversation": Command("new"),
    "new chat": Command("new"),
    "新会话": Command("new"),
    "开始新对话": Command("new"),
    "重新开始": Command("new"),
    "profile show": Command("profile"),
    "查看配置": Command("profile"),
    "设置": Command("profile"),
    "models": Command("model"),
    "停": Command("stop"),
    "停下": Command("stop"),
    "停下来": Command("stop"),
    "forget this": _THIS,
    "forget this conversation": _THIS,
    "忘记这里": _THIS,
    "忘记对话": _THIS,
    "忘记这个对话": _THIS,
    "忘记此对话": _THIS,
    "forget this confirm": _confirmed(_THIS),
    "忘记这里 确认": _confirmed(_THIS),
    "忘记对话 确认": _confirmed(_THIS),
    "忘记这个对话 确认": _confirmed(_THIS),
    "确认忘记这个对话": _confirmed(_THIS),
    "forget me": _ME,
    "忘记我": _ME,
    "forget me confirm": _confirmed(_ME),
    "忘记我 确认": _confirmed(_ME),
    "确认忘记我": _confirmed(_ME),
    "export markdown": Command("export", "markdown"),
    "export json": Command("export", "json"),
    "导出 markdown": Command("export", "markdown"),
    "导出 json": Command("export", "json"),
    "导出对话": Command("export"),
    "usage channel": Command("usage", "channel"),
    "usage workspace": Command("usage", "workspace"),
    "usage server": Command("usage", "workspace"),
    "用量 频道": Command("usage", "channel"),
    "频道用量": Command("usage", "channel"),
    "用量 工作区": Command("usage", "workspace"),
    "工作区用量": Command("usage", "workspace"),
    "用量 服务器": Command("usage", "workspace"),
    "服务器用量": Command("usage", "workspace"),
    "leave thread": Command("leave"),
    "退出": Command("leave"),
    "benchmark": Command("bench"),
    "kagent-bench": Command("bench"),
    "评测": Command("bench"),
}
_VERBS: Final[Mapping[str, str]] = {
    "undo": "undo",
    "撤销": "undo",
    "versions": "versions",
    "版本": "versions",
    "restore": "restore",
    "恢复": "restore",
    "unset": "unset",
    "清除": "unset",
}

#: Tried at the beginning of each run of blanks and nowhere in it: anybody may send a hundred thousand of them.
_FOR = r"(?:(?<!\s)\s++(?:for|用于)\s*+(?P<scope>workspace|server|channel|thread|工作区|服务器|频道|话题|消息列|子区))?"
_PROFILE = r"(?:profile|配置|设置)"
_FLAGS = re.IGNORECASE | re.DOTALL
_MODEL = re.compile(rf"(?:model|模型)\s+(?P<value>[\w.:/@+-]{{1,200}}){_FOR}", _FLAGS)
_HISTORY = re.compile(rf"{_PROFILE}\s*(?P<verb>undo|撤销|versions|版本){_FOR}", _FLAGS)
_RESTORE = re.compile(rf"{_PROFILE}\s*(?P<verb>restore|恢复)\s*(?:版本\s*)?(?P<value>\d{{1,9}}){_FOR}", _FLAGS)
_UNSET = re.compile(rf"{_PROFILE}\s+(?P<verb>unset|清除)\s+(?P<field>\w+){_FOR}", _FLAGS)
_SET = re.compile(
    rf"{_PROFILE}\s+(?:set\s+|(?:设置|设为|设)\s+)?(?P<field>\w+)\s*(?:=|:|：|\s)\s*(?P<value>.+?){_FOR}", _FLAGS
)
_SET_SAID = re.compile(rf"{_PROFILE}\s+(?:set|设置|设为|设)\s", _FLAGS)
#: What other platforms' commands begin with.
_OWN = re.compile(r"\Akagent(?:\s+|\Z)", _FLAGS)
#: What people put after a command.
_ENDS = " .!?~。！？～…"
#: Characters of the longest text that one of the exact forms may be.
_LONGEST = 80
#: How alike a word and a value's name are when one is a slip of the other (as `difflib` measures it).
_ALIKE = 0.7


def parse(text: str) -> Command | None:
    """The command that a whole text is; None if it is none."""
    said = text.strip()
    if said[:1] == "/" and said[1:2].isalpha():
        # As in "/help" or "/kagent help", where a platform doesn't take that for a command of its own.
        said = _OWN.sub("", said[1:]) or "help"
    if len(said) <= _LONGEST:
        folded = " ".join(said.split()).casefold()
        for form in (folded, folded.rstrip(_ENDS)):
            exact = _EXACT.get(form) or _help_with(form)
            if exact is not None:
                return exact
    return _about_benchmarks(said) or _with_arguments(said)


def _about_benchmarks(said: str) -> Command | None:
    found = bench_words.in_message(said)
    return None if found is None else Command("bench", found.verb, found.args)


def _help_with(said: str) -> Command | None:
    """Help with a command by any of its names."""
    asked, _, name = said.partition(" ")
    found = _EXACT.get(name) if asked in ("help", "帮助") else None
    return None if found is None or found.verb or found.args else Command("help", args=(found.name,))


def begins(text: str) -> Name | None:
    """The command with whose name a text begins that is none itself; None if there is none."""
    first = next(iter(text.split()), "").casefold()
    found = _EXACT.get(first)
    return None if found is None else found.name


def _with_arguments(said: str) -> Command | None:
    for form in (_HISTORY, _RESTORE, _UNSET):
        if (found := form.fullmatch(said)) is not None:
            groups = found.groupdict()
            field = groups.get("field")
            args = tuple(word for word in (_field(field) if field else None, groups.get("value")) if word)
            if field and not args:
                return None
            return Command("profile", _VERBS[found["verb"].casefold()], args, _scope(found))
    if (found := _MODEL.fullmatch(said)) is not None:
        return Command("model", "", (found["value"],), _scope(found))
    if (found := _SET.fullmatch(said)) is not None:
        # Without "set", "profile name …" may begin a sentence; with it, a slip in the name is worth an answer.
        field = _field(found["field"], near=_SET_SAID.match(said) is not None)
        if field is not None and (_SET_SAID.match(said) or not found["field"].isascii()):
            return Command("profile", "set", (field, found["value"]), _scope(found))
    return None


def _field(word: str, *, near: bool = True) -> str | None:
    """The value's name that a word means; with `near`, a word that is nearly one stays as it is."""
    name = _FIELD_NAMES.get(word) or _FIELD_NAMES.get(word.casefold())
    if name is not None:
        return name
    return word if near and difflib.get_close_matches(word.casefold(), _FIELD_NAMES, 1, _ALIKE) else None


def _scope(found: re.Match[str]) -> Scope:
    named = found["scope"]
    return _SCOPES[named.casefold()] if named else ""


def command_of(text: str) -> str | None:
    """The canonical words of the command that a whole message is; None for any other message."""
    command = parse(text)
    return None if command is None else command.words
