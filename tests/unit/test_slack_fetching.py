"""Where the bot's token goes."""

from __future__ import annotations

import pytest

from adapters.slack.asking.fetching import Files, _split
from bot.posting import Refused

REAL = Files("https://slack.com/api")
FAKE = Files("http://127.0.0.1:4900/api/")


@pytest.mark.parametrize(
    "address",
    [
        "https://files.slack.com/files-pri/T1-F1/download/a.txt",
        "https://FILES.slack.com/files-pri/T1-F1/download/a.txt",
        "https://one.enterprise.slack.com/files/a.txt",
        "https://slack-files.com/T1-F1-abc",
    ],
)
def test_the_token_goes_to_slack_s_file_hosts(address: str) -> None:
    assert REAL._is_slacks(_split(address))


@pytest.mark.parametrize(
    "address",
    [
        "http://files.slack.com/files-pri/T1-F1/download/a.txt",
        "https://files.slack.com.evil.example/a.txt",
        "https://evilslack.com/a.txt",
        "https://evilslack-files.com/a.txt",
        "https://files.slack.com:8443/a.txt",
        "https://files.slack.com@evil.example/a.txt",
        "https://evil.example/files.slack.com",
        "https://127.0.0.1/a.txt",
        "http://127.0.0.1:4900/a.txt",
    ],
)
def test_the_token_goes_nowhere_else(address: str) -> None:
    assert not REAL._is_slacks(_split(address))


def test_in_tests_the_token_goes_to_the_fake_alone() -> None:
    assert FAKE._is_slacks(_split("http://127.0.0.1:4900/files/a.txt"))
    assert not FAKE._is_slacks(_split("http://127.0.0.1:4901/files/a.txt"))
    assert not FAKE._is_slacks(_split("https://files.slack.com/a.txt"))


@pytest.mark.parametrize(
    "address", ["", "a.txt", "file:///etc/passwd", "ftp://files.slack.com/a", "http://[", "http://"]
)
def test_what_is_no_address_of_the_web_is_refused(address: str) -> None:
    with pytest.raises(Refused, match="invalid_address"):
        _split(address)
