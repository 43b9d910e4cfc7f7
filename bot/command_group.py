"""A command line whose help is grouped by what people want to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click


class GroupedCommands(click.Group):
    """`click.Group` with headings in its list of commands."""

    def __init__(
        self, *args: Any, headings: Mapping[str, Sequence[str]], others: str = "Commands", **kwargs: Any
    ) -> None:
        """`headings`: which commands stand below which heading, in order; below `others`, those that none names."""
        super().__init__(*args, **kwargs)
        self._headings = dict(headings)
        self._others = others

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        known = {name: command for name in self.list_commands(ctx) if (command := self.get_command(ctx, name))}
        shown = {name: command for name, command in known.items() if not command.hidden}
        named = {name for names in self._headings.values() for name in names}
        groups = {**self._headings, self._others: [name for name in shown if name not in named]}
        limit = formatter.width - 6 - max(map(len, shown), default=0)
        for heading, names in groups.items():
            rows = [(name, shown[name].get_short_help_str(limit)) for name in names if name in shown]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)
