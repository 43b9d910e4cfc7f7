"""What the turns of a kill test are made of, and what the logs of the outside world say about them.

Each question carries a name of its own, `q12.0`: number 12, not edited yet. A model plans for most of them: write,
then look twice side by side, then be done; for the others rules plan: write, then look. The fake model server logs the
calls, the tools log their runs, and both carry the name. So what ran how often, and in which order, can be told
without asking the server under attack.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.fakes.llm.harness import Call

#: In a question for which a model plans.
PLANNED = "[fake:plan="
#: Seconds between the tokens of an answer, so that some are killed in its middle; plans come faster. And of a slow one,
#: which is shown before it is complete.
_GAP, _SLOW_GAP = 0.008, 0.12

_NAME = re.compile(r"\bq\d+\.\d+\b")
_LOOK = re.compile(r"q\d+\.\d+ ([ab])")
#: The mark of a scripted plan among the completed tasks (`tests.fakes.llm.plans`).
_PLANNED = re.compile(r"\[p:[^\]#]*#(\d+)\]")
_COMPLETED = re.compile(r"<completed_tasks>\n(.*)\n</completed_tasks>")

#: Each step with its stage: of one turn, nothing runs after a step of a later stage has begun.
STAGES: Mapping[str, int] = {
    "plan/0": 0,
    "note": 1,
    "plan/1": 2,
    "look": 3,
    "look a": 3,
    "look b": 3,
    "plan/2": 4,
    "answer": 5,
}
#: Results that an answer rests on, where a model planned for it.
_RESULTS = 3


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one step, as the outside world saw it."""

    question: str
    step: str
    #: Unix time of its start.
    at: float
    #: The model server that ran it; "" for a tool.
    endpoint: str = ""
    #: Whether it came to its end there.
    finished: bool = True


def question(number: int, version: int, *, planned: bool, slow: bool = False) -> str:
    """What a person asks."""
    name, gap = f"q{number}.{version}", _SLOW_GAP if slow else _GAP
    if not planned:
        return f"question {name} [fake:gap={gap}]"
    note, one, other = (json.dumps({"text": text}) for text in (name, f"{name} a", f"{name} b"))
    return f"question {name} [fake:gap={gap}] {PLANNED}note{note};look{one}&look{other}]"


def name_of(text: str) -> str | None:
    """The name of the question that a text is or quotes; None for none."""
    found = _NAME.search(text)
    return None if found is None else found[0]


def of_tool(tool: str, text: str) -> str:
    """The step that is a tool's run with this text."""
    found = _LOOK.fullmatch(text) if tool == "look" else None
    return tool if found is None else f"{tool} {found[1]}"


def of_call(call: Call) -> str:
    """The step that a call of the model is."""
    if call.purpose != "plan":
        return "answer"
    return f"plan/{max((int(number) for number in _PLANNED.findall(call.user)), default=0)}"


def model_runs(calls: Iterable[Call], endpoint: str) -> list[Run]:
    """The steps that a model server ran."""
    return [
        Run(name, of_call(call), call.at, endpoint, call.outcome == "finished")
        for call in calls
        if (name := name_of(call.user)) is not None
    ]


def tool_runs(lines: Iterable[str]) -> list[Run]:
    """The steps that the tools' log has."""
    entries: Iterable[dict[str, Any]] = map(json.loads, lines)
    return [
        Run(name, of_tool(entry["tool"], entry["text"]), entry["at"])
        for entry in entries
        if (name := name_of(entry["text"])) is not None
    ]


def counted(runs: Iterable[Run]) -> Counter[tuple[str, str]]:
    """How often each step of each question ran: (step, question) → times."""
    return Counter((run.step, run.question) for run in runs)


def written_twice(runs: Iterable[Run]) -> list[str]:
    """Writing steps that ran more than once."""
    return [
        f"{step} {name}: written {times} times"
        for (step, name), times in counted(runs).items()
        if step == "note" and times > 1
    ]


def gone_back(runs: Iterable[Run]) -> list[str]:
    """Steps that ran again although a later stage of their turn had begun, which needs their results."""
    reached: dict[str, Run] = {}
    again = []
    for run in sorted(runs, key=lambda each: each.at):
        if run.step not in STAGES:
            again.append(f"{run.step} {run.question}: no such step was asked for")
            continue
        last = reached.setdefault(run.question, run)
        if STAGES[run.step] < STAGES[last.step]:
            again.append(f"{run.step} {run.question}: ran again after {last.step}")
        elif STAGES[run.step] > STAGES[last.step]:
            reached[run.question] = run
    return again


def answered_without(calls: Iterable[Call]) -> list[str]:
    """Answers that the model was to write without all that the planned steps had found."""
    lacking = []
    for call in calls:
        name = name_of(call.user)
        if name is None or of_call(call) != "answer" or PLANNED not in call.user:
            continue
        found = _COMPLETED.search(call.user)
        results = len(json.loads(found[1])) if found is not None else 0
        if results != _RESULTS:
            lacking.append(f"answer {name}: from {results} of {_RESULTS} results")
    return lacking


def asked_again(runs: Sequence[Run]) -> int:
    """Plans that a model was asked for more than once: their call was under way when something died."""
    return sum(times > 1 for (step, _), times in counted(runs).items() if step.startswith("plan/"))


def handed_on(runs: Iterable[Run]) -> int:
    """Questions whose calls were finished by one model server first and by another one later."""
    servers: dict[str, set[str]] = {}
    for run in runs:
        if run.endpoint and run.finished:
            servers.setdefault(run.question, set()).add(run.endpoint)
    return sum(len(names) > 1 for names in servers.values())
