"""One reply on Discord: its messages, their look, threads, typing and personas.

It must not decide when something is shown (`bot.delivery` does), or what an answer says.
"""

from __future__ import annotations
