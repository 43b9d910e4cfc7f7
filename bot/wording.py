"""What people call the parts of their platform, where the core's texts speak of them."""

from __future__ import annotations

from typing import Final, NamedTuple

from agent.language import Text


class Wording(NamedTuple):
    """Words that stand inside of sentences."""

    workspace: Text
    thread: Text

    def worded(self, text: Text) -> Text:
        """The text with these words for `{workspace}` and `{thread}`; other fields stay to be filled."""
        return Text(
            text.en.replace("{workspace}", self.workspace.en).replace("{thread}", self.thread.en),
            text.zh.replace("{workspace}", self.workspace.zh).replace("{thread}", self.thread.zh),
        )


#: Where a platform has no words of its own.
GENERAL: Final = Wording(Text("workspace", "工作区"), Text("thread", "话题"))
