"""`kagent-bench human`: answers for people to rate, and what they think of them. Sets are in the server's database."""

from __future__ import annotations
