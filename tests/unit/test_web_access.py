"""Parts of the door: guesses, languages, the stored token."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request

from agent.language import Text
from bot.web.access import ATTEMPTS_IN_TOTAL, ATTEMPTS_PER_ADDRESS, Attempts, new_token, stored_token
from bot.web.errors import WebError, asked_language, error_response


class Seconds:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_an_address_that_guessed_too_often_is_blocked_for_a_minute() -> None:
    clock = Seconds()
    attempts = Attempts(clock)
    for _ in range(ATTEMPTS_PER_ADDRESS):
        assert not attempts.blocked("a")
        attempts.failed("a")
    assert attempts.blocked("a")
    assert not attempts.blocked("b")
    clock.at = 59.0
    assert attempts.blocked("a")
    clock.at = 60.0
    assert not attempts.blocked("a")


def test_guesses_from_many_addresses_block_everybody() -> None:
    attempts = Attempts(Seconds())
    for number in range(ATTEMPTS_IN_TOTAL):
        attempts.failed(f"address {number}")
    assert attempts.blocked("another")


def test_old_guesses_are_forgotten() -> None:
    clock = Seconds()
    attempts = Attempts(clock)
    for number in range(ATTEMPTS_IN_TOTAL - 1):
        attempts.failed(f"address {number}")
    clock.at = 61.0
    attempts.failed("one")
    assert not attempts.blocked("another")
    assert len(attempts._by_address) == 1


@pytest.mark.parametrize(
    ("header", "lang"),
    [
        ("", "en"),
        ("zh", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("zh-Hant-TW", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.5", "en"),
        ("en;q=0.3,zh;q=0.7", "zh"),
        ("fr,zh;q=0.1", "zh"),
        ("fr", "en"),
        ("zh;q=0", "en"),
        ("zh;q=x, en", "en"),
        ("*", "en"),
        (";;;,,,=", "en"),
    ],
)
def test_the_language_is_the_one_that_is_asked_for(header: str, lang: str) -> None:
    request = make_mocked_request("GET", "/", headers={"Accept-Language": header})
    assert asked_language(request) == lang


def test_an_error_is_one_sentence_in_the_asked_language() -> None:
    request = make_mocked_request("GET", "/", headers={"Accept-Language": "zh"})
    response = error_response(request, WebError(400, "code", Text("No {what}.", "没有{what}。"), what="<b>"))
    assert response.status == 400
    assert response.text == '{"error": {"code": "code", "message": "没有<b>。"}}'
    assert response.content_type == "application/json"


def test_the_token_is_made_once_and_for_this_user_only(tmp_path: Path) -> None:
    path = tmp_path / "data" / "token"
    token = stored_token(path)
    assert stored_token(path) == token
    assert len(token) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["token"]


def test_an_empty_token_file_gets_a_token(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.touch()
    assert len(stored_token(path)) >= 32


def test_tokens_differ() -> None:
    assert new_token() != new_token()
