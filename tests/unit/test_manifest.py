"""What is kept of a run so that its numbers can be had again."""

from __future__ import annotations

import json
import unicodedata

from evals.kagentbench.score import RULES_VERSION
from evals.manifest import manifest_of
from evals.runs import DataSet, RunSpec

SPEC = RunSpec(DataSet("mine", "official", "ab" * 32, 3247), "gpu", preset="qwen", seed=7)


def test_a_manifest_names_data_rules_unicode_model_sampling_and_that_there_is_no_profile() -> None:
    made = manifest_of(SPEC, model="qwen-7b", endpoint="0f1e", server="localhost:8000", context_tokens=8192)
    found = json.loads(json.dumps(made))
    assert found["data"]["sha256"] == SPEC.data.sha256
    assert found["model"] == {
        "asked_for": "gpu",
        "name": "qwen-7b",
        "server": "localhost:8000",
        "endpoint": "0f1e",
        "context_tokens": 8192,
    }
    sampling = {"temperature": 0.1, "top_p": 0.75, "top_k": 40, "max_tokens": 520, "seed": None}
    assert (found["asked"]["preset"], found["asked"]["seed"], found["asked"]["sampling"]) == ("qwen", 7, sampling)
    assert found["versions"]["unicode"] == unicodedata.unidata_version
    assert RULES_VERSION in found["versions"].values()
    assert found["profile"] is None
