"""What a place may be found not to let us do, or to spare us (`adapters.chat.abilities`)."""

from __future__ import annotations

from typing import Literal

#: `thread`: open threads in a channel. `opening`: have to open one before we write in it; a forum's posts are there.
#: `reply`: refer to the message that is answered. `persona`: post through a webhook of ours. `typing`: say that we are
#: at work. `telling`: tell somebody once more that they get no answer there.
Ability = Literal["thread", "opening", "reply", "persona", "typing", "telling"]
