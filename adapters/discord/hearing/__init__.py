"""What people say on Discord, on its way to the inbox: parsed, in order, and caught up with after a pause.

It must not decide who is answered (`bot.policy` does), or send anything.
"""
