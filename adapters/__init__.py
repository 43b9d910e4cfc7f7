"""Platforms: one folder each, that parses what comes in and decides how a reply is shown.

An adapter turns a platform's events into `bot.messages` and a `Draft` into that platform's calls. It owns no state that
must survive a restart (the ledger does), and adapters never import one another.
"""
