"""Options that several commands have, and what is read from them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import click

from agent.language import Text
from evals.cli import help as texts
from evals.cli.ending import WRONG, Ended
from evals.cli.help import LANG
from evals.kagentbench.items import METRICS, METRICS_OF, TYPES
from evals.runs import RunSpec

Command = TypeVar("Command", bound=Callable[..., Any])

#: Other spellings of types: of the numbers that they count for, and of the word itself.
_ALIASES: Final[Mapping[str, str]] = {
    "plan": "plantooluse",
    "tooluse": "plantooluse",
    "reflection": "reflextion",
}
#: What `--fail-under` can be about; `pass` is a suite's pass rate.
NUMBERS: Final = (*METRICS, "overall", "pass")

_UNKNOWN = Text("{option} doesn't know “{given}”: choose from {known}.", "{option} 中没有“{given}”：可选的有 {known}。")
_NOT_A_BOUND = Text(
    "--fail-under {given} isn't METRIC=NUMBER, for example overall=40; METRIC is one of {known}.",
    "--fail-under {given} 不是 METRIC=数值 的形式，例如 overall=40；METRIC 可为 {known}。",
)
_NO_SUCH_NUMBER = Text(
    "--fail-under {number}={least} can't be met, because this will have no {number}: it has {known}.",
    "--fail-under {number}={least} 无法满足，因为结果中不会有 {number}：会有的是 {known}。",
)


class Bound(NamedTuple):
    """One `--fail-under`."""

    number: str
    #: 0 to 100, as numbers are printed.
    least: float


def outputs(command: Command) -> Command:
    """`--html`, `--chart`, `--json`, `--fail-under`, `--post`."""
    return _all(
        command,
        click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help=texts.HTML.say(LANG)),
        click.option("--chart", type=click.Path(path_type=Path), metavar="FOLDER|PNG", help=texts.CHART.say(LANG)),
        as_json,
        click.option("--fail-under", multiple=True, metavar="METRIC=N", help=texts.FAIL_UNDER.say(LANG)),
        click.option("--post", metavar="PLATFORM:CHANNEL", default="", help=texts.POST.say(LANG)),
    )


def partial(command: Command) -> Command:
    """`--allow-partial`."""
    return click.option("--allow-partial", "partial", is_flag=True, help=texts.PARTIAL.say(LANG))(command)


def judge(command: Command) -> Command:
    """`--judge`."""
    return click.option("--judge", metavar="NAME", default="", help=texts.JUDGE.say(LANG))(command)


def as_json(command: Command) -> Command:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help=texts.JSON.say(LANG))(command)


def models(command: Command) -> Command:
    """Which model, and how it is asked."""
    return _all(
        command,
        click.option("--model", "--endpoint", "model", metavar="NAME", default="", help=texts.MODEL.say(LANG)),
        click.option("--base-url", metavar="URL", default="", help=texts.BASE_URL.say(LANG)),
        click.option("--api-key-env", metavar="NAME", default="", help=texts.API_KEY_ENV.say(LANG)),
        click.option(
            "--preset",
            type=click.Choice(["plain", "qwen", "baichuan2"]),
            default="plain",
            show_default=True,
            help=texts.PRESET.say(LANG),
        ),
        click.option(
            "--reasoning",
            type=click.Choice(["strip", "off", "keep"]),
            default="strip",
            show_default=True,
            help=texts.REASONING.say(LANG),
        ),
        click.option(
            "--reasoning-tokens",
            type=click.IntRange(0, 1_000_000),
            default=2048,
            show_default=True,
            help=texts.REASONING_TOKENS.say(LANG),
        ),
        click.option("--constrained", is_flag=True, help=texts.CONSTRAINED.say(LANG)),
        click.option("--concurrency", type=click.IntRange(1, 4096), metavar="N", help=texts.CONCURRENCY.say(LANG)),
    )


def selection(command: Command) -> Command:
    """Which data, and which of it."""
    return _all(
        command,
        click.option("--data", metavar="FILE|NAME", default="sample", show_default=True, help=texts.DATA.say(LANG)),
        partial,
        click.option("--limit", type=click.IntRange(1), metavar="N", help=texts.LIMIT.say(LANG)),
        click.option("--types", metavar="LIST", default="", help=texts.TYPES.say(LANG)),
        click.option("--templates", metavar="LIST", default="", help=texts.TEMPLATES.say(LANG)),
        click.option("--lang", "langs", metavar="LIST", default="", help=texts.LANGS.say(LANG)),
        click.option("--seed", type=int, default=0, show_default=True, help=texts.SEED.say(LANG)),
        click.option(
            "--repeats", type=click.IntRange(1, 100), default=1, show_default=True, help=texts.REPEATS.say(LANG)
        ),
    )


def going_on(command: Command) -> Command:
    """`--resume`, `--fresh`."""
    return _all(
        command,
        click.option("--resume", is_flag=True, help=texts.RESUME.say(LANG)),
        click.option("--fresh", is_flag=True, help=texts.FRESH.say(LANG)),
    )


def _all(command: Command, *options: Callable[[Command], Command]) -> Command:
    # The last decorator is the first in the help.
    for option in reversed(options):
        command = option(command)
    return command


def types_of(given: str) -> tuple[str, ...]:
    """`--types`. Raises `Ended`."""
    wanted = [_ALIASES.get(word, word) for word in _words(given.lower())]
    return _known("--types", wanted, TYPES)


def langs_of(given: str) -> tuple[Any, ...]:
    """`--lang`. Raises `Ended`."""
    return _known("--lang", _words(given.lower()), ("en", "zh"))


def templates_of(given: str, known: Iterable[str]) -> tuple[str, ...]:
    """`--templates`, of those that the data has. Raises `Ended`."""
    there = {name.lower(): name for name in known}
    wanted = [there.get(word.lower(), word) for word in _words(given)]
    return _known("--templates", wanted, tuple(there.values()))


def bounds_of(given: Iterable[str]) -> tuple[Bound, ...]:
    """`--fail-under`. Raises `Ended`."""
    found = []
    for one in given:
        number, _, least = one.partition("=")
        try:
            bound = Bound(number.strip().lower(), float(least))
        except ValueError:
            bound = Bound("", 0.0)
        if bound.number not in NUMBERS or not 0 <= bound.least <= 100:
            raise Ended(WRONG, _NOT_A_BOUND, given=one[:80], known=", ".join(NUMBERS))
        found.append(bound)
    return tuple(found)


def check_bounds(bounds: Iterable[Bound], *, is_suite: bool, types: Iterable[str] = ()) -> None:
    """Refuse, before anything is asked, a `--fail-under` about a number that the result can't have. Raises `Ended`.

    `types`: the only ones that are measured; none for all.
    """
    chosen = set(types)
    there: set[str] = {"pass"}
    if not is_suite:
        there = {metric for kind in TYPES if not chosen or kind in chosen for metric in METRICS_OF[kind]}
    if there == set(METRICS):
        there.add("overall")
    for number, least in bounds:
        if number not in there:
            known = ", ".join(one for one in NUMBERS if one in there)
            raise Ended(WRONG, _NO_SUCH_NUMBER, number=number, least=f"{least:g}", known=known)


def written(spec: RunSpec) -> str:
    """The options that asked for a run, as they are typed; those left out were as by default."""
    lists = {"--types": spec.types, "--templates": spec.templates, "--lang": spec.langs}
    found: dict[str, Any] = {"--model": spec.model, "--data": spec.data.name}
    found |= {name: ",".join(values) for name, values in lists.items() if values}
    usual = RunSpec(spec.data, spec.model)
    for name in ("limit", "seed", "repeats", "preset", "reasoning", "reasoning_tokens"):
        if getattr(spec, name) != getattr(usual, name):
            found[f"--{name.replace('_', '-')}"] = getattr(spec, name)
    said = " ".join(f"{name} {shlex.quote(str(value))}" for name, value in found.items())
    return f"{said} --constrained" if spec.constrained else said


def _words(given: str) -> list[str]:
    return [word for part in given.split(",") if (word := part.strip())]


def _known(option: str, wanted: Iterable[str], known: tuple[str, ...]) -> tuple[str, ...]:
    for word in wanted:
        if word not in known:
            raise Ended(WRONG, _UNKNOWN, option=option, given=word[:80], known=", ".join(known) or "–")
    return tuple(word for word in known if word in set(wanted))
