"""`kagentsys`: one question, answered in the terminal, with the options and the result of KAgentSys.

It runs the agent in this process. Only a call with `--id` touches the database: then the conversation of that name goes
on, and what was asked and answered is recorded in one short transaction, beside a running server or without one.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

import click
from click.core import ParameterSource

from adapters.terminal import kagentsys_help as texts
from adapters.terminal.console import safe, safe_json
from adapters.terminal.journal import Kept, MemoryJournal
from adapters.terminal.kagentsys_call import PLATFORM, Call, read_call
from adapters.terminal.kagentsys_help import LANG
from adapters.terminal.kagentsys_models import DEFAULT_LLM, InputLimit, Refused, choose, serving
from adapters.terminal.screen import Screen
from adapters.terminal.trace import Chain
from agent.clock import SystemClock
from agent.events import AgentEvent, Finished
from agent.journal import Json
from agent.language import Lang, Text
from agent.llm import faults
from agent.llm.chat import ModelError
from agent.task import Exchange, Task
from agent.tools.registry import Tool
from bot.agents import bind_agent, tools_of
from bot.messages import Author
from bot.ports import StoreUnavailable
from bot.recording import Answered, Spoken, Step, past, record
from bot.settings import Settings, SettingsError, load
from bot.settings.profile import MOST_RUNS
from bot.store import migrate
from bot.store.db import Store, open_store

log = logging.getLogger(__name__)

#: Exit status for a call that went wrong, and for one whose options or settings are wrong.
EXIT_FAILED, EXIT_USAGE = 1, 2
#: Exit status after Ctrl-C, as shells count it (128 and the signal's number).
EXIT_INTERRUPTED = 130
#: Exchanges of the history that go into the prompt.
HISTORY = 3

_EMBEDDED = Text(
    "No key and no endpoint is configured, so the embedded model answers ({name}); for another one set OPENAI_API_KEY "
    "or OPENAI_BASE_URL, or use --use_local_llm.",
    "没有配置密钥和端点，由内置模型回答（{name}）；要使用其他模型，请设置 OPENAI_API_KEY 或 OPENAI_BASE_URL，"
    "或使用 --use_local_llm。",
)
_KNOWLEDGE = Text(
    "--external_knowledge is taken for compatibility's sake and not read.",
    "--external_knowledge 仅为兼容而接受，不会读取其内容。",
)
_LACKING = Text(
    "--tool_names has tools that are not in this version ({names}); going on without.",
    "--tool_names 中有本版本还没有的工具（{names}），将不使用它们继续。",
)
_USAGE = Text("{problem} (kagentsys --help lists all options).", "{problem}（kagentsys --help 列出全部选项）。")
_NOT_RECORDED = Text("The answer could not be recorded under --id {id}: {why}", "回答未能记录到 --id {id}：{why}")
_INTERNAL = Text(
    "Something went wrong inside of kagentsys ({kind}): KAGENTBOT_LOG_LEVEL=debug shows where.",
    "kagentsys 内部出错（{kind}）：设置 KAGENTBOT_LOG_LEVEL=debug 可查看出错位置。",
)
_NO_LOCAL = Text(
    "No model server answers at {host}: start it, or say where it is with --local_llm_host and --local_llm_port.",
    "{host} 上没有可用的模型服务：请先启动它，或用 --local_llm_host 和 --local_llm_port 指定地址。",
)
_LOCAL_KEY = Text(
    "The model server at {host} wants a key, and --use_local_llm sends none: in place of that option, set "
    "OPENAI_BASE_URL to the server's address and OPENAI_API_KEY to its key.",
    "{host} 上的模型服务需要密钥，而 --use_local_llm 不发送密钥：请去掉该选项，把 OPENAI_BASE_URL 设为该服务的地址，"
    "把 OPENAI_API_KEY 设为它的密钥。",
)
_REJECTED = Text(
    "The model's server {host} rejected the request ({detail}): check --llm_name, or the `model` of this endpoint.",
    "模型服务器 {host} 拒绝了请求（{detail}）：请检查 --llm_name 或该端点的 `model`。",
)
_ALLOW = Text(
    "The tool {tool} changes something outside, with {args}. Allow it?",
    "工具 {tool} 将改变外部内容，参数为 {args}。是否允许？",
)
_NOT_ASKED = Text(
    "The tool {tool} changes something outside, and nobody can be asked here, so it was not run.",
    "工具 {tool} 会改变外部内容，而这里无法征求许可，因此没有运行。",
)


@click.command(
    help=texts.COMMAND.say(LANG), context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option("--id", "id_", default="test", show_default=True, help=texts.ID.say(LANG))
@click.option("--query", default="", help=texts.QUERY.say(LANG))
@click.option("--history", default="[]", show_default=True, help=texts.HISTORY.say(LANG))
@click.option("--llm_name", default=DEFAULT_LLM, show_default=True, help=texts.LLM_NAME.say(LANG))
@click.option("--use_local_llm", is_flag=True, help=texts.LOCAL.say(LANG))
@click.option("--local_llm_host", default="localhost", show_default=True, help=texts.HOST.say(LANG))
@click.option(
    "--local_llm_port", default=8888, show_default=True, type=click.IntRange(1, 65535), help=texts.PORT.say(LANG)
)
@click.option("--tool_names", default='["auto"]', show_default=True, help=texts.TOOL_NAMES.say(LANG))
@click.option(
    "--max_iter_num", default=1, show_default=True, type=click.IntRange(0, MOST_RUNS), help=texts.MAX_ITER_NUM.say(LANG)
)
@click.option("--agent_name", default="", help=texts.AGENT_NAME.say(LANG))
@click.option("--agent_bio", default="", help=texts.AGENT_BIO.say(LANG))
@click.option("--agent_instructions", default="", help=texts.AGENT_INSTRUCTIONS.say(LANG))
@click.option("--external_knowledge", default="", help=texts.EXTERNAL_KNOWLEDGE.say(LANG))
@click.option("--lang", default="en", show_default=True, type=click.Choice(["en", "zh"]), help=texts.LANGUAGE.say(LANG))
@click.option(
    "--max_tokens_num",
    default=4096,
    show_default=True,
    type=click.IntRange(128, 10_000_000),
    help=texts.MAX_TOKENS_NUM.say(LANG),
)
@click.option("--json", "as_json", is_flag=True, help=texts.JSON.say(LANG))
@click.pass_context
def command(
    context: click.Context, /, id_: str, lang: Lang, external_knowledge: str, as_json: bool, **given: Any
) -> int:
    """Answer one question; what is said of the options is in `kagentsys_help`. The exit status."""

    def typed(name: str) -> bool:
        return context.get_parameter_source(name) is not ParameterSource.DEFAULT

    failed = {"id": id_, "response": "error"} if as_json else None
    try:
        settings = load()
        # What goes wrong is told in a sentence of its own; the log is for who asks for it.
        logging.basicConfig(level=logging.DEBUG if settings.log_level == "debug" else logging.CRITICAL + 1)
        tools = tools_of(settings)
        call = read_call(id_, lang, tools, given, typed)
        if call.lacking:
            _tell(_LACKING.say(lang, names=", ".join(call.lacking)))
        if external_knowledge:
            _tell(_KNOWLEDGE.say(lang))
        result, complaint = asyncio.run(_run(call, settings, tools, Screen(lang, silent=as_json)))
    except SettingsError as error:
        return _failed(error.say(lang), failed, EXIT_USAGE)
    except Refused as error:
        return _failed(error.text.say(lang), failed, EXIT_USAGE)
    except ModelError as error:
        return _failed(_model_failed(error, lang, local=given["use_local_llm"]), failed, EXIT_FAILED)
    except StoreUnavailable as error:
        return _failed(error.text.say(lang), failed, EXIT_FAILED)
    except (BrokenPipeError, click.Abort):
        raise
    except Exception as error:
        log.exception("kagentsys failed")
        return _failed(_INTERNAL.say(lang, kind=type(error).__name__), failed, EXIT_FAILED)
    if as_json:
        click.echo(safe_json(json.dumps(result, ensure_ascii=False, indent=2)))
    if complaint:
        _tell(complaint)
    return EXIT_FAILED if complaint else 0


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """The program: ends the process. `arguments` are those of the process itself unless they are given."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that lacks a character shows another one.
            stream.reconfigure(errors="replace")
    try:
        status = _called(sys.argv[1:] if arguments is None else arguments)
    except click.Abort:
        status = EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone: what is left of it goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = EXIT_FAILED
    sys.exit(status)


def _called(arguments: Sequence[str]) -> int:
    try:
        return int(command.main(arguments, prog_name="kagentsys", standalone_mode=False))
    except click.ClickException as error:
        sentence = _USAGE.say(LANG, problem=error.format_message().rstrip(".。"))
        return _failed(sentence, _half_read(arguments), EXIT_USAGE)


def _half_read(arguments: Sequence[str]) -> dict[str, str] | None:
    """What `--json` prints for options that could not be read as a whole; None if it is not among them."""
    context = click.Context(command, resilient_parsing=True, ignore_unknown_options=True, allow_extra_args=True)
    options, _, _ = command.make_parser(context).parse_args(list(arguments))
    return {"id": options.get("id_", "test"), "response": "error"} if options.get("as_json") else None


def _model_failed(error: ModelError, lang: Lang, *, local: bool) -> str:
    """The sentence for this failure, with the options of this command where they are the way out."""
    by_fault = {"rejected": _REJECTED}
    if local:
        by_fault |= {"unreachable": _NO_LOCAL, "unauthorized": _LOCAL_KEY}
    text = by_fault.get(error.fault)
    return text.say(lang, host=error.host, detail=error.detail) if text else faults.say(error, lang)


def _failed(sentence: str, result: dict[str, str] | None, status: int) -> int:
    if result is not None:
        click.echo(safe_json(json.dumps(result, ensure_ascii=False)))
    _tell(sentence)
    return status


def _tell(sentence: str) -> None:
    click.echo(safe(sentence), err=True)


async def _run(call: Call, settings: Settings, tools: tuple[Tool, ...], screen: Screen) -> tuple[dict[str, Any], str]:
    """Answer; the result, and a sentence if it could not be recorded."""
    clock = SystemClock()
    choices = await choose(call.wanted, settings, os.environ)
    store = await _opened(settings) if call.continued else None
    try:
        asked_at = clock.now().astimezone(ZoneInfo(settings.timezone))
        spoken = await _spoken(store, call, asked_at) if store is not None and call.history is None else ()
        history = call.history or tuple(Exchange(one.question, one.answer) for one in spoken)
        task = Task(call.query, history[-HISTORY:], call.profile, asked_at, call.lang)
        journal = MemoryJournal(clock, _asking(call.lang))
        chain = Chain(journal.recall, screen.message)
        async with serving(choices, settings) as pool:
            if not choices:
                _tell(_EMBEDDED.say(call.lang, name=pool.serving().name))
            agent = bind_agent(InputLimit(pool, call.input_tokens), tools)
            finished = await _answered(agent(task, journal, call.target.conversation_key), chain)
        screen.notes(finished)
        complaint = ""
        if store is not None:
            kept = [one.turn_id for one in spoken[-HISTORY:]]
            complaint = await _recorded(store, call, task, kept, finished, journal.steps, settings.timezone)
        return _result(call, history, finished, chain), complaint
    finally:
        if store is not None:
            await store.close()


async def _answered(events: AsyncGenerator[AgentEvent, None], chain: Chain) -> Finished:
    finished: Finished | None = None
    async with aclosing(events):
        async for event in events:
            chain.fold(event)
            if isinstance(event, Finished):
                finished = event
    if finished is None:
        raise AssertionError("the agent ended without Finished")
    return finished


def _asking(lang: Lang) -> Any:
    async def ask(tool: str, args: Json) -> bool:
        if not sys.stdin.isatty():
            _tell(_NOT_ASKED.say(lang, tool=tool))
            return False
        question = safe(_ALLOW.say(lang, tool=tool, args=json.dumps(args, ensure_ascii=False)))
        return await asyncio.to_thread(click.confirm, question, default=False, err=True)

    return ask


async def _opened(settings: Settings) -> Store:
    """The database, made or brought up to date if it must be. Raises `StoreUnavailable`."""
    await asyncio.to_thread(migrate.upgrade, settings.database_url)
    return open_store(settings.database_url)


async def _spoken(store: Store, call: Call, now: datetime) -> tuple[Spoken, ...]:
    return tuple(await store.read(lambda connection: past(connection, call.target, now)))


async def _recorded(
    store: Store,
    call: Call,
    task: Task,
    history: Sequence[int],
    finished: Finished,
    steps: Sequence[Kept],
    zone: str,
) -> str:
    """Keep question, answer and steps; a sentence if that failed."""
    done = Answered(
        target=call.target,
        author=Author(PLATFORM),
        question=call.query,
        answer=finished.text,
        lang=call.lang,
        asked_at=task.now,
        zone=zone,
        finished_at=SystemClock().now(),
        profile=call.profile,
        history=history,
        meta={
            "notes": list(finished.notes),
            "sources": list(finished.sources),
            "model": finished.model,
            "usage": {"prompt": finished.usage.prompt_tokens, "completion": finished.usage.completion_tokens},
        },
        steps=[
            Step(step.key, step.detail, step.result, step.writes, step.started_at, step.finished_at)
            for step in steps
            if step.finished_at is not None
        ],
    )
    try:
        await store.write(lambda connection: record(connection, done))
    except StoreUnavailable as error:
        return _NOT_RECORDED.say(call.lang, id=call.id, why=error.text.say(call.lang))
    return ""


def _result(call: Call, history: Sequence[Exchange], finished: Finished, chain: Chain) -> dict[str, Any]:
    """The result with the names that KAgentSys gives its parts."""
    exchanges = [{"query": one.question, "answer": one.answer} for one in history]
    exchanges.append({"query": call.query, "answer": finished.text})
    return {
        "id": call.id,
        "response": finished.text,
        "history": json.dumps(exchanges, ensure_ascii=False),
        "chain_msg": [message.to_json() for message in chain.messages],
        "chain_msg_str": chain.text(call.lang),
        "more_info": {
            "model": finished.model,
            "notes": list(finished.notes),
            "sources": list(finished.sources),
            "usage": {
                "prompt_tokens": finished.usage.prompt_tokens,
                "completion_tokens": finished.usage.completion_tokens,
            },
        },
    }


if __name__ == "__main__":
    main()
