"""Model text as Slack takes it: `markdown.py` for `markdown_text`, `mrkdwn.py` for everywhere else;
`measures.py` is how long the former gets.

What comes out pings nobody and leads nowhere else than it says. It must not call Slack, and it keeps nothing.
"""
