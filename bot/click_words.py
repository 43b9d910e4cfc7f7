"""What click itself says — headings of help, complaints about a command line — in Chinese.

click asks gettext for its words, which knows them from compiled files alone and goes by the locale's variables alone.
Here they are texts like all others, and they are put where click has gettext's functions.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final

from agent.language import Lang, Text

#: Modules of click that have words; `_winconsole`, which has one more, exists on Windows only.
MODULES: Final = (
    "_termui_impl",
    "core",
    "decorators",
    "exceptions",
    "formatting",
    "parser",
    "shell_completion",
    "termui",
    "types",
    "utils",
)

#: Each by its English, as click has it. `:.0` leaves out what click fills in in English.
WORDS: Final = (
    # Help
    Text("Usage:", "用法:"),
    Text("Options", "选项"),
    Text("Commands", "命令"),
    Text("Positional arguments", "参数"),
    Text("Show this message and exit.", "显示本说明并退出。"),
    Text("Show the version and exit.", "显示版本并退出。"),
    Text("%(prog)s, version %(version)s", "%(prog)s，版本 %(version)s"),
    Text("env var: {var}", "环境变量：{var}"),
    Text("default: {default}", "默认：{default}"),
    Text("required", "必填"),
    Text("(dynamic)", "（动态）"),
    Text("deprecated", "已弃用"),
    Text(
        "DeprecationWarning: The command {name!r} is deprecated.{extra_message}",
        "命令 {name!r} 已弃用。{extra_message}",
    ),
    Text(
        "DeprecationWarning: The {param_type} {name!r} is deprecated.{extra_message}",
        "{param_type:.0}{name!r} 已弃用。{extra_message}",
    ),
    # Wrong use
    Text("Error: {message}", "错误：{message}"),
    Text("Try '{command} {option}' for help.", "运行 '{command} {option}' 查看用法。"),
    Text("No such option {name!r}.", "没有选项 {name!r}。"),
    Text("No such command {name!r}.", "没有命令 {name!r}。"),
    Text("Did you mean {possibility}?", "你是不是想用 {possibility}？"),
    Text("(Did you mean one of: {possibilities}?)", "（你是不是想用其中之一：{possibilities}？）"),
    Text("Missing command.", "缺少命令。"),
    Text("Missing option", "缺少选项"),
    Text("Missing argument", "缺少参数"),
    Text("Missing parameter", "缺少参数"),
    Text("Missing {param_type}", "缺少参数{param_type:.0}"),
    Text("Missing parameter: {param_name}", "缺少参数：{param_name}"),
    Text("Got unexpected extra argument ({args})", "多余的参数（{args}）"),
    Text("Got unexpected extra arguments ({args})", "多余的参数（{args}）"),
    Text("Option {name!r} does not take a value.", "选项 {name!r} 不接受值。"),
    Text("Option {name!r} requires an argument.", "选项 {name!r} 需要一个值。"),
    Text("Option {name!r} requires {nargs} arguments.", "选项 {name!r} 需要 {nargs} 个值。"),
    Text("Argument {name!r} takes {nargs} values.", "参数 {name!r} 需要 {nargs} 个值。"),
    Text("Invalid value: {message}", "值无效：{message}"),
    Text("Invalid value for {param_hint}: {message}", "{param_hint} 的值无效：{message}"),
    Text("Choose from:\n\t{choices}", "可选：\n\t{choices}"),
    Text("{value!r} is not {choice}.", "{value!r} 不是 {choice}。"),
    Text("{value!r} is not one of {choices}.", "{value!r} 不在可选值 {choices} 之中。"),
    Text("{value} is not in the range {range}.", "{value} 不在范围 {range} 之内。"),
    Text("{value!r} is not a valid {number_type}.", "{value!r} 不是有效的数字{number_type:.0}。"),
    Text(
        "{value!r} is not a valid boolean. Recognized values: {states}",
        "{value!r} 不是有效的布尔值。可以识别的值：{states}",
    ),
    Text("{value!r} is not a valid UUID.", "{value!r} 不是有效的 UUID。"),
    Text("{value!r} does not match the format {format}.", "{value!r} 不符合格式 {format}。"),
    Text("{value!r} does not match the formats {formats}.", "{value!r} 不符合任何一种格式：{formats}。"),
    Text("Value must be an iterable.", "值必须是可迭代的。"),
    Text("Takes {nargs} values but 1 was given.", "需要 {nargs} 个值，却只有 1 个。"),
    Text("Takes {nargs} values but {len} were given.", "需要 {nargs} 个值，却有 {len} 个。"),
    Text("{len_type} values are required, but {len_value} was given.", "需要 {len_type} 个值，却有 {len_value} 个。"),
    Text("{len_type} values are required, but {len_value} were given.", "需要 {len_type} 个值，却有 {len_value} 个。"),
    # Files
    Text("file", "文件"),
    Text("directory", "目录"),
    Text("path", "路径"),
    Text("{name} {filename!r} does not exist.", "{name} {filename!r} 不存在。"),
    Text("{name} {filename!r} is a file.", "{name} {filename!r} 是一个文件。"),
    Text("{name} {filename!r} is a directory.", "{name} {filename!r} 是一个目录。"),
    Text("{name} {filename!r} is not readable.", "{name} {filename!r} 不可读。"),
    Text("{name} {filename!r} is not writable.", "{name} {filename!r} 不可写。"),
    Text("{name} {filename!r} is not executable.", "{name} {filename!r} 不可执行。"),
    Text("Could not open file {filename!r}: {message}", "无法打开文件 {filename!r}：{message}"),
    Text("unknown error", "未知错误"),
    # At the prompt
    Text("Aborted!", "已中止！"),
    Text("Error: invalid input", "错误：输入无效"),
    Text("Error: The two entered values do not match.", "错误：两次输入的值不一致。"),
    Text("Repeat for confirmation", "请再输入一次以确认"),
    Text("Do you want to continue?", "要继续吗？"),
    Text("Confirm the action without prompting.", "不经询问直接确认。"),
    Text("Press any key to continue...", "按任意键继续……"),
    Text("d", "天"),
    Text("{editor}: Editing failed", "{editor}：编辑失败"),
    Text("{editor}: Editing failed: {e}", "{editor}：编辑失败：{e}"),
    # Shell completion
    Text(
        "Shell completion is not supported for Bash versions older than 4.4.", "Bash 版本低于 4.4，不支持命令行补全。"
    ),
    Text(
        "Couldn't detect Bash version, shell completion is not supported.", "无法识别 Bash 的版本，不支持命令行补全。"
    ),
    # Mistakes of whoever writes a command
    Text("Choice({choices})", "可选值（{choices}）"),
    Text("Unknown color {colour!r}", "未知的颜色 {colour!r}"),
    Text("Unknown standard stream '{name}'", "未知的标准流 '{name}'"),
    Text("Invalid start character for option ({option})", "选项的首字符无效（{option}）"),
    Text("Name '{name}' defined twice", "名称 '{name}' 重复定义"),
    Text("Could not determine name for option with declarations {decls!r}", "无法根据声明 {decls!r} 确定选项的名称"),
    Text(
        "No options defined but a name was passed ({name}). Did you mean to declare an argument instead? Did you mean "
        "to pass '--{name}'?",
        "给出了名称（{name}），却没有定义选项。是想声明参数，还是想写 '--{name}'？",
    ),
    Text(
        "Arguments take exactly one parameter declaration, got {length}: {decls}.",
        "参数只能有一个声明，却有 {length} 个：{decls}。",
    ),
    Text(
        "Boolean option {decl!r} cannot use the same flag for true/false.",
        "布尔选项 {decl!r} 的真和假不能使用同一个标志。",
    ),
)


def speak(lang: Lang) -> None:
    """Make click speak this language, from now on and in the whole process."""
    if lang == "en":
        return
    known = {words.en: words.zh for words in WORDS}

    def one(message: str) -> str:
        return known.get(message, message)

    def counted(singular: str, plural: str, n: int) -> str:
        return one(singular if n == 1 else plural)

    places: dict[str, Callable[..., str]] = {"_": one, "ngettext": counted}
    for name in MODULES:
        module = import_module(f"click.{name}")
        for place in places.keys() & vars(module).keys():
            setattr(module, place, places[place])
