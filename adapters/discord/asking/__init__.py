"""What the core asks Discord for besides replies: files, people, a thread's past, a file handed to somebody.

It must not keep what it was told; the core does.
"""

from __future__ import annotations
