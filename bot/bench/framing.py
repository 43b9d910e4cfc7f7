"""How a server and the process that scores for it talk: JSON behind eight bytes of length, in both directions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, BinaryIO, Final

from evals.runs import Prediction, PredictionKey

#: Bytes in front of each message: how long it is.
LENGTH: Final = 8


def message(value: Any) -> bytes:
    """A message with its length. ASCII, so that halves of surrogate pairs pass, too."""
    body = json.dumps(value).encode()
    return len(body).to_bytes(LENGTH) + body


def read_message(source: BinaryIO) -> Any | None:
    """The next message; None at the end of the input."""
    head = source.read(LENGTH)
    if len(head) < LENGTH:
        return None
    return json.loads(source.read(int.from_bytes(head)))


def prediction_json(one: Prediction) -> dict[str, Any]:
    """A reply as it is sent: only what decides numbers."""
    return asdict(one) | {"reasoning": ""}


def prediction_of(found: Mapping[str, Any]) -> Prediction:
    """What `prediction_json` made."""
    return Prediction(**{**found, "key": PredictionKey(**found["key"])})
