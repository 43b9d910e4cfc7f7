"""`make discord-live`: seventeen steps against a real Discord server, with a running kagentbot, and a report.

It needs the bot's token and a scratch channel; docs/discord.md says how to get them. A bot may not write in a person's
name there, so whoever runs it types what it prints. The model is the one of the tests, so that answers are known
beforehand and cost nothing. What was posted is deleted again. Besides it measures what Discord's documentation doesn't
say.
"""
