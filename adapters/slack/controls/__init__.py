"""What people press, type after a slash and fill in: buttons, commands, modals, the App Home, steps; and how they are
answered.

It must not decide who may do what: `adapters.chat` and `bot.policy` do.
"""
