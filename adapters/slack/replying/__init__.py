"""One reply in Slack: its messages and streams, their look, and the signs of work.

It must not decide when something is shown (`bot.delivery` does), or what an answer says.
"""

from __future__ import annotations
