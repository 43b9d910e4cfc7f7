"""An endpoint that is entered while the server runs, from beginning to end."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.llm import FakeLLM
from tests.support.process import serving

SECRET = "sk-entered-on-the-page"


async def test_it_takes_over_from_the_demo_model_survives_a_restart_and_gives_back(tmp_path: Path) -> None:
    async with FakeLLM(api_key=SECRET) as llm, serving(tmp_path) as bot:
        async with bot.client() as client:
            assert (await client.call("GET", "/api/v1/info"))["model"]["demo"]
            draft = {"base_url": llm.base_url, "api_key": SECRET}
            report = await client.call("POST", "/api/v1/endpoints/test", {"name": "gpu", **draft})
            assert report["ok"], report
            await client.call("PUT", "/api/v1/endpoints/gpu", draft)
            model = (await client.call("GET", "/api/v1/info"))["model"]
            assert (model["name"], model["demo"], model["state"]) == ("fake-model", False, "ok")
            sent = await client.send("[m:1] Hello")
            assert "[m:1]" in (await client.finished(sent["turn_id"]))["text"]

        assert await bot.stop() == 0
        await bot.start()
        assert any("Model: " in line and "demo" not in line for line in bot.lines)
        async with bot.client() as client:
            sent = await client.send("[m:2] Hello again")
            assert "[m:2]" in (await client.finished(sent["turn_id"]))["text"]
            await client.call("DELETE", "/api/v1/endpoints/gpu")
            assert (await client.call("GET", "/api/v1/info"))["model"]["demo"]

        assert (bot.data / "secret-key").stat().st_mode & 0o777 == 0o600
        kept = b"".join(file.read_bytes() for file in bot.data.iterdir() if file.is_file())
        assert SECRET.encode() not in kept
        assert SECRET not in "\n".join(bot.lines) + bot.log
