"""What is kept encrypted: with which key, with several while they are changed, and what is said about a wrong one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.secrets import FILE_NAME, Secrets, SecretsError

OLD, NEW = "o" * 40, "n" * 40
PLAIN = '{"api_key": "sk-secret", "名": "值"}'


def test_what_is_sealed_can_be_read_again_and_shows_nothing(tmp_path: Path) -> None:
    sealed = Secrets([OLD], tmp_path).seal(PLAIN)
    assert "secret" not in sealed
    assert Secrets([OLD], tmp_path).unseal(sealed) == PLAIN


def test_with_a_key_in_the_settings_no_file_is_made(tmp_path: Path) -> None:
    Secrets([OLD], tmp_path).seal(PLAIN)
    assert list(tmp_path.iterdir()) == []


def test_without_one_a_file_is_made_when_it_is_needed_for_this_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    sealed = Secrets([], folder).seal(PLAIN)
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]
    assert (folder / FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert Secrets([], folder).unseal(sealed) == PLAIN


def test_processes_that_begin_together_use_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        sealed = list(threads.map(lambda n: Secrets([], tmp_path).seal(str(n)), range(16)))
    assert [Secrets([], tmp_path).unseal(one) for one in sealed] == [str(n) for n in range(16)]


def test_after_a_change_the_old_key_still_reads_and_the_new_one_writes(tmp_path: Path) -> None:
    before = Secrets([OLD], tmp_path).seal(PLAIN)
    both = Secrets([NEW, OLD], tmp_path)
    assert both.unseal(before) == PLAIN
    assert not both.is_current(before)
    after = both.seal(PLAIN)
    assert both.is_current(after)
    assert Secrets([NEW], tmp_path).unseal(after) == PLAIN


def test_a_key_file_may_hold_several_keys_for_a_change(tmp_path: Path) -> None:
    sealed = Secrets([], tmp_path).seal(PLAIN)
    file = tmp_path / FILE_NAME
    file.write_text(f"{NEW}\n{file.read_text()}")
    assert Secrets([], tmp_path).unseal(sealed) == PLAIN
    assert not Secrets([], tmp_path).is_current(sealed)


@pytest.mark.parametrize("keys", [[NEW], []])
def test_a_wrong_key_is_one_sentence_that_says_what_to_do(keys: list[str], tmp_path: Path) -> None:
    sealed = Secrets([OLD], tmp_path).seal(PLAIN)
    with pytest.raises(SecretsError) as caught:
        Secrets(keys, tmp_path).unseal(sealed)
    for said in (caught.value.text.en, caught.value.text.zh):
        assert "KAGENTBOT_SECRET_KEY" in said
        assert FILE_NAME in said
    # Reading never makes a key: it would only look as if there were one.
    assert not (tmp_path / FILE_NAME).exists()


@pytest.mark.parametrize("sealed", ["", "nonsense", "gAAAAA==", "é"])
def test_what_was_never_sealed_is_no_crash(sealed: str, tmp_path: Path) -> None:
    with pytest.raises(SecretsError):
        Secrets([OLD], tmp_path).unseal(sealed)


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(SecretsError) as caught:
        Secrets([], tmp_path).seal(PLAIN)
    assert str(tmp_path / FILE_NAME) in caught.value.text.en
