"""The program: its group of commands, and the one place where every way of going wrong ends."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from agent.language import Lang
from bot.command_group import GroupedCommands
from evals.cli import help as texts
from evals.cli.ending import FINE, INTERRUPTED, WRONG, Ended, not_written, sentence
from evals.cli.help import LANG

if TYPE_CHECKING:
    from bot.settings import Settings
    from evals.library import Library
    from evals.store import FileRuns

log = logging.getLogger(__name__)


@dataclass
class Desk:
    """What every command works with; each part is made when it is first needed."""

    config: Path | None = None
    #: Of what is said before the settings are read.
    lang: Lang = field(default=LANG)

    @cached_property
    def settings(self) -> Settings:
        """Raises `SettingsError`."""
        from bot.settings import load

        found = load(self.config)
        self.lang = found.lang
        # What goes wrong is told in a sentence of its own; the log is for who asks for it.
        logging.basicConfig(level=logging.DEBUG if found.log_level == "debug" else logging.CRITICAL + 1)
        return found

    def read_settings(self) -> None:
        """Read the settings now: they say in which language all that follows is said. Raises `SettingsError`."""
        _ = self.settings

    @cached_property
    def library(self) -> Library:
        from evals.library import Library

        return Library(self.settings.data_dir / "bench" / "data")

    @cached_property
    def runs(self) -> FileRuns:
        from evals.store import FileRuns

        return FileRuns(self.settings.data_dir / "bench" / "runs")


@click.group(
    cls=GroupedCommands,
    headings={heading.say(LANG): names for heading, names in texts.HEADINGS.items()},
    others=texts.OTHERS.say(LANG),
    help=texts.MAIN.say(LANG),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="kagentbot", prog_name="kagent-bench")
@click.option("--config", type=click.Path(path_type=Path), default=None, help=texts.CONFIG.say(LANG))
@click.pass_context
def group(context: click.Context, config: Path | None) -> None:
    """The commands; what they say of themselves is in `evals.cli.help`."""
    desk = context.ensure_object(Desk)
    desk.config = config


def main(arguments: Sequence[str] | None = None, prog_name: str = "kagent-bench") -> NoReturn:
    """The program: ends the process. `arguments` are those of the process itself unless they are given."""
    from evals.cli import commands

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that lacks a character shows another one.
            stream.reconfigure(errors="replace")
    given = list(sys.argv[1:] if arguments is None else arguments)
    desk = Desk()
    try:
        status = commands.group.main(given, prog_name=prog_name, standalone_mode=False, obj=desk) or 0
    except click.exceptions.Exit as error:
        status = error.exit_code
    except click.ClickException as error:
        error.show()
        status = _refused(given, error.format_message(), WRONG)
    except (click.Abort, KeyboardInterrupt):
        status = INTERRUPTED
    except BrokenPipeError:
        _unheard()
        status = FINE
    except Exception as error:
        if not isinstance(error, Ended):
            log.debug("kagent-bench failed", exc_info=True)
        said, status = sentence(error, desk.lang)
        tell(said)
        try:
            _refused(given, said, status)
            sys.stdout.flush()
        except OSError:
            _unheard()
    sys.exit(status)


def put(said: str) -> None:
    """Text on standard output. Whoever reads it may have gone, as `| head -1` does: that is no failure of ours.

    Raises `Ended` where it can't be written for another reason.
    """
    try:
        click.echo(said, nl=False)
        sys.stdout.flush()
    except BrokenPipeError:
        _unheard()
    except OSError as error:
        _unheard()
        raise not_written(error, "stdout") from None


def _unheard() -> None:
    """What is left of our output goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def tell(said: str) -> None:
    """A line on standard error, harmless whatever a model or a file has put into it."""
    from adapters.terminal.console import safe

    click.echo(safe(said), err=True)


def _refused(given: Sequence[str], said: str, status: int) -> int:
    """With `--json` an error is one JSON object on standard output, too."""
    if "--json" in given:
        click.echo(json.dumps({"error": said, "status": status}, ensure_ascii=False))
    return status
