"""Reaching Discord: its gateway and its REST API within their limits, which servers are served, and that Discord knows
the commands.

It must not know what a message or a command means, or what a reply looks like.
"""
