"""`kagent-bench`: the composition root of everything that measures."""

from __future__ import annotations

import click


@click.group()
@click.version_option(package_name="kagentbot")
def main() -> None:
    """Measure models with KAgentBench."""
