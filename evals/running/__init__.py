"""Asking a model everything that a benchmark asks: at the pace that its server takes, resumable, every reply kept.

It scores nothing and shows nothing; it hands on what it has done so far to whoever watches.
"""

from __future__ import annotations
