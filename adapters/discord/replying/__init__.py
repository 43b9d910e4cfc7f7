"""One reply on Discord: its messages, their look, threads, typing and personas.

It must not decide what an answer says, or when there is something to show (`bot.delivery` does): it only puts that off
where the channel's limits leave no room.
"""
