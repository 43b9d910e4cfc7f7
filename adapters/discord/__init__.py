"""Discord: its gateway in, its REST API out.

It must not decide who is answered or what an answer says (`bot/` does), keep state that has to survive a restart, or be
imported by a server without Discord.
"""
