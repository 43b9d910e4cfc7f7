"""What people say in Slack, on its way to the inbox; and Slack's markup, which it reads and others write.

It must not decide who is answered (`bot.policy` does), or send anything.
"""
