from __future__ import annotations

from pathlib import Path

import pytest

from agent.llm import gguf
from agent.llm.chat import ModelError


def test_the_bundled_model_is_found_without_importing_its_package():
    assert gguf.find(None).read_bytes()[:4] == b"GGUF"


def test_a_missing_package_is_one_sentence_that_names_both_settings(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gguf, "_PACKAGE", "a_package_that_is_not_there")
    with pytest.raises(ModelError) as caught:
        gguf.bundled()
    assert caught.value.text is not None
    for sentence in caught.value.text:
        assert "models.endpoint.base_url" in sentence
        assert "models.embedded.gguf" in sentence


def test_a_path_that_leads_nowhere_is_one_sentence_that_names_the_setting(tmp_path: Path):
    with pytest.raises(ModelError) as caught:
        gguf.check(tmp_path / "absent.gguf")
    assert caught.value.text is not None
    for sentence in caught.value.text:
        assert "models.embedded.gguf" in sentence
        assert "absent.gguf" in sentence


@pytest.mark.parametrize("content", [b"", b"hello, I am text"])
def test_a_file_that_is_not_gguf_is_one_sentence_that_names_the_setting(tmp_path: Path, content: bytes):
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        gguf.check(path)
    assert caught.value.text is not None
    assert all("models.embedded.gguf" in sentence and "notes.txt" in sentence for sentence in caught.value.text)
