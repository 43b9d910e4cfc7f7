"""The web page as a platform: a JSON API that accepts messages and shows turns, and the page that uses it.

Nothing is posted anywhere, so it needs no ledger: a turn's row, its draft and its steps are what the page shows. It
must not decide anything about turns; it hands events to the inbox and asks `bot.control` for the rest.
"""
