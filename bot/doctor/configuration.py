"""Settings, the files that hold secrets, and the tools."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from agent.language import Lang, Text
from agent.tools.builtin import builtin_tools
from agent.tools.registry import unknown_names
from bot import secrets
from bot.agents import tools_of
from bot.doctor.lines import Line, line
from bot.settings import Settings, SettingsError

#: Files of the data folder that hold a secret each.
_SECRETS: Final = ("web-token", secrets.FILE_NAME)

_NO_FILES: Final = Text("settings: no settings file, so the defaults hold", "设置：没有设置文件，使用默认值")
_FILE: Final = Text("settings: read from {path}", "设置：读取自 {path}")
_FILE_OPEN: Final = Text(
    "settings: {path} holds secrets, and other users of this machine can read it: run chmod 600 {path}",
    "设置：{path} 中有密钥，而本机其他用户可以读取：请运行 chmod 600 {path}",
)
_SECRET_OPEN: Final = Text(
    "settings: {path} is a secret, and other users of this machine can read it: run chmod 600 {path}",
    "设置：{path} 是密钥文件，而本机其他用户可以读取：请运行 chmod 600 {path}",
)
_TOOLS: Final = Text("tools: {count} built in", "工具：内置 {count} 个")
_OWN_TOOLS: Final = Text("tools: {count} built in, and your own: {own}", "工具：内置 {count} 个，自定义：{own}")
_TOOLS_BROKEN: Final = Text("tools: {error}", "工具：{error}")
_UNKNOWN_TOOLS: Final = Text(
    "tools: profile.tool_names has names that no tool has ({names}): choose from {known}",
    "工具：profile.tool_names 中有不存在的工具（{names}）：可选 {known}",
)


def look_at_settings(settings: Settings, lang: Lang) -> list[Line]:
    """Which files were read, who else may read them, and what is set in vain."""
    lines = [] if settings.files else [line("ok", _NO_FILES, lang)]
    for path, holds_secrets in settings.files:
        unsafe = holds_secrets and others_can_read(path)
        lines.append(line("warning", _FILE_OPEN, lang, path=path) if unsafe else line("ok", _FILE, lang, path=path))
    for name in _SECRETS:
        path = settings.data_dir / name
        if others_can_read(path):
            lines.append(line("warning", _SECRET_OPEN, lang, path=path))
    return lines + [Line("warning", sentence) for sentence in settings.unused()]


def others_can_read(path: Path) -> bool:
    """Whether other users than its owner have rights to it; False for what isn't there."""
    try:
        return bool(path.stat().st_mode & 0o077)
    except OSError:
        return False


def look_at_tools(settings: Settings, lang: Lang) -> list[Line]:
    """Whether the operator's own tools load, and whether the profile names tools that exist."""
    try:
        tools = tools_of(settings)
    except SettingsError as error:
        return [line("error", _TOOLS_BROKEN, lang, error=error.say(lang))]
    builtin = {tool.name for tool in builtin_tools()}
    own = [tool.name for tool in tools if tool.name not in builtin]
    count = len(tools) - len(own)
    found = (
        line("ok", _OWN_TOOLS, lang, count=count, own=", ".join(own)) if own else line("ok", _TOOLS, lang, count=count)
    )
    unknown = unknown_names(tools, settings.profile.tool_names)
    if not unknown:
        return [found]
    known = ", ".join(tool.name for tool in tools)
    return [found, line("warning", _UNKNOWN_TOOLS, lang, names=", ".join(unknown), known=known)]
