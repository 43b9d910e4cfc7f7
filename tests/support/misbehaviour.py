"""Models that misbehave, and what becomes of each: the cases behind the table in docs/agent.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agent.llm.chat import ModelError
from tests.support.plans import COMPLETE, plan

ONE = plan("look_up", thought="The word first.", word="one")
WRONG = plan("look_up", term="one")
ARGUMENTS = json.dumps({"word": "one"})
CALL = json.dumps({"name": "look_up", "arguments": ARGUMENTS})
#: What the tool says about the word, and what the model makes of it.
FOUND, ANSWER = "**one means thing number 1.**", "It means thing number 1."
#: The model wrote nothing, so the answer is what the tool found.
INSTEAD = f"The model wrote no answer. This is what the tools found:\n\n{FOUND}"
MADE_UP = "See https://made-up.example/page and https://words.example/one."


@dataclass(frozen=True, slots=True)
class Case:
    """One way to misbehave."""

    name: str
    #: What the model replies, call by call. One more call than there are replies fails the test.
    replies: Sequence[str | tuple[str, str] | ModelError]
    #: What becomes of it, for people.
    becomes: str
    #: Why planning ended, by plan; None where it went on.
    ends: Sequence[str | None]
    #: The answer; None where the turn fails.
    answer: str | None = ANSWER
    #: Tool runs, and how many of them failed.
    runs: int = 1
    failed: int = 0
    #: What stands below the answer.
    note: str = ""

    @property
    def calls(self) -> int:
        """Model calls, exactly."""
        return len(self.replies)

    @property
    def row(self) -> str:
        """Its line in the table."""
        return f"| {self.name} | {self.becomes} | {self.calls} | {self.runs} |"


HEADING = "| the model | what becomes of it | model calls | tool runs |\n|---|---|---|---|"
_READ = "The plan is read out of it."
_ENDLESS = [plan("look_up", word=f"w{n}") for n in range(5)]


def _read(name: str, reply: str | tuple[str, str], becomes: str = _READ) -> Case:
    return Case(name, (reply, COMPLETE, ANSWER), becomes, (None, "complete"))


CASES: Sequence[Case] = (
    _read("writes prose around the JSON", f"Sure! Here is my plan:\n{ONE}\nShall I? {{:-)"),
    _read("writes a Markdown fence around it", f"```json\n{ONE}\n```"),
    _read("writes Python in place of JSON", repr(json.loads(ONE))[:-1] + ", 'sure': True,}"),
    _read("thinks in `<think>` blocks everywhere", f"<think>Or {COMPLETE}?</think>{ONE}<think>Hm."),
    _read(
        "leaves the last brackets out, or is cut off there",
        (ONE[:-2], "length"),
        "The call is complete, so the plan is read out of it.",
    ),
    Case(
        "is cut off in mid-call",
        ((ONE[:-12], "length"), ONE, COMPLETE, ANSWER),
        "Never run as it stands: one correction that asks for a shorter plan.",
        (None, "complete"),
    ),
    Case(
        "is cut off twice",
        ((ONE[:-12], "length"), (ONE[:-12], "length"), "I can't tell."),
        "Planning ends; the model answers from what there is.",
        ("unusable",),
        "I can't tell.",
        0,
    ),
    Case(
        "writes no plan, but prose",
        ("I would rather not.", ONE, COMPLETE, ANSWER),
        "One correction that shows the form of a plan.",
        (None, "complete"),
    ),
    Case(
        "writes nothing as a plan, twice",
        ("", ModelError("empty", "no text"), "I can't tell."),
        "One correction; then planning ends, and the model answers from what there is.",
        ("unusable",),
        "I can't tell.",
        0,
    ),
    _read("calls a tool in OpenAI's form", CALL),
    _read(
        "calls a tool in a `<tool_call>` block",
        f'<tool_call>\n{{"name": "look_up", "arguments": {ARGUMENTS}}}\n</tool_call>',
    ),
    _read("calls a tool in ReAct's form", f"Thought: Why not?\nAction: look_up\nAction Input: {ARGUMENTS}\n"),
    _read("plans a list of tasks", f"[{ONE}, {COMPLETE}]", "The first task is taken; the next plan sees its result."),
    Case(
        "wants a tool that doesn't exist",
        (plan("teleport", place="moon"), "I can't tell."),
        "Planning ends; the model answers from what there is.",
        ("unknown",),
        "I can't tell.",
        0,
    ),
    Case(
        "gets the names of arguments wrong",
        (WRONG, ONE, COMPLETE, ANSWER),
        "One correction with the tool's own sentence.",
        (None, "complete"),
    ),
    Case(
        "gets them wrong again",
        (WRONG, WRONG, COMPLETE, "I can't tell."),
        "One correction; then the run fails as a visible step, and planning goes on.",
        (None, "complete"),
        "I can't tell.",
        failed=1,
    ),
    Case(
        "repeats a task",
        (ONE, ONE, ANSWER),
        "The task isn't run again; planning ends, and the model answers from what was found.",
        (None, "repeated"),
    ),
    Case(
        "never stops planning",
        (*_ENDLESS, "Enough."),
        "At most `max_iter_num` tool runs (here 5), then the answer.",
        (None,) * 5,
        "Enough.",
        5,
    ),
    Case(
        "needs a correction for each of its endless plans",
        (*(reply for good in _ENDLESS for reply in ("Hm.", good)), "Enough."),
        "The bound: two calls for each tool run and two for the answer, 12 with `max_iter_num` 5.",
        (None,) * 5,
        "Enough.",
        5,
    ),
    Case(
        "answers with an address that nothing has named",
        (ONE, COMPLETE, MADE_UP),
        "The answer stands, the address is no source, and a note says that no tool found it.",
        (None, "complete"),
        MADE_UP,
        note="Not found by any tool, so they may not exist: `https://made-up.example/page`.",
    ),
    Case(
        "answers nothing",
        (ONE, COMPLETE, " \n", ANSWER),
        "It is asked once more.",
        (None, "complete"),
    ),
    Case(
        "answers nothing twice",
        (ONE, COMPLETE, "", ModelError("empty", "no text")),
        "What the tools found is the answer, with a sentence that the model wrote none.",
        (None, "complete"),
        INSTEAD,
    ),
    Case(
        "answers with a plan or a tool call",
        (ONE, COMPLETE, ONE, ANSWER),
        "It reaches nobody; the model is asked once more, for an answer in words.",
        (None, "complete"),
    ),
    Case(
        "answers so twice",
        (ONE, COMPLETE, f"```json\n{COMPLETE}\n```", f"Let me see.\n<tool_call>\n{CALL}\n</tool_call>"),
        "What the tools found is the answer, with a sentence that the model wrote none.",
        (None, "complete"),
        INSTEAD,
    ),
    Case(
        "plans nothing and answers nothing twice",
        (COMPLETE, "", ""),
        "The turn fails, visibly, with a retry button.",
        ("complete",),
        None,
        0,
    ),
)


def table(cases: Sequence[Case] = CASES) -> str:
    """The table in Markdown."""
    return "\n".join([HEADING, *(case.row for case in cases)])


def ends_of(steps: dict[str, Any]) -> list[str | None]:
    """Why planning ended, by plan, from a journal's steps."""
    return [step.result["end"] for key, step in steps.items() if key.startswith("plan/") and step.state == "done"]
