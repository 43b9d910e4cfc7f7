"""How much wider than in a workspace Slack's limits are in the benchmark, for the fake and for the server's budgets."""

from __future__ import annotations

WIDER = 100.0
