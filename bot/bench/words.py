"""The words of `bench …` in English and Chinese, and what they mean.

`said` takes a whole text to pieces without judging values, so that a slip in one gets an answer; `wanted` judges them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal, NamedTuple, cast, get_args

from agent.language import Lang, Text, TextError
from evals.kagentbench.items import TEMPLATES, TYPES
from evals.runs import ReasoningMode

Verb = Literal["", "run", "status", "cancel", "compare", "leaderboard", "data", "schedule"]
Preset = Literal["plain", "qwen", "baichuan2"]

#: Chinese names of the verbs, as help shows them.
CHINESE: Final[Mapping[Verb, str]] = {
    "run": "运行",
    "status": "状态",
    "cancel": "取消",
    "compare": "比较",
    "leaderboard": "排行榜",
    "data": "数据",
    "schedule": "定时",
}
_VERBS: Final[Mapping[str, Verb]] = {
    **{verb: verb for verb in get_args(Verb) if verb},
    **{chinese: verb for verb, chinese in CHINESE.items()},
    "start": "run",
    "开始": "run",
    "进度": "status",
    "stop": "cancel",
    "停止": "cancel",
    "对比": "compare",
    "排名": "leaderboard",
    "数据集": "data",
    "datasets": "data",
}
#: Free words that each verb takes at most.
_FREE: Final[Mapping[Verb, int]] = {"run": 1, "cancel": 1, "compare": 2, "leaderboard": 1, "schedule": 2}
_OPTIONS: Final[Mapping[str, str]] = {
    **{
        name: name
        for name in (
            *("model", "data", "types", "templates", "lang", "limit", "seed", "preset", "repeats", "reasoning"),
            "judge",
        )
    },
    "type": "types",
    "template": "templates",
    "langs": "lang",
    "language": "lang",
    "模型": "model",
    "数据": "data",
    "数据集": "data",
    "类型": "types",
    "模板": "templates",
    "语言": "lang",
    "上限": "limit",
    "数量": "limit",
    "种子": "seed",
    "格式": "preset",
    "次数": "repeats",
    "推理": "reasoning",
    "评判": "judge",
}
#: Options that are a word of their own.
_FLAGS: Final[Mapping[str, Literal["constrained", "fresh"]]] = {
    "constrained": "constrained",
    "受约束": "constrained",
    "约束": "constrained",
    "fresh": "fresh",
    "重新": "fresh",
}
_WEEKLY: Final[Mapping[str, str]] = {
    "weekly": "weekly",
    "每周": "weekly",
    "off": "off",
    "关闭": "off",
    "取消": "off",
}
_TYPES: Final[Mapping[str, str]] = {
    **{name: name for name in TYPES},
    "plan": "plantooluse",
    "tooluse": "plantooluse",
    "reflection": "reflextion",
    "规划": "plantooluse",
    "工具": "plantooluse",
    "工具使用": "plantooluse",
    "反思": "reflextion",
    "总结": "conclusion",
    "结论": "conclusion",
    "人设": "profile",
    "画像": "profile",
    "配置": "profile",
}
_LANGS: Final[Mapping[str, Lang]] = {
    "en": "en",
    "zh": "zh",
    "english": "en",
    "chinese": "zh",
    "英文": "en",
    "英语": "en",
    "中文": "zh",
    "汉语": "zh",
}

_NAME = re.compile(
    r"(?:(?:kagent-)?bench|benchmark|评测|基准测试)(?:\s+|(?=[\u4e00-\u9fff]))(?P<rest>.+)", re.IGNORECASE | re.DOTALL
)
#: A free word: the name of a model or of a run.
_WORD = re.compile(r"[\w.:/@+-]{1,200}")
#: What clients make of two hyphens.
_DASHES: Final = ("--", "—", "–")
_SIGN = re.compile(r"[=＝：]")
_COMMAS = re.compile(r"[,，、]")
#: Characters of the longest text that is taken to pieces, and of a value.
_LONGEST: Final = 600
_VALUE: Final = 200
#: Items of the largest limit; times that everything is asked at most; largest seed.
_MOST_ITEMS: Final = 1_000_000
_MOST_REPEATS: Final = 20
_MOST_SEED: Final = 2**31 - 1

_UNKNOWN_OPTION = Text(
    "There is no option {name}: there are {known}, `constrained` and `fresh`.",
    "没有名为 {name} 的选项：可用的有 {known}，以及 `constrained` 和 `fresh`。",
)
_NO_VALUE = Text("The option {name} needs a value: {name}=…", "选项 {name} 需要一个值：{name}=…")
_TWICE = Text("{name} is given twice: give it once.", "{name} 重复了：请只写一次。")
_NOT_KNOWN = Text("{name} can't be {value}: choose among {known}.", "{name} 不能是 {value}：可选 {known}。")
_NO_NUMBER = Text(
    "{name} must be a whole number from {least} to {most}, not {value}.",
    "{name} 应为 {least} 到 {most} 之间的整数，而不是 {value}。",
)
_NO_OPTION_HERE = Text("This takes no options: leave out {name}.", "这里不接受选项：请去掉 {name}。")
_HOW_OFTEN = Text(
    "A schedule is `weekly` or `off`, not {value}.", "定时只能是 `每周`（weekly）或 `关闭`（off），不能是 {value}。"
)


class Said(NamedTuple):
    """A command about benchmarks, its words in canonical form."""

    verb: Verb
    args: tuple[str, ...] = ()


class Mistake(TextError):
    """A value that makes no sense; `text` says what does."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to have run; "" and () are for whatever is usual."""

    model: str = ""
    data: str = ""
    types: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    langs: tuple[Lang, ...] = ()
    limit: int | None = None
    seed: int = 0
    preset: Preset = "plain"
    repeats: int = 1
    reasoning: ReasoningMode = "strip"
    constrained: bool = False
    #: Whether everything is asked anew, whatever earlier runs have asked.
    fresh: bool = False
    #: Of a suite: who judges.
    judge: str = ""


def in_message(text: str) -> Said | None:
    """What a whole message (without "/") says about benchmarks beyond the bare word; None if it says nothing such."""
    found = _NAME.fullmatch(text) if len(text) <= _LONGEST else None
    return None if found is None else said(found["rest"])


def said(words: str) -> Said | None:
    """What the words after the command's name say; None if they are no form of it."""
    if len(words) > _LONGEST:
        return None
    verb, rest = _verb(words.strip())
    if verb is None:
        return None
    free, options = _sorted(rest.split())
    if len(free) > _FREE.get(verb, 0) or not all(_WORD.fullmatch(word) for word in free):
        return None
    if verb == "schedule" and free:
        free[0] = _WEEKLY.get(free[0].casefold(), free[0])
    return Said(verb, (*free, *options))


def _verb(words: str) -> tuple[Verb | None, str]:
    first, *others = words.split(maxsplit=1) or [""]
    rest = others[0] if others else ""
    if not first:
        return "", ""
    for ending in ("", ".", "。", "!", "！", "?", "？"):
        found = _VERBS.get(first.casefold().removesuffix(ending))
        if found is not None:
            return found, rest
    return None, ""


def _sorted(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Free words, and options as `name=value`, names in English where they are known."""
    free, options, left = list[str](), list[str](), list(words)
    while left:
        word = left.pop(0)
        dashed = next((word.removeprefix(dashes) for dashes in _DASHES if word.startswith(dashes)), None)
        name, sign, value = _cut(word if dashed is None else dashed)
        flag = _FLAGS.get(name.casefold())
        if flag is not None and not sign:
            options.append(flag)
            continue
        known = _OPTIONS.get(name.casefold(), name)
        if dashed is not None and not sign and left and _cut(left[0])[1] == "":
            value = left.pop(0)
        if dashed is not None or sign:
            options.append(f"{known}={value}")
        else:
            free.append(word)
    return free, options


def _cut(word: str) -> tuple[str, str, str]:
    """A word before and after its sign; a colon is one only behind the name of an option, since names have colons."""
    found = _SIGN.search(word)
    if found is not None:
        return word[: found.start()], found[0], word[found.end() :]
    name, sign, value = word.partition(":")
    return (name, sign, value) if sign and name.casefold() in _OPTIONS else (word, "", "")


def scheduled(args: Sequence[str]) -> tuple[Literal["", "weekly", "off"], tuple[str, ...]]:
    """How often, and the words after it. Raises `Mistake`."""
    if not args:
        return "", ()
    if args[0] not in ("weekly", "off"):
        raise Mistake(_HOW_OFTEN, value=_shown(args[0]))
    return ("weekly" if args[0] == "weekly" else "off"), tuple(args[1:])


def without_options(args: Sequence[str]) -> tuple[str, ...]:
    """The free words of a command that takes no options. Raises `Mistake`."""
    for word in args:
        if _SIGN.search(word) or word in _FLAGS:
            raise Mistake(_NO_OPTION_HERE, name=_shown(word))
    return tuple(args)


def wanted(args: Sequence[str]) -> Wanted:
    """What is to be run. Raises `Mistake`."""
    made, given = Wanted(), set[str]()
    for word in args:
        name, sign, value = word.partition("=")
        if (flag := _FLAGS.get(word)) is not None:
            made = replace(made, fresh=True) if flag == "fresh" else replace(made, constrained=True)
            continue
        if not sign:
            name, value = "model", word
        if name not in _TAKES:
            raise Mistake(_UNKNOWN_OPTION, name=_shown(name), known=_list(_TAKES))
        if not value:
            raise Mistake(_NO_VALUE, name=name)
        if name in given:
            raise Mistake(_TWICE, name=name)
        given.add(name)
        made = replace(made, **_TAKES[name](name, value[:_VALUE]))
    return made


def packed(one: Wanted) -> dict[str, Any]:
    """As JSON."""
    return asdict(one)


def unpacked(found: Mapping[str, Any]) -> Wanted:
    """What `packed` made; what a newer version added is left out."""
    fields = {name: value for name, value in found.items() if name in Wanted.__slots__}
    return Wanted(**fields | {name: tuple(fields.get(name, ())) for name in ("types", "templates", "langs")})


def words_of(one: Wanted) -> str:
    """The options as somebody would write them; "" where all is as usual."""
    usual = Wanted()
    lists = {"types": one.types, "templates": one.templates, "lang": one.langs}
    said_ = [f"data={one.data}"] if one.data else []
    said_ += [f"{name}={','.join(values)}" for name, values in lists.items() if values]
    said_ += [] if one.limit is None else [f"limit={one.limit}"]
    for name in ("seed", "preset", "repeats", "reasoning", "judge"):
        if getattr(one, name) != getattr(usual, name):
            said_.append(f"{name}={getattr(one, name)}")
    flags = {"constrained": one.constrained, "fresh": one.fresh}
    return " ".join([*said_, *(name for name, is_set in flags.items() if is_set)])


# --- Values


def _text(field: str) -> Callable[[str, str], dict[str, Any]]:
    return lambda _, value: {field: value}


def _number(field: str, least: int, most: int) -> Callable[[str, str], dict[str, Any]]:
    def take(name: str, value: str) -> dict[str, Any]:
        plain = value.replace(",", "").replace("_", "")
        if not (plain.isascii() and plain.isdigit() and len(plain) < 12 and least <= int(plain) <= most):
            raise Mistake(_NO_NUMBER, name=name, least=f"{least:,}", most=f"{most:,}", value=_shown(value))
        return {field: int(plain)}

    return take


def _several(field: str, known: Mapping[str, str], shown: Sequence[str]) -> Callable[[str, str], dict[str, Any]]:
    def take(name: str, value: str) -> dict[str, Any]:
        found = []
        for one in filter(None, _COMMAS.split(value)):
            if one.casefold() not in known:
                raise Mistake(_NOT_KNOWN, name=name, value=_shown(one), known=_list(shown))
            found.append(known[one.casefold()])
        if not found:
            raise Mistake(_NO_VALUE, name=name)
        return {field: tuple(dict.fromkeys(found))}

    return take


def _one_of(field: str, known: Sequence[str]) -> Callable[[str, str], dict[str, Any]]:
    def take(name: str, value: str) -> dict[str, Any]:
        if value.casefold() not in known:
            raise Mistake(_NOT_KNOWN, name=name, value=_shown(value), known=_list(known))
        return {field: value.casefold()}

    return take


def _list(names: Sequence[str] | Mapping[str, object]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _shown(value: str) -> str:
    """A value as Markdown takes it literally."""
    plain = value.replace("`", "'")[:60]
    return f"`{plain}`"


_TAKES: Final[Mapping[str, Callable[[str, str], dict[str, Any]]]] = {
    "model": _text("model"),
    "data": _text("data"),
    "types": _several("types", _TYPES, TYPES),
    "templates": _several("templates", {name.casefold(): name for name in TEMPLATES}, TEMPLATES),
    "lang": _several("langs", cast("Mapping[str, str]", _LANGS), ("en", "zh")),
    "limit": _number("limit", 1, _MOST_ITEMS),
    "seed": _number("seed", 0, _MOST_SEED),
    "preset": _one_of("preset", get_args(Preset)),
    "repeats": _number("repeats", 1, _MOST_REPEATS),
    "reasoning": _one_of("reasoning", get_args(ReasoningMode)),
    "judge": _text("judge"),
}
