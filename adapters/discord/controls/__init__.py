"""What people press, type after a slash and fill in: buttons, commands, forms, steps; and how they are answered.

It must not decide who may do what: `adapters.chat`, `bot.policy` and `connection/access.py` do.
"""
