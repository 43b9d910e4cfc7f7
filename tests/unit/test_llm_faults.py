from __future__ import annotations

import re
from typing import get_args

import pytest

from agent.language import Lang, Text
from agent.llm.chat import ModelError, ModelFault
from agent.llm.faults import FAULTS, say, sentence


def test_every_fault_has_a_sentence():
    assert set(FAULTS) == set(get_args(ModelFault))


@pytest.mark.parametrize("fault", get_args(ModelFault))
@pytest.mark.parametrize("host", ["", "models.example:8000"])
def test_a_sentence_is_complete_in_both_languages(fault: ModelFault, host: str):
    english, chinese = sentence(fault, "en", host), sentence(fault, "zh", host)
    assert english.endswith(".")
    assert chinese.endswith("。")
    assert "{" not in english + chinese
    # A host's name stands apart from Chinese characters, but not from their punctuation.
    assert not re.search(r"\s[：，。]", chinese)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_an_unreachable_endpoint_is_named(lang: Lang):
    assert "models.example:8000" in say(ModelError("unreachable", "refused", host="models.example:8000"), lang)


def test_an_error_s_own_sentence_wins():
    error = ModelError("not_started", "died", text=Text("It died.", "它停止了。"))
    assert (say(error, "en"), say(error, "zh")) == ("It died.", "它停止了。")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_detail_is_for_the_log_alone(lang: Lang):
    assert "secret detail" not in say(ModelError("rejected", "secret detail", host="h"), lang)
