"""Model text as Discord shows it: `markdown.py` writes Discord's own Markdown, `parts.py` cuts it into messages.

What comes out pings nobody and leads nowhere else than it says. It must not call Discord, and it keeps nothing.
"""
