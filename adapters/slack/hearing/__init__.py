"""What people say in Slack, on its way to the inbox.

It must not decide who is answered (`bot.policy` does), or send anything.
"""

from __future__ import annotations
