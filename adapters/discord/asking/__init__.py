"""What the core asks Discord for besides replies: files, people, a thread's past, a file handed to somebody.

What it was told it keeps for a minute at most; the core remembers.
"""
