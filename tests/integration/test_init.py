"""`kagentbot init`: what it asks, what it tries, what it writes, and what it leaves alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.settings import Settings, load
from tests.fakes.llm import FakeLLM

SECRET = "sk-do-not-show-me"

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`kagentbot init` with these arguments in an empty folder; `typed` is what somebody types, line by line."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    async def call(*arguments: str, typed: tuple[str, ...] = ()) -> Result:
        text = "".join(f"{line}\n" for line in typed)
        return await asyncio.to_thread(CliRunner().invoke, main, ["init", *arguments], input=text)

    return call


def written(folder: Path) -> Settings:
    """The settings as the server will read them."""
    return load(environ={"HOME": str(folder)})


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode(file: Path) -> int:
    return file.stat().st_mode & 0o777


async def test_enter_three_times_sets_up_the_demo_model(run: Run, tmp_path: Path) -> None:
    done = await run(typed=("", "", ""))
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.output.endswith("Next: kagentbot serve\n")
    assert names_in(tmp_path) == [".env", "kagentbot.toml"]
    found = written(tmp_path)
    assert (found.models.endpoint.base_url, found.profile.agent_name, found.language) == (None, "kagentbot", "auto")


async def test_an_endpoint_is_asked_for_with_its_key_and_tried(run: Run, tmp_path: Path) -> None:
    async with FakeLLM(model="my-model", api_key=SECRET, kind="vllm", context=8192) as llm:
        done = await run(typed=(llm.base_url, SECRET, "zh", "Ada"))
        assert done.exit_code == 0, done.output
    assert f"Trying 127.0.0.1:{llm.port} …" in done.output
    assert "  ok       The window has 8192 tokens." in done.output
    found = written(tmp_path)
    assert found.models.endpoint.base_url == llm.base_url
    assert found.models.endpoint.api_key is not None
    assert found.models.endpoint.api_key.get_secret_value() == SECRET
    assert (found.language, found.profile.lang, found.profile.agent_name) == ("zh", "zh", "Ada")


async def test_the_key_stands_in_dotenv_alone_and_only_its_owner_may_read_it(run: Run, tmp_path: Path) -> None:
    async with FakeLLM(api_key=SECRET) as llm:
        done = await run(typed=(llm.base_url, SECRET, "", ""))
    assert SECRET not in done.output
    assert SECRET not in (tmp_path / "kagentbot.toml").read_text()
    assert SECRET in (tmp_path / ".env").read_text()
    assert mode(tmp_path / ".env") == 0o600


async def test_a_password_in_the_address_stands_in_dotenv_too(run: Run, tmp_path: Path) -> None:
    url = f"http://me:{SECRET}@127.0.0.1:9/v1"
    done = await run("--no-test", "--yes", "--endpoint", url)
    assert done.exit_code == 0, done.output
    assert SECRET not in done.output + (tmp_path / "kagentbot.toml").read_text()
    assert written(tmp_path).models.endpoint.base_url == url


async def test_of_several_models_one_is_chosen(run: Run, tmp_path: Path) -> None:
    async with FakeLLM(model="one") as llm:
        await run("--model", "two", typed=(llm.base_url, "", "", ""))
    assert written(tmp_path).models.endpoint.model == "two"


async def test_an_endpoint_that_is_away_is_asked_for_again(run: Run, tmp_path: Path) -> None:
    async with FakeLLM(model="my-model") as llm:
        typed = ("http://127.0.0.1:9/v1", "", "n", llm.base_url, "", "", "")
        done = await run(typed=typed)
    assert "error    127.0.0.1:9 can't be reached" in done.output
    assert written(tmp_path).models.endpoint.base_url == llm.base_url


async def test_what_is_no_address_is_asked_for_again(run: Run, tmp_path: Path) -> None:
    done = await run("--no-test", typed=("localhost:8000", "http://localhost:8000/v1", "", "", "", ""))
    assert "The address must begin with http://" in done.output
    assert written(tmp_path).models.endpoint.base_url == "http://localhost:8000/v1"


async def test_it_asks_in_chinese_where_the_machine_speaks_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    done = await run(typed=("", "", ""))
    assert "智能体的名字 [kagentbot]" in done.output
    assert done.output.endswith("下一步：kagentbot serve\n")
    assert written(tmp_path).profile.agent_name == "kagentbot"


async def test_with_yes_nothing_is_asked(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key.txt").write_text(f"{SECRET}\n")
    async with FakeLLM(model="m", api_key=SECRET) as llm:
        arguments = ("--endpoint", llm.base_url, "--key-file", "key.txt", "--model", "m", "--name", "Ada")
        done = await run("--yes", "--folder", "new", *arguments, "--language", "en")
    assert done.exit_code == 0, done.output
    assert done.output.endswith("Next: kagentbot --config new/kagentbot.toml serve\n")
    monkeypatch.chdir(tmp_path / "new")
    found = written(tmp_path)
    assert (found.models.endpoint.model, found.profile.agent_name, found.language) == ("m", "Ada", "en")


async def test_with_yes_an_endpoint_that_is_not_well_stops_it(run: Run, tmp_path: Path) -> None:
    done = await run("--yes", "--endpoint", "http://127.0.0.1:9/v1")
    assert done.exit_code == 1
    assert done.stderr.startswith("The endpoint is not well, and nothing was written")
    assert names_in(tmp_path) == []


async def test_a_file_that_exists_is_not_replaced_without_a_yes(run: Run, tmp_path: Path) -> None:
    (tmp_path / "kagentbot.toml").write_text("log_level = 'debug'\n")
    asked = await run(typed=("", "", "", "n"))
    assert (asked.exit_code, asked.stderr) == (1, "Nothing was written.\n")
    # Said at once, before a server is bothered.
    refused = await run("--yes", "--endpoint", "http://127.0.0.1:9/v1")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "use --force to replace it" in refused.stderr
    assert names_in(tmp_path) == ["kagentbot.toml"]
    assert (tmp_path / "kagentbot.toml").read_text() == "log_level = 'debug'\n"


async def test_what_is_replaced_is_kept_beside_it(run: Run, tmp_path: Path) -> None:
    (tmp_path / "kagentbot.toml").write_text("log_level = 'debug'\n")
    (tmp_path / ".env").write_text(f"OPENAI_API_KEY={SECRET}\n")
    (tmp_path / ".env").chmod(0o644)
    for _ in range(2):
        assert (await run("--yes", "--force")).exit_code == 0
    assert names_in(tmp_path) == [
        ".env", ".env.bak", ".env.bak2", "kagentbot.toml", "kagentbot.toml.bak", "kagentbot.toml.bak2",
    ]  # fmt: skip
    assert (tmp_path / "kagentbot.toml.bak").read_text() == "log_level = 'debug'\n"
    assert SECRET in (tmp_path / ".env.bak").read_text()
    assert mode(tmp_path / ".env.bak") == 0o600


async def test_other_lines_of_dotenv_stay(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# mine\nWEATHER_API_KEY=w\nOPENAI_API_KEY=old\n")
    (tmp_path / "key.txt").write_text("it's-#new")
    done = await run("--yes", "--force", "--no-test", "--endpoint", "http://127.0.0.1:9/v1", "--key-file", "key.txt")
    assert done.exit_code == 0, done.output
    assert (tmp_path / ".env").read_text() == "# mine\nWEATHER_API_KEY=w\nOPENAI_API_KEY='it\\'s-#new'\n"
    found = written(tmp_path)
    assert found.models.endpoint.api_key is not None
    assert found.models.endpoint.api_key.get_secret_value() == "it's-#new"


async def test_ctrl_d_in_the_middle_writes_nothing(run: Run, tmp_path: Path) -> None:
    done = await run(typed=("",))
    assert (done.exit_code, done.stderr) == (1, "Nothing was written.\n")
    assert names_in(tmp_path) == []


async def test_a_folder_below_a_file_is_a_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = await run("--yes", "--folder", "file/folder")
    assert done.exit_code == 1
    assert done.stderr == "file/folder/.env can't be written (Not a directory).\n"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--endpoint", "localhost"), "The address must begin with"),
        (("--key-file", "none.txt"), "The key can't be read from none.txt (No such file or directory)."),
        (("--name", ""), "A name has 1 to 80 characters."),
    ],
)
async def test_a_wrong_option_is_one_sentence(run: Run, tmp_path: Path, arguments: tuple[str, ...], named: str) -> None:
    done = await run("--yes", *arguments)
    assert done.exit_code == 2
    assert named in done.stderr
    assert done.stderr.count("\n") == 1
    assert names_in(tmp_path) == []


async def test_a_model_whose_name_a_terminal_would_obey_is_not_offered(run: Run, tmp_path: Path) -> None:
    async with FakeLLM(model="m\x1b]0;title\x07\u202e") as llm:
        done = await run("--endpoint", llm.base_url, "--language", "en", "--name", "Ada", typed=("", "mine"))
    assert (done.exit_code, "\x1b" in done.output, "\u202e" in done.output) == (0, False, False)
    assert written(tmp_path).models.endpoint.model == "mine"


async def test_the_next_command_can_be_copied_whatever_the_folder_is_called(run: Run) -> None:
    done = await run("--yes", "--folder", "my $bot")
    assert done.output.endswith("Next: kagentbot --config 'my $bot/kagentbot.toml' serve\n")


@pytest.mark.parametrize("option", ["--model", "--name", "--endpoint"])
@pytest.mark.parametrize("given", ["a\x7fb", "a\udcffb", "a\nb"])
async def test_what_no_file_of_settings_can_hold_is_refused(run: Run, tmp_path: Path, option: str, given: str) -> None:
    value = f"http://127.0.0.1:9/{given}" if option == "--endpoint" else given
    done = await run("--yes", "--no-test", "--endpoint", "http://127.0.0.1:9/v1", option, value)
    assert (done.exit_code, len(done.stderr.splitlines()), names_in(tmp_path)) == (2, 1, [])
