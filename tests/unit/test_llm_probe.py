from __future__ import annotations

import pytest

from agent.llm.endpoint import Endpoint
from agent.llm.probe import Probed, read_models, read_props


@pytest.mark.parametrize(
    ("entry", "tokens"),
    [
        ({"id": "a", "max_model_len": 32768}, 32768),
        ({"id": "a", "meta": {"n_ctx": 4096, "n_ctx_train": 8192}}, 4096),
        ({"id": "a", "context_length": 131072}, 131072),
        ({"id": "a", "meta": None}, None),
        ({"id": "a", "max_model_len": 0}, None),
        ({"id": "a", "max_model_len": "big"}, None),
    ],
)
def test_every_server_s_way_to_tell_the_window_is_read(entry: dict[str, object], tokens: int | None):
    assert read_models({"data": [entry]}, "a") == Probed("a", tokens, models=("a",))


def test_the_wanted_model_is_looked_up():
    listed = {"data": [{"id": "a", "max_model_len": 1000}, {"id": "b", "max_model_len": 2000}]}
    assert read_models(listed, "b") == Probed("b", 2000, models=("a", "b"))


def test_without_a_wanted_model_the_first_one_counts():
    listed = {"data": [{"id": "a", "max_model_len": 1000}, {"id": "b", "max_model_len": 2000}]}
    assert read_models(listed, "") == Probed("a", 1000, models=("a", "b"))


@pytest.mark.parametrize("nonsense", [None, "<html>", [], {}, {"data": None}, {"data": [7]}, {"data": [{"id": 7}]}])
def test_nonsense_tells_nothing(nonsense: object):
    assert read_models(nonsense, "") == Probed()


def test_llama_cpp_s_props_tell_the_window_of_a_slot():
    assert read_props({"default_generation_settings": {"n_ctx": 4096}}) == 4096


@pytest.mark.parametrize("nonsense", [None, "x", {}, {"default_generation_settings": None}])
def test_nonsensical_props_tell_nothing(nonsense: object):
    assert read_props(nonsense) is None


@pytest.mark.parametrize(
    ("url", "host", "root"),
    [
        ("http://user:pw@models.example:8000/v1", "models.example:8000", "http://models.example:8000"),
        ("https://api.example/v1/", "api.example", "https://api.example"),
        ("http://[::1]:8080/v1", "[::1]:8080", "http://[::1]:8080"),
        ("http://models.example/api", "models.example", "http://models.example/api"),
    ],
)
def test_host_and_root_of_an_endpoint(url: str, host: str, root: str):
    endpoint = Endpoint(url)
    assert (endpoint.host, endpoint.root) == (host, root)
