"""What would have to be the same for the same numbers."""

from __future__ import annotations

import platform
import unicodedata
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from evals.runs import RunSpec, spec_json


def manifest_of(
    spec: RunSpec, *, model: str, endpoint: str, server: str = "", context_tokens: int | None = None, path: str = ""
) -> Mapping[str, Any]:
    """The manifest of a run, as JSON.

    `path`: where the data was read; "" where its name says it.
    `model`: its own name, as its server tells. `endpoint`: the fingerprint of where it was asked and with which
    settings (`Asker.server`). `server`: host and port, without credentials; "" where only the endpoint's name is told,
    and for a model in a child process. The versions of scorer, rules and Unicode tables are those that will score the
    run if it is scored now.
    """
    from evals.kagentbench.score import versions

    asked = spec_json(spec)
    return {
        "data": asked.pop("data") | ({"path": path} if path else {}),
        "model": {
            "asked_for": asked.pop("model"),
            "name": model,
            "server": server,
            "endpoint": endpoint,
            "context_tokens": context_tokens,
        },
        "asked": asked,
        # No profile of the agent has a part in a run: all that a model is told stands in the data.
        "profile": None,
        "versions": {
            "kagentbot": _own_version(),
            "python": platform.python_version(),
            "unicode": unicodedata.unidata_version,
            **versions(),
        },
    }


def _own_version() -> str:
    try:
        return version("kagentbot")
    except PackageNotFoundError:
        # A checkout that nobody installed.
        return ""
