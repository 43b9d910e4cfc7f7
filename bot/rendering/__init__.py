"""How a reply becomes text that any chat platform can post: composed as Markdown, cut into parts within a limit.

It knows no platform: limits and the way in which a platform counts come in as parameters. It must not post anything.
"""
