"""Writes docs/settings.md and kagentbot.example.toml from the settings' classes. A test fails when they are outdated.

python -m scripts.settings_reference
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from agent.language import Text
from bot.settings.model import Settings
from bot.settings.sources import Leaf, describe

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "settings.md"
EXAMPLE = ROOT / "kagentbot.example.toml"

_HEAD = """\
# Settings

<!-- Written by `python -m scripts.settings_reference` from bot/settings/: change it there. -->

kagentbot needs no settings. 无需任何设置即可运行。

## Where they are set

The stronger first (强者在前):

1. **The environment.** Every setting has a name that begins with `KAGENTBOT_`, with two underscores between a group and
   what is in it: `server.port` is `KAGENTBOT_SERVER__PORT`. Usual names such as `PORT` and `DATABASE_URL` are
   honoured, too; where both are set, the `KAGENTBOT_` one wins. Lists are written with commas:
   `a.example.com,b.example.com`.
2. **`.env`**, lines of `NAME=VALUE` with the same names, beside the settings file (without one, in the current folder).
3. **`kagentbot.toml`**: the file named by `--config` or by `KAGENTBOT_CONFIG`, else `./kagentbot.toml`, else
   `kagentbot/kagentbot.toml` in the user's configuration folder (`$XDG_CONFIG_HOME`, else `~/.config`, on macOS
   `~/Library/Application Support`). [kagentbot.example.toml](../kagentbot.example.toml) is one to begin with.

Each name in the environment also exists with `_FILE` at its end: it names a file, and the file's content is the value
(without blanks and line ends around it). That is how container platforms hand over secrets:
`OPENAI_API_KEY_FILE=/run/secrets/openai`. 每个环境变量名都可以加上 `_FILE`，表示从该文件中读取值。

Relative paths start at the file that they are written in, those in the environment at the current folder. An empty
value is the same as none. Files that hold secrets should be readable by the server's user alone (`chmod 600`);
`kagentbot doctor` checks that.

Whatever is unknown or wrong is said in one sentence with its name, its place and what would be right, and the program
exits with status 2. Values of secrets are never shown.
未知或错误的设置会用一句话说明，程序以状态码 2 退出；密钥的值不会显示。

## All of them
"""

_EXAMPLE_HEAD = """\
# Settings of kagentbot. None is needed: every setting here is its default or an example, and is commented out.
# Copy this file to kagentbot.toml. Keep secrets in the environment, in .env, or in this file with `chmod 600`.
# kagentbot 的设置示例：全部可选。复制为 kagentbot.toml 后按需修改。详见 docs/settings.md。
"""

#: Examples where the default is none, or is different on each machine.
_EXAMPLES = {
    "data_dir": "data",
    "database_url": "postgresql://kagentbot:PASSWORD@localhost/kagentbot",
    "timezone": "Asia/Shanghai",
    "server.hosts": ["bot.example.com"],
    "models.endpoint.base_url": "http://localhost:8000/v1",
    "models.endpoint.model": "Qwen/Qwen3-8B",
    "models.endpoint.context_tokens": 32768,
    "models.endpoint.temperature": 0.7,
    "models.endpoint.max_tokens": 1024,
    "models.endpoints.name": "cpu",
    "models.endpoints.base_url": "http://localhost:8080/v1",
    "models.endpoints.model": "qwen3-4b",
    "models.endpoints.context_tokens": 8192,
    "models.endpoints.temperature": 0.7,
    "models.endpoints.max_tokens": 1024,
    "models.endpoints.priority": 10,
    "slack.workspaces": ["T0123ABCD"],
    "discord.servers": ["112233445566778899"],
    "access.operators": ["slack:U0123ABCD"],
    "access.allow_users": ["slack:U0123ABCD"],
    "access.deny_users": ["slack:U0123ABCD"],
    "access.allow_channels": ["slack:C0123ABCD"],
    "access.deny_channels": ["slack:T0123ABCD:C0123ABCD"],
    "slack.public_url": "https://bot.example.com",
    "models.embedded.gguf": "models/another.gguf",
    "models.embedded.threads": 4,
    "tools.files": ["examples/dice_tool.py"],
    "profile.agent_bio": "You help the people of a small team to find things out.",
    "profile.agent_instructions": "Answer briefly.",
}


def groups() -> Iterator[tuple[str, str, list[Leaf]]]:
    """Each group: its name, what it is, its settings."""
    for name, leaves in groupby(describe(Settings), key=lambda leaf: leaf.group):
        kind: object = Settings
        for part in name.split(".") if name else ():
            kind = kind.model_fields[part].annotation  # type: ignore[attr-defined]
        yield name, "" if kind is Settings else (kind.__doc__ or "").split("\n")[0], list(leaves)


def default(leaf: Leaf) -> Text:
    """The default as people read it."""
    if leaf.about.default is not None:
        return leaf.about.default
    if leaf.field.is_required():
        return Text("must be set", "必填")
    value = leaf.field.get_default()
    if value is None or value == () or value == "":
        return Text("none", "无")
    shown = f"`{_toml(value)}`"
    return Text(shown, shown)


def columns(leaf: Leaf) -> list[Leaf]:
    """What stands in each entry of a list of tables, its name first; [] for all other settings."""
    found = list(describe(leaf.table)) if leaf.table is not None else []
    return sorted(found, key=lambda column: column.name != "name")


def page() -> str:
    """docs/settings.md."""
    parts = [_HEAD]
    for name, about, leaves in groups():
        parts.append(f"\n### {f'`[{name}]`' if name else 'Above all groups'}\n")
        parts.append(f"\n{about}\n" if about else "")
        parts.append("\n| setting and environment | meaning | value | default |\n|---|---|---|---|\n")
        parts += [_row(leaf, leaf.path[-1], *leaf.variables) for leaf in leaves]
        for leaf in leaves:
            if leaf.table is not None:
                parts.append(f"\n### `[[{leaf.name}]]`\n\n{(leaf.table.__doc__ or '').splitlines()[0]}\n")
                parts.append("\n| setting | meaning | value | default |\n|---|---|---|---|\n")
                parts += [_row(column, column.name) for column in columns(leaf)]
    return "".join(parts)


def _row(leaf: Leaf, *names: str) -> str:
    words = Text(leaf.about.en, leaf.about.zh), leaf.about.right, default(leaf)
    cells = [f"{cell.en}<br>{cell.zh.strip()}" if cell.en != cell.zh else cell.en for cell in words]
    shown = "<br>".join(f"`{name}`" for name in names)
    return f"| {shown} | {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def example() -> str:
    """kagentbot.example.toml: every setting, commented out."""
    parts = [_EXAMPLE_HEAD]
    for name, about, leaves in groups():
        plain = [leaf for leaf in leaves if leaf.table is None]
        parts.append(f"\n# {about}\n[{name}]\n" if name and plain else "")
        parts += [_example(leaf, leaf.name) for leaf in plain]
        for leaf in leaves:
            if leaf.table is not None:
                parts.append(f"\n# {leaf.about.en}\n# {leaf.about.zh}\n# [[{leaf.name}]]\n")
                parts += [_example(column, f"{leaf.name}.{column.name}") for column in columns(leaf)]
    return "".join(parts)


def _example(leaf: Leaf, name: str) -> str:
    # No example of a secret: somebody would keep it. An empty one is none.
    value = "" if leaf.secret else _EXAMPLES.get(name, leaf.field.get_default())
    return f"\n# {leaf.about.en}\n# {leaf.about.zh}\n# {leaf.path[-1]} = {_toml(value)}\n"


def _toml(value: object) -> str:
    # For texts, numbers and lists of texts JSON and TOML agree.
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def main() -> None:
    """Write both files."""
    PAGE.write_text(page(), encoding="utf-8")
    EXAMPLE.write_text(example(), encoding="utf-8")


if __name__ == "__main__":
    main()
