"""Slack: its events in, its Web API out.

It must not decide who is answered or what an answer says (`bot/` does), keep state that has to survive a restart, or be
imported by a server without Slack: slack_bolt and slack_sdk are imported here and nowhere else.
"""
