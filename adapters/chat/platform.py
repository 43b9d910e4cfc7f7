"""What a platform calls itself and its parts."""

from __future__ import annotations

from dataclasses import dataclass

from agent.language import Text
from bot.wording import Wording


@dataclass(frozen=True, slots=True)
class Platform:
    """One chat platform, as the texts speak of it."""

    #: In targets and keys, such as "slack".
    id: str
    #: As people write it.
    name: str
    #: What people call a workspace there, such as "workspace" or "server"; inside a sentence.
    workspace: Text
    #: And a thread.
    thread: Text

    @property
    def wording(self) -> Wording:
        """The words as the core takes them."""
        return Wording(self.workspace, self.thread)

    def named(self, text: Text) -> Text:
        """The text with the platform's own words in it; other fields stay to be filled."""
        worded = self.wording.worded(text)
        return Text(worded.en.replace("{platform}", self.name), worded.zh.replace("{platform}", self.name))
