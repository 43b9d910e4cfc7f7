"""Several endpoints in the settings, and the key that others are encrypted with."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.settings import Settings, SettingsError, load

SECRET = "sk-do-not-show-me-anywhere"

Loader = Callable[..., Settings]
#: As the sentences name the variable.
WHERE = "KAGENTBOT_MODELS__ENDPOINTS in the environment"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loader:
    """`load` with nothing but a settings file of this text and these variables."""
    monkeypatch.chdir(tmp_path)

    def find(text: str = "", **environ: str) -> Settings:
        (tmp_path / "kagentbot.toml").write_text(text, encoding="utf-8")
        return load(None, {"HOME": str(tmp_path), **environ})

    return find


def entry(**values: Any) -> dict[str, Any]:
    return {"name": "gpu", "base_url": "http://gpu:8000/v1", **values}


def mistake(find: Loader, *entries: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        find(KAGENTBOT_MODELS__ENDPOINTS=json.dumps(entries))
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


def test_endpoints_are_tables_in_the_file(settings: Loader) -> None:
    found = settings(
        f"""
        [[models.endpoints]]
        name = "gpu"
        base_url = "http://gpu:8000/v1"
        slots = 64

        [[models.endpoints]]
        name = "云端"
        base_url = "https://models.example/v1/"
        api_key = "{SECRET}"
        model = ""
        priority = 5
        chat_format = "chatml"
        """
    )
    first, second = found.models.endpoints
    assert (first.name, first.slots, first.priority, first.chat_format) == ("gpu", 64, None, "auto")
    assert (second.name, second.base_url, second.model) == ("云端", "https://models.example/v1", None)
    assert (second.priority, second.chat_format) == (5, "chatml")
    assert second.api_key is not None
    assert second.api_key.get_secret_value() == SECRET
    assert SECRET not in repr(found)
    assert found.files[0].holds_secrets


def test_endpoints_are_json_in_the_environment(settings: Loader) -> None:
    found = settings(KAGENTBOT_MODELS__ENDPOINTS=json.dumps([entry(reasoning="off", reasoning_tokens=100)]))
    (only,) = found.models.endpoints
    assert (only.name, only.reasoning, only.reasoning_tokens) == ("gpu", "off", 100)


def test_a_variable_for_openai_is_none_of_theirs(settings: Loader) -> None:
    found = settings(OPENAI_API_KEY=SECRET, KAGENTBOT_MODELS__ENDPOINTS=json.dumps([entry()]))
    assert found.models.endpoints[0].api_key is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            entry(priority="first"),
            f'`models.endpoints[gpu].priority` ({WHERE}) must be a whole number from -1000 to 1000, not "first".',
        ),
        (
            entry(slots=0),
            f"`models.endpoints[gpu].slots` ({WHERE}) must be a whole number from 1 to 1024, not 0.",
        ),
        (
            entry(chat_format="llama"),
            (
                f"`models.endpoints[gpu].chat_format` ({WHERE}) must be one of "
                '"auto", "server", "chatml", "baichuan2", "raw", not "llama".'
            ),
        ),
        (
            entry(base_url=f"ftp://{SECRET}@gpu"),
            (
                f"`models.endpoints[gpu].base_url` ({WHERE}) must be an address with its path, for example "
                '"http://localhost:8000/v1".'
            ),
        ),
        (
            entry(api_key=f"{SECRET} and more"),
            f"`models.endpoints[gpu].api_key` ({WHERE}) must be one word without spaces, as it was issued.",
        ),
        (
            {"name": "gpu"},
            (
                f"`models.endpoints[gpu].base_url` ({WHERE}) is missing: it must be an address with its path, "
                'for example "http://localhost:8000/v1".'
            ),
        ),
        (
            {"base_url": "http://gpu/v1"},
            (
                f"`models.endpoints[#1].name` ({WHERE}) is missing: it must be a name of its own of at most 40 "
                'letters, digits, "-", "_" and ".", other than "default" and "embedded".'
            ),
        ),
        (
            entry(name="default"),
            (
                f"`models.endpoints[default].name` ({WHERE}) must be a name of its own of at most 40 letters, "
                'digits, "-", "_" and ".", other than "default" and "embedded", not "default".'
            ),
        ),
        (
            entry(prioriti=1),
            f"There is no setting `models.endpoints[gpu].prioriti` (in {WHERE}): did you mean `priority`?",
        ),
        (
            "gpu",
            (
                f"`models.endpoints` ({WHERE}) must be a list of tables [[models.endpoints]], each with a `name` of "
                "its own and a `base_url`."
            ),
        ),
    ],
)
def test_a_mistake_in_one_is_one_sentence_with_its_name(settings: Loader, wrong: Any, said: str) -> None:
    assert mistake(settings, wrong) == said


def test_each_mistake_is_said(settings: Loader) -> None:
    said = mistake(settings, entry(slots=0), entry(name="a b", timeout="long")).splitlines()
    assert [line.split("`")[1] for line in said] == [
        "models.endpoints[gpu].slots",
        "models.endpoints[#2].timeout",
        "models.endpoints[#2].name",
    ]


def test_two_with_one_name_are_told_apart_by_nothing(settings: Loader) -> None:
    assert mistake(settings, entry(), entry(slots=2)) == (
        f"`models.endpoints` ({WHERE}) has two entries called “gpu”: give each one a name of its own."
    )


@pytest.mark.parametrize("text", ["[models.endpoints]\nname = 'gpu'\n", "[models]\nendpoints = 'gpu'\n"])
def test_what_is_no_list_of_tables_is_said(settings: Loader, text: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(text)
    assert str(caught.value) == (
        f"`models.endpoints` ({tmp_path}/kagentbot.toml) must be a list of tables [[models.endpoints]], each with a "
        "`name` of its own and a `base_url`."
    )


def test_broken_json_is_no_list_of_tables(settings: Loader) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(KAGENTBOT_MODELS__ENDPOINTS=f'[{{"api_key": "{SECRET}"')
    assert "must be a list of tables" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_several_secret_keys_are_told_apart_by_commas(settings: Loader) -> None:
    new, old = "n" * 24, "o" * 44
    assert settings(KAGENTBOT_SECRET_KEY=f"{new},{old}").secret_keys == (new, old)
    assert settings().secret_keys == ()


def test_a_secret_key_that_can_be_guessed_is_refused(settings: Loader) -> None:
    for value in ("hunter2hunter2", f"{'n' * 24},", f"{'n' * 24}, {'o' * 24}"):
        with pytest.raises(SettingsError) as caught:
            settings(KAGENTBOT_SECRET_KEY=value)
        assert "at least 24 characters" in str(caught.value)
        assert value not in str(caught.value)
