"""A fake OpenAI-compatible model server: its own process, real sockets, exact timing, and every way to fail.

`python -m tests.fakes.llm` runs it; `FakeLLM` starts and stops it in a test. It is one of several kinds of server,
with their paths, their errors and their faults (`kinds.py`). What it answers is deterministic. It echoes each `[m:ID]`
of the last user message once, and obeys `[fake:NAME=VALUE]` in it (all names: `directives.py`; an agent's plans:
`plans.py`), so that a test scripts a model through any number of layers without another channel. Its log is the truth
about how often a model was called.

It must not grow an opinion: nothing here imports `agent` or `bot`.
"""

from __future__ import annotations

from tests.fakes.llm.harness import Call, FakeLLM

__all__ = ["Call", "FakeLLM"]
