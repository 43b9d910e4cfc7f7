"""All commands, put together."""

from __future__ import annotations

from evals.cli.comparing import compare
from evals.cli.data import data, import_
from evals.cli.evaluating import evaluate
from evals.cli.human.commands import human
from evals.cli.listing import list_, show
from evals.cli.program import group
from evals.cli.running import infer, run

for command in (run, infer, evaluate, human, list_, show, compare, import_, data):
    group.add_command(command)

__all__ = ["group"]
