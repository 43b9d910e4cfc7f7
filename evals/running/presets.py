"""How long a prompt may be, by the published inference scripts and by the model's window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from evals.running.asking import Preset
from evals.runs import RunSpec

#: Tokens of the longest prompt, by the published inference scripts (`qwen_predict`, `baichuan_predict`); longer ones
#: are cut. None: the window alone decides.
INPUT_TOKENS: Final[Mapping[Preset, int | None]] = {"plain": None, "qwen": 3096, "baichuan2": 3400}
#: Tokens that a chat format adds around a prompt, at most: chatml with an empty system text has 13; templates that
#: bring a system text of their own have some 20 more.
MARKUP_TOKENS: Final = 40
#: However small the window, a prompt is left so much.
_LEAST_TOKENS: Final = 64


def input_limit(spec: RunSpec, context_tokens: int | None) -> int | None:
    """Tokens that a prompt may have: by the preset, and so that the reply still fits into the window. None for no
    limit known.

    Reasoning is given no room of its own here: how much a model thinks is known to nobody before, most don't think at
    all, and what is left of the window is what it has.
    """
    preset = INPUT_TOKENS[spec.preset]
    if context_tokens is None:
        return preset
    window = max(_LEAST_TOKENS, context_tokens - spec.sampling.max_tokens - MARKUP_TOKENS)
    return window if preset is None else min(preset, window)
