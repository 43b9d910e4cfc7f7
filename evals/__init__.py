"""Measuring models and agent systems: KAgentBench, own suites, ratings by people.

It builds on `agent` alone and must not know the server, a database or a platform: what it needs of them comes in
through protocols of its own (`evals.runs.RunStore`). `evals.cli` is the composition root of `kagent-bench` and may
import anything.
"""

from __future__ import annotations
