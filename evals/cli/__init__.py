"""`kagent-bench`: asks models, scores replies, compares, posts. The composition root of everything that measures.

It may import anything, and nothing imports it. Each command is a thin shell around a room below: what is computed is
computed there. Commands import what they need when they run, so that `--help` is quick.
"""

from __future__ import annotations

from evals.cli.program import main

__all__ = ["main"]
