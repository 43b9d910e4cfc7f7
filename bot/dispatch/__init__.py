"""Who works on which conversation: wake-ups, leases, the drain that runs a conversation's turns one at a time, the
sweep.

It decides when a turn runs and when it must end; what a turn does is `bot.turns`.
"""
