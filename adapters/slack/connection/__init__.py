"""Reaching Slack: sockets or HTTP, its Web API within its limits, installations and their tokens.

It must not know what a message means, or what a reply looks like.
"""
