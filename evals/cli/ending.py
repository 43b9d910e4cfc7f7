"""How a command ends: its exit status, and one sentence for everything that people can mend."""

from __future__ import annotations

from typing import Final

from agent.language import Lang, Text

#: All went well.
FINE: Final = 0
#: A score is below `--fail-under`, or kagent-bench itself is broken.
NOT_MET: Final = 1
#: Wrong use, a wrong file or a wrong setting, as shells expect of bad usage.
WRONG: Final = 2
#: The model can't be asked.
NO_MODEL: Final = 3
#: Something can't be written.
NOT_WRITTEN: Final = 4
#: Ctrl-C, as shells count it (128 and the signal's number). What is done is kept.
INTERRUPTED: Final = 130

_OS_ERROR = Text(
    "{path} can't be written ({why}): check its folder, its rights and the room on the disk, or choose another place.",
    "无法写入 {path}（{why}）：请检查目录、权限和磁盘空间，或换一个位置。",
)
_SOMEWHERE = Text("a file", "文件")
_INTERNAL = Text(
    "Something went wrong inside of kagent-bench ({kind}): KAGENTBOT_LOG_LEVEL=debug shows where.",
    "kagent-bench 内部出错（{kind}）：设置 KAGENTBOT_LOG_LEVEL=debug 可查看出错位置。",
)


class Ended(Exception):
    """The command is over: `text` says why, `status` is its exit status."""

    def __init__(self, status: int, text: Text, **fields: object) -> None:
        self.text = text.filled(**fields)
        super().__init__(self.text.en)
        self.status = status


def not_written(error: OSError, path: object = None) -> Ended:
    """What is said of something that can't be written."""
    why = error.strerror or type(error).__name__
    where = path or error.filename
    if where:
        return Ended(NOT_WRITTEN, _OS_ERROR, path=where, why=why)
    return Ended(NOT_WRITTEN, _OS_ERROR, path=_SOMEWHERE, why=why)


def sentence(error: Exception, lang: Lang) -> tuple[str, int]:
    """What people are told of an error, and the exit status."""
    # Not above: a command that goes well needs none of these.
    from agent.llm import faults
    from agent.llm.chat import ModelError
    from bot.ports import StoreUnavailable
    from bot.settings import SettingsError
    from evals.kagentbench.data import DataError
    from evals.library import LibraryError
    from evals.store import RunError

    match error:
        case Ended():
            return error.text.say(lang), error.status
        case DataError() | LibraryError() | RunError():
            return error.text.say(lang), WRONG
        case SettingsError():
            return error.say(lang), WRONG
        case ModelError():
            return faults.say(error, lang), NO_MODEL
        case StoreUnavailable():
            return error.text.say(lang), NO_MODEL
        case OSError():
            return not_written(error).text.say(lang), NOT_WRITTEN
    return _INTERNAL.say(lang, kind=type(error).__name__), NOT_MET
