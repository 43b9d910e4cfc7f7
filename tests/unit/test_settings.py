"""Settings: where they come from, which wins, what is said about mistakes, and that secrets stay secret."""

from __future__ import annotations

import subprocess
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import pytest

from agent.profile import Profile
from agent.styles.registry import STYLES
from bot.settings import Settings, SettingsError, load, machine
from bot.settings.models import OPENAI_URL, ListedEndpoint
from bot.settings.sources import describe
from bot.store.db import sqlite_path
from scripts import settings_reference

SECRET = "sk-do-not-show-me-anywhere"
LEAVES = {leaf.name: leaf for leaf in describe(Settings)}

Loader = Callable[..., Settings]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, with an empty current folder in it."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


@pytest.fixture
def settings(home: Path) -> Loader:
    """`load` with nothing in the environment but a home and what is given."""

    def find(config: Path | None = None, **environ: str) -> Settings:
        return load(config, {"HOME": str(home), **environ})

    return find


@pytest.fixture
def toml(home: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        file = home / "here" / "kagentbot.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return write


def mistake(find: Loader, **environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        find(**environ)
    return str(caught.value)


# --- Defaults


def test_with_no_settings_at_all_it_has_all_it_needs(settings: Loader, home: Path) -> None:
    found = settings()
    assert found.data_dir == home / ".local/share/kagentbot"
    assert sqlite_path(found.database_url) == home / ".local/share/kagentbot/kagentbot.db"
    assert machine.is_zone(found.timezone)
    assert (found.server.host, found.server.port, found.server.token, found.server.hosts) == (
        "127.0.0.1",
        8765,
        None,
        (),
    )
    assert found.models.endpoint.base_url is None
    assert (found.limits.message_chars, found.limits.turns, found.limits.grace) == (100_000, 64, 8.0)
    assert found.files == ()
    assert found.unused() == []


def test_the_default_profile_is_the_agents_own(settings: Loader) -> None:
    assert settings().profile.build() == Profile()


def test_profile_settings_reach_the_profile(settings: Loader) -> None:
    profile = settings(
        KAGENTBOT_PROFILE__AGENT_NAME="Ada",
        KAGENTBOT_PROFILE__TOOL_NAMES="time_delta, get_calendar_info",
        KAGENTBOT_PROFILE__OVERLAP="merge",
    ).profile.build()
    expected = {
        **asdict(Profile()),
        "agent_name": "Ada",
        "tool_names": ("time_delta", "get_calendar_info"),
        "overlap": "merge",
    }
    assert asdict(profile) == expected


def test_every_field_of_a_profile_is_a_setting() -> None:
    assert {leaf.path[1] for leaf in LEAVES.values() if leaf.path[0] == "profile"} == set(asdict(Profile()))


def test_the_styles_to_choose_from_are_those_that_exist() -> None:
    assert set(get_args(LEAVES["profile.style"].field.annotation)) == {"auto", *STYLES}


@pytest.mark.parametrize(
    "icon",
    [
        "🤖",
        "❤️",
        "👨‍👩‍👧‍👦",
        "👍🏽",
        "1️⃣",
        "🇩🇪",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "ℹ️",
        "☃",
        "https://a.example/b.png",
    ],
)
def test_an_icon_is_an_emoji_or_the_address_of_a_picture(settings: Loader, icon: str) -> None:
    assert settings(KAGENTBOT_PROFILE__ICON=icon).profile.icon == icon


@pytest.mark.parametrize(
    "icon",
    [
        "robot",
        "1",
        "12",
        "+",
        "<b>",
        "é",
        "🤖 🤖",
        "\u202e",
        "\u200d",
        "🤖" * 17,
        "http://a.example/b.png",
        "https://",
        "https://me:secret@a.example/b.png",
        "https://a.example/b c",
        "javascript:1",
    ],
)
def test_anything_else_is_no_icon(settings: Loader, icon: str) -> None:
    with pytest.raises(SettingsError, match=r"profile\.icon.* must be an emoji"):
        settings(KAGENTBOT_PROFILE__ICON=icon)


def test_the_data_folder_follows_the_xdg_variable(settings: Loader) -> None:
    assert settings(XDG_DATA_HOME="/srv/data").data_dir == Path("/srv/data/kagentbot")


def test_a_relative_xdg_variable_is_ignored(settings: Loader, home: Path) -> None:
    assert settings(XDG_DATA_HOME="data").data_dir == home / ".local/share/kagentbot"


def test_on_a_mac_the_data_folder_is_where_macs_keep_it() -> None:
    folder = machine.data_folder({"HOME": "/Users/ada"}, platform="darwin")
    assert folder == Path("/Users/ada", "Library/Application Support/kagentbot")


def test_the_database_follows_the_data_folder(settings: Loader, home: Path) -> None:
    strange = home / "50% of? my #data"
    found = settings(KAGENTBOT_DATA_DIR=str(strange))
    assert sqlite_path(found.database_url) == strange / "kagentbot.db"
    assert found.shown_database() == str(strange / "kagentbot.db")


def test_the_zone_is_the_machines_own(tmp_path: Path) -> None:
    (tmp_path / "zoneinfo/Asia").mkdir(parents=True)
    (tmp_path / "zoneinfo/Asia/Shanghai").touch()
    (tmp_path / "localtime").symlink_to(tmp_path / "zoneinfo/Asia/Shanghai")
    assert machine.zone({}, tmp_path) == "Asia/Shanghai"


def test_the_zone_is_found_where_localtime_is_a_copy(tmp_path: Path) -> None:
    (tmp_path / "localtime").write_bytes(b"TZif2")
    (tmp_path / "timezone").write_text("Europe/Berlin\n")
    assert machine.zone({}, tmp_path) == "Europe/Berlin"


def test_the_variable_tz_goes_before_the_machines_zone(tmp_path: Path) -> None:
    (tmp_path / "timezone").write_text("Europe/Berlin\n")
    assert machine.zone({"TZ": ":America/New_York"}, tmp_path) == "America/New_York"


def test_a_machine_that_tells_no_zone_is_in_utc(tmp_path: Path) -> None:
    assert machine.zone({"TZ": "nonsense"}, tmp_path) == "UTC"


# --- Sources


def test_every_setting_can_be_set_by_every_one_of_its_variables(settings: Loader, home: Path) -> None:
    (home / "other").touch()
    values = {
        "data_dir": str(home / "other"),
        "database_url": "postgresql://u:p@db/name",
        "timezone": "Asia/Tokyo",
        "server.host": "0.0.0.0",
        "server.token": "a-long-token",
        "server.hosts": "a.example,b.example",
        "models.endpoint.base_url": "http://models.example/v1",
        "models.endpoint.temperature": "0.5",
        "models.endpoints": '[{"name": "cpu", "base_url": "http://models.example/v1"}]',
        "secret_key": "a-key-of-at-least-24-characters",
        "models.embedded.gguf": str(home / "other"),
        "limits.grace": "2.5",
        "profile.icon": "🤖",
        "slack.workspaces": "T1,E2",
        "access.operators": "slack:U1,slack:T1:U2",
        "access.benchmark": "slack:U1,slack:T1:U2",
        "access.allow_users": "slack:U1",
        "access.deny_users": "slack:U1",
        "access.allow_channels": "slack:C1",
        "access.deny_channels": "slack:T1:C1",
        "slack.public_url": "https://bot.example.com",
        "slack.api_url": "http://127.0.0.1:1/api",
        "discord.servers": "112233,445566",
        "discord.persona": "true",
        "discord.api_url": "http://127.0.0.1:1/api",
        "discord.gateway_url": "ws://127.0.0.1:1",
    }
    small = {"profile.max_iter_num": "33", "slack.sockets": "3"}
    for name, leaf in LEAVES.items():
        choices = get_args(leaf.field.annotation)
        kind = leaf.field.annotation
        numeric = kind is int or any(int in (part, *get_args(part)) for part in choices)
        value = values.get(name) or ("777" if leaf.secret or not choices else str(choices[-1]))
        if numeric:
            value = small.get(name, "777")
        for variable in leaf.variables:
            found: Any = settings(**{variable: value})
            plain: Any = settings()
            for part in leaf.path:
                found, plain = getattr(found, part), getattr(plain, part)
            assert found != plain, variable


def test_the_environment_goes_before_dotenv_and_dotenv_before_toml(
    settings: Loader, toml: Callable[[str], Path], home: Path
) -> None:
    toml("log_level = 'error'\n[server]\nport = 1001\nhost = '127.0.0.9'\n")
    (home / "here/.env").write_text("PORT=1002\nKAGENTBOT_LOG_LEVEL=warning\n")
    found = settings(PORT="1003")
    assert (found.server.port, found.log_level, found.server.host) == (1003, "warning", "127.0.0.9")


def test_our_own_variable_goes_before_the_usual_one(settings: Loader) -> None:
    assert settings(PORT="1001", KAGENTBOT_SERVER__PORT="1002").server.port == 1002


def test_an_empty_value_is_none(settings: Loader, toml: Callable[[str], Path]) -> None:
    toml("[models.endpoint]\napi_key = ''\nmodel = 'm'\n")
    found = settings(OPENAI_BASE_URL="", OPENAI_MODEL="", PORT="")
    assert found.models.endpoint.base_url is None
    assert found.models.endpoint.model == "m"
    assert found.server.port == 8765


def test_the_file_named_by_option_goes_before_the_one_named_by_variable(settings: Loader, home: Path) -> None:
    for name, port in (("option", 1001), ("variable", 1002), ("kagentbot", 1003)):
        (home / "here" / f"{name}.toml").write_text(f"[server]\nport = {port}\n")
    variable = str(home / "here/variable.toml")
    assert settings(Path("option.toml"), KAGENTBOT_CONFIG=variable).server.port == 1001
    assert settings(KAGENTBOT_CONFIG=variable).server.port == 1002
    assert settings().server.port == 1003


def test_the_users_configuration_folder_is_looked_into_last(settings: Loader, home: Path) -> None:
    folder = home / ".config/kagentbot"
    folder.mkdir(parents=True)
    (folder / "kagentbot.toml").write_text("log_level = 'debug'\n")
    (folder / ".env").write_text("OPENAI_MODEL=from-dotenv\n")
    found = settings()
    assert (found.log_level, found.models.endpoint.model) == ("debug", "from-dotenv")
    assert [file.path for file in found.files] == [folder / "kagentbot.toml", folder / ".env"]


def test_dotenv_is_read_in_the_current_folder_when_there_is_no_other_file(settings: Loader, home: Path) -> None:
    (home / "here/.env").write_text("# models\nexport OPENAI_MODEL='a b'  # quoted\nEDITOR=vi\nPASSWORD=${HOME}\n")
    assert settings().models.endpoint.model == "a b"


def test_nothing_is_expanded_in_dotenv(settings: Loader, home: Path) -> None:
    (home / "here/.env").write_text('OPENAI_API_KEY="pa${HOME}ss$1"\n')
    key = settings().models.endpoint.api_key
    assert key is not None
    assert key.get_secret_value() == "pa${HOME}ss$1"


@pytest.mark.parametrize("variable", ["OPENAI_API_KEY_FILE", "KAGENTBOT_MODELS__ENDPOINT__API_KEY_FILE"])
def test_a_value_can_come_from_a_file(settings: Loader, home: Path, variable: str) -> None:
    (home / "key").write_text(f"{SECRET}\n")
    key = settings(**{variable: str(home / "key")}).models.endpoint.api_key
    assert key is not None
    assert key.get_secret_value() == SECRET


def test_relative_paths_begin_at_the_file_that_holds_them(settings: Loader, home: Path) -> None:
    (home / "conf").mkdir()
    (home / "conf/my.toml").write_text("data_dir = 'data'\n[models.embedded]\ngguf = 'm.gguf'\n")
    (home / "conf/.env").write_text("OPENAI_API_KEY_FILE=key\nDATABASE_URL=sqlite:///my.db\n")
    (home / "conf/key").write_text("k")
    found = settings(home / "conf/my.toml")
    assert found.data_dir == home / "conf/data"
    assert found.models.embedded.gguf == home / "conf/m.gguf"
    assert sqlite_path(found.database_url) == home / "conf/my.db"


def test_relative_paths_in_the_environment_begin_in_the_current_folder(settings: Loader, home: Path) -> None:
    found = settings(KAGENTBOT_DATA_DIR="data", DATABASE_URL="sqlite:///sub/my.db")
    assert found.data_dir == home / "here/data"
    assert sqlite_path(found.database_url) == home / "here/sub/my.db"


def test_a_tilde_is_the_home(settings: Loader, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home))
    found = settings(KAGENTBOT_DATA_DIR="~/data", DATABASE_URL="sqlite:///~/my.db")
    assert found.data_dir == home / "data"
    assert sqlite_path(found.database_url) == home / "my.db"


def test_lists_come_as_words_or_as_json(settings: Loader) -> None:
    assert settings(KAGENTBOT_SERVER__HOSTS="A.example, b.example,").server.hosts == ("a.example", "b.example")
    assert settings(KAGENTBOT_SERVER__HOSTS='["a.example"]').server.hosts == ("a.example",)


def test_a_byte_order_mark_does_no_harm(settings: Loader, home: Path) -> None:
    (home / "here/kagentbot.toml").write_text("log_level = 'debug'", encoding="utf-8-sig")
    assert settings().log_level == "debug"


def test_a_folder_called_dotenv_is_no_settings_file(settings: Loader, home: Path) -> None:
    (home / "here/.env").mkdir()
    assert settings().files == ()


def test_the_class_alone_reads_no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOG_LEVEL", "error")
    monkeypatch.setenv("SERVER", "{}")
    monkeypatch.setenv("LANGUAGE", "zh")
    found = Settings(data_dir=tmp_path)
    assert (found.log_level, found.language) == ("info", "auto")


# --- Databases and models


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "POSTGRESQL"])
def test_addresses_of_postgresql_are_brought_into_one_form(settings: Loader, scheme: str) -> None:
    found = settings(DATABASE_URL=f"{scheme}://u:p%40ss@db.example:5433/bot")
    assert found.database_url == "postgresql://u:p%40ss@db.example:5433/bot"
    assert found.shown_database() == "postgresql://db.example:5433/bot"


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:hush-hush@h/d",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "kagentbot.db",
        "postgresql://u:hush-hush@h:port/d",
        "postgresql+asyncpg://u:hush-hush@h/d",
    ],
)
def test_another_database_is_one_sentence_without_the_password(settings: Loader, url: str) -> None:
    said = mistake(settings, DATABASE_URL=url)
    assert said == (
        "`database_url` (DATABASE_URL in the environment) must be sqlite:///FILE or "
        "postgresql://USER:PASSWORD@HOST/NAME, special characters percent-encoded."
    )


def test_a_key_without_an_address_means_openai(settings: Loader) -> None:
    assert settings(OPENAI_API_KEY="k").models.endpoint.base_url == OPENAI_URL


def test_a_key_with_an_address_means_that_address(settings: Loader) -> None:
    found = settings(OPENAI_API_KEY="k", OPENAI_BASE_URL="http://gpu:8000/v1/")
    assert found.models.endpoint.base_url == "http://gpu:8000/v1"


@pytest.mark.parametrize("url", ["gpu:8000/v1", "ftp://gpu/v1", "http://", "http://gpu:99999/v1", "http://a b/v1"])
def test_what_is_no_address_of_a_model_is_said(settings: Loader, url: str) -> None:
    said = mistake(settings, OPENAI_BASE_URL=url)
    assert said == (
        "`models.endpoint.base_url` (OPENAI_BASE_URL in the environment) must be an address with its path, for example "
        '"http://localhost:8000/v1".'
    )


# --- Mistakes


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        (
            "PORT",
            "http",
            '`server.port` (PORT in the environment) must be a whole number from 0 to 65535, not "http".',
        ),
        (
            "PORT",
            "65536",
            '`server.port` (PORT in the environment) must be a whole number from 0 to 65535, not "65536".',
        ),
        (
            "KAGENTBOT_TIMEZONE",
            "Europe",
            (
                "`timezone` (KAGENTBOT_TIMEZONE in the environment) must be a time zone, for example "
                '"Europe/Berlin" or "Asia/Shanghai", not "Europe".'
            ),
        ),
        (
            "KAGENTBOT_LOG_LEVEL",
            "verbose",
            (
                "`log_level` (KAGENTBOT_LOG_LEVEL in the environment) must be one of "
                '"debug", "info", "warning", "error", not "verbose".'
            ),
        ),
        (
            "KAGENTBOT_MODELS__ENDPOINT__TEMPERATURE",
            "nan",
            (
                "`models.endpoint.temperature` (KAGENTBOT_MODELS__ENDPOINT__TEMPERATURE in the environment) must be "
                'a number from 0 to 2, not "nan".'
            ),
        ),
        (
            "KAGENTBOT_SERVER__HOSTS",
            "https://bot.example",
            (
                "`server.hosts` (KAGENTBOT_SERVER__HOSTS in the environment) must be host names without http:// and "
                'port, for example ["bot.example.com"], not ["https://bot.example"].'
            ),
        ),
        (
            "KAGENTBOT_SERVER__TOKEN",
            "short",
            (
                "`server.token` (KAGENTBOT_SERVER__TOKEN in the environment) must be at least 8 characters: letters, "
                "digits and signs, without spaces."
            ),
        ),
    ],
)
def test_a_wrong_value_is_one_sentence_that_says_what_is_right(
    settings: Loader, variable: str, value: str, said: str
) -> None:
    assert mistake(settings, **{variable: value}) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[server]\nprot = 1\n", "There is no setting `server.prot` (in {file}): did you mean `server.port`?"),
        ("port = 1\n", "There is no setting `port` (in {file}): did you mean `server.port`?"),
        (
            "OPENAI_API_KEY = 'k'\n",
            "There is no setting `OPENAI_API_KEY` (in {file}): did you mean `models.endpoint.api_key`?",
        ),
        (
            "[server]\nzzz = 1\n",
            "There is no setting `server.zzz` (in {file}): this group has `host`, `port`, `token`, `hosts`.",
        ),
        (
            "[zzz]\na = 1\n",
            "There is no setting `zzz` (in {file}): remove it; docs/settings.md lists all that exist.",
        ),
        (
            "server = 1\n",
            (
                "`server` in {file} is a group of settings: write [server] on a line of its own and below it "
                "host, port, token, hosts."
            ),
        ),
        ("[server.port]\nx = 1\n", '`server.port` ({file}) must be a whole number from 0 to 65535, not {{"x": 1}}.'),
        ("[server]\nport = true\n", "`server.port` ({file}) must be a whole number from 0 to 65535, not true."),
        (
            "[server]\nport = \n",
            "The settings file {file} is not valid TOML: invalid value (at line 2, column 8).",
        ),
    ],
)
def test_a_mistake_in_the_file_is_one_sentence(
    settings: Loader, toml: Callable[[str], Path], text: str, said: str
) -> None:
    file = toml(text)
    assert mistake(settings) == said.format(file=file)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("KAGENTBOT_SERVER__PROT", "did you mean KAGENTBOT_SERVER__PORT?"),
        ("KAGENTBOT_SERVER_PORT", "did you mean KAGENTBOT_SERVER__PORT?"),
        ("KAGENTBOT_PORT", "did you mean KAGENTBOT_SERVER__PORT?"),
        ("KAGENTBOT_OPENAI_API_KEY_FILE", "did you mean KAGENTBOT_MODELS__ENDPOINT__API_KEY_FILE?"),
        ("kagentbot_server__port", "did you mean KAGENTBOT_SERVER__PORT?"),
        ("KAGENTBOT_QQQ", "remove it; docs/settings.md lists all that exist."),
    ],
)
def test_an_unknown_variable_is_one_sentence(settings: Loader, name: str, said: str) -> None:
    assert mistake(settings, **{name: "1"}) == f"There is no setting {name} (in the environment): {said}"


def test_several_mistakes_are_a_line_each(settings: Loader, toml: Callable[[str], Path], home: Path) -> None:
    toml("prot = 1\n")
    (home / "here/.env").write_text("KAGENTBOT_LIMITS__TURNS=0\nnot a line\nKAGENTBOT_CONFIG=x\n")
    said = mistake(settings, PORT="x", OPENAI_API_KEY_FILE=str(home / "none")).splitlines()
    assert len(said) == 6
    assert all(line.endswith((".", "?")) for line in said)
    for part in ("`prot`", "`limits.turns`", "Line 2", "KAGENTBOT_CONFIG", "`server.port` (", "OPENAI_API_KEY_FILE"):
        assert sum(part in line for line in said) == 1, part


def test_a_value_that_is_overridden_is_not_complained_about(settings: Loader, toml: Callable[[str], Path]) -> None:
    toml("[server]\nport = 'x'\n")
    assert settings(PORT="1001").server.port == 1001


def test_a_wrong_data_folder_is_no_mistake_of_the_database(settings: Loader) -> None:
    assert mistake(settings, KAGENTBOT_DATA_DIR="~nobody-of-this-name/x").splitlines() == [
        '`data_dir` (KAGENTBOT_DATA_DIR in the environment) must be the path of a folder, not "~nobody-of-this-name/x".'
    ]


def test_a_settings_file_that_is_not_there_is_one_sentence(settings: Loader, home: Path) -> None:
    assert mistake(settings, KAGENTBOT_CONFIG="gone.toml") == (
        f"The settings file {home / 'here/gone.toml'} can't be read (No such file or directory): "
        "name one that exists and that this user can read."
    )


def test_a_settings_file_that_is_not_text_is_one_sentence(settings: Loader, home: Path) -> None:
    (home / "here/kagentbot.toml").write_bytes(b"log_level = '\xff'")
    assert mistake(settings).endswith("is not UTF-8 text: save it in that encoding.")


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe", b"x" * 70_000])
def test_a_value_file_without_a_value_is_one_sentence(settings: Loader, home: Path, content: bytes) -> None:
    (home / "key").write_bytes(content)
    assert mistake(settings, OPENAI_API_KEY_FILE=str(home / "key")) == (
        f"OPENAI_API_KEY_FILE (in the environment) names the file {home / 'key'}, which holds no short UTF-8 text: "
        "name the file with the value in it."
    )


def test_a_value_and_its_file_together_are_one_sentence(settings: Loader, home: Path) -> None:
    (home / "key").write_text("k")
    said = mistake(settings, OPENAI_API_KEY="k", OPENAI_API_KEY_FILE=str(home / "key"))
    assert said == "OPENAI_API_KEY and OPENAI_API_KEY_FILE are both set (in the environment): keep one of them."


def test_an_error_in_a_value_from_a_file_names_the_file(settings: Loader, home: Path) -> None:
    (home / "port").write_text("x\n")
    said = mistake(settings, PORT_FILE=str(home / "port"))
    assert said.startswith(f"`server.port` (the file {home / 'port'}, named by PORT_FILE) must be")


def test_a_user_without_a_home_is_told_what_to_set(settings: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    assert "set KAGENTBOT_DATA_DIR" in mistake(settings, HOME="")
    assert settings(HOME="", KAGENTBOT_DATA_DIR="/srv/bot").data_dir == Path("/srv/bot")


def test_a_machine_without_zones_is_told_what_to_install(settings: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "is_zone", lambda _name: False)
    assert "install the system's package `tzdata`" in mistake(settings)


def test_variables_for_tests_are_no_settings(settings: Loader) -> None:
    settings(KAGENTBOT_CRASHPOINT="accept.after_commit", KAGENTBOT_TEST_BROWSER="/usr/bin/chromium")


def test_what_kubernetes_sets_for_a_service_of_our_name_is_no_mistake(settings: Loader) -> None:
    found = settings(
        KAGENTBOT_SERVICE_HOST="10.0.0.11",
        KAGENTBOT_SERVICE_PORT="8765",
        KAGENTBOT_SERVICE_PORT_HTTP="8765",
        KAGENTBOT_PORT="tcp://10.0.0.11:8765",
        KAGENTBOT_PORT_8765_TCP="tcp://10.0.0.11:8765",
        KAGENTBOT_PORT_8765_TCP_ADDR="10.0.0.11",
    )
    assert found.server.port == 8765


# --- Languages


@pytest.mark.parametrize("environ", [{"LANG": "zh_CN.UTF-8"}, {"LANG": "en_US", "LC_ALL": "zh_TW"}])
def test_mistakes_are_told_in_the_language_of_the_machine(settings: Loader, environ: dict[str, str]) -> None:
    assert mistake(settings, PORT="x", **environ) == (
        '`server.port`（环境变量 PORT）应为 0 到 65535 之间的整数，现在是 "x"。'
    )


def test_mistakes_are_told_in_the_language_that_is_set(settings: Loader, toml: Callable[[str], Path]) -> None:
    file = toml("language = 'zh'\n[server]\nprot = 1\n")
    assert mistake(settings) == f"没有 `server.prot` 这个设置（{file}）：是不是 `server.port`？"


def test_the_language_of_what_is_printed(settings: Loader) -> None:
    assert settings().lang == "en"
    assert settings(LANG="zh_CN.UTF-8").lang == "zh"
    assert settings(LANG="zh_CN.UTF-8", KAGENTBOT_LANGUAGE="en").lang == "en"


# --- Secrets


def test_no_secret_is_in_the_representation(settings: Loader) -> None:
    secrets = {variable: SECRET for leaf in LEAVES.values() if leaf.secret for variable in leaf.variables[-1:]}
    assert len(secrets) >= 7
    found = settings(
        **secrets,
        DATABASE_URL=f"postgresql://u:{SECRET}@h/d",
        OPENAI_BASE_URL=f"http://u:{SECRET}@h/v1",
    )
    for text in (repr(found), str(found), f"{found.models}", found.shown_database(), *found.unused()):
        assert SECRET not in text


@pytest.mark.parametrize(
    "leaf", [leaf for leaf in LEAVES.values() if leaf.secret or leaf.about.hidden], ids=lambda leaf: ".".join(leaf.path)
)
def test_no_secret_is_in_an_error_or_its_traceback(settings: Loader, leaf: Any) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(**{leaf.variables[-1]: f"{SECRET} with spaces"})
    shown = "".join(traceback.format_exception(caught.value))
    assert leaf.name in shown
    assert SECRET not in shown


def test_no_secret_is_in_the_error_about_an_unknown_key(settings: Loader, toml: Callable[[str], Path]) -> None:
    toml(f"[models.endpoint]\napi_kye = '{SECRET}'\n")
    said = mistake(settings, KAGENTBOT_OPENAI_KEY=SECRET)
    assert "`models.endpoint.api_kye`" in said
    assert SECRET not in said


def test_files_that_hold_secrets_are_known(settings: Loader, toml: Callable[[str], Path], home: Path) -> None:
    toml("database_url = 'postgresql://bot@db/bot'\n")
    (home / "here/.env").write_text("PORT=1001\n")
    assert [file.holds_secrets for file in settings().files] == [True, False]
    toml("log_level = 'debug'\n")
    (home / "here/.env").write_text("DISCORD_TOKEN=x\n")
    assert [file.holds_secrets for file in settings().files] == [False, True]


def test_each_credential_that_nothing_uses_yet_is_named(settings: Loader) -> None:
    found = settings(DISCORD_TOKEN="x", WEATHER_API_KEY="y")
    assert found.unused() == [
        "WEATHER_API_KEY is set, but this version has no weather tool yet: it is not used.",
    ]


def test_every_credential_is_used_or_named(settings: Loader) -> None:
    credentials = [leaf for leaf in LEAVES.values() if leaf.path[0] == "credentials"]
    found = settings(**{leaf.variables[-1]: "x" for leaf in credentials})
    unused = [line.split()[0] for line in found.unused()]
    assert unused == [
        name for leaf in credentials if not (name := leaf.variables[-1]).startswith(("SLACK_", "DISCORD_"))
    ]


# --- Changes by the command line


def test_a_value_that_is_assigned_is_checked(settings: Loader) -> None:
    found = settings()
    found.server.port = 0
    with pytest.raises(ValueError):
        found.server.port = 70_000
    with pytest.raises(ValueError):
        found.nonsense = 1  # type: ignore[attr-defined]


# --- The reference and the example


def test_the_reference_page_is_up_to_date() -> None:
    assert settings_reference.PAGE.read_text("utf-8") == settings_reference.page(), (
        "run python -m scripts.settings_reference"
    )


def test_the_example_file_is_up_to_date() -> None:
    assert settings_reference.EXAMPLE.read_text("utf-8") == settings_reference.example(), (
        "run python -m scripts.settings_reference"
    )


def test_the_example_file_as_it_is_changes_nothing(settings: Loader) -> None:
    assert settings(settings_reference.EXAMPLE).model_dump() == settings().model_dump()


def test_every_line_of_the_example_file_can_be_used(settings: Loader, toml: Callable[[str], Path]) -> None:
    lines = settings_reference.EXAMPLE.read_text("utf-8").splitlines()
    uncommented = [line[2:] if line[:2] == "# " and (" = " in line or "[[" in line) else line for line in lines]
    toml("\n".join(uncommented))
    found = settings()
    assert found.models.endpoint.base_url == "http://localhost:8000/v1"
    assert found.models.endpoints[0].name == "cpu"
    listed = list(describe(ListedEndpoint))
    assert sum(" = " in line for line in uncommented) == len(LEAVES) - 1 + len(listed)


def test_the_settings_import_nothing_that_takes_long() -> None:
    code = "import sys, bot.settings; bot.settings.load(); print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "pydantic_settings" in loaded
    assert loaded & {"sqlalchemy", "alembic", "aiohttp", "openai", "httpx2", "psycopg", "xllamacpp", "click"} == set()
