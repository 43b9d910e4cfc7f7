"""Chat formats that are written here and sent to `/v1/completions`, for models whose server has no chat template.

The published KAgentLMs are such models: their tokenizers came without a template, and servers of today refuse to guess
one (vllm#29849, vllm#39279).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from agent.llm.chat import ChatMessage

#: A format that is written here.
Written = Literal["chatml", "baichuan2", "raw"]

#: Tokens by which the templates in common use mark who speaks: ChatML's and Llama's `<|…|>`, DeepSeek's `<｜…｜>`,
#: Baichuan's `<reserved_…>`, Gemma's `<…_of_turn>`.
_MARKS = re.compile(
    r"<(?=\|\w[\w .:/-]{0,39}\|>|\uff5c[^\uff5c<>\n]{1,40}\uff5c>|reserved_\d+>|(?:start|end)_of_turn>)", re.ASCII
)
#: The end of a text in Llama's and Baichuan's vocabularies. Only there: in HTML, `<s>` is struck out.
_ENDS = re.compile(r"<(?=/?s>|unk>|pad>)")
#: What Qwen's own template writes when thinking is off.
_NO_THOUGHT = "<think>\n\n</think>\n\n"
_BAICHUAN = {"system": "", "user": "<reserved_106>", "assistant": "<reserved_107>"}


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt for `/v1/completions`."""

    text: str
    #: What ends the reply, besides the model's own end token.
    stop: tuple[str, ...]


def write(form: Written, messages: Sequence[ChatMessage], *, quiet: bool = False, verbatim: bool = False) -> Prompt:
    """The messages as one prompt that the model goes on from. `quiet` asks it not to think first.

    `verbatim`: nothing in them is made `neutral`; they are no strangers' texts.
    """
    if not verbatim:
        messages = [replace(each, content=_harmless(form, each.content)) for each in messages]
    match form:
        case "chatml":
            turns = "".join(f"<|im_start|>{each.role}\n{each.content}<|im_end|>\n" for each in messages)
            begun = _NO_THOUGHT if quiet else ""
            stop = ("<|im_end|>", "<|im_start|>", "<|endoftext|>")
            return Prompt(f"{turns}<|im_start|>assistant\n{begun}", stop)
        case "baichuan2":
            turns = "".join(_BAICHUAN[each.role] + each.content for each in messages)
            return Prompt(turns + _BAICHUAN["assistant"], (_BAICHUAN["user"], _BAICHUAN["assistant"], "</s>"))
        case "raw":
            return Prompt("\n\n".join(each.content for each in messages), ())


def neutral(text: str) -> str:
    """`text` with a blank in each mark by which templates tell who speaks.

    Tokenizers read such a mark wherever it stands. Left as it is, a message or a web page could speak as the system.
    """
    return _MARKS.sub("< ", text) if "<" in text else text


def _harmless(form: Written, text: str) -> str:
    """`text` without the marks that mean something in this format."""
    match form:
        case "chatml":
            return neutral(text)
        case "baichuan2":
            return _ENDS.sub("< ", neutral(text))
        case "raw":
            return text


def guessed(model: str) -> Written:
    """The format of a model whose server has no template for it, by its name."""
    return "baichuan2" if "baichuan" in model.lower() else "chatml"
