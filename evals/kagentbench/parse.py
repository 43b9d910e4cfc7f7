"""What the published scorer reads from a reply in each prompt template: thought, tool and arguments.

Quirks almost throughout, and scores depend on each; the agent's own parsers (`agent.styles`) are kinder. Nothing of
`agent` is imported here, so that neither can change the other.

What the published scorer dies on is raised here as the same exception with the same words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from evals.kagentbench.extract import read_json
from evals.kagentbench.results import Parsed

#: The word that stands for nothing, in parses and in goldens.
NONE: Final = "None"

_ACTION: Final = "Action:"
_INPUT: Final = "Action Input:"
_THINK: Final = "<|startofthink|>", "<|endofthink|>"


def parse(template: str, reply: Any, funcs: Any) -> Parsed | None:
    """What a reply says; None where the published scorer uses what it read from the template before this one.

    That is so for an empty ReACT reply and for a template that it doesn't know. `funcs` are the tools of the item's
    prompts. Raises `TypeError`, `KeyError` and so on where the published scorer does.
    """
    if template == "ReACT":
        if isinstance(reply, str) and not reply:
            return None
        found = _react(reply, funcs)
    elif template in _READERS:
        found = _READERS[template](reply)
    else:
        return None
    thought, tool, args = found
    return Parsed(thought, NONE if tool == "" else tool, {} if args == "" else args)


def _not_text(reply: object) -> TypeError:
    return TypeError(f"expected string or bytes-like object, got '{type(reply).__name__}'")


def _nothing() -> Parsed:
    return Parsed(NONE, NONE, {})


def _react(reply: Any, funcs: Any) -> Parsed:
    if not isinstance(reply, str):
        raise _not_text(reply)
    ends = [at for at in (reply.find("Final Answer", 1), reply.find("Action", 1)) if at > 0]
    thought = reply[: min(ends)].strip() if ends else reply.strip()

    tool = NONE
    begin = reply.find(_ACTION)
    if begin >= 0:
        begin += len(_ACTION)
        end = reply.find(_INPUT, begin + 1)
        if end >= 0:
            tool = reply[begin:end].strip()
    if tool == NONE:
        return Parsed(thought, tool, {})
    name = _first_argument(tool, funcs)
    at = reply.find(_INPUT)
    if name == NONE or at < 0:
        return Parsed(thought, tool, {})
    at += len(_INPUT)
    end = reply.find("Observation", at)
    return Parsed(thought, tool, {name: (reply[at:end] if end >= 0 else reply[at:]).strip()})


def _first_argument(tool: str, funcs: Sequence[Any]) -> str:
    """The name of the first argument of the last tool that is called so; "None" where there is none."""
    name = NONE
    for func in funcs:
        if func["name"] != tool:
            continue
        parameters = func.get("parameters")
        properties = parameters.get("properties") if isinstance(parameters, Mapping) else None
        name = next(iter(properties), NONE) if isinstance(properties, Mapping) else NONE
    return name


def _object(text: Any) -> dict[str, Any] | None:
    """The JSON object in a reply; None where there is none."""
    if not isinstance(text, str):
        return None
    try:
        value = read_json(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _autogpt(reply: Any) -> Parsed:
    found = _object(reply)
    if found is None:
        return _nothing()
    thought: Any = NONE
    tool: Any = NONE
    args: Any = {}
    thoughts, command = found.get("thoughts"), found.get("command")
    if thoughts and "text" in thoughts:
        thought = thoughts["text"]
    if command and "name" in command:
        tool = command["name"]
    if isinstance(command, dict) and isinstance(command.get("args"), dict):
        args = command["args"]
    return Parsed(thought, tool, args)


def _kuaiagent(reply: Any) -> Parsed:
    found = _object(reply)
    if found is None:
        return _nothing()
    tool: Any = NONE
    args: Any = {}
    if "command" in found:
        command = found["command"]
        if "name" in command:
            tool = command["name"]
        if isinstance(command, dict) and isinstance(command.get("args"), dict):
            args = command["args"]
    return Parsed(found.get("task_name", NONE), tool, args)


def _modelscope(reply: Any) -> Parsed:
    if not isinstance(reply, str):
        raise _not_text(reply)
    begin = reply.find(_THINK[0])
    if begin < 0:
        return _nothing()
    begin += len(_THINK[0])
    end = reply.find(_THINK[1], begin + 1)
    found = _object(reply[begin:end]) if end >= 0 else None
    if found is None:
        return _nothing()
    args = found.get("parameters")
    return Parsed(NONE, found.get("api_name", NONE), args if isinstance(args, dict) else {})


def _toolllama(reply: Any) -> Parsed:
    if not isinstance(reply, str):
        return _nothing()
    thought: Any = []  # scored as the text "[]"
    begin = reply.find("Thought:")
    if begin >= 0 and reply[begin + len("Thought:") :]:
        begin += len("Thought:")
        end = reply.find("Action", begin + 1)
        thought = (reply[begin:end] if end >= 0 else reply[begin:]).strip()

    begin = reply.find(_ACTION)
    if begin < 0 or not reply[begin + len(_ACTION) :]:
        return Parsed(thought, NONE, {})
    begin += len(_ACTION)
    end = reply.find(_INPUT, begin + 1)
    tool = (reply[begin:end] if end >= 0 else reply[begin:]).strip()
    at = reply.find(_INPUT)
    if at < 0:
        return Parsed(thought, tool, {})
    at += len(_INPUT)
    end = reply.find("Thought", at)
    args = _object(reply[at:end] if end >= 0 else reply[at:])
    return Parsed(thought, tool, {} if args is None else args)


_READERS: Final[Mapping[str, Callable[[Any], Parsed]]] = {
    "AutoGPT": _autogpt,
    "ToolLlama": _toolllama,
    "ModelScope": _modelscope,
    "KuaiAgent": _kuaiagent,
}
