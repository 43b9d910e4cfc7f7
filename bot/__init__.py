"""The server: the path of a message from a platform to its outcome, and everything that keeps it safe.

It knows conversations, turns and jobs, and reaches platforms only through `bot.ports`. It must not import an adapter
or name a platform; only the composition root (`bot.app`, `bot.cli`) and the settings do.
"""
