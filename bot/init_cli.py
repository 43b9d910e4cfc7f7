"""`kagentbot init`: asks what it must, tries it, and writes kagentbot.toml and `.env`."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NoReturn

import click
from pydantic import SecretStr, TypeAdapter, ValidationError

from agent.language import Lang, Text
from bot import cli_help as help_texts
from bot import env_file
from bot.cli_help import LANG
from bot.printable import printable
from bot.settings import machine
from bot.settings.loading import DOTENV_NAME, FILE_NAME
from bot.settings.models import OPENAI_URL, EndpointSettings
from bot.settings.profile import ProfileSettings
from bot.settings.values import WebAddress

#: The variables that hold secrets.
_KEY, _ADDRESS = "OPENAI_API_KEY", "OPENAI_BASE_URL"
#: Names of models that are offered for a choice.
_OFFERED = 20

_HELLO = Text(
    "This writes {file} and {dotenv}. Enter takes what stands in brackets.",
    "将写入 {file} 和 {dotenv}。直接按回车采用方括号中的值。",
)
_ASK_URL = Text(
    "Address of the model's API, such as http://localhost:8000/v1 (none: the bundled demo model)",
    "模型接口的地址，例如 http://localhost:8000/v1（留空：使用内置演示模型）",
)
_ASK_KEY = Text("Key of the endpoint (it is not shown; none: no key)", "端点的密钥（输入时不显示；留空：无密钥）")
_ASK_MODEL = Text("Name of the model", "模型名称")
_ASK_ANYWAY = Text("Use it all the same?", "仍然使用它吗？")
_ASK_LANG = Text("Language: auto follows each question; or en, or zh", "语言：auto 跟随每个提问；也可以是 en 或 zh")
_ASK_NAME = Text("Name of the agent", "智能体的名字")
_ASK_OVERWRITE = Text(
    "{file} exists already. Replace it? The old one is kept beside it.", "{file} 已存在。要替换吗？旧文件会保留在旁边。"
)
_TRYING = Text("Trying {host} …", "正在测试 {host} …")
_NOT_ADDRESS = Text(
    "The address must begin with http:// or https:// and have no spaces, for example http://localhost:8000/v1.",
    "地址应以 http:// 或 https:// 开头，不含空格，例如 http://localhost:8000/v1。",
)
_NOT_KEY = Text(
    "A key is one word without spaces: give it as it was issued.", "密钥是不含空格的一个词：请按签发时的原样填写。"
)
_NOT_MODEL = Text("The name of a model has only characters that can be seen.", "模型名称只能包含可见字符。")
_NOT_NAME = Text("A name has 1 to 80 characters.", "名字应有 1 到 80 个字符。")
_EXISTS = Text(
    "{file} exists already, and nothing was written: use --force to replace it (the old one is kept beside it).",
    "{file} 已存在，没有写入任何内容：用 --force 替换（旧文件会保留在旁边）。",
)
_NOT_WELL = Text(
    "The endpoint is not well, and nothing was written: mend what is said above, or use --no-test.",
    "端点有问题，没有写入任何内容：请按上面的提示解决，或使用 --no-test。",
)
_KEY_FILE = Text("The key can't be read from {file} ({error}).", "无法从 {file} 读取密钥（{error}）。")
_CANT_WRITE = Text("{file} can't be written ({error}).", "无法写入 {file}（{error}）。")
_STOPPED = Text("Nothing was written.", "没有写入任何内容。")
_WRITTEN = Text("Written: {file}", "已写入：{file}")
_BACKUP = Text("The old one is {file}.", "旧文件保存为 {file}。")
_NEXT = Text("Next: {command}", "下一步：{command}")
_STATES = {"ok": Text("ok", "正常"), "warning": Text("warning", "警告"), "error": Text("error", "错误")}

_TOML_HEAD = Text(
    "# Settings of kagentbot, written by `kagentbot init`. docs/settings.md lists all that exist.\n"
    "# No secrets here: they are in .env beside this file.\n",
    "# kagentbot 的设置，由 `kagentbot init` 写入。docs/settings.md 列出了全部设置。\n"
    "# 这里不放密钥：密钥在旁边的 .env 中。\n",
)


class _Stop(Exception):
    """Ends the command: one sentence for its user, and the exit status."""

    def __init__(self, text: Text, status: int = 1, **fields: object) -> None:
        self.text, self.status, self.fields = text, status, fields


@dataclass(frozen=True, slots=True)
class _Answers:
    """What was answered, or given as options."""

    #: "" for the demo model.
    url: str = ""
    key: str = ""
    model: str = ""
    language: Literal["auto", "en", "zh"] = "auto"
    name: str = "kagentbot"


@click.command(help=help_texts.INIT.say(LANG), short_help=help_texts.INIT_SHORT.say(LANG))
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), default=Path(), help=help_texts.FOLDER.say(LANG)
)
@click.option("--endpoint", "url", default=None, help=help_texts.ENDPOINT.say(LANG))
@click.option("--model", default=None, help=help_texts.MODEL.say(LANG))
@click.option("--key-file", default=None, help=help_texts.KEY_FILE.say(LANG))
@click.option("--language", type=click.Choice(["auto", "en", "zh"]), default=None, help=help_texts.LANGUAGE.say(LANG))
@click.option("--name", default=None, help=help_texts.NAME.say(LANG))
@click.option("--test/--no-test", default=True, help=help_texts.TEST.say(LANG))
@click.option("--yes", is_flag=True, help=help_texts.YES.say(LANG))
@click.option("--force", is_flag=True, help=help_texts.FORCE.say(LANG))
def init(folder: Path, test: bool, yes: bool, force: bool, **given: Any) -> None:
    """Ask, try, write."""
    lang = machine.language(os.environ)
    try:
        answers = _given(given)
        if yes and not force and (existing := _existing(folder)):
            raise _Stop(_EXISTS, file=existing[0])
        if not yes:
            click.echo(_HELLO.say(lang, file=FILE_NAME, dotenv=DOTENV_NAME))
            answers = _ask(answers, given, lang, test=test)
        elif test and answers.url and not _is_well(answers, lang):
            raise _Stop(_NOT_WELL)
        _write(folder, answers, lang, force=force)
    except click.Abort:
        click.echo()
        _end(_Stop(_STOPPED), lang)
    except _Stop as stop:
        _end(stop, lang)
    config = "" if folder.resolve() == Path.cwd() else f"--config {shlex.quote(str(folder / FILE_NAME))} "
    click.echo(_NEXT.say(lang, command=f"kagentbot {config}serve"))


def _end(stop: _Stop, lang: Lang) -> NoReturn:
    click.echo(stop.text.say(lang, **stop.fields), err=True)
    sys.exit(stop.status)


# --- What is asked


def _given(options: dict[str, Any]) -> _Answers:
    """The options, checked; what wasn't given has its default. Raises `_Stop`."""
    key = _key_from(options["key_file"]) if options["key_file"] else os.environ.get(_KEY, "")
    answers = _Answers(
        url=(options["url"] if options["url"] is not None else os.environ.get(_ADDRESS, "")).strip(),
        key=key.strip(),
        model=(options["model"] or "").strip(),
        language=options["language"] or "auto",
        name=(options["name"] if options["name"] is not None else "kagentbot").strip(),
    )
    if answers.key and options["url"] is None and not answers.url:
        answers = replace(answers, url=OPENAI_URL)
    problems = _wrong_url(answers.url), _wrong_key(answers.key), _wrong_model(answers.model), _wrong_name(answers.name)
    for problem in problems:
        if problem is not None:
            raise _Stop(problem, 2)
    return answers


def _key_from(name: str) -> str:
    try:
        return sys.stdin.readline() if name == "-" else Path(name).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise _Stop(_KEY_FILE, 2, file=name, error=reason or type(error).__name__) from None


def _ask(answers: _Answers, given: dict[str, Any], lang: Lang, *, test: bool) -> _Answers:
    """Ask for what no option says."""
    while True:
        if given["url"] is None:
            answers = replace(answers, url=_prompt(_ASK_URL, answers.url, _wrong_url, lang))
        if answers.url and given["key_file"] is None:
            typed = _prompt(_ASK_KEY, "", _wrong_key, lang, hidden=True)
            answers = replace(answers, key=typed or answers.key)
        if answers.url:
            found = _try(answers, lang) if test else _Tried(True, ())
            if not found.well and not click.confirm(_ASK_ANYWAY.say(lang), default=False):
                if given["url"] is not None:
                    raise _Stop(_NOT_WELL)
                continue
            if given["model"] is None and (len(found.models) != 1 or answers.model):
                default = answers.model or next(iter(found.models), "")
                answers = replace(answers, model=_prompt(_ASK_MODEL, default, _wrong_model, lang))
        break
    if given["language"] is None:
        choice: Literal["auto", "en", "zh"] = click.prompt(
            _ASK_LANG.say(lang), default=answers.language, type=click.Choice(["auto", "en", "zh"]), show_choices=False
        )
        answers = replace(answers, language=choice)
    if given["name"] is None:
        answers = replace(answers, name=_prompt(_ASK_NAME, answers.name, _wrong_name, lang))
    return answers


def _prompt(question: Text, default: str, wrong: Any, lang: Lang, *, hidden: bool = False) -> str:
    """The answer, asked for until it is right."""
    while True:
        answer = str(
            click.prompt(
                question.say(lang), default=default, hide_input=hidden, show_default=bool(default) and not hidden
            )
        ).strip()
        problem = wrong(answer)
        if problem is None:
            return answer
        click.echo(problem.say(lang))


def _wrong_url(url: str) -> Text | None:
    try:
        TypeAdapter(WebAddress).validate_python(url) if url else None
    except ValidationError:
        return _NOT_ADDRESS
    return None if url.isprintable() else _NOT_ADDRESS


def _wrong_key(key: str) -> Text | None:
    try:
        EndpointSettings(api_key=SecretStr(key) if key else None)
    except ValidationError:
        return _NOT_KEY
    return None


def _wrong_name(name: str) -> Text | None:
    try:
        ProfileSettings(agent_name=name)
    except ValidationError:
        return _NOT_NAME
    return None if name and name.isprintable() else _NOT_NAME


def _wrong_model(model: str) -> Text | None:
    return None if model.isprintable() else _NOT_MODEL


# --- What is tried


@dataclass(frozen=True, slots=True)
class _Tried:
    well: bool
    #: What the server lists.
    models: tuple[str, ...]


def _is_well(answers: _Answers, lang: Lang) -> bool:
    return _try(answers, lang).well


def _try(answers: _Answers, lang: Lang) -> _Tried:
    """Connect and let the model answer; each finding is printed."""
    from bot.backend import endpoint_of
    from bot.trial import try_endpoint

    key = SecretStr(answers.key) if answers.key else None
    endpoint = endpoint_of(EndpointSettings(base_url=answers.url, api_key=key, model=answers.model or None), "")
    click.echo(_TRYING.say(lang, host=endpoint.host))
    report = asyncio.run(try_endpoint(endpoint, lang))
    for line in report.lines:
        click.echo(f"  {_STATES[line.state].say(lang):<8} {printable(line.text)}")
    # A name that a terminal would obey instead of showing is no name to choose.
    return _Tried(report.ok, tuple(name for name in report.models if name.isprintable())[:_OFFERED])


# --- What is written


def _existing(folder: Path) -> list[Path]:
    # lexists: a link that leads nowhere is somebody's, too.
    return [file for file in (folder / FILE_NAME, folder / DOTENV_NAME) if os.path.lexists(file)]


def _write(folder: Path, answers: _Answers, lang: Lang, *, force: bool) -> None:
    """Write both files, or none if somebody won't have one of them replaced."""
    settings, dotenv = folder / FILE_NAME, folder / DOTENV_NAME
    for file in () if force else _existing(folder):
        if not click.confirm(_ASK_OVERWRITE.say(lang, file=file), default=False):
            raise _Stop(_STOPPED)
    secrets = {_KEY: answers.key, _ADDRESS: ""}
    public = answers.url
    if "@" in answers.url:
        # A password in the address.
        secrets[_ADDRESS], public = answers.url, ""
    for file, text in ((dotenv, env_file.with_values(dotenv, secrets, lang)), (settings, _toml(answers, public, lang))):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            backup = env_file.put(file, text, 0o600 if file == dotenv else 0o644)
        except OSError as error:
            raise _Stop(_CANT_WRITE, file=file, error=error.strerror or type(error).__name__) from None
        click.echo(_WRITTEN.say(lang, file=file))
        if backup is not None:
            click.echo(f"  {_BACKUP.say(lang, file=backup)}")


def _toml(answers: _Answers, url: str, lang: Lang) -> str:
    tables: dict[str, dict[str, str]] = {
        "": {"language": "" if answers.language == "auto" else answers.language},
        "models.endpoint": {"base_url": url, "model": answers.model if answers.url else ""},
        "profile": {"agent_name": answers.name, "lang": "" if answers.language == "auto" else answers.language},
    }
    text = _TOML_HEAD.say(lang)
    for table, values in tables.items():
        # JSON's strings are TOML's, too, for everything that can be typed.
        lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items() if value]
        if lines:
            text += "\n" + "\n".join([f"[{table}]", *lines] if table else lines) + "\n"
    return text
