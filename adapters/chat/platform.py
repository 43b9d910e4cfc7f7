"""What a platform calls itself and its parts."""

from __future__ import annotations

from dataclasses import dataclass

from agent.language import Text


@dataclass(frozen=True, slots=True)
class Platform:
    """One chat platform, as the texts speak of it."""

    #: In targets and keys, such as "slack".
    id: str
    #: As people write it.
    name: str
    #: What people call a workspace there, such as "workspace" or "server"; inside a sentence.
    workspace: Text

    def named(self, text: Text) -> Text:
        """The text with the platform's own words in it; other fields stay to be filled."""
        return Text(self._fill(text.en, self.workspace.en), self._fill(text.zh, self.workspace.zh))

    def _fill(self, template: str, workspace: str) -> str:
        return template.replace("{platform}", self.name).replace("{workspace}", workspace)
