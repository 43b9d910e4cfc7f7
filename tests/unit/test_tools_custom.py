"""Tools of one's own: from files and entry points, and what is said about those that can't be tools."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from agent.events import Finished, StepFinished
from agent.styles.base import Done, Plan, ToolCall, Verbatim
from agent.task import Task
from agent.tools import custom
from agent.tools.builtin import builtin_tools
from agent.tools.custom import CustomToolError
from agent.tools.registry import Tool, ToolContext, ToolError, select
from tests.support.agent import NOW, run, task

ROOT = Path(__file__).resolve().parents[2]
DICE = ROOT / "examples" / "dice_tool.py"
CONTEXT = ToolContext(NOW, "en")

HEAD = "from __future__ import annotations\n"
GREET = '''
def greet(name: str) -> str:
    """Greets.

    Args:
        name: Whom.
    """
    return f"Hello, {name}!"
'''


def written(folder: Path, text: str, name: str = "mine.py") -> Path:
    file = folder / name
    file.write_text(HEAD + text, "utf-8")
    return file


def loaded(folder: Path, text: str) -> tuple[Tool, ...]:
    return custom.load([written(folder, text)], builtin_tools(), ())


class OneCall:
    """A style that makes one call and shows its result."""

    name = "one call"

    def __init__(self, call: ToolCall) -> None:
        self._call = call

    def plan(self, task: Task, tools: tuple[Tool, ...], done: tuple[Done, ...]) -> Plan:
        return Plan() if done else Plan((self._call,))

    def conclude(self, task: Task, done: tuple[Done, ...], *, demo: bool, tools: tuple[Tool, ...] = ()) -> Verbatim:
        return Verbatim(done[-1].result.answer_md)


async def test_the_example_rolls_dice_in_a_run_of_the_agent() -> None:
    tools = custom.load([DICE], builtin_tools(), ())
    assert [(tool.name, tool.name_zh) for tool in tools] == [("roll_dice", "掷骰子")]
    events = await run(task("Roll!"), OneCall(ToolCall("掷骰子", {"count": 3, "sides": 2})), tools=tools)
    assert [event.ok for event in events if isinstance(event, StepFinished)] == [True]
    assert isinstance(events[-1], Finished)
    dice, total = events[-1].text.split(" = ")
    rolled = [int(die) for die in dice.split(" + ")]
    assert len(rolled) == 3
    assert set(rolled) <= {1, 2}
    assert sum(rolled) == int(total)


async def test_the_example_refuses_what_its_types_forbid() -> None:
    (dice,) = custom.load([DICE], (), ())
    with pytest.raises(ToolError, match="`sides` must be from 2 to 100"):
        await dice.run({"sides": 1}, CONTEXT)


async def test_a_plain_function_and_an_async_one_are_tools_and_a_helper_is_none(tmp_path: Path) -> None:
    later = GREET.replace("def greet", "async def greet_later")
    tools = loaded(tmp_path, "from pathlib import Path\n" + GREET + later + "def _helper() -> None: ...\n")
    assert [tool.name for tool in tools] == ["greet", "greet_later"]
    assert [(await tool.run({"name": "Ada"}, CONTEXT)).answer for tool in tools] == ["Hello, Ada!"] * 2


async def test_what_is_no_text_becomes_json(tmp_path: Path) -> None:
    (tool,) = loaded(tmp_path, 'def ask() -> dict:\n    """Asks."""\n    return {"名": [1, None]}\n')
    assert (await tool.run({}, CONTEXT)).answer == '{"名": [1, null]}'


def test_options_say_what_a_signature_cannot(tmp_path: Path) -> None:
    mark = 'from agent.tools.custom import options\n@options(name_zh="问候", aliases=("hi",), writes=True)\n'
    (tool,) = loaded(tmp_path, mark + GREET)
    assert (tool.name_zh, tool.aliases, tool.writes, tool.untrusted_output) == ("问候", ("hi",), True, False)


def test_a_tool_says_that_it_needs_the_network(tmp_path: Path) -> None:
    (tool,) = loaded(tmp_path, "from agent.tools.custom import options\n@options(network=True)\n" + GREET)
    assert tool.network
    assert select((tool,), ("auto",)) == (tool,)
    assert select((tool,), ("auto",), network="off") == select((tool,), ("greet",), network="off") == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def greet(:\n", "SyntaxError"),
        ("import nosuchmodule\n", "No module named 'nosuchmodule'"),
        ("raise SystemExit(3)\n", "SystemExit: 3"),
        ("X = 1\n", "defines no public function"),
        (
            "def greet(name: str) -> str:\n    return name\n",
            "`greet` can't be a tool: ValueError: tool greet has no docstring",
        ),
        (GREET.replace("name: Whom", "other: Whom"), "the docstring of tool greet doesn't describe name"),
        (GREET.replace("name: str", "name: bytes"), "arguments of type <class 'bytes'> are not supported"),
        (GREET.replace("name: str", "name: Nowhere"), "`greet` can't be a tool: NameError"),
        (GREET.replace("def greet", "def 问候"), "`问候` can't be a tool's name"),
        (GREET.replace("def greet", "def calculator"), "“calculator” of the function `calculator` is already taken"),
        (GREET.replace("def greet", "def task_complete"), "“task_complete” of the function"),
        (GREET.replace("def greet", "def auto"), "“auto” of the function"),
    ],
)
def test_what_cannot_be_a_tool_is_named_with_its_file_in_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(CustomToolError) as caught:
        loaded(tmp_path, text)
    for sentence in (caught.value.say("en"), caught.value.say("zh")):
        assert str(tmp_path / "mine.py") in sentence
        assert "\n" not in sentence
    assert said in caught.value.say("en")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CustomToolError, match=r"nosuch\.py can't be loaded: FileNotFoundError"):
        custom.load([tmp_path / "nosuch.py"], (), ())


def test_two_files_cannot_have_the_same_tool(tmp_path: Path) -> None:
    first, second = written(tmp_path, GREET, "a.py"), written(tmp_path, GREET, "b.py")
    with pytest.raises(CustomToolError, match=r"b\.py: the name “greet” of the function `greet` is already taken"):
        custom.load([first, second], (), ())


def test_an_installed_package_brings_its_tools_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, GREET, "greeting_for_this_test.py")
    info = tmp_path / "greeting_for_this_test-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: greeting-for-this-test\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[kagentbot.tools]\nhello = greeting_for_this_test\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert [tool.name for tool in custom.load([], builtin_tools())] == ["greet"]


@pytest.mark.parametrize("value", ["nosuchmodule:greet", "agent.tools.custom:GROUP"])
def test_an_entry_point_that_leads_to_no_function_is_named(value: str) -> None:
    with pytest.raises(CustomToolError, match=f"hello = {value} can't be loaded"):
        custom.load([], (), [EntryPoint("hello", value, custom.GROUP)])
