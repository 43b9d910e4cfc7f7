"""Real model servers. Only `make compat` runs these tests: one server has to be compiled for minutes first."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from agent.llm.endpoint import Endpoint
from tests.compat.real import Real, running, running_embedded

#: The Python that has llama_cpp.server.
PYTHON = os.environ.get("KAGENTBOT_COMPAT_PYTHON", "")
#: Without it there is nothing here to collect, so that `make test` runs everything that it collects.
collect_ignore_glob = [] if PYTHON else ["test_*.py"]


@pytest.fixture(scope="session")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    """llama_cpp.server as docs/models.md starts it."""
    log = tmp_path_factory.mktemp("patient") / "server.log"
    with running(Path(PYTHON), log, "--interrupt_requests", "false") as server:
        yield server


@pytest.fixture(scope="session")
def interrupting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    """llama_cpp.server as it comes."""
    with running(Path(PYTHON), tmp_path_factory.mktemp("interrupting") / "server.log") as server:
        yield server


@pytest.fixture
async def embedded() -> AsyncIterator[Endpoint]:
    """The embedded model: llama-server, in the package xllamacpp."""
    async with running_embedded() as endpoint:
        yield endpoint
