"""What the commands have in common that set a platform up and check it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import click
from pydantic import SecretStr, TypeAdapter, ValidationError

from agent.language import Lang, Text
from bot import env_file
from bot.printable import printable
from bot.settings import Settings, SettingsError, load
from bot.settings.values import Secret

if TYPE_CHECKING:
    # At run time it would bring the whole doctor, and every command would start more slowly.
    from bot.doctor.lines import Line

STEP: Final = Text("{number}. {text}", "{number}. {text}")
KEEP: Final = Text("Enter keeps the one that is set", "直接按回车沿用已设置的值")
NOT_ONE_WORD: Final = Text(
    "It is one word without spaces: copy it as it stands there.", "应是不含空格的一个词：请原样复制。"
)
NEXT: Final = Text("Now:", "接下来：")
SERVE: Final = Text("Start the server anew: kagentbot serve", "重新启动服务：kagentbot serve")
_STOPPED = Text("Nothing was written.", "没有写入任何内容。")
_CANT_WRITE = Text("{file} can't be written ({error}).", "{file} 无法写入（{error}）。")
_WRITTEN = Text("Written: {file}", "已写入：{file}")
_BACKUP = Text("The old one is {file}.", "旧文件保存为 {file}。")


def settings_of(config: Path | None) -> Settings:
    """The settings; with some that can't be used the program ends with a sentence for each problem."""
    try:
        return load(config)
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(2)


def show(lines: Sequence[Line], none: Text, lang: Lang) -> NoReturn:
    """The doctor's lines, and the end: with status 1 if something is wrong, or there is nothing to look at (`none`)."""
    if not lines:
        click.echo(none.say(lang), err=True)
        sys.exit(1)
    for line in lines:
        click.echo(f"{line.level:<8} {printable(line.text)}")
    sys.exit(int(any(line.level == "error" for line in lines)))


def ask(question: str, known: str, lang: Lang, *, hide_input: bool = True) -> str:
    """What is typed; what was known, which isn't shown, where nothing is. Raises `click.Abort`."""
    if known:
        question = f"{question} [{KEEP.say(lang)}]"
    return str(click.prompt(question, default=known or None, hide_input=hide_input, show_default=False)).strip()


def is_one_word(typed: str) -> bool:
    """Whether it may be a secret at all."""
    try:
        TypeAdapter(Secret).validate_python(SecretStr(typed))
    except ValidationError:
        return False
    return True


def stop(lang: Lang) -> NoReturn:
    """Somebody has had enough."""
    click.echo()
    click.echo(_STOPPED.say(lang), err=True)
    sys.exit(1)


def write(file: Path, values: dict[str, str], lang: Lang) -> None:
    """Put the values into `.env`, and say so; where that can't be written, the program ends."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        backup = env_file.put(file, env_file.with_values(file, values, lang), 0o600)
    except OSError as error:
        click.echo(_CANT_WRITE.say(lang, file=file, error=error.strerror or type(error).__name__), err=True)
        sys.exit(1)
    click.echo(_WRITTEN.say(lang, file=file))
    if backup is not None:
        click.echo(f"  {_BACKUP.say(lang, file=backup)}")
