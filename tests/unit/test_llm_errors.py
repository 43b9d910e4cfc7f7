from __future__ import annotations

import pytest

from agent.llm.chat import ModelFault
from agent.llm.endpoint import Endpoint
from agent.llm.errors import DETAIL_LENGTH, fault, of_status, window

ENDPOINT = Endpoint("http://user:hunter2@models.example:8000/v1", api_key="topsecretkey")

VLLM = "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens."
LLAMA_CPP = "request (6031 tokens) exceeds the available context size (4096 tokens), try increasing it"


class Refusal(Exception):
    """Like the package's status errors: carries the error body."""

    def __init__(self, body: object) -> None:
        self.body = body


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, {"message": "no"}, "unauthorized"),
        (403, None, "unauthorized"),
        (429, {"message": "slow down"}, "overloaded"),
        (500, "oops", "unreachable"),
        (502, "<html>Bad gateway</html>", "unreachable"),
        (503, {"message": "Loading model"}, "unreachable"),
        (408, None, "unreachable"),
        (404, {"message": "no such model"}, "rejected"),
        (422, {"detail": [{"msg": "bad"}]}, "rejected"),
        (400, {"message": "temperature is too high"}, "rejected"),
        (301, None, "garbage"),
        (413, None, "context_overflow"),
        (400, {"message": VLLM, "type": "BadRequestError", "code": 400}, "context_overflow"),
        (400, {"message": LLAMA_CPP, "type": "exceed_context_size_error", "code": 400}, "context_overflow"),
        (400, {"message": "too long", "code": "context_length_exceeded"}, "context_overflow"),
        (400, {"message": "The decoder prompt is longer than the maximum model length of 4096."}, "context_overflow"),
        (500, {"message": "the request exceeds the available context size"}, "context_overflow"),
    ],
)
def test_every_status_is_one_fault(status: int, body: object, expected: ModelFault):
    error = of_status(status, body, ENDPOINT)
    assert error.fault == expected
    assert str(status) in error.detail


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        ({"message": VLLM}, 4096),
        ({"message": LLAMA_CPP}, 4096),
        ({"message": "too long", "n_ctx": 2048}, 2048),
        ({"message": "too long"}, None),
    ],
)
def test_a_refusal_teaches_the_window(body: object, tokens: int | None):
    assert window(Refusal(body)) == tokens


@pytest.mark.parametrize(
    "said",
    [
        "Incorrect API key provided: topsecretkey",
        "Incorrect API key provided: sk-proj-0123456789abcdef",
        "cannot connect to http://user:hunter2@models.example",
        "Authorization: Bearer eyJhbGciOi",
    ],
)
def test_no_secret_is_in_the_detail(said: str):
    detail = fault("unauthorized", said, ENDPOINT).detail
    assert not any(secret in detail for secret in ("topsecret", "0123456789", "hunter2", "eyJ"))


def test_the_detail_is_one_short_line():
    detail = fault("rejected", "a\nb\x1b[31m" + "c" * 1000, ENDPOINT).detail
    assert detail.isprintable()
    assert len(detail) == DETAIL_LENGTH


def test_the_host_is_named_without_credentials():
    assert fault("unreachable", "", ENDPOINT).host == "models.example:8000"


def test_an_endpoint_shows_no_secret():
    shown = repr(ENDPOINT)
    assert "hunter2" not in shown
    assert "topsecretkey" not in shown
