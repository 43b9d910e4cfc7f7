"""All commands, put together."""

from __future__ import annotations

from evals.cli.evaluating import evaluate
from evals.cli.program import group

group.add_command(evaluate)

__all__ = ["group"]
