"""The embedded model's process: llama.cpp as a child of ours, kept alive. `embedded_chat` talks to it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from agent.language import Text
from agent.llm import gguf
from agent.llm.chat import ModelError
from agent.llm.endpoint import Endpoint, Timeouts

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

_log = logging.getLogger(__name__)

_BUNDLED_NAME = "SmolLM2-135M-Instruct"
_DEMO_MAX_TOKENS, _MAX_TOKENS = 256, 1024
#: llama.cpp's DRY sampler, which ends repetition: of 39 answers to 13 short questions 6 looped without it, none with
#: it. A repeat penalty did not help (5 looped) and made facts worse, because it punishes the words of the question.
_NO_LOOPS: Final[Mapping[str, Any]] = {"dry_multiplier": 0.8, "dry_penalty_last_n": 256}
#: Tokens of prompts that it reads before it looks what else there is to do. With llama.cpp's 2,048, whoever comes
#: while it reads another's prompt waits for ten seconds. Reading takes as much of a CPU in pieces of 16 as of 512, and
#: a tenth more in pieces of 8.
_AT_ONCE = 16
_CHILD = Path(__file__).with_name("embedded_child.py")
#: What the child needs of our environment; the rest may hold keys.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", "SYSTEMROOT")
#: Its threads sleep while they wait for each other. By default they spin, and where other work wants the cores, a
#: prompt then takes five to ten times as long with two threads as with one.
_SLEEPING_THREADS = {"OMP_WAIT_POLICY": "passive"}
#: A model of many gigabytes from a slow disk needs minutes.
_LOAD_SECONDS = 600.0
#: Pauses before the next start after a crash, in seconds; the last one repeats.
_BACK_OFF = (0.2, 1.0, 2.0, 5.0, 15.0, 30.0)
#: A child that lived this long had no trouble starting; the back-off begins anew.
_HEALTHY_SECONDS = 60.0
#: A child that dies this often before it is ready will not get better.
_MOST_FAILED_STARTS = 3
_STOP_SECONDS = 3.0
_STDERR_TAIL = 8192

_CANNOT_RUN: Final = Text(
    "The embedded model can't run on this machine ({why}): set `models.endpoint.base_url` (or OPENAI_BASE_URL) to a "
    "remote endpoint.",
    "内置模型无法在这台机器上运行（{why}）：请将 `models.endpoint.base_url`（或 OPENAI_BASE_URL）设为远程端点。",
)
_CANNOT_LOAD: Final = Text(
    "The embedded model can't load {path}: set `models.embedded.gguf` to another GGUF file, or "
    "`models.endpoint.base_url` (or OPENAI_BASE_URL) to a remote endpoint.",
    "内置模型无法加载 {path}：请将 `models.embedded.gguf` 设为另一个 GGUF 文件，"
    "或将 `models.endpoint.base_url`（或 OPENAI_BASE_URL）设为远程端点。",
)
_STILL_LOADING: Final = Text(
    "The embedded model is still loading: try again in a moment.", "内置模型仍在加载：请稍后再试。"
)
INTERRUPTED: Final = Text(
    "The embedded model stopped in mid-answer and is starting again: ask once more in a moment.",
    "内置模型在回答过程中停止，正在重新启动：请稍后再问一次。",
)
_NO_START: Final = Text("it ended {count} times while it was starting", "启动过程中连续退出 {count} 次")
_NOT_SUPPORTED: Final = Text("its processor lacks instructions that llama.cpp needs", "处理器缺少 llama.cpp 需要的指令")
_NO_PACKAGE: Final = Text("xllamacpp can't be loaded here", "无法加载 xllamacpp")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class EmbeddedConfig:
    """How the embedded model runs."""

    #: Another model file; None takes the bundled demo model.
    gguf: Path | None = None
    #: Threads that it computes with. None: one for each core while it reads a prompt, which is short work that
    #: somebody waits for, and one less while it writes.
    threads: int | None = None
    #: Calls that run side by side.
    slots: int = 4
    #: Tokens that prompt and reply of one call may have together.
    context_per_slot: int = 4096
    #: Most memory for prompts that were seen before, in MiB.
    cache_mib: int = 256
    #: For requests that set none themselves; None: 256 for the bundled model, which only gets worse, else 1024.
    max_tokens: int | None = None
    #: For requests that set none themselves. Low: a small model wanders.
    temperature: float = 0.2
    #: How long a call waits for a model that is loading, in seconds.
    patience: float = 30.0
    timeouts: Timeouts = field(default_factory=Timeouts)

    @property
    def writing_threads(self) -> int:
        """One core is left to the server itself."""
        return self.threads or max(1, _cores() - 1)

    @property
    def reading_threads(self) -> int:
        return self.threads or _cores()


@dataclass(frozen=True, slots=True)
class EmbeddedState:
    """What the embedded model is doing, for health pages."""

    phase: Literal["stopped", "starting", "ready", "restarting", "failed"]
    #: Why it failed, or why it is being restarted.
    reason: Text | None = None
    pid: int | None = None
    #: Crashes since the start.
    crashes: int = 0


@dataclass(frozen=True, slots=True)
class _Gone:
    """How a child ended."""

    #: Set where another start can't help.
    final: Text | None
    detail: str
    #: Seconds that it was ready.
    served: float


class EmbeddedServer:
    """Runs the child and starts it again when it dies. `start` returns at once; `ready` waits."""

    def __init__(self, config: EmbeddedConfig | None = None, program: Path = _CHILD) -> None:
        self.config = config or EmbeddedConfig()
        self._program = program
        #: Whether it serves the bundled model, whose answers are labelled.
        self.demo = self.config.gguf is None
        self._state = EmbeddedState("stopped")
        self._endpoint: Endpoint | None = None
        self._changed = asyncio.Condition()
        self._keeper: asyncio.Task[None] | None = None

    @property
    def alias(self) -> str:
        """The model's name as the child knows it."""
        return _BUNDLED_NAME if self.config.gguf is None else self.config.gguf.stem

    @property
    def name(self) -> str:
        """The model's name for people."""
        return f"{self.alias} (demo)" if self.demo else self.alias

    @property
    def state(self) -> EmbeddedState:
        return self._state

    async def start(self) -> None:
        """Begin to start the child; does not wait for it."""
        if self._keeper is None:
            await self._set(EmbeddedState("starting"))
            self._keeper = asyncio.create_task(self._keep(), name="embedded model")

    async def stop(self) -> None:
        """End the child."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.wait([keeper])
        await self._set(EmbeddedState("stopped"))

    async def ready(self, patience: float, other_than: Endpoint | None = None) -> Endpoint:
        """The endpoint, as soon as there is one (other than the given one, which failed).

        Raises `ModelError("not_started")` after `patience` seconds, or at once where the model can't run.
        """
        try:
            async with asyncio.timeout(patience), self._changed:
                while True:
                    if self._endpoint is not None and self._endpoint is not other_than:
                        return self._endpoint
                    if self._state.phase in ("failed", "stopped"):
                        raise ModelError("not_started", f"embedded model: {self._state.phase}", text=self._state.reason)
                    await self._changed.wait()
        except TimeoutError:
            raise ModelError("not_started", f"not loaded within {patience:g} s", text=_STILL_LOADING) from None

    async def _set(self, state: EmbeddedState, endpoint: Endpoint | None = None) -> None:
        async with self._changed:
            self._state, self._endpoint = state, endpoint
            self._changed.notify_all()

    async def _keep(self) -> None:
        crashes = failed_starts = pauses = 0
        while True:
            try:
                gone = await self._run_once(crashes)
            except (ModelError, OSError) as error:
                gone = _Gone(_reason(error), str(error), 0.0)
            crashes += 1
            failed_starts = 0 if gone.served else failed_starts + 1
            final = gone.final
            if final is None and failed_starts >= _MOST_FAILED_STARTS:
                final = _cannot_run(_filled(_NO_START, count=failed_starts))
            if final is not None:
                _log.error("%s (%s)", final.en, gone.detail)
                return await self._set(EmbeddedState("failed", final, crashes=crashes))
            pauses = 0 if gone.served >= _HEALTHY_SECONDS else pauses
            pause = _BACK_OFF[min(pauses, len(_BACK_OFF) - 1)]
            pauses += 1
            _log.warning("embedded model: %s; starting it again in %g s", gone.detail, pause)
            await self._set(EmbeddedState("restarting", INTERRUPTED if gone.served else None, crashes=crashes))
            await asyncio.sleep(pause)

    async def _run_once(self, crashes: int) -> _Gone:
        """Start a child and stay with it until it is gone."""
        config, clock = self.config, asyncio.get_running_loop().time
        path = await asyncio.to_thread(gguf.find, config.gguf)
        child = await asyncio.create_subprocess_exec(
            # -P: the child's folder holds modules of ours, which must not shadow others.
            *(sys.executable, "-P", str(self._program)),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ} | _SLEEPING_THREADS,
        )
        tail = bytearray()
        drain = asyncio.create_task(_keep_tail(child, tail), name="embedded model: standard error")
        report: Mapping[str, Any] = {}
        ready_at: float | None = None
        try:
            await self._set(EmbeddedState("restarting" if crashes else "starting", None, child.pid, crashes))
            key = secrets.token_urlsafe(32)
            report = await _hand_over(child, self._order(path, key))
            if "port" in report:
                ready_at = clock()
                await self._set(EmbeddedState("ready", pid=child.pid, crashes=crashes), self._made(report["port"], key))
                await child.wait()
        finally:
            await _end(child)
            await drain
        served = clock() - ready_at if ready_at is not None else 0.0
        return _Gone(_final(report, child.returncode, path), _last_words(report, child.returncode, tail), served)

    def _order(self, path: Path, key: str) -> Mapping[str, Any]:
        config = self.config
        return {
            "api_key": key,
            "model_path": str(path),
            "alias": self.alias,
            "threads": config.writing_threads,
            "reading_threads": config.reading_threads,
            "parallel": config.slots,
            "context_per_slot": config.context_per_slot,
            "cache_mib": config.cache_mib,
            "small_cache": self.demo,
            "batch": max(_AT_ONCE, config.slots),
        }

    def _made(self, port: int, key: str) -> Endpoint:
        config = self.config
        return Endpoint(
            base_url=f"http://127.0.0.1:{port}/v1",
            api_key=key,
            model=self.alias,
            context_tokens=config.context_per_slot,
            max_tokens=config.max_tokens or (_DEMO_MAX_TOKENS if self.demo else _MAX_TOKENS),
            temperature=config.temperature,
            extra_body=_NO_LOOPS if self.demo else {},
            timeouts=config.timeouts,
        )


async def _hand_over(child: Process, order: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the child its order and wait for its report; {} when there is none."""
    orders, reports = cast("StreamWriter", child.stdin), cast("StreamReader", child.stdout)
    try:
        orders.write(json.dumps(order).encode() + b"\n")
        await orders.drain()
        async with asyncio.timeout(_LOAD_SECONDS):
            line = await reports.readline()
        report = json.loads(line)
    except (OSError, TimeoutError, ValueError):
        return {}
    return report if isinstance(report, dict) else {}


async def _end(child: Process) -> None:
    """Let the child end by closing its standard input, then make it."""
    cast("StreamWriter", child.stdin).close()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await child.wait()
    except TimeoutError:
        child.kill()
        await child.wait()


async def _keep_tail(child: Process, tail: bytearray) -> None:
    """Read what the child says on standard error, so that it never blocks, and keep the last of it."""
    stderr = cast("StreamReader", child.stderr)
    while said := await stderr.read(4096):
        tail += said
        del tail[:-_STDERR_TAIL]


def _final(report: Mapping[str, Any], returncode: int | None, path: Path) -> Text | None:
    """The sentence for an end after which another start can't help; None where it may."""
    if returncode == -signal.SIGILL:
        return _cannot_run(_NOT_SUPPORTED)
    if report.get("error") == "import":
        return _cannot_run(_NO_PACKAGE)
    if report.get("error") == "load":
        return _filled(_CANNOT_LOAD, path=path)
    return None


def _last_words(report: Mapping[str, Any], returncode: int | None, tail: bytearray) -> str:
    said = tail.decode(errors="replace").strip().splitlines()[-3:]
    return " | ".join([f"the child ended with {returncode}", *filter(None, [report.get("detail")]), *said])


def _reason(error: ModelError | OSError) -> Text:
    if isinstance(error, ModelError) and error.text is not None:
        return error.text
    return _cannot_run(Text(str(error), str(error)))


def _cannot_run(why: Text) -> Text:
    return Text(_CANNOT_RUN.say("en", why=why.en), _CANNOT_RUN.say("zh", why=why.zh))


def _filled(text: Text, **fields: object) -> Text:
    return Text(text.say("en", **fields), text.say("zh", **fields))
