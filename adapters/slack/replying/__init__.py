"""One reply in Slack: its messages and streams, their look, and the signs of work.

It must not decide what an answer says, or when there is something to show (`bot.delivery` does): it only puts that off
where the workspace's limits leave no room.
"""
