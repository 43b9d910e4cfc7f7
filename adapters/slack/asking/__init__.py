"""What the core asks Slack for besides replies: files, people, a file handed to somebody.

It must not keep what it was told; the core does.
"""
