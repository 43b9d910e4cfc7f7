"""The embedded model's process: how it starts, whom it lets in, how it ends, what people read where it can't run."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from agent.llm import embedded_child, gguf
from agent.llm.chat import ModelError, ReplyEnd
from agent.llm.client import OpenAIChatModel
from agent.llm.embedded import EmbeddedConfig, EmbeddedServer
from agent.llm.embedded_chat import EmbeddedChatModel
from agent.llm.endpoint import Endpoint
from tests.support.llm import answer, ask, failure, question

#: Loading takes half a second on an idle machine.
PATIENCE = 120.0
CHILD = Path(embedded_child.__file__)
ROOT = Path(__file__).parents[2]
CONFIG = EmbeddedConfig(context_per_slot=1024, slots=2, patience=PATIENCE)


@pytest.fixture
async def server() -> AsyncIterator[EmbeddedServer]:
    embedded = EmbeddedServer(CONFIG)
    await embedded.start()
    yield embedded
    await embedded.stop()


@pytest.fixture
async def model(server: EmbeddedServer) -> AsyncIterator[EmbeddedChatModel]:
    chat = EmbeddedChatModel(server)
    yield chat
    await chat.aclose()


async def status(url: str, key: str | None = None, origin: str | None = None) -> tuple[int, dict[str, str]]:
    """HTTP status and headers of a GET."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    headers |= {"Origin": origin} if origin else {}

    def call() -> tuple[int, dict[str, str]]:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as response:
                return response.status, {name.lower(): value for name, value in response.headers.items()}
        except urllib.error.HTTPError as error:
            with error:
                return error.code, {name.lower(): value for name, value in error.headers.items()}

    return await asyncio.to_thread(call)


async def metric(endpoint: Endpoint, name: str) -> float:
    """One of llama.cpp's own counters."""
    request = urllib.request.Request(
        f"{endpoint.root}/metrics", headers={"Authorization": f"Bearer {endpoint.api_key}"}
    )

    def call() -> str:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.read().decode()

    lines = (await asyncio.to_thread(call)).splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"llamacpp:{name} "))


def runs(pid: int | None) -> bool:
    """Whether a process runs under `pid`; one that is dead but not yet collected by whoever inherited it does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def listening(port: int) -> set[str]:
    """The local addresses, in the kernel's spelling, that listen on this TCP port."""
    tables = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    rows = [line.split() for line in tables.splitlines() if f":{port:04X} " in line]
    return {row[1].partition(":")[0] for row in rows if row[3] == "0A"}


def exposed(pid: int | None) -> bytes:
    """What other users' tools may see of a process: its arguments and its environment."""
    return Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something that another process does."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def phase(server: EmbeddedServer) -> str:
    return server.state.phase


async def until_failed(server: EmbeddedServer) -> ModelError:
    """The error that calls get once the server has given up."""
    with pytest.raises(ModelError) as caught:
        await server.ready(PATIENCE)
    assert phase(server) == "failed"
    return caught.value


async def test_the_real_tokenizer_tells_tokens_and_their_text(model: EmbeddedChatModel):
    text = "Cut here, 切这里: <|im_end|> is one token."
    await model.warm()
    tokens = await model.tokens(text)
    assert tokens is not None
    assert await model.text_of(tokens) == text
    assert await model.size(text) == len(tokens)
    assert await model.text_of(tokens[:2]) == "Cut here"


async def test_the_start_does_not_wait_for_the_model():
    server = EmbeddedServer(CONFIG)
    await server.start()
    assert phase(server) == "starting"
    await server.stop()
    assert phase(server) == "stopped"


async def test_a_call_made_while_the_model_loads_is_answered(server: EmbeddedServer, model: EmbeddedChatModel):
    assert phase(server) == "starting"
    assert await answer(model, "Say hello.")
    assert phase(server) == "ready"


async def test_the_bundled_model_is_labelled_a_demo(model: EmbeddedChatModel):
    assert model.demo
    assert model.name == "SmolLM2-135M-Instruct (demo)"


async def test_another_file_is_no_demo(tmp_path: Path):
    path = tmp_path / "other-model.gguf"
    path.symlink_to(gguf.bundled())
    server = EmbeddedServer(replace(CONFIG, gguf=path))
    chat = EmbeddedChatModel(server)
    await server.start()
    _, end = await ask(chat, question("Say hello.", max_tokens=4))
    await chat.aclose()
    await server.stop()
    assert not chat.demo
    assert (chat.name, end.model) == ("other-model", "other-model")


async def test_answers_are_short_unless_more_is_asked_for(server: EmbeddedServer):
    endpoint = await server.ready(PATIENCE)
    endless = OpenAIChatModel(replace(endpoint, extra_body={"ignore_eos": True}))
    _, end = await ask(endless, question("Count."))
    await endless.aclose()
    assert (end.finish_reason, end.usage.completion_tokens) == ("length", 256)


async def test_leaving_a_stream_stops_the_generation(server: EmbeddedServer):
    endpoint = await server.ready(PATIENCE)
    endless = OpenAIChatModel(replace(endpoint, extra_body={"ignore_eos": True}))
    async with aclosing(endless.stream(question("Count.", max_tokens=900))) as items:
        async for item in items:
            assert not isinstance(item, ReplyEnd)
            break
    async with asyncio.timeout(PATIENCE):
        while await metric(endpoint, "requests_processing"):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert await metric(endpoint, "tokens_predicted_total") < 900
    await endless.aclose()


async def test_nobody_gets_in_without_the_key(server: EmbeddedServer):
    endpoint = await server.ready(PATIENCE)
    for path in ("/v1/models", "/props", "/metrics", "/slots"):
        assert (await status(endpoint.root + path))[0] == 401
        assert (await status(endpoint.root + path, "wrong"))[0] == 401
    assert (await status(f"{endpoint.root}/v1/models", endpoint.api_key))[0] == 200


async def test_other_sites_scripts_are_kept_out(server: EmbeddedServer):
    endpoint = await server.ready(PATIENCE)
    for path in ("/health", "/v1/models"):
        _, headers = await status(endpoint.root + path, endpoint.api_key, origin="http://evil.example")
        assert "access-control-allow-origin" not in headers


async def test_it_listens_on_loopback_only(server: EmbeddedServer):
    endpoint = await server.ready(PATIENCE)
    port = int(endpoint.host.rpartition(":")[2])
    assert listening(port) == {"0100007F"}


async def test_no_secret_is_in_the_child_s_arguments_or_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-operator")
    server = EmbeddedServer(CONFIG)
    await server.start()
    endpoint = await server.ready(PATIENCE)
    seen = exposed(server.state.pid)
    await server.stop()
    assert endpoint.api_key.encode() not in seen
    assert b"sk-of-the-operator" not in seen


async def test_every_start_has_a_key_of_its_own(server: EmbeddedServer):
    first = await server.ready(PATIENCE)
    assert server.state.pid is not None
    os.kill(server.state.pid, signal.SIGKILL)
    second = await server.ready(PATIENCE, other_than=first)
    assert first.api_key != second.api_key


async def test_a_child_that_dies_is_started_again_and_the_next_call_is_answered(
    server: EmbeddedServer, model: EmbeddedChatModel
):
    assert await answer(model, "Say hello.")
    assert server.state.pid is not None
    os.kill(server.state.pid, signal.SIGKILL)
    assert await answer(model, "Say hello.")
    assert (server.state.phase, server.state.crashes) == ("ready", 1)


async def test_a_child_that_dies_in_mid_answer_fails_the_call_with_its_own_sentence(
    server: EmbeddedServer, model: EmbeddedChatModel
):
    async def interrupted() -> None:
        async with aclosing(model.stream(question("Tell me a long story.", max_tokens=900))) as items:
            async for _ in items:
                if server.state.pid is not None:
                    os.kill(server.state.pid, signal.SIGSTOP)
                    os.kill(server.state.pid, signal.SIGKILL)

    await server.ready(PATIENCE)
    with pytest.raises(ModelError) as caught:
        await interrupted()
    assert caught.value.fault == "unreachable"
    assert caught.value.text is not None
    assert "starting again" in caught.value.text.en


async def test_a_call_waits_only_so_long_for_a_model_that_loads(tmp_path: Path):
    program = tmp_path / "slow.py"
    program.write_text("import sys\nsys.stdin.read()\n")
    server = EmbeddedServer(replace(CONFIG, patience=0.2), program)
    await server.start()
    error = await failure(EmbeddedChatModel(server), "Hi")
    await server.stop()
    assert error.fault == "not_started"
    assert error.text is not None
    assert "still loading" in error.text.en


async def test_a_path_that_leads_nowhere_is_one_sentence_that_names_the_setting(tmp_path: Path):
    server = EmbeddedServer(replace(CONFIG, gguf=tmp_path / "absent.gguf"))
    await server.start()
    error = await until_failed(server)
    await server.stop()
    assert error.text is not None
    assert all("models.embedded.gguf" in sentence for sentence in error.text)


async def test_a_file_that_llama_cpp_refuses_is_one_sentence_that_names_both_settings(tmp_path: Path):
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF" + bytes(4096))
    server = EmbeddedServer(replace(CONFIG, gguf=path))
    await server.start()
    error = await until_failed(server)
    await server.stop()
    assert error.text is not None
    for sentence in error.text:
        assert "broken.gguf" in sentence
        assert "models.embedded.gguf" in sentence
        assert "models.endpoint.base_url" in sentence


@pytest.mark.parametrize(
    ("program", "why"),
    [
        pytest.param("os.kill(os.getpid(), signal.SIGILL)", "instructions", id="a processor without AVX2"),
        pytest.param(
            "sys.modules['xllamacpp'] = None; runpy.run_path(CHILD, run_name='__main__')", "xllamacpp", id="no wheel"
        ),
        pytest.param("os.kill(os.getpid(), signal.SIGKILL)", "3 times", id="killed for its memory"),
    ],
)
async def test_a_machine_that_it_cannot_run_on_is_one_sentence_that_names_the_setting(
    tmp_path: Path, program: str, why: str
):
    path = tmp_path / "child.py"
    path.write_text(f"import os, runpy, signal, sys\nCHILD = {str(CHILD)!r}\n{program}\n")
    server = EmbeddedServer(CONFIG, path)
    await server.start()
    error = await until_failed(server)
    await server.stop()
    assert error.fault == "not_started"
    assert error.text is not None
    assert why in error.text.en
    for sentence in error.text:
        assert "models.endpoint.base_url" in sentence
        assert "OPENAI_BASE_URL" in sentence
        assert sentence.count("\n") == 0


async def test_stopping_ends_the_child(server: EmbeddedServer):
    await server.ready(PATIENCE)
    pid = server.state.pid
    assert pid is not None
    await server.stop()
    assert not runs(pid)
    assert (await failure(EmbeddedChatModel(server), "Hi")).fault == "not_started"


async def test_stopping_while_it_loads_ends_the_child(server: EmbeddedServer):
    await until(lambda: server.state.pid is not None)
    pid = server.state.pid
    await server.stop()
    assert not runs(pid)


async def test_the_child_ends_with_its_standard_input():
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent.llm.embedded_child", stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=ROOT
    )
    order = {
        "api_key": "k",
        "model_path": str(gguf.bundled()),
        "alias": "m",
        "threads": 1,
        "reading_threads": 1,
        "parallel": 1,
        "context_per_slot": 512,
        "cache_mib": 16,
        "small_cache": True,
        "batch": 16,
    }
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(json.dumps(order).encode() + b"\n")
    async with asyncio.timeout(PATIENCE):
        # Nothing but the report: what llama.cpp prints goes elsewhere.
        assert set(json.loads(await child.stdout.readline())) == {"port"}
        child.stdin.close()
        assert await child.wait() == 0
        assert await child.stdout.read() == b""


PARENT = """
import asyncio
from agent.llm.embedded import EmbeddedConfig, EmbeddedServer

async def main():
    server = EmbeddedServer(EmbeddedConfig(context_per_slot=1024, slots=1))
    await server.start()
    while server.state.phase != {phase!r} or server.state.pid is None:
        await asyncio.sleep(0.001)
    print(server.state.pid, flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
"""


@pytest.mark.parametrize("phase", ["starting", "ready"])
async def test_the_child_ends_when_its_parent_is_killed(phase: str):
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT.format(phase=phase), stdout=PIPE, cwd=ROOT
    )
    assert parent.stdout is not None
    async with asyncio.timeout(PATIENCE):
        pid = int(await parent.stdout.readline())
    parent.kill()
    begun = time.monotonic()
    await parent.wait()
    await until(lambda: not runs(pid))
    print(f"the child was gone after {time.monotonic() - begun:.3f} s")


async def test_ctrl_c_and_sigterm_leave_the_model_to_its_parent(server: EmbeddedServer, model: EmbeddedChatModel):
    await server.ready(PATIENCE)
    assert server.state.pid is not None
    os.kill(server.state.pid, signal.SIGINT)
    os.kill(server.state.pid, signal.SIGTERM)
    assert await answer(model, "Say hello.")
    assert server.state.crashes == 0


def test_prompts_are_read_with_all_cores_and_one_is_left_to_the_server_while_it_writes():
    assert EmbeddedConfig().writing_threads == max(1, len(os.sched_getaffinity(0)) - 1)
    assert EmbeddedConfig().reading_threads == len(os.sched_getaffinity(0))
    assert (EmbeddedConfig(threads=3).writing_threads, EmbeddedConfig(threads=3).reading_threads) == (3, 3)
