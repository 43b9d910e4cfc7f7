"""Reaching Discord: its gateway and its REST API within their limits, and which servers are served.

It must not know what a message means, or what a reply looks like.
"""

from __future__ import annotations
